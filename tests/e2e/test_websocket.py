"""WebSocket's rules (RFC 6455): what a client must not send, closing, pings hop by hop."""

import time

import pytest

from harness import client
from harness.client import message
from harness.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    client_frame,
    close_payload,
    header,
    node_frame,
)
from harness.until import Stopwatch, until

CALL = message("hello")


@pytest.fixture
def node(fake_node):
    """Echoes; keeps every frame that it got in `frames`."""
    got = []

    def script(connection):
        connection.accept_upgrade()
        while True:
            frame = connection.read_frame()
            got.append(frame)
            if frame.opcode == CLOSE:
                connection.send_frame(CLOSE, frame.payload)
                return
            if frame.opcode == PING:
                connection.send_frame(PONG, frame.payload)
            elif frame.opcode in (TEXT, BINARY):
                connection.send_frame(frame.opcode, frame.payload)

    node = fake_node(script)
    node.frames = got
    return node


@pytest.fixture
def server(cast, node):
    return cast.ringwall(node)


@pytest.mark.parametrize(
    "fields",
    [
        "Connection: keep-alive, Upgrade\r\nUpgrade: websocket",  # Firefox.
        "connection: upgrade\r\nupgrade: WebSocket",
        "Connection: keep-alive\r\nConnection: Upgrade\r\nUpgrade: websocket",
        "Upgrade: websocket\r\nConnection:Upgrade",
        "Connection:   Upgrade  \r\nUpgrade:\twebsocket",
    ],
)
def test_every_way_that_browsers_ask_is_an_upgrade(server, fields):
    key = client.new_key()
    head = f"GET /?a=b HTTP/1.1\r\nHost: localhost\r\n{fields}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    with client.connect(server.port) as stream:
        stream.send(head.encode())
        reply = stream.read_reply()
        assert reply.status == 101 and reply.get("sec-websocket-accept") == client.accept_of(key)
        stream.send_frame(TEXT, CALL)
        assert stream.read_message() == (TEXT, CALL)


def test_a_connection_that_spoke_http_may_become_a_websocket(cast, fake_node):
    def script(connection):
        asked = connection.read_request()
        if asked.method == "POST":
            connection.reply(200, b"{}")
            connection.answer_calls()
            return
        connection.upgrade(asked)
        connection.echo()

    server = cast.ringwall(fake_node(script))
    with client.connect(server.port) as stream:
        stream.send(client.post(client.call("a")))
        assert stream.read_reply().status == 200
        stream.send(client.upgrade_request())
        assert stream.read_reply().status == 101
        stream.send_frame(TEXT, CALL)
        assert stream.read_message() == (TEXT, CALL)


VIOLATIONS = {
    "an unmasked frame": (1002, node_frame(TEXT, CALL)),
    "an unmasked ping": (1002, node_frame(PING, b"hello")),
    "a reserved bit": (1002, client_frame(TEXT, CALL, rsv=4)),
    "another reserved bit": (1002, client_frame(TEXT, CALL, rsv=1)),
    "a reserved bit of a ping": (1002, client_frame(PING, b"hello", rsv=2)),
    "a reserved data opcode": (1002, client_frame(3, CALL)),
    "a reserved control opcode": (1002, client_frame(0xB, b"hello")),
    "a continuation of nothing": (1002, client_frame(CONTINUATION, CALL)),
    "a text within a text": (1002, client_frame(TEXT, CALL[:9], fin=False) + client_frame(TEXT, CALL[9:])),
    "a binary within a text": (
        1002,
        client_frame(TEXT, CALL[:9], fin=False) + client_frame(BINARY, CALL[9:], fin=False),
    ),
    "a ping of 126 bytes": (1002, client_frame(PING, bytes(126))),
    "a ping in fragments": (1002, client_frame(PING, b"a", fin=False)),
    "a close of 126 bytes": (1002, client_frame(CLOSE, close_payload(1000, "a" * 124))),
    "a close in fragments": (1002, client_frame(CLOSE, close_payload(1000), fin=False)),
    "a close of one byte": (1002, client_frame(CLOSE, b"\x03")),
    "a close with code 999": (1002, client_frame(CLOSE, close_payload(999))),
    "a close with code 1004": (1002, client_frame(CLOSE, close_payload(1004))),
    "a close with code 1005": (1002, client_frame(CLOSE, close_payload(1005))),
    "a close with code 1006": (1002, client_frame(CLOSE, close_payload(1006))),
    "a close with code 1015": (1002, client_frame(CLOSE, close_payload(1015))),
    "a close with code 5000": (1002, client_frame(CLOSE, close_payload(5000))),
    "a close whose reason is no UTF-8": (1007, client_frame(CLOSE, close_payload(1000) + b"\xff")),
    "a length with its highest bit set": (1002, header(BINARY, 1 << 63, masked=True) + b"abcd"),
    "text that is no UTF-8": (1007, client_frame(TEXT, message(b"hello \xff"))),
    "text that ends within a character": (1007, client_frame(TEXT, CALL + "€".encode()[:2])),
    "text with a surrogate": (1007, client_frame(TEXT, message(b"\xed\xa0\x80"))),
    "text with an overlong form": (1007, client_frame(TEXT, message(b"\xc0\xaf"))),
    "text beyond Unicode": (1007, client_frame(TEXT, message(b"\xf4\x90\x80\x80"))),
    "text that breaks at a fragment": (
        1007,
        client_frame(TEXT, message(b"\xe2\x82")[:-3], fin=False) + client_frame(CONTINUATION, message("a")[-4:]),
    ),
    "an announced 17 MiB": (1009, header(BINARY, 17 << 20, masked=True) + b"abcd"),
    "an announced exabyte": (1009, header(BINARY, 1 << 60, masked=True) + b"abcd"),
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_a_violation_is_closed_with_its_code_and_the_node_never_sees_it(server, node, name):
    code, data = VIOLATIONS[name]
    with client.websocket(server.port) as stream:
        stream.send_frame(TEXT, message("before"))
        assert stream.read_message() == (TEXT, message("before"))
        with Stopwatch() as watch:
            stream.send(data)
            frame = stream.read_frame()
        assert (frame.opcode, frame.close_code) == (CLOSE, code)
        assert watch.seconds < 1
        stream.send_frame(CLOSE, frame.payload)
        assert stream.wait_for_end(2) in ("eof", "reset")
    # The node is told to close, and had nothing of it.
    until(lambda: node.frames[-1].opcode == CLOSE, 2, "the node gets a Close")
    assert [frame.payload for frame in node.frames[:-1]] == [message("before")]


ODD = ["", "\x7f", "ÿ", "\ud7ff\ue000", "\U0010ffff", "￾￿", "\\ud800", "\\u0000"]


@pytest.mark.parametrize("text", ODD)
def test_valid_text_that_looks_odd_passes(server, text):
    with client.websocket(server.port) as stream:
        stream.send_frame(TEXT, message(text))
        assert stream.read_message() == (TEXT, message(text))


def test_text_of_the_node_that_looks_odd_passes(cast, fake_node):
    texts = [text.encode() for text in ("\0", *ODD)]

    def node(connection):
        connection.accept_upgrade()
        for text in texts:
            connection.send_frame(TEXT, text)
        connection.read_frame()

    with client.websocket(cast.ringwall(fake_node(node)).port) as stream:
        assert [stream.read_message() for _ in texts] == [(TEXT, text) for text in texts]


def test_a_character_may_be_cut_by_a_fragment(server):
    whole = message("naïve €😀")
    with client.websocket(server.port) as stream:
        for at in range(len(whole)):
            stream.send_frame(TEXT, whole[:at], fin=False)
            stream.send_frame(CONTINUATION, whole[at:])
            assert stream.read_message() == (TEXT, whole)


def test_every_mask_is_understood(server):
    with client.websocket(server.port) as stream:
        for key in (bytes(4), b"\xff" * 4, b"\x01\x02\x03\x04"):
            stream.send_frame(TEXT, CALL, key=key)
            assert stream.read_message() == (TEXT, CALL)


@pytest.mark.parametrize(
    "code, reason",
    [(1000, ""), (1000, "bye"), (1001, "leaving"), (1008, "x" * 123), (1011, ""), (3000, ""), (4999, "ž")],
)
def test_the_clients_close_is_carried_to_the_node_and_answered(server, node, code, reason):
    payload = close_payload(code, reason)
    with client.websocket(server.port) as stream, Stopwatch() as watch:
        stream.send_frame(CLOSE, payload)
        frame = stream.read_frame()
        assert (frame.opcode, frame.close_code) == (CLOSE, code)
        assert stream.wait_for_end(2) == "eof"  # In TLS: with close_notify.
        assert watch.seconds < 2
    until(lambda: node.frames, 2, "the node gets the Close")
    assert (node.frames[0].opcode, node.frames[0].payload, node.frames[0].masked) == (CLOSE, payload, True)


def test_a_close_without_a_code_is_carried_as_it_is(server, node):
    with client.websocket(server.port) as stream:
        stream.send_frame(CLOSE)
        frame = stream.read_frame()
        assert (frame.opcode, frame.close_code) in ((CLOSE, None), (CLOSE, 1000))
        stream.wait_for_end(2)
    until(lambda: node.frames, 2, "the node gets the Close")
    assert (node.frames[0].opcode, node.frames[0].payload) == (CLOSE, b"")


@pytest.mark.parametrize(
    "code, reason", [(1000, ""), (1001, "node stops"), (1008, "too many"), (1009, ""), (1013, "again"), (4000, "own")]
)
def test_the_nodes_close_is_carried_to_the_client(cast, fake_node, code, reason):
    answers = []

    def node(connection):
        connection.accept_upgrade()
        connection.send_frame(TEXT, b"last words")
        connection.send_frame(CLOSE, close_payload(code, reason))
        answers.append(connection.read_frame())

    server = cast.ringwall(fake_node(node))
    with client.websocket(server.port) as stream:
        assert stream.read_message() == (TEXT, b"last words")
        frame = stream.read_frame()
        assert (frame.opcode, frame.close_code, frame.close_reason) == (CLOSE, code, reason)
        stream.send_frame(CLOSE, frame.payload)
        assert stream.wait_for_end(2) == "eof"
    until(lambda: answers, 2, "the node's Close is answered")
    assert (answers[0].opcode, answers[0].close_code) == (CLOSE, code)


def test_a_client_that_does_not_answer_the_close_is_not_waited_for_long(cast, fake_node):
    def node(connection):
        connection.accept_upgrade()
        connection.send_frame(CLOSE, close_payload(1000))

    server = cast.ringwall(fake_node(node))
    with client.websocket(server.port) as stream:
        assert stream.read_frame().opcode == CLOSE
        stream.wait_for_end(15)


def test_a_node_that_does_not_answer_the_close_does_not_hold_the_client(cast, fake_node):
    def node(connection):
        connection.accept_upgrade()
        connection.read_frame()
        time.sleep(20)

    server = cast.ringwall(fake_node(node))
    with client.websocket(server.port) as stream:
        stream.send_frame(CLOSE, close_payload(1000))
        assert stream.read_frame().opcode == CLOSE
        stream.wait_for_end(15)


def test_a_clients_ping_is_answered_here_and_the_node_sees_none(server, node):
    with client.websocket(server.port) as stream:
        for payload in (b"", b"a", b"x" * 125):
            stream.send_frame(PING, payload)
            frame = stream.read_frame()
            assert (frame.opcode, frame.payload, frame.masked) == (PONG, payload, False)
        stream.send_frame(TEXT, CALL)
        assert stream.read_message() == (TEXT, CALL)
    assert [frame.opcode for frame in node.frames if frame.opcode in (PING, PONG)] == []


def test_the_nodes_ping_is_answered_here_and_the_client_sees_none(cast, fake_node):
    got = []

    def node(connection):
        connection.accept_upgrade()
        for payload in (b"", b"substrate", b"x" * 125):
            connection.send_frame(PING, payload)
            frame = connection.read_frame()
            got.append((frame.opcode, frame.payload, frame.masked))
        connection.send_frame(TEXT, b"done")
        connection.read_frame()

    server = cast.ringwall(fake_node(node))
    with client.websocket(server.port) as stream:
        frame = stream.read_frame()
        assert (frame.opcode, frame.payload) == (TEXT, b"done")
    assert got == [(PONG, b"", True), (PONG, b"substrate", True), (PONG, b"x" * 125, True)]


def test_the_nodes_ping_between_its_fragments_does_not_reach_the_client(cast, fake_node):
    got = []

    def node(connection):
        connection.accept_upgrade()
        connection.send_frame(TEXT, b"one ", fin=False)
        connection.send_frame(PING, b"now")
        frame = connection.read_frame()
        got.append((frame.opcode, frame.payload))
        connection.send_frame(CONTINUATION, b"two")
        connection.read_frame()

    server = cast.ringwall(fake_node(node))
    with client.websocket(server.port) as stream:
        seen = []
        assert stream.read_message(seen.append) == (TEXT, b"one two")
        assert not seen
    assert got == [(PONG, b"now")]


def test_an_idle_client_is_pinged_and_its_pong_keeps_it(cast, node):
    server = cast.ringwall(node, settings={"timeouts.ping_interval_ms": 400, "timeouts.dead_after_ms": 1200})
    with client.websocket(server.port) as stream:
        for _ in range(5):
            with Stopwatch() as watch:
                frame = stream.read_frame()
            assert (frame.opcode, frame.masked) == (PING, False)
            assert watch.seconds < 1.2
            stream.send_frame(PONG, frame.payload)
        stream.send_frame(TEXT, CALL)
        assert stream.read_message(lambda frame: None) == (TEXT, CALL)


def test_a_client_that_answers_no_ping_is_dropped(cast, node):
    server = cast.ringwall(node, settings={"timeouts.ping_interval_ms": 400, "timeouts.dead_after_ms": 1200})
    with client.websocket(server.port) as stream, Stopwatch() as watch:
        stream.wait_for_end(4)
        assert 0.9 < watch.seconds < 3
    until(
        lambda: node.frames and node.frames[-1].opcode == CLOSE or node.connections[0].ended_by, 2, "the node is told"
    )


def test_a_client_that_only_listens_and_answers_pings_outlives_dead_after(cast, node):
    server = cast.ringwall(node, settings={"timeouts.ping_interval_ms": 200, "timeouts.dead_after_ms": 600})
    with client.websocket(server.port) as stream, Stopwatch() as watch:
        while watch.seconds < 2.5:
            frame = stream.read_frame()
            assert frame.opcode == PING
            stream.send_frame(PONG, frame.payload)


def test_a_busy_client_is_not_pinged(cast, node):
    server = cast.ringwall(node, settings={"timeouts.ping_interval_ms": 600, "timeouts.dead_after_ms": 1800})
    with client.websocket(server.port) as stream:
        for number in range(15):
            text = message(str(number))
            stream.send_frame(TEXT, text)
            frame = stream.read_frame()
            assert (frame.opcode, frame.payload) == (TEXT, text)
            time.sleep(0.1)


def test_nothing_healthy_is_cut_by_the_short_timeouts_of_setup(cast, node):
    """Head, body, handshake, connect and answer are over once the relay stands."""
    short = {
        f"timeouts.{name}_ms": 500
        for name in ("handshake", "head", "body", "connect", "response", "keep_alive", "message")
    }
    server = cast.ringwall(node, settings=short)
    with client.websocket(server.port) as stream:
        time.sleep(2)
        stream.send_frame(TEXT, CALL)
        assert stream.read_message() == (TEXT, CALL)


@pytest.mark.timeout(120)
def test_nothing_healthy_is_cut_at_sixty_seconds(cast, node, fake_node):
    """With every timeout as it is by default: a client that only answers pings, and a quiet tunnel."""
    server = cast.ringwall(node)
    tunnel = cast.ringwall(
        fake_node(lambda connection: connection.accept_upgrade() and connection.echo()), arguments=["--mode", "tunnel"]
    )
    with client.websocket(server.port) as stream, client.websocket(tunnel.port) as quiet, Stopwatch() as watch:
        pings = 0
        while watch.seconds < 63:
            if not stream.silent_for(1):
                frame = stream.read_frame()
                assert frame.opcode == PING
                stream.send_frame(PONG, frame.payload)
                pings += 1
        assert pings == 2  # One every thirty seconds.
        stream.send_frame(TEXT, CALL)
        assert stream.read_message() == (TEXT, CALL)
        quiet.send_frame(TEXT, b"and here")
        assert quiet.read_message() == (TEXT, b"and here")
