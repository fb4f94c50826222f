"""The dev node, asked directly and through Ringwall: the same answers both ways."""

import json

import pytest

from harness import client
from harness.client import call, exchange, post, request
from harness.frames import TEXT
from harness.until import Stopwatch, until


@pytest.fixture(params=["directly", "through ringwall"])
def node(request, cast):
    """Something with a port and whether it speaks TLS there."""
    devnode = cast.devnode(block_ms=100)
    devnode.tls = False
    return devnode if request.param == "directly" else cast.ringwall(devnode)


class Conversation:
    """JSON-RPC over one WebSocket: answers by id, notifications by subscription."""

    def __init__(self, node):
        self.stream = client.websocket(node.port, tls=node.tls, host=f"localhost:{node.port}")
        self.notes: dict[str, list] = {}
        self._id = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()

    def _read(self):
        opcode, data = self.stream.read_message(lambda frame: None)
        assert opcode == TEXT
        return json.loads(data)

    def ask(self, method, *params):
        self._id += 1
        self.stream.send_frame(TEXT, call(method, params, self._id))
        while True:
            answer = self._read()
            if "id" not in answer:
                self._note(answer)
                continue
            assert answer["id"] == self._id
            return answer

    def result(self, method, *params):
        answer = self.ask(method, *params)
        assert "result" in answer, answer
        return answer["result"]

    def _note(self, message):
        self.notes.setdefault(message["params"]["subscription"], []).append(message)

    def note(self, subscription):
        while not self.notes.get(subscription):
            self._note(self._read())
        return self.notes[subscription].pop(0)


def ask_by_post(node, body: bytes, **options):
    return exchange(node.port, post(body, host=f"localhost:{node.port}"), tls=node.tls, **options)


def test_heads_advance_one_by_one_and_finality_follows(node):
    with Conversation(node) as talk:
        new, finalized = talk.result("chain_subscribeNewHeads"), talk.result("chain_subscribeFinalizedHeads")
        heads = [talk.note(new) for _ in range(6)]
        assert {head["method"] for head in heads} == {"chain_newHead"}
        numbers = [int(head["params"]["result"]["number"], 16) for head in heads]
        assert numbers == list(range(numbers[0], numbers[0] + 6))
        final = [int(talk.note(finalized)["params"]["result"]["number"], 16) for _ in range(4)]
        assert final == list(range(final[0], final[0] + 4)) and final[0] <= numbers[0]
        assert talk.result("chain_unsubscribeNewHeads", new) is True
        assert talk.result("chain_unsubscribeNewHeads", new) is False


def test_blocks_are_chained_by_their_hashes(node):
    with Conversation(node) as talk:
        until(lambda: int(talk.result("chain_getHeader")["number"], 16) >= 3, 5, "three blocks")
        hashes = [talk.result("chain_getBlockHash", number) for number in range(3)]
        assert len(set(hashes)) == 3
        for number in (1, 2):
            header = talk.result("chain_getHeader", hashes[number])
            assert int(header["number"], 16) == number
            assert header["parentHash"] == hashes[number - 1]
            assert talk.result("chain_getBlock", hashes[number])["block"]["header"] == header
        assert talk.result("chain_getBlockHash", 1_000_000) is None


def test_the_chain_is_the_same_after_a_restart(cast):
    first = cast.devnode(block_ms=100)
    first.tls = False
    genesis = ask_by_post(first, call("chain_getBlockHash", [0])).json["result"]
    first.stop()
    second = cast.devnode_again(first)
    second.tls = False
    assert ask_by_post(second, call("chain_getBlockHash", [0])).json["result"] == genesis


def test_every_listed_method_answers(node):
    methods = ask_by_post(node, call("rpc_methods")).json["result"]["methods"]
    for wanted in ("system_name", "system_health", "chain_getHeader", "state_getRuntimeVersion", "state_getMetadata"):
        assert wanted in methods
    with Conversation(node) as talk:
        for method in methods:
            answer = talk.ask(method)
            assert answer.get("error", {}).get("code") != -32601 or "unsafe" in answer["error"]["message"], method


ERRORS = {
    "no such method": (call("no_such_method"), -32601),
    "an unsafe method": (call("author_rotateKeys"), -32601),
    "wrong params": (call("chain_getHeader", [42]), -32602),
    "no JSON": (b"{nonsense", -32700),
    "no request": (b'{"id":1}', -32600),
    "two documents": (call("system_name") + b"{}", -32700),
    "an empty batch": (b"[]", -32600),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_have_the_codes_of_a_real_node(node, name):
    body, code = ERRORS[name]
    reply = ask_by_post(node, body)
    assert reply.json["error"]["code"] == code
    with client.websocket(node.port, tls=node.tls, host=f"localhost:{node.port}") as stream:
        stream.send_frame(TEXT, body)
        assert json.loads(stream.read_message()[1])["error"]["code"] == code


def test_a_batch_is_answered_as_one(node):
    batch = (
        b"["
        + b",".join(call("system_chain", id=number) for number in range(20))
        + b',{"jsonrpc":"2.0","method":"system_name"}]'
    )
    answers = ask_by_post(node, batch).json
    assert sorted(answer["id"] for answer in answers) == list(range(20))


def test_health_is_answered_outside_json_rpc(node):
    for path in ("/health", "/health/readiness"):
        reply = exchange(node.port, request("GET", path, host=f"localhost:{node.port}"), tls=node.tls)
        assert reply.status == 200, path


def test_echo_and_bytes_are_as_large_as_asked(node):
    with Conversation(node) as talk:
        assert talk.result("echo", "x" * 100_000, 2) == ["x" * 100_000, 2]
        for size in (0, 1, 125, 65_536, 5 << 20):
            assert talk.result("dev_bytes", size) == "x" * size


def test_pushes_come_at_their_size_and_number(node):
    with Conversation(node) as talk, Stopwatch() as watch:
        push = talk.result("dev_subscribePush", {"bytes": 10_000, "per_second": 200, "count": 100})
        notes = [talk.note(push) for _ in range(100)]
        assert [len(note["params"]["result"]["fill"]) for note in notes] == [10_000] * 100
        assert watch.seconds > 0.3


def test_the_connection_limit_is_429_directly_and_503_through_ringwall(cast):
    devnode = cast.devnode(arguments=["--connections-max", "2"])
    server = cast.ringwall(devnode)
    open_ones = [client.websocket(server.port) for _ in range(2)]
    assert exchange(devnode.port, client.upgrade_request(host=f"localhost:{devnode.port}"), tls=False).status == 429
    reply = exchange(server.port, client.upgrade_request())
    assert reply.status == 503 and int(reply.get("retry-after")) > 0
    server.wait_for_log("--rpc-max-connections")
    for stream in open_ones:
        stream.close()


def test_a_host_from_outside_is_refused_by_the_node_and_let_in_through_ringwall(cast):
    devnode = cast.devnode()
    outside = post(call("system_name"), host="rpc.example.com")
    assert exchange(devnode.port, outside, tls=False).status == 403
    assert exchange(cast.ringwall(devnode).port, outside).status == 200


def test_cors_answers_pass(cast):
    devnode = cast.devnode()
    server = cast.ringwall(devnode)
    fields = [("Origin", "https://polkadot.js.org"), ("Access-Control-Request-Method", "POST")]
    ways = [(devnode.port, f"localhost:{devnode.port}", False), (server.port, "rpc.example.com", True)]
    direct, through = (exchange(port, request("OPTIONS", "/", fields, host=host), tls=tls) for port, host, tls in ways)
    for name in ("access-control-allow-origin", "access-control-allow-methods", "vary"):
        assert through.all(name) == direct.all(name), name
    assert through.get("access-control-allow-origin") == "https://polkadot.js.org"


def test_a_quiet_client_outlives_many_pings_of_the_node(cast):
    server = cast.ringwall(cast.devnode(arguments=["--ping-ms", "100"]))
    with Conversation(server) as talk:
        assert talk.stream.silent_for(2)  # The pings are for Ringwall, and it answers them.
        assert talk.result("system_name")
