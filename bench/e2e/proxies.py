"""The four proxies of a comparison, each with one worker and the same certificate, in front of the same node."""

import json
import os
import re
import resource
import shutil
import ssl
import subprocess
from pathlib import Path

from stage import ROOT, DevNode, Program, Ringwall, client, free_port

INSTALL = "sudo apt-get install --no-install-recommends nginx-light haproxy caddy"
CONFIGS = Path(__file__).parent / "peers"
NAMES = ("ringwall", "nginx", "haproxy", "caddy")
# What the comparison calls beside methods that are known to be safe.
CALLED = ("echo", "dev_bytes")
RATE, BURST, COUNT = 10_000_000, 1 << 40, 1_000_000_000
# As high as they go, so that none is reached: all is counted and nothing refused.
RAISED = {
    "address_units_per_s": RATE,
    "address_units_burst": BURST,
    "address_connections_max": COUNT,
    "address_new_connections_per_s": RATE,
    "address_new_connections_burst": BURST,
    "address_subscriptions_max": COUNT,
    "connection_units_per_s": RATE,
    "connection_units_burst": BURST,
    "machine_units_per_s": RATE,
    "machine_units_burst": BURST,
}
# Connections to the node that are kept for the next POST; the peers' configurations say the same.
KEPT_TO_NODE = 256
AGREED = {"TLSv1.3", "TLS_AES_128_GCM_SHA256", "http/1.1"}


def guarded(folder: Path, node: DevNode, pair, program: Path, through, shards: int = 1) -> Ringwall:
    """With the guard on: each call is read, held against the policy and counted."""
    settings = [f"limits.{name}={value}" for name, value in RAISED.items()]
    settings += [f"methods.allow={','.join(CALLED)}", f"server.shards={shards}", "tls.offload=user"]
    settings.append(f"upstream.pool_idle_max={KEPT_TO_NODE}")
    return Ringwall(
        folder,
        program,
        node,
        plain=False,
        settings=settings,
        through=through,
        guard=["--methods", "safe", "--limits", "on"],
        certificate=["--cert", pair.cert, "--key", pair.key],
    )


class Peer(Program):
    tls = True

    def __init__(self, name: str, config: str, argv: list, folder: Path, node: DevNode, pair, through, env=None):
        self.port = free_port()
        both = folder / "cert-and-key.pem"
        both.write_text(pair.cert.read_text() + pair.key.read_text())
        open_files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        words = {
            "port": self.port,
            "node_port": node.port,
            "cert": pair.cert,
            "key": pair.key,
            "cert_and_key": both,
            "kept": KEPT_TO_NODE,
            "folder": folder,
            "open_files": open_files,
            "connections": (open_files - 200) // 2,
        }
        filled = folder / config
        filled.write_text(re.sub(r"@(\w+)@", lambda word: str(words[word[1]]), (CONFIGS / config).read_text()))
        super().__init__(name, [*through, *argv, filled], folder, env)
        self.wait_for_listener(self.port)


def nginx(folder: Path, node: DevNode, pair, through) -> Peer:
    return Peer("nginx", "nginx.conf", [found("nginx"), "-c"], folder, node, pair, through)


def haproxy(folder: Path, node: DevNode, pair, through) -> Peer:
    home = {"OPENSSL_CONF": str(CONFIGS / "haproxy-openssl.cnf")}
    return Peer("haproxy", "haproxy.cfg", [found("haproxy"), "-db", "-f"], folder, node, pair, through, home)


def caddy(folder: Path, node: DevNode, pair, through) -> Peer:
    home = {"GOMAXPROCS": "1", "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    words = [found("caddy"), "run", "--adapter", "caddyfile", "--config"]
    return Peer("caddy", "Caddyfile", words, folder, node, pair, through, home)


PEERS = {"nginx": nginx, "haproxy": haproxy, "caddy": caddy}


def found(program: str) -> str | None:
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def version(name: str) -> str:
    """Of the program, and of the distribution's package where it is of one."""
    words = {"nginx": ["-v"], "haproxy": ["-v"], "caddy": ["version"]}[name]
    done = subprocess.run([found(name), *words], capture_output=True, text=True, timeout=20)
    number = re.search(r"\d+\.\d+\.\d+[\w.+~-]*", done.stdout + done.stderr)
    return number[0] if number else "unknown"


def check(name: str, server) -> None:
    """That it does what is measured: this TLS, cipher and ALPN, a ticket taken back, a call by WebSocket and POST."""
    context = client.tls_context()
    question = client.call("echo", ["there"])
    with client.websocket(server.port, context=context) as stream:
        agreed = {stream.sock.version(), stream.sock.cipher()[0], stream.sock.selected_alpn_protocol()}
        assert agreed == AGREED, f"{name} agrees on {agreed}"
        stream.send_frame(1, question)
        answer = json.loads(stream.read_message()[1])
        assert answer["result"] == ["there"], f"{name}: {answer}"
        ticket = stream.sock.session
    with client.connect(server.port, context=context, session=ticket) as stream:
        for _ in range(2):
            stream.send(client.post(question))
            reply = stream.read_reply()
            assert reply.status == 200 and json.loads(reply.body)["result"] == ["there"], f"{name}: {reply}"
        assert stream.sock.session_reused, f"{name} does not resume"
    with client.connect(server.port, context=client.tls_context(version=ssl.TLSVersion.TLSv1_2)) as stream:
        assert stream.sock.cipher()[0] == "ECDHE-ECDSA-AES128-GCM-SHA256", f"{name} agrees on {stream.sock.cipher()}"
