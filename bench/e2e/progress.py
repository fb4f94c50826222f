"""A line that says what is going on: on a terminal one that is written over, elsewhere one for each title."""

import sys
import time


class Progress:
    def __init__(self):
        self._began = time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._title = ""

    def tell(self, text: str) -> None:
        minutes, seconds = divmod(round(time.monotonic() - self._began), 60)
        if self._terminal:
            print(f"\r\033[K{minutes}:{seconds:02} {text}", end="", file=sys.stderr, flush=True)
        elif (title := text.partition(": round")[0]) != self._title:
            self._title = title
            print(f"{minutes}:{seconds:02} {title}", file=sys.stderr, flush=True)

    def line(self, text: str = "") -> None:
        """One that stays; without a text the line is only cleared."""
        if self._terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
        if text:
            print(text, file=sys.stderr, flush=True)
