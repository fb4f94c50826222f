"""A denied call does not reach the node in any dress of HTTP."""

import gzip
import zlib

import pytest

from harness import client
from harness.client import post, request
from harness.evasions import ALLOWED, DENIED, HIDDEN, call
from harness.guard import ask_by_post
from harness.programs import Ringwall
from harness.recording_node import RecordingNode, names_in

JSON = ("Content-Type", "application/json")
BODY = call()
LENGTH = ("Content-Length", str(len(BODY)))


def chunked(*parts: bytes, extension: bytes = b"", trailers: bytes = b"") -> bytes:
    return b"".join(b"%x%s\r\n%s\r\n" % (len(part), extension, part) for part in parts) + b"0\r\n" + trailers + b"\r\n"


def in_chunks(*cuts: int, body: bytes = BODY, **options) -> bytes:
    starts = [0, *cuts]
    parts = [body[start:end] for start, end in zip(starts, [*cuts, len(body)])]
    return request("POST", "/", [JSON, ("Transfer-Encoding", "chunked")]) + chunked(*parts, **options)


def typed(*types: str) -> bytes:
    return request("POST", "/", [("Content-Type", value) for value in types], BODY)


def squeezed(coding: str, body: bytes) -> bytes:
    return post(body, [("Content-Encoding", coding)])


AT = BODY.index(DENIED)
GOOD_LENGTH = ("Content-Length", str(len(call(ALLOWED))))
H2C = [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABk")]
UPGRADE = [
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", client.new_key()),
]
QUERY = f"/?jsonrpc=2.0&id=1&method={DENIED.decode()}&params=[]"

REQUESTS = {
    "chunks cut in the name": in_chunks(AT + 3, AT + 9),
    "a chunk a byte": in_chunks(*range(1, len(BODY))),
    "chunks cut in an escape": in_chunks(AT + 1, AT + 2, body=call(HIDDEN)),
    "chunks with extensions": in_chunks(AT + 3, extension=b';a="system_chain"'),
    "chunks with trailers": in_chunks(AT + 3, trailers=b"Content-Type: text/plain\r\n"),
    "no content type": request("POST", "/", [], BODY),
    "text/plain": typed("text/plain"),
    "json-rpc": typed("application/json-rpc"),
    "json with a charset": typed("application/json; charset=utf-16"),
    "json in capitals": typed("APPLICATION/JSON"),
    "two content types": typed("text/plain", "application/json"),
    "two content types in one": typed("text/plain, application/json"),
    "a form": typed("application/x-www-form-urlencoded"),
    "gzip": squeezed("gzip", gzip.compress(BODY)),
    "deflate": squeezed("deflate", zlib.compress(BODY)),
    "said to be gzip": squeezed("gzip", BODY),
    "identity": squeezed("identity", BODY),
    "a query": post(BODY, path="/?method=system_chain"),
    "a query alone": request("GET", QUERY),
    "a query of a post without a body": request("POST", QUERY, [JSON, ("Content-Length", "0")]),
    "a path": post(BODY, path=f"/{ALLOWED.decode()}"),
    "the path of health": post(BODY, path="/health"),
    "the path of the check": post(BODY, path="/health/readiness"),
    "an absolute target": post(BODY, path="http://localhost/"),
    "a GET with a body": request("GET", "/", [JSON], BODY),
    "a GET of health with a body": request("GET", "/health", [JSON], BODY),
    "a HEAD with a body": request("HEAD", "/", [JSON], BODY),
    "a PUT": request("PUT", "/", [JSON], BODY),
    "a PATCH": request("PATCH", "/", [JSON], BODY),
    "an OPTIONS with a body": request("OPTIONS", "/", [JSON, ("Origin", "https://a.example")], BODY),
    "a method of small letters": request("post", "/", [JSON], BODY),
    "a GET that says it is a POST": request("GET", "/", [JSON, ("X-HTTP-Method-Override", "POST")], BODY),
    "a method override": post(BODY, [("X-HTTP-Method-Override", "GET"), ("X-Method", ALLOWED.decode())]),
    "an upgrade with a body": client.upgrade_request(fields=[JSON, LENGTH]) + BODY,
    "a POST that is an upgrade": post(BODY, UPGRADE),
    "an upgrade to h2c": post(BODY, H2C),
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + post(BODY),
    "HTTP/1.0": post(BODY).replace(b"HTTP/1.1", b"HTTP/1.0"),
    "HTTP/0.9": b"POST /\r\n\r\n" + BODY,
    "expecting a 100": request("POST", "/", [JSON, LENGTH, ("Expect", "100-continue")], BODY),
    "both a length and chunks": request("POST", "/", [JSON, LENGTH, ("Transfer-Encoding", "chunked")]) + chunked(BODY),
    "two lengths": request("POST", "/", [JSON, ("Content-Length", "2"), LENGTH], BODY),
    "chunked twice": request("POST", "/", [JSON, ("Transfer-Encoding", "chunked, chunked")]) + chunked(BODY),
    "an odd chunked": request("POST", "/", [JSON, ("Transfer-Encoding", "\x0bchunked")]) + chunked(BODY),
    "after a good one": post(call(ALLOWED)) + post(BODY),
    "between good ones": post(call(ALLOWED)) + post(BODY) + post(call(ALLOWED)),
    "after a good one and empty lines": post(call(ALLOWED)) + b"\r\n\r\n" + post(BODY),
    "after a GET with no body": request("GET", "/health") + post(BODY),
    "in one write with a good one's body": request("POST", "/", [JSON, GOOD_LENGTH], call(ALLOWED) + post(BODY)),
    "after chunks": request("POST", "/", [JSON, ("Transfer-Encoding", "chunked")]) + chunked(call(ALLOWED)) + post(BODY),
    "a connection that is to be closed": post(BODY, [("Connection", "close")]) + post(BODY),
    "a batch by position": post(b'["2.0",1,"x"]') + post(b'[["2.0",1,"%s",[]]]' % DENIED),
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    node = RecordingNode()
    folder = tmp_path_factory.mktemp("http-evasions")
    server = Ringwall(folder, node.address, guard=True, arguments=["--limits", "off"])
    server.node = node
    server.wait_until_serving()
    yield server
    assert server.stop() == 0
    node.stop()


@pytest.mark.parametrize("name", REQUESTS)
def test_in_requests(server, name):
    mark = len(server.node.texts)
    with client.connect(server.port, timeout=5) as stream:
        stream.send(REQUESTS[name])
        stream.half_close()  # All that is answered is answered, and then it ends.
        said = stream.read_to_end()
        assert b'"0x' not in said
    assert ask_by_post(server, "system_name").json["result"] == "ok"
    # Of whatever method: a body that the node ignores today is one that it may read tomorrow.
    got = server.node.texts[mark:]
    assert not [text for text in got if DENIED.decode() in names_in(text)]
