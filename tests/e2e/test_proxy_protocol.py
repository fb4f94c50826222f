"""A load balancer in front that says whose connection it passes on."""

import contextlib
import socket
import ssl
import struct
import time

import pytest

from harness import client
from harness.client import call, page_request, post, tls_context, upgrade_request
from harness.stream import Stream

SOURCE = "203.0.113.7"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def line(source=SOURCE, family="TCP4", destination="192.0.2.1") -> bytes:
    return f"PROXY {family} {source} {destination} 56581 443\r\n".encode()


def binary(source=SOURCE, *, command=0x21, tlvs=b"") -> bytes:
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    destination = "2001:db8::1" if ":" in source else "192.0.2.1"
    block = socket.inet_pton(family, source) + socket.inet_pton(family, destination) + struct.pack("!HH", 56581, 443)
    block += tlvs
    return SIGNATURE + bytes([command, 0x21 if ":" in source else 0x11]) + struct.pack("!H", len(block)) + block


# What the balancer sends, and whom the node is told of.
HEADERS = {
    "line": (line(), SOURCE),
    "line of IPv6": (line("2001:db8::7", "TCP6", "2001:db8::1"), "2001:db8::7"),
    "line of nobody": (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
    "binary": (binary(), SOURCE),
    "binary of IPv6": (binary("2001:db8::7"), "2001:db8::7"),
    "binary with TLVs": (binary(tlvs=b"\x02\x00\x0frpc.example.com" + b"\x04\x0b\xb8" + bytes(3000)), SOURCE),
    "binary of the balancer itself": (SIGNATURE + b"\x20\x00\x00\x00", "127.0.0.1"),
}
EACH = pytest.mark.parametrize("header, source", HEADERS.values(), ids=HEADERS.keys())
TLS = pytest.mark.parametrize("tls", [True, False], ids=["tls", "plain"])


def behind_balancer(cast, node, tls=True, **settings):
    return cast.ringwall(node, tls=tls, settings={"listener.proxy_protocol": "required", **settings})


def through_balancer(server, pieces, pause_s=0.0) -> Stream:
    """A connection that begins with `pieces`; then comes TLS, if the server speaks it."""
    stream = client.connect(server.port, tls=False)
    for piece in pieces:
        stream.send(piece)
        time.sleep(pause_s)
    if not server.tls:
        return stream
    sock = tls_context().wrap_socket(stream.sock, server_hostname="localhost", suppress_ragged_eofs=False)
    return Stream(sock)


def ask(stream, fields=()) -> None:
    with stream:
        stream.send(post(call("a"), fields))
        assert stream.read_reply().status == 200


def end_of(stream) -> str:
    """How a connection ended that got not one byte."""
    with stream:
        assert stream.read_to_end() == b""
        return stream.ended_by


@TLS
@EACH
def test_the_node_is_told_of_the_client_that_the_header_names(cast, node, header, source, tls):
    server = behind_balancer(cast, node, tls)
    ask(through_balancer(server, [header]), [("X-Forwarded-For", "6.6.6.6")])
    (asked,) = node.requests
    assert asked.all("x-forwarded-for") == [source]
    assert asked.all("x-real-ip") == [source]
    assert asked.all("x-forwarded-proto") == ["https" if tls else "http"]


@TLS
def test_a_websocket_has_its_client_from_the_header(cast, node, tls):
    server = behind_balancer(cast, node, tls)
    with through_balancer(server, [binary()]) as stream:
        stream.send(upgrade_request())
        assert stream.read_reply().status == 101
        stream.send_frame(1, client.message("hello"))
        assert stream.read_message()[1] == client.message("hello")
    assert node.requests[0].all("x-forwarded-for") == [SOURCE]


@TLS
@pytest.mark.parametrize("header", [line(), binary(), binary("2001:db8::7", tlvs=b"\x04\x00\x00")])
def test_a_header_may_come_byte_by_byte(cast, node, header, tls):
    server = behind_balancer(cast, node, tls)
    ask(through_balancer(server, [header[at : at + 1] for at in range(len(header))], pause_s=0.002))
    assert node.requests[0].get("x-forwarded-for") in (SOURCE, "2001:db8::7")


@pytest.mark.parametrize("header", [line(), binary()], ids=["line", "binary"])
def test_what_follows_a_header_in_its_segment_is_the_clients(cast, node, header):
    """The ClientHello, or the request, with the header in one send."""
    plain = behind_balancer(cast, node, tls=False)
    with client.connect(plain.port, tls=False) as stream:
        stream.send(header + post(call("a")) + page_request())
        assert stream.read_reply().status == 200
        assert "html" in stream.read_reply().get("content-type")

    server = behind_balancer(cast, node)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = tls_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with client.connect(server.port, tls=False) as stream:
        first = header
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                stream.send(first + outgoing.read())
                first = b""
                incoming.write(stream.sock.recv(65536))
        tls.write(post(call("a")))
        stream.send(outgoing.read())
        answer = b""
        while not answer.endswith(b"}"):
            incoming.write(stream.sock.recv(65536))
            try:
                answer += tls.read(65536)
            except ssl.SSLWantReadError:
                pass
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert [asked.get("x-forwarded-for") for asked in node.requests] == [SOURCE, SOURCE]


@TLS
@pytest.mark.parametrize(
    "first",
    [
        page_request(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        line("203.0.113.07"),
        line().replace(b"\r\n", b"\n"),
        b"PROXY " + b"x" * 200,
        binary(command=0x31),
        binary(tlvs=b"\x04\x00\x01"),
        SIGNATURE + b"\x21\x11\xff\xff",
    ],
    ids=["request", "ClientHello", "leading zero", "bare LF", "endless", "version 3", "cut TLV", "64 KiB"],
)
def test_who_has_no_valid_header_is_closed_without_an_answer(cast, node, first, tls):
    server = behind_balancer(cast, node, tls)
    stream = client.connect(server.port, tls=False)
    stream.send(first)
    assert end_of(stream) == "reset"
    assert node.requests == []
    server.wait_for_log("listener.proxy_protocol")
    server.stop()
    assert "ended_proxy_header=1" in server.log


def test_a_header_that_does_not_come_has_the_time_of_a_handshake(cast, node):
    server = behind_balancer(cast, node, **{"timeouts.handshake_ms": "500ms"})
    silent = client.connect(server.port, tls=False)
    slow = client.connect(server.port, tls=False)
    slow.send(line()[:-1])
    begun = client.connect(server.port, tls=False)
    begun.send(line())  # The time is one for both, header and handshake.
    start = time.monotonic()
    for stream in (silent, slow, begun):
        assert end_of(stream) in ("reset", "eof")
    assert time.monotonic() - start < 5


@TLS
@EACH
def test_a_header_where_none_is_expected_is_never_believed(cast, node, header, source, tls):
    """Nor is it with its sender trusted to write X-Forwarded-For."""
    server = cast.ringwall(node, tls=tls, settings={"listener.trusted_proxies": "127.0.0.0/8"})
    stream = client.connect(server.port, tls=False)
    stream.send(header + (b"" if tls else post(call("a"))))
    with stream:
        answer = stream.read_to_end()
    # As a TLS server it may say so in an alert.
    assert answer.startswith(b"HTTP/1.1 400 ") if not tls else not answer.startswith(b"HTTP/1.1 2")
    assert node.requests == []


@TLS
def test_only_trusted_peers_are_believed_where_they_are_named(cast, node, tls):
    server = behind_balancer(cast, node, tls, **{"listener.trusted_proxies": "10.0.0.0/8"})
    # It is closed before it has said anything: the reset is told to whichever call comes first after it.
    with contextlib.suppress(ConnectionResetError):
        stream = client.connect(server.port, tls=False)
        stream.send(line())
        assert end_of(stream) == "reset"
    server.wait_for_log("trusted_proxies")
    server.stop()
    assert "ended_proxy_header=1" in server.log

    trusting = behind_balancer(cast, node, tls, **{"listener.trusted_proxies": "127.0.0.0/8"})
    ask(through_balancer(trusting, [line()]))
    assert node.requests[0].get("x-forwarded-for") == SOURCE


@pytest.mark.parametrize(
    "header, told",
    [
        (line("10.1.2.3"), "6.6.6.6"),  # A proxy behind the balancer.
        (line(), SOURCE),
        (b"PROXY UNKNOWN\r\n", "127.0.0.1"),  # Whoever it is, it is not the balancer who wrote the request.
        (SIGNATURE + b"\x20\x00\x00\x00", "127.0.0.1"),
    ],
    ids=["trusted", "not trusted", "unknown", "local"],
)
def test_x_forwarded_for_is_believed_of_the_address_in_the_header(cast, node, header, told):
    server = behind_balancer(cast, node, **{"listener.trusted_proxies": "127.0.0.0/8,10.0.0.0/8"})
    ask(through_balancer(server, [header]), [("X-Forwarded-For", "6.6.6.6")])
    assert node.requests[0].all("x-forwarded-for") == [told]


def test_the_redirect_reads_it_too(cast):
    server = cast.ringwall(
        config="""
        [[listener]]
        address = "127.0.0.1:{port}"
        kind = "redirect"
        public_name = "rpc.example.com"
        proxy_protocol = "required"
        trusted_proxies = ["127.0.0.0/8"]
        """,
        tls=False,
    )
    with through_balancer(server, [line()]) as stream:
        stream.send(client.request("GET", "/x"))
        assert stream.read_reply().get("location") == "https://rpc.example.com/x"
    stream = client.connect(server.port, tls=False)
    stream.send(client.request("GET", "/x"))
    assert end_of(stream) == "reset"
