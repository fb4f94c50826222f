"""Nodes that misbehave: within a second the client gets the right status or close, everything is freed, others go on."""

import socket
import threading
import time

import pytest

from harness import client, frames
from harness.client import call, exchange, post, request, upgrade_request
from harness.frames import BINARY, CLOSE, CONTINUATION, TEXT, header, node_frame
from harness.ports import free_port
from harness.until import Stopwatch, until

NODE_LOST = (1011, 1012, 1014)  # Internal error, service restart, bad gateway (the last as registered with IANA).


def asked_within(server, data, seconds=1.5):
    with Stopwatch() as watch:
        reply = exchange(server.port, data)
    assert watch.seconds < seconds, f"{reply.status} came after {watch.seconds} s"
    return reply


def freed(server, before: int):
    until(lambda: server.fd_count() <= before, 3, f"back to {before} descriptors from {server.fd_count()}")


BOTH = pytest.mark.parametrize(
    "data", [post(call("a")), upgrade_request(), request("GET", "/health")], ids=["POST", "WebSocket", "health"]
)


@BOTH
def test_a_node_that_refuses_is_502(cast, data):
    server = cast.ringwall(None)
    before = server.fd_count()
    reply = asked_within(server, data)
    assert reply.status == 502
    assert reply.text.strip()
    freed(server, before)
    assert "127.0.0.1:1" in server.log, "the log names the node that cannot be reached"


@BOTH
def test_a_node_that_never_answers_is_504(cast, fake_node, data):
    node = fake_node(lambda connection: connection.read_request() and time.sleep(15))
    server = cast.ringwall(node, settings={"timeouts.response_ms": 700})
    before = server.fd_count()
    with Stopwatch() as watch:
        reply = exchange(server.port, data)
    assert reply.status == 504
    assert 0.4 < watch.seconds < 2
    freed(server, before)


@BOTH
def test_a_node_that_does_not_accept_is_504(cast, fake_node, data):
    """Its backlog is full: our SYN is dropped, and nothing comes back at all."""
    port, listener = free_port(), socket.socket()
    listener.bind(("127.0.0.1", port))
    listener.listen(0)
    fillers = []
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.1", port))
        fillers.append(filler)
    time.sleep(0.2)
    server = cast.ringwall(f"127.0.0.1:{port}", settings={"timeouts.connect_ms": 700})
    with Stopwatch() as watch:
        reply = exchange(server.port, data)
    assert reply.status in (502, 504)
    assert 0.4 < watch.seconds < 2.5
    for one in (*fillers, listener):
        one.close()


def node_says(text: bytes, then=lambda connection: None):
    def script(connection):
        connection.read_request()
        connection.send(text)
        then(connection)

    return script


GARBAGE = {
    "nothing": b"",
    "a banner": b"SSH-2.0-OpenSSH_9.2\r\n",
    "binary": bytes(range(256)),
    "an HTML page without a head": b"<html>hello</html>",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "a head without an end": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000,
    "a status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "a status of letters": b"HTTP/1.1 OK\r\n\r\n",
    "another protocol": b"ICY 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/2": b"HTTP/2 200\r\nContent-Length: 0\r\n\r\n",
    "both lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "a folded line": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "101 to a POST": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_from_the_node_is_502(cast, fake_node, name):
    server = cast.ringwall(fake_node(node_says(GARBAGE[name])))
    before = server.fd_count()
    assert asked_within(server, post(call("a"))).status == 502
    freed(server, before)


def accept_with(fields):
    def script(connection):
        asked = connection.read_request()
        accept = client.accept_of(asked.get("sec-websocket-key"))
        connection.reply(101, fields=[(name, value.replace("ACCEPT", accept)) for name, value in fields])
        connection.send_frame(TEXT, b"you must not see this")
        time.sleep(1)

    return script


GOOD = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", "ACCEPT")]
NO_101 = {
    "a wrong accept": accept_with([*GOOD[:2], ("Sec-WebSocket-Accept", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")]),
    "no accept": accept_with(GOOD[:2]),
    "two accepts": accept_with([*GOOD, GOOD[2]]),
    "no Upgrade": accept_with(GOOD[1:]),
    "another Upgrade": accept_with([("Upgrade", "h2c"), *GOOD[1:]]),
    "no Connection": accept_with([GOOD[0], GOOD[2]]),
    "an extension": accept_with([*GOOD, ("Sec-WebSocket-Extensions", "permessage-deflate")]),
    "a subprotocol that nobody offered": accept_with([*GOOD, ("Sec-WebSocket-Protocol", "mine")]),
    "200 with text, as the node does": node_says(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsorry"),
    "404": node_says(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
    "a redirect": node_says(b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"),
    "a close": lambda connection: connection.read_request(),
    "a reset": lambda connection: connection.read_request() and connection.reset(),
    "a reset at once": lambda connection: connection.reset(),
    "half a 101": node_says(b"HTTP/1.1 101 Switching Protocols\r\nUpgra"),
}


@pytest.mark.parametrize("name", NO_101)
def test_without_a_verified_101_there_is_no_tunnel(cast, fake_node, name):
    node = fake_node(NO_101[name])
    server = cast.ringwall(node)
    before = server.fd_count()
    reply = asked_within(server, upgrade_request())
    assert reply.status == 502
    assert b"must not see" not in reply.body
    freed(server, before)


DEATHS = {
    "close": lambda connection: None,
    "reset": lambda connection: connection.reset(),
}


@pytest.mark.parametrize("how", DEATHS)
def test_a_node_that_dies_between_messages_is_told_by_a_close_code(cast, fake_node, how):
    def node(connection):
        connection.accept_upgrade()
        connection.send_frame(TEXT, b"whole")
        time.sleep(0.3)
        DEATHS[how](connection)

    server = cast.ringwall(fake_node(node))
    before = server.fd_count()
    with client.websocket(server.port) as stream:
        assert stream.read_message() == (TEXT, b"whole")
        with Stopwatch() as watch:
            frame = stream.read_frame()
        assert frame.opcode == CLOSE and frame.close_code in NODE_LOST, frame
        assert watch.seconds < 1.5
        stream.send_frame(CLOSE, frame.payload)
        stream.wait_for_end(2)
    freed(server, before)


@pytest.mark.parametrize("how", DEATHS)
@pytest.mark.parametrize("size, sent", [(1000, 400), (1 << 20, 1 << 19), (70000, 0)])
def test_a_node_that_dies_mid_frame_leaves_no_pretence(cast, fake_node, how, size, sent):
    """What was relayed is a prefix, and then neither a Close nor a close_notify says that all is well."""

    def node(connection):
        connection.accept_upgrade()
        connection.send(header(BINARY, size, masked=False) + b"x" * sent)
        time.sleep(0.3)
        DEATHS[how](connection)

    server = cast.ringwall(fake_node(node))
    before = server.fd_count()
    with client.websocket(server.port) as stream:
        start = header(BINARY, size, masked=False)
        assert stream.read_exactly(len(start)) == start
        assert stream.read_exactly(sent) == b"x" * sent
        with Stopwatch() as watch:
            rest = stream.read_to_end()
        assert rest == b"", "not a byte after the cut"
        assert stream.ended_by in ("reset", "truncated")
        assert watch.seconds < 1.5
    freed(server, before)


def test_a_node_that_dies_between_two_fragments_ends_with_a_close_code(cast, fake_node):
    # A control frame may stand between fragments, so a Close may; what it says is that the message will not end.
    def node(connection):
        connection.accept_upgrade()
        connection.send_frame(TEXT, b"one ", fin=False)

    server = cast.ringwall(fake_node(node))
    with client.websocket(server.port) as stream:
        assert stream.read_frame().payload == b"one "
        frame = stream.read_frame()
        assert frame.opcode == CLOSE and frame.close_code in NODE_LOST


NODE_VIOLATIONS = {
    "a masked frame": frames.client_frame(TEXT, b"hello"),
    "a reserved bit": node_frame(TEXT, b"hello", rsv=4),
    "a reserved opcode": node_frame(3, b"hello"),
    "a long ping": node_frame(frames.PING, bytes(126)),
    "a ping in fragments": node_frame(frames.PING, b"a", fin=False),
    "a continuation of nothing": node_frame(CONTINUATION, b"hello"),
    "a text within a text": node_frame(TEXT, b"a", fin=False) + node_frame(TEXT, b"b"),
    "a close of one byte": node_frame(CLOSE, b"\x03"),
    "a length with its highest bit set": header(BINARY, 1 << 63, masked=False),
}


@pytest.mark.parametrize("name", NODE_VIOLATIONS)
def test_a_node_that_breaks_the_rules_is_cut_off(cast, fake_node, name):
    told = []

    def node(connection):
        connection.accept_upgrade()
        connection.send(NODE_VIOLATIONS[name])
        told.append(connection.read_frame())

    server = cast.ringwall(fake_node(node))
    with client.websocket(server.port) as stream:
        frame = stream.read_frame()
        while frame.opcode != CLOSE:
            assert frame.payload == b"a"  # The good beginning of a bad message may have gone before.
            frame = stream.read_frame()
        assert frame.close_code in (*NODE_LOST, 1002)
        assert b"hello" not in frame.payload
    until(lambda: told, 2, "the node is told")
    assert told[0].opcode == CLOSE and told[0].close_code == 1002


@pytest.mark.parametrize("how", DEATHS)
def test_an_answer_cut_short_is_not_passed_as_whole(cast, fake_node, how):
    def node(connection):
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 400)
        time.sleep(0.3)
        DEATHS[how](connection)

    server = cast.ringwall(fake_node(node))
    with client.connect(server.port) as stream, Stopwatch() as watch:
        stream.send(post(call("a")))
        data = stream.read_to_end()
        assert data.count(b"x") <= 400
        assert stream.ended_by in ("reset", "truncated")
        assert watch.seconds < 2


def test_chunks_cut_short_are_not_passed_as_whole(cast, fake_node):
    server = cast.ringwall(fake_node(node_says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")))
    with client.connect(server.port) as stream:
        stream.send(post(call("a")))
        assert b"\r\n0\r\n" not in stream.read_to_end()
        assert stream.ended_by in ("reset", "truncated")


def test_a_broken_chunk_is_not_passed_as_whole(cast, fake_node):
    server = cast.ringwall(
        fake_node(node_says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n"))
    )
    with client.connect(server.port) as stream:
        stream.send(post(call("a")))
        assert b"\r\n0\r\n" not in stream.read_to_end()
        assert stream.ended_by in ("reset", "truncated")


def test_a_head_that_the_node_dribbles_is_bounded_in_time(cast, fake_node):
    def node(connection):
        connection.read_request()
        connection.send_slowly(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 2000, pause_s=0.02)

    server = cast.ringwall(fake_node(node), settings={"timeouts.response_ms": 1000})
    with Stopwatch() as watch:
        assert exchange(server.port, post(call("a"))).status == 504
    assert watch.seconds < 4


def test_a_node_that_answers_before_the_body_is_there_is_heard(cast, fake_node):
    """A 413 of the node need not wait for the rest of the body."""

    def node(connection):
        connection.read_until(b"\r\n\r\n")
        connection.send(b"HTTP/1.1 413 Payload Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!")
        connection.half_close()
        time.sleep(1)

    server = cast.ringwall(fake_node(node))
    reply = exchange(server.port, post(call("a", ["x" * (12 << 20)])))
    assert (reply.status, reply.body) == (413, b"no!")


def test_a_node_that_half_closes_after_its_answer_is_fine(cast, fake_node):
    def node(connection):
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        connection.half_close()
        time.sleep(1)

    server = cast.ringwall(fake_node(node))
    for _ in range(2):
        assert asked_within(server, post(call("a"))).body == b"hello"


def test_a_slow_node_is_only_slow(cast, fake_node):
    """A byte at a time, the whole handshake and a message."""

    def node(connection):
        asked = connection.read_request()
        accept = client.accept_of(asked.get("sec-websocket-key"))
        text = f"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        connection.send_slowly(text + node_frame(TEXT, b"slowly" * 30), pause_s=0.002)
        connection.read_frame()

    server = cast.ringwall(fake_node(node))
    with client.websocket(server.port) as stream:
        assert stream.read_message() == (TEXT, b"slowly" * 30)


def test_interim_answers_of_the_node_are_no_answer(cast, fake_node):
    node = fake_node(
        node_says(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
        )
    )
    reply = exchange(cast.ringwall(node).port, post(call("a")))
    assert (reply.status, reply.body) == (200, b"{}")


def test_others_go_on_while_nodes_die(cast, fake_node):
    """One good talker beside a hundred sessions whose node dies in every way."""
    deaths = [*DEATHS.values(), lambda connection: connection.send(header(BINARY, 5000, masked=False) + b"x")]

    def node(connection):
        asked = connection.accept_upgrade()
        if asked.target == "/good":
            connection.echo()
        else:
            deaths[connection.number % len(deaths)](connection)

    server = cast.ringwall(fake_node(node))
    with client.websocket(server.port, path="/good") as good:
        before = server.fd_count()

        def suffer():
            for _ in range(25):
                with client.connect(server.port) as stream:
                    stream.send(upgrade_request())
                    stream.wait_for_end(5)

        threads = [threading.Thread(target=suffer) for _ in range(4)]
        for thread in threads:
            thread.start()
        number = 0
        while any(thread.is_alive() for thread in threads):
            number += 1
            text = client.message(str(number))
            with Stopwatch() as watch:
                good.send_frame(TEXT, text)
                assert good.read_message(lambda frame: None) == (TEXT, text)
            assert watch.seconds < 1
        for thread in threads:
            thread.join()
        freed(server, before)
