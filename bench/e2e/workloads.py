"""What a comparison measures: each a run of ringwall-bench, and what one unit of it is."""

from dataclasses import dataclass, field

from stage import client

SMALL_BYTES = 100  # of a call, and about as many of its answer
MIB = 1 << 20
BLOCK_MS = 200  # Between the notifications of the fan-out; all its clients get theirs at one instant.
CONNECTIONS_FEW = 50
RATE = 5000  # calls a second in the open loop


@dataclass(frozen=True)
class Work:
    name: str  # for --only, and the key in the JSON
    title: str
    unit: str
    counted: str  # which of .flow is the units: of the measured time alone, as the CPU is; a whole handshake is one
    connections: int
    words: tuple  # for ringwall-bench
    size: tuple  # the word that bounds it, and how much: calls or seconds; a tenth with --quick
    bar: float | None = None  # at most, of the best peer
    post: bool = False
    resumed: bool = False
    p99: bool = False

    @property
    def is_open_loop(self) -> bool:
        return "--rate" in self.words


def echo(depth: int) -> tuple:
    params = '["' + "x" * (SMALL_BYTES - len(client.call("echo", [""]))) + '"]'
    return ("--mode", "calls", "--depth", depth, "--call", "echo", "--params", params)


def answers_of(size: int) -> tuple:
    return ("--mode", "calls", "--depth", 1, "--call", "dev_bytes", "--params", f"[{size}]")


def open_loop(connections: int, **more) -> Work:
    title = f"open loop at {RATE:,} calls/s, {connections:,} connections"
    words = ("--rate", RATE, *echo(depth=64))
    return Work(f"open-loop-{connections}", title, "a call", "answers_in_time", connections, words, ("--duration", 3), **more)


def works(connections_many: int) -> list[Work]:
    """`connections_many`: as many as this machine lets a proxy hold, 9,500 of them at most."""
    return [
        Work(
            *("round-trip", "small round trip, 50 connections", "a call", "answers_in_time", 50),
            *(echo(depth=1), ("--calls", 40_000)),
            bar=0.80,
        ),
        Work(
            *("in-flight", "the same, 16 in flight on each", "a call", "answers_in_time", 50),
            *(echo(depth=16), ("--calls", 300_000)),
            bar=0.95,
        ),
        Work(
            *("4-kib", "answer of 4 KiB, 50 connections", "an answer", "answers_in_time", 50),
            *(answers_of(4096), ("--calls", 30_000)),
        ),
        Work(
            *("1-mib", "answers of 1 MiB, 8 connections", "a MiB", "answers_in_time", 8),
            *(answers_of(MIB), ("--calls", 600)),
            bar=0.60,
        ),
        Work(
            *("handshake", "full TLS 1.3 handshake, upgrade, close", "a connection", "answers_in_time", 8),
            *(("--mode", "handshakes"), ("--calls", 1_500)),
            bar=0.75,
        ),
        Work(
            *("resumed", "resumed handshake, upgrade, close", "a connection", "answers_in_time", 8),
            *(("--mode", "handshakes", "--resume"), ("--calls", 1_500)),
            bar=0.75,
            resumed=True,
        ),
        Work(
            *("fan-out", "notification to 1,000 clients at one instant", "a notification", "notifications", 1000),
            *(("--mode", "subscribe", "--subscribe", "chain_subscribeNewHeads"), ("--duration", 3)),
            bar=0.80,
        ),
        Work(
            *("post", "HTTP POST keep-alive, 50 connections", "a request", "answers_in_time", 50),
            *(echo(depth=1), ("--calls", 30_000)),
            bar=0.75,
            post=True,
        ),
        open_loop(CONNECTIONS_FEW, bar=0.85, p99=True),
        open_loop(1000),
        open_loop(connections_many),
    ]


CHECK = Work("check", "that a call is answered", "a call", "answers_in_time", 2, echo(depth=1), ("--calls", 100))
