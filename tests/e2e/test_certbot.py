"""The guide's ways to a certificate, with the real certbot: issued, served, and renewed under load by a Ringwall that
has given up root."""

import json
import os
import signal
import stat
import subprocess
from contextlib import contextmanager

import pytest

from harness import acme, client, reload
from harness.bench import arguments_of, kinds
from harness.guard import Talk
from harness.ports import free_port
from harness.until import until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give it up, and to mount an /etc/letsencrypt")

METHOD = "system_chain"
CONNECTIONS = 30
USER, GROUP = "nobody", "daemon"
SELF_SIGNED = f'self_signed = ["{acme.NAME}"]'
CONFIG = """
[[listener]]
address = "127.0.0.1:{port2}"
kind = "redirect"
acme_webroot = "%s"
[[listener]]
address = "127.0.0.1:{port}"
%s
[[upstream]]
address = "%s"
"""


@pytest.fixture
def certbot(cast, tmp_path):
    """certbot(http_port, …), whose authority asks for challenges there."""
    acme.skip_where_missing()
    reload.open_way(tmp_path)

    def start(http_port, **options):
        names = cast.add(acme.Names(tmp_path))
        names.wait_for_listener(names.port)
        pebble = cast.add(acme.Pebble(tmp_path, names, http_port))
        pebble.wait_until_serving()
        return acme.Certbot(tmp_path, pebble, GROUP, **options)

    return start


def given_up(certbot, **options) -> dict:
    """To start Ringwall with: as root, who becomes another."""
    return {"through": certbot.through, "settings": {"server.user": USER, "server.group": GROUP}, **options}


def served_leaf(server, certbot) -> bytes:
    """To a client that trusts the authority alone, and asks for the name."""
    context = client.tls_context(ca=certbot.served.ca)
    with client.connect(server.port, context=context, server_name=acme.NAME) as stream:
        return stream.sock.getpeercert(binary_form=True)


@contextmanager
def load(server, certbot, folder):
    """ringwall-bench's calls, on connections of before; all of them are answered."""
    verified = ("--ca", certbot.served.ca, "--server-name", acme.NAME)
    until_it_is_stopped = ("--warmup", "0s", "--duration", "5m")
    argv = arguments_of(server.wss, *verified, *until_it_is_stopped, "--connections", CONNECTIONS, "--depth", 4)
    seen = folder / "seen.json"
    with open(seen, "wb") as to:
        bench = subprocess.Popen(argv, stdout=to)
    try:
        yield
        bench.send_signal(signal.SIGTERM)
        assert bench.wait(30) == 128 + signal.SIGTERM
    finally:
        bench.kill()
        bench.wait()
    figures = json.loads(seen.read_text())
    flow = figures["flow"]
    assert kinds(figures) == {}
    assert flow["connections_tried"] == flow["handshakes"] == figures["connections_open"] == CONNECTIONS
    assert flow["connections_cut"] == 0
    assert flow["calls_sent"] == flow["answers"] > 1000


def renewed_under_load(server, certbot, folder):
    before, log_before = certbot.leaf(), len(server.log)
    assert served_leaf(server, certbot) == before
    with Talk(server) as talk, load(server, certbot, folder):
        assert "result" in talk.ask(METHOD)
        said = certbot("renew", "--force-renewal")
        assert "all renewals succeeded" in said, said
        renewed = certbot.leaf()
        assert renewed != before
        until(lambda: served_leaf(server, certbot) == renewed, 15, f"it is served; it logged:\n{server.log[-2000:]}")
        assert "result" in talk.ask(METHOD)
        assert talk.closed_with is None
    assert server.running
    assert stat.S_IMODE(certbot.key.stat().st_mode) == 0o640
    assert certbot.key.group() == GROUP
    log = server.log[log_before:]
    assert log.count("has a new certificate for new connections") == 1
    assert "reload" not in log


def test_webroot_from_a_self_signed_certificate_by_a_reload_to_renewals(cast, certbot, tmp_path):
    devnode = cast.devnode()
    webroot = tmp_path / "webroot"
    webroot.mkdir()
    http_port = free_port()
    certbot = certbot(http_port)
    config = (CONFIG % (webroot, SELF_SIGNED, devnode.address)).replace("{port2}", str(http_port))
    server = cast.ringwall(config=config, **given_up(certbot))
    certbot("certonly", "--webroot", "-w", webroot, "-d", acme.NAME)
    certbot.install_hook()
    certificate = f'[[listener.certificate]]\ncert = "{certbot.served.cert}"\nkey = "{certbot.served.key}"'
    assert "reloaded: " in reload.reload(server, config.replace(SELF_SIGNED, certificate))
    renewed_under_load(server, certbot, tmp_path)
    assert "is not served" not in server.log


def test_standalone_beside_a_ringwall_that_leaves_port_80_alone(cast, certbot, tmp_path):
    """And with a umask of root's that leaves even certificates to it alone: what is renewed is the hook's to grant."""
    devnode = cast.devnode()
    http_port = free_port()
    certbot = certbot(http_port, umask=0o077)
    certbot("certonly", "--standalone", "--http-01-port", http_port, "-d", acme.NAME)
    certbot.install_hook()
    server = cast.ringwall(devnode, **given_up(certbot, certificates=[certbot.served]))
    assert "cannot be read as user" not in server.log
    renewed_under_load(server, certbot, tmp_path)
