"""A JSON-RPC server that we did not write (anvil) with a client that we did not write (ethers) in front of Ringwall."""

import platform
from pathlib import Path

import pytest

from harness.node_script import MODULES, run_script
from harness.ports import free_port
from harness.process import Process

ANVIL = MODULES / "@foundry-rs" / "anvil-linux-amd64" / "bin" / "anvil"

# Its many threads stand still there now and then, for minutes (seen in 2 of 4 runs on 6.1; never on 7.2).
STANDS_STILL = "User Mode Linux" in Path("/proc/cpuinfo").read_text() and platform.release().startswith("6.")

pytestmark = [
    pytest.mark.skipif(STANDS_STILL, reason="anvil stands still now and then in user-mode Linux 6"),
    pytest.mark.control,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="anvil has no package for this machine"),
]


@pytest.fixture
def anvil(cast, javascript):
    port = free_port()
    process = cast.add(Process("anvil", [ANVIL, "--host", "127.0.0.1", "--port", port], cast.folder / "logs"))
    process.wait_for_listener(port)
    process.address = f"127.0.0.1:{port}"
    return process


def test_ethers_sends_follows_and_asks_over_both_transports(cast, anvil):
    server = cast.ringwall(anvil)
    seen = {}
    for line in run_script("ethereum", server.wss, server.https, ca=server.ca_file()):
        seen.update(line)
    assert seen["chainId"] == seen["overPost"] == 31337
    assert seen["blocks"] == [1, 2, 3]
    assert seen["received"] == "3"
    assert seen["posts"] == seen["distinct"] == 50
    assert seen["batch"] == 20
    assert seen["wrong"] in (-32601, -32602)  # Anvil says that the parameter "method" is invalid.
    assert seen["done"]
