"""What ringwall-bench does to an endpoint and makes of what it says: each mode, exact counts, an end in order."""

import json
import signal
import subprocess
import time
from threading import Thread

import pytest

from harness.bench import arguments_of, figures, kinds, result_of
from harness.frames import CLOSE, PING, PONG, TEXT
from harness.until import PATIENCE, until

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def node(cast):
    return cast.devnode(block_ms=100)


# Modes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads, depth", [(1, 1), (1, 16), (3, 7)])
def test_a_closed_loop_makes_exactly_so_many_calls(node, threads, depth):
    seen = figures(
        f"ws://{node.address}", "--call", "echo", "--payload", 100, "--calls", 5_001, "--threads", threads,
        "--connections", 7, "--depth", depth, "--duration", "60s", "--warmup", "50ms",
    )  # fmt: skip
    assert kinds(seen) == {}
    assert seen["flow"]["calls_sent"] == seen["flow"]["answers"] == seen["latency_ns"]["count"] == 5_001
    assert seen["measured_s"] < 60
    assert sum(second["answers"] for second in seen["seconds"]) == 5_001


def test_an_open_loop_makes_the_calls_of_its_schedule_and_no_others(node):
    seen = figures(f"ws://{node.address}", "--call", "echo", "--rate", "100..300", "--duration", "2s", "--warmup", "200ms",
                   "--threads", 2)  # fmt: skip
    assert kinds(seen) == {}
    assert seen["flow"]["calls_sent"] == seen["flow"]["answers"] == 400
    assert [second["target_rate"] for second in seen["seconds"]] == [150, 250]


def test_in_an_open_loop_who_waits_is_counted_from_when_it_was_due(cast):
    """The node answers each call after 100 ms; of 20 calls a second on one connection with depth 1, half have to wait."""

    def slow(connection):
        connection.accept_upgrade()
        while (frame := connection.read_frame()).opcode == TEXT:
            time.sleep(0.1)
            connection.send_frame(TEXT, result_of(frame.payload))

    node = cast.fake_node(slow, sees_probes=True)
    seen = figures(f"ws://{node.address}", "--call", "echo", "--rate", 20, "--depth", 1, "--connections", 1,
                   "--duration", "2s", "--warmup", "0ms", "--timeout", "60s")  # fmt: skip
    assert kinds(seen) == {}
    assert seen["flow"]["answers"] == 40
    assert seen["latency_ns"]["max"] > 1_500_000_000
    assert seen["latency_ns"]["min"] >= 100_000_000


def test_in_an_open_loop_who_waits_too_long_is_given_up(cast):
    def mute(connection):
        connection.accept_upgrade()
        while connection.read_frame().opcode == TEXT:
            pass

    node = cast.fake_node(mute, sees_probes=True)
    seen = figures(f"ws://{node.address}", "--call", "echo", "--rate", 20, "--depth", 1, "--connections", 1,
                   "--duration", "2s", "--warmup", "0ms", "--timeout", "300ms")  # fmt: skip
    assert kinds(seen)["send_late"] > 5
    assert kinds(seen)["answer_timeout"] == seen["flow"]["calls_sent"]
    assert seen["flow"]["answers"] == 0


@pytest.mark.parametrize("tls", ["", "1.2", "1.3"])
@pytest.mark.parametrize("resume", [False, True])
def test_handshakes_are_made_one_after_another(cast, tls, resume):
    server = cast.ringwall(cast.devnode())
    options = ["--resume"] * resume + (["--tls", tls] if tls else [])
    seen = figures(server.wss, "--ca", server.ca_file(), "--mode", "handshakes", "--calls", 40, "--duration", "60s",
                   "--warmup", "0ms", "--connections", 4, *options)  # fmt: skip
    assert kinds(seen) == {}
    assert seen["latency_ns"]["count"] == 40
    assert seen["flow"]["handshakes"] >= 40
    full = seen["flow"]["handshakes"] - seen["flow"]["handshakes_resumed"]
    assert full == (1 if resume else seen["flow"]["handshakes"])


def test_idle_connections_answer_pings_and_are_counted(cast):
    pongs = []

    def pinging(connection):
        connection.accept_upgrade()
        if connection.number == 0:
            return
        connection.send_frame(PING, b"there?")
        while (frame := connection.read_frame()).opcode != CLOSE:
            pongs.append((frame.opcode, frame.payload))
        connection.send_frame(CLOSE, frame.payload)

    node = cast.fake_node(pinging, sees_probes=True)
    seen = figures(f"ws://{node.address}", "--mode", "idle", "--connections", 5, "--duration", "500ms", "--warmup", "0ms")
    assert seen["connections_open"] == 4
    assert kinds(seen) == {"connection_closed": 1}
    assert pongs == [(PONG, b"there?")] * 4


def test_subscribers_hear_the_same_blocks(node):
    seen = figures(f"ws://{node.address}", "--mode", "subscribe", "--connections", 20, "--threads", 2, "--duration", "1s",
                   "--warmup", "100ms")  # fmt: skip
    assert kinds(seen) == {}
    assert seen["flow"]["notifications"] >= 20 * 5
    blocks = seen["flow"]["notifications"] - seen["spread_ns"]["count"]
    assert 5 <= blocks <= 13
    assert seen["notification_copies"]["came"] == seen["notification_copies"]["wanted"] > 0
    assert seen["connections_open"] == 20


def test_calls_that_subscribe_are_unsubscribed_once_they_were_notified(node):
    seen = figures(f"ws://{node.address}", "--call", "chain_subscribeNewHeads", "--calls", 50, "--connections", 2,
                   "--duration", "60s", "--warmup", "0ms")  # fmt: skip
    assert kinds(seen) == {}
    assert seen["flow"]["answers"] == 50
    assert seen["flow"]["notifications"] > 0


@pytest.mark.parametrize("through", ["http", "https"])
def test_post_keeps_its_connections(cast, through):
    node = cast.devnode()
    server = cast.ringwall(node) if through == "https" else None
    target = ["https://localhost:%d" % server.port, "--ca", server.ca_file()] if server else [f"http://{node.address}"]
    seen = figures(*target, "--call", "echo", "--payload", 50, "--calls", 300, "--connections", 3, "--duration", "60s",
                   "--warmup", "0ms")  # fmt: skip
    assert kinds(seen) == {}
    assert seen["flow"]["answers"] == 300
    assert seen["flow"]["connections_opened"] == 3


def test_connections_come_from_the_sources_given_in_turn(cast):
    peers = []

    def note(connection):
        peers.append(connection.sock.getpeername()[0])
        connection.accept_upgrade()
        connection.read_to_end()

    node = cast.fake_node(note, sees_probes=True)
    figures(f"ws://{node.address}", "--mode", "idle", "--connections", 6, "--source", "127.0.1.1,127.0.1.2,127.0.1.3",
            "--duration", "100ms", "--warmup", "0ms")  # fmt: skip
    assert sorted(peers) == sorted(["127.0.1.1", "127.0.1.2", "127.0.1.3"] * 2)


def test_headers_and_subprotocol_are_asked_for(cast):
    def script(connection):
        connection.accept_upgrade([("Sec-WebSocket-Protocol", "chat")])
        connection.read_to_end()

    node = cast.fake_node(script, sees_probes=True)
    seen = figures(f"ws://{node.address}/some/path?key=1", "--mode", "idle", "--connections", 1, "--duration", "100ms",
                   "--header", "X-Key: secret", "--subprotocol", "chat", "--warmup", "0ms")  # fmt: skip
    assert kinds(seen) == {}
    (request,) = node.requests
    assert request.target == "/some/path?key=1"
    assert request.get("host") == node.address
    assert request.get("x-key") == "secret"
    assert request.get("sec-websocket-protocol") == "chat"


# The end -----------------------------------------------------------------------------------------------------------


def test_an_interrupt_tells_what_was_seen(node):
    process = subprocess.Popen(
        arguments_of(f"ws://{node.address}", "--call", "echo", "--duration", "600s", "--warmup", "0ms"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20 * PATIENCE)
    assert process.returncode == 130, err
    seen = json.loads(out)
    assert seen["interrupted"] is True
    assert seen["held"] is False
    assert kinds(seen) == {}
    assert seen["flow"]["calls_sent"] == seen["flow"]["answers"] > 0
    assert 0 < seen["measured_s"] < 60


def test_its_connections_are_closed_in_order(cast):
    codes = []

    def script(connection):
        connection.accept_upgrade()
        frame = connection.read_frame()
        codes.append((frame.opcode, frame.payload))
        connection.send_frame(CLOSE, frame.payload)

    node = cast.fake_node(script, sees_probes=True)
    figures(f"ws://{node.address}", "--mode", "idle", "--connections", 3, "--duration", "100ms", "--warmup", "0ms")
    until(lambda: len(codes) == 3)
    assert codes == [(CLOSE, b"\x03\xe8")] * 3


def test_more_connections_than_open_files_are_refused_with_what_to_do(node):
    command = ["bash", "-c", 'ulimit -n 100; exec "$0" "$@"', *arguments_of(f"ws://{node.address}", "--connections", 200)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "open files" in done.stderr


def test_the_process_watched_is_told(node):
    seen = figures(f"ws://{node.address}", "--call", "echo", "--pid", node.pid, "--duration", "1s", "--warmup", "0ms")
    assert seen["target"]["cpu_user_us"] + seen["target"]["cpu_system_us"] > 0
    assert seen["target"]["rss_after_bytes"] >= seen["target"]["rss_before_bytes"] > 0
    assert seen["own_cpu_us"] > 0


def test_a_process_that_ends_while_it_is_watched_has_no_cpu_time(node):
    with subprocess.Popen(["sleep", "2"]) as watched:
        Thread(target=watched.wait).start()
        seen = figures(f"ws://{node.address}", "--call", "echo", "--pid", watched.pid, "--duration", "5s", "--warmup", "0ms")
    assert seen["target"] is None
    told = [second["target_cpu_us"] for second in seen["seconds"]]
    assert told[-1] is None
    assert all(cpu_us is None or cpu_us >= 0 for cpu_us in told)


def test_a_bound_on_calls_ends_an_open_loop(node):
    seen = figures(f"ws://{node.address}", "--call", "echo", "--rate", 500, "--calls", 50, "--duration", "20s", "--warmup", "0ms")
    assert kinds(seen) == {}
    assert seen["flow"]["calls_sent"] == seen["flow"]["answers"] == seen["flow"]["answers_in_time"] == 50
    assert 0 <= seen["machine_busy_share"] <= 1
