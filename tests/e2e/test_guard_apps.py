"""Real applications under the default policy and limits: none of them is refused anything."""

import platform

import pytest

from harness.client import call, exchange, post
from harness.guard import DENIED, RATE, Talk, codes, guard_counters, refusals
from harness.node_script import run_script
from harness.until import until
from test_ethereum import anvil  # noqa: F401  (a fixture)
from test_polkadot_api import metadata  # noqa: F401  (a fixture)

TABS = 5


def refused_nobody(counters) -> None:
    assert refusals(counters) == {}
    assert [counters[what] for what in ("unsafe", "not_offered", "invalid", "unreadable")] == [0, 0, 0, 0]


@pytest.mark.timeout(180)
def test_five_tabs_of_apps_behind_one_address_start_at_once(cast, metadata):  # noqa: F811
    server = cast.ringwall(cast.devnode(metadata=metadata[0], block_ms=1000), guard=True)
    tabs = [cast.script("apps_start", server.wss, ca=server.ca_file()) for _ in range(TABS)]
    until(lambda: all(tab.seen or not tab.running for tab in tabs), 120, "all tabs have started", step=0.2)
    for tab in tabs:
        assert tab.wait(20) == 0
        (seen,) = tab.seen
        assert seen["pallets"] == 57 and seen["calls"] > 20
        assert not {DENIED, RATE} & set(seen["failed"].values()), seen["failed"]
    counters = guard_counters(server)
    refused_nobody(counters)
    assert counters["calls"] > TABS * 20


@pytest.mark.timeout(180)
def test_five_applications_that_read_and_follow_the_chain(cast, metadata):  # noqa: F811
    server = cast.ringwall(cast.devnode(metadata=metadata[0], block_ms=500), guard=True)
    applications = [cast.script("follow_heads", server.wss, ca=server.ca_file()) for _ in range(TABS)]
    until(lambda: all(sum("head" in line for line in one.seen) >= 3 for one in applications), 90, "three heads each", 0.2)
    for one in applications:
        one.stop()
    refused_nobody(guard_counters(server))


x86_only = pytest.mark.skipif(platform.machine() != "x86_64", reason="anvil has no package for this machine")


@x86_only
def test_an_ethereum_node_works_where_its_methods_are_allowed(cast, anvil):  # noqa: F811
    # Fifty POSTs at once are fifty connections, beside the WebSocket's.
    settings = {"methods.allow": "eth_*,net_*,web3_*", "limits.address_connections_max": 100}
    server = cast.ringwall(anvil, guard=True, settings=settings)
    seen = {}
    for line in run_script("ethereum", server.wss, server.https, ca=server.ca_file()):
        seen.update(line)
    assert seen["received"] == "3" and seen["posts"] == seen["distinct"] == 50 and seen["batch"] == 20
    assert seen["done"]
    refused_nobody(guard_counters(server))


@x86_only
def test_an_ethereum_nodes_methods_are_not_offered_unless_they_are_allowed(cast, anvil):  # noqa: F811
    server = cast.ringwall(anvil, guard=True)
    methods = ("eth_chainId", "eth_sendTransaction", "net_version", "web3_clientVersion", "anvil_mine")
    with Talk(server) as talk:
        assert [talk.code(method) for method in methods] == [DENIED] * len(methods)
    assert codes(exchange(server.port, post(call("eth_chainId"))).json) == [DENIED]
    assert guard_counters(server)["not_offered"] == len(methods) + 1
