"""Records that break TLS after the handshake: each ends the connection with its alert, and nothing of it gets through.

A kernel that opens the records tells little of what was wrong with one, so its alert may be another. What it does open is
judged here as ever. It looks at no record before it has as many bytes as the smallest has, and gives an empty one out
with the one behind it: so there something follows.
"""

import os
from dataclasses import dataclass, field
from typing import Callable

import pytest

from harness import client, tls_records
from harness.frames import TEXT, client_frame
from harness.tls_records import (
    ALERT,
    BAD_RECORD_MAC,
    CHANGE_CIPHER_SPEC,
    CLIENT_HELLO,
    CLOSE_NOTIFY,
    DATA,
    DECODE_ERROR,
    FATAL,
    HANDSHAKE,
    ILLEGAL_PARAMETER,
    PLAINTEXT_MAX,
    PROTOCOL_VERSION,
    RECORD_OVERFLOW,
    TLS12,
    TLS13,
    UNEXPECTED_MESSAGE,
    WARNING,
    websocket,
)

HANDSHAKE_FAILURE = 40
OF_A_KERNEL = {BAD_RECORD_MAC, DECODE_ERROR, RECORD_OVERFLOW}
FRAME = client_frame(TEXT, client.message("never"))
BOTH = [TLS13[0], TLS12[0]]
EACH = [*TLS13, *TLS12[:3]]  # The other three differ in their certificate alone.
EMPTY_RECORDS = 33  # One too many.


@dataclass
class Wrong:
    """`wire(stream)` is what to send; `alerts` are those that the RFCs give for it."""

    name: str
    wire: Callable
    alerts: set[int]
    suites: list = field(default_factory=lambda: BOTH)
    opens: bool = False  # In a kernel too, so that the alert is due there as well.


def flipped(wire: bytes, at: int) -> bytes:
    wire = bytearray(wire)
    wire[at] ^= 1
    return bytes(wire)


def plain(type: int, body: bytes, version: int = 0x0303) -> bytes:
    return bytes([type]) + version.to_bytes(2, "big") + len(body).to_bytes(2, "big") + body


def skipping_one(stream) -> bytes:
    stream.record(DATA, FRAME)
    return stream.record(DATA, FRAME)


def repeated(stream) -> bytes:
    stream.sealing.sequence -= 1
    return stream.record(DATA, FRAME)


def handshake(*message: int, body: bytes = b"") -> Callable:
    return lambda stream: stream.record(HANDSHAKE, bytes(message) + body)


def announced(size: int) -> Callable:
    """The header alone says it."""
    return lambda stream: bytes([DATA, 3, 3]) + size.to_bytes(2, "big") + bytes(20)


def outer(type: int) -> Wrong:
    wire = lambda stream: stream.record(DATA, FRAME, outer=type)  # noqa: E731
    return Wrong(f"outer type {type}", wire, {UNEXPECTED_MESSAGE}, TLS13[:1])


def inner(type: int, body: bytes = FRAME) -> Wrong:
    wire = lambda stream: stream.record(type, body)  # noqa: E731
    return Wrong(f"type {type}, {len(body)} bytes", wire, {UNEXPECTED_MESSAGE}, BOTH, type not in (0, 20))


def alert(*body: int, alerts) -> Wrong:
    return Wrong(f"alert of {len(body)} bytes", lambda stream: stream.record(ALERT, bytes(body)), alerts, BOTH, True)


def in_plain(name: str, type: int, body: bytes) -> list[Wrong]:
    """In TLS 1.3 its type says that it is wrong; in TLS 1.2 it does not open."""
    wire = lambda stream: plain(type, body)  # noqa: E731
    return [
        Wrong(f"plain {name}", wire, {UNEXPECTED_MESSAGE}, ONLY_13),
        Wrong(f"plain {name}", wire, {UNEXPECTED_MESSAGE, *UNOPENED}, ONLY_12),
    ]


UNOPENED = {BAD_RECORD_MAC, DECODE_ERROR}
TOO_LONG_13, TOO_LONG_12 = PLAINTEXT_MAX + 257, PLAINTEXT_MAX + 2049
ONLY_13, ONLY_12, GCM_12 = TLS13[:1], TLS12[:1], TLS12[:1]

WRONGS = [
    # What does not open.
    Wrong("tag", lambda stream: flipped(stream.record(DATA, FRAME), -1), {BAD_RECORD_MAC}, EACH),
    Wrong("ciphertext", lambda stream: flipped(stream.record(DATA, FRAME), -17), {BAD_RECORD_MAC}, EACH),
    Wrong("first byte", lambda stream: flipped(stream.record(DATA, FRAME), 5), {BAD_RECORD_MAC}, EACH),
    Wrong("full record's tag", lambda stream: flipped(stream.record(DATA, bytes(PLAINTEXT_MAX)), -1), {BAD_RECORD_MAC}),
    Wrong("a record missing", skipping_one, {BAD_RECORD_MAC}, EACH),
    Wrong("a record repeated", repeated, {BAD_RECORD_MAC}, EACH),
    Wrong("garbage", lambda stream: plain(DATA, os.urandom(100)), {BAD_RECORD_MAC}),
    Wrong("HTTP in plain", lambda stream: plain(DATA, client.page_request()), {BAD_RECORD_MAC}),
    # Sizes.
    Wrong("a byte too much", lambda stream: stream.record(DATA, bytes(PLAINTEXT_MAX + 1)), {RECORD_OVERFLOW}, EACH),
    Wrong(
        "a byte too much, of padding",
        lambda stream: stream.record(DATA, FRAME, padding=PLAINTEXT_MAX + 1 - len(FRAME)),
        {RECORD_OVERFLOW},
        ONLY_13,
    ),
    Wrong("ciphertext too long", announced(TOO_LONG_13), {RECORD_OVERFLOW}, ONLY_13),
    Wrong("ciphertext too long for 1.2", announced(TOO_LONG_12), {RECORD_OVERFLOW}, ONLY_12),
    Wrong("65535", announced(65535), {RECORD_OVERFLOW}),
    Wrong("no ciphertext", lambda stream: plain(DATA, b""), UNOPENED),
    Wrong("too short for a tag", lambda stream: plain(DATA, bytes(15)), UNOPENED),
    Wrong("a tag alone", lambda stream: plain(DATA, bytes(16)), UNOPENED),
    Wrong("too short for nonce and tag", lambda stream: plain(DATA, bytes(23)), UNOPENED, GCM_12),
    # Types and versions.
    *(outer(type) for type in (0, 20, 21, 22, 24, 255)),
    *(inner(type) for type in (0, 20, 24, 255)),
    Wrong("inner plaintext of zeros", lambda stream: stream.record(0, bytes(50)), {UNEXPECTED_MESSAGE}, ONLY_13),
    *(
        Wrong(
            f"version {version:#06x}",
            lambda stream, version=version: stream.record(DATA, FRAME, version=version),
            {PROTOCOL_VERSION, DECODE_ERROR, BAD_RECORD_MAC, ILLEGAL_PARAMETER, UNEXPECTED_MESSAGE},
        )
        for version in (0x0300, 0x0301, 0x0302, 0x0304, 0x0203, 0xFFFF)
    ),
    # In plain, as before the handshake's end.
    *in_plain("ChangeCipherSpec", CHANGE_CIPHER_SPEC, b"\1"),
    *in_plain("close_notify", ALERT, bytes([WARNING, CLOSE_NOTIFY])),
    *in_plain("alert", ALERT, bytes([FATAL, HANDSHAKE_FAILURE])),
    *in_plain("handshake", HANDSHAKE, bytes([CLIENT_HELLO, 0, 0, 40]) + bytes(40)),
    # What opens and should not have been said.
    alert(1, alerts={DECODE_ERROR}),
    alert(1, 0, 0, alerts={DECODE_ERROR}),
    alert(alerts={UNEXPECTED_MESSAGE, DECODE_ERROR}),
    Wrong("empty handshake", handshake(), {UNEXPECTED_MESSAGE}, ONLY_13, True),
    *(
        Wrong(f"message {type}", handshake(type, 0, 0, 40, body=bytes(40)), {UNEXPECTED_MESSAGE}, ONLY_13, True)
        for type in (0, 1, 2, 4, 5, 8, 11, 13, 15, 20, 254, 255)
    ),
]


def cases():
    for wrong in WRONGS:
        for suite in wrong.suites:
            yield pytest.param(wrong, suite, id=f"{wrong.name}-{suite.name}")


@pytest.mark.parametrize("wrong, suite", cases())
def test_it_ends_with_its_alert_and_nothing_gets_through(shared_echo, offload, wrong, suite):
    with tls_records.connect(shared_echo.port, suite) as stream:
        websocket(stream)
        message = client.message("before")
        stream.send_frame(TEXT, message)
        assert stream.read_message() == (TEXT, message)
        stream.send_raw(wrong.wire(stream) + (stream.records(FRAME) if offload == "kernel" else b""))
        assert stream.read_to_end() == b""
        assert [level for level, _ in stream.alerts] == [FATAL]
        assert stream.alert in (wrong.alerts if offload == "user" or wrong.opens else wrong.alerts | OF_A_KERNEL)
        assert stream.ended_by == "alert"


@pytest.mark.parametrize("suite", EACH, ids=[suite.name for suite in EACH])
def test_empty_records_without_end_are_cut(shared_echo, offload, suite):
    """A kernel takes them for nothing, and tells nobody."""
    with websocket(tls_records.connect(shared_echo.port, suite)) as stream:
        empty = b"".join(stream.record(DATA, b"") for _ in range(EMPTY_RECORDS))
        stream.send_raw(empty + stream.records(FRAME))
        if offload == "kernel":
            assert stream.read_message()[0] == TEXT
            return
        assert stream.read_to_end() == b""
        assert stream.alerts == [(FATAL, UNEXPECTED_MESSAGE)] and stream.ended_by == "alert"


@pytest.mark.parametrize("suite", EACH, ids=[suite.name for suite in EACH])
def test_a_request_before_it_is_answered_and_one_after_it_is_not(cast, front, offload, suite):
    node = cast.recording_node()
    server = front(node)
    with tls_records.connect(server.port, suite) as stream:
        stream.send(client.post(client.call("chain_getBlock")))
        assert stream.read_reply().status == 200
        wrong = flipped(stream.records(client.post(client.call("chain_getHead"))), -1)
        stream.send_raw(wrong + stream.records(client.post(client.call("chain_getHeader"))))
        assert stream.read_to_end() == b""
        assert stream.alerts == [(FATAL, BAD_RECORD_MAC)]
    (asked,) = node.texts_since(0)
    assert b"chain_getBlock" in asked
