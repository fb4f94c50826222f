"""What nodes say of their chain decides who gets clients: syncing, peers, blocks, silence. Nobody is refused for it."""

import json
import signal
import time

import pytest

from harness import reload
from harness.client import call, exchange, post
from harness.guard import Talk
from harness.until import until

OFTEN = {
    "upstream[0].health_interval_ms": "100ms",
    "upstream[0].health_timeout_ms": "1s",
    "upstream[0].health_fall": 2,
    "upstream[0].health_rise": 2,
    "upstream[0].health_lag_blocks_max": "none",  # They do not start at the same time.
}
LONG_S = 20


def ask(server, method, *params):
    reply = exchange(server.port, post(call(method, params), host=f"localhost:{server.port}"), tls=False)
    assert reply.status == 200, f"{reply.status}: {reply.text}"
    answer = json.loads(reply.body)
    assert "result" in answer, answer
    return answer["result"]


def set_health(node, peers: int, syncing: bool = False) -> None:
    ask(node, "dev_setHealth", {"peers": peers, "isSyncing": syncing, "shouldHavePeers": True})


def who(server) -> int:
    """Nodes are told apart by their peers."""
    return ask(server, "system_health")["peers"]


def everyone(server, count: int = 8) -> set[int]:
    return {who(server) for _ in range(count)}


@pytest.fixture
def two(cast):
    """two(…) starts a Ringwall in front of two nodes, with 11 and with 22 peers, both healthy."""

    def start(settings=None, **options):
        nodes = [cast.devnode(block_ms=50, **options) for _ in range(2)]
        for node, peers in zip(nodes, (11, 22)):
            set_health(node, peers)
        server = cast.ringwall(
            nodes, tls=False, health=True, settings={**OFTEN, **(settings or {})}, arguments=["--shards", "1"]
        )
        for node in nodes:
            server.wait_for_log(f"upstream node at {node.address} is healthy, best block")
        assert everyone(server) == {11, 22}
        return server, nodes

    return start


def test_a_node_that_syncs_gets_no_new_clients_until_it_is_done(two):
    server, nodes = two()
    with Talk(server) as one, Talk(server) as other:
        set_health(nodes[0], 11, syncing=True)
        server.wait_for_log(f"upstream node at {nodes[0].address} is not healthy (syncing): it is syncing")
        assert everyone(server) == {22}
        assert {one.result("system_health")["peers"], other.result("system_health")["peers"]} == {11, 22}
    set_health(nodes[0], 11)
    server.wait_for_log(f"upstream node at {nodes[0].address} is healthy again")
    assert everyone(server) == {11, 22}


def test_a_node_without_peers_gets_no_new_clients(two):
    server, nodes = two()
    set_health(nodes[0], 0)
    server.wait_for_log(f"upstream node at {nodes[0].address} is not healthy (few_peers): it has 0 peers")
    assert everyone(server) == {22}


def test_a_node_that_lags_behind_the_other_gets_no_new_clients(two):
    server, nodes = two({"upstream[0].health_lag_blocks_max": 60})
    ask(nodes[0], "dev_holdBlocks", True)
    server.wait_for_log(f"upstream node at {nodes[0].address} is not healthy (lagging): it is", LONG_S)
    assert everyone(server) == {22}


def test_a_node_whose_best_block_is_old_gets_no_new_clients(two):
    server, nodes = two({"upstream[0].health_block_age_max_s": 2})
    ask(nodes[0], "dev_holdBlocks", True)
    server.wait_for_log(f"upstream node at {nodes[0].address} is not healthy (stale): its best block has been", LONG_S)
    assert everyone(server) == {22}
    ask(nodes[0], "dev_holdBlocks", False)
    server.wait_for_log(f"upstream node at {nodes[0].address} is healthy again")


def test_a_node_that_says_nothing_any_more_gets_no_new_clients(two):
    server, nodes = two({"upstream[0].health_timeout_ms": "500ms"})
    nodes[0].send_signal(signal.SIGSTOP)
    try:
        server.wait_for_log(
            f"upstream node at {nodes[0].address} is not healthy (failing): the node does not answer in time"
        )
        assert everyone(server) == {22}
    finally:
        nodes[0].send_signal(signal.SIGCONT)
    server.wait_for_log(f"upstream node at {nodes[0].address} is healthy again")


def test_a_node_at_its_limit_stays_healthy(cast):
    """Its one place is taken: whoever asks, Ringwall too, is answered 429."""
    nodes = [cast.devnode(arguments=["--connections-max", "1"]), cast.devnode()]
    server = cast.ringwall(nodes, tls=False, health=True, settings=OFTEN)
    for node in nodes:
        server.wait_for_log(f"upstream node at {node.address} is healthy")
    talks = [Talk(server) for _ in range(6)]
    for talk in talks:
        talk.result("system_name")
    assert "the node is at its connection limit (429)" in server.log
    time.sleep(1)  # It is asked ten times more.
    assert "not healthy" not in server.log
    for talk in talks:
        talk.stream.close()


def test_when_no_node_is_healthy_the_least_bad_one_serves(two):
    server, nodes = two()
    set_health(nodes[0], 11, syncing=True)
    set_health(nodes[1], 0)
    server.wait_for_log(
        f"upstream node has no healthy node: clients get what is the least bad, now node at {nodes[1].address}"
    )
    assert everyone(server) == {0}
    nodes[1].kill()
    server.wait_for_log(f"upstream node at {nodes[1].address} is not healthy (failing)")
    assert everyone(server) == {11}
    set_health(nodes[0], 11)
    server.wait_for_log("upstream node has a healthy node again")


def test_a_change_is_told_once(two):
    server, nodes = two()
    nodes[0].kill()
    line = f"upstream node at {nodes[0].address} is not healthy (failing)"
    server.wait_for_log(line)
    set_health(nodes[1], 22, syncing=True)
    server.wait_for_log("has no healthy node")
    assert server.log.count(line) == 1


def test_one_node_is_watched_too_and_serves_whatever_it_says(cast):
    node = cast.devnode()
    set_health(node, 3, syncing=True)
    server = cast.ringwall(node, tls=False, health=True, settings=OFTEN)
    server.wait_for_log("upstream node is not healthy (syncing): it is syncing")
    assert who(server) == 3


def test_of_a_node_that_knows_no_such_methods_only_the_connection_counts(cast, fake_node):
    """An Ethereum node, say. And one whose WebSockets alone are served, which refuses a POST."""
    unknown = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "the method does not exist"}}

    def ethereum(connection):
        connection.read_request()
        connection.reply_json(unknown)

    def websockets_alone(connection):
        connection.read_request()
        connection.reply(405)

    nodes = [fake_node(ethereum, sees_probes=True), fake_node(websockets_alone, sees_probes=True)]
    server = cast.ringwall(nodes, tls=False, health=True, settings=OFTEN)
    for node in nodes:
        server.wait_for_log(f"upstream node at {node.address} is healthy")
    nodes[0].refuse()
    server.wait_for_log(f"upstream node at {nodes[0].address} is not healthy (failing): the node takes no connection")


def test_the_node_of_a_tunnel_has_only_to_take_a_connection(cast, fake_node):
    asked = []
    node = fake_node(lambda connection: asked.append(connection.read_to_end()), sees_probes=True)
    server = cast.ringwall(node, tls=False, health=True, settings=OFTEN, arguments=["--mode", "tunnel"])
    server.wait_for_log("upstream node is healthy")
    until(lambda: len(asked) >= 3, 5, "it is asked again and again")
    assert set(asked) == {b""}
    node.refuse()
    server.wait_for_log("upstream node is not healthy (failing): the node takes no connection")


def test_a_reload_decides_whether_a_node_is_asked_of_its_chain(cast, fake_node):
    """What is served as a tunnel only takes connections; when it serves calls it is asked how it is and what it offers."""

    def script(connection):
        request = connection.read_request()
        connection.reply_json({"jsonrpc": "2.0", "id": request.json["id"], "error": {"code": -32601, "message": "no"}})

    node = fake_node(script, sees_probes=True)
    text = f"""
[[listener]]
address = "127.0.0.1:{{port}}"
kind = "plain"
mode = "%s"
[[upstream]]
address = "{node.address}"
health_interval_ms = 100
"""
    server = cast.ringwall(tls=False, health=True, config=text % "tunnel")
    until(lambda: len(node.connections) >= 3, LONG_S, "it is looked at")
    assert node.requests == []
    reload.reload(server, text % "rpc")
    wanted = {"system_health", "rpc_methods"}
    until(lambda: wanted <= {one.json["method"] for one in node.requests}, LONG_S, "it is asked")
