"""Whose web pages may use the endpoint."""

import pytest

from harness import client
from harness.client import call, exchange, page_request, post, request, upgrade_request

LISTED = "https://polkadot.js.org"
ORIGINS = f"{LISTED},HTTP://LocalHost:3000,https://dapp.example:443"

ALLOWED = [LISTED, "HTTPS://Polkadot.JS.org", "http://localhost:3000", "https://dapp.example"]
FOREIGN = [
    "https://evil.example",
    "http://polkadot.js.org",
    "https://polkadot.js.org.evil.example",
    "https://evil.polkadot.js.org",
    "https://polkadot.js.org:444",
    "https://polkadot.js.org/",
    "http://localhost",
    "null",
    "",
    "*",
]


WAYS = pytest.mark.parametrize(
    "ask, granted",
    [
        (lambda fields: upgrade_request(fields=fields), 101),
        (lambda fields: post(call("a"), fields), 200),
        (lambda fields: request("OPTIONS", "/", [("Access-Control-Request-Method", "POST"), *fields]), 200),
    ],
    ids=["upgrade", "post", "preflight"],
)


@WAYS
@pytest.mark.parametrize("origin", ALLOWED)
def test_a_listed_origin_may_ask_however_it_is_spelled(cast, node, ask, granted, origin):
    server = cast.ringwall(node, settings={"listener.origins": ORIGINS})
    assert exchange(server.port, ask([("Origin", origin)])).status == granted
    assert node.requests[0].get("origin") == origin


@WAYS
def test_any_other_is_told_why_not_and_the_node_hears_nothing(cast, node, ask, granted):
    server = cast.ringwall(node, settings={"listener.origins": ORIGINS})
    for origin in FOREIGN:
        with client.connect(server.port) as stream:
            stream.send(ask([("Origin", origin)]))
            reply = stream.read_reply()
            assert reply.status == 403, origin
            assert "listener.origins" in reply.text
            assert reply.closes
            assert stream.read_to_end() == b""
    assert node.requests == []


@WAYS
def test_programs_that_name_no_origin_pass(cast, node, ask, granted):
    server = cast.ringwall(node, settings={"listener.origins": ORIGINS})
    assert exchange(server.port, ask([])).status == granted


@WAYS
def test_without_a_list_every_origin_may_ask(cast, node, ask, granted):
    server = cast.ringwall(node)
    assert exchange(server.port, ask([("Origin", "https://evil.example")])).status == granted


def test_two_origins_are_refused_whichever_is_listed(cast, node):
    server = cast.ringwall(node, settings={"listener.origins": ORIGINS})
    for pair in ([LISTED, "https://evil.example"], ["https://evil.example", LISTED], [LISTED, LISTED]):
        assert exchange(server.port, post(call("a"), [("Origin", origin) for origin in pair])).status == 400
    assert node.requests == []


def test_a_body_that_comes_with_a_refused_request_is_no_second_request(cast, node):
    server = cast.ringwall(node, settings={"listener.origins": ORIGINS})
    with client.connect(server.port) as stream:
        stream.send(post(post(call("a")), [("Origin", "https://evil.example")]))
        assert stream.read_reply().status == 403
        assert stream.read_to_end() == b""
    assert node.requests == []


def test_a_person_at_the_page_names_no_origin(cast, node):
    server = cast.ringwall(node, settings={"listener.origins": ORIGINS})
    assert exchange(server.port, page_request()).status == 200
    head = exchange(server.port, request("HEAD", "/", [("Origin", "https://evil.example")]), to_head=True)
    assert head.status == 403


def test_each_listener_has_its_own_list(cast, node):
    server = cast.ringwall(
        config=f"""
        [[listener]]
        address = "127.0.0.1:{{port}}"
        kind = "plain"
        origins = ["{LISTED}"]
        [[listener]]
        address = "127.0.0.1:{{port2}}"
        kind = "plain"
        [[upstream]]
        address = "{node.address}"
        """,
        tls=False,
        ports=2,
    )
    fields = [("Origin", "https://evil.example")]
    assert exchange(server.ports[0], post(call("a"), fields), tls=False).status == 403
    assert exchange(server.ports[1], post(call("a"), fields), tls=False).status == 200
