"""Upgrades under ringwall-bench: nobody is refused or reset, and no call that reached the node goes without its answer."""

import time

import pytest

from harness.bench import Load, kinds
from harness.frames import TEXT
from harness.until import PATIENCE, until
from test_upgrade import change_shards, with_shards

pytestmark = pytest.mark.timeout(240)

METHOD = "state_call"
STEADY = 30  # WebSockets with calls in flight all the time.
DEPTH = 4
SECONDS = int(15 * PATIENCE)


def slowly(_params):
    """So that at any moment there are calls that the node has read and not answered."""
    time.sleep(0.05)
    return "ok"


def calls_read(node) -> int:
    """By the node: each of them is a client's, who has to hear of it."""
    return sum(METHOD.encode() in text for text in node.texts)


@pytest.mark.parametrize("counts", [(1, 2, 1), (2, 1, 2)], ids=str)
def test_two_in_a_row_refuse_nobody_and_lose_no_call(cast, counts):
    node = cast.recording_node(results={METHOD: slowly})
    server = with_shards(cast, node, counts[0], settings={"timeouts.drain_ms": 1000})
    plain, wss = (f"{scheme}://localhost:{port}" for scheme, port in zip(("http", "wss"), server.ports))

    def load(label, url, *arguments):
        common = ("--warmup", "0ms", "--duration", f"{SECONDS}s", "--timeout", f"{int(10 * PATIENCE)}s")
        secure = ("--insecure",) if url.startswith("wss") else ()
        return cast.add(Load(cast.folder, label, url, *common, *secure, *arguments))

    steady = load("steady", wss, "--connections", STEADY, "--depth", DEPTH, "--call", METHOD)
    new = {
        "handshakes": load("handshakes", wss, "--mode", "handshakes", "--connections", 6),
        "resumed": load("resumed", wss, "--mode", "handshakes", "--connections", 4, "--resume"),
        "posts": load("posts", plain, "--mode", "handshakes", "--connections", 4, "--call", "system_name"),
    }
    latest = None
    for before, after in zip(counts, counts[1:]):
        read = calls_read(node)
        until(lambda: calls_read(node) >= read + 10 * STEADY, 20, "calls go through")
        change_shards(server, before, after)
        old, latest = latest or server, cast.add(server.upgrade(latest))
        assert f"is serving with {after} shard" in server.log
        assert old.wait(10) == 0
    read = calls_read(node)
    until(lambda: calls_read(node) >= read + 10 * STEADY, 20, "calls go through")
    assert all(one.running for one in (steady, *new.values())), "the upgrades were not under load to their end"

    for label, one in new.items():
        seen = one.seen()
        assert kinds(seen) == {}, (label, seen["troubles"])
        assert seen["flow"]["connections_opened"] > 100, label
    seen = steady.seen()
    # What a client says when it has not yet read the Close is lost, and it knows.
    assert set(kinds(seen)) <= {"connection_closed", "answer_lost"}, seen["troubles"]
    closes = {text: count for text, count in seen["troubles"]["texts"].items() if text.startswith("connection_closed")}
    assert set(closes) == {"connection_closed: Close 1001 the proxy is stopping"}
    assert closes.popitem()[1] == kinds(seen)["connection_closed"] > STEADY
    assert seen["flow"]["calls_unanswered"] == 0
    assert seen["flow"]["answers"] == calls_read(node) > 1000
