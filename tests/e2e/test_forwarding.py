"""What the node is told: by which name, from whom, and nothing that belongs to one hop."""

import pytest

from harness import client
from harness.client import call, exchange, post, request

SPOOFED = [
    ("Forwarded", "for=6.6.6.6;proto=http;host=evil"),
    ("X-Forwarded-For", "6.6.6.6, 7.7.7.7"),
    ("X-Forwarded-For", "8.8.8.8"),
    ("X-Forwarded-Proto", "ftp"),
    ("X-Forwarded-Host", "evil.example"),
    ("X-Real-IP", "6.6.6.6"),
]


def by_post(server, fields=(), host="rpc.example.com"):
    assert exchange(server.port, post(call("a"), fields, host=host), tls=server.tls).status == 200


def by_websocket(server, fields=(), host="rpc.example.com"):
    client.websocket(server.port, fields=fields, host=host, tls=server.tls).close()


WAYS = pytest.mark.parametrize("ask", [by_post, by_websocket])


@WAYS
@pytest.mark.parametrize("tls", [True, False])
def test_who_asks_is_told_truly(cast, node, ask, tls):
    server = cast.ringwall(node, tls=tls)
    ask(server, SPOOFED)
    (asked,) = node.requests
    assert asked.all("forwarded") == [f"for=127.0.0.1;proto={'https' if tls else 'http'}"]
    assert asked.all("x-forwarded-for") == ["127.0.0.1"]
    assert asked.all("x-forwarded-proto") == ["https" if tls else "http"]
    assert asked.all("x-real-ip") == ["127.0.0.1"]
    for lie in ("6.6.6.6", "7.7.7.7", "8.8.8.8", "evil", "ftp"):
        assert lie.encode() not in asked.raw


@WAYS
def test_a_trusted_proxy_is_believed(cast, node, ask):
    server = cast.ringwall(node, tls=False, settings={"listener.trusted_proxies": "127.0.0.0/8"})
    ask(server, [("X-Forwarded-For", "6.6.6.6, 203.0.113.9"), ("X-Forwarded-Proto", "https")])
    (asked,) = node.requests
    assert asked.all("x-forwarded-for") == ["203.0.113.9"]
    assert asked.all("x-real-ip") == ["203.0.113.9"]
    assert asked.all("x-forwarded-proto") == ["https"]


@WAYS
def test_the_host_is_what_the_nodes_filter_accepts(cast, node, ask):
    ask(cast.ringwall(node))
    assert node.requests[0].all("host") == [f"localhost:{node.port}"]


@WAYS
def test_the_host_is_preserved_where_the_configuration_says_so(cast, node, ask):
    ask(cast.ringwall(node, settings={"listener.host": "preserve"}))
    assert node.requests[0].all("host") == ["rpc.example.com"]


@WAYS
def test_path_and_query_stay_as_they_are(cast, node, ask):
    server = cast.ringwall(node)
    path = "/some/../path;x=1/%41%2f?q=%20&a=b?c"
    if ask is by_post:
        exchange(server.port, post(call("a"), path=path))
    else:
        client.websocket(server.port, path=path).close()
    assert node.requests[0].target == path


def test_hop_by_hop_fields_do_not_pass(cast, node):
    server = cast.ringwall(node)
    by_post(
        server,
        [
            ("Connection", "keep-alive, X-Mine"),
            ("X-Mine", "secret"),
            ("Keep-Alive", "timeout=5"),
            ("TE", "trailers"),
            ("Proxy-Authorization", "Basic eA=="),
            ("Proxy-Connection", "keep-alive"),
            ("Origin", "https://dapp.example"),
            ("User-Agent", "a browser"),
            ("Cookie", "a=b"),
        ],
    )
    (asked,) = node.requests
    for gone in ("x-mine", "keep-alive", "te", "proxy-authorization", "proxy-connection"):
        assert asked.get(gone) is None, gone
    assert asked.get("origin") == "https://dapp.example"
    assert asked.get("user-agent") == "a browser"
    assert asked.get("content-type") == "application/json"


def test_what_a_browser_says_of_itself_reaches_the_node_with_an_upgrade_too(cast, node):
    server = cast.ringwall(node)
    by_websocket(
        server,
        [("Origin", "https://dapp.example"), ("User-Agent", "a browser"), ("Cookie", "a=b"), ("Keep-Alive", "5")],
    )
    (asked,) = node.requests
    assert asked.get("origin") == "https://dapp.example"
    assert asked.get("user-agent") == "a browser"
    assert asked.get("keep-alive") is None


def test_a_connection_field_cannot_take_away_what_the_node_needs(cast, node):
    """Connection: X-Forwarded-For would make a naive proxy drop the truth."""
    server = cast.ringwall(node)
    for name in ("X-Forwarded-For", "Host", "Content-Length", "Content-Type", "Origin"):
        reply = exchange(
            server.port, post(call("a"), [("Connection", f"close, {name}"), ("Origin", "https://dapp.example")])
        )
        if reply.status == 200:
            asked = node.requests[-1]
            assert asked.all("x-forwarded-for") == ["127.0.0.1"]
            assert asked.get("content-type") and asked.get("origin")
        else:
            assert reply.status == 400


def test_an_answers_hop_by_hop_fields_do_not_pass(cast, fake_node):
    def node(connection):
        connection.read_request()
        connection.reply(
            200,
            b"{}",
            [("Connection", "keep-alive, X-Hop"), ("X-Hop", "1"), ("Keep-Alive", "timeout=9"), ("X-Stays", "yes")],
        )

    reply = exchange(cast.ringwall(fake_node(node)).port, post(call("a")))
    assert reply.get("x-hop") is None and reply.get("keep-alive") is None
    assert reply.get("x-stays") == "yes"
    assert reply.all("content-length") == ["2"]


def test_no_extension_reaches_the_node_and_subprotocols_do(cast, fake_node):
    def node(connection):
        connection.accept_upgrade([("Sec-WebSocket-Protocol", "second")])
        connection.echo()

    node = fake_node(node)
    server = cast.ringwall(node)
    fields = [
        ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"),
        ("Sec-WebSocket-Protocol", "first, second"),
    ]
    with client.websocket(server.port, fields=fields) as stream:
        assert stream.reply.get("sec-websocket-extensions") is None
        assert stream.reply.get("sec-websocket-protocol") == "second"
    (asked,) = node.requests
    assert asked.get("sec-websocket-extensions") is None
    assert asked.get("sec-websocket-protocol") == "first, second"
    assert asked.all("sec-websocket-version") == ["13"]
    assert asked.get("upgrade").lower() == "websocket" and "upgrade" in asked.get("connection").lower()


def test_the_key_for_the_node_is_our_own(cast, node):
    server = cast.ringwall(node)
    key = client.new_key()
    with client.connect(server.port) as stream:
        stream.send(client.upgrade_request(key=key))
        assert stream.read_reply().status == 101
    assert node.requests[0].get("sec-websocket-key") != key


def test_an_absolute_target_is_served_by_its_path(cast, node):
    server = cast.ringwall(node)
    data = request("GET", "https://rpc.example.com/health?x=1", host="rpc.example.com")
    assert exchange(server.port, data).status == 200
    assert node.requests[0].target == "/health?x=1"
