"""What ringwall-bench makes of an endpoint that errs, or is attacked: each trouble once, by its kind."""

import json
import select
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.bench import bench, figures, kinds, result_of
from harness.fake_node import NodeConnection
from harness.frames import CLOSE, CONTINUATION, TEXT
from harness.ports import free_port

pytestmark = pytest.mark.timeout(120)

ONE_CALL = ["--call", "echo", "--connections", 1, "--calls", 1, "--warmup", "0ms", "--duration", "20s"]


@pytest.fixture
def node(cast):
    return cast.devnode(block_ms=100)


def answering(*parts):
    """A node that says `parts` (of the call's payload) to its first call, and then what is right."""

    def script(connection):
        connection.accept_upgrade()
        first = connection.number == 0
        while (frame := connection.read_frame()).opcode == TEXT:
            if not first:
                connection.send_frame(TEXT, result_of(frame.payload))
                continue
            first = False
            for part in parts:
                part(connection, frame.payload)
            if connection.sock.fileno() < 0:
                return
        if frame.opcode == CLOSE:
            connection.send_frame(CLOSE, frame.payload)

    return script


def says(opcode, payload=None, **options):
    return lambda connection, call: connection.send_frame(opcode, result_of(call) if payload is None else payload, **options)


def says_error(connection, call):
    error = {"jsonrpc": "2.0", "id": json.loads(call)["id"], "error": {"code": -32601, "message": "Method not found"}}
    connection.send_frame(TEXT, json.dumps(error).encode())


def resets(connection, call):
    connection.reset()


LOST = {"answer_lost": 1}


@pytest.mark.parametrize(
    "parts, expected, text",
    [
        ([says_error], {"rpc_error": 1}, "rpc_error: -32601 Method not found"),
        ([says(TEXT, b"not JSON")], {"protocol": 1, **LOST}, "protocol: a message that is not JSON-RPC"),
        ([says(TEXT, b'{"jsonrpc":"2.0","id":1,"result":"\xff"}')], {"protocol": 1, **LOST},
         "protocol: a message that is not UTF-8"),
        ([says(CONTINUATION)], {"protocol": 1, **LOST}, "protocol: "),
        ([says(TEXT, b'{"jsonrpc":"2.0","id":77,"result":1}'), says(TEXT)], {"answer_unasked": 1}, None),
        ([says(CLOSE, b"\x03\xf3boom")], {"connection_closed": 1, **LOST}, "connection_closed: Close 1011 boom"),
        ([resets], {"connection_reset": 1, **LOST}, "connection_reset: "),
        ([], {"answer_timeout": 1}, None),
    ],
    ids=["error", "no JSON", "no UTF-8", "no frame", "unasked", "Close", "reset", "silence"],
)
def test_a_bad_answer_is_counted_once_by_its_kind(cast, parts, expected, text):
    node = cast.fake_node(answering(*parts), sees_probes=True)
    seen = figures(f"ws://{node.address}", *ONE_CALL, "--timeout", "1s")
    assert kinds(seen) == expected
    assert seen["flow"]["calls_sent"] == 1
    if text:
        assert any(said.startswith(text) for said in seen["troubles"]["texts"]), seen["troubles"]["texts"]


def test_an_answer_of_another_length_is_told(node):
    seen = figures(f"ws://{node.address}", *ONE_CALL, "--payload", 20, "--answer-bytes", 1000)
    assert kinds(seen) == {"answer_length": 1}


def test_a_connection_that_is_lost_is_made_again(cast):
    node = cast.fake_node(answering(resets), sees_probes=True)
    seen = figures(f"ws://{node.address}", "--call", "echo", "--connections", 1, "--calls", 20, "--warmup", "0ms")
    assert kinds(seen) == {"connection_reset": 1, "answer_lost": 1}
    assert seen["flow"]["calls_sent"] == 20
    assert seen["flow"]["answers"] == 19
    assert seen["flow"]["connections_opened"] == 2


def says_no(status, reason):
    def script(connection):
        connection.read_request()
        if connection.number == 0:
            connection.reply(status, b"no", reason=reason)
            return
        connection.upgrade(connection.requests[0])
        connection.read_to_end()

    return script


@pytest.mark.parametrize("status, reason", [(429, "Too Many Requests"), (200, "OK"), (503, "Busy")])
def test_an_upgrade_that_is_refused_is_told_with_its_status(cast, status, reason):
    node = cast.fake_node(says_no(status, reason), sees_probes=True)
    seen = figures(f"ws://{node.address}", "--mode", "idle", "--connections", 2, "--duration", "200ms", "--warmup", "0ms")
    assert kinds(seen) == {"upgrade": 1}
    assert list(seen["troubles"]["texts"]) == [f"upgrade: {status} {reason}"]
    assert seen["connections_open"] == 1


def test_a_node_that_is_full_is_told_as_that_and_idle_asks_for_all_its_connections(cast):
    arguments = ["--mode", "idle", "--connections", 2, "--duration", "200ms", "--warmup", "0ms"]
    done = bench(f"ws://{cast.fake_node(says_no(503, 'Busy'), sees_probes=True).address}", *arguments)
    assert done.returncode == 1
    seen = json.loads(done.stdout)
    assert seen["thresholds"] == [{"threshold": "all 2 connections open at the end", "found": "1", "held": False}]
    assert any("1 of 1 errors are 503" in remark for remark in seen["remarks"])
    node = cast.fake_node(says_no(503, "Busy"), sees_probes=True)
    assert bench(f"ws://{node.address}", *arguments, "--fail-errors", "50%").returncode == 0


def test_subscribers_that_hear_nothing_are_told_so(cast):
    node = cast.devnode(block_ms=3_600_000)
    done = bench(f"ws://{node.address}", "--mode", "subscribe", "--connections", 2, "--duration", "300ms", "--warmup", "0ms")
    assert done.returncode == 1
    seen = json.loads(done.stdout)
    assert kinds(seen) == {}
    assert any(remark.startswith("No notification came in 300 ms, so nothing was measured") for remark in seen["remarks"])


def notifies_all_but_the_fourth(connection):
    connection.accept_upgrade()
    connection.send_frame(TEXT, result_of(connection.read_frame().payload, "a"))
    while not select.select([connection.sock], [], [], 0.1)[0]:
        if connection.number == 3:
            continue
        params = {"subscription": "a", "result": int(10 * time.monotonic())}
        connection.send_frame(TEXT, json.dumps({"jsonrpc": "2.0", "method": "any", "params": params}).encode())
    connection.send_frame(CLOSE, connection.read_frame().payload)


def test_a_subscriber_that_hears_nothing_of_what_others_hear_is_told(cast):
    node = cast.fake_node(notifies_all_but_the_fourth, sees_probes=True)
    seen = figures(f"ws://{node.address}", "--mode", "subscribe", "--connections", 4, "--duration", "2s", "--warmup", "200ms")
    assert kinds(seen) == {"notification_lost": 1}
    copies = seen["notification_copies"]
    assert 0 < copies["came"] < copies["wanted"]
    assert any(f"{copies['came']} of {copies['wanted']} copies came" in remark for remark in seen["remarks"])


def test_a_run_goes_on_with_what_is_open_where_no_more_is_opened():
    # All but one wait in the backlog, and are never answered.
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener, ThreadPoolExecutor() as beside:
        one = beside.submit(lambda: NodeConnection(listener.accept()[0], 0))
        upgraded = beside.submit(lambda: one.result().accept_upgrade())
        done = bench("ws://127.0.0.1:%d" % listener.getsockname()[1], "--mode", "idle", "--connections", 640, "--threads", 1,
                     "--timeout", "1s", "--duration", "200ms", "--warmup", "0ms")  # fmt: skip
        upgraded.result()
    assert done.returncode == 1
    assert any(remark.startswith("The run began with 1 of 640 connections open") for remark in json.loads(done.stdout)["remarks"])


def test_a_connection_that_is_closed_at_accept_is_one_kind(cast):
    for url in ("ws", "wss", "http"):
        node = cast.fake_node(lambda connection: connection.reset(), sees_probes=True)
        done = bench(f"{url}://{node.address}", *ONE_CALL, "--timeout", "1s")
        assert done.returncode == 1
        seen = kinds(json.loads(done.stdout)) if done.stdout else {}
        assert "connect_closed" in (seen or done.stderr), (url, seen, done.stderr)
        assert not {"tls", "upgrade", "connection_reset"} & set(seen)


def test_who_speaks_tls_or_none_is_told_with_the_other_url(cast, node):
    server = cast.ringwall(node)
    plain = bench(f"ws://localhost:{server.port}", "--duration", "100ms")
    assert plain.returncode == 1 and f"the URL is wss://localhost:{server.port}" in plain.stderr
    secure = bench(f"wss://{node.address}", "--duration", "100ms")
    assert secure.returncode == 1 and f"the URL is ws://{node.address}" in secure.stderr
    by_post = bench(f"http://localhost:{server.port}", *ONE_CALL[:4], "--duration", "100ms", "--warmup", "0ms")
    assert by_post.returncode == 1 and f"the URL is https://localhost:{server.port}" in by_post.stdout


def test_a_wrong_accept_is_a_violation(cast):
    node = cast.fake_node(lambda connection: connection.accept_upgrade(accept="A" * 27 + "="), sees_probes=True)
    done = bench(f"ws://{node.address}", "--mode", "idle", "--connections", 1, "--duration", "100ms")
    assert done.returncode == 1
    assert "Sec-WebSocket-Accept" in done.stderr


def test_another_status_than_200_is_told(cast):
    def script(connection):
        connection.read_request()
        connection.reply(500, b"oh")
        connection.answer_calls()

    node = cast.fake_node(script, sees_probes=True)
    seen = figures(f"http://{node.address}", "--call", "echo", "--connections", 1, "--calls", 3, "--warmup", "0ms")
    assert kinds(seen) == {"http_status": 1}
    assert seen["flow"]["answers"] == 2


def test_a_certificate_that_nobody_trusts_is_told(cast):
    server = cast.ringwall(cast.devnode())
    done = bench(server.wss, "--mode", "idle", "--connections", 2, "--duration", "100ms")
    assert done.returncode == 1
    assert "tls: " in done.stderr
    assert "--ca FILE" in done.stderr and "--insecure" in done.stderr


def test_nobody_there_is_said_at_once_and_silence_after_the_timeout():
    done = bench(f"ws://127.0.0.1:{free_port()}", "--duration", "100ms")
    assert done.returncode == 1
    assert "refused" in done.stderr.lower()
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        done = bench("ws://127.0.0.1:%d" % silent.getsockname()[1], "--duration", "100ms", "--timeout", "500ms")
        assert done.returncode == 1
        assert "connect_timeout" in done.stderr


def test_subscribers_hear_what_is_pushed(node):
    seen = figures(f"ws://{node.address}", "--subscribe", "dev_subscribePush", "--connections", 2, "--warmup", "0ms",
                   "--params", '[{"bytes": 10, "per_second": 20}]', "--duration", "1s")  # fmt: skip
    assert kinds(seen) == {}
    assert seen["flow"]["notifications"] > 10


def leaves_unsubscribes_unanswered(connection):
    connection.accept_upgrade()
    while (frame := connection.read_frame()).opcode == TEXT:
        if "nsub" in json.loads(frame.payload)["method"]:
            continue
        connection.send_frame(TEXT, result_of(frame.payload, "a"))
        notification = {"jsonrpc": "2.0", "method": "any", "params": {"subscription": "a", "result": 1}}
        connection.send_frame(TEXT, json.dumps(notification).encode())


def test_unsubscribes_without_an_answer_take_no_call_its_place(cast):
    node = cast.fake_node(leaves_unsubscribes_unanswered, sees_probes=True)
    seen = figures(f"ws://{node.address}", "--call", "chain_subscribeNewHeads", "--connections", 1, "--calls", 100,
                   "--warmup", "0ms", "--timeout", "60s")  # fmt: skip
    assert seen["flow"]["answers"] == 100


@pytest.mark.parametrize("depth", [512, 5000])
def test_the_default_mix_may_have_any_depth(node, depth):
    seen = figures(f"ws://{node.address}", "--connections", 1, "--depth", depth, "--duration", "100ms", "--warmup", "0s")
    assert seen["flow"]["answers"] > 0
    assert seen["flow"]["answers"] + seen["troubles"]["by_kind"]["rpc_error"] == seen["flow"]["calls_sent"]


# Hostile clients ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["slow-heads", "slow-readers", "floods", "denied", "huge-batches", "churn", "tls-handshakes"]
)
def test_hostile_clients_are_told_apart_from_the_well_behaved(cast, kind):
    server = cast.ringwall(cast.devnode(), guard=True)
    seen = figures(server.wss, "--ca", server.ca_file(), "--hostile", kind, "--hostile-connections", 8, "--connections", 2,
                   "--call", "system_chain", "--duration", "1500ms", "--warmup", "100ms", "--timeout", "5s",
                   "--source", "127.0.0.2,127.0.0.3")  # fmt: skip
    hostile = seen["hostile"]
    assert seen["flow"]["answers"] > 0
    assert hostile["flow"]["connections_tried"] >= 8
    ended = hostile["flow"]["connections_cut"]
    assert ended <= hostile["flow"]["connections_tried"]
    troubles = hostile["troubles"]["by_kind"]
    if kind == "denied":
        assert troubles["rpc_error"] > 0 and hostile["flow"]["answers"] == 0
    elif kind == "huge-batches":
        assert troubles["rpc_error"] + troubles["connection_closed"] > 0
    elif kind in ("churn", "tls-handshakes"):
        assert hostile["flow"]["answers"] + hostile["flow"]["connections_opened"] > 8
    elif kind == "slow-heads":
        assert hostile["flow"]["connections_opened"] == 0
        assert hostile["connections_held"] == 8 and ended == 0
    else:
        assert hostile["flow"]["calls_sent"] > 8


def test_the_hostile_have_the_upper_half_of_the_sources_to_themselves(cast):
    seen = set()

    def note(connection):
        peer = connection.sock.getpeername()[0]
        connection.accept_upgrade()
        while (frame := connection.read_frame()).opcode == TEXT:
            seen.add((peer, json.loads(frame.payload)["method"] == "echo"))
            connection.send_frame(TEXT, result_of(frame.payload))

    node = cast.fake_node(note, sees_probes=True)
    figures(f"ws://{node.address}", "--hostile", "denied", "--hostile-connections", 6, "--connections", 4, "--call", "echo",
            "--duration", "500ms", "--warmup", "0ms", "--source", "127.0.1.1,127.0.1.2,127.0.1.3,127.0.1.4,127.0.1.5")  # fmt: skip
    assert {peer for peer, is_innocent in seen if is_innocent} == {"127.0.1.1", "127.0.1.2"}
    assert {peer for peer, is_innocent in seen if not is_innocent} == {"127.0.1.3", "127.0.1.4", "127.0.1.5"}


def answers_large_calls_until_nobody_reads(connection):
    connection.accept_upgrade()
    while (frame := connection.read_frame()).opcode == TEXT:
        is_large = json.loads(frame.payload)["method"] == "state_getMetadata"
        connection.send_frame(TEXT, result_of(frame.payload, "x" * (1 << 20 if is_large else 1)))


def test_an_endpoint_that_stops_sending_to_slow_readers_is_told(cast):
    node = cast.fake_node(answers_large_calls_until_nobody_reads, sees_probes=True)
    seen = figures(f"ws://{node.address}", "--hostile", "slow-readers", "--hostile-connections", 2, "--connections", 1,
                   "--call", "echo", "--rate", 10, "--duration", "5s", "--warmup", "0ms")  # fmt: skip
    assert seen["hostile"]["connections_held"] == seen["hostile"]["senders_stopped"] == 2
    assert seen["hostile"]["flow"]["connections_cut"] == 0
