"""A node that goes: whoever waits for it is told within a second, and nobody else hears of it."""

import ctypes
import json
import signal
import socket
import struct
import threading
import time

import pytest

from harness import client
from harness.bench import Load, kinds
from harness.client import call, post, upgrade_request
from harness.frames import CLOSE, TEXT
from harness.http_reply import read_reply
from harness.until import PATIENCE

CLIENTS = 30
CONFIG = """
[[listener]]
address = "127.0.0.1:{port}"
kind = "plain"
upstream = "one"
[[listener]]
address = "127.0.0.1:{port2}"
kind = "plain"
upstream = "other"
[[upstream]]
name = "one"
address = "%s"
[[upstream]]
name = "other"
address = "%s"
"""


def disconnect(sock):
    """connect(2) to AF_UNSPEC: a reset, also while another thread reads."""
    nowhere = struct.pack("H14x", socket.AF_UNSPEC)
    assert ctypes.CDLL(None, use_errno=True).connect(sock.fileno(), nowhere, len(nowhere)) == 0


class Silent:
    """A node that opens WebSockets and answers nothing until it is let go on."""

    def __init__(self, fake_node):
        self.may_answer = threading.Event()
        self.is_gone = False
        self.node = fake_node(self.script)

    def script(self, connection):
        request = connection.read_request()
        if request.target == "/never":
            return connection.read_to_end()
        if request.get("upgrade"):
            connection.upgrade(request)
            connection.read_frame()
            self.may_answer.wait(30)
            if self.is_gone:
                return
            connection.send_frame(TEXT, b"answered")
        connection.read_to_end()

    def goes(self, how):
        self.node.refuse()
        for connection in list(self.node.connections):
            if how == "reset":
                disconnect(connection.sock)
        self.node.drop_connections()
        self.is_gone = True
        self.may_answer.set()


def told_within_a_second(streams, read, begin):
    """What each reads, all within a second of `begin`."""
    seen = [None] * len(streams)
    times = [None] * len(streams)

    def wait(index, stream):
        seen[index] = read(stream)
        times[index] = time.monotonic() - begin

    threads = [threading.Thread(target=wait, args=pair) for pair in enumerate(streams)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert all(time is not None and time < PATIENCE for time in times), times
    return seen


@pytest.mark.parametrize("how", ["closed", "reset"])
def test_calls_in_flight_are_told_and_the_other_nodes_clients_hear_nothing(cast, fake_node, how):
    one, other = Silent(fake_node), Silent(fake_node)
    server = cast.ringwall(tls=False, ports=2, config=CONFIG % (one.node.address, other.node.address))
    open_to = [[client.websocket(port, tls=False) for _ in range(CLIENTS)] for port in server.ports]
    for stream in [*open_to[0], *open_to[1]]:
        stream.send_frame(TEXT, call("state_call"))
    posts = [client.connect(server.port, tls=False) for _ in range(CLIENTS)]
    for stream in posts:
        stream.send(post(call("state_call")))
    upgrades = [client.connect(server.port, tls=False) for _ in range(5)]
    for stream in upgrades:
        stream.send(upgrade_request("/never"))
    one.node.wait_for_connections(2 * CLIENTS + 5)
    time.sleep(0.5)
    begin = time.monotonic()
    one.goes(how)
    everybody = [*open_to[0], *posts, *upgrades]
    reads = {id(stream): read_reply for stream in [*posts, *upgrades]}
    seen = told_within_a_second(
        everybody, lambda stream: reads[id(stream)](stream) if id(stream) in reads else stream.read_frame(), begin
    )
    assert {(frame.opcode, frame.close_code) for frame in seen[:CLIENTS]} == {(CLOSE, 1012)}
    assert {reply.status for reply in seen[CLIENTS:]} == {502}
    assert open_to[1][0].silent_for(0.5)
    other.may_answer.set()
    for stream in open_to[1]:
        assert stream.read_message() == (TEXT, b"answered")
    for stream in [*everybody, *open_to[1]]:
        stream.close()


def read_close(stream):
    while (frame := stream.read_frame()).opcode != CLOSE:
        pass
    return frame


def subscribers(port):
    streams = [client.websocket(port, tls=False) for _ in range(CLIENTS)]
    for stream in streams:
        stream.send_frame(TEXT, call("chain_subscribeNewHeads"))
        assert b'"result"' in stream.read_message()[1]
    return streams


def read_answer(stream, id):
    """Past the notifications before it."""
    while json.loads(text := stream.read_message()[1]).get("id") != id:
        assert b"chain_newHead" in text


def hear_on(streams):
    """Each hears of a block that comes after all that it has been sent so far."""
    for stream in streams:
        stream.send_frame(TEXT, call("system_chain", id=77))
    for stream in streams:
        read_answer(stream, 77)
    for stream in streams:
        assert b"chain_newHead" in stream.read_message()[1]


def test_a_killed_nodes_clients_are_told_and_come_back_when_it_is_there_again(cast):
    node = cast.devnode()
    server = cast.ringwall(node)
    streams = [client.websocket(server.port) for _ in range(CLIENTS)]
    for stream in streams:
        stream.send_frame(TEXT, call("chain_subscribeNewHeads"))
        assert b'"result"' in stream.read_message()[1]

    begin = time.monotonic()
    node.kill()
    seen = told_within_a_second(streams, read_close, begin)
    assert {frame.close_code for frame in seen} == {1012}
    for stream in streams:
        stream.close()
    cast.devnode_again(node)
    with client.websocket(server.port) as stream:
        stream.send_frame(TEXT, call("system_chain"))
        assert b'"result"' in stream.read_message()[1]


def loads(cast, port, label, seconds):
    """ringwall-bench in three ways: calls on WebSockets, new WebSockets all the time, and new connections for a POST."""
    common = ("--warmup", "0ms", "--duration", f"{int(seconds * PATIENCE)}s")
    ways = {
        "calls": ("ws", "--connections", 20, "--depth", 4),
        "handshakes": ("ws", "--connections", 4, "--mode", "handshakes"),
        "posts": ("http", "--connections", 4, "--mode", "handshakes"),
    }
    return {
        way: cast.add(Load(cast.folder, f"{label}-{way}", f"{scheme}://localhost:{port}", *common, *arguments))
        for way, (scheme, *arguments) in ways.items()
    }


@pytest.mark.timeout(120)
def test_under_load_a_killed_nodes_clients_alone_are_told_and_come_back(cast):
    one, other = cast.devnode(block_ms=200), cast.devnode(block_ms=200)
    server = cast.ringwall(tls=False, ports=2, config=CONFIG % (one.address, other.address))
    of_one, of_other = (subscribers(port) for port in server.ports)
    loads_of_one, loads_of_other = (loads(cast, port, port, 10) for port in server.ports)
    time.sleep(2)
    begin = time.monotonic()
    one.kill()
    seen = told_within_a_second(of_one, read_close, begin)
    assert {frame.close_code for frame in seen} == {1012}
    hear_on(of_other)
    # Not by the table of all sockets, which is long under this load.
    cast.add(one.started_again()).wait_for_log("ws://")
    loads_of_all = (*loads_of_one.values(), *loads_of_other.values())
    assert all(load.running for load in loads_of_all), "the outage was not under load to its end"

    for way, load in loads_of_other.items():
        seen = load.seen()
        assert kinds(seen) == {}, (way, seen["troubles"])
        assert seen["flow"]["connections_opened"] > 0, way
    told = {"calls": {"connection_closed", "answer_lost", "upgrade"}, "handshakes": {"upgrade"}, "posts": {"http_status"}}
    for way, load in loads_of_one.items():
        seen = load.seen()
        assert set(kinds(seen)) <= told[way], (way, seen["troubles"])
        assert {text for text in seen["troubles"]["texts"] if text.startswith("connection_closed")} == (
            {"connection_closed: Close 1012 the node has gone"} if way == "calls" else set()
        )
        assert seen["seconds"][-1]["answers"] > 0, way
        if way == "calls":
            assert kinds(seen)["connection_closed"] == seen["connections_open"] == 20
    for stream in [*of_one, *of_other]:
        stream.close()
