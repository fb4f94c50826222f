"""A TCP or TLS socket with buffered reads, and every impolite way of ending it."""

import socket
import ssl
import struct
import time

from . import frames
from .http_reply import Reply, read_reply

ABORTED = (ConnectionResetError, BrokenPipeError, ConnectionAbortedError)


def _forget_openssl_errors() -> None:
    """Python leaves a reset in the thread's queue of OpenSSL, where the next read of another connection finds it."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).set_ciphers("no such cipher")  # Its failure empties the queue.
    except ssl.SSLError:
        pass


class Stream:
    def __init__(self, sock: socket.socket):
        self.sock = sock
        self._buffer = bytearray()
        self.ended_by = None  # "eof", "reset" or "truncated" (TLS without close_notify), once seen.

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def port(self) -> int:
        """Our own."""
        return self.sock.getsockname()[1]

    # Writing.

    def send(self, data: bytes) -> None:
        try:
            self.sock.sendall(data)
        except ABORTED:
            _forget_openssl_errors()
            raise

    def send_slowly(self, data: bytes, pause_s: float, size: int = 1) -> None:
        for start in range(0, len(data), size):
            self.send(data[start : start + size])
            time.sleep(pause_s)

    def send_frame(self, opcode: int, payload: bytes = b"", **options) -> None:
        """As a client: masked."""
        self.send(frames.client_frame(opcode, payload, **options))

    # Reading.

    def _fill(self, size: int = 65536) -> bool:
        """False at the end, which `ended_by` then tells."""
        if self.ended_by:
            return False
        try:
            data = self.sock.recv(size)
        except ssl.SSLError as error:
            if not isinstance(error, ssl.SSLEOFError) and error.reason != "UNEXPECTED_EOF_WHILE_READING":
                raise
            self.ended_by = "truncated"
            return False
        except ABORTED:
            _forget_openssl_errors()
            self.ended_by = "reset"
            return False
        if not data:
            self.ended_by = "eof"
            return False
        self._buffer += data
        return True

    def read_exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            if not self._fill(max(65536, size - len(self._buffer))):
                raise EOFError(f"{self.ended_by} after {len(self._buffer)} of {size} bytes")
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def read_until(self, mark: bytes) -> bytes:
        """Up to and with the mark."""
        while (at := self._buffer.find(mark)) < 0:
            if not self._fill():
                raise EOFError(f"{self.ended_by} before {mark!r}: {bytes(self._buffer[:200])!r}")
        return self.read_exactly(at + len(mark))

    def read_to_end(self) -> bytes:
        while self._fill():
            pass
        data = bytes(self._buffer)
        self._buffer.clear()
        return data

    def read_frame(self) -> frames.Frame:
        return frames.read_frame(self.read_exactly)

    def read_message(self, on_control=None) -> tuple[int, bytes]:
        return frames.read_message(self.read_exactly, on_control)

    def read_reply(self, head: bool = False) -> Reply:
        return read_reply(self, head)

    def silent_for(self, seconds: float) -> bool:
        """True when nothing comes, not even an end, for that long."""
        if self._buffer or self.ended_by:
            return False
        before = self.sock.gettimeout()
        self.sock.settimeout(seconds)
        try:
            self._fill()
            return False
        except (TimeoutError, socket.timeout):
            return True
        finally:
            self.sock.settimeout(before)

    def wait_for_end(self, seconds: float) -> str:
        """How the peer ended it: "eof", "reset" or "truncated". Drops what comes before."""
        before = self.sock.gettimeout()
        deadline = time.monotonic() + seconds
        try:
            while not self.ended_by:
                self.sock.settimeout(max(0.01, deadline - time.monotonic()))
                self._fill()
                self._buffer.clear()
        except (TimeoutError, socket.timeout):
            raise AssertionError(f"the peer has not ended the connection within {seconds} s") from None
        finally:
            self.sock.settimeout(before)
        return self.ended_by

    # Ending.

    def close(self) -> None:
        """FIN, with no close_notify in TLS: a truncation to whoever looks."""
        self.sock.close()

    truncate = close

    def reset(self) -> None:
        """RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def half_close(self) -> None:
        """FIN on our side only: we still read. Under TLS too there is no close_notify."""
        socket.socket.shutdown(self.sock, socket.SHUT_WR)

    def close_notify(self) -> None:
        """The polite end of TLS, without waiting for the peer's."""
        self.sock.settimeout(2)
        try:
            self.sock.unwrap()
        except (OSError, ValueError):
            pass
        self.sock.close()
