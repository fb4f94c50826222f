"""A node that hangs keeps its sockets open and says nothing: its clients are told when it is judged to be failing."""

import contextlib
import signal
import threading

from harness import client, frames
from harness.client import call, post
from harness.frames import CLOSE, TEXT
from harness.guard import Talk
from harness.until import until

# Nothing but the looks at the node could end anything within a test's time.
OFTEN = {
    "upstream[0].health_interval_ms": "200ms",
    "upstream[0].health_timeout_ms": "1s",
    "upstream[0].health_fall": 2,
    "upstream[0].health_rise": 1,
    "upstream[0].health_lag_blocks_max": "none",  # They do not start at the same time.
    "timeouts.ping_interval_ms": "60s",
    "timeouts.dead_after_ms": "180s",
}
CLIENTS = 6
LONG_S = 30


@contextlib.contextmanager
def stopped(node):
    node.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        node.send_signal(signal.SIGCONT)


def in_front_of(cast, nodes, **settings):
    server = cast.ringwall(nodes, tls=False, health=True, settings={**OFTEN, **settings}, arguments=["--shards", "2"])
    for node in nodes:
        name = f"node at {node.address}" if len(nodes) > 1 else "node"
        server.wait_for_log(f"upstream {name} is healthy")
    return server


def set_peers(node, peers):
    body = call("dev_setHealth", [{"peers": peers, "isSyncing": False, "shouldHavePeers": True}])
    reply = client.exchange(node.port, post(body, host=f"localhost:{node.port}"), tls=False)
    assert "result" in reply.json, reply.text


def test_the_clients_of_a_node_that_hangs_are_told_and_the_other_nodes_notice_nothing(cast):
    """Those that wait for an answer and those that are idle, by WebSocket and by POST."""
    nodes = [cast.devnode(), cast.devnode()]
    for node, peers in zip(nodes, (11, 22)):
        set_peers(node, peers)
    server = in_front_of(cast, nodes)
    talks = [Talk(server) for _ in range(CLIENTS)]
    at = {11: [], 22: []}
    for talk in talks:
        at[talk.result("system_health")["peers"]].append(talk)
    assert len(at[11]) == len(at[22]) == CLIENTS // 2
    posts = [client.connect(server.port, tls=False) for _ in range(CLIENTS)]
    with stopped(nodes[0]):
        for stream in posts:
            stream.send(post(call("system_name")))
        at[11][0].send("system_name")
        for talk in at[11]:
            frame = talk.stream.read_frame()
            assert (frame.opcode, frame.close_code) == (CLOSE, 1012)
        statuses = [stream.read_reply().status for stream in posts]
        assert set(statuses) == {200, 504}, "one was at the other node, and one at this one"
        server.wait_for_log(f"upstream node at {nodes[0].address} is not healthy (failing): the node does not answer")
        for talk in at[22]:
            assert talk.stream.silent_for(0.3)
            assert talk.result("system_health")["peers"] == 22
        with Talk(server) as back:
            assert back.result("system_health")["peers"] == 22
    for stream in (*posts, *(talk.stream for talk in talks)):
        stream.close()


def test_an_upgrade_that_a_hanging_node_keeps_waiting_is_another_nodes(cast):
    nodes = [cast.devnode(), cast.devnode()]
    server = in_front_of(cast, nodes)
    with stopped(nodes[0]):
        talks = [Talk(server) for _ in range(2)]
        for talk in talks:
            talk.result("system_name")
    for talk in talks:
        talk.stream.close()


def test_a_node_that_answers_its_websockets_alone_loses_none(cast, fake_node):
    """It lets every POST wait, so that it is judged to be failing: the pings on its WebSockets say that it lives."""
    is_hanging = threading.Event()
    pings = []

    def script(connection):
        request = connection.read_request()
        if not request.get("upgrade"):
            if is_hanging.is_set():
                return connection.read_to_end()
            connection.reply_json({"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "unknown"}})
            return None
        connection.upgrade(request)
        while (frame := connection.read_frame()).opcode != CLOSE:
            if frame.opcode == frames.PING:
                pings.append(frame)
                connection.send_frame(frames.PONG, frame.payload)
            elif frame.opcode == TEXT:
                connection.send_frame(TEXT, b"answered")
        return None

    server = in_front_of(cast, [fake_node(script)])
    with client.websocket(server.port, tls=False) as stream:
        is_hanging.set()
        server.wait_for_log("is not healthy (failing): the node does not answer in time", LONG_S)
        seen = len(pings)
        until(lambda: len(pings) >= max(seen, 1) + 1, LONG_S, "it is asked again, after it was failing")
        stream.send_frame(TEXT, call("system_name"))
        assert stream.read_message() == (TEXT, b"answered")
