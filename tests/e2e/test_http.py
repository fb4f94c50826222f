"""HTTP/1.1 as a client of the node uses it: POST, health, CORS, keep-alive, pipelining, bodies, and the page for people."""

import time

import pytest

from harness import client
from harness.client import call, exchange, post, request
from harness.until import Stopwatch


@pytest.fixture
def node(fake_node):
    """Answers each call with the method's name."""

    def answer(connection):
        while True:
            asked = connection.read_request()
            if asked.method == "POST":
                connection.reply_json({"jsonrpc": "2.0", "id": asked.json["id"], "result": asked.json["method"]})
            else:
                connection.reply(200, f"{asked.method} {asked.target}".encode(), [("Content-Type", "text/plain")])

    return fake_node(answer)


@pytest.fixture(params=["tls", "plain"])
def server(request, cast, node):
    server = cast.ringwall(node, tls=request.param == "tls")
    server.exchange = lambda data, **options: exchange(server.port, data, tls=server.tls, **options)
    server.connect = lambda: client.connect(server.port, tls=server.tls)
    return server


def test_a_call_is_answered_and_the_connection_kept(server):
    with server.connect() as stream:
        for id in range(5):
            stream.send(post(call("system_chain", id=id)))
            reply = stream.read_reply()
            assert reply.status == 200
            assert reply.json == {"jsonrpc": "2.0", "id": id, "result": "system_chain"}
            assert reply.get("content-type") == "application/json"
            assert not reply.closes
        assert stream.silent_for(0.3)


def test_connection_close_is_honoured(server):
    with server.connect() as stream:
        stream.send(post(call("system_chain"), [("Connection", "close")]))
        reply = stream.read_reply()
        assert reply.json["result"] == "system_chain"
        assert reply.closes
        assert stream.wait_for_end(2) == "eof"


def test_http_1_0_closes_unless_asked_to_stay(server):
    asked = post(call("system_chain")).replace(b"HTTP/1.1", b"HTTP/1.0")
    with server.connect() as stream:
        for _ in range(2):
            stream.send(asked.replace(b"Host:", b"Connection: keep-alive\r\nHost:"))
            reply = stream.read_reply()
            assert reply.json["result"] == "system_chain"
            assert reply.all("connection") == ["keep-alive"]
        stream.send(asked)
        reply = stream.read_reply()
        assert reply.json["result"] == "system_chain"
        assert reply.get("transfer-encoding") is None
        assert reply.closes
        assert stream.wait_for_end(2) == "eof"


@pytest.mark.parametrize("tls", [True, False])
def test_requests_before_a_half_close_are_all_answered_and_then_it_ends(cast, fake_node, tls):
    server = cast.ringwall(fake_node(lambda connection: connection.answer_calls()), tls=tls)
    with client.connect(server.port, tls=tls) as stream:
        stream.send(b"".join(post(call("a", id=number)) for number in range(5)) + request("GET", "/health"))
        stream.half_close()
        assert [stream.read_reply().json["id"] for _ in range(5)] == list(range(5))
        assert stream.read_reply().status == 200
        assert stream.wait_for_end(2) in ("eof", "truncated")


def test_a_long_pipeline_of_pages_ends_with_an_answer_that_says_so(cast):
    """Each is larger than its request: a connection gets so many a piece of input, and the last says that it closes."""
    server = cast.ringwall(None)
    with client.connect(server.port) as stream:
        stream.send(request("GET", "/") * 40)
        replies = [stream.read_reply()]
        while "close" not in replies[-1].all("connection"):
            replies.append(stream.read_reply())
            assert replies[-1].status == 426 and "date" in {name.lower() for name, _ in replies[-1].fields}
        assert 10 < len(replies) < 40
        assert stream.wait_for_end(2) == "eof"


def test_half_a_request_before_a_half_close_ends_it_at_once(cast, fake_node):
    server = cast.ringwall(fake_node(lambda connection: connection.answer_calls()))
    with client.connect(server.port) as stream:
        stream.send(post(call("a", id=1)) + post(call("b", id=2))[:-5])
        stream.half_close()
        assert stream.read_reply().json["id"] == 1
        stream.wait_for_end(2)


def test_pipelined_requests_are_answered_in_order(server):
    with server.connect() as stream:
        stream.send(b"".join(post(call(f"method_{number}", id=number)) for number in range(20)))
        for number in range(20):
            assert stream.read_reply().json == {"jsonrpc": "2.0", "id": number, "result": f"method_{number}"}


def test_a_request_may_come_byte_by_byte(server):
    with server.connect() as stream:
        stream.send_slowly(post(call("system_chain")), pause_s=0.001)
        assert stream.read_reply().json["result"] == "system_chain"


@pytest.mark.parametrize("sizes", [[1000], [1] * 20, [7, 13]])
def test_a_chunked_body_reaches_the_node_whole(server, node, sizes):
    body, chunked, at = call("state_call", ["x" * 50]), b"", 0
    while at < len(body):
        for size in sizes:
            if part := body[at : at + size]:
                chunked += b"%x;ignored=yes\r\n%s\r\n" % (len(part), part)
            at += size
    chunked += b"0\r\nTrailer-Field: dropped\r\n\r\n"
    reply = server.exchange(
        request("POST", "/", [("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")]) + chunked
    )
    assert reply.json["result"] == "state_call"
    assert node.requests[0].body == body


def test_expect_100_continue_is_answered_before_the_body(server):
    body = call("system_chain")
    with server.connect() as stream:
        fields = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Expect", "100-continue")]
        stream.send(request("POST", "/", fields))
        assert stream.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
        stream.send(body)
        reply = stream.read_reply()
        assert reply.status == 200 and reply.json["result"] == "system_chain"


def test_expect_is_not_answered_where_the_body_is_already_too_large(cast, node):
    server = cast.ringwall(node, settings={"limits.body_bytes_max": "1MiB"})
    fields = [("Content-Type", "application/json"), ("Content-Length", str(2 << 20)), ("Expect", "100-continue")]
    reply = exchange(server.port, request("POST", "/", fields))
    assert reply.status == 413 and not reply.interim


@pytest.mark.parametrize("path", ["/health", "/health/readiness"])
def test_health_is_the_nodes_own_answer(server, node, path):
    reply = server.exchange(request("GET", path))
    assert (reply.status, reply.text) == (200, f"GET {path}")
    assert node.requests[0].target == path


def test_an_unhealthy_node_is_seen(cast, fake_node):
    def node(connection):
        connection.read_request()
        connection.reply(503, b'{"peers":0}', [("Content-Type", "application/json")])

    server = cast.ringwall(fake_node(node))
    reply = exchange(server.port, request("GET", "/health"))
    assert reply.status == 503 and reply.json == {"peers": 0}
    assert reply.get("retry-after") is None  # It is the node's answer, not ours.


def test_head_of_health_has_no_body(cast, fake_node):
    def node(connection):
        connection.read_request()
        connection.reply(200, b"", [("Content-Length", "11")])
        connection.read_request()
        connection.reply(200, b"second")

    server = cast.ringwall(fake_node(node))
    with client.connect(server.port) as stream:
        stream.send(request("HEAD", "/health"))
        reply = stream.read_reply(head=True)
        assert reply.status == 200 and reply.get("content-length") == "11"
        stream.send(request("GET", "/health"))
        assert stream.read_reply().body == b"second"


def test_cors_is_the_nodes_own_answer(cast, fake_node):
    def node(connection):
        asked = connection.read_request()
        assert (asked.method, asked.get("origin")) == ("OPTIONS", "https://dapp.example")
        assert asked.get("access-control-request-method") == "POST"
        connection.reply(
            200,
            fields=[
                ("Access-Control-Allow-Origin", "https://dapp.example"),
                ("Access-Control-Allow-Methods", "POST"),
                ("Vary", "origin"),
                ("Vary", "access-control-request-method"),
            ],
        )
        connection.answer_calls(fields=[("Access-Control-Allow-Origin", "https://dapp.example")])

    server = cast.ringwall(fake_node(node))
    with client.connect(server.port) as stream:
        origin = ("Origin", "https://dapp.example")
        stream.send(request("OPTIONS", "/", [origin, ("Access-Control-Request-Method", "POST")]))
        reply = stream.read_reply()
        assert reply.status == 200
        assert reply.get("access-control-allow-origin") == "https://dapp.example"
        assert reply.all("vary") == ["origin", "access-control-request-method"]
        stream.send(post(call("system_chain"), [origin]))
        assert stream.read_reply().get("access-control-allow-origin") == "https://dapp.example"


@pytest.mark.parametrize("status", [400, 403, 404, 405, 415, 500])
def test_the_nodes_own_refusals_pass(cast, fake_node, status):
    def node(connection):
        connection.read_request()
        connection.reply(status, b"because", reason="Node Says So")

    server = cast.ringwall(fake_node(node))
    reply = exchange(server.port, post(call("system_chain")))
    assert (reply.status, reply.body) == (status, b"because")


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 1 << 20, 15 << 20])
@pytest.mark.parametrize("framing", ["length", "chunked", "until close"])
def test_an_answer_of_any_size_and_framing_comes_whole(cast, fake_node, size, framing):
    body = bytes(range(256)) * (size // 256) + bytes(size % 256)

    def node(connection):
        connection.read_request()
        if framing == "length":
            connection.reply(200, body)
        elif framing == "chunked":
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for at in range(0, size, 10_000):
                part = body[at : at + 10_000]
                connection.send(b"%x\r\n%s\r\n" % (len(part), part))
            connection.send(b"0\r\n\r\n")
        else:
            connection.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body)

    server = cast.ringwall(fake_node(node))
    reply = exchange(server.port, post(call("system_chain")))
    assert reply.status == 200
    assert reply.body == body


def test_a_large_answer_streams_with_no_wait_for_its_end(cast, fake_node):
    def node(connection):
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"a" * 1000)
        time.sleep(1)
        connection.send(b"b" * 1000)

    server = cast.ringwall(fake_node(node))
    with client.connect(server.port) as stream, Stopwatch() as watch:
        stream.send(post(call("system_chain")))
        stream.read_until(b"\r\n\r\n")
        assert stream.read_exactly(1000) == b"a" * 1000
        assert watch.seconds < 0.7
        assert stream.read_exactly(1000) == b"b" * 1000


@pytest.mark.parametrize("body", [client.message_of(1 << 20), client.message_of(15 << 20)], ids=["1MiB", "15MiB"])
def test_a_large_body_reaches_the_node_whole(cast, fake_node, body):
    def node(connection):
        asked = connection.read_request()
        connection.reply(200, str(len(asked.body)).encode() if asked.body == body else b"different")

    server = cast.ringwall(fake_node(node))
    assert exchange(server.port, post(body)).body == b"%d" % len(body)


BROWSER = [("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")]


def test_a_person_gets_a_page_with_the_address_and_a_link(cast, node):
    server = cast.ringwall(node)
    reply = exchange(server.port, request("GET", "/", BROWSER, host=f"rpc.example.com:{server.port}"))
    assert reply.status == 200
    assert reply.get("content-type").startswith("text/html")
    assert f"wss://rpc.example.com:{server.port}" in reply.text
    assert f"https://polkadot.js.org/apps/?rpc=wss%3A%2F%2Frpc.example.com%3A{server.port}" in reply.text
    assert not node.connections


def test_the_page_is_for_programs_too(cast, node):
    server = cast.ringwall(node)
    # A program that GETs what is for WebSockets may be told so by its status too.
    reply = exchange(server.port, request("GET", "/", [("Accept", "*/*")]))
    assert reply.status in (200, 426)
    assert "wss://localhost" in reply.text


def test_the_head_of_the_page_is_the_pages(cast, node):
    server = cast.ringwall(node)
    page = exchange(server.port, client.page_request())
    with client.connect(server.port) as stream:
        stream.send(client.page_request().replace(b"GET", b"HEAD"))
        head = stream.read_reply(head=True)
        assert (head.status, head.get("content-length")) == (200, page.get("content-length"))
        assert stream.silent_for(0.3)


@pytest.mark.parametrize("accept", ["text/html", "*/*"])
def test_a_page_that_cannot_name_its_address_for_want_of_a_host_is_a_400(cast, accept):
    asked = request("GET", "/", [("Accept", accept), ("Connection", "keep-alive")], host=None)
    asked = asked.replace(b"HTTP/1.1", b"HTTP/1.0")
    server = cast.ringwall(None)
    for head in (False, True):
        with client.connect(server.port) as stream:
            stream.send(asked.replace(b"GET", b"HEAD") if head else asked)
            reply = stream.read_reply(head)
            assert reply.status == 400 and reply.closes
            assert head or "Host is missing" in reply.text
            assert stream.wait_for_end(2) == "eof"
    config = '[[listener]]\naddress = "127.0.0.1:{port}"\nself_signed = ["localhost"]\npublic_name = "rpc.example.com"'
    named = cast.ringwall(None, config=config)
    assert "wss://rpc.example.com" in exchange(named.port, asked).text


def test_what_a_host_says_is_not_markup_in_the_page(cast, node):
    server = cast.ringwall(node)
    reply = exchange(server.port, request("GET", "/", BROWSER, host='"><script>alert(1)</script>'))
    assert reply.status == 400 or "<script>alert" not in reply.text


def test_the_page_does_not_end_the_connection(cast, node):
    server = cast.ringwall(node)
    with client.connect(server.port) as stream:
        stream.send(request("GET", "/", BROWSER) + post(call("system_chain")))
        assert "wss://" in stream.read_reply().text
        assert stream.read_reply().json["result"] == "system_chain"


def test_an_idle_connection_is_closed_after_keep_alive_and_not_before(cast, node):
    server = cast.ringwall(node, settings={"timeouts.keep_alive_ms": 1500})
    with client.connect(server.port) as stream:
        for _ in range(3):
            time.sleep(0.7)
            stream.send(post(call("system_chain")))
            assert stream.read_reply().status == 200
        with Stopwatch() as watch:
            assert stream.wait_for_end(4) == "eof"
        assert 1.0 < watch.seconds < 3


def test_a_slow_answer_of_a_healthy_node_is_not_cut(cast, fake_node):
    def node(connection):
        connection.read_request()
        time.sleep(3)
        connection.reply(200, b"at last")

    server = cast.ringwall(fake_node(node), settings={"timeouts.keep_alive_ms": 1000, "timeouts.head_ms": 1000})
    assert exchange(server.port, post(call("system_chain"))).body == b"at last"
