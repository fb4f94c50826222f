"""What systemd is told and what it gives: readiness, the end, the watchdog, sockets, and the store of descriptors."""

import ctypes
import os
import signal
import socket
import threading

import pytest

from harness import client
from harness.client import page_request
from harness.ports import free_port
from harness.systemd import NotifySocket, activation
from harness.until import until

PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT, WALL = 17, 0x4206, 0x4207, 0x40000000


@pytest.fixture
def systemd(cast, tmp_path):
    return cast.add(NotifySocket(tmp_path))


def test_it_says_when_it_serves_and_when_it_stops(cast, node, systemd):
    server = cast.ringwall(node, env=systemd.environment, settings={"timeouts.stop_ms": 3000})
    assert systemd.wait_for("READY")["READY"] == "1"
    assert systemd.count("STOPPING") == 0
    assert server.stop() == 0
    told = systemd.wait_for("STOPPING")
    assert told["STATUS"] == "draining"
    assert int(told["EXTEND_TIMEOUT_USEC"]) >= 3_000_000


def test_it_says_when_it_reloads_and_when_it_has(cast, node, systemd):
    server = cast.ringwall(node, env=systemd.environment)
    systemd.wait_for("READY")
    server.send_signal(signal.SIGHUP)
    # systemd knows by the time which of several reloads has been begun (sd_notify(3)).
    assert int(systemd.wait_for("RELOADING")["MONOTONIC_USEC"]) > 0
    until(lambda: systemd.count("READY") == 2, 5, "it has reloaded")
    assert "RELOADING" in systemd.messages[-2] and "READY" in systemd.messages[-1]


def test_it_says_nothing_of_being_ready_where_it_cannot_start(cast, systemd):
    with socket.create_server(("127.0.0.1", 0)) as other:
        with pytest.raises(AssertionError):
            cast.ringwall(None, env=systemd.environment, port=other.getsockname()[1])
        cast.members[-1].end_seen = True
        assert cast.members.pop().wait(5) == 1
    assert systemd.messages == []


class Frozen:
    """All threads but the main one, held still by ptrace(2). Entered and left in one thread, as that demands."""

    def __init__(self, pid):
        self._threads = [int(name) for name in os.listdir(f"/proc/{pid}/task") if int(name) != pid]
        self._ptrace = ctypes.CDLL(None, use_errno=True).ptrace
        self._ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]

    def __enter__(self):
        for thread in self._threads:
            if self._ptrace(PTRACE_SEIZE, thread, None, None) != 0:
                pytest.skip(f"this system forbids ptrace(2): {os.strerror(ctypes.get_errno())}")
            assert self._ptrace(PTRACE_INTERRUPT, thread, None, None) == 0
            os.waitpid(thread, WALL)

    def __exit__(self, *_):
        for thread in self._threads:
            self._ptrace(PTRACE_DETACH, thread, None, None)


def test_the_watchdog_hears_of_it_while_every_shard_answers(cast, node, systemd):
    server = cast.ringwall(node, env={**systemd.environment, "WATCHDOG_USEC": "400000"})
    systemd.wait_for("WATCHDOG")

    def heard_within(seconds):
        before = systemd.count("WATCHDOG")
        end = threading.Event()
        end.wait(seconds)
        return systemd.count("WATCHDOG") - before

    assert heard_within(1) >= 2
    with Frozen(server.pid):
        heard_within(0.5)  # What was answered before.
        assert heard_within(1) == 0
    assert heard_within(1) >= 2
    assert server.stop() == 0


def test_without_a_watchdog_nothing_is_told_of_it(cast, node, systemd):
    cast.ringwall(node, env={**systemd.environment, "WATCHDOG_USEC": "400000", "WATCHDOG_PID": "1"})
    systemd.wait_for("READY")
    threading.Event().wait(1)
    assert systemd.count("WATCHDOG") == 0


def listen(port, *, blocking=False):
    """As systemd does it: no SO_REUSEPORT, and not blocking."""
    sock = socket.create_server(("127.0.0.1", port), backlog=100)
    sock.setblocking(blocking)
    return sock


def test_a_socket_that_systemd_has_opened_is_used_and_its_queue_is_served(cast, node):
    port = free_port()
    with listen(port) as sock:
        early = [client.connect(port, tls=False) for _ in range(10)]
        for stream in early:
            stream.send(page_request())
        with activation([sock]) as given:
            cast.ringwall(node, tls=False, port=port, settings={"server.shards": 3}, **given)
    for stream in early:
        assert stream.read_reply().status == 200
        stream.close()
    for _ in range(20):
        assert client.exchange(port, page_request(), tls=False).status == 200


def test_a_socket_that_no_listener_wants_is_closed_and_told(cast, node):
    port, unwanted = free_port(), free_port()
    with listen(port) as sock, listen(unwanted) as other:
        with activation([sock, other]) as given:
            server = cast.ringwall(node, tls=False, port=port, **given)
    assert f"127.0.0.1:{unwanted}" in server.wait_for_log("no [[listener]] has a use for")
    with pytest.raises(OSError):
        client.connect(unwanted, tls=False, timeout=1)
    assert client.exchange(port, page_request(), tls=False).status == 200


@pytest.mark.parametrize("before, after", [(2, 2), (3, 1), (1, 3)])
def test_over_a_restart_clients_wait_in_the_queues_of_what_systemd_keeps(cast, node, systemd, before, after):
    server = cast.ringwall(node, tls=False, env=systemd.environment, settings={"server.shards": before})
    systemd.wait_for("FDNAME")
    client.exchange(server.port, page_request(), tls=False)
    assert server.stop() == 0
    assert [name for name, _ in systemd.stored] == [f"127.0.0.1_{server.port}"] * before
    waiting = [client.connect(server.port, tls=False) for _ in range(30)]
    for stream in waiting:
        stream.send(page_request())
    sockets = [sock for _, sock in systemd.stored]
    with activation(sockets) as given:
        cast.ringwall(node, tls=False, port=server.port, settings={"server.shards": after}, **given)
    for stream in waiting:
        assert stream.read_reply().status == 200
        stream.close()


def test_over_an_upgrade_the_new_process_becomes_the_main_one(cast, node, systemd):
    server = cast.ringwall(node, env={**systemd.environment, "WATCHDOG_USEC": "400000"})
    systemd.wait_for("READY")
    successor = cast.add(server.upgrade())
    assert systemd.wait_for("MAINPID")["MAINPID"] == str(successor.pid)
    assert server.wait(10) == 0
    until(lambda: systemd.count("READY") == 2, 5, "the new one is ready too")
    main = next(index for index, message in enumerate(systemd.messages) if "MAINPID" in message)
    # Only the main process is believed, so the new one speaks after that; and the service does not stop.
    assert [index > main for index, message in enumerate(systemd.messages) if "READY" in message] == [False, True]
    assert systemd.count("STOPPING") == 0
    before = systemd.count("WATCHDOG")
    threading.Event().wait(1)
    assert systemd.count("WATCHDOG") >= before + 2
    successor.send_signal(signal.SIGTERM)
    systemd.wait_for("STOPPING")
    assert successor.wait(10) == 0
