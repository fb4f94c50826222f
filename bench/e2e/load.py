"""One run of ringwall-bench against a server, and what the server's process spent in its measured time."""

import json
import subprocess
import sys
from pathlib import Path

from stage import DevNode, Program
from workloads import CHECK, Work

RUN_SECONDS_MAX = 120  # 9,500 connections take a minute to open where the machine is busy
CHECK_SECONDS_MAX = 20
SOURCES = "127.0.0.0/24"
QUICK = 10


class Trouble(Exception):
    """What makes a run worth nothing."""


def said_by(done: subprocess.CompletedProcess) -> str:
    """Why it has not ended with 0: what it complains of, or what its report says was not held."""
    if not done.stdout.startswith("{"):
        return (done.stderr or done.stdout).strip()[-300:]
    found = json.loads(done.stdout)
    broken = [f"{each['threshold']}: {each['found']}" for each in found["thresholds"] if not each["held"]]
    kinds = {kind: count for kind, count in found["troubles"]["by_kind"].items() if count}
    return "; ".join([*broken, *found["remarks"], *([json.dumps(kinds)] if kinds else [])])


class Load:
    def __init__(self, program: Path, ca: Path, through=(), quick: bool = False):
        self.program, self.ca, self.through, self.quick = program, ca, through, quick

    def _size(self, word: str, amount: float) -> list:
        amount = amount / QUICK if self.quick else amount
        if word == "--duration":
            return [word, f"{amount * 1000:.0f}ms"]
        return [word, f"{amount:.0f}", "--duration", f"{RUN_SECONDS_MAX // 3}s"]

    def _result(self, words: list[str], seconds_max: int) -> dict:
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=seconds_max)
        except subprocess.TimeoutExpired:
            raise Trouble(f"{self.program.name} has not ended after {seconds_max} s") from None
        if done.returncode:
            raise Trouble(f"{self.program.name} ended with {done.returncode}: {said_by(done)}")
        return json.loads(done.stdout)

    def run(self, work: Work, server: Program, seconds_max: int = RUN_SECONDS_MAX) -> dict:
        """CPU µs of one unit, and the 99th percentile of the calls' latency."""
        plain = isinstance(server, DevNode)
        scheme = "ws" if plain else "https" if work.post else "wss"
        words = [*self.through, self.program, f"{scheme}://127.0.0.1:{server.port}", *work.words]
        words += ["--connections", work.connections, "--threads", 1]
        words += [] if plain else ["--tls", "1.3", "--ca", self.ca]
        words += ["--source", SOURCES, "--pid", server.pids()[-1], "--json", "-", "--quiet", "--fail-errors", "0%"]
        words += ["--warmup", "200ms" if self.quick else "500ms", *self._size(*work.size)]
        found = self._result([str(word) for word in words], seconds_max)
        units = found["flow"][work.counted]
        if found["troubles"]["total"] or not units:
            raise Trouble(f"{units} {work.counted}, {json.dumps(found['troubles'])[:300]}")
        handshakes, resumed = found["flow"]["handshakes"], found["flow"]["handshakes_resumed"]
        if resumed < 0.98 * handshakes if work.resumed else resumed:
            raise Trouble(f"{resumed} of {handshakes} handshakes resumed")
        spent_us = found["target"]["cpu_user_us"] + found["target"]["cpu_system_us"]
        return {
            "cpu_us": spent_us / units,
            "system_share": found["target"]["cpu_system_us"] / max(spent_us, 1),
            "p99_us": found["latency_ns"]["p99"] / 1000,
            "units_per_s": units / found["measured_s"],
            "load_us": found["own_cpu_us"] / units,
        }

    def check(self, name: str, server: Program) -> None:
        """Ends the program where the load and the server do not work together at all."""
        try:
            self.run(CHECK, server, CHECK_SECONDS_MAX)
        except Trouble as trouble:
            sys.exit(f"{name}: {trouble}")
