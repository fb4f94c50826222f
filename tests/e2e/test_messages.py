"""WebSocket messages of every size and cut, both ways, byte for byte."""

import hashlib
import json
import random
import string

import pytest

from harness import client, frames
from harness.client import SMALLEST_MESSAGE, message, message_of
from harness.frames import BINARY, CONTINUATION, PING, PONG, TEXT, client_frame

MIB = 1 << 20
SIZES = [SMALLEST_MESSAGE, 124, 125, 126, 127, 65535, 65536, MIB, 15 * MIB, 16 * MIB - 14]
# Any byte as one that stands for itself in JSON.
PLAIN = (string.ascii_letters + string.digits + "+/").encode() * 4


def text_of(size: int) -> bytes:
    """UTF-8 with characters of one to four bytes, of exactly that size."""
    text = ("aé€😀" * (size // 10 + 1)).encode()[:size]
    while True:
        try:
            text.decode()
            return text + b"." * (size - len(text))
        except UnicodeDecodeError:
            text = text[:-1]


def bytes_of(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def call_of_text(size: int) -> bytes:
    return message_of(size, text_of)


def call_of_bytes(size: int) -> bytes:
    return message_of(size, lambda size: bytes_of(size).translate(PLAIN))


TEXT_AND_BINARY = pytest.mark.parametrize(
    "opcode, make", [(TEXT, call_of_text), (BINARY, call_of_bytes)], ids=["text", "binary"]
)


@pytest.mark.control
@pytest.mark.parametrize("size", SIZES)
@TEXT_AND_BINARY
def test_a_message_comes_back_as_it_went(echo, echo_node, size, opcode, make):
    payload = make(size)
    with client.websocket(echo.port) as stream:
        stream.send_frame(opcode, payload)
        assert stream.read_message() == (opcode, payload)
    assert echo_node.messages == [(str if opcode == TEXT else bytes, len(payload.decode()) if opcode == TEXT else size)]


@pytest.mark.parametrize("length_bytes, size", [(2, 0), (2, 125), (8, 0), (8, 125), (8, 65535)])
def test_a_length_that_is_longer_than_it_must_be_is_refused(echo, length_bytes, size):
    # RFC 6455 section 5.2: the minimal number of bytes MUST be used. Two readers could differ.
    with client.websocket(echo.port) as stream:
        stream.send_frame(BINARY, bytes(size), length_bytes=length_bytes)
        frame = stream.read_frame()
        assert (frame.opcode, frame.close_code) == (frames.CLOSE, 1002)


def in_fragments(opcode: int, payload: bytes, cuts: list[int]) -> list[bytes]:
    """Frames of the sizes in `cuts`, and a last one with what is left."""
    out, at = [], 0
    for number, size in enumerate(cuts):
        out.append(client_frame(CONTINUATION if number else opcode, payload[at : at + size], fin=False))
        at += size
    out.append(client_frame(CONTINUATION if cuts else opcode, payload[at:]))
    return out


CUTS = {
    "one byte each": (300, [1] * 299),
    "an empty first": (1000, [0]),
    "empty ones in between": (1000, [0, 100, 0, 0, 300, 0]),
    "an empty last": (1000, [500, 500]),
    "all in one of many": (1000, [0, 0, 1000, 0]),
    "odd sizes": (100_000, [1, 125, 126, 127, 3, 65535, 7]),
    "large ones": (3 * MIB, [MIB, 1, MIB]),
    "many": (200_000, [100] * 1999),
}


@pytest.mark.parametrize("name", CUTS)
@TEXT_AND_BINARY
def test_fragments_reach_the_node_as_one_frame(cast, fake_node, name, opcode, make):
    size, cuts = CUTS[name]
    payload = make(size)
    got = []

    def node(connection):
        connection.accept_upgrade()
        frame = connection.read_frame()
        got.append(frame)
        connection.send_frame(frame.opcode, frame.payload)
        connection.read_frame()

    server = cast.ringwall(fake_node(node))
    with client.websocket(server.port) as stream:
        stream.send(b"".join(in_fragments(opcode, payload, cuts)))
        assert stream.read_message() == (opcode, payload)
    assert got[0].masked and got[0].fin and got[0].rsv == 0
    assert (got[0].opcode, got[0].payload) == (opcode, payload)


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_an_empty_message_in_empty_fragments_is_no_call_and_is_answered_here(echo, echo_node, opcode):
    with client.websocket(echo.port) as stream:
        stream.send(b"".join(in_fragments(opcode, b"", [0, 0, 0])))
        assert json.loads(stream.read_message()[1])["error"]["code"] == -32700
        stream.send_frame(TEXT, message("next"))
        assert stream.read_message() == (TEXT, message("next"))
    assert echo_node.messages == [(str, len(message("next")))]


def test_a_ping_between_two_fragments_is_answered_before_the_message_ends(cast, fake_node):
    got = []

    def node(connection):
        connection.accept_upgrade()
        got.append(connection.read_frame())
        connection.send_frame(TEXT, b"whole")
        connection.read_frame()

    server = cast.ringwall(fake_node(node))
    whole = message("one two")
    with client.websocket(server.port) as stream:
        stream.send_frame(TEXT, whole[:-7], fin=False)
        stream.send_frame(PING, b"there?")
        frame = stream.read_frame()
        assert (frame.opcode, frame.payload) == (PONG, b"there?")
        stream.send_frame(PONG, b"unasked")
        stream.send_frame(CONTINUATION, whole[-7:])
        assert stream.read_message() == (TEXT, b"whole")
    assert (got[0].opcode, got[0].payload) == (TEXT, whole)


@pytest.mark.parametrize("pieces", [1, 7, 1000])
def test_frames_may_come_in_any_pieces_of_tcp(echo, pieces):
    """Several frames of several kinds, cut anywhere."""
    messages = [(TEXT, call_of_text(n)) for n in (SMALLEST_MESSAGE, 60, 126)] + [(BINARY, call_of_bytes(70_000))]
    data = b"".join(client_frame(opcode, payload) for opcode, payload in messages)
    size = max(1, len(data) // 2000) if pieces == 1 else pieces
    with client.websocket(echo.port) as stream:
        for at in range(0, len(data), size):
            stream.send(data[at : at + size])
        assert [stream.read_message() for _ in messages] == messages


def test_many_small_messages_keep_their_order(echo):
    messages = [(TEXT, message(str(number))) for number in range(3000)]
    with client.websocket(echo.port) as stream:
        stream.send(b"".join(client_frame(*message) for message in messages))
        assert [stream.read_message() for _ in messages] == messages


def test_a_message_sent_with_the_upgrade_request_is_not_lost(echo):
    with client.connect(echo.port) as stream:
        stream.send(client.upgrade_request() + client_frame(TEXT, message("impatient")))
        assert stream.read_reply().status == 101
        assert stream.read_message() == (TEXT, message("impatient"))


def test_a_message_that_the_node_sends_with_its_101_is_not_lost(cast, fake_node):
    def node(connection):
        asked = connection.read_request()
        accept = client.accept_of(asked.get("sec-websocket-key"))
        head = f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        connection.send(head.encode() + frames.node_frame(TEXT, b"first") + frames.node_frame(TEXT, b"second")[:3])
        connection.send(frames.node_frame(TEXT, b"second")[3:])
        connection.read_frame()

    server = cast.ringwall(fake_node(node))
    with client.websocket(server.port) as stream:
        assert [stream.read_message() for _ in range(2)] == [(TEXT, b"first"), (TEXT, b"second")]


def test_node_frames_are_relayed_as_they_arrive(cast, fake_node):
    """Of a message without an end, the beginning is there."""

    def node(connection):
        connection.accept_upgrade()
        connection.send_frame(TEXT, b"beginning ", fin=False)
        connection.send(frames.header(CONTINUATION, 1000, fin=False, masked=False) + b"x" * 400)
        connection.read_frame()

    server = cast.ringwall(fake_node(node))
    with client.websocket(server.port) as stream:
        frame = stream.read_frame()
        assert (frame.opcode, frame.payload, frame.fin) == (TEXT, b"beginning ", False)
        assert stream.read_exactly(4) == frames.header(CONTINUATION, 1000, fin=False, masked=False)
        assert stream.read_exactly(400) == b"x" * 400


@pytest.mark.parametrize("size", [0, 1, 2, *SIZES, 17 * MIB, 40 * MIB])
@pytest.mark.parametrize("opcode, make", [(TEXT, text_of), (BINARY, bytes_of)], ids=["text", "binary"])
def test_an_answer_of_any_size_and_content_passes(cast, fake_node, size, opcode, make):
    """The bound on messages is the client's, and so is JSON; a node may answer more, and anything."""
    payload = make(size)

    def node(connection):
        connection.accept_upgrade()
        connection.read_frame()
        connection.send_frame(opcode, payload)
        connection.read_frame()

    server = cast.ringwall(fake_node(node))
    with client.websocket(server.port) as stream:
        stream.send_frame(TEXT, message("all of it"))
        got_opcode, got = stream.read_message()
        assert (got_opcode, hashlib.sha256(got).digest()) == (opcode, hashlib.sha256(payload).digest())


@pytest.mark.timeout(120)
def test_15_mib_both_ways_at_once(echo):
    payload = call_of_bytes(15 * MIB)
    with client.websocket(echo.port) as one, client.websocket(echo.port) as two:
        for stream in (one, two):
            stream.send_frame(BINARY, payload)
        for stream in (one, two):
            assert stream.read_message() == (BINARY, payload)
