"""tools/run, with the programs under test in place of those that it would build: what it announces."""

import shutil
import socket

import pytest

from harness import client
from harness.ports import free_port
from harness.process import Process
from harness.programs import ROOT, program


@pytest.fixture
def run(cast, state_folder):
    """run(arguments…) starts a copy of it, in a folder where there is nothing to install and nothing to build."""
    root = cast.folder / "root"
    programs = root / "build" / "release"
    (root / "tools").mkdir(parents=True)
    programs.mkdir(parents=True)
    shutil.copy(ROOT / "tools" / "run", root / "tools")
    for name in ("bootstrap", "build"):
        (root / "tools" / name).symlink_to("/bin/true")
    for name in ("ringwall", "ringwall-devnode"):
        (programs / name).symlink_to(program(name))
    state = ("--set", f"server.state_dir={state_folder}")
    return lambda *arguments: cast.add(Process("run", [root / "tools/run", *arguments, *state], cast.folder / "logs"))


@pytest.fixture
def node(fake_node):
    """Takes WebSockets, and reads them to their end."""

    def listen(connection):
        connection.accept_upgrade()
        connection.read_to_end()

    return fake_node(listen)


def test_it_tells_the_address_once_ringwall_serves(run, node):
    port = free_port()
    script = run("--listen", f"127.0.0.1:{port}", "--node", node.address)
    script.wait_for_log("Ctrl-C stops it", 15)
    lines = script.log.splitlines()
    address = lines.index(f"Address:           wss://localhost:{port}")
    assert any("is serving" in line for line in lines[:address])
    assert f"?rpc=wss%3A%2F%2Flocalhost%3A{port}" in lines[address + 1]
    assert f"https://localhost:{port} and accept" in script.log
    client.websocket(port).close()


def test_it_announces_nothing_where_somebody_else_listens(run):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        script = run("--listen", f"127.0.0.1:{port}", "--node", "127.0.0.1:1")
        assert script.wait(15) == 1
    assert str(port) in script.log  # Ringwall's complaint.
    assert "Address:" not in script.log and "is serving" not in script.log
