"""The real certbot, and an authority of the test's own for it: pebble, Debian's ACME server (RFC 8555) for tests."""

import json
import os
import shutil
import ssl
import subprocess
import urllib.request
from pathlib import Path

import pytest

from .certificates import Pair, self_signed
from .ports import free_port
from .process import Process
from .programs import ROOT
from .until import PATIENCE

NAME = "rpc.example.com"
PACKAGES = {"pebble": "pebble", "pebble-challtestsrv": "pebble", "certbot": "certbot"}
ETC = Path("/etc/letsencrypt")
HOOK = ROOT / "deploy" / "certbot" / "grant-ringwall"


def skip_where_missing() -> None:
    for name, package in PACKAGES.items():
        if not shutil.which(name):
            pytest.skip(f"{name} is missing (Debian: {package})")
    if not ETC.is_dir():
        pytest.skip(f"{ETC} is missing, over which the test's own is mounted")


class Names(Process):
    """A DNS server by which every name is 127.0.0.1."""

    def __init__(self, folder: Path):
        self.port, management = free_port(), free_port()
        argv = ["pebble-challtestsrv", "-dns01", f"127.0.0.1:{self.port}", "-management", f"127.0.0.1:{management}"]
        nothing_else = ["-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", ""]
        super().__init__("pebble-challtestsrv", [*argv, *nothing_else], folder / "logs")


class Pebble(Process):
    """Asks for HTTP-01 challenges at `http_port`, where the world has port 80. Its root is made anew at each start."""

    def __init__(self, folder: Path, names: Names, http_port: int):
        self.folder, self.port, self._management = folder, free_port(), free_port()
        self.own = self_signed(folder, "localhost", label="pebble")
        config = {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self._management}",
            "certificate": str(self.own.cert),
            "privateKey": str(self.own.key),
            "httpPort": http_port,
            "tlsPort": free_port(),
            "ocspResponderURL": "",
            "externalAccountBindingRequired": False,
        }
        (folder / "pebble.json").write_text(json.dumps({"pebble": config}))
        argv = ["pebble", "-config", folder / "pebble.json", "-dnsserver", f"127.0.0.1:{names.port}"]
        env = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}
        super().__init__("pebble", argv, folder / "logs", env)

    def wait_until_serving(self) -> None:
        for port in (self.port, self._management):
            self.wait_for_listener(port)

    @property
    def directory(self) -> str:
        return f"https://localhost:{self.port}/dir"

    def root(self) -> Path:
        """What a client must trust to accept what it has issued."""
        context = ssl.create_default_context(cafile=self.own.ca)
        url = f"https://localhost:{self._management}/roots/0"
        with urllib.request.urlopen(url, context=context, timeout=10 * PATIENCE) as reply:
            path = self.folder / "pebble-root.pem"
            path.write_bytes(reply.read())
        return path


class Certbot:
    """Everything by certbot's defaults but what is in cli.ini: a folder of the test is /etc/letsencrypt for what is
    started `through` it, in a mount namespace of its own."""

    def __init__(self, folder: Path, pebble: Pebble, group: str, umask: int = 0o022):
        self._umask = umask
        self.etc = folder / "letsencrypt"
        self.etc.mkdir(mode=0o755)
        own = {
            "server": pebble.directory,
            "work-dir": folder / "certbot-work",
            "logs-dir": folder / "certbot-logs",
            "non-interactive": "true",
            "agree-tos": "true",
            "register-unsafely-without-email": "true",
            "no-random-sleep-on-renew": "true",
        }
        (self.etc / "cli.ini").write_text("".join(f"{name} = {value}\n" for name, value in own.items()))
        mounted = 'mount --bind "$0" /etc/letsencrypt && exec "$@"'
        self.through = ["unshare", "--mount", "sh", "-c", mounted, str(self.etc)]
        self._env = {**os.environ, "REQUESTS_CA_BUNDLE": str(pebble.own.ca), "RINGWALL_GROUP": group}
        self.served = Pair(self._live(ETC) / "fullchain.pem", self._live(ETC) / "privkey.pem", pebble.root())

    @staticmethod
    def _live(etc: Path) -> Path:
        return etc / "live" / NAME

    def __call__(self, *words) -> str:
        return self.run("certbot", *words)

    def run(self, *argv) -> str:
        """What it says."""
        done = subprocess.run(
            [*self.through, *map(str, argv)],
            env=self._env,
            umask=self._umask,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60 * PATIENCE,
        )
        assert done.returncode == 0, f"{' '.join(map(str, argv))} ended with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def install_hook(self) -> None:
        """As the guide says it: for each renewal, and once for what there is."""
        installed = ETC / "renewal-hooks" / "deploy" / HOOK.name
        self.run("install", "-m", "755", HOOK, installed.parent)
        self.run(installed)

    @property
    def key(self) -> Path:
        """The one in force."""
        return (self._live(self.etc) / "privkey.pem").resolve()

    def leaf(self) -> bytes:
        """The certificate in force, in DER."""
        text = (self._live(self.etc) / "cert.pem").read_text()
        return ssl.PEM_cert_to_DER_cert(text)
