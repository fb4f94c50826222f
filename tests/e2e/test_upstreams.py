"""Several nodes: who gets which, and what becomes of a request whose node does not take it."""

import collections
import contextlib
import json
import socket
import time

import pytest

from harness import client, frames
from harness.client import call, exchange, post, request
from harness.guard import Talk
from harness.ports import free_port
from harness.until import Stopwatch, until

BUSY = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"


def named(name):
    """A node that answers every call with its name, by POST and by WebSocket."""

    def script(connection):
        asked = connection.read_request()
        if asked.get("upgrade"):
            connection.upgrade(asked)
            while (frame := connection.read_frame()).opcode == frames.TEXT:
                answer = {"jsonrpc": "2.0", "id": json.loads(frame.payload)["id"], "result": name}
                connection.send_frame(frames.TEXT, json.dumps(answer).encode())
            return
        if asked.method == "POST":
            connection.reply_json({"jsonrpc": "2.0", "id": asked.json["id"], "result": name})
        else:
            connection.reply(200, name.encode())
        connection.answer_calls(name)

    return script


def always(answer: bytes):
    def script(connection):
        connection.read_request()
        connection.send(answer)

    return script


@pytest.fixture
def group(cast, fake_node):
    """group({name: script}, …) starts a Ringwall in front of these nodes, of one shard."""

    def start(scripts: dict, **options):
        nodes = {name: fake_node(script) for name, script in scripts.items()}
        options.setdefault("arguments", ["--shards", "1"])
        server = cast.ringwall(list(nodes.values()), tls=False, **options)
        return server, nodes

    return start


def ask(server, body=None, **options) -> str:
    reply = exchange(server.port, post(body or call("who")), tls=False, **options)
    assert reply.status == 200, f"{reply.status}: {reply.text}"
    return reply.json["result"]


def spread(server, count: int) -> collections.Counter:
    return collections.Counter(ask(server) for _ in range(count))


def test_websockets_are_spread_over_the_nodes(group):
    server, _ = group({name: named(name) for name in "abc"}, arguments=["--shards", "2"])
    talks = [Talk(server) for _ in range(9)]
    assert collections.Counter(talk.result("who") for talk in talks) == {"a": 3, "b": 3, "c": 3}
    for talk in talks:
        talk.stream.close()


def test_the_place_of_a_client_that_left_is_the_next_ones(group):
    server, nodes = group({name: named(name) for name in "ab"})
    talks = [Talk(server) for _ in range(4)]
    for talk in talks:
        if talk.result("who") == "b":
            talk.stream.close()
    until(lambda: nodes["b"].is_idle, 5, "b's have gone")
    come = [Talk(server) for _ in range(2)]
    assert [talk.result("who") for talk in come] == ["b", "b"]
    for talk in (*talks, *come):
        talk.stream.close()


def test_posts_are_spread_over_the_nodes(group):
    server, nodes = group({name: named(name) for name in "ab"})
    assert spread(server, 10) == {"a": 5, "b": 5}
    assert [len(node.connections) for node in nodes.values()] == [1, 1], "each node's are kept"


@pytest.mark.parametrize("how", ["POST", "WebSocket", "GET /health"])
def test_a_node_that_takes_no_connection_is_passed_over(cast, fake_node, how):
    node = fake_node(named("good"))
    server = cast.ringwall(
        [f"127.0.0.1:{free_port()}", node, "not-there.invalid:9944"], tls=False, settings={"upstream[0].eject_failures": "off"}
    )
    for _ in range(6):
        if how == "POST":
            assert ask(server) == "good"
        elif how == "WebSocket":
            with Talk(server) as talk:
                assert talk.result("who") == "good"
        else:
            assert exchange(server.port, request("GET", "/health"), tls=False).status == 200


@pytest.fixture
def silent_address():
    """Its queue is full: a SYN is dropped, and nothing comes back at all."""
    port = free_port()
    with contextlib.ExitStack() as stack:
        listener, *fillers = (stack.enter_context(socket.socket()) for _ in range(5))
        listener.bind(("127.0.0.1", port))
        listener.listen(0)
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        time.sleep(0.2)
        yield f"127.0.0.1:{port}"


def test_a_node_that_is_silent_leaves_time_for_the_next(cast, fake_node, silent_address):
    server = cast.ringwall(
        [silent_address, fake_node(named("good"))],
        tls=False,
        arguments=["--shards", "1"],
        settings={"timeouts.connect_ms": "2s"},
    )
    for _ in range(2):
        assert ask(server) == "good"


def test_the_next_node_gets_all_of_the_request_with_a_host_of_its_own(group):
    """Both a small body, which goes with its head, and a large one; and what must not be done twice was not done."""
    server, nodes = group({"busy": always(BUSY), "good": named("good")})
    large = call("author_submitExtrinsic", ["0x" + "ab" * 50_000])
    for body in (call("small"), call("small"), large, large) * 2:
        assert ask(server, body) == "good"
    got = nodes["good"].requests
    assert collections.Counter(one.body for one in got) == {call("small"): 4, large: 4}
    assert collections.Counter(one.body for one in nodes["busy"].requests) == {call("small"): 2, large: 2}
    assert {one.get("host") for one in got} == {f"localhost:{nodes['good'].port}"}
    assert {one.get("host") for one in nodes["busy"].requests} == {f"localhost:{nodes['busy'].port}"}


def test_a_host_that_is_to_be_preserved_stays(group):
    server, nodes = group({"busy": always(BUSY), "good": named("good")}, settings={"listener[0].host": "preserve"})
    for _ in range(2):
        data = post(call("who"), host="rpc.example.com")
        assert exchange(server.port, data, tls=False).json["result"] == "good"
    hosts = {one.get("host") for node in nodes.values() for one in node.requests}
    assert hosts == {"rpc.example.com"}


def test_the_nodes_429_is_no_outage(group):
    """Another node has the request, and the one at its limit goes on being asked, and gets clients when it has room."""
    server, nodes = group({"busy": always(BUSY), "good": named("good")})
    assert spread(server, 20) == {"good": 20}
    with Talk(server) as talk:
        assert talk.result("who") == "good"
    assert len(nodes["busy"].connections) >= 10
    nodes["busy"].script = named("busy")
    assert spread(server, 10)["busy"] > 0
    assert "requests in a row failed" not in server.log


def test_when_all_nodes_are_at_their_limit_the_client_is_told_to_come_back(group):
    server, nodes = group({"one": always(BUSY), "two": always(BUSY)})
    for data in (post(call("who")), client.upgrade_request()):
        reply = exchange(server.port, data, tls=False)
        assert (reply.status, reply.get("retry-after")) == (503, "5")
    assert [len(node.connections) for node in nodes.values()] == [2, 2]


def test_an_upgrade_that_a_node_drops_is_another_nodes(group):
    server, _ = group({"dropping": lambda connection: connection.read_request(), "good": named("good")})
    for _ in range(4):
        with Talk(server) as talk:
            assert talk.result("who") == "good"


def test_a_call_that_a_node_may_have_taken_is_not_sent_to_another(group):
    server, nodes = group({"dropping": lambda connection: connection.read_request(), "good": named("good")})
    statuses = collections.Counter(
        exchange(server.port, post(call("author_submitExtrinsic")), tls=False).status for _ in range(4)
    )
    assert statuses == {200: 2, 502: 2}
    assert len(nodes["good"].requests) == 2


def test_each_node_has_its_own_cap(group):
    server, _ = group({name: named(name) for name in "ab"}, settings={"upstream[0].connections_max": 1})
    with Talk(server) as one, Talk(server) as two:
        assert {one.result("who"), two.result("who")} == {"a", "b"}
        assert exchange(server.port, client.upgrade_request(), tls=False).status == 503


def test_by_hash_an_address_stays_with_its_node(group):
    server, nodes = group({name: named(name) for name in "abc"}, settings={"upstream[0].balance": "hash"})
    sources = [f"127.0.0.{number}" for number in range(2, 42)]
    first = {source: ask(server, source=source) for source in sources}
    assert set(first.values()) == {"a", "b", "c"}
    assert {source: ask(server, source=source) for source in sources} == first
    for source in sources[:5]:
        with Talk(server, source=source) as talk:
            assert talk.result("who") == first[source]
    nodes["a"].refuse()
    nodes["a"].drop_connections()
    for source in sources:
        assert ask(server, source=source) == first[source] or first[source] == "a"


def test_a_node_that_speaks_no_http_is_left_out_after_some_failures(group):
    server, nodes = group({"garbage": always(b"rubbish\r\n\r\n"), "good": named("good")})
    statuses = collections.Counter(exchange(server.port, post(call("who")), tls=False).status for _ in range(30))
    assert statuses == {200: 27, 502: 3}
    assert len(nodes["garbage"].connections) == 3
    assert server.log.count("3 requests in a row failed: it gets no new ones for 10 s") == 1


def test_a_node_that_was_left_out_is_tried_again(group):
    server, nodes = group(
        {"garbage": always(b"rubbish\r\n\r\n"), "good": named("good")}, settings={"upstream[0].eject_ms": "500ms"}
    )
    for _ in range(6):
        exchange(server.port, post(call("who")), tls=False)
    server.wait_for_log("requests in a row failed")
    nodes["garbage"].script = named("well")
    until(lambda: ask(server) == "well", 5, "it gets requests again")
    server.wait_for_log("it answers requests again")


def test_a_node_that_dies_costs_its_own_clients_alone(cast):
    """They are told within a second; those who come back go to the other, whose clients noticed nothing."""
    nodes = [cast.devnode(), cast.devnode()]
    server = cast.ringwall(nodes, tls=False)
    talks = [Talk(server) for _ in range(6)]
    for talk in talks:
        talk.result("system_name")
    with Stopwatch() as watch:
        nodes[0].kill()
        told, others = [], []
        for talk in talks:
            (others if talk.stream.silent_for(0.3) else told).append(talk)
    assert len(told) == len(others) == 3
    assert watch.seconds < 2.5
    for talk in told:
        with pytest.raises(EOFError):
            talk.read()
        assert talk.closed_with == 1012
    for talk in others:
        talk.result("system_name")
    back = [Talk(server) for _ in range(6)]
    for talk in back:
        talk.result("system_name")
    for talk in (*talks, *back):
        talk.stream.close()


def test_when_no_node_is_there_a_client_is_told_at_once_and_served_when_one_is_back(cast):
    nodes = [cast.devnode(), cast.devnode()]
    server = cast.ringwall(nodes, tls=False, settings={"upstream[0].eject_ms": "200ms"})
    for node in nodes:
        node.kill()
    for _ in range(5):
        assert exchange(server.port, post(call("system_name")), tls=False).status == 502
        assert exchange(server.port, client.upgrade_request(), tls=False).status == 502
    cast.devnode_again(nodes[1])
    until(lambda: exchange(server.port, post(call("system_name")), tls=False).status == 200, 5, "it serves again")
