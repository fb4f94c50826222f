"""What could be read in two ways, or is too much, is refused with a sentence, and the node never sees it."""

import pytest

from harness import client
from harness.client import call, exchange, post, request, upgrade_request
from harness.fake_node import FakeNode
from harness.programs import Ringwall
from harness.until import Stopwatch

BODY = call("system_chain")
JSON = ("Content-Type", "application/json")


@pytest.fixture
def node(fake_node):
    return fake_node(lambda connection: connection.answer_calls())


@pytest.fixture
def server(cast, node):
    return cast.ringwall(node)


def head(*lines, body=b"") -> bytes:
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


LENGTH = f"Content-Length: {len(BODY)}"

AMBIGUOUS = {
    "both Content-Length and Transfer-Encoding": head(
        "POST / HTTP/1.1", "Host: a", LENGTH, "Transfer-Encoding: chunked", body=b"0\r\n\r\n"
    ),
    "two lengths": head("POST / HTTP/1.1", "Host: a", LENGTH, "Content-Length: 5", body=BODY),
    "a list of different lengths": head("POST / HTTP/1.1", "Host: a", f"{LENGTH}, 5", body=BODY),
    "a negative length": head("POST / HTTP/1.1", "Host: a", "Content-Length: -1", body=BODY),
    "a signed length": head("POST / HTTP/1.1", "Host: a", f"Content-Length: +{len(BODY)}", body=BODY),
    "a length in hexadecimal": head("POST / HTTP/1.1", "Host: a", "Content-Length: 0x10", body=BODY),
    "an empty length": head("POST / HTTP/1.1", "Host: a", "Content-Length: ", body=BODY),
    "a space before the colon": head("POST / HTTP/1.1", "Host: a", f"Content-Length : {len(BODY)}", body=BODY),
    "a tab before the colon": head("POST / HTTP/1.1", "Host: a", "Transfer-Encoding\t: chunked", body=b"0\r\n\r\n"),
    "a folded line": head("GET /health HTTP/1.1", "Host: a", "X-Folded: one", " two"),
    "a folded line first": head("GET /health HTTP/1.1", " Host: a"),
    "a line without a colon": head("GET /health HTTP/1.1", "Host: a", "nothing"),
    "an empty name": head("GET /health HTTP/1.1", "Host: a", ": value"),
    "a NUL in a value": head("GET /health HTTP/1.1", "Host: a", "X-A: a\0b"),
    "a bare CR in a value": head("GET /health HTTP/1.1", "Host: a", "X-A: a\rX-B: b"),
    "a bare LF as a line end": b"GET /health HTTP/1.1\nHost: a\n\n",
    "a bare LF within CRLFs": b"GET /health HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n",
    "no Host": head("GET /health HTTP/1.1"),
    "two Hosts": head("GET /health HTTP/1.1", "Host: a", "Host: b"),
    "a Host with a path": head("GET /health HTTP/1.1", "Host: a/b"),
    "a Host with user information": head("GET /health HTTP/1.1", "Host: user@a"),
    "two spaces in the request line": head("GET  /health HTTP/1.1", "Host: a"),
    "a space at the end of the request line": head("GET /health HTTP/1.1 ", "Host: a"),
    "no version": head("GET /health", "Host: a"),
    "a target without a slash": head("GET health HTTP/1.1", "Host: a"),
    "a space within the target": head("GET /a b HTTP/1.1", "Host: a"),
    "a control character in the target": head("GET /a\x01b HTTP/1.1", "Host: a"),
    "a method with odd characters": head("G(T /health HTTP/1.1", "Host: a"),
    "chunked in HTTP/1.0": head("POST / HTTP/1.0", "Host: a", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "chunked twice": head("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n"),
    "a chunk size that is no number": head(
        "POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", body=b"zz\r\n\r\n"
    ),
    "a chunk size with a sign": head(
        "POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", body=b"+5\r\nhello\r\n0\r\n\r\n"
    ),
    "a chunk size with a space": head(
        "POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", body=b"5 \r\nhello\r\n0\r\n\r\n"
    ),
    "a chunk line ended by LF": head(
        "POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", body=b"5\nhello\r\n0\r\n\r\n"
    ),
    "a chunk that is longer than it says": head(
        "POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", body=b"3\r\nhello\r\n0\r\n\r\n"
    ),
    "a chunk size beyond 64 bits": head(
        "POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", body=b"10000000000000005\r\nhello\r\n"
    ),
}


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory):
    """One for all rows of the tables: what is refused leaves nothing behind."""
    node = FakeNode(lambda connection: connection.answer_calls())
    server = Ringwall(tmp_path_factory.mktemp("refusals"), node.address)
    server.node = node
    server.wait_until_serving()
    yield server
    assert server.stop() == 0
    node.stop()


def refused(server, data: bytes, *statuses: int):
    """The refusal, and that the node had no request and the next client is served."""
    before = len(server.node.requests)
    with client.connect(server.port) as stream:
        stream.send(data)
        reply = stream.read_reply()
        assert reply.status in statuses, f"{reply.status} {reply.text}"
        assert reply.closes
        assert reply.text.strip(), "a body that says why"
        assert len(reply.body) < 1000
        stream.wait_for_end(3)
    assert len(server.node.requests) == before
    assert exchange(server.port, post(BODY)).status == 200
    return reply


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_ambiguous(shared_server, name):
    refused(shared_server, AMBIGUOUS[name], 400, *([501] if name == "chunked twice" else []))


OTHER = {
    "a target of 10,000 characters": (414, head("GET /" + "a" * 10_000 + " HTTP/1.1", "Host: a")),
    "one field of 40 KiB": (431, head("GET /health HTTP/1.1", "Host: a", "X-Long: " + "a" * 40_960)),
    "five hundred fields": (431, head("GET /health HTTP/1.1", "Host: a", *(f"X-{n}: {n}" for n in range(500)))),
    "a transfer coding that is not spoken": (
        501,
        head("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"),
    ),
    "a method of 60 letters": (501, head("A" * 60 + " / HTTP/1.1", "Host: a")),
    "CONNECT": (501, head("CONNECT a:443 HTTP/1.1", "Host: a")),
    "HTTP/2.0": (505, head("GET /health HTTP/2.0", "Host: a")),
    "HTTP/0.9 by number": (505, head("GET /health HTTP/0.9", "Host: a")),
    "HTTP/2's preface": (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "another expectation": (417, head("POST / HTTP/1.1", "Host: a", LENGTH, "Expect: the best", body=BODY)),
    "a length of 17 MiB": (
        413,
        head("POST / HTTP/1.1", "Host: a", JSON[0] + ": " + JSON[1], f"Content-Length: {17 << 20}"),
    ),
    "a length beyond 64 bits": (413, head("POST / HTTP/1.1", "Host: a", "Content-Length: 99999999999999999999999")),
}


@pytest.mark.parametrize("name", OTHER)
def test_refused(shared_server, name):
    status, data = OTHER[name]
    refused(shared_server, data, status)


def test_a_chunked_body_over_its_bound_is_refused_as_it_grows(cast, node):
    server = cast.ringwall(node, settings={"limits.body_bytes_max": "1MiB"})
    with client.connect(server.port) as stream:
        stream.send(request("POST", "/", [JSON, ("Transfer-Encoding", "chunked")]))
        try:
            for _ in range(64):
                stream.send(b"10000\r\n" + b"a" * 65536 + b"\r\n")
        except OSError:
            pass
        assert stream.read_reply().status == 413
    assert not node.requests


@pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "PATCH"])
def test_methods_that_the_node_decides_or_nobody_serves(shared_server, method):
    """They may go to the node or be refused; they are never a 2xx of our own, and the connection stays in step."""
    with client.connect(shared_server.port) as stream:
        stream.send(request(method, "/"))
        reply = stream.read_reply()
        assert reply.status in (400, 405, 501)


UPGRADES = {
    "no key": (400, lambda text: text.replace(b"Sec-WebSocket-Key", b"X-Key")),
    "a key that is not 16 bytes": (400, lambda text: text.replace(b"Sec-WebSocket-Key: ", b"Sec-WebSocket-Key: AAAA")),
    "two keys": (
        400,
        lambda text: text.replace(b"Upgrade: w", b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nUpgrade: w"),
    ),
    "version 8": (426, lambda text: text.replace(b"Version: 13", b"Version: 8")),
    "no version": (426, lambda text: text.replace(b"Sec-WebSocket-Version", b"X-Version")),
    "no Connection: Upgrade": (400, lambda text: text.replace(b"Connection: Upgrade", b"Connection: keep-alive")),
    "POST": (400, lambda text: text.replace(b"GET /", b"POST /")),
    "HTTP/1.0": (400, lambda text: text.replace(b"HTTP/1.1", b"HTTP/1.0")),
}


@pytest.mark.parametrize("name", UPGRADES)
def test_upgrade_refused(shared_server, name):
    status, change = UPGRADES[name]
    statuses = (
        {status}
        | ({400, 426} if name == "no version" else set())
        | ({405, 426} if name in ("POST", "HTTP/1.0") else set())
    )
    reply = refused(shared_server, change(upgrade_request()), *statuses)
    if reply.status == 426:
        assert reply.get("sec-websocket-version") == "13"
        assert "websocket" in reply.get("upgrade").lower()


def test_what_follows_a_refusal_is_never_served(server, node):
    """A smuggled second request behind an ambiguous first."""
    data = AMBIGUOUS["both Content-Length and Transfer-Encoding"] + post(call("author_rotateKeys"))
    with client.connect(server.port) as stream:
        stream.send(data)
        assert stream.read_reply().status == 400
        assert stream.read_to_end() == b""
    assert not node.requests


def test_two_equal_lengths_are_one_or_refused(server, node):
    # RFC 9112 section 6.3 allows either.
    reply = exchange(
        server.port, head("POST / HTTP/1.1", "Host: a", "Content-Type: application/json", LENGTH, LENGTH, body=BODY)
    )
    assert reply.status in (200, 400)
    assert all(asked.all("content-length") == [str(len(BODY))] for asked in node.requests)


def test_a_head_dribbled_slowly_is_cut_at_its_timeout(cast, node):
    server = cast.ringwall(node, settings={"timeouts.head_ms": 800})
    with client.connect(server.port) as stream:
        stream.sock.settimeout(5)
        with Stopwatch() as watch:
            try:
                stream.send_slowly(request("GET", "/health", [("X-Slow", "a" * 500)]), pause_s=0.02)
            except OSError:
                pass
            assert watch.seconds < 3
        assert stream.read_reply().status == 408


def test_half_a_head_and_silence_is_cut_at_its_timeout(cast, node):
    server = cast.ringwall(node, settings={"timeouts.head_ms": 800})
    with client.connect(server.port) as stream:
        stream.send(b"GET /health HTTP/1.1\r\nHost: loc")
        with Stopwatch() as watch:
            assert stream.read_reply().status == 408
        assert 0.4 < watch.seconds < 2
        stream.wait_for_end(2)


def test_half_a_body_and_silence_is_cut_at_its_timeout(cast, node):
    server = cast.ringwall(node, settings={"timeouts.body_ms": 800})
    with client.connect(server.port) as stream:
        stream.send(post(BODY)[:-5])
        with Stopwatch() as watch:
            assert stream.read_reply().status == 408
        assert 0.4 < watch.seconds < 2
    assert not node.requests


def test_a_whole_head_has_ten_seconds_by_default(cast, node):
    """And a client that needs three of them is served."""
    server = cast.ringwall(node)
    with client.connect(server.port) as stream:
        stream.send_slowly(request("GET", "/health"), pause_s=0.08)
        assert stream.read_reply().status == 200
