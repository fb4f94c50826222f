"""The programs under test. Where they are is told once, by E2E_BUILD (tests/e2e/run --build)."""

import os
import re
import signal
import ssl
import subprocess
from pathlib import Path

from .ports import free_port
from .process import Process
from .successor import Successor, become_subreaper
from .until import PATIENCE, until

E2E = Path(__file__).resolve().parent.parent
ROOT = E2E.parent.parent


TAKEN_OVER = "has taken over"


def build_dir() -> Path:
    return Path(os.environ.get("E2E_BUILD") or ROOT / "build" / "release").resolve()


def program(name: str) -> str:
    path = build_dir() / name
    if name != "ringwall" and not path.is_file():
        path = ROOT / "build" / "release" / name  # What stands around it need not be of its build.
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: build it first (tools/build), or name its folder with --build")
    return str(path)


def sanitized() -> bool:
    """Whether the program was built with a sanitizer: then memory figures mean nothing and time is longer."""
    with open(program("ringwall"), "rb") as binary:
        content = binary.read()
    return b"__asan_init" in content or b"__tsan_init" in content


def run_ringwall(*arguments: str, seconds: float = 20.0, env: dict | None = None, stdin: str = "", before=None):
    """Runs ringwall to its end: subcommands and mistakes. Has returncode, stdout and stderr.

    `before` is called in the new process before it becomes ringwall.
    """
    return subprocess.run(
        [program("ringwall"), *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=seconds * PATIENCE,
        env={**os.environ, **(env or {})},
        preexec_fn=before,
    )


class Ringwall(Process):
    """ringwall, listening on `ports`. By default: one TLS listener with a self-signed certificate for localhost.

    `settings` are --set FIELD=VALUE; `config` is the text of a configuration file, in which {port} is the listener's port,
    {port2} a second one's, and so on (then nothing else is given by default but the state folder). `through` is a command
    that executes what follows it. Without `guard` no method is denied and no limit is in reach, for tests of all else:
    those call what they please, and come from one address in any number. Without `health` no node is asked how it
    is, so that all its connections are the test's.
    """

    offload: str | None = None  # The tls.offload of all, where the test has no say in it (harness/selection.py).
    with_tls: list["Ringwall"] = []  # Those started with a TLS listener.

    def __init__(
        self,
        folder: Path,
        node: str = "127.0.0.1:9944",
        *,
        arguments: list[str] = (),
        through: list[str] = (),
        settings: dict | None = None,
        config: str | None = None,
        tls: bool = True,
        certificates: list[tuple] = (),
        port: int | None = None,
        ports: int = 1,
        state: Path | None = None,
        env: dict | None = None,
        open_files: int | None = None,
        pass_fds: tuple = (),
        guard: bool = False,
        health: bool = False,
    ):
        self.folder = folder
        self.tls = tls
        self.ports = [port or free_port(), *(free_port() for _ in range(ports - 1))]
        self.state = state or folder / "state"
        argv = [*through, program("ringwall")]
        if config is not None:
            text = config.replace("{port}", str(self.port))
            for number, port in enumerate(self.ports[1:], start=2):
                text = text.replace("{port%d}" % number, str(port))
            self.config_file = folder / "ringwall.toml"
            self.config_file.write_text(text)
            argv += ["--config", str(self.config_file)]
        else:
            argv += ["--listen", f"127.0.0.1:{self.port}", "--node", node]
            if not tls:
                argv += ["--plain"]
            elif certificates:
                for certificate, key in certificates:
                    argv += ["--cert", str(certificate), "--key", str(key)]
            else:
                argv += ["--self-signed", "localhost"]
        offload = {"tls.offload": self.offload} if self.offload else {}
        upstreams = 0 if health else max(1, (config or "").count("[[upstream]]"))
        asks = {f"upstream[{index}].health_interval_ms": "off" for index in range(upstreams)}
        # Tests that are not about the spread of the end don't wait for it.
        common = {"server.state_dir": self.state, "timeouts.drain_ms": 0}
        for field, value in {**common, **offload, **asks, **(settings or {})}.items():
            argv += ["--set", f"{field}={value}"]
        if not guard:
            argv += ["--methods", "all", "--limits", "off"]
        super().__init__("ringwall", [*argv, *map(str, arguments)], folder / "logs", env, open_files=open_files, pass_fds=pass_fds)
        if tls:
            self.with_tls.append(self)

    def wait_until_serving(self) -> None:
        for port in self.ports:
            self.wait_for_listener(port)
        self.wait_for_log("serving")  # Or its shards may still be opening descriptors.

    @property
    def port(self) -> int:
        return self.ports[0]

    @property
    def wss(self) -> str:
        return f"{'wss' if self.tls else 'ws'}://localhost:{self.port}"

    @property
    def https(self) -> str:
        return f"{'https' if self.tls else 'http'}://localhost:{self.port}"

    def memory_bound_kib(self) -> int:
        """What it said at start that it will not exceed."""
        number, unit = re.search(r"at most ([\d.]+) (MiB|GiB)", self.log).groups()
        return int(float(number) * {"MiB": 1 << 10, "GiB": 1 << 20}[unit])

    def upgrade(self, latest: "Successor | None" = None) -> "Successor":
        """SIGUSR2 to this process, or to the latest of its successors, until a new process has taken over; it drains."""
        done = self.log.count(TAKEN_OVER)
        (latest or self).send_signal(signal.SIGUSR2)
        return self.successor(done)

    def successor(self, before: int = 0) -> "Successor":
        """The one that takes over, after so many before it."""
        become_subreaper()
        until(lambda: self.log.count(TAKEN_OVER) > before, 30, f"a new process takes over; it logged:\n{self.log[-4000:]}")
        self.end_seen = True
        return Successor(int(re.findall(r"process (\d+) " + TAKEN_OVER, self.log)[-1]))

    def ca_file(self) -> Path:
        """The certificate that it serves, as a file for a client to trust."""
        path = self.folder / f"ca-{self.port}.pem"
        if not path.exists():
            path.write_text(ssl.get_server_certificate(("127.0.0.1", self.port)))
        return path


class DevNode(Process):
    """ringwall-devnode, on a port that stays the same over restart()."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        metadata: Path | None = None,
        block_ms: int = 500,
        arguments: list[str] = (),
    ):
        self.port = port or free_port()
        self._again = {
            "folder": folder,
            "port": self.port,
            "metadata": metadata,
            "block_ms": block_ms,
            "arguments": arguments,
        }
        argv = [
            program("ringwall-devnode"),
            "--listen",
            f"127.0.0.1:{self.port}",
            "--block-ms",
            str(block_ms),
            *arguments,
        ]
        if metadata:
            argv += ["--metadata", str(metadata)]
        if build_dir() == E2E / "control":
            argv += ["--cors", "all"]  # The control does not change Host to what the node accepts.
        super().__init__("devnode", argv, folder / "logs")

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def started_again(self) -> "DevNode":
        """A new process in the place of this one, which has been stopped."""
        return DevNode(**self._again)
