"""The stage of a measurement: a node, ringwall by path in front of it, clients, and what the kernel says of their cost.

Built on the harness of the end-to-end tests.
"""

import atexit
import errno
import json
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from harness import client, frames  # noqa: E402
from harness.ports import free_port  # noqa: E402
from harness.process import Process  # noqa: E402
from harness.stream import Stream  # noqa: E402

QUIET_MS = 3_600_000  # No ping of anybody falls into a measurement.
RESULTS = ROOT / "bench" / "results"
SOURCES = {".cc", ".h", ".inc"}
_SO_RCVBUFFORCE = 33
_TCP_ULP = 31  # linux/tcp.h

# As an exit, so that what was started is stopped.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


class Program(Process):
    """Stopped with the measurement, whatever ends that."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        atexit.register(self.stop)

    def pids(self) -> list[int]:
        """Its own, and of what it has started."""
        tasks = Path(f"/proc/{self.pid}/task").iterdir()
        return [self.pid, *(int(pid) for task in tasks for pid in (task / "children").read_text().split())]

    def cpu_ns(self) -> int:
        """User and system time of all threads of its processes, those that have ended too (clock_getcpuclockid(3))."""
        return sum(time.clock_gettime_ns((~pid << 3) | 2) for pid in self.pids())

    def memory_kib(self) -> dict:
        """Of its processes together."""
        total = {"rss": 0, "pss": 0}
        for pid in self.pids():
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
            fields = {line.split(":")[0]: int(line.split()[1]) for line in lines}
            total = {"rss": total["rss"] + fields["Rss"], "pss": total["pss"] + fields["Pss"]}
        return total


def need_kernel_tls() -> None:
    """Ends the program with one line where this kernel attaches no TLS to a connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as stream:
        try:
            stream.setsockopt(socket.IPPROTO_TCP, _TCP_ULP, b"tls")
        except OSError as error:
            words = " ".join([os.path.relpath(sys.argv[0], ROOT), *sys.argv[1:]])
            name = errno.errorcode.get(error.errno, error.errno)
            sys.exit(f"this kernel has no TLS ({name}): modprobe tls, or tools/kernel --writable bench/results {words}")


class DevNode(Program):
    def __init__(self, folder: Path, connections: int = 100, *more, through=()):
        self.port = free_port()
        words = ["--listen", f"127.0.0.1:{self.port}", "--connections-max", connections, "--ping-ms", QUIET_MS, *more]
        super().__init__("devnode", [*through, ROOT / "build/release/ringwall-devnode", *words], folder)
        self.wait_for_listener(self.port)


class Ringwall(Program):
    """One shard, no limits; `program` may be of any commit. `settings` are "field=value", as on its command line, and
    `guard` and `certificate` are words of that too."""

    def __init__(
        self,
        folder: Path,
        program: Path,
        node: DevNode,
        *,
        plain: bool,
        settings=(),
        through=(),
        env=None,
        guard=("--methods", "all", "--limits", "off"),
        certificate=("--self-signed", "localhost"),
    ):
        self.port = free_port()
        self.tls = not plain
        words = ["--listen", f"127.0.0.1:{self.port}", "--node", f"127.0.0.1:{node.port}"]
        words += ["--plain"] if plain else certificate
        words += guard
        for setting in (
            "server.shards=1",
            f"server.state_dir={folder / 'state'}",
            f"timeouts.ping_interval_ms={QUIET_MS}",
            f"timeouts.dead_after_ms={2 * QUIET_MS}",
            *settings,
        ):
            words += ["--set", setting]
        super().__init__("ringwall", [*through, program, *words], folder, env)
        self.wait_for_listener(self.port)
        self.wait_for_log("serving")

    def system_share(self) -> float:
        user, system = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return int(system) / max(1, int(user) + int(system))


def connect(server: Ringwall) -> Stream:
    """A WebSocket past its 101. Over TLS: 1.3 with AES-128-GCM, or an error."""
    stream = client.websocket(server.port, tls=server.tls)
    if server.tls:
        found = stream.sock.version(), stream.sock.cipher()[0]
        assert found == ("TLSv1.3", "TLS_AES_128_GCM_SHA256"), found
    return stream


def connect_wide(server: Ringwall, bytes_ahead: int = 8 << 20) -> Stream:
    """The same, and the kernel takes so much ahead of the client: so that it holds nobody up."""
    kept = socket.socket.connect

    def widened(sock, address):
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, bytes_ahead)
        kept(sock, address)

    socket.socket.connect = widened
    try:
        return connect(server)
    finally:
        socket.socket.connect = kept


def drain(stream: Stream, size: int, into=bytearray(1 << 20)) -> None:
    """Reads as many bytes and looks at none."""
    view = memoryview(into)
    while size > 0:
        size -= stream.sock.recv_into(view[: min(size, len(into))])


def ask(method: str, *params) -> bytes:
    """A call as a client's frame."""
    return frames.client_frame(frames.TEXT, client.call(method, params))


def answer_bytes(stream: Stream, question: bytes) -> int:
    """Asks, and how long the frame is that answers, its header included."""
    stream.send(question)
    size = len(stream.read_message()[1])
    return size + (2 if size < 126 else 4 if size < 65536 else 10)


def summary(values: list[float]) -> dict:
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "n": len(values)}


def git(program: Path, *words: str) -> str:
    """Said of the tree that the program was built in; nothing where it is in none."""
    done = subprocess.run(["git", "-C", program.resolve().parent, *words], capture_output=True, text=True)
    return done.stdout.strip()


def is_older_than_source(program: Path) -> bool:
    """Of ringwall: whether a file that it is built from has been written since."""
    if not (tree := git(program, "rev-parse", "--show-toplevel")):
        return False
    files = [path for folder in ("src", "include") for path in (Path(tree) / folder).rglob("*")]
    return any(path.suffix in SOURCES and path.stat().st_mtime > program.stat().st_mtime for path in files)


def commit_of(program: Path) -> str:
    """The tree's; said too where the program is older than the tree."""
    commit = git(program, "describe", "--always", "--dirty") or "unknown"
    return f"{commit}, built before its last change" if is_older_than_source(program) else commit


def machine() -> dict:
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "cpu": models[0].partition(":")[2].strip() if models else platform.machine(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "load_1min": os.getloadavg()[0],
        "date": time.strftime("%Y-%m-%d"),
    }


def keep(name: str, result: dict) -> None:
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"machine": machine(), **result}, indent=2) + "\n")
    print(f"kept in {path.relative_to(ROOT)}")


def table(head: list[str], rows: list[list]) -> None:
    cells = [head, *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    for row in cells:
        print("  ".join(cell.ljust(width) if at == 0 else cell.rjust(width) for at, (cell, width) in enumerate(zip(row, widths))))
