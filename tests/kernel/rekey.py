#!/usr/bin/env python3
"""Whether this kernel takes TLS keys a second time, as a KeyUpdate of TLS 1.3 asks (Linux 6.14 and newer do).

    rekey.py     a line for each cipher; exits 0 if all can be rekeyed, 3 if none can be, 1 if it is neither

<linux/tls.h> and Documentation/networking/tls.rst: sending starts with the new keys at once; a receiver that has read a
KeyUpdate gets EKEYEXPIRED until it is given its own.
"""
import errno
import os
import socket
import struct
import sys

SOL_TLS, TCP_ULP, TLS_TX, TLS_RX = 282, 31, 1, 2
TLS_SET_RECORD_TYPE, TLS_GET_RECORD_TYPE = 1, 2
TLS_1_3, HANDSHAKE, KEY_UPDATE = 0x0304, 22, bytes([24, 0, 0, 1, 0])
# Number, and the sizes of iv, key, salt and sequence number, in the order of struct tls12_crypto_info_*.
CIPHERS = {"AES-128-GCM": (51, 8, 16, 4, 8), "AES-256-GCM": (52, 8, 32, 4, 8), "ChaCha20-Poly1305": (54, 12, 32, 0, 8)}


def new_keys(number, iv, key, salt, sequence) -> bytes:
    return struct.pack("=HH", TLS_1_3, number) + os.urandom(iv + key + salt) + bytes(sequence)


def connected():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sender = socket.create_connection(listener.getsockname(), 5)
        receiver, _ = listener.accept()
    receiver.settimeout(5)
    for sock in (sender, receiver):
        sock.setsockopt(socket.IPPROTO_TCP, TCP_ULP, b"tls")
    return sender, receiver


def give(sender, receiver, keys):
    sender.setsockopt(SOL_TLS, TLS_TX, keys)
    receiver.setsockopt(SOL_TLS, TLS_RX, keys)


def rekeyed(cipher) -> str | None:
    """None if it can be; otherwise what stood in the way."""
    sender, receiver = connected()
    with sender, receiver:
        give(sender, receiver, new_keys(*cipher))
        sender.sendall(b"before")
        assert receiver.recv(100) == b"before"
        sender.sendmsg([KEY_UPDATE], [(SOL_TLS, TLS_SET_RECORD_TYPE, bytes([HANDSHAKE]))])
        data, ancillary, _, _ = receiver.recvmsg(100, 100)
        assert (data, ancillary[0][2]) == (KEY_UPDATE, bytes([HANDSHAKE])), (data, ancillary)
        try:
            give(sender, receiver, new_keys(*cipher))
        except OSError as error:
            return errno.errorcode[error.errno]
        sender.sendall(b"after")
        return None if receiver.recv(100) == b"after" else "what was sent then cannot be read"


def main():
    found = {name: rekeyed(cipher) for name, cipher in CIPHERS.items()}
    for name, error in found.items():
        print(f"{os.uname().release}: {name}: {'rekeyed' if error is None else f'cannot be rekeyed: {error}'}")
    if not any(found.values()):
        return 0
    return 3 if set(found.values()) == {"EBUSY"} else 1


if __name__ == "__main__":
    sys.exit(main())
