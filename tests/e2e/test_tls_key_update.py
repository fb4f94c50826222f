"""KeyUpdate in TLS 1.3 (RFC 8446 section 4.6.3), by hand and by openssl; the end of a key in TLS 1.2; renegotiation.

A kernel that opens the records takes a second key from Linux 6.14 on. Before that, the end of a key is the end of the
connection: a Close that asks to come again, and a close_notify.
"""

import os
import re
import ssl

import pytest

from harness import client, tls_records
from harness.frames import CLOSE, TEXT, client_frame
from harness.openssl_client import s_client
from harness.tls_records import (
    BAD_RECORD_MAC,
    CLIENT_HELLO,
    CLOSE_NOTIFY,
    DECODE_ERROR,
    FATAL,
    HANDSHAKE,
    ILLEGAL_PARAMETER,
    KEY_UPDATE,
    NO_RENEGOTIATION,
    TLS12,
    TLS13,
    UNEXPECTED_MESSAGE,
    WARNING,
    websocket,
)

EACH_13 = pytest.mark.parametrize("suite", TLS13, ids=[suite.name for suite in TLS13])
EACH_12 = pytest.mark.parametrize("suite", TLS12[:3], ids=[suite.name for suite in TLS12[:3]])
IDLE_RECORDS_MAX = 32
RECORDS_PER_KEY = 64
UPDATE = bytes([KEY_UPDATE, 0, 0, 1, 0])
HEALTH = client.request("GET", "/health")
LAST_HEALTH = client.request("GET", "/health", [("Connection", "close")])


def kernel_takes_a_second_key() -> bool:
    return tuple(map(int, re.findall(r"\d+", os.uname().release)[:2])) >= (6, 14)


@pytest.fixture(scope="session")
def rekeys(offload):
    """Whether a connection goes on after a KeyUpdate."""
    return offload == "user" or kernel_takes_a_second_key()


@pytest.fixture
def talk(shared_echo):
    """talk(suite): an open WebSocket."""
    streams = []

    def make(suite, port=shared_echo.port):
        streams.append(tls_records.connect(port, suite))
        return websocket(streams[-1])

    yield make
    for stream in streams:
        stream.close()


def say(stream, text: str, first: bytes = b"") -> None:
    message = client.message(text)
    stream.send_raw(first + stream.records(client_frame(TEXT, message)))
    assert stream.read_message() == (TEXT, message)


def is_asked_to_come_again(stream, frame=None) -> None:
    """In order, in WebSocket and in TLS. `frame` is the Close, if it has been read."""
    frame = frame or stream.read_frame()
    assert (frame.opcode, frame.close_code) == (CLOSE, 1012), frame
    assert stream.read_to_end() == b""
    assert (stream.ended_by, stream.alerts) == ("eof", [(WARNING, CLOSE_NOTIFY)])


def talk_until_the_key_is_used_up(stream) -> None:
    for number in range(RECORDS_PER_KEY):
        message = client.message(str(number))
        stream.send_frame(TEXT, message)
        frame = stream.read_frame()
        if frame.opcode == CLOSE:
            break
        assert (frame.opcode, frame.payload) == (TEXT, message)
    is_asked_to_come_again(stream, frame)
    assert RECORDS_PER_KEY // 2 < stream.opening.sequence <= RECORDS_PER_KEY


def fails(stream, alerts: set[int]) -> None:
    assert stream.read_to_end() == b""
    assert [level for level, _ in stream.alerts] == [FATAL]
    assert stream.alert in alerts
    assert stream.ended_by == "alert"


# Theirs. -----------------------------------------------------------------------------------------------------------


@EACH_13
def test_a_key_update_is_followed_and_not_answered_unasked(talk, rekeys, suite):
    stream = talk(suite)
    say(stream, "before")
    if not rekeys:
        stream.send_raw(stream.key_update())
        is_asked_to_come_again(stream)
        return
    say(stream, "after", stream.key_update())
    say(stream, "and on")
    assert stream.key_updates == []


@EACH_13
def test_a_key_update_that_asks_for_ours_gets_it(talk, rekeys, suite):
    stream = talk(suite)
    say(stream, "before")
    if not rekeys:
        stream.send_raw(stream.key_update(1))
        is_asked_to_come_again(stream)
        return
    say(stream, "after", stream.key_update(1))
    assert stream.key_updates == [0]
    say(stream, "and on")
    for size in (1 << 14, 1 << 18):
        message = client.message_of(size)
        stream.send_frame(TEXT, message)
        assert stream.read_message() == (TEXT, message)
    assert stream.key_updates == [0]


@EACH_13
def test_a_key_update_as_the_first_record_is_followed(shared_echo, rekeys, suite):
    """With Finished, before any data."""
    if not rekeys:
        pytest.skip("this kernel ends the connection")
    handshake = tls_records.begin(shared_echo.port, suite)
    handshake.send()
    handshake.read_flight()
    stream = handshake.stream()
    handshake.due += stream.key_update(1) + stream.records(client.page_request())
    handshake.send()
    assert stream.read_reply().status == 200
    assert stream.key_updates == [0]
    stream.close()


@EACH_13
def test_many_key_updates_with_data_between_are_followed(talk, rekeys, suite):
    if not rekeys:
        pytest.skip("this kernel ends the connection at the first")
    stream = talk(suite)
    for number in range(100):
        say(stream, str(number), stream.key_update(number % 2))
    assert stream.key_updates == [0] * 50


@EACH_13
def test_key_updates_in_a_row_are_followed_up_to_a_bound(talk, rekeys, suite):
    """Those that ask may be answered by one (RFC 8446 section 4.6.3), and after data there is a new count."""
    if not rekeys:
        pytest.skip("this kernel ends the connection at the first")
    stream = talk(suite)
    for round in ("once", "again"):
        say(stream, round, b"".join(stream.key_update(1) for _ in range(IDLE_RECORDS_MAX)))
    assert 2 <= len(stream.key_updates) <= 2 * IDLE_RECORDS_MAX


@EACH_13
@pytest.mark.parametrize("request_update", [0, 1])
def test_key_updates_beyond_the_bound_end_it(talk, rekeys, suite, request_update):
    stream = talk(suite)
    stream.send_raw(b"".join(stream.key_update(request_update) for _ in range(IDLE_RECORDS_MAX + 1)))
    if rekeys:
        fails(stream, {UNEXPECTED_MESSAGE})
    else:
        is_asked_to_come_again(stream)


@EACH_13
@pytest.mark.parametrize("cuts", [(1,), (2,), (3,), (4,), (1, 2, 3, 4)], ids=str)
def test_a_key_update_cut_over_records_is_followed(talk, offload, suite, cuts):
    """But by a kernel: since 6.14 it gives out nothing more from the first part on until it has the new key."""
    stream = talk(suite)
    say(stream, "before")
    edges = (0, *cuts, len(UPDATE))
    wire = b"".join(stream.record(HANDSHAKE, UPDATE[start:end]) for start, end in zip(edges, edges[1:]))
    stream.sealing.update()
    if offload == "user":
        say(stream, "after", wire)
        say(stream, "another", stream.key_update())
    else:
        stream.send_raw(wire)
        is_asked_to_come_again(stream)


WRONG = {
    "value 2": (UPDATE[:4] + b"\2", ILLEGAL_PARAMETER),
    "value 255": (UPDATE[:4] + b"\xff", ILLEGAL_PARAMETER),
    "no value": (bytes([KEY_UPDATE, 0, 0, 0]), DECODE_ERROR),
    "two values": (bytes([KEY_UPDATE, 0, 0, 2, 0, 0]), DECODE_ERROR),
    "a length out of all bounds": (bytes([KEY_UPDATE, 255, 255, 255, 0]), DECODE_ERROR),
    "two in a record": (UPDATE * 2, UNEXPECTED_MESSAGE),
    "a byte behind it": (UPDATE + b"\0", UNEXPECTED_MESSAGE),
    "another message behind it": (UPDATE + bytes([CLIENT_HELLO, 0, 0, 1, 0]), UNEXPECTED_MESSAGE),
}


@pytest.mark.parametrize("message, alert", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_key_update_ends_it(talk, message, alert):
    """What a kernel opens it gives to us: this is judged alike."""
    stream = talk(TLS13[0])
    say(stream, "before")
    stream.send_record(HANDSHAKE, message)
    fails(stream, {alert})


@pytest.mark.parametrize("have", [1, 4])
def test_nothing_may_come_between_the_parts_of_a_key_update(talk, offload, rekeys, have):
    stream = talk(TLS13[0])
    frame = client_frame(TEXT, client.message("never"))
    stream.send_raw(stream.record(HANDSHAKE, UPDATE[:have]) + stream.records(frame))
    if offload == "kernel" and rekeys:
        is_asked_to_come_again(stream)
    else:
        fails(stream, {UNEXPECTED_MESSAGE})


@EACH_13
def test_data_under_the_old_key_does_not_open(talk, rekeys, offload, suite):
    stream = talk(suite)
    late = stream.record(HANDSHAKE, UPDATE) + stream.records(client_frame(TEXT, client.message("late")))
    stream.send_raw(late)
    if not rekeys:
        is_asked_to_come_again(stream)
    elif offload == "user":
        fails(stream, {BAD_RECORD_MAC})
    else:
        assert stream.read_to_end() == b""


# Ours. -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def short_lived_keys(front, echo_node):
    return front(echo_node, settings={"tls.records_per_key": RECORDS_PER_KEY})


@EACH_13
def test_a_key_that_is_used_up_is_replaced(talk, short_lived_keys, rekeys, suite):
    stream = talk(suite, short_lived_keys.port)
    if not rekeys:
        talk_until_the_key_is_used_up(stream)
        return
    for number in range(1000):
        say(stream, str(number))
    assert len(stream.key_updates) >= 1000 // RECORDS_PER_KEY
    assert max(stream.key_uses) <= RECORDS_PER_KEY and min(stream.key_uses) > RECORDS_PER_KEY // 2


@EACH_13
def test_a_key_is_replaced_within_a_large_answer(talk, short_lived_keys, offload, rekeys, suite):
    if not rekeys:
        pytest.skip("this kernel ends the connection")
    stream = talk(suite, short_lived_keys.port)
    message = client.message_of(4 << 20)
    stream.send_frame(TEXT, message)
    assert stream.read_message() == (TEXT, message)
    assert len(stream.key_updates) >= (4 << 20) // (16 << 10) // RECORDS_PER_KEY
    # What a kernel is given to send at once is sent under one key.
    assert max(stream.key_uses) <= RECORDS_PER_KEY * (1 if offload == "user" else 2)


@EACH_12
def test_a_key_of_tls_1_2_that_is_used_up_ends_the_connection_in_order(talk, short_lived_keys, suite):
    talk_until_the_key_is_used_up(talk(suite, short_lived_keys.port))
    assert short_lived_keys.stop() == 0
    assert "stopped sessions=1 ended_keys_spent=1" in short_lived_keys.log


# Renegotiation. ----------------------------------------------------------------------------------------------------


def client_hello(suite) -> bytes:
    """The message alone, out of its record."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        tls_records.context_for(suite).wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    return outgoing.read()[5:]


@EACH_12
@pytest.mark.parametrize("size", [1 << 14, 100, 1], ids=["whole", "in parts", "byte by byte"])
def test_a_second_handshake_is_refused_and_the_talk_goes_on(talk, suite, size):
    stream = talk(suite)
    hello = client_hello(suite) if size > 1 else bytes([CLIENT_HELLO, 0, 0, 16]) + bytes(16)
    wire = b"".join(stream.record(HANDSHAKE, hello[at : at + size]) for at in range(0, len(hello), size))
    say(stream, "after", wire)
    assert set(stream.alerts) == {(WARNING, NO_RENEGOTIATION)}
    assert len(stream.alerts) == 1 or size < len(hello)
    say(stream, "and on")


@EACH_12
def test_handshakes_without_end_are_cut(talk, suite):
    stream = talk(suite)
    hello = client_hello(suite)
    stream.send_raw(b"".join(stream.record(HANDSHAKE, hello) for _ in range(IDLE_RECORDS_MAX + 1)))
    assert stream.read_to_end() == b""
    assert len(stream.alerts) <= IDLE_RECORDS_MAX + 1
    assert stream.alerts[-1][0] == FATAL and stream.ended_by == "alert"


# By openssl. -------------------------------------------------------------------------------------------------------


@pytest.fixture
def healthy(front, fake_node):
    def node(connection):
        while True:
            connection.read_request()
            connection.reply(200, b"healthy")

    return front(fake_node(node))


def test_openssl_updates_its_keys_and_asks_for_ours(healthy, rekeys):
    if not rekeys:
        pytest.skip("this kernel ends the connection at the first")
    say = b"k\n\0" + HEALTH + b"\0K\n\0" + HEALTH + b"\0K\n\0k\n\0" + HEALTH
    output = s_client(healthy.port, "-tls1_3", "-msg", say=say, linger_s=0.1)
    assert output.count("healthy") == 3, output
    received = [line for line in output.splitlines() if line.startswith("<<<") and "KeyUpdate" in line]
    assert len(received) == 2, output


def test_openssl_resumes_each_of_five_connections(healthy):
    output = s_client(healthy.port, "-tls1_2", "-reconnect", say=b"\0" + LAST_HEALTH, linger_s=0.1)
    assert output.count("Reused, TLSv1.2") == 5, output
    assert output.count("healthy") == 1, output


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_resumes_a_kept_session(cast, healthy, version):
    kept = cast.folder / "session.pem"
    first = s_client(healthy.port, version, "-sess_out", kept, "-ign_eof", say=LAST_HEALTH, after_s=0.1, linger_s=0.1)
    again = s_client(healthy.port, version, "-sess_in", kept, "-ign_eof", say=LAST_HEALTH, after_s=0.1, linger_s=0.1)
    assert "New, TLS" in first and "healthy" in first, first
    assert "Reused, TLS" in again and "healthy" in again, again


def test_openssl_is_refused_a_renegotiation_and_others_are_served(healthy):
    with tls_records.connect(healthy.port, TLS12[0]) as other:
        output = s_client(healthy.port, "-tls1_2", "-msg", say=HEALTH + b"\0R\n", linger_s=0.2)
        assert output.count("healthy") == 1 and "RENEGOTIATING" in output, output
        assert "no_renegotiation" in output, output
        other.send(HEALTH)
        assert other.read_reply().body == b"healthy"
