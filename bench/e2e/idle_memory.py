#!/usr/bin/python3
"""Memory of an idle WebSocket connection through ringwall, and how much of that is TLS's.

    bench/e2e/idle_memory.py [--before PROGRAM] [--program PROGRAM] [--offload user|kernel] [--counts N,N] [--keep NAME]

So many connections are opened one after another, each asks once, and they are held; what ringwall's resident memory grows by,
for each connection, is told between one count and the next, with its node's side and all that the session holds. TLS's part is
the difference to the same with plain connections. Kernel memory (slab and TCP buffers) is the whole machine's, both ends and
the node's too, and noisy where other programs run.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

from stage import ROOT, DevNode, Ringwall, answer_bytes, ask, commit_of, connect, drain, keep, table

WARM_CONNECTIONS = 64
MIB = 1 << 20


def kernel_kib() -> dict:
    slab = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("SUnreclaim"))
    tcp = next(line for line in Path("/proc/net/sockstat").read_text().splitlines() if line.startswith("TCP"))
    return {"slab": int(slab.split()[1]), "tcp": int(tcp.split()[-1]) * resource.getpagesize() // 1024}


def warm(server: Ringwall) -> None:
    """What the shard has once is touched: receive buffers and arena."""
    with connect(server) as stream:
        question = ask("dev_bytes", MIB)
        size = answer_bytes(stream, question)
        for _ in range(8):
            stream.send(question)
            drain(stream, size)


def hold(server, counts: list[int]) -> list[dict]:
    """Memory with so many connections that have asked once, at WARM_CONNECTIONS and at each of `counts`."""
    streams = []
    try:
        warm(server)
        points = []
        question = ask("system_chain")
        for count in [WARM_CONNECTIONS, *counts]:
            while len(streams) < count:
                streams.append(connect(server))
                answer_bytes(streams[-1], question)
            time.sleep(1)  # What was queued for the last of them is let go.
            points.append({"connections": count, **server.memory_kib(), "kernel": kernel_kib()})
        return points
    finally:
        for stream in streams:
            stream.reset()


def measure(program: Path, counts: list[int], plain: bool, settings: list[str], folder: Path) -> list[dict]:
    node = DevNode(folder, counts[-1] + 16)
    try:
        server = Ringwall(folder, program, node, plain=plain, settings=settings)
        try:
            return hold(server, counts)
        finally:
            server.stop()
    finally:
        node.stop()


def growth(points: list[dict]) -> list[dict]:
    """Bytes for each connection, from one point to the next."""
    steps = []
    for before, after in zip(points, points[1:]):
        more = after["connections"] - before["connections"]
        kernel = sum(after["kernel"].values()) - sum(before["kernel"].values())
        step = {key: round((after[key] - before[key]) * 1024 / more) for key in ("rss", "pss")}
        steps.append({"from": before["connections"], "to": after["connections"], **step, "kernel": round(kernel * 1024 / more)})
    return steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", type=Path, help="another ringwall, e.g. of an older commit")
    parser.add_argument("--program", type=Path, default=ROOT / "build/release/ringwall")
    parser.add_argument("--offload", choices=("auto", "user", "kernel"), help="tls.offload of --program")
    parser.add_argument("--counts", default="1000,5000", help="connections, rising")
    parser.add_argument("--keep", metavar="NAME", help="writes bench/results/NAME.json")
    options = parser.parse_args()
    counts = [int(count) for count in options.counts.split(",")]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    programs = {"before": options.before} if options.before else {}
    programs["now"] = options.program
    results, rows = {}, []
    for label, program in programs.items():
        settings = [f"tls.offload={options.offload}"] if label == "now" and options.offload else []
        found = {}
        for kind in ("tls", "plain"):
            with tempfile.TemporaryDirectory() as folder:
                found[kind] = growth(measure(program, counts, kind == "plain", settings, Path(folder)))
        results[label] = {"commit": commit_of(program), **found}
        for tls, plain in zip(found["tls"], found["plain"]):
            row = [f"{label} ({results[label]['commit']})", f"{tls['from']} → {tls['to']}"]
            rows.append(row + [tls["rss"], tls["pss"], plain["rss"], tls["rss"] - plain["rss"], tls["kernel"], plain["kernel"]])
    head = ["bytes for each connection", "connections", "wss RSS", "wss PSS", "ws RSS", "TLS's RSS", "kernel wss", "kernel ws"]
    table(head, rows)
    if options.keep:
        keep(options.keep, {"offload": options.offload or "auto", "idle_memory": results})


if __name__ == "__main__":
    main()
