"""The admin interface of a Ringwall: over its Unix socket, over HTTP, and by `ringwall ctl`."""

import contextlib
import json
import re
import socket
import subprocess

from . import programs
from .client import call
from .frames import TEXT, client_frame
from .ports import free_port
from .stream import Stream
from .until import PATIENCE

TIMEOUT_S = 20.0 * PATIENCE


class Admin:
    """Where one is to be reached; `settings` are for the Ringwall that has it."""

    def __init__(self, folder):
        self.port = free_port()
        self.socket = folder / "admin.sock"
        self.settings = {"admin.address": f"127.0.0.1:{self.port}", "admin.socket": str(self.socket)}

    def ask(self, target: str, method: str = "GET", fields=(), *, unix: bool = False, host: str | None = None):
        """One request, with no more fields than are given; the reply."""
        sock = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
        sock.settimeout(TIMEOUT_S)
        sock.connect(str(self.socket) if unix else ("127.0.0.1", self.port))
        with contextlib.closing(Stream(sock)) as stream:
            lines = [f"{method} {target} HTTP/1.1", f"Host: {host or f'127.0.0.1:{self.port}'}", *fields]
            stream.send("\r\n".join([*lines, "", ""]).encode())
            return stream.read_reply(method == "HEAD")

    def change(self, target: str):
        return self.ask(target, "POST", ["X-Ringwall-Admin: 1"])

    def ctl(self, *arguments: str, expect: int = 0) -> str:
        """What `ringwall ctl` printed, on the stream that its exit code says."""
        result = subprocess.run(
            [programs.program("ringwall"), "ctl", "--at", str(self.socket), *arguments],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
        assert result.returncode == expect, f"{arguments}: {result.returncode}\n{result.stdout}{result.stderr}"
        return result.stdout if expect == 0 else result.stderr

    def metrics_text(self) -> str:
        reply = self.ask("/metrics")
        assert reply.status == 200, reply
        return reply.text

    def metrics(self) -> dict[str, float]:
        """By name and labels as they stand: 'ringwall_connections_ended_total{reason="done"}'."""
        samples = {}
        for line in self.metrics_text().splitlines():
            if line.startswith("#"):
                continue
            name, value = re.fullmatch(r"(\S+?(?:\{.*\})?) (\S+)", line).groups()
            assert name not in samples, f"{name} stands there twice"
            samples[name] = float(value)
        return samples

    def sessions(self, query: str = "") -> dict:
        return json.loads(self.ask(f"/sessions{query}").body)


def serve(cast, admin: Admin, node, **options) -> programs.Ringwall:
    """One that has this admin interface."""
    settings = {**admin.settings, **options.pop("settings", {})}
    return cast.ringwall(node, settings=settings, **options)


def ask(stream, method: str, id: int = 1) -> dict:
    """A call over a WebSocket, and its answer."""
    stream.send(client_frame(TEXT, call(method, id=id)))
    return json.loads(stream.read_frame().payload)


def sum_of(metrics: dict, name: str, **labels) -> float:
    """Of all samples of this name that have these labels."""
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    return sum(
        value
        for key, value in metrics.items()
        if re.match(rf"{name}(\{{|$)", key) and all(label in key for label in wanted)
    )
