"""Ends after the handshake: close_notify in both directions, truncation, alerts, and the one reason counted for each."""

import re
import signal

import pytest

from harness import client, tls_records
from harness.fake_node import NodeConnection
from harness.frames import CLOSE, TEXT, close_payload, node_frame
from harness.tls_records import (
    ALERT,
    BAD_RECORD_MAC,
    CLOSE_NOTIFY,
    DATA,
    FATAL,
    NO_RENEGOTIATION,
    TLS12,
    TLS13,
    USER_CANCELED,
    WARNING,
    websocket,
)

BOTH = pytest.mark.parametrize("suite", [TLS13[0], TLS12[0]], ids=["tls13", "tls12"])
ONLY_13 = pytest.mark.parametrize("suite", TLS13[:1], ids=["tls13"])
ONLY_12 = pytest.mark.parametrize("suite", TLS12[:1], ids=["tls12"])
POST = client.post(client.call("system_chain"))
LAST_POST = client.post(client.call("system_chain"), [("Connection", "close")])
BAD_CERTIFICATE, HANDSHAKE_FAILURE, UNRECOGNIZED_NAME = 42, 40, 112
IDLE_RECORDS_MAX = 32


@pytest.fixture
def start(cast, front):
    """start(script) gives a Ringwall in front of a node with that script; without one the node serves."""

    def make(script=NodeConnection.serve):
        return front(cast.fake_node(script))

    return make


def reasons(server) -> dict[str, int]:
    """What it counted, told at its stop."""
    assert server.stop() == 0
    line = server.wait_for_log("stopped sessions=")
    return {name: int(count) for name, count in re.findall(r" ended_([a-z_]+)=(\d+)", line)}


def ends_in_order(stream) -> None:
    """Nothing more, then close_notify, then FIN."""
    assert stream.read_to_end() == b""
    assert (stream.ended_by, stream.alerts) == ("eof", [(WARNING, CLOSE_NOTIFY)])


def ends_without_a_word(stream) -> None:
    """Neither an alert nor, above all, a close_notify."""
    assert stream.read_to_end() == b""
    assert stream.ended_by in ("truncated", "reset") and stream.alerts == []


def say(stream, text: str) -> None:
    message = client.message(text)
    stream.send_frame(TEXT, message)
    assert stream.read_message() == (TEXT, message)


# Ours. -------------------------------------------------------------------------------------------------------------


@BOTH
def test_after_the_last_answer(start, suite):
    server = start()
    with tls_records.connect(server.port, suite) as stream:
        stream.send(LAST_POST)
        assert stream.read_reply().status == 200
        ends_in_order(stream)
    assert reasons(server) == {"done": 1}


@BOTH
def test_after_a_refused_request(start, suite):
    server = start()
    with tls_records.connect(server.port, suite) as stream:
        stream.send(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
        assert stream.read_reply().status == 400
        ends_in_order(stream)
    assert reasons(server) == {"client_refused": 1}


@BOTH
def test_after_a_close_of_the_client(start, suite):
    server = start()
    with websocket(tls_records.connect(server.port, suite)) as stream:
        say(stream, "before")
        stream.send_frame(CLOSE, close_payload(1000))
        assert stream.read_frame().close_code == 1000
        ends_in_order(stream)
    assert reasons(server) == {"client_closed": 1}


@BOTH
def test_after_a_frame_that_is_refused(start, suite):
    server = start()
    with websocket(tls_records.connect(server.port, suite)) as stream:
        stream.send(node_frame(TEXT, client.message("not masked")))
        assert stream.read_frame().close_code == 1002
        ends_in_order(stream)
    assert reasons(server) == {"client_refused": 1}


@BOTH
def test_after_a_close_of_the_node(start, suite):
    def node(connection):
        connection.accept_upgrade()
        connection.send_frame(CLOSE, close_payload(1013))
        connection.read_to_end()

    server = start(node)
    with websocket(tls_records.connect(server.port, suite)) as stream:
        assert stream.read_frame().close_code == 1013
        ends_in_order(stream)
    assert reasons(server) == {"node_closed": 1}


@BOTH
def test_after_a_node_that_went_between_messages(start, suite):
    server = start(lambda connection: connection.accept_upgrade())
    with websocket(tls_records.connect(server.port, suite)) as stream:
        assert stream.read_frame().close_code == 1012
        ends_in_order(stream)
    assert reasons(server) == {"node_gone": 1}


@BOTH
def test_not_after_a_node_that_went_within_a_frame(start, suite):
    """What was cut short did not end well."""

    def node(connection):
        connection.accept_upgrade()
        connection.send(node_frame(TEXT, b"x" * 1000)[:500])

    server = start(node)
    with websocket(tls_records.connect(server.port, suite)) as stream:
        assert len(stream.read_to_end()) == 500
        assert stream.ended_by in ("truncated", "reset") and stream.alerts == []
    assert reasons(server) == {"node_gone": 1}


@BOTH
def test_at_the_stop(start, suite):
    server = start()
    with websocket(tls_records.connect(server.port, suite)) as talk, tls_records.connect(server.port, suite) as idle:
        say(talk, "before")
        idle.send(POST)
        assert idle.read_reply().status == 200
        server.send_signal(signal.SIGTERM)
        assert talk.read_frame().close_code == 1001
        ends_in_order(talk)
        ends_in_order(idle)
    assert server.wait(5) == 0
    assert reasons(server) == {"stopping": 2}


# Theirs. -----------------------------------------------------------------------------------------------------------


@BOTH
def test_close_notify_of_an_idle_client(start, suite):
    server = start()
    with tls_records.connect(server.port, suite) as used, tls_records.connect(server.port, suite) as fresh:
        used.send(POST)
        assert used.read_reply().status == 200
        for stream in (used, fresh):
            stream.close_notify()
            ends_in_order(stream)
    assert reasons(server) == {"client_closed": 1, "client_gone": 1}


@BOTH
@pytest.mark.parametrize("fin", [False, True], ids=["close_notify", "close_notify and FIN"])
def test_a_client_that_said_all_still_gets_its_answer(start, suite, fin):
    server = start()
    with tls_records.connect(server.port, suite) as stream:
        stream.send_raw(stream.records(POST) + stream.record(ALERT, bytes([WARNING, CLOSE_NOTIFY])))
        if fin:
            stream.half_close()
        assert stream.read_reply().status == 200
        ends_in_order(stream)
    assert reasons(server) == {"client_closed": 1}


@BOTH
def test_what_follows_a_close_notify_is_not_taken(start, suite):
    asked = []

    def node(connection):
        connection.answer_calls()
        asked.extend(connection.requests)

    server = start(node)
    with tls_records.connect(server.port, suite) as stream:
        end = stream.records(POST) + stream.record(ALERT, bytes([WARNING, CLOSE_NOTIFY]))
        stream.send_raw(end + stream.records(POST))
        assert stream.read_reply().status == 200
        assert stream.read_to_end() == b"" and stream.alerts == [(WARNING, CLOSE_NOTIFY)]
    assert reasons(server) == {"client_closed": 1}
    assert len(asked) <= 1


@BOTH
def test_close_notify_within_a_websocket_is_no_close(start, suite):
    codes = []

    def node(connection):
        connection.accept_upgrade()
        codes.append(connection.read_frame().close_code)

    server = start(node)
    with websocket(tls_records.connect(server.port, suite)) as stream:
        stream.close_notify()
        assert stream.read_to_end() == b"" and stream.ended_by in ("eof", "reset")
    assert reasons(server) == {"client_gone": 1}
    assert codes == [1001]


@BOTH
def test_a_fin_alone_after_a_request_still_gets_its_answer(start, suite):
    server = start()
    with tls_records.connect(server.port, suite) as stream:
        stream.send(POST)
        stream.half_close()
        assert stream.read_reply().status == 200
        ends_in_order(stream)
    assert reasons(server) == {"client_closed": 1}


@BOTH
@pytest.mark.parametrize("cut", [1, 5, 60, -1])
def test_a_fin_within_a_record_is_a_client_that_went(start, suite, cut):
    asked = []
    server = start(lambda connection: asked.append(connection.read_request()))
    with tls_records.connect(server.port, suite) as stream:
        stream.send_raw(stream.records(POST)[:cut])
        stream.half_close()
        assert stream.read_to_end() == b""
    assert reasons(server) == {"client_gone": 1}
    assert asked == []


@BOTH
def test_a_fin_within_a_websocket_is_a_client_that_went(start, suite):
    server = start()
    with websocket(tls_records.connect(server.port, suite)) as stream:
        say(stream, "before")
        stream.half_close()
        ends_without_a_word(stream)
    assert reasons(server) == {"client_gone": 1}


# Alerts. -----------------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("description", [HANDSHAKE_FAILURE, BAD_CERTIFICATE, 255])
def test_a_fatal_alert_ends_it(start, suite, description):
    """No alert answers it: the client has forgotten its keys."""
    server = start()
    with websocket(tls_records.connect(server.port, suite)) as talk, tls_records.connect(server.port, suite) as idle:
        say(talk, "before")
        for stream in (talk, idle):
            stream.send_alert(FATAL, description)
            ends_without_a_word(stream)
    assert reasons(server) == {"tls_failed": 2}


@ONLY_13
def test_in_tls_1_3_the_level_says_nothing(start, suite):
    """RFC 8446 section 6: every alert but close_notify and user_canceled is fatal."""
    server = start()
    with websocket(tls_records.connect(server.port, suite)) as stream:
        stream.send_alert(WARNING, UNRECOGNIZED_NAME)
        ends_without_a_word(stream)
    with tls_records.connect(server.port, suite) as stream:
        stream.send_alert(FATAL, CLOSE_NOTIFY)
        ends_in_order(stream)
    assert reasons(server) == {"tls_failed": 1, "client_gone": 1}


@ONLY_12
def test_in_tls_1_2_warnings_change_nothing(start, suite):
    server = start()
    with websocket(tls_records.connect(server.port, suite)) as stream:
        for description in (UNRECOGNIZED_NAME, NO_RENEGOTIATION, BAD_CERTIFICATE, USER_CANCELED):
            stream.send_alert(WARNING, description)
            say(stream, "after")
        stream.close_notify()
        assert stream.read_to_end() == b""
    assert reasons(server) == {"client_gone": 1}


@BOTH
def test_user_canceled_changes_nothing(start, suite):
    server = start()
    with tls_records.connect(server.port, suite) as stream:
        stream.send_alert(WARNING, USER_CANCELED)
        stream.send(POST)
        assert stream.read_reply().status == 200
        stream.send_alert(WARNING, USER_CANCELED)
        stream.close_notify()
        ends_in_order(stream)
    assert reasons(server) == {"client_closed": 1}


@BOTH
def test_warnings_without_end_are_cut(start, suite):
    server = start()
    with tls_records.connect(server.port, suite) as stream:
        warning = bytes([WARNING, USER_CANCELED])
        stream.send_raw(b"".join(stream.record(ALERT, warning) for _ in range(IDLE_RECORDS_MAX)))
        stream.send(POST)
        assert stream.read_reply().status == 200
        stream.send_raw(b"".join(stream.record(ALERT, warning) for _ in range(IDLE_RECORDS_MAX + 1)))
        assert stream.read_to_end() == b""
        assert [level for level, _ in stream.alerts] == [FATAL]
    assert reasons(server) == {"tls_failed": 1}


@BOTH
@pytest.mark.parametrize("where", ["head", "body", "relay", "waiting for the node"])
def test_a_record_that_does_not_open_is_counted_once_wherever_it_comes(start, offload, suite, where):
    def slow(connection):
        connection.read_request()
        connection.read_to_end()

    server = start(slow if where == "waiting for the node" else NodeConnection.serve)
    with tls_records.connect(server.port, suite) as stream:
        if where == "relay":
            websocket(stream)
        elif where != "head":
            stream.send(POST[:-5] if where == "body" else POST)
        wrong = bytearray(stream.record(DATA, b"wrong"))
        wrong[-1] ^= 1
        stream.send_raw(wrong)
        assert stream.read_to_end() == b""
        assert stream.alerts == [(FATAL, BAD_RECORD_MAC)]
    assert reasons(server) == {"tls_failed": 1}
