"""A node that writes down every JSON-RPC text that reaches it and answers each call: the guard's witness."""

import json
import re
import threading

from . import frames
from .fake_node import FakeNode, NodeConnection
from .until import until

PROBES = {"rpc_methods"}  # What Ringwall asks for itself.


class Failure:
    """In `results`: the call is answered with this error."""

    def __init__(self, code: int, message: str):
        self.error = {"code": code, "message": message}


class RecordingNode(FakeNode):
    """Answers "ok", or what `results` has for the method: a value, a Failure, or a function of the params.

    More forgiving than any node, so that it would answer what a node refuses: it takes positional calls, repeated
    members and ids of every kind.
    """

    def __init__(self, results: dict | None = None, methods: tuple[str, ...] = ("rpc_methods", "system_chain"), **options):
        self.texts: list[bytes] = []  # Of messages and bodies, in the order they came.
        self.results = {"rpc_methods": {"methods": list(methods)}, **(results or {})}
        self._held: set[str] = set()
        self._waiting: list[tuple[NodeConnection, bytes]] = []
        self._sockets: list[NodeConnection] = []
        self._sending = threading.Lock()
        super().__init__(self._serve, sees_probes=True, **options)

    def texts_since(self, mark: int) -> list[bytes]:
        """Without the questions that Ringwall itself asks."""
        return [text for text in self.texts[mark:] if not PROBES & {name for name in names_in(text)}]

    def hold(self, method: str) -> None:
        """Calls of it over a WebSocket are answered no more until release()."""
        self._held.add(method)

    def held(self, count: int) -> None:
        until(lambda: len(self._waiting) >= count, 5, f"{count} calls wait at the node")

    def release(self) -> None:
        self._held.clear()
        with self._sending:
            waiting, self._waiting = self._waiting, []
            for connection, answer in waiting:
                connection.send_frame(frames.TEXT, answer)

    def notify(self, method: str, subscription: str, result) -> None:
        """To every WebSocket that is open."""
        params = {"subscription": subscription, "result": result}
        text = json.dumps({"jsonrpc": "2.0", "method": method, "params": params}).encode()
        with self._sending:
            for connection in self._sockets:
                connection.send_frame(frames.TEXT, text)

    def _serve(self, connection: NodeConnection) -> None:
        while True:
            asked = connection.read_request()
            if asked.get("upgrade"):
                return self._talk(connection, asked)
            if asked.body:
                self.texts.append(asked.body)
            answer = self._answer(asked.body) if asked.method == "POST" else b"{}"
            connection.reply(200, answer or b"", [("Content-Type", "application/json")])

    def _talk(self, connection: NodeConnection, asked) -> None:
        connection.upgrade(asked)
        self._sockets.append(connection)
        try:
            while True:
                _, text = connection.read_message(lambda frame: self._on_control(connection, frame))
                self.texts.append(text)
                answer = self._answer(text)
                with self._sending:
                    if self._held & set(names_in(text)):
                        self._waiting.append((connection, answer))
                    elif answer is not None:
                        connection.send_frame(frames.TEXT, answer)
        finally:
            self._sockets.remove(connection)

    def _on_control(self, connection: NodeConnection, frame: frames.Frame) -> None:
        if frame.opcode == frames.PONG:
            return
        with self._sending:
            connection.send_frame(frames.PONG if frame.opcode == frames.PING else frames.CLOSE, frame.payload)

    def _answer(self, text: bytes) -> bytes | None:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            id = re.search(rb'"id"\s*:\s*(\d+)', text)
            return b'{"jsonrpc":"2.0","id":%s,"result":"ok"}' % (id.group(1) if id else b"null")
        answers = [self._answer_to(call) for call in (value if isinstance(value, list) else [value])]
        answers = [answer for answer in answers if answer is not None]
        if not answers:
            return None
        return json.dumps(answers if isinstance(value, list) else answers[0]).encode()

    def _answer_to(self, call) -> dict | None:
        if isinstance(call, list) and len(call) >= 3:
            call = dict(zip(("jsonrpc", "id", "method", "params"), call))
        if not isinstance(call, dict) or "id" not in call:
            return None
        result = self.results.get(str(call.get("method")), "ok")
        if callable(result):
            result = result(call.get("params"))
        if isinstance(result, Failure):
            return {"jsonrpc": "2.0", "id": call["id"], "error": result.error}
        return {"jsonrpc": "2.0", "id": call["id"], "result": result}


def _unescaped(text: bytes) -> str:
    """As any reader of JSON could see it: escapes resolved wherever they stand, and of wide encodings every character."""
    plain = text.replace(b"\0", b"").decode("utf-8", "replace")
    return re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match.group(1), 16)), plain)


def names_in(text: bytes) -> list[str]:
    """Whatever looks like a method's name, anywhere in it."""
    return re.findall(r"(?<![A-Za-z0-9])[A-Za-z0-9]+_[A-Za-z0-9_]+", _unescaped(text))
