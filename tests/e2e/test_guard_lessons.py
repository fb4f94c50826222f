"""What attacks and mistakes taught: each was a way round a limit, or a word to the operator that did not help."""

import re
import time

import pytest

from harness import client
from harness.client import call, exchange, post
from harness.guard import BAD_REQUEST, DENIED, RATE, Talk, codes, guard_counters, refusals, turned_away
from harness.until import until

CHEAP = "system_chain"
PROXY = {"listener.trusted_proxies": "127.0.0.0/8"}


def guarded(cast, settings: dict, shards: int = 1, **options):
    return cast.ringwall(
        cast.recording_node(), guard=True, arguments=["--shards", str(shards)], settings=settings, **options
    )


def test_a_place_is_held_until_the_socket_is_closed(cast):
    """Who asks for answers and does not read them has as many connections as others, not as many as it likes."""
    server = guarded(cast, {"limits.address_connections_max": 3}, tls=False)
    ask = post(call(CHEAP), [("Connection", "close")])
    readers = [client.connect(server.port, tls=False) for _ in range(3)]
    for stream in readers:
        stream.send(ask)
    time.sleep(0.3)  # They are answered, and their sessions over; they have not closed.
    assert turned_away(server, wait_s=0.5)
    for stream in readers:
        stream.read_to_end()
        stream.close()
    until(lambda: not turned_away(server, wait_s=0.3), 3, "the places are given to others")


def test_what_was_delayed_and_answered_was_not_refused(cast):
    server = guarded(
        cast,
        {
            "limits.action": "delay",
            "limits.close_after": 3,
            "limits.connection_units_per_s": 20,
            "limits.connection_units_burst": 1,
        },
    )
    with Talk(server) as talk:
        ids = [talk.send(CHEAP) for _ in range(10)]
        assert [talk.read()["id"] for _ in ids] == ids
        assert talk.code("author_rotateKeys") in (DENIED, RATE)
        time.sleep(0.2)
        assert talk.result(CHEAP) == "ok"
    counters = guard_counters(server)
    assert counters["messages"] == 12
    assert sum(refusals(counters).values()) <= 1


def test_a_refused_batch_is_not_answered_with_more_than_it_paid_for(cast):
    server = guarded(cast, {"limits.address_units_per_s": 1, "limits.address_units_burst": 150})
    with Talk(server) as talk:
        talk.send_text(b"[" + b"1," * 199 + b"1]")
        assert codes(talk.read()) == [BAD_REQUEST]
        talk.send_text(b"[" + b"1," * 99 + b"1]")
        assert codes(talk.read()) == [BAD_REQUEST] * 100
        talk.send_text(b"[" + b"1," * 99 + b"1]")
        answer = talk.read()
        assert (codes(answer), answer["id"]) == ([RATE], None)


def test_bytes_over_the_rate_are_not_read(cast):
    server = guarded(cast, {"limits.connection_units_per_s": 1, "limits.connection_units_burst": 10})
    with Talk(server) as talk:
        big = b'{"jsonrpc":"2.0","id":7,"method":"system_chain","params":["' + b"x" * 100_000 + b'"]}'
        assert "result" in talk.ask_text(big)  # Six units and one.
        answer = talk.ask_text(big)
        assert (codes(answer), answer["id"]) == ([RATE], None)
    assert guard_counters(server)["calls"] == 1


def test_small_calls_over_the_rate_are_refused_with_their_ids(cast):
    server = guarded(cast, {"limits.connection_units_per_s": 1, "limits.connection_units_burst": 300})
    with Talk(server) as talk:
        ids = [talk.send(CHEAP) for _ in range(600)]  # More than 16 KiB.
        assert sorted(talk.read()["id"] for _ in ids) == ids


def test_with_delay_calls_wait_for_their_bytes_too(cast):
    settings = {"limits.action": "delay", "limits.connection_units_per_s": 200, "limits.connection_units_burst": 100}
    server = guarded(cast, {**settings, "limits.request_bytes_per_unit": "1KiB"})
    with Talk(server) as talk:
        ids = [talk.send(CHEAP, ["x" * size]) for size in [10, 2_000, 30_000] * 10]
        answers = [talk.read() for _ in ids]
        assert [answer["id"] for answer in answers] == ids and all("result" in answer for answer in answers)


def test_a_notification_of_rpc_methods_is_not_answered(cast):
    server = guarded(cast, {})
    with Talk(server) as talk:
        talk.send_text(b'{"jsonrpc":"2.0","method":"rpc_methods"}')
        assert talk.result(CHEAP) == "ok"


@pytest.mark.parametrize("address", ["198.51.100.9", "198.51.100.9:1234", "[2001:db8::1]:5", "unknown", ""])
def test_behind_a_trusted_proxy_nobody_is_let_in_unasked(cast, address):
    server = guarded(cast, {**PROXY, "limits.allow": "203.0.113.0/24"}, tls=False)
    fields = [("X-Forwarded-For", address)] if address else []
    assert exchange(server.port, post(call(CHEAP), fields), tls=False).status == 403
    for allowed in ("203.0.113.7", "203.0.113.7:4711"):
        fields = [("X-Forwarded-For", allowed)]
        assert exchange(server.port, post(call(CHEAP), fields), tls=False).status == 200


def test_who_is_exempt_is_not_closed_for_a_handshake(cast):
    server = guarded(cast, {"limits.handshakes_max": 1, "limits.exempt": "127.0.0.3/32"})
    exempt = [client.connect(server.port, tls=False, source="127.0.0.3") for _ in range(2)]
    stranger = client.connect(server.port, tls=False, source="127.0.0.2")
    with Talk(server, source="127.0.0.3") as talk:
        assert talk.result(CHEAP) == "ok"
    assert all(stream.silent_for(0.2) for stream in (*exempt, stranger))
    for stream in (*exempt, stranger):
        stream.close()
    assert guard_counters(server)["handshakes_refused"] == 0


@pytest.mark.parametrize("others, told", [(0, 1), (30, 0)])
def test_one_address_with_nearly_all_connections_is_pointed_out_once(cast, others, told):
    server = guarded(cast, {}, shards=4)
    talks = [Talk(server, source=f"127.0.7.{1 + number}") for number in range(others)]
    talks += [Talk(server) for _ in range(40)]
    time.sleep(1.2)
    talks += [Talk(server) for _ in range(2)]
    for talk in talks:
        talk.stream.close()
    server.stop()
    assert server.log.count("nearly all connections come from 127.0.0.1") == told


def test_the_operator_hears_of_every_name_and_of_nothing_that_he_ruled_out(cast):
    server = guarded(cast, {"methods.deny": "system_name"})
    with Talk(server) as talk:
        for method in ("moon_a", "moon_b", "system_name"):
            assert talk.code(method) == DENIED
        assert talk.code("moon_b") == DENIED
        time.sleep(1.5)
    server.stop()
    asked = [line for line in server.log.splitlines() if "add it to methods.allow" in line]
    assert ['"moon_a"' in asked[0], '"moon_b"' in asked[1]] == [True, True]
    assert not any("system_name" in line for line in asked)
    assert "not offered here: moon_a 1 time, moon_b 2 times" in server.log


def test_an_allowed_unsafe_method_is_warned_of(cast):
    server = guarded(cast, {"methods.allow": "author_*"})
    assert re.search(r"WARNING: methods.allow lets \d+ of the known unsafe methods pass, such as author_", server.log)
    assert "WARNING: methods" not in guarded(cast, {"methods.allow": "eth_*"}).log
