"""Started as root and told to, it becomes somebody else once the ports are bound."""

import grp
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness import certificates, client, reload
from harness.ports import free_port
from harness.programs import program, run_ringwall, sanitized
from harness.successor import Successor, become_subreaper
from harness.until import until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give it up")


WEBROOT = """
[[listener]]
address = "127.0.0.1:{port}"
kind = "redirect"
acme_webroot = "%s"
[[upstream]]
"""


def has_landlock(server) -> bool:
    return "files by Landlock" in server.wait_for_log("confined: ")


def status(pid, field) -> list[str]:
    """Of every thread: a shard that kept its privileges would be found here."""
    rows = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        rows.append(re.search(rf"^{field}:\s*(.*)$", (task / "status").read_text(), re.M).group(1))
    return rows


def shared(cast):
    return cast.folder / "state"


def test_every_thread_drops_to_the_user_and_keeps_no_capability(cast):
    nobody = pwd.getpwnam("nobody")
    server = cast.ringwall(None, settings={"server.user": "nobody"}, state=shared(cast))
    for row in status(server.pid, "Uid"):
        assert set(row.split()) == {str(nobody.pw_uid)}
    for row in status(server.pid, "Gid"):
        assert set(row.split()) == {str(nobody.pw_gid)}
    for row in status(server.pid, "Groups"):
        assert "0" not in row.split()
    for field in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
        assert {int(row, 16) for row in status(server.pid, field)} == {0}
    assert set(status(server.pid, "NoNewPrivs")) == {"1"}
    assert client.exchange(server.port, client.page_request()).status == 200


def test_every_thread_is_confined_whoever_started_it(cast):
    server = cast.ringwall(None)
    for field in ("CapEff", "CapPrm", "CapInh", "CapAmb", "CapBnd"):
        assert {int(row, 16) for row in status(server.pid, field)} == {0}
    assert set(status(server.pid, "NoNewPrivs")) == {"1"}
    line = server.wait_for_log("confined: no capability, no new privileges")
    filtered = "system calls by a filter" in run_ringwall("doctor").stdout and not sanitized()
    assert filtered == ("system calls by a filter" in line), line
    assert set(status(server.pid, "Seccomp")) == {"2" if filtered else "0"}
    assert client.exchange(server.port, client.page_request()).status == 200


def test_confinement_can_be_switched_off_but_for_privileges(cast):
    server = cast.ringwall(None, settings={"server.confine": "off"})
    assert 'server.confine is "off"' in server.wait_for_log("confined: ")
    assert set(status(server.pid, "Seccomp")) == {"0"}
    assert set(status(server.pid, "NoNewPrivs")) == {"1"}
    assert {int(row, 16) for row in status(server.pid, "CapEff")} == {0}


def test_the_webroot_is_read_and_what_lies_beside_it_is_not(cast, tmp_path, tmp_path_factory):
    """Even by whom the file's permissions would let: a link in the webroot's folder of challenges leads out of it."""
    challenges = tmp_path / "www" / ".well-known" / "acme-challenge"
    challenges.mkdir(parents=True)
    (challenges / "token").write_text("inside")
    server = cast.ringwall(config=WEBROOT % (tmp_path / "www"), tls=False)
    ask = b"GET /.well-known/acme-challenge/token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    assert client.exchange(server.port, ask, tls=False).body == b"inside"
    if not has_landlock(server):
        pytest.skip("this kernel has no Landlock")
    outside = tmp_path_factory.mktemp("outside")  # not below the configuration's own folder
    (outside / "token").write_text("outside")
    challenges.rename(tmp_path / "www" / "old")
    challenges.symlink_to(outside)
    assert client.exchange(server.port, ask, tls=False).status == 404


def test_a_webroot_that_only_a_restart_opens_is_refused_at_a_reload(cast, tmp_path, tmp_path_factory):
    """Its permissions would let: without a look by open(2) each challenge would get 404, and the reload have been good."""
    inside, outside = tmp_path / "www", tmp_path_factory.mktemp("outside")
    for webroot in (inside, outside):
        (webroot / ".well-known" / "acme-challenge").mkdir(parents=True)
        (webroot / ".well-known" / "acme-challenge" / "token").write_text(webroot.name)
    server = cast.ringwall(config=WEBROOT % inside, tls=False)
    if not has_landlock(server):
        pytest.skip("this kernel has no Landlock")
    log = reload.reload(server, WEBROOT % outside)
    assert f'listener[0].acme_webroot: found "{outside}" (outside of what this process may still read: a restart' in log
    assert "reload refused, nothing has changed: 1 mistake" in log
    ask = b"GET /.well-known/acme-challenge/token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    assert client.exchange(server.port, ask, tls=False).body == b"www"


def test_a_certificate_that_only_a_restart_opens_is_refused_at_a_reload(cast, node, tmp_path, tmp_path_factory):
    inside = certificates.self_signed(tmp_path, "localhost")
    outside = certificates.self_signed(tmp_path_factory.mktemp("outside"), "localhost")
    server = cast.ringwall(config=reload.config_text(inside, node))
    if not has_landlock(server):
        pytest.skip("this kernel has no Landlock")
    log = reload.reload(server, reload.config_text(outside, node))
    assert f'certificate[0].cert: found "{outside.cert}" (outside of what this process may still read: a restart' in log
    assert "reload refused, nothing has changed: 2 mistakes" in log
    assert reload.served_fingerprint(server.port) == reload.fingerprint(inside)


def test_no_shell_is_started_in_its_place_but_a_new_program_is(cast, node, tmp_path):
    """SIGUSR2 starts what its file is by then. A script there needs a shell, which Landlock gives to nobody."""
    (tmp_path / "bin").mkdir()
    binary, mark = tmp_path / "bin" / "ringwall", tmp_path / "state" / "started"
    shutil.copy(program("ringwall"), binary)
    server = cast.ringwall(
        node, tls=False, state=mark.parent, through=["/bin/sh", "-c", f'shift; exec {binary} "$@"', "sh"]
    )
    if not has_landlock(server):
        pytest.skip("this kernel has no Landlock")
    binary.unlink()
    binary.write_text(f"#!/bin/sh\ntouch {mark}\n")
    binary.chmod(0o755)
    server.send_signal(signal.SIGUSR2)
    refused = server.wait_for_log("this one goes on")
    assert "Permission denied" in refused and not mark.exists()
    binary.unlink()
    shutil.copy(program("ringwall"), binary)
    successor = cast.add(server.upgrade())
    assert server.wait(10) == 0
    assert Path(f"/proc/{successor.pid}/exe").readlink() == binary
    assert client.exchange(server.port, client.page_request(), tls=False).status == 200


def test_twenty_upgrades_add_nothing_to_the_confinement(cast, node):
    """The kernel stacks 16 of Landlock's rulesets; a filter more a time would make each system call slower."""
    server = cast.ringwall(node, tls=False)
    filters = set(status(server.pid, "Seccomp_filters"))
    line = server.wait_for_log("confined: ")
    become_subreaper()
    process = server
    for number in range(1, 21):
        process.send_signal(signal.SIGUSR2)
        until(lambda: server.log.count("has taken over") == number, 30, f"upgrade {number}; it logged:\n{server.log[-2000:]}")
        successor = cast.add(Successor(int(re.findall(r"process (\d+) has taken over", server.log)[-1])))
        server.end_seen = True
        assert process.wait(10) == 0
        process = successor
    assert set(status(process.pid, "Seccomp_filters")) == filters
    told = re.findall(r"^.*confined: .*$", server.log, re.M)
    assert told[1:] == [line.strip("\n") + ", inherited from the process before this one"] * 20
    assert client.exchange(server.port, client.page_request(), tls=False).status == 200


def for_everybody(folder: Path) -> Path:
    """pytest's own folders are root's alone."""
    folder = Path(tempfile.mkdtemp(prefix=folder.name, dir="/tmp"))
    folder.chmod(0o755)
    return folder


def test_check_looks_with_the_eyes_of_the_user_that_it_becomes(tmp_path):
    """Root reads every file, and at the start it is root that reads; what is renewed is read by the other."""
    folder = for_everybody(tmp_path)
    try:
        pair = certificates.self_signed(folder, "localhost")
        (folder / "www").mkdir()
        config = folder / "ringwall.toml"
        rows = f"[[listener.certificate]]\ncert = '{pair.cert}'\nkey = '{pair.key}'\n"
        webroot = (WEBROOT % (folder / "www")).replace("{port}", "80")
        config.write_text(f"[server]\nuser = 'nobody'\n[[listener]]\naddress = '127.0.0.1:443'\n{rows}{webroot}")
        for path in (pair.cert, pair.key, config):
            path.chmod(0o644)
        done = run_ringwall("check", "--config", config)
        assert done.returncode == 0 and "cannot be read as user" not in done.stdout, done.stdout
        pair.key.chmod(0o600)
        (folder / "www").chmod(0o700)
        done = run_ringwall("check", "--config", config)
        told = [line for line in done.stdout.splitlines() if "cannot be read as user nobody" in line]
        assert [line.split(": ")[:3] for line in told] == [
            ["server.user", "warning", str(folder / "www")],
            ["server.user", "warning", str(pair.key)],
        ]
        assert done.returncode == 0 and "good: 2 listeners" in done.stdout  # the start will read them
    finally:
        shutil.rmtree(folder)


def test_a_low_port_and_a_key_that_only_root_may_read(cast, tmp_path):
    pair = certificates.self_signed(tmp_path, "localhost")
    os.chmod(pair.key, 0o600)
    os.chmod(tmp_path, 0o700)
    port = next(port for port in range(700, 1000) if is_free(port))
    server = cast.ringwall(None, port=port, certificates=[pair], settings={"server.user": "nobody"})
    assert client.exchange(port, client.page_request()).status == 200
    assert set(status(server.pid, "Uid")) == {"\t".join([str(pwd.getpwnam("nobody").pw_uid)] * 4)}


def is_free(port) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def test_a_group_of_its_own_may_be_named(cast):
    server = cast.ringwall(None, settings={"server.user": "nobody", "server.group": "daemon"}, state=shared(cast))
    for row in status(server.pid, "Gid"):
        assert set(row.split()) == {str(grp.getgrnam("daemon").gr_gid)}


def test_relays_work_as_somebody_else(cast, echo_node):
    server = cast.ringwall(echo_node, settings={"server.user": "nobody"}, state=shared(cast))
    with client.websocket(server.port) as stream:
        stream.send_frame(2, client.message_of(1 << 20))
        assert stream.read_message() == (2, client.message_of(1 << 20))


def test_a_user_that_is_not_there_is_said_at_start(cast):
    settings = ["--set", "server.user=no-such-user", "--set", f"server.state_dir={cast.folder}"]
    done = run_ringwall("--listen", f"127.0.0.1:{free_port()}", "--self-signed", "localhost", *settings)
    assert done.returncode == 1
    assert "no-such-user" in done.stderr


def test_who_is_not_root_can_not_become_another_and_is_told():
    if not shutil.which("setpriv"):
        pytest.skip("setpriv is missing")
    # A copy, since the tree of the build may be root's alone.
    binary = Path("/tmp") / f"ringwall-e2e-{os.getpid()}"
    shutil.copy(program("ringwall"), binary)
    os.chmod(binary, 0o755)
    try:
        done = subprocess.run(
            [
                "setpriv",
                "--reuid=65534",
                "--clear-groups",
                binary,
                "--listen",
                f"127.0.0.1:{free_port()}",
                "--plain",
                "--set",
                "server.user=root",
            ],
            capture_output=True,
            text=True,
            timeout=10,
            cwd="/",
        )
    finally:
        binary.unlink()
    assert done.returncode == 1
    assert done.stderr.strip()
