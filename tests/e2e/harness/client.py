"""Raw clients: TCP or TLS to Ringwall, with the WebSocket handshake written by hand."""

import base64
import hashlib
import json
import os
import socket
import ssl

from .stream import Stream
from .until import PATIENCE

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TIMEOUT_S = 20.0 * PATIENCE


def accept_of(key: str) -> str:
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()


def new_key() -> str:
    return base64.b64encode(os.urandom(16)).decode()


def tls_context(*, ca=None, alpn=("http/1.1",), version=None, ciphers=None) -> ssl.SSLContext:
    """Trusts `ca` alone, or anything if there is none (what is tested then is not the trust)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Python hides an end without close_notify, with this and with suppress_ragged_eofs.
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0x80)
    if ca:
        context.load_verify_locations(str(ca))
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if version:
        context.minimum_version = context.maximum_version = version
    if ciphers:
        context.set_ciphers(ciphers)
    return context


_anyone = tls_context()


def connect(
    port: int,
    *,
    tls: bool = True,
    context=None,
    server_name="localhost",
    session=None,
    receive_buffer=None,
    timeout=TIMEOUT_S,
    source=None,
) -> Stream:
    """`receive_buffer` keeps the kernel from taking much on behalf of a client that does not read; `source` is the
    address it comes from: any of 127.0.0.0/8."""
    sock = socket.socket()
    sock.settimeout(timeout)
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    try:
        if source:
            sock.bind((source, 0))
        sock.connect(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            # Without suppress_ragged_eofs a cut without close_notify is told apart from a proper end.
            sock = (context or _anyone).wrap_socket(
                sock, server_hostname=server_name, session=session, suppress_ragged_eofs=False
            )
    except BaseException:
        sock.close()
        raise
    return Stream(sock)


def request(method="GET", path="/", fields=(), body: bytes = b"", host="localhost") -> bytes:
    """A request as bytes. Content-Length is added where there is a body and `fields` do not delimit it."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"] if host is not None else [f"{method} {path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in fields]
    names = {name.lower() for name, _ in fields}
    if body and not names & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def page_request(fields=()) -> bytes:
    """A person's browser at the front page: answered by Ringwall itself, whatever the node does."""
    return request("GET", "/", [("Accept", "text/html,application/xhtml+xml,*/*;q=0.8"), *fields])


def call(method: str, params=(), id=1) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": list(params)}).encode()


_BEFORE, _AFTER = b'{"jsonrpc":"2.0","id":1,"method":"echo","params":["', b'"]}'
SMALLEST_MESSAGE = len(_BEFORE + _AFTER)


def message(text: str | bytes = b"") -> bytes:
    """A call with `text`, as it is, between the quotes of its one parameter: for nodes that send back what they get."""
    return _BEFORE + (text.encode() if isinstance(text, str) else text) + _AFTER


def message_of(size: int, make=lambda size: b"x" * size) -> bytes:
    """One of exactly that size, its text by `make`."""
    return message(make(size - SMALLEST_MESSAGE))


def post(body: bytes, fields=(), path="/", **options) -> bytes:
    return request("POST", path, [("Content-Type", "application/json"), *fields], body, **options)


def upgrade_request(path="/", key=None, fields=(), host="localhost") -> bytes:
    return request(
        "GET",
        path,
        [
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Key", key or new_key()),
            ("Sec-WebSocket-Version", "13"),
            *fields,
        ],
        host=host,
    )


def websocket(port: int, *, path="/", fields=(), host="localhost", **options) -> Stream:
    """A stream past a verified 101; its answer is in `stream.reply`."""
    stream = connect(port, **options)
    try:
        key = new_key()
        stream.send(upgrade_request(path, key, fields, host))
        reply = stream.read_reply()
        assert reply.status == 101, f"{reply.status} {reply.reason}: {reply.body[:300]!r}"
        assert reply.get("sec-websocket-accept") == accept_of(key)
        stream.reply = reply
    except BaseException:
        stream.close()
        raise
    return stream


def exchange(port: int, data: bytes, *, to_head=False, **options):
    """One request on a connection of its own; the answer."""
    with connect(port, **options) as stream:
        stream.send(data)
        return stream.read_reply(to_head)
