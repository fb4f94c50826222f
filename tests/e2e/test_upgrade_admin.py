"""SIGUSR2 with an admin interface, and signals that come in between."""

import json
import os
import re
import signal
from pathlib import Path

import pytest

from harness import client, programs
from harness.admin import TIMEOUT_S, serve
from harness.ports import free_port
from harness.until import until


def test_the_admin_interface_goes_over_with_the_sockets(cast, admin, answering):
    server = serve(cast, admin, answering)
    latest = None
    for _ in range(3):
        latest = cast.add(server.upgrade(latest))
        until(lambda: admin.ask("/ready").status == 200, 10, "the new one is asked over HTTP")
        until(lambda: admin.ask("/ready", unix=True).status == 200, 10, "and over the socket")
    assert server.wait(TIMEOUT_S) == 0
    assert admin.ctl("health") == "healthy\n"
    assert "a new process starts" in admin.ctl("upgrade")
    until(lambda: server.log.count(programs.TAKEN_OVER) == 4, 10, "one more takes over")
    cast.add(programs.Successor(int(re.findall(rf"process (\d+) {programs.TAKEN_OVER}", server.log)[-1])))
    assert "descriptor_unused" not in server.log and "is closed: " not in server.log


def test_a_ban_holds_in_the_new_process_and_after_a_restart(cast, admin, answering, tmp_path):
    server = serve(cast, admin, answering, tls=False, state=tmp_path)
    assert "192.0.2.0/24" in admin.ctl("ban", "192.0.2.0/24", "--for", "1h")
    admin.ctl("ban", "127.0.0.9")
    cast.add(server.upgrade()).stop()
    assert server.wait(TIMEOUT_S) == 0
    again = serve(cast, admin, answering, tls=False, state=tmp_path)
    assert {row["address"] for row in json.loads(admin.ctl("bans"))["bans"]} == {"192.0.2.0/24", "127.0.0.9/32"}
    with pytest.raises((OSError, EOFError)):
        with client.connect(again.port, tls=False, source="127.0.0.9") as stream:
            stream.send(client.page_request())
            stream.read_reply()


def test_a_sigterm_to_the_old_process_takes_nothing_from_those_that_it_drains(cast, admin, answering):
    """systemd sends it to every process of the service."""
    server = serve(cast, admin, answering, tls=False, settings={"timeouts.drain_ms": 3000})
    streams = [client.websocket(server.port, tls=False) for _ in range(10)]
    cast.add(server.upgrade())
    server.send_signal(signal.SIGTERM)
    assert [stream.read_frame().close_code for stream in streams] == [1001] * 10
    for stream in streams:
        stream.close()


def test_two_do_not_share_a_socket(cast, admin, answering):
    serve(cast, admin, answering)
    other = programs.run_ringwall(
        "--plain", "--listen", f"127.0.0.1:{free_port()}", "--node", answering.address, "--set", f"admin.socket={admin.socket}"
    )
    assert other.returncode == 1 and "another process listens there" in other.stderr
    assert admin.ctl("health") == "healthy\n"


def test_a_drain_ends_a_new_process_that_has_not_taken_over(cast, admin, answering):
    for _ in range(3):
        server = serve(cast, admin, answering, tls=False)
        server.send_signal(signal.SIGUSR2)
        server.send_signal(signal.SIGTERM)
        assert server.wait(TIMEOUT_S) == 0
        with pytest.raises(ConnectionRefusedError):
            client.connect(server.port, tls=False)


def test_process_1_of_a_container_says_that_it_cannot_be_replaced(cast, admin, answering):
    through = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    server = cast.add(programs.Ringwall(cast.folder, answering.address, tls=False, through=through, settings=admin.settings))
    until(lambda: "is serving" in server.log, 20, "it serves")
    (inside,) = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    os.kill(int(inside), signal.SIGUSR2)
    until(lambda: "process 1 of a container" in server.log, 10, "it says so")
    assert client.exchange(server.port, client.page_request(), tls=False).status == 200
    asked = programs.run_ringwall("ctl", "--at", admin.socket, "upgrade")
    assert asked.returncode == 1 and "process 1 of a container" in asked.stderr
    os.kill(int(inside), signal.SIGTERM)
    assert server.wait(TIMEOUT_S) == 0
