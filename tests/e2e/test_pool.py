"""Connections to the node for POST: kept, reused, retried once where that is safe, and its connection limit."""

import socket
import threading
import time

import pytest

from harness import client
from harness.client import call, exchange, post, request
from harness.fake_node import PROBE
from harness.until import Stopwatch, until


def calls(node) -> list[str]:
    return [asked.json["method"] for asked in node.requests]


def test_one_connection_serves_many_clients(cast, fake_node):
    node = fake_node(lambda connection: connection.answer_calls())
    server = cast.ringwall(node, arguments=["--shards", "1"])
    for number in range(10):
        assert exchange(server.port, post(call(f"m{number}"))).status == 200
    assert len(node.connections) == 1
    assert len(node.requests) == 10


def test_clients_at_the_same_time_get_a_connection_each(cast, fake_node):
    def node(connection):
        while True:
            asked = connection.read_request()
            time.sleep(0.5)
            connection.reply_json({"jsonrpc": "2.0", "id": asked.json["id"], "result": asked.json["method"]})

    node = fake_node(node)
    server = cast.ringwall(node, arguments=["--shards", "1"])
    streams = [client.connect(server.port) for _ in range(5)]
    with Stopwatch() as watch:
        for number, stream in enumerate(streams):
            stream.send(post(call(f"m{number}")))
        assert [stream.read_reply().json["result"] for stream in streams] == [f"m{number}" for number in range(5)]
    assert watch.seconds < 1.5
    assert len(node.connections) == 5
    for stream in streams:
        stream.close()


@pytest.mark.parametrize("how", ["Connection: close", "HTTP/1.0", "until close"])
def test_a_connection_that_the_node_does_not_keep_is_not_used_again(cast, fake_node, how):
    def node(connection):
        connection.read_request()
        if how == "Connection: close":
            connection.reply(200, b"{}", [("Connection", "close")])
        elif how == "HTTP/1.0":
            connection.send(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        else:
            connection.send(b"HTTP/1.1 200 OK\r\n\r\n{}")

    node = fake_node(node)
    server = cast.ringwall(node, arguments=["--shards", "1"])
    for _ in range(3):
        assert exchange(server.port, post(call("a"))).body == b"{}"
    assert len(node.connections) == 3


def test_an_idle_connection_is_closed_in_time(cast, fake_node):
    ends = []

    def node(connection):
        connection.answer_calls()
        ends.append(time.monotonic())

    node = fake_node(node)
    server = cast.ringwall(node, settings={"upstream.pool_idle_timeout_ms": 700})
    assert exchange(server.port, post(call("a"))).status == 200
    start = time.monotonic()
    until(lambda: ends, 3, "the idle connection is closed")
    assert 0.4 < ends[0] - start < 2


def first_then_die(how):
    """Answers one call on its first connection; at the second it dies without a byte. Later connections are good."""

    def script(connection):
        if connection.number > 0:
            connection.answer_calls("again")
            return
        asked = connection.read_request()
        connection.reply_json({"jsonrpc": "2.0", "id": asked.json["id"], "result": "first"})
        connection.read_request()
        if how == "reset":
            connection.reset()

    return script


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_reused_connection_that_dies_without_a_byte_is_tried_again(cast, fake_node, how):
    node = fake_node(first_then_die(how))
    server = cast.ringwall(node, arguments=["--shards", "1"])
    with client.connect(server.port) as stream:
        stream.send(post(call("first")))
        assert stream.read_reply().json["result"] == "first"
        stream.send(post(call("state_getStorage")))
        reply = stream.read_reply()
    assert reply.status == 200 and reply.json["result"] == "again"
    assert calls(node) == ["first", "state_getStorage", "state_getStorage"]


SUBMISSIONS = {
    "alone": b'{"jsonrpc":"2.0","id":1,"method":"author_submitExtrinsic","params":["0x00"]}',
    "watched": b'{"jsonrpc":"2.0","id":1,"method":"author_submitAndWatchExtrinsic","params":["0x00"]}',
    "in a batch": b'[{"jsonrpc":"2.0","id":1,"method":"system_name"},{"jsonrpc":"2.0","id":2,"method":"author_submitExtrinsic","params":["0x00"]}]',
    "with an escape": b'{"jsonrpc":"2.0","id":1,"method":"author_submit\\u0045xtrinsic","params":["0x00"]}',
    "with every letter escaped": b'{"jsonrpc":"2.0","id":1,"method":"'
    + b"".join(b"\\u%04x" % c for c in b"author_submitExtrinsic")
    + b'","params":["0x00"]}',
}


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("name", SUBMISSIONS)
def test_a_submission_is_never_sent_again(cast, fake_node, name, how):
    node = fake_node(first_then_die(how))
    server = cast.ringwall(node, arguments=["--shards", "1"])
    with client.connect(server.port) as stream:
        stream.send(post(call("first")))
        assert stream.read_reply().json["result"] == "first"
        stream.send(post(SUBMISSIONS[name]))
        assert stream.read_reply().status == 502
    bodies = [asked.body for asked in node.requests]
    assert bodies.count(SUBMISSIONS[name]) == 1


def test_it_is_tried_again_once_and_on_a_new_connection(cast, fake_node):
    """Two used connections, both about to die: the second try must not meet the other one."""

    def node(connection):
        asked = connection.read_request()
        time.sleep(0.4)
        connection.reply_json({"jsonrpc": "2.0", "id": asked.json["id"], "result": connection.number})
        connection.read_request()  # And dies, without a byte.

    node = fake_node(node)
    server = cast.ringwall(node, arguments=["--shards", "1"])
    streams = [client.connect(server.port) for _ in range(2)]
    for stream in streams:
        stream.send(post(call("first")))
    for stream in streams:
        stream.read_reply()
    streams[0].send(post(call("again")))
    reply = streams[0].read_reply()
    assert reply.status == 200 and reply.json["result"] == 2
    for stream in streams:
        stream.close()


def test_a_new_connection_that_dies_is_not_tried_again(cast, fake_node):
    node = fake_node(lambda connection: connection.read_request())
    server = cast.ringwall(node)
    assert exchange(server.port, post(call("state_getStorage"))).status == 502
    assert calls(node) == ["state_getStorage"]


def test_an_answer_that_began_is_not_tried_again(cast, fake_node):
    def node(connection):
        asked = connection.read_request()
        connection.reply_json({"jsonrpc": "2.0", "id": asked.json["id"], "result": "first"})
        connection.read_request()
        connection.send(b"HTTP/1.1 200")

    node = fake_node(node)
    server = cast.ringwall(node, arguments=["--shards", "1"])
    with client.connect(server.port) as stream:
        stream.send(post(call("first")))
        stream.read_reply()
        stream.send(post(call("second")))
        assert stream.read_reply().status == 502
    assert calls(node) == ["first", "second"]


def test_trying_again_has_the_time_to_connect_and_not_what_was_left_for_the_answer(cast):
    """The kept connection dies late, and the new one is never accepted."""
    fillers = []
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()

        def node():
            while True:
                connection, _ = listener.accept()
                asked = connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                if PROBE not in asked:
                    break
                connection.close()
            with connection:
                connection.recv(65536)
                for _ in range(4):  # From now on the kernel drops who wants to connect.
                    fillers.append(socket.socket())
                    fillers[-1].setblocking(False)
                    fillers[-1].connect_ex(address)
                time.sleep(0.6)

        thread = threading.Thread(target=node)
        thread.start()
        times = {"timeouts.response_ms": 1000, "timeouts.connect_ms": 1500}
        server = cast.ringwall("%s:%d" % address, arguments=["--shards", "1"], settings=times)
        assert exchange(server.port, post(call("a"))).status == 200
        assert exchange(server.port, post(call("b"))).status == 504
        thread.join(5)
    for filler in fillers:
        filler.close()


def test_a_connection_with_an_unread_request_is_not_used_again(cast, fake_node):
    """The node refuses by the head alone and keeps the connection, of which it will read no more for long."""

    def node(connection):
        connection.read_until(b"\r\n\r\n")
        if connection.number == 0:
            connection.reply(413)
            time.sleep(5)
        connection.reply(200, b"{}")

    node = fake_node(node, receive_buffer=16384)
    server = cast.ringwall(node, arguments=["--shards", "1"], settings={"timeouts.response_ms": 2000})
    assert exchange(server.port, post(call("a", ["x" * 15_000_000]))).status == 413
    with Stopwatch() as watch:
        assert exchange(server.port, request("GET", "/health")).status == 200
    assert watch.seconds < 2


def test_a_node_that_restarts_between_two_posts_is_not_noticed(cast, fake_node):
    node = fake_node(lambda connection: connection.answer_calls("one"))
    server = cast.ringwall(node, arguments=["--shards", "1"])
    with client.connect(server.port) as stream:
        stream.send(post(call("a")))
        assert stream.read_reply().json["result"] == "one"
        node.drop_connections()
        time.sleep(0.3)
        stream.send(post(call("b")))
        assert stream.read_reply().json["result"] == "one"


def test_bytes_that_nobody_asked_for_spoil_an_idle_connection(cast, fake_node):
    """An answer that came too late, or for another, must never reach the next client."""

    def node(connection):
        asked = connection.read_request()
        connection.reply_json({"jsonrpc": "2.0", "id": asked.json["id"], "result": connection.number})
        if connection.number == 0:
            connection.reply_json({"jsonrpc": "2.0", "id": 1, "result": "of somebody else"})
        connection.answer_calls(connection.number)

    node = fake_node(node)
    server = cast.ringwall(node, arguments=["--shards", "1"])
    assert exchange(server.port, post(call("a"))).json["result"] == 0
    time.sleep(0.2)
    assert exchange(server.port, post(call("b"))).json["result"] == 1


@pytest.fixture
def full_node(fake_node):
    """At its connection limit: 429 to everyone, as jsonrpsee says it."""

    def script(connection):
        connection.read_request()
        connection.reply(
            429, b"Too many connections. Please try again later.", [("Connection", "close")], "Too Many Requests"
        )

    return fake_node(script)


@pytest.mark.parametrize(
    "data", [post(call("a")), client.upgrade_request(), request("GET", "/health")], ids=["POST", "WebSocket", "health"]
)
def test_the_nodes_429_becomes_503_with_retry_after_and_the_log_says_what_to_do(cast, full_node, data):
    server = cast.ringwall(full_node)
    reply = exchange(server.port, data)
    assert reply.status == 503
    assert int(reply.get("retry-after")) > 0
    assert "429" not in reply.text
    server.wait_for_log("--rpc-max-connections")


def test_a_share_of_the_nodes_connections_can_be_kept_for_post_and_health(cast, fake_node):
    def node(connection):
        asked = connection.read_request()
        if asked.method == "GET" and asked.get("upgrade"):
            connection.upgrade(asked)
            connection.echo()
        else:
            connection.reply(200, b"{}")
            connection.answer_calls()

    node = fake_node(node)
    server = cast.ringwall(node, settings={"upstream.connections_max": 2})
    first, second = client.websocket(server.port), client.websocket(server.port)
    reply = exchange(server.port, client.upgrade_request())
    assert reply.status == 503 and int(reply.get("retry-after")) > 0
    assert exchange(server.port, post(call("a"))).status == 200
    assert exchange(server.port, request("GET", "/health")).status == 200
    first.close()

    def place_is_free():
        with client.connect(server.port) as stream:
            stream.send(client.upgrade_request())
            return stream.read_reply().status == 101

    until(place_is_free, 3, "the place of the one who left is free")
    second.close()
