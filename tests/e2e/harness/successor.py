"""A process that another one under test has started, and that outlives it."""

import ctypes
import os
import signal
import time

from .until import until

PR_SET_CHILD_SUBREAPER = 36


def become_subreaper() -> None:
    """What has lost its parent becomes a child of this process, so that its end is seen and its status known."""
    assert ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


class Successor:
    """It writes to the log of the one before it, and its end is seen when that one has ended."""

    name = "ringwall's successor"

    def __init__(self, pid: int):
        self.pid = pid
        self._status: int | None = None

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def _look(self) -> bool:
        if self._status is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:  # The one before it is still there.
                return False
            self._status = os.waitstatus_to_exitcode(status) if pid else None
        return self._status is not None

    def wait(self, seconds: float) -> int:
        until(self._look, seconds, f"process {self.pid} ends")
        return self._status

    def stop(self, seconds: float = 15.0) -> int:
        if self._status is None:
            self.send_signal(signal.SIGTERM)
            try:
                return self.wait(seconds)
            except AssertionError:
                self.send_signal(signal.SIGKILL)
                time.sleep(0.1)
                raise
        return self._status
