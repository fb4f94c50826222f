"""Free loopback ports, from below the range that the kernel hands to outgoing connections."""

import random
import socket

_FIRST, _LAST = 20000, 31999
_given: set[int] = set()


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on and that this process has not handed out before."""
    for _ in range(1000):
        port = random.randint(_FIRST, _LAST)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
    raise RuntimeError("no free port on 127.0.0.1")
