"""What systemd is to a service of Type=notify: a socket that it tells its state, and a store for its descriptors."""

import contextlib
import fcntl
import os
import select
import socket
import sys
import threading
from pathlib import Path

from .until import until

# Gives the descriptors of its first argument to what follows, as sd_listen_fds(3) says.
_ACTIVATE = """
import os, sys
for index, number in enumerate(sys.argv[1].split(",")):
    os.dup2(int(number), 3 + index)
    os.close(int(number))
os.environ.update(LISTEN_FDS=str(index + 1), LISTEN_PID=str(os.getpid()))
os.execvp(sys.argv[2], sys.argv[2:])
"""


@contextlib.contextmanager
def activation(sockets):
    """Options of cast.ringwall() for a process that is started with these listening sockets."""
    # Above where they are to be, so that none is overwritten before it has moved.
    numbers = tuple(fcntl.fcntl(one.fileno(), fcntl.F_DUPFD_CLOEXEC, 100) for one in sockets)
    yield {"through": [sys.executable, "-c", _ACTIVATE, ",".join(map(str, numbers))], "pass_fds": numbers}
    for number in numbers:
        os.close(number)


class NotifySocket:
    """`environment` is for the service; `messages` are dicts, in order; `stored` are (name, socket)."""

    def __init__(self, folder: Path):
        self.path = folder / "notify"
        self.messages: list[dict] = []
        self.stored: list[tuple[str, socket.socket]] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.path))
        self._stopping = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def environment(self) -> dict:
        return {"NOTIFY_SOCKET": str(self.path)}

    def _run(self):
        while not self._stopping:
            if not select.select([self._socket], [], [], 0.1)[0]:
                continue
            data, descriptors, _, _ = socket.recv_fds(self._socket, 4096, 4)
            message = dict(line.split("=", 1) for line in data.decode().splitlines())
            self.stored += [(message["FDNAME"], socket.socket(fileno=number)) for number in descriptors]
            self.messages.append(message)

    def count(self, field: str) -> int:
        return sum(field in message for message in list(self.messages))

    def wait_for(self, field: str, seconds: float = 10.0) -> dict:
        """The first message with that field."""
        return until(
            lambda: next((message for message in list(self.messages) if field in message), None),
            seconds,
            f"{field} is told; there were {self.messages}",
        )

    def stop(self) -> None:
        self._stopping = True
        self._thread.join(2)
        self._socket.close()
        for _, one in self.stored:
            one.close()
