"""A Ringwall with a configuration file that is rewritten under it, and certificates that are put in the place of others."""

import hashlib
import os
import shutil
import signal
import ssl
from pathlib import Path

from . import client
from .certificates import Pair, self_signed
from .programs import Ringwall
from .until import until

ENDS = ("reloaded: ", "reload refused")  # Of what it logs.

FRONT = """
{sections}
[[listener]]
address = "127.0.0.1:{port}"
{listener}
[[listener.certificate]]
cert = "{cert}"
key = "{key}"

[[upstream]]
address = "{node}"
"""


class Pairs:
    """Certificates for localhost, made before they are needed, and one place where one of them is served from."""

    def __init__(self, folder: Path, count: int = 2):
        self.made = [self_signed(folder, "localhost", label=f"pair-{number}") for number in range(count)]
        served = folder / "served"
        served.mkdir()
        self.served = Pair(served / "fullchain.pem", served / "privkey.pem", served / "fullchain.pem")
        self.put(0)

    def put(self, number: int) -> None:
        """Whole files in the place of others, one after the other."""
        for made, served in zip(self.made[number], self.served):
            fresh = served.with_suffix(".new")
            shutil.copy(made, fresh)
            os.replace(fresh, served)


def open_way(folder: Path) -> None:
    """Lets others go through the folders above, which pytest makes for their owner alone."""
    for parent in (folder, *folder.parents):
        if parent.owner() == "root" and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)


def fingerprint(pair: Pair) -> str:
    """Of the leaf, which comes first."""
    leaf, end, _ = pair.cert.read_text().partition("-----END CERTIFICATE-----")
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(leaf + end)).hexdigest()


def served_fingerprint(port: int) -> str:
    """Of the certificate that a new connection gets."""
    with client.connect(port) as stream:
        return hashlib.sha256(stream.sock.getpeercert(binary_form=True)).hexdigest()


def config_text(pair: Pair, node, sections: str = "", listener: str = "") -> str:
    return (
        FRONT.replace("{sections}", sections)
        .replace("{listener}", listener)
        .replace("{cert}", str(pair.cert))
        .replace("{key}", str(pair.key))
        .replace("{node}", node.address)
    )


def rewrite(server: Ringwall, text: str) -> None:
    """As an editor does it: whole, in one step."""
    fresh = server.config_file.with_suffix(".new")
    fresh.write_text(text.replace("{port}", str(server.port)))
    os.replace(fresh, server.config_file)


def reload(server: Ringwall, text: str | None = None) -> str:
    """What it logs of it, once it is over."""
    if text is not None:
        rewrite(server, text)
    before = len(server.log)
    server.send_signal(signal.SIGHUP)

    def told():
        log = server.log[before:]
        return log if log.endswith("\n") and any(end in log for end in ENDS) else None

    return until(told, 10, f"{server.name} reloads; it logged:\n{server.log[-2000:]}")
