"""A program under test or beside it: started with a log file, watched through /proc, stopped by its pid."""

import os
import resource
import signal
import subprocess
import time
from pathlib import Path

from .until import PATIENCE, until


class Process:
    """Standard output and error go to one log file. stop() is idempotent; nothing is ever killed by name."""

    def __init__(
        self,
        name: str,
        argv: list[str],
        logs: Path,
        env: dict | None = None,
        cwd: Path | None = None,
        open_files: int | None = None,
        pass_fds: tuple = (),
    ):
        """`open_files` is the hard limit of descriptors that it gets; `pass_fds` it inherits, by their numbers."""
        self.name = name
        self.argv = [str(word) for word in argv]
        logs.mkdir(parents=True, exist_ok=True)
        self.log_file = logs / f"{name}-{time.monotonic_ns()}.log"
        limit = open_files and (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, open_files)))
        with open(self.log_file, "wb") as log:
            self._process = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                cwd=cwd,
                start_new_session=True,
                preexec_fn=limit,
                pass_fds=pass_fds,
            )

        self.end_seen = False  # Whether the test asked it to end or waited for it.

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        return self._process.poll()

    @property
    def running(self) -> bool:
        return self.exit_status is None

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def wait_for_log(self, text: str, seconds: float = 5.0) -> str:
        """The first log line that contains `text`."""
        return until(
            lambda: next((line for line in self.log.splitlines() if text in line), None),
            seconds,
            f"{self.name} logs {text!r}; it logged:\n{self.log[-4000:]}",
        )

    def wait_for_listener(self, port: int, seconds: float = 10.0) -> None:
        """Waits until this process listens on `port`. Opens no connection, so that it counts as none."""

        def listening():
            if not self.running:
                raise AssertionError(f"{self.name} ended with {self.exit_status}:\n{' '.join(self.argv)}\n{self.log}")
            return listening_inodes(port) & self.socket_inodes()

        until(listening, seconds, f"{self.name} listens on {port}; it logged:\n{self.log[-4000:]}")

    def socket_inodes(self) -> set[str]:
        inodes = set()
        for fd in Path(f"/proc/{self.pid}/fd").iterdir():
            try:
                target = os.readlink(fd)
            except OSError:
                continue
            if target.startswith("socket:["):
                inodes.add(target[len("socket:[") : -1])
        return inodes

    def fd_count(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def status_kib(self, field: str) -> int:
        """VmRSS, VmHWM and the like, of /proc/PID/status, in KiB."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1])
        raise KeyError(field)

    def cpu_seconds(self) -> float:
        """User and system time so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def send_signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self, seconds: float) -> int:
        """The exit status; negative for a signal."""
        status = self._process.wait(seconds * PATIENCE)
        self.end_seen = True
        return status

    def stop(self, seconds: float = 15.0) -> int:
        """SIGTERM, and SIGKILL after `seconds`. The exit status, also of a process that had ended before."""
        if self.running:
            self.end_seen = True
            self._process.terminate()
            try:
                self._process.wait(seconds * PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()
        return self._process.returncode

    def kill(self) -> None:
        """SIGKILL to the process and whatever it started."""
        self.end_seen = True
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait(10)


def listening_inodes(port: int) -> set[str]:
    """Inodes of the sockets of this network namespace that listen on `port`."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except FileNotFoundError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(fields[9])
    return inodes
