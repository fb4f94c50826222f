"""How much a client may use: each limit is reached, shown by its counter, and felt by nobody else."""

import json
import threading
import time

import pytest

from harness import client
from harness.client import call, exchange, post, upgrade_request
from harness.evasions import batch
from harness.evasions import call as raw_call
from harness.frames import PING, PONG
from harness.guard import (
    BAD_REQUEST,
    DENIED,
    RATE,
    Talk,
    ask_by_post,
    codes,
    guard_counters,
    refusals,
)
from harness.until import Stopwatch, until

CHEAP, HEAVY = "system_chain", "author_pendingExtrinsics"  # 1 unit and 20; an upgrade is 1 too.
# Of a clock that a shard may be ahead of another (src/quota/README.md), and of this process's own timing.
SLACK_S = 0.5
SLOW_S = 4  # that a few calls may take on a busy machine, while units come back by the second
OTHER = "127.0.0.2"


def rate(whose: str, per_s: int, burst: int) -> dict:
    """A rate, and what may come at once after a silence."""
    return {f"limits.{whose}_units_per_s": per_s, f"limits.{whose}_units_burst": burst}


@pytest.fixture
def node(cast):
    return cast.recording_node()


@pytest.fixture
def guarded(cast, node):
    def start(settings: dict, arguments=(), **options):
        return cast.ringwall(node, guard=True, arguments=["--shards", "1", *arguments], settings=settings, **options)

    return start


# Units ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shards", ["1", "2"])
def test_a_flood_over_one_websocket_is_held_to_its_rate_and_another_address_feels_nothing(cast, node, shards):
    per_s, burst = 200, 300
    settings = {**rate("address", per_s, burst), "limits.close_after": "none", "limits.request_bytes_per_unit": "none"}
    server = cast.ringwall(node, guard=True, arguments=["--shards", shards], settings=settings)
    flood, slowest = [], 0.0
    with Talk(server) as flooder, Talk(server, source=OTHER) as other:
        thread = threading.Thread(target=lambda: flood.append(flooder.flood(CHEAP, seconds=3)))
        thread.start()
        for _ in range(100):  # Within its own burst.
            with Stopwatch() as watch:
                assert other.result(CHEAP) == "ok"
            slowest = max(slowest, watch.seconds)
            time.sleep(0.02)
        thread.join()
    (flood,) = flood
    assert flood.refused > 100
    assert burst + per_s * (flood.sending_s - SLACK_S) * 0.9 < flood.answered < burst + per_s * (flood.seconds + SLACK_S)
    assert slowest < 0.5
    counters = guard_counters(server)
    assert refusals(counters) == {"address_units": flood.refused}
    assert counters["calls"] == flood.answered + 100


def test_a_refusal_tells_when_to_come_again_and_it_is_true(guarded):
    server = guarded(rate("address", 10, 21))
    with Talk(server) as talk:
        assert talk.code(HEAVY) is None
        error = talk.ask(CHEAP)["error"]
        wait_ms = error["data"]["retry_after_ms"]
        assert error["code"] == RATE and 0 < wait_ms <= 110
        time.sleep((wait_ms + 20) / 1000)
        assert talk.code(CHEAP) is None


def test_the_units_of_an_address_are_shared_by_its_connections(guarded):
    server = guarded(rate("address", 1, 22))
    with Talk(server) as one, Talk(server) as two, Talk(server, source=OTHER) as other:
        assert one.flood(CHEAP, calls=15, window=1).answered == 15
        assert 5 <= two.flood(CHEAP, calls=15, window=1).answered <= 6 + SLOW_S
        assert other.flood(CHEAP, calls=15, window=1).answered == 15
        assert ask_by_post(server, CHEAP).status == 429
    assert set(refusals(guard_counters(server))) == {"address_units"}


def test_the_units_of_a_connection_are_its_own(guarded):
    server = guarded(rate("connection", 1, 11))
    for _ in range(2):
        with Talk(server) as talk:
            assert 10 <= talk.flood(CHEAP, calls=20, window=1).answered <= 11 + SLOW_S
    assert set(refusals(guard_counters(server))) == {"connection_units"}


def test_the_units_of_a_network_are_shared_by_its_addresses(guarded):
    server = guarded({"limits.ipv4_network_bits": 16, **rate("network", 1, 12)})
    with Talk(server, source="127.0.3.1") as one, Talk(server, source="127.0.4.1") as two:
        assert one.flood(CHEAP, calls=6, window=1).answered == 6
        assert 4 <= two.flood(CHEAP, calls=12, window=1).answered <= 5 + SLOW_S
    with Talk(server, source="127.9.0.1") as other:
        assert other.flood(CHEAP, calls=6, window=1).answered == 6
    assert set(refusals(guard_counters(server))) == {"network_units"}


def test_the_units_of_the_machine_are_shared_by_all(guarded):
    server = guarded(rate("machine", 10, 58))
    with Stopwatch() as watch:
        talks = [Talk(server, source=f"127.{number + 1}.0.1") for number in range(8)]
        answered = sum(talk.flood(CHEAP, calls=20, window=1).answered for talk in talks)
    # And a slice of the one shard, which is a unit here.
    assert 50 <= answered <= 50 + 10 * (watch.seconds + SLACK_S) + 1
    for talk in talks:
        talk.stream.close()
    assert set(refusals(guard_counters(server))) == {"machine_units"}


def test_each_class_costs_what_is_said_and_a_name_what_is_said_of_it(guarded):
    settings = {"methods.cheap_units": 2, "methods.normal_units": 3, "methods.heavy_units": 7}
    server = guarded({**settings, "methods.costs": "system_name=11,chain_*=13"})
    with Talk(server) as talk:
        for method in ("system_chain", "system_accountNextIndex", HEAVY, "system_name", "chain_getHeader"):
            talk.result(method)
    assert guard_counters(server)["units"] == 1 + 2 + 3 + 7 + 11 + 13


def test_a_batch_costs_the_sum_of_its_calls_all_or_nothing(guarded, node):
    server = guarded(rate("address", 1, 51))
    two = batch(raw_call(HEAVY.encode(), b"1"), raw_call(HEAVY.encode(), b"2"))
    with Talk(server) as talk:
        assert codes(talk.ask_text(two)) == [None, None]
        refused = talk.ask_text(two)
        assert codes(refused) == [RATE, RATE]
        # 51 units less two calls of 20 and what is paid for their bytes; the machine may be slow between the two.
        assert all(10_000 < one["error"]["data"]["retry_after_ms"] <= 30_000 for one in refused)
        assert talk.flood(CHEAP, calls=8, window=1).answered == 8  # What was refused has cost nothing.
    assert len(node.texts_since(0)) == 9


@pytest.mark.parametrize("what", ["a call", "a batch"])
def test_what_costs_more_than_a_burst_is_refused_for_good(guarded, what):
    one, costs = raw_call(HEAVY.encode(), b"1"), {"methods.costs": f"{HEAVY}=31"} if what == "a call" else {}
    server = guarded({**rate("address", 10, 30), **costs})
    with Talk(server) as talk:
        answer = talk.ask_text(one if what == "a call" else batch(one, raw_call(HEAVY.encode(), b"2")))
        assert set(codes(answer)) == {BAD_REQUEST}
        assert "retry_after_ms" not in json.dumps(answer)
        assert talk.code(CHEAP) is None
    assert refusals(guard_counters(server)) == {"request_units": 1}


def test_a_batch_may_be_so_long_and_no_longer(guarded, node):
    server = guarded({"limits.batch_calls_max": 5})
    calls = [raw_call(CHEAP.encode(), b"%d" % number) for number in range(6)]
    with Talk(server) as talk:
        assert codes(talk.ask_text(batch(*calls[:5]))) == [None] * 5
        assert set(codes(talk.ask_text(batch(*calls)))) == {BAD_REQUEST}
        assert talk.code(CHEAP) is None
    reply = exchange(server.port, post(batch(*calls)))
    assert reply.status == 200 and set(codes(reply.json)) == {BAD_REQUEST}
    assert len(node.texts_since(0)) == 2
    assert refusals(guard_counters(server)) == {"batch_calls": 2}


def test_answers_can_be_charged_by_their_bytes(cast):
    node = cast.recording_node(results={HEAVY: "x" * 50_000})
    for bytes_per_unit, answered in (("1000", 2), ("none", 6)):
        settings = {**rate("address", 1, 121), "limits.answer_bytes_per_unit": bytes_per_unit}
        server = cast.ringwall(node, guard=True, settings=settings)
        with Talk(server) as talk:  # 20 each, and some 50 for the answer.
            assert talk.flood(HEAVY, calls=6, window=1).answered == answered
        assert guard_counters(server)["units_owed"] in ((100, 101) if answered == 2 else (0,))


# What is refused by HTTP ------------------------------------------------------------------------------------------


def test_a_post_over_the_rate_is_429_and_says_when_to_come_again(guarded):
    server = guarded(rate("address", 5, 20))
    with client.connect(server.port) as stream:
        stream.send(post(call(HEAVY)) + post(call(CHEAP, id=7)))
        assert stream.read_reply().status == 200
        reply = stream.read_reply()
        assert (reply.status, reply.get("retry-after"), reply.get("content-type")) == (429, "1", "application/json")
        assert reply.get("access-control-allow-origin") == "*"  # Or a page could not tell.
        assert reply.json["id"] == 7 and codes(reply.json) == [RATE]
    time.sleep(1.2)
    assert ask_by_post(server, CHEAP).status == 200
    assert refusals(guard_counters(server)) == {"address_units": 1}


def test_an_upgrade_while_the_rate_is_exceeded_is_429(guarded):
    server = guarded(rate("address", 1, 20))
    assert ask_by_post(server, HEAVY).status == 200
    reply = exchange(server.port, upgrade_request())
    assert reply.status == 429 and int(reply.get("retry-after")) >= 1
    Talk(server, source=OTHER).stream.close()


# Close, delay, off, exempt ----------------------------------------------------------------------------------------


def test_after_so_many_refusals_a_websocket_is_closed_with_1008(guarded):
    server = guarded({**rate("address", 1, 21), "limits.close_after": 5})
    with Talk(server) as talk:
        talk.result(HEAVY)
        for _ in range(20):
            talk.send(CHEAP)
        refused = 0
        with pytest.raises(EOFError):
            while codes(talk.read()) == [RATE]:
                refused += 1
        assert (talk.closed_with, refused) == (1008, 5)
    assert refusals(guard_counters(server)) == {"address_units": 5}


def test_a_denied_method_is_no_refusal_that_closes(guarded):
    server = guarded({"limits.close_after": 3})
    with Talk(server) as talk:
        assert [talk.code("author_rotateKeys") for _ in range(20)] == [DENIED] * 20


def test_with_delay_a_call_over_the_rate_is_answered_late(guarded):
    server = guarded({**rate("address", 20, 21), "limits.action": "delay"})
    with Talk(server) as talk, Stopwatch() as watch:
        talk.result(HEAVY)
        ids = [talk.send(CHEAP) for _ in range(20)]
        assert [talk.read() for _ in ids] == [{"jsonrpc": "2.0", "id": id, "result": "ok"} for id in ids]
    assert 0.7 < watch.seconds < 3


def test_with_delay_pings_are_answered_and_others_served_meanwhile(guarded):
    server = guarded({**rate("address", 10, 21), "limits.action": "delay", "limits.delay_ms_max": 5000})
    with Talk(server) as talk, Talk(server, source=OTHER) as other:
        talk.result(HEAVY)
        talk.send(HEAVY, id=9)  # In two seconds.
        time.sleep(0.2)
        with Stopwatch() as watch:
            talk.stream.send_frame(PING, b"there?")
            assert other.result(CHEAP) == "ok"
            frame = talk.stream.read_frame()
            assert (frame.opcode, frame.payload) == (PONG, b"there?")
        assert watch.seconds < 0.5
        assert talk.read()["id"] == 9


def test_with_delay_nothing_waits_longer_than_it_may(guarded):
    server = guarded({**rate("address", 1, 21), "limits.action": "delay", "limits.delay_ms_max": 500})
    with Talk(server) as talk, Stopwatch() as watch:
        talk.result(HEAVY)
        assert talk.code(HEAVY) == RATE
        assert watch.seconds < 1.5
        talk.send_text(b'{"jsonrpc":"2.0","id":1,"method":"author_rotateKeys"}')
        assert codes(talk.read()) in ([DENIED], [RATE])


@pytest.mark.parametrize("end, seconds", [("reset", 1), ("close", 4), ("close_notify", 4), ("half_close", 4)])
def test_a_client_that_leaves_while_it_is_delayed_leaves_nothing(guarded, end, seconds):
    """Who is not read is not seen to say goodbye until the call is due; a reset is seen at once."""
    server = guarded({**rate("address", 10, 21), "limits.action": "delay", "limits.delay_ms_max": 3000})
    before = server.fd_count()
    talk = Talk(server)
    talk.result(HEAVY)
    talk.send(HEAVY)  # In two seconds.
    time.sleep(0.2)
    getattr(talk.stream, end)()
    until(lambda: server.fd_count() <= before, seconds, "the descriptors are back")


TIGHT = {
    **rate("address", 1, 1),
    **rate("connection", 1, 1),
    **rate("machine", 1, 1),
    "limits.address_connections_max": 1,
    "limits.connection_subscriptions_max": 1,
    "limits.address_subscriptions_max": 1,
    "limits.connection_calls_in_flight_max": 1,
    "limits.batch_calls_max": 1,
    "limits.handshakes_max": 1,
    "limits.close_after": 1,
    "limits.address_new_connections_per_s": 1,
    "limits.address_new_connections_burst": 1,
}


def test_limits_off_lifts_all_of_them_and_counts_all_the_same(guarded):
    server = guarded(TIGHT, ["--limits", "off"])
    talks = [Talk(server) for _ in range(3)]
    for talk in talks:
        assert talk.flood(CHEAP, calls=50).answered == 50
        assert codes(talk.ask_text(batch(raw_call(CHEAP.encode()), raw_call(CHEAP.encode(), b"2")))) == [None, None]
        assert [talk.code("chain_subscribeNewHeads") for _ in range(3)] == [None] * 3
        assert talk.code("author_rotateKeys") == DENIED  # The methods are another switch's.
        talk.stream.close()
    counters = guard_counters(server)
    assert refusals(counters) == {}
    assert (counters["calls"], counters["unsafe"]) == (3 * (50 + 2 + 3), 3)
    assert counters["units"] >= 3 * (50 + 2 + 3 * 5)


def test_who_is_exempt_is_counted_and_never_refused(guarded):
    server = guarded({**rate("address", 1, 10), "limits.exempt": "127.0.0.1/32", "limits.address_connections_max": 1})
    with Talk(server) as one, Talk(server) as two, Talk(server, source=OTHER) as other:
        assert one.flood(CHEAP, calls=30).answered == two.flood(CHEAP, calls=30).answered == 30
        assert other.flood(CHEAP, calls=30).refused >= 18
    counters = guard_counters(server)
    assert set(refusals(counters)) == {"address_units"}
    assert counters["units_exempt"] >= 60


# Who is charged ---------------------------------------------------------------------------------------------------


def forwarded(*addresses: str) -> list[tuple[str, str]]:
    return [("X-Forwarded-For", ", ".join(addresses))]


def test_two_clients_behind_one_trusted_proxy_have_a_budget_each(guarded):
    server = guarded({**rate("address", 1, 21), "listener.trusted_proxies": "127.0.0.0/8"}, tls=False)
    first, second = forwarded("203.0.113.1"), forwarded("203.0.113.2")
    with client.connect(server.port, tls=False) as stream:  # As a proxy keeps one connection for all.
        for fields, status in ((first, 200), (first, 429), (second, 200), (second, 429), (forwarded("203.0.113.3"), 200)):
            stream.send(post(call(HEAVY), fields))
            assert stream.read_reply().status == status
    with Talk(server, fields=forwarded("203.0.113.4")) as one, Talk(server, fields=forwarded("203.0.113.5")) as two:
        assert [one.code(HEAVY), two.code(HEAVY), one.code(HEAVY)] == [None, None, RATE]
    statuses = [exchange(server.port, upgrade_request(fields=first), tls=False).status for _ in range(4)]
    assert statuses[-1] == 429  # A unit is left, and a second may pass.


def test_a_trusted_proxys_clients_are_told_by_the_right_of_the_list(guarded):
    server = guarded({**rate("address", 1, 20), "listener.trusted_proxies": "127.0.0.0/8"}, tls=False)
    for forged in range(3):
        reply = ask_by_post(server, HEAVY, fields=forwarded(f"198.51.100.{forged}", "203.0.113.1"))
        assert reply.status == (429 if forged else 200)


def test_a_forged_header_from_elsewhere_changes_nothing(guarded):
    server = guarded({**rate("address", 1, 20), "listener.trusted_proxies": "10.0.0.0/8"})
    for number in range(3):
        address = f"203.0.113.{number}"
        fields = [*forwarded(address), ("X-Real-IP", address), ("Forwarded", f"for={address}")]
        assert ask_by_post(server, HEAVY, fields=fields).status == (429 if number else 200)
    assert refusals(guard_counters(server)) == {"address_units": 2}


def test_a_trusted_proxy_has_no_limit_of_connections_and_its_clients_have(guarded):
    settings = {"listener.trusted_proxies": "127.0.0.1/32", "limits.address_connections_max": 2}
    server = guarded(settings, tls=False)
    talks = [Talk(server, fields=forwarded("203.0.113.1")) for _ in range(2)]
    reply = exchange(server.port, upgrade_request(fields=forwarded("203.0.113.1")), tls=False)
    assert reply.status == 429 and reply.get("retry-after")
    talks += [Talk(server, fields=forwarded(f"203.0.113.{number}")) for number in range(2, 6)]
    for talk in talks:
        assert talk.result(CHEAP) == "ok"
        talk.stream.close()
    assert guard_counters(server)["proxied_refused"] == 1
