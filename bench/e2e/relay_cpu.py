#!/usr/bin/python3
"""CPU time of ringwall for each MiB and each message that it relays: of one program, or of two in turns.

    bench/e2e/relay_cpu.py [--before PROGRAM] [--program PROGRAM] [--offload user|kernel] [--plain] [--rounds N]
                           [--only WORDS] [--keep NAME]

TLS 1.3 with AES-128-GCM (or none: --plain), one shard, ringwall-devnode behind. Counted is user and system time of the
ringwall process alone, so neither the clients nor the node nor another process is. A round is a fixed number of messages, first
through one program, then through the other; told are the medians (and the range), and the median of the rounds' ratios.
"""

import argparse
import tempfile
from pathlib import Path

from stage import ROOT, DevNode, Ringwall, answer_bytes, ask, client, commit_of, connect, connect_wide, drain, keep, need_kernel_tls, summary, table

MIB, KIB8 = 1 << 20, 8 << 10
SMALL = 100  # bytes of a message's payload


class Large:
    """One at a time, over one connection."""

    def __init__(self, server: Ringwall, question: bytes, payload_bytes: int, count: int):
        self.question, self.mib = question, payload_bytes * count / MIB
        self.count = count
        self.stream = connect_wide(server)
        self.answer = answer_bytes(self.stream, question)

    def run(self) -> float:
        for _ in range(self.count):
            self.stream.send(self.question)
            drain(self.stream, self.answer)
        return self.mib

    def close(self) -> None:
        self.stream.close()


class Small:
    """Round trips of 100 bytes each way, on so many connections at once."""

    def __init__(self, server: Ringwall, connections: int, count: int):
        self.question = ask("echo", "x" * (SMALL - len(client.call("echo", [""]))))
        self.count = count // connections
        self.streams = [connect(server) for _ in range(connections)]
        self.answer = [answer_bytes(stream, self.question) for stream in self.streams][0]

    def run(self) -> float:
        for _ in range(self.count):
            for stream in self.streams:
                stream.sock.send(self.question)
            for stream in self.streams:
                drain(stream, self.answer)
        return self.count * len(self.streams)

    def close(self) -> None:
        for stream in self.streams:
            stream.close()


SCENARIOS = {
    "node → client, answers of 1 MiB: a MiB": lambda server: Large(server, ask("dev_bytes", MIB), MIB, 64),
    "client → node, messages of 1 MiB: a MiB": lambda server: Large(server, ask("dev_bytes", 1, "x" * MIB), MIB, 64),
    "client → node, messages of 8 KiB: a MiB": lambda server: Large(server, ask("dev_bytes", 1, "x" * KIB8), KIB8, 2000),
    "100 bytes each way, 1 connection: a round trip": lambda server: Small(server, 1, 2000),
    "100 bytes each way, 16 connections: a round trip": lambda server: Small(server, 16, 4000),
}


def cost_us(make, server: Ringwall) -> float:
    """Of one unit, over connections of its own: what TCP learns of one is not the next one's."""
    scenario = make(server)
    scenario.run()
    before_ns = server.cpu_ns()
    units = scenario.run()
    cost_ns = server.cpu_ns() - before_ns
    scenario.close()
    return cost_ns / 1000 / units


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", type=Path, help="another ringwall, e.g. of an older commit")
    parser.add_argument("--program", type=Path, default=ROOT / "build/release/ringwall")
    parser.add_argument("--offload", choices=("auto", "user", "kernel"), help="tls.offload of --program")
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="of --program, as ringwall takes it")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--only", help="scenarios whose title has these words")
    parser.add_argument("--keep", metavar="NAME", help="writes bench/results/NAME.json")
    options = parser.parse_args()
    if options.offload == "kernel" and not options.plain:
        need_kernel_tls()

    programs = {"before": options.before} if options.before else {}
    programs["now"] = options.program
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started = [node := DevNode(folder)]
        try:
            servers = {}
            for label, program in programs.items():
                settings = [*options.set] if label == "now" else []
                if label == "now" and options.offload:
                    settings.append(f"tls.offload={options.offload}")
                servers[label] = Ringwall(folder, program, node, plain=options.plain, settings=settings)
                started.append(servers[label])
            results, rows = {}, []
            for title, make in SCENARIOS.items():
                if options.only and options.only not in title:
                    continue
                costs = {label: [] for label in servers}
                for turn in range(options.rounds):
                    for label in list(servers)[:: 1 if turn % 2 else -1]:
                        costs[label].append(cost_us(make, servers[label]))
                results[title] = {label: summary(cost) for label, cost in costs.items()}
                row = [title]
                for cost in results[title].values():
                    row.append("{median:.1f} ({min:.1f} … {max:.1f})".format(**cost))
                if options.before:
                    ratios = [now / before for now, before in zip(costs["now"], costs["before"])]
                    results[title]["now/before"] = summary(ratios)
                    row.append("{median:.2f}".format(**results[title]["now/before"]))
                rows.append(row)
            table(["µs of CPU time", *servers, *(["now/before"] if options.before else [])], rows)
            for label, server in servers.items():
                print(f"{label}: {commit_of(programs[label])}, {server.system_share():.0%} of its time in the kernel")
        finally:
            for process in reversed(started):
                process.stop()
    if options.keep:
        commits = {label: commit_of(program) for label, program in programs.items()}
        mode = "plain" if options.plain else options.offload or "auto"
        keep(options.keep, {"commits": commits, "offload": mode, "settings": options.set, "cpu_us": results})


if __name__ == "__main__":
    main()
