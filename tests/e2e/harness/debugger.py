"""A thread of another process held still, as a debugger does, while its other threads go on (ptrace(2)); and a whole
process, where it calls a function (gdb)."""

import contextlib
import ctypes
import os
import subprocess
from pathlib import Path

from .until import until

SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17
WALL = 0x40000000  # waitpid: of threads too

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


def _ptrace(request: int, thread: int) -> None:
    if _libc.ptrace(request, thread, None, None) < 0:
        raise OSError(ctypes.get_errno(), f"ptrace({request:#x}, {thread})")


def _thread_of(pid: int, name: str) -> int | None:
    tasks = Path(f"/proc/{pid}/task")
    return next((int(task.name) for task in tasks.iterdir() if (task / "comm").read_text().strip() == name), None)


@contextlib.contextmanager
def one_thread_stopped(pid: int, name: str):
    thread = until(lambda: _thread_of(pid, name), 5, f"a thread {name}")
    _ptrace(SEIZE, thread)
    _ptrace(INTERRUPT, thread)
    os.waitpid(thread, WALL)
    try:
        yield
    finally:
        _ptrace(DETACH, thread)


class Held:
    def __init__(self, hit: Path):
        self._hit = hit

    def wait(self) -> None:
        """Until it is there, and stands still."""
        until(self._hit.exists, 30, "the process calls the function")


@contextlib.contextmanager
def held_at(pid: int, function: str, folder: Path):
    """The next call of the function is held until the end of the block. It is to be made after the block's begin."""
    ready, hit, go, log = (folder / f"gdb-{name}" for name in ("ready", "hit", "go", "log"))
    commands = [
        "set pagination off",
        "handle SIGUSR2 nostop noprint pass",
        f"break {function}",
        f"shell touch {ready}",
        "continue",
        f"shell touch {hit}; until [ -e {go} ]; do sleep 0.02; done",
        "delete",
        "detach",
    ]
    words = [word for command in commands for word in ("-ex", command)]
    with open(log, "wb") as out:
        gdb = subprocess.Popen(["gdb", "-nx", "-q", "-batch", "-p", str(pid), *words], stdout=out, stderr=subprocess.STDOUT)
    try:
        until(ready.exists, 60, "gdb has attached")
        yield Held(hit)
    finally:
        go.touch()
        try:
            gdb.wait(60)
        except subprocess.TimeoutExpired:  # The call was never made. What it traces goes on.
            gdb.kill()
            gdb.wait()
