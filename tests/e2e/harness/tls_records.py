"""A TLS client whose records, once the handshake is over, are made by hand: any type, length, padding, cut or lie.

Python's ssl does the handshake over memory and writes its secrets to a key log. From there on each direction is a key,
an iv and a sequence number of ours. Source: RFC 8446 sections 5 and 7, RFC 5246 section 6, RFC 5288, RFC 7905.
"""

import ctypes
import functools
import hashlib
import hmac
import socket
import ssl
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from . import client
from .stream import ABORTED, Stream

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23
WARNING, FATAL = 1, 2
CLOSE_NOTIFY, UNEXPECTED_MESSAGE, BAD_RECORD_MAC, RECORD_OVERFLOW = 0, 10, 20, 22
ILLEGAL_PARAMETER, DECODE_ERROR, PROTOCOL_VERSION, USER_CANCELED, NO_RENEGOTIATION = 47, 50, 70, 90, 100
PLAINTEXT_MAX = 1 << 14
CLIENT_HELLO, NEW_SESSION_TICKET, KEY_UPDATE = 1, 4, 24


@dataclass(frozen=True)
class Suite:
    """`name` is OpenSSL's; `version` 2 or 3, the minor one of TLS."""

    name: str
    version: int
    key_bytes: int
    hash: str

    @property
    def is_chacha(self) -> bool:
        return "CHACHA20" in self.name

    @property
    def explicit_nonce_bytes(self) -> int:
        return 8 if self.version == 2 and not self.is_chacha else 0

    @property
    def overhead(self) -> int:
        """Of a record without its header and without padding."""
        return self.explicit_nonce_bytes + 16 + (self.version == 3)


TLS13 = [
    Suite("TLS_AES_128_GCM_SHA256", 3, 16, "sha256"),
    Suite("TLS_AES_256_GCM_SHA384", 3, 32, "sha384"),
    Suite("TLS_CHACHA20_POLY1305_SHA256", 3, 32, "sha256"),
]
TLS12 = [
    Suite(f"ECDHE-{kind}-{name}", 2, key_bytes, hash)
    for kind in ("ECDSA", "RSA")
    for name, key_bytes, hash in (
        ("AES128-GCM-SHA256", 16, "sha256"),
        ("AES256-GCM-SHA384", 32, "sha384"),
        ("CHACHA20-POLY1305", 32, "sha256"),
    )
]
SUITES = TLS13 + TLS12


def hkdf_expand_label(secret: bytes, label: str, size: int, hash: str) -> bytes:
    """One block's worth, with an empty context: all that is needed here (RFC 8446 section 7.1)."""
    name = b"tls13 " + label.encode()
    info = struct.pack(">HB", size, len(name)) + name + b"\0"
    return hmac.digest(secret, info + b"\1", hash)[:size]


def prf(secret: bytes, label: bytes, seed: bytes, size: int, hash: str) -> bytes:
    """RFC 5246 section 5."""
    seed, out = label + seed, b""
    link = seed
    while len(out) < size:
        link = hmac.digest(secret, link, hash)
        out += hmac.digest(secret, link + seed, hash)
    return out[:size]


class Direction:
    """Seals, or opens, the records of one direction. `sequence` counts those of the present key."""

    def __init__(self, suite: Suite, key: bytes = b"", iv: bytes = b"", sequence: int = 0, secret: bytes = b""):
        self.suite, self.secret, self.sequence = suite, secret, sequence
        if secret:
            self._derive()
        else:
            self._set(key, iv)

    def _set(self, key: bytes, iv: bytes) -> None:
        self.iv = iv
        self._aead = ChaCha20Poly1305(key) if self.suite.is_chacha else AESGCM(key)

    def _derive(self) -> None:
        label = functools.partial(hkdf_expand_label, self.secret, hash=self.suite.hash)
        self._set(label("key", self.suite.key_bytes), label("iv", 12))

    def update(self) -> None:
        """TLS 1.3: to the next secret (RFC 8446 section 7.2)."""
        size = hashlib.new(self.suite.hash).digest_size
        self.secret = hkdf_expand_label(self.secret, "traffic upd", size, self.suite.hash)
        self._derive()
        self.sequence = 0

    def _nonce(self, explicit: bytes) -> bytes:
        if explicit:
            return self.iv + explicit
        return (int.from_bytes(self.iv, "big") ^ self.sequence).to_bytes(12, "big")

    def _additional(self, header: bytes, plaintext_bytes: int) -> bytes:
        if self.suite.version == 3:
            return header
        return struct.pack(">Q", self.sequence) + header[:3] + struct.pack(">H", plaintext_bytes)

    def seal(self, type: int, plaintext: bytes, *, padding: int = 0, outer: int = DATA, version: int = 0x0303) -> bytes:
        """A record. `padding`: zeros after the type, and `outer`: the type in its header, are of TLS 1.3 alone."""
        explicit = struct.pack(">Q", self.sequence)[: self.suite.explicit_nonce_bytes]
        if self.suite.version == 3:
            plaintext, type = plaintext + bytes([type]) + bytes(padding), outer
        header = struct.pack(">BHH", type, version, len(explicit) + len(plaintext) + 16)
        body = self._aead.encrypt(self._nonce(explicit), plaintext, self._additional(header, len(plaintext)))
        self.sequence += 1
        return header + explicit + body

    def open(self, record: bytes) -> tuple[int, bytes]:
        """Type and plaintext of a whole record."""
        type, version, size = struct.unpack(">BHH", record[:5])
        assert version == 0x0303 and size == len(record) - 5, record[:5].hex()
        explicit, body = record[5 : 5 + self.suite.explicit_nonce_bytes], record[5 + self.suite.explicit_nonce_bytes :]
        additional = self._additional(record[:5], len(body) - 16)
        try:
            plaintext = self._aead.decrypt(self._nonce(explicit), body, additional)
        except InvalidTag:
            raise AssertionError(f"record {self.sequence} of type {type} and {size} bytes does not open") from None
        self.sequence += 1
        if self.suite.version == 3:
            assert type == DATA, f"a record of type {type} after the handshake"
            plaintext = plaintext.rstrip(b"\0")
            plaintext, type = plaintext[:-1], plaintext[-1]
        assert len(plaintext) <= PLAINTEXT_MAX
        return type, plaintext


def _set_ciphersuites(context: ssl.SSLContext, names: str) -> None:
    """Python's ssl cannot choose among those of TLS 1.3; the SSL_CTX is the first field of its object."""
    library = ctypes.CDLL("libssl.so.3")
    library.SSL_CTX_set_ciphersuites.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    pointer = ctypes.c_void_p.from_address(id(context) + object.__basicsize__).value
    assert library.SSL_CTX_set_ciphersuites(pointer, names.encode()) == 1, names


_folder = tempfile.TemporaryDirectory(prefix="keylog-")  # Gone with the interpreter.


@functools.cache
def context_for(suite: Suite) -> ssl.SSLContext:
    """One a suite, so that a session may be resumed in it. Its key log is a file of its own."""
    version = ssl.TLSVersion.TLSv1_3 if suite.version == 3 else ssl.TLSVersion.TLSv1_2
    context = client.tls_context(version=version, ciphers=None if suite.version == 3 else suite.name)
    if suite.version == 3:
        _set_ciphersuites(context, suite.name)
    context.keylog_filename = str(Path(_folder.name) / suite.name)
    return context


def _logged(context: ssl.SSLContext, label: str, client_random: bytes) -> bytes:
    for line in Path(context.keylog_filename).read_text().splitlines():
        if line.startswith(f"{label} {client_random.hex()} "):
            return bytes.fromhex(line.split()[2])
    raise KeyError(f"no {label} in the key log")


class Handshake:
    """Step by step, over a connected socket, so that what belongs to the client's Finished can be held back."""

    def __init__(self, sock: socket.socket, suite: Suite, session=None):
        self.sock, self.suite, self._context = sock, suite, context_for(suite)
        self._in, self._out, self._wire = ssl.MemoryBIO(), ssl.MemoryBIO(), b""
        self.tls = self._context.wrap_bio(self._in, self._out, server_hostname="localhost", session=session)
        self.done = self._step()
        self.due = self._out.read()  # To send.
        self.client_random, self.server_random = self.due[11:43], b""

    def _step(self) -> bool:
        try:
            self.tls.do_handshake()
            return True
        except ssl.SSLWantReadError:
            return False

    def send(self) -> None:
        data, self.due = self.due, b""
        self.sock.sendall(data)

    def read_flight(self) -> None:
        """Until something is due to the server, or all is done. What came beyond stays for the records."""
        while not self.due and not self.done:
            data = self.sock.recv(65536)
            if not data:
                raise EOFError("the server ended the handshake")
            if not self.server_random:
                self._wire += data
                self.server_random = self._wire[11:43] if len(self._wire) >= 43 else b""
            self._in.write(data)
            self.done = self._step()
            self.due += self._out.read()

    def stream(self) -> "RecordStream":
        """From where the client's Finished is made. The handshake's last bytes, if `due`, are still to be sent."""
        suite, logged = self.suite, functools.partial(_logged, self._context, client_random=self.client_random)
        if suite.version == 3:
            send = Direction(suite, secret=logged("CLIENT_TRAFFIC_SECRET_0"))
            receive = Direction(suite, secret=logged("SERVER_TRAFFIC_SECRET_0"))
            return RecordStream(self, send, receive)
        iv_bytes = 12 if suite.is_chacha else 4
        sizes = [suite.key_bytes] * 2 + [iv_bytes] * 2
        seed = self.server_random + self.client_random
        block = prf(logged("CLIENT_RANDOM"), b"key expansion", seed, sum(sizes), suite.hash)
        parts = []
        for size in sizes:
            parts, block = [*parts, block[:size]], block[size:]
        # Finished was each side's record 0.
        return RecordStream(self, Direction(suite, parts[0], parts[2], 1), Direction(suite, parts[1], parts[3], 1))

    def left(self) -> bytes:
        """What the server sent behind its part of the handshake."""
        return self._in.read()


class RecordStream(Stream):
    """As Stream, with TLS by hand. `ended_by` also says "alert" (a fatal one came before the end), and an "eof" had a
    close_notify before the server's FIN. The server's KeyUpdates are followed, answered if they ask for it, and counted."""

    def __init__(self, handshake: Handshake, send: Direction, receive: Direction):
        super().__init__(handshake.sock)
        self.handshake, self.suite = handshake, handshake.suite
        self.sealing, self.opening = send, receive
        self._wire, self._started = bytearray(), False
        self.alerts: list[tuple[int, int]] = []
        self.key_updates: list[int] = []  # The request_update of each of the server's.
        self.key_uses: list[int] = []  # The records under each key of the server that it has left.
        self.tickets = 0
        self.record_sizes: list[int] = []  # Of application data.

    # Writing.

    def record(self, type: int, plaintext: bytes, **options) -> bytes:
        return self.sealing.seal(type, plaintext, **options)

    def records(self, data: bytes, size: int = PLAINTEXT_MAX) -> bytes:
        return b"".join(self.record(DATA, data[at : at + size]) for at in range(0, len(data), size))

    def send(self, data: bytes) -> None:
        self.send_raw(self.records(data))

    def send_raw(self, wire: bytes) -> None:
        self.sock.sendall(wire)

    def send_record(self, type: int, plaintext: bytes, **options) -> None:
        self.send_raw(self.record(type, plaintext, **options))

    def send_alert(self, level: int, description: int) -> None:
        self.send_record(ALERT, bytes([level, description]))

    def key_update(self, request: int = 0) -> bytes:
        """The record; what is sealed after it is under the next key."""
        wire = self.record(HANDSHAKE, bytes([KEY_UPDATE, 0, 0, 1, request]))
        self.sealing.update()
        return wire

    def close_notify(self) -> None:
        """Of our direction only: we still read."""
        self.send_alert(WARNING, CLOSE_NOTIFY)

    def finish_handshake(self) -> None:
        """TLS 1.2: takes the server's Finished, when data was sent before it came."""
        while not self.handshake.done:
            self.handshake.read_flight()

    # Reading.

    def _more(self) -> bool:
        try:
            data = self.sock.recv(1 << 18)
        except ABORTED:
            self.ended_by = "reset"
            return False
        if not data:
            last = self.alerts[-1] if self.alerts else None
            self.ended_by = "truncated" if not last else "eof" if last[1] == CLOSE_NOTIFY else "alert"
            if self._wire:
                self.ended_by = "truncated"
            return False
        self._wire += data
        return True

    def next_record(self) -> tuple[int, bytes] | None:
        """None at the end of the connection."""
        if not self._started:
            self._wire += self.handshake.left()
            self._started = True
        while len(self._wire) < 5 or len(self._wire) < 5 + int.from_bytes(self._wire[3:5], "big"):
            if not self._more():
                return None
        size = 5 + int.from_bytes(self._wire[3:5], "big")
        record = bytes(self._wire[:size])
        del self._wire[:size]
        return self.opening.open(record)

    @property
    def _is_over(self) -> bool:
        return any(level == FATAL or description == CLOSE_NOTIFY for level, description in self.alerts)

    def _fill(self, size: int = 0) -> bool:
        """Takes records until there is data."""
        while not self.ended_by:
            record = self.next_record()
            if not record:
                return False
            type, plaintext = record
            assert not self._is_over, f"a record of type {type} after the last alert"
            if type == DATA:
                self.record_sizes.append(len(plaintext))
                self._buffer += plaintext
                return True
            if type == ALERT:
                self.alerts.append((plaintext[0], plaintext[1]))
            else:
                self._take_handshake(type, plaintext)
        return False

    def _take_handshake(self, type: int, message: bytes) -> None:
        assert type == HANDSHAKE, f"a record of type {type}"
        if message[0] == KEY_UPDATE and self.suite.version == 3:
            assert len(message) == 5 and message[:4] == bytes([KEY_UPDATE, 0, 0, 1]), message.hex()
            self.key_updates.append(message[4])
            self.key_uses.append(self.opening.sequence)
            self.opening.update()
            if message[4] == 1:
                self.send_raw(self.key_update())
        else:
            assert message[0] == NEW_SESSION_TICKET, message.hex()
            self.tickets += 1

    @property
    def alert(self) -> int | None:
        """The last description."""
        return self.alerts[-1][1] if self.alerts else None


def begin(port: int, suite: Suite, session=None, timeout: float = 10.0) -> Handshake:
    sock = socket.create_connection(("127.0.0.1", port), timeout)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Handshake(sock, suite, session)


def connect(port: int, suite: Suite, session=None) -> RecordStream:
    """Past the handshake."""
    handshake = begin(port, suite, session)
    while handshake.due or not handshake.done:
        handshake.send()
        handshake.read_flight()
    return handshake.stream()


def session_of(port: int, suite: Suite, ask: bytes) -> ssl.SSLSession:
    """A session to resume: in TLS 1.3 its ticket comes with, or before, the answer to `ask`."""
    with client.connect(port, context=context_for(suite)) as stream:
        stream.send(ask)
        stream.read_reply()
        assert stream.sock.session.has_ticket
        return stream.sock.session


def websocket(stream: RecordStream, first: bytes = b"") -> RecordStream:
    """A verified upgrade; `first` goes before it in the same bytes."""
    key = client.new_key()
    stream.send_raw(first + stream.records(client.upgrade_request(key=key)))
    reply = stream.read_reply()
    assert reply.status == 101 and reply.get("sec-websocket-accept") == client.accept_of(key), reply
    return stream
