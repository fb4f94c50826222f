"""WebSocket frames as bytes (RFC 6455 section 5), made and read with no opinion, so that wrong ones can be made too."""

import os
import struct
from dataclasses import dataclass

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


def apply_mask(payload: bytes, key: bytes) -> bytes:
    size = len(payload)
    keys = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(keys, "little")).to_bytes(size, "little")


def header(
    opcode: int, size: int, *, fin: bool = True, rsv: int = 0, masked: bool, length_bytes: int | None = None
) -> bytes:
    """`length_bytes` (0, 2 or 8) forces a form of the length, even one longer than it has to be."""
    if length_bytes is None:
        length_bytes = 0 if size < 126 else 2 if size < 65536 else 8
    mask_bit = 0x80 if masked else 0
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    if length_bytes == 0:
        return bytes([first, mask_bit | size])
    if length_bytes == 2:
        return bytes([first, mask_bit | 126]) + struct.pack(">H", size)
    return bytes([first, mask_bit | 127]) + struct.pack(">Q", size)


def client_frame(opcode: int, payload: bytes = b"", *, key: bytes | None = None, **options) -> bytes:
    """Masked, as a client must."""
    key = os.urandom(4) if key is None else key
    return header(opcode, len(payload), masked=True, **options) + key + apply_mask(payload, key)


def node_frame(opcode: int, payload: bytes = b"", **options) -> bytes:
    return header(opcode, len(payload), masked=False, **options) + payload


def close_payload(code: int, reason: str = "") -> bytes:
    return struct.pack(">H", code) + reason.encode()


@dataclass
class Frame:
    opcode: int
    payload: bytes
    fin: bool
    rsv: int
    masked: bool

    @property
    def close_code(self) -> int | None:
        return struct.unpack(">H", self.payload[:2])[0] if len(self.payload) >= 2 else None

    @property
    def close_reason(self) -> str:
        return self.payload[2:].decode()


def read_frame(read_exactly) -> Frame:
    """read_exactly(n) returns n bytes or raises EOFError."""
    first, second = read_exactly(2)
    size = second & 0x7F
    if size == 126:
        (size,) = struct.unpack(">H", read_exactly(2))
    elif size == 127:
        (size,) = struct.unpack(">Q", read_exactly(8))
    masked = bool(second & 0x80)
    key = read_exactly(4) if masked else b""
    payload = read_exactly(size)
    if masked:
        payload = apply_mask(payload, key)
    return Frame(first & 0x0F, payload, bool(first & 0x80), first >> 4 & 7, masked)


def read_message(read_exactly, on_control=None) -> tuple[int, bytes]:
    """Opcode and payload of the next whole message. Control frames in between go to on_control; a Close ends it."""
    opcode, parts = None, []
    while True:
        frame = read_frame(read_exactly)
        if frame.opcode >= 8:
            if on_control:
                on_control(frame)
            if frame.opcode == CLOSE:
                raise EOFError(f"closed with {frame.close_code} {frame.payload[2:]!r}")
            continue
        opcode = frame.opcode if opcode is None else opcode
        parts.append(frame.payload)
        if frame.fin:
            return opcode, b"".join(parts)
