"""Waiting for something that a test expects to happen, with an end."""

import os
import time

# How many times as long as elsewhere to wait for what must happen; not for what must not, nor for what is timed.
PATIENCE = float(os.environ.get("E2E_PATIENCE") or 1)


def until(condition, seconds: float = 5.0, what: str = "", step: float = 0.02):
    """The first truthy value of condition(), or AssertionError after `seconds`."""
    seconds *= PATIENCE
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {seconds} s: {what or condition}")
        time.sleep(step)


class Stopwatch:
    """`with Stopwatch() as watch: …; assert watch.seconds < 2`"""

    def __enter__(self):
        self._start = time.monotonic()
        self._end = None
        return self

    def __exit__(self, *_):
        self._end = time.monotonic()

    @property
    def seconds(self) -> float:
        return (self._end or time.monotonic()) - self._start
