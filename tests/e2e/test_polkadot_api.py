"""The real @polkadot/api over wss://, in front of the dev node with real metadata."""

import signal

import pytest

from harness.node_script import run_script
from harness.until import until

pytestmark = [pytest.mark.control, pytest.mark.timeout(120)]


@pytest.fixture(scope="session")
def metadata(javascript, tmp_path_factory):
    """The file, and what the package says about it."""
    path = tmp_path_factory.mktemp("metadata") / "polkadot-v14.hex"
    (facts,) = run_script("metadata", path)
    return path, facts


@pytest.fixture
def devnode(cast, metadata):
    return cast.devnode(metadata=metadata[0], block_ms=500)


def merged(lines: list[dict]) -> dict:
    return {key: value for line in lines for key, value in line.items()}


def test_an_application_reads_the_chain_and_follows_heads(cast, devnode, metadata):
    server = cast.ringwall(devnode)
    seen = merged(run_script("read_chain", server.wss, ca=server.ca_file()))
    assert seen["pallets"] == 57
    assert seen["constant"] == "4096"
    assert seen["genesis"].startswith("0x") and len(seen["genesis"]) == 66
    assert seen["first"] == seen["firstOfBlock"] == seen["firstOfHeader"]
    assert seen["metadataBytes"] == (metadata[1]["bytes"] - 2) // 2
    assert seen["metadataVersion"] == 14
    assert seen["wrongCode"] == -32601
    assert seen["heads"] == list(range(seen["heads"][0], seen["heads"][0] + 4))
    assert seen["finalized"] == list(range(seen["finalized"][0], seen["finalized"][0] + 3))
    assert seen["best"] >= seen["heads"][-1]
    assert seen["done"]


def test_it_is_not_let_in_without_the_certificate(cast, devnode, javascript):
    server = cast.ringwall(devnode)
    application = cast.script("follow_heads", server.wss)
    until(lambda: application.seen, 15, "a refusal")
    assert {line["event"] for line in application.seen} == {"error"}
    assert "self-signed certificate" in application.seen[0]["message"]
    application.kill()


def heads_of(application) -> list[int]:
    return [line["head"] for line in application.seen if "head" in line]


def test_it_follows_heads_of_the_dev_node_as_tools_run_starts_it(cast, javascript):
    """Without metadata of a real runtime."""
    server = cast.ringwall(cast.devnode(block_ms=500))
    application = cast.script("follow_heads", server.wss, ca=server.ca_file())
    until(lambda: len(heads_of(application)) >= 3, 20, "three heads")
    heads = heads_of(application)
    assert heads == list(range(heads[0], heads[0] + len(heads)))
    application.kill()


def test_it_follows_heads_again_after_the_node_restarts(cast, devnode):
    server = cast.ringwall(devnode)
    application = cast.script("follow_heads", server.wss, ca=server.ca_file())
    until(lambda: len(heads_of(application)) >= 3, 30, "three heads")
    devnode.stop()
    until(lambda: {"event": "disconnected"} in application.seen, 5, "the application sees the end of its connection")
    before = len(heads_of(application))
    cast.devnode_again(devnode)
    until(lambda: {"event": "connected"} in application.seen, 10, "the application connects again")
    until(lambda: len(heads_of(application)) >= before + 3, 10, "three heads after the restart")
    application.stop()


def test_it_follows_heads_again_after_ringwall_restarts(cast, devnode):
    first = cast.ringwall(devnode)
    application = cast.script("follow_heads", first.wss, ca=first.ca_file())
    until(lambda: len(heads_of(application)) >= 2, 30, "two heads")
    assert first.stop() == 0
    until(lambda: {"event": "disconnected"} in application.seen, 5, "the application sees the end of its connection")
    before = len(heads_of(application))
    cast.ringwall(devnode, port=first.port)  # With the certificate that was kept, or the application refuses it.
    until(lambda: len(heads_of(application)) >= before + 2, 10, "two heads after the restart")
    application.stop()


def test_several_applications_share_a_node(cast, devnode):
    server = cast.ringwall(devnode)
    applications = [cast.script("follow_heads", server.wss, ca=server.ca_file()) for _ in range(3)]
    until(lambda: all(len(heads_of(one)) >= 3 for one in applications), 40, "three heads each")
    applications[0].send_signal(signal.SIGKILL)
    applications[0].wait(5)
    counts = [len(heads_of(one)) for one in applications[1:]]
    until(lambda: all(len(heads_of(one)) >= n + 2 for one, n in zip(applications[1:], counts)), 10, "the others go on")
    for one in applications[1:]:
        one.stop()
