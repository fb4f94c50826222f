"""A slow reader pauses only its own writer, on either side, and memory stays within the bound."""

import threading
import time

import pytest

from harness import client
from harness.client import message, message_of
from harness.frames import BINARY, CLOSE, TEXT, client_frame, node_frame
from harness.until import Stopwatch, until

MIB = 1 << 20
BUDGET = {
    "server.backlog_bytes_max": "4MiB",
    "server.assembly_bytes_max": "4MiB",
    "server.assembly_bytes_per_address_max": "4MiB",
    "limits.message_bytes_max": "4MiB",
    "limits.body_bytes_max": "4MiB",
}


class Pusher:
    """A node that echoes on /echo, and on any other path sends messages of 100,000 bytes as fast as they are taken."""

    def __init__(self, total: int = 300 * MIB):
        self.total = total
        self.pushed = 0

    def __call__(self, connection):
        asked = connection.accept_upgrade()
        if asked.target == "/echo":
            connection.echo()
            return
        frame = node_frame(BINARY, bytes(100_000))
        while self.pushed < self.total:
            connection.send(frame)
            self.pushed += len(frame)
        connection.read_frame()


def settled(count) -> int:
    """What count() stops at."""
    before = -1
    while (now := count()) != before:
        before = now
        time.sleep(0.4)
    return now


def round_trip(stream, seconds):
    with Stopwatch() as watch:
        stream.send_frame(TEXT, message("quick"))
        assert stream.read_message() == (TEXT, message("quick"))
    assert watch.seconds < seconds


@pytest.mark.parametrize("tls", [True, False])
def test_a_client_that_does_not_read_pauses_the_node_and_nobody_else(cast, fake_node, tls, unsanitized):
    pusher = Pusher()
    server = cast.ringwall(fake_node(pusher), arguments=["--shards", "1"], settings=BUDGET, tls=tls)
    with client.websocket(server.port, path="/echo", tls=tls) as other:
        before = server.status_kib("VmRSS")
        with client.websocket(server.port, path="/push", tls=tls, receive_buffer=16384) as slow:
            pushed = settled(lambda: pusher.pushed)
            assert pushed < 40 * MIB, "the node was paused"
            for _ in range(20):
                round_trip(other, 0.5)
            assert server.status_kib("VmRSS") - before < 24 * 1024
            # And it goes on from where it was, complete.
            for _ in range(300):
                assert slow.read_frame().payload == bytes(100_000)
            until(lambda: pusher.pushed > pushed, 5, "the node goes on")
        assert server.status_kib("VmHWM") - before < 32 * 1024
        round_trip(other, 0.5)


def test_fifty_clients_that_do_not_read_stay_within_the_bound(cast, fake_node, unsanitized):
    """Where all that may be held for slow readers is held, one more of them may be dropped, but nobody who reads."""
    pusher = Pusher(total=1 << 40)
    server = cast.ringwall(fake_node(pusher), arguments=["--shards", "1"], settings=BUDGET)
    with client.websocket(server.port, path="/echo") as other:
        before = server.status_kib("VmRSS")
        slow = [client.connect(server.port, receive_buffer=16384) for _ in range(50)]
        for stream in slow:
            stream.send(client.upgrade_request("/push"))
        settled(lambda: pusher.pushed)
        assert server.status_kib("VmHWM") - before < 40 * 1024
        assert server.status_kib("VmHWM") < server.memory_bound_kib()
        for _ in range(10):
            round_trip(other, 1)
        with client.websocket(server.port, path="/echo") as newcomer:
            round_trip(newcomer, 1)
        for stream in slow:
            stream.close()
        round_trip(other, 1)


def test_a_node_that_does_not_read_pauses_its_client_and_nobody_else(cast, fake_node, unsanitized):
    def node(connection):
        asked = connection.accept_upgrade()
        if asked.target == "/echo":
            connection.echo()
        else:
            time.sleep(4)
            while connection.read_frame().opcode != CLOSE:
                pass

    server = cast.ringwall(fake_node(node, receive_buffer=16384), arguments=["--shards", "1"], settings=BUDGET)
    with client.websocket(server.port, path="/echo") as other, client.websocket(server.port, path="/deaf") as writer:
        before = server.status_kib("VmRSS")
        sent = 0

        def write():
            nonlocal sent
            frame = client_frame(BINARY, message_of(50_000))
            for _ in range(1500):
                writer.send(frame)
                sent += len(frame)
            writer.send_frame(CLOSE)

        thread = threading.Thread(target=write)
        thread.start()
        stopped_at = settled(lambda: sent)
        assert stopped_at < 40 * MIB, "the client was paused"
        for _ in range(20):
            round_trip(other, 0.5)
        assert server.status_kib("VmRSS") - before < 24 * 1024
        thread.join(30)
        assert not thread.is_alive() and sent > stopped_at, "all went through once the node read again"
        assert writer.read_frame().opcode == CLOSE


def test_a_reader_that_takes_no_byte_is_dropped_at_its_timeout_and_the_node_freed(cast, fake_node):
    pusher = Pusher()
    node = fake_node(pusher)
    server = cast.ringwall(node, settings={"timeouts.send_ms": 1000})
    before = server.fd_count()
    with client.websocket(server.port, path="/push", receive_buffer=16384):
        until(lambda: server.fd_count() <= before, 8, "both connections are closed")
        until(lambda: node.connections[0].sock.fileno() == -1, 3, "the node's side ended")


def test_a_reader_that_takes_a_little_all_the_time_is_kept(cast, fake_node):
    pusher = Pusher(total=8 * MIB)
    server = cast.ringwall(fake_node(pusher), settings={"timeouts.send_ms": 1000})
    with client.websocket(server.port, path="/push", receive_buffer=16384) as slow, Stopwatch() as watch:
        taken = 0
        while watch.seconds < 4:
            taken += len(slow.read_exactly(50_000))
            time.sleep(0.1)
        rest = 84 * len(node_frame(BINARY, bytes(100_000))) - taken
        slow.read_exactly(rest)
        slow.send_frame(CLOSE)


def test_many_tiny_talkers_do_not_starve_anyone(cast, fake_node):
    """Seventy clients with a small call each at once, beside a stream at full speed."""
    pusher = Pusher(total=1 << 40)
    server = cast.ringwall(fake_node(pusher), arguments=["--shards", "1"])
    with client.websocket(server.port, path="/push") as fast:
        stop = threading.Event()

        def drain():
            while not stop.is_set():
                fast.read_exactly(100_000)

        drainer = threading.Thread(target=drain)
        drainer.start()
        tiny = [client.websocket(server.port, path="/echo") for _ in range(70)]
        try:
            for round_number in range(3):
                with Stopwatch() as watch:
                    for stream in tiny:
                        stream.send_frame(TEXT, message(str(round_number)))
                    for stream in tiny:
                        assert stream.read_message() == (TEXT, message(str(round_number)))
                assert watch.seconds < 5
        finally:
            stop.set()
            drainer.join(5)
            for stream in tiny:
                stream.close()


def test_a_client_that_floods_pings_without_reading_is_bounded(cast, echo_node, unsanitized):
    server = cast.ringwall(echo_node, arguments=["--shards", "1"], settings=BUDGET)
    with client.websocket(server.port) as other, client.websocket(server.port, receive_buffer=8192) as flood:
        before = server.status_kib("VmRSS")
        flood.sock.settimeout(1)
        pings = client_frame(9, bytes(125)) * 500
        try:
            for _ in range(600):
                flood.send(pings)
        except OSError:
            pass
        assert server.status_kib("VmRSS") - before < 24 * 1024
        round_trip(other, 1)
