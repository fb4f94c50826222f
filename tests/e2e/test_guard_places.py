"""What a client may hold: connections, handshakes, subscriptions and calls in flight, each given back in every way."""

import time

import pytest

from harness import client
from harness.guard import RATE, Talk, codes, guard_counters, refusals, turned_away
from harness.recording_node import Failure
from harness.until import until

CHEAP = "system_chain"
FOLLOW, UNFOLLOW = "chain_subscribeNewHeads", "chain_unsubscribeNewHeads"
WATCH = "author_submitAndWatchExtrinsic"
OTHER = "127.0.0.2"


def guarded(cast, node, settings: dict, **options):
    return cast.ringwall(node, guard=True, arguments=["--shards", "1"], settings=settings, **options)


# Connections, at accept -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tls", [True, False])
def test_open_connections_of_an_address(cast, tls):
    server = guarded(cast, cast.recording_node(), {"limits.address_connections_max": 3}, tls=tls)
    talks = [Talk(server) for _ in range(3)]
    assert turned_away(server)
    assert not turned_away(server, OTHER)
    for talk in talks:
        assert talk.result(CHEAP) == "ok"
    talks[0].stream.reset()
    until(lambda: not turned_away(server, wait_s=0.3), 3, "its place is given to another")
    assert refusals(guard_counters(server))["address_connections"] >= 1


def test_open_connections_of_a_network(cast):
    settings = {"limits.ipv4_network_bits": 16, "limits.network_connections_max": 3}
    server = guarded(cast, cast.recording_node(), settings)
    talks = [Talk(server, source=f"127.0.6.{number}") for number in (1, 2, 3)]
    assert turned_away(server, "127.0.6.4")
    assert not turned_away(server, "127.9.0.1")
    talks[0].stream.close()
    until(lambda: not turned_away(server, "127.0.6.4", wait_s=0.3), 3, "its place is given to another")
    assert set(refusals(guard_counters(server))) == {"network_connections"}


@pytest.mark.parametrize("whose", ["address", "network"])
def test_new_connections_a_second(cast, whose):
    settings = {
        "limits.ipv4_network_bits": 16,
        f"limits.{whose}_new_connections_per_s": 1,
        f"limits.{whose}_new_connections_burst": 3,
    }
    server = guarded(cast, cast.recording_node(), settings)
    for _ in range(3):
        Talk(server).stream.close()
    assert turned_away(server)
    assert not turned_away(server, "127.9.0.1")
    time.sleep(1.2)
    assert Talk(server).result(CHEAP) == "ok"
    assert set(refusals(guard_counters(server))) == {f"{whose}_new_connections"}


def test_handshakes_at_once(cast):
    """For one more the oldest that is not done goes: silent connections keep nobody out."""
    server = guarded(cast, cast.recording_node(), {"limits.handshakes_max": 3})
    done = Talk(server)
    silent = [client.connect(server.port, tls=False, source=OTHER) for _ in range(3)]
    time.sleep(0.2)
    assert Talk(server).result(CHEAP) == "ok"
    assert done.result(CHEAP) == "ok"
    assert silent[0].read_to_end() == b""
    assert all(stream.silent_for(0.2) for stream in silent[1:])
    for stream in silent[1:]:
        stream.close()
    assert guard_counters(server)["handshakes_refused"] == 1


def test_who_may_not_connect_is_turned_away_at_accept(cast):
    server = guarded(cast, cast.recording_node(), {"limits.deny": "127.0.7.0/24,127.0.0.2/32"})
    assert Talk(server).result(CHEAP) == "ok"
    for source in (OTHER, "127.0.7.1", "127.0.7.255"):
        assert turned_away(server, source)
    assert Talk(server, source="127.0.8.0").result(CHEAP) == "ok"
    assert guard_counters(server)["connections_denied"] == 3


def test_where_some_are_allowed_nobody_else_may_connect(cast):
    server = guarded(cast, cast.recording_node(), {"limits.allow": "127.0.7.0/24", "limits.deny": "127.0.7.9/32"})
    assert Talk(server, source="127.0.7.1").result(CHEAP) == "ok"
    for source in ("127.0.0.1", "127.0.7.9"):
        assert turned_away(server, source)
    assert guard_counters(server)["connections_denied"] == 2


def test_a_hundred_that_are_turned_away_cost_no_descriptor(cast):
    server = guarded(cast, cast.recording_node(), {"limits.deny": "127.0.0.2/32"})
    before = server.fd_count()
    for _ in range(100):
        assert turned_away(server, OTHER)
    until(lambda: server.fd_count() <= before, 2, "the descriptors are back")
    assert guard_counters(server)["connections_denied"] == 100


# Subscriptions ----------------------------------------------------------------------------------------------------


@pytest.fixture
def devnode(cast):
    return cast.devnode(block_ms=200)


def test_subscriptions_of_a_connection(cast, devnode):
    server = guarded(cast, devnode, {"limits.connection_subscriptions_max": 2})
    with Talk(server) as talk, Talk(server) as other:
        first, second = talk.result(FOLLOW), talk.result("state_subscribeRuntimeVersion")
        assert talk.code(FOLLOW) == RATE
        assert talk.result(CHEAP) and other.result(FOLLOW)
        # A slot comes back when an unsubscribe says true, and not when it says false.
        assert talk.result(UNFOLLOW, ["nobody's"]) is False
        assert talk.code(FOLLOW) == RATE
        assert talk.result(UNFOLLOW, [first]) is True
        third = talk.result(FOLLOW)
        assert talk.code(FOLLOW) == RATE
        assert talk.result("state_unsubscribeRuntimeVersion", [second]) is True
        assert talk.result(UNFOLLOW, [third]) is True
        assert talk.result(UNFOLLOW, [third]) is False  # It counts once.
        assert [talk.code(FOLLOW) for _ in range(3)] == [None, None, RATE]
    assert refusals(guard_counters(server)) == {"connection_subscriptions": 4}


@pytest.mark.parametrize("whose", ["address", "network"])
def test_subscriptions_of_all_connections_together(cast, devnode, whose):
    settings = {"limits.ipv4_network_bits": 16, f"limits.{whose}_subscriptions_max": 3}
    server = guarded(cast, devnode, settings)
    with Talk(server) as one, Talk(server) as two, Talk(server, source="127.9.0.1") as other:
        one.result(FOLLOW), two.result(FOLLOW), two.result(FOLLOW)
        assert one.code(FOLLOW) == two.code(FOLLOW) == RATE
        assert other.result(FOLLOW)
        two.stream.reset()
        until(lambda: one.code(FOLLOW) is None, 3, "its slots come back when a connection ends")
        assert one.code(FOLLOW) is None and one.code(FOLLOW) == RATE
    assert set(refusals(guard_counters(server))) == {f"{whose}_subscriptions"}


def test_a_subscribe_that_fails_gives_its_slot_back(cast):
    node = cast.recording_node(results={FOLLOW: Failure(-32000, "not today")})
    server = guarded(cast, node, {"limits.connection_subscriptions_max": 2})
    with Talk(server) as talk:
        assert [talk.code(FOLLOW) for _ in range(10)] == [-32000] * 10
    assert refusals(guard_counters(server)) == {}


def test_a_subscribe_that_is_not_answered_yet_holds_a_slot(cast):
    node = cast.recording_node(results={FOLLOW: "sub"})
    server = guarded(cast, node, {"limits.connection_subscriptions_max": 2})
    node.hold(FOLLOW)
    with Talk(server) as talk:
        waiting = {talk.send(FOLLOW), talk.send(FOLLOW)}
        node.held(2)
        assert talk.code(FOLLOW) == RATE
        node.release()
        assert {talk.read()["id"] for _ in waiting} == waiting


@pytest.mark.parametrize("end", [{"finalized": "0x01"}, "invalid", "dropped", {"usurped": "0x02"}, {"finalityTimeout": "0x03"}])
def test_a_watch_of_a_transaction_gives_its_slot_back_when_it_ends(cast, end):
    node = cast.recording_node(results={WATCH: "watch-1"})
    server = guarded(cast, node, {"limits.connection_subscriptions_max": 1})
    with Talk(server) as talk:
        talk.result(WATCH, ["0x00"])
        for state in ("ready", {"broadcast": ["peer"]}, {"inBlock": "0x01"}):
            node.notify("author_extrinsicUpdate", "watch-1", state)
        assert talk.code(FOLLOW) == RATE
        node.notify("author_extrinsicUpdate", "watch-1", end)
        until(lambda: talk.code(FOLLOW) is None, 3, "the slot is back")


def test_a_subscription_in_a_batch_counts(cast):
    node = cast.recording_node(results={FOLLOW: "sub"})
    server = guarded(cast, node, {"limits.connection_subscriptions_max": 1})
    one = b'{"jsonrpc":"2.0","id":%d,"method":"chain_subscribeNewHeads"}'
    with Talk(server) as talk:
        assert codes(talk.ask_text(b"[" + one % 1 + b"," + one % 2 + b"]")) == [RATE, RATE]
        assert codes(talk.ask_text(b"[" + one % 1 + b"]")) == [None]
        assert talk.code(FOLLOW) == RATE


# Calls in flight --------------------------------------------------------------------------------------------------


def test_calls_in_flight_of_a_connection(cast):
    node = cast.recording_node()
    server = guarded(cast, node, {"limits.connection_calls_in_flight_max": 3})
    node.hold("system_health")
    with Talk(server) as talk, Talk(server) as other:
        waiting = {talk.send("system_health") for _ in range(3)}
        node.held(3)
        assert talk.code(CHEAP) == RATE
        assert other.code(CHEAP) is None
        node.release()
        assert {talk.read()["id"] for _ in waiting} == waiting
        assert talk.flood(CHEAP, calls=30, window=3).answered == 30
    assert refusals(guard_counters(server)) == {"calls_in_flight": 1}


def test_answers_of_every_shape_end_a_call(cast):
    """Errors, batches, and answers whose id comes last."""
    devnode = cast.devnode(arguments=["--id-last"])
    server = guarded(cast, devnode, {"limits.connection_calls_in_flight_max": 2, "methods.allow": "dev_bytes,echo"})
    pair = b'[{"jsonrpc":"2.0","id":1,"method":"system_chain"},{"jsonrpc":"2.0","id":2,"method":"chain_getHeader","params":[42]}]'
    with Talk(server) as talk:
        for _ in range(5):
            assert talk.code("chain_getHeader", [42]) == -32602
            assert len(talk.result("dev_bytes", [200_000])) == 200_000
            assert sorted(one["id"] for one in talk.ask_text(pair)) == [1, 2]
            assert talk.result("echo", [{"id": 1, "result": 2}])
        talk.send_text(b'{"jsonrpc":"2.0","method":"system_chain"}')  # A notification is no call in flight.
        assert talk.flood(CHEAP, calls=10, window=2).answered == 10
    assert refusals(guard_counters(server)) == {}
