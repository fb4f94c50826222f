"""ringwall-bench, run to its end, and what it saw."""

import json
import subprocess
from pathlib import Path

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


class Load:
    """ringwall-bench while other things happen. It ends by itself, after its --duration."""

    name = "ringwall-bench"

    def __init__(self, folder: Path, label: str, *arguments):
        self._seen_file = folder / f"{label}.json"
        with open(self._seen_file, "wb") as to:
            self._process = subprocess.Popen(arguments_of(*arguments), stdout=to)

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def seen(self, seconds: float = 60.0) -> dict:
        """At its end."""
        self._process.wait(seconds * PATIENCE)
        return json.loads(self._seen_file.read_text())

    def stop(self) -> int:
        self._process.kill()
        return self._process.wait()


def kinds(seen: dict) -> dict[str, int]:
    """The troubles that there were."""
    return {kind: count for kind, count in seen["troubles"]["by_kind"].items() if count}


def result_of(payload: bytes, result="ok") -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": json.loads(payload)["id"], "result": result}).encode()
