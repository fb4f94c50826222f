"""The guard as a client meets it: JSON-RPC over a WebSocket, its refusals, and what Ringwall counted when it stopped."""

import collections
import json
import re

from . import client, frames
from .frames import TEXT
from .until import Stopwatch

BAD_JSON, BAD_REQUEST, DENIED, RATE = -32700, -32600, -32601, -32999
UNSAFE_TEXT = "RPC call is unsafe to be called externally"


def guard_counters(server) -> collections.Counter:
    """Stops it, and reads its last line on the guard: `guard messages=14 calls=12 units=60 … refused_address_units=3`."""
    server.stop()
    lines = [line for line in server.log.splitlines() if re.search(r"(^|\s)guard messages=", line)]
    assert lines, f"no line of the guard's at the end of:\n{server.log[-4000:]}"
    pairs = re.findall(r"(\w+)=(\d+)", lines[-1])
    counters = collections.Counter({name: int(value) for name, value in pairs})
    for total in ("calls", "units", "unsafe", "not_offered", "invalid"):
        assert total in counters, f"{total} is not in: {lines[-1]}"
    return counters


def refusals(counters) -> dict[str, int]:
    """By reason; empty where nobody was refused."""
    return {name.removeprefix("refused_"): count for name, count in counters.items() if name.startswith("refused_")}


def codes(answer) -> list[int | None]:
    """The error codes of an answer, in order; None for a result."""
    answers = answer if isinstance(answer, list) else [answer]
    return [one["error"]["code"] if "error" in one else None for one in answers]


class Talk:
    """One WebSocket. read() leaves notifications out; `closed_with` is the code of the peer's Close, once seen."""

    def __init__(self, server, **options):
        self.stream = client.websocket(server.port, tls=server.tls, **options)
        self.closed_with = None
        self._id = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()

    def send(self, method: str, params=(), id=None) -> int:
        """The call's id."""
        self._id += 1
        id = self._id if id is None else id
        self.stream.send_frame(TEXT, client.call(method, params, id))
        return id

    def send_text(self, text: bytes, opcode: int = TEXT) -> None:
        self.stream.send_frame(opcode, text)

    def _on_control(self, frame: frames.Frame) -> None:
        if frame.opcode == frames.CLOSE:
            self.closed_with = frame.close_code

    def read(self):
        while True:
            answer = json.loads(self.stream.read_message(self._on_control)[1])
            if isinstance(answer, list) or "id" in answer:
                return answer

    def ask(self, method: str, params=()) -> dict:
        id = self.send(method, params)
        answer = self.read()
        assert answer["id"] == id, answer
        return answer

    def ask_text(self, text: bytes, opcode: int = TEXT):
        self.send_text(text, opcode)
        return self.read()

    def result(self, method: str, params=()):
        answer = self.ask(method, params)
        assert "result" in answer, answer
        return answer["result"]

    def code(self, method: str, params=()) -> int | None:
        """Of the refusal; None where it was answered."""
        return codes(self.ask(method, params))[0]

    def flood(self, method: str, seconds: float = 3600, calls: int = 1_000_000, window: int = 20) -> "Flood":
        """As fast as it goes, with `window` calls under way at a time."""
        flood, sent, read = Flood(), 0, 0
        with Stopwatch() as watch:
            while sent < calls and watch.seconds < seconds:
                while sent - read < min(window, calls - read):
                    self.send(method)
                    sent += 1
                flood.count(self.read())
                read += 1
            flood.sending_s = watch.seconds
            for _ in range(sent - read):
                flood.count(self.read())
        flood.seconds = watch.seconds
        return flood


class Flood:
    def __init__(self):
        self.answered = self.refused = 0
        self.sending_s = self.seconds = 0.0

    def count(self, answer: dict) -> None:
        if "result" in answer:
            self.answered += 1
            return
        assert answer["error"]["code"] == RATE, answer
        self.refused += 1


def ask_by_post(server, method: str, params=(), fields=(), **options):
    """The HTTP answer."""
    return client.exchange(server.port, client.post(client.call(method, params), fields), tls=server.tls, **options)


def turned_away(server, source: str = "127.0.0.1", wait_s: float = 1.0) -> bool:
    """Whether a connection from there is closed at accept, without a byte. One that is let in is left after `wait_s`."""
    try:
        with client.connect(server.port, tls=False, source=source, timeout=wait_s) as stream:
            return stream.read_to_end() == b""
    except ConnectionResetError:  # So early that connect() already tells.
        return True
    except TimeoutError:
        return False
