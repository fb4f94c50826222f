"""tools/run, on the programs under test instead of building them: what it announces, and that it leaves nothing."""

import os
import shutil
import signal
import socket
import time
from pathlib import Path

import pytest

from harness import client
from harness.client import call, post
from harness.frames import CLOSE
from harness.ports import free_port
from harness.process import Process
from harness.programs import ROOT, program
from harness.until import Stopwatch, until


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
    # Whoever runs these tests may ignore signals (nohup does), which a script inherits and cannot change.
    script = ["env", "--default-signal=HUP,INT", root / "tools/run"]
    return lambda *arguments: cast.add(Process("run", [*script, *arguments, *state], cast.folder / "logs"))


@pytest.fixture
def node(fake_node):
    """Takes WebSockets, and reads them to their end. Whoever asks how it is, is told that it speaks nothing else."""

    def listen(connection):
        request = connection.read_request()
        if request.get("upgrade") is None:
            return connection.send(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
        connection.upgrade(request)
        connection.read_to_end()

    return fake_node(listen)


@pytest.fixture
def ringwall_of():
    """ringwall_of(script) is the pid of the ringwall that it has started. None of them outlives the test."""
    pids = []

    def find(script):
        for pid in Path(f"/proc/{script.pid}/task/{script.pid}/children").read_text().split():
            if Path(f"/proc/{pid}/comm").read_text().strip() == "ringwall":
                pids.append(int(pid))
                return pids[-1]

    yield lambda script: until(lambda: find(script), 5, "the script has started ringwall")
    for pid in pids:
        if not is_gone(pid):
            os.kill(pid, signal.SIGKILL)


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


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


@pytest.mark.parametrize("end", ["Ctrl-C", "its terminal goes", "SIGTERM", "SIGHUP", "SIGKILL"])
def test_however_it_ends_clients_are_closed_with_1001_and_nothing_is_left(run, ringwall_of, node, end):
    port = free_port()
    script = run("--listen", f"127.0.0.1:{port}", "--node", node.address, "--set", "timeouts.stop_ms=3000")
    script.wait_for_log("Ctrl-C stops it", 15)
    ringwall = ringwall_of(script)
    streams = [client.websocket(port) for _ in range(3)]
    if end in ("Ctrl-C", "its terminal goes"):  # The kernel sends these to the whole process group.
        os.killpg(script.pid, signal.SIGINT if end == "Ctrl-C" else signal.SIGHUP)
    else:
        script.send_signal(signal.Signals[end])
    for stream in streams:
        frame = stream.read_frame()
        assert (frame.opcode, frame.close_code) == (CLOSE, 1001)
        stream.send_frame(CLOSE, frame.payload)
        assert stream.wait_for_end(3) == "eof"
        stream.close()
    status = {"Ctrl-C": 130, "its terminal goes": 129, "SIGTERM": 143, "SIGHUP": 129, "SIGKILL": -signal.SIGKILL}
    assert script.wait(8) == status[end]
    until(lambda: is_gone(ringwall), 8, "ringwall has ended")


def test_a_second_ctrl_c_ends_it_at_once(run, ringwall_of, fake_node):
    port = free_port()
    node = fake_node(lambda connection: connection.read_to_end())
    script = run("--listen", f"127.0.0.1:{port}", "--node", node.address, "--set", "timeouts.stop_ms=20000")
    script.wait_for_log("Ctrl-C stops it", 15)
    ringwall = ringwall_of(script)
    with client.connect(port) as stream:
        stream.send(post(call("system_chain")))  # What is under way, and is never answered, holds it.
        node.wait_for_connections()
        os.killpg(script.pid, signal.SIGINT)
        time.sleep(2)
        assert script.running and not is_gone(ringwall)
        with Stopwatch() as watch:
            os.killpg(script.pid, signal.SIGINT)
            assert script.wait(5) == -signal.SIGINT
            until(lambda: is_gone(ringwall), 5, "ringwall has ended")
        assert watch.seconds < 2
