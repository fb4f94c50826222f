"""Records after the handshake, made by hand: every suite, cut, size and padding that the RFCs allow is answered."""

import ssl
import time

import pytest

from harness import client, tls_records
from harness.frames import CLOSE, TEXT, client_frame, close_payload
from harness.tls_records import DATA, PLAINTEXT_MAX, SUITES, TLS12, TLS13, websocket

IDLE_RECORDS_MAX = 32
PAGE = client.page_request()
# One of each way to make nonces and keys.
KINDS = [TLS13[0], TLS13[1], TLS13[2], TLS12[0], TLS12[2], TLS12[4]]


def by_name(suites):
    return pytest.mark.parametrize("suite", suites, ids=[suite.name for suite in suites])


@pytest.fixture(params=["full", "resumed"])
def session_for(request, shared_echo):
    """session_for(suite): what a handshake of this kind begins with."""

    def make(suite) -> ssl.SSLSession | None:
        return None if request.param == "full" else tls_records.session_of(shared_echo.port, suite, PAGE)

    return make


@pytest.fixture
def talk(shared_echo):
    """talk(suite): an open WebSocket."""
    streams = []

    def make(suite):
        streams.append(tls_records.connect(shared_echo.port, suite))
        return websocket(streams[-1])

    yield make
    for stream in streams:
        stream.close()


def say(stream, message: bytes) -> None:
    stream.send_frame(TEXT, message)
    assert stream.read_message() == (TEXT, message)


def is_answered(stream, text: str) -> None:
    say(stream, client.message(text))


def close(stream) -> None:
    """In order, as WebSocket and TLS have it."""
    stream.send_frame(CLOSE, close_payload(1000, "bye"))
    frame = stream.read_frame()
    assert (frame.opcode, frame.close_code) == (CLOSE, 1000)
    assert stream.read_to_end() == b""
    assert (stream.ended_by, stream.alerts) == ("eof", [(tls_records.WARNING, tls_records.CLOSE_NOTIFY)])
    stream.close()


@by_name(SUITES)
def test_messages_of_every_size_come_back(shared_echo, session_for, suite):
    session = session_for(suite)
    stream = tls_records.connect(shared_echo.port, suite, session)
    assert stream.handshake.tls.cipher()[0] == suite.name
    assert stream.handshake.tls.session_reused == (session is not None)
    websocket(stream)
    stream.send_frame(TEXT, client.call("unwrap", ["1"]))
    assert stream.read_message() == (TEXT, b"1")
    for size in (client.SMALLEST_MESSAGE, 1 << 10, PLAINTEXT_MAX, 1 << 20):
        say(stream, client.message_of(size))
    assert max(stream.record_sizes) <= PLAINTEXT_MAX
    close(stream)


@by_name(SUITES)
def test_a_request_that_comes_with_finished_is_answered_wherever_it_is_cut(shared_echo, session_for, suite):
    """In a full handshake of TLS 1.2 the server's Finished is still to come (RFC 7918)."""
    session = session_for(suite)
    size = len(PAGE) + 5 + suite.overhead
    for cut in (0, 1, 4, 5, 6, 13, size // 2, size - 17, size - 16, size - 1, size):
        handshake = tls_records.begin(shared_echo.port, suite, session)
        handshake.send()
        handshake.read_flight()
        stream = handshake.stream()
        request = stream.record(DATA, PAGE)
        assert len(request) == size
        handshake.due += request[:cut]
        handshake.send()
        stream.finish_handshake()
        stream.send_raw(request[cut:])
        assert stream.read_reply().status == 200, f"cut at {cut}"
        stream.close()


@by_name(SUITES)
def test_several_records_with_finished_are_answered_in_order(shared_echo, session_for, suite):
    handshake = tls_records.begin(shared_echo.port, suite, session_for(suite))
    handshake.send()
    handshake.read_flight()
    stream = handshake.stream()
    upgrade = client.upgrade_request()
    first, second = client.message("first"), client.message("second")
    talk = upgrade + client_frame(TEXT, first) + client_frame(TEXT, second)
    handshake.due += stream.records(PAGE) + stream.records(talk, 40)
    handshake.send()
    stream.finish_handshake()
    assert stream.read_reply().status == 200
    assert stream.read_reply().status == 101
    assert [stream.read_message() for _ in range(2)] == [(TEXT, first), (TEXT, second)]
    close(stream)


@by_name(KINDS)
def test_a_record_may_come_byte_by_byte(talk, suite):
    stream = talk(suite)
    message = client.message("byte by byte")
    for byte in stream.records(client_frame(TEXT, message)):
        stream.send_raw(bytes([byte]))
        time.sleep(0.0005)  # So that most are read alone.
    assert stream.read_message() == (TEXT, message)
    close(stream)


@by_name(KINDS)
def test_a_record_may_be_cut_anywhere(talk, suite):
    stream = talk(suite)
    message = client.message("cut")
    size = len(client_frame(TEXT, message)) + 5 + suite.overhead
    for cut in range(1, size):
        record = stream.records(client_frame(TEXT, message))
        assert len(record) == size
        stream.send_raw(record[:cut])
        time.sleep(0.001)  # So that it is read.
        stream.send_raw(record[cut:])
        assert stream.read_message() == (TEXT, message), f"cut at {cut}"
    close(stream)


@by_name(KINDS)
def test_large_records_are_cut_and_joined(talk, suite):
    """Three full ones, in pieces that end in the middle of the next one's header, tag and body."""
    stream = talk(suite)
    message = client.message_of(3 * PLAINTEXT_MAX - 8)  # With its frame's header exactly three.
    wire = stream.records(client_frame(TEXT, message))
    record = PLAINTEXT_MAX + 5 + suite.overhead
    assert len(wire) == 3 * record
    cuts = [0, 100, record - 8, record + 3, 2 * record - 1, 2 * record + 9000, len(wire)]
    for start, end in zip(cuts, cuts[1:]):
        stream.send_raw(wire[start:end])
        time.sleep(0.002)  # So that it is read.
    assert stream.read_message() == (TEXT, message)
    close(stream)


@by_name(KINDS)
def test_many_small_records_in_one_segment_are_all_taken(talk, suite):
    stream = talk(suite)
    messages = [client.message(str(number)) for number in range(200)]
    stream.send_raw(b"".join(stream.records(client_frame(TEXT, message)) for message in messages))
    assert [stream.read_message()[1] for _ in messages] == messages
    close(stream)


@by_name(KINDS)
def test_a_message_of_one_byte_a_record_arrives(talk, suite):
    stream = talk(suite)
    message = client.message("a record for each byte")
    stream.send_raw(stream.records(client_frame(TEXT, message), 1))
    assert stream.read_message() == (TEXT, message)
    close(stream)


@by_name(KINDS)
def test_empty_records_say_nothing(talk, suite):
    """A bound of them in a row, and after data as many again."""
    stream = talk(suite)
    for round in ("once", "again"):
        stream.send_raw(b"".join(stream.record(DATA, b"") for _ in range(IDLE_RECORDS_MAX)))
        is_answered(stream, round)
    close(stream)


@by_name(TLS13)
@pytest.mark.parametrize("padding", [1, 255, 4096])
def test_padding_is_taken_off(talk, suite, padding):
    stream = talk(suite)
    message = client.message("padded")
    stream.send_record(DATA, client_frame(TEXT, message), padding=padding)
    assert stream.read_message() == (TEXT, message)
    stream.send_record(DATA, b"", padding=padding)  # All of it is padding.
    is_answered(stream, "after")
    close(stream)


@by_name(TLS13)
def test_the_largest_record_may_be_of_padding_or_of_data(talk, suite):
    stream = talk(suite)
    message = client.message("padded")
    frame = client_frame(TEXT, message)
    stream.send_record(DATA, frame, padding=PLAINTEXT_MAX - len(frame))
    assert stream.read_message() == (TEXT, message)
    say(stream, client.message_of(PLAINTEXT_MAX - 8))
    close(stream)


@by_name(TLS13)
def test_data_that_ends_in_zeros_is_no_padding(front, echo_node, suite):
    """Through a tunnel, since no message of JSON may end so."""
    server = front(echo_node, arguments=["--mode", "tunnel"])
    stream = websocket(tls_records.connect(server.port, suite))
    for payload in (bytes(200), b"text" + bytes(300), bytes(5000)):  # The echo node reads shorter ones.
        stream.send_record(DATA, client_frame(TEXT, payload, key=bytes(4)), padding=7)
        assert stream.read_message() == (TEXT, payload)
    stream.close()


@by_name(KINDS)
def test_what_the_server_seals_is_not_larger_than_a_record_may_be(talk, suite):
    """And a large answer is of full records, but for its last."""
    stream = talk(suite)
    stream.record_sizes.clear()
    message = client.message_of(1 << 20)
    say(stream, message)
    assert sum(stream.record_sizes) == len(message) + 10
    assert len(stream.record_sizes) < 3 * (len(message) // PLAINTEXT_MAX)
    close(stream)


def test_two_clients_do_not_mix_their_keys(talk):
    """Records of two connections, one by one, so that each follows on one of the other."""
    for one, other in zip(map(talk, SUITES), map(talk, SUITES[1:] + SUITES[:1])):
        for round in range(20):
            is_answered(one, f"one {round}")
            is_answered(other, f"other {round}")
        close(one)
        close(other)
