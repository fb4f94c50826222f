"""A real Substrate runtime behind Ringwall: chopsticks runs the one of the raw chain spec that RINGWALL_TEST_CHAIN_SPEC names."""

import os
import shutil

import pytest

from harness import client
from harness.node_script import MODULES, NODE, run_script
from harness.ports import free_port
from harness.process import Process
from harness.until import until

SPEC = os.environ.get("RINGWALL_TEST_CHAIN_SPEC")

pytestmark = [
    pytest.mark.control,
    pytest.mark.timeout(150),
    pytest.mark.skipif(not SPEC, reason="RINGWALL_TEST_CHAIN_SPEC names no raw chain spec"),
]


@pytest.fixture
def runtime(cast, javascript):
    """Chopsticks, offline, in Instant mode: a block for each extrinsic."""
    spec = cast.folder / "chain-spec.json"
    shutil.copy(SPEC, spec)  # Chopsticks takes a path relative to its folder.
    port = free_port()
    chopsticks = MODULES / "@acala-network" / "chopsticks" / "chopsticks.cjs"
    argv = [
        NODE,
        chopsticks,
        "--chain-spec",
        spec.name,
        "--host",
        "127.0.0.1",
        "--port",
        port,
        "--build-block-mode",
        "Instant",
    ]
    process = cast.add(Process("chopsticks", argv, cast.folder / "logs", cwd=cast.folder))
    process.wait_for_listener(port, 90)
    until(lambda: "RPC listening" in process.log, 90, "chopsticks serves")
    process.address = f"127.0.0.1:{port}"
    # It makes a first block by itself: what was signed before is of another time, and it answers badProof. A block whose
    # making goes on while a slot of six seconds ends is no block; then another is asked for.
    head, block = client.post(client.call("chain_getHeader")), client.post(client.call("dev_newBlock"))

    def has_a_block():
        if client.exchange(port, head, tls=False).json["result"]["number"] != "0x00000000":
            return True
        if "build block failed" in process.log:
            client.exchange(port, block, tls=False)
        return False

    until(has_a_block, 60, "a first block")
    return process


def test_a_signed_transfer_goes_into_a_block_of_a_real_runtime(cast, runtime):
    server = cast.ringwall(runtime)
    chain, block, money = run_script("transfer", server.wss, ca=server.ca_file(), seconds=100)
    assert chain["spec"]
    assert {"InBlock", "Finalized"} & set(block["states"])  # under load the library tells the last one only
    assert "balances.Transfer" in block["events"] and "system.ExtrinsicSuccess" in block["events"]
    assert money["received"] == money["amount"]
    assert int(money["spent"]) >= int(money["amount"])


def test_the_real_runtime_answers_posts(cast, runtime):
    server = cast.ringwall(runtime)
    reply = client.exchange(server.port, client.post(client.call("state_getMetadata")))
    assert reply.status == 200
    assert reply.json["result"].startswith("0x6d657461")
    reply = client.exchange(server.port, client.post(client.call("no_such_method")))
    assert "no_such_method" in reply.json["error"]["message"]
