"""ringwall-bench, run to its end, and what it saw."""

import json
import subprocess

from .programs import program
from .until import PATIENCE


def arguments_of(*arguments) -> list[str]:
    return [program("ringwall-bench"), *map(str, arguments), "--json", "-", "--quiet"]


def bench(*arguments, seconds: float = 60.0):
    return subprocess.run(arguments_of(*arguments), capture_output=True, text=True, timeout=seconds * PATIENCE)


def figures(*arguments) -> dict:
    done = bench(*arguments)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def kinds(seen: dict) -> dict[str, int]:
    """The troubles that there were."""
    return {kind: count for kind, count in seen["troubles"]["by_kind"].items() if count}


def result_of(payload: bytes, result="ok") -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": json.loads(payload)["id"], "result": result}).encode()
