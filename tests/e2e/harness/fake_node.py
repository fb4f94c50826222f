"""A node that does exactly what a test's script says: each connection runs the script in a thread of its own."""

import json
import select
import socket
import threading
import time
import traceback

from . import frames
from .client import accept_of
from .http_reply import Reply, parse_head
from .ports import free_port
from .stream import Stream
from .until import until


class Request:
    """A head as the node received it, and the body if it had a Content-Length or was chunked."""

    def __init__(self, raw: bytes):
        self.raw = raw
        line, _, rest = raw.decode("latin-1").partition("\r\n")
        self.method, self.target, self.version = line.split(" ")
        self._fields: Reply = parse_head(b"HTTP/1.1 200 OK\r\n" + rest.encode("latin-1"))
        self.body = b""

    @property
    def fields(self) -> list[tuple[str, str]]:
        return self._fields.fields

    def get(self, name: str, default=None):
        return self._fields.get(name, default)

    def all(self, name: str) -> list[str]:
        return self._fields.all(name)

    @property
    def json(self):
        return json.loads(self.body)


class NodeConnection(Stream):
    """The node's end of a connection. `requests` are those read so far; frames sent are unmasked."""

    def __init__(self, sock, number: int):
        super().__init__(sock)
        self.number = number
        self.requests: list[Request] = []

    def read_request(self) -> Request:
        request = Request(self.read_until(b"\r\n\r\n"))
        if "chunked" in (request.get("transfer-encoding") or ""):
            while size := int(self.read_until(b"\r\n").split(b";")[0], 16):
                request.body += self.read_exactly(size)
                self.read_exactly(2)
            while self.read_until(b"\r\n") != b"\r\n":
                pass
        elif request.get("content-length"):
            request.body = self.read_exactly(int(request.get("content-length")))
        self.requests.append(request)
        return request

    def reply(self, status: int, body: bytes = b"", fields=(), reason: str = "Whatever") -> None:
        lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in fields)]
        names = {name.lower() for name, _ in fields}
        if status not in (101, 204, 304) and not names & {"content-length", "transfer-encoding"}:
            lines.append(f"Content-Length: {len(body)}")
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)

    def reply_json(self, value, fields=()) -> None:
        self.reply(200, json.dumps(value).encode(), [("Content-Type", "application/json"), *fields])

    def answer_calls(self, result="ok", fields=()) -> None:
        """Answers POSTs, and GETs of health, until the other side closes."""
        while True:
            try:
                request = self.read_request()
            except EOFError:
                return
            if request.method != "POST":
                self.reply(200 if request.method in ("GET", "HEAD") else 405)
                continue
            self.reply_json({"jsonrpc": "2.0", "id": request.json["id"], "result": result}, fields)

    def accept_upgrade(self, fields=(), accept: str | None = None) -> Request:
        """Reads the request and answers 101; `accept` replaces the right Sec-WebSocket-Accept."""
        request = self.read_request()
        self.upgrade(request, fields, accept)
        return request

    def upgrade(self, request: Request, fields=(), accept: str | None = None) -> None:
        accept = accept_of(request.get("sec-websocket-key")) if accept is None else accept
        self.reply(
            101,
            fields=[("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept), *fields],
            reason="Switching Protocols",
        )

    def send_frame(self, opcode: int, payload: bytes = b"", **options) -> None:
        self.send(frames.node_frame(opcode, payload, **options))

    def echo(self) -> None:
        """After accept_upgrade(): every message back until the peer's Close, which is answered."""
        while True:
            frame = self.read_frame()
            if frame.opcode == frames.CLOSE:
                self.send_frame(frames.CLOSE, frame.payload)
                return
            if frame.opcode in (frames.TEXT, frames.BINARY, frames.CONTINUATION):
                self.send_frame(frame.opcode, frame.payload, fin=frame.fin)
            elif frame.opcode == frames.PING:
                self.send_frame(frames.PONG, frame.payload)

    def answer_messages(self, pause_s: float = 0.0) -> None:
        """Each call, of a WebSocket or posted, with its parameters for a result, after a pause: so no call stays open as
        with echo(), whose message is no answer."""
        request = self.read_request()
        if not request.get("upgrade"):
            self.reply_json({"jsonrpc": "2.0", "id": request.json["id"], "result": request.json["params"]})
            return self.answer_calls()
        self.upgrade(request)
        while (frame := self.read_frame()).opcode != frames.CLOSE:
            asked = json.loads(frame.payload)
            time.sleep(pause_s)
            answer = {"jsonrpc": "2.0", "id": asked["id"], "result": asked["params"]}
            self.send_frame(frames.TEXT, json.dumps(answer).encode())
        self.send_frame(frames.CLOSE, frame.payload)

    def serve(self) -> None:
        """As a node does: a WebSocket's messages come back, and whatever else is asked is answered."""
        request = self.read_request()
        if request.get("upgrade"):
            self.upgrade(request)
            self.echo()
        else:
            self.reply_json({"jsonrpc": "2.0", "id": 1, "result": 1})
            self.answer_calls()


# What Ringwall asks for itself at its start.
PROBE, PROBE_WITHIN_S = b'"method":"rpc_methods"', 0.2


class FakeNode:
    """Listens and runs script(connection) for each connection, and closes it after that. Ringwall's own question at its
    start is answered here and is no connection of the test's, unless the script is to see it (`sees_probes`).

    A script that fails with anything but the peer's going away fails the test, at stop().
    """

    def __init__(
        self,
        script,
        *,
        address: str = "127.0.0.1",
        port: int | None = None,
        backlog: int = 128,
        receive_buffer: int | None = None,
        sees_probes: bool = False,
    ):
        self.script = script
        self._sees_probes = sees_probes
        self.connections: list[NodeConnection] = []
        self._failures: list[str] = []
        self._threads: list[threading.Thread] = []
        self._stopping = False
        self._lock = threading.Lock()
        self.host = address
        self.port = port or free_port()
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if receive_buffer:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._listener.bind((address, self.port))
        self._listener.listen(backlog)
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def requests(self) -> list[Request]:
        """Of all connections, in the order of the connections."""
        return [request for connection in list(self.connections) for request in connection.requests]

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.settimeout(120)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._run, args=(sock,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _is_probe(self, sock) -> bool:
        if self._sees_probes or not select.select([sock], [], [], PROBE_WITHIN_S)[0]:
            return False
        try:
            return PROBE in sock.recv(4096, socket.MSG_PEEK)
        except OSError:
            return False

    def _run(self, sock):
        if self._is_probe(sock):
            with NodeConnection(sock, -1) as connection:
                connection.read_request()
                connection.reply_json({"jsonrpc": "2.0", "id": 1, "result": {"methods": []}})
            return
        with self._lock:
            connection = NodeConnection(sock, len(self.connections))
            self.connections.append(connection)
        try:
            self.script(connection)
        except (EOFError, *ABORTED_OR_CLOSED):
            pass
        except Exception:
            if not self._stopping:
                self._failures.append(traceback.format_exc())
        finally:
            connection.close()

    @property
    def is_idle(self) -> bool:
        """No script runs."""
        return not any(thread.is_alive() for thread in self._threads)

    def wait_for_connections(self, count: int = 1, seconds: float = 5.0) -> list[NodeConnection]:
        until(lambda: len(self.connections) >= count, seconds, f"the node gets {count} connections")
        return self.connections

    def refuse(self) -> None:
        """Listens no more: the next connection is refused. Those that are there go on."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def drop_connections(self) -> None:
        """Ends those that are there, whatever their scripts are doing."""
        for connection in list(self.connections):
            try:
                connection.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self) -> None:
        self._stopping = True
        try:
            self.refuse()
        except OSError:
            pass
        self.drop_connections()
        for thread in self._threads:
            thread.join(5)
        assert not self._failures, "the fake node's script failed:\n" + "\n".join(self._failures)


ABORTED_OR_CLOSED = (ConnectionResetError, BrokenPipeError, ConnectionAbortedError)
