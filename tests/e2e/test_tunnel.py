"""Tunnel mode for a bootnode's /ws: after a verified 101, bytes both ways, whatever they are."""

import os
import time

import pytest

from harness import client
from harness.client import upgrade_request
from harness.frames import CLOSE, PING, client_frame
from harness.until import Stopwatch, until


@pytest.fixture
def node(fake_node):
    """Sends every byte back, reading no frames."""

    def script(connection):
        connection.accept_upgrade()
        while data := connection.sock.recv(65536):
            connection.send(data)

    return fake_node(script)


@pytest.fixture(params=["flag", "setting"])
def server(request, cast, node):
    if request.param == "flag":
        return cast.ringwall(node, arguments=["--mode", "tunnel"])
    return cast.ringwall(node, settings={"listener.mode": "tunnel"})


BYTES = {
    "no frames at all": b"hello, not a frame at all\r\n\r\n",
    "every byte": bytes(range(256)),
    "a frame that would be refused": client_frame(3, b"reserved", rsv=7),
    "an unmasked frame": b"\x81\x05hello",
    "a ping, which is the peer's to answer": client_frame(PING, b"p2p"),
    "a close, which is the peer's to answer": client_frame(CLOSE, b"\x03\xe8"),
}


@pytest.mark.parametrize("name", BYTES)
def test_bytes_pass_as_they_are(server, name):
    with client.websocket(server.port) as stream:
        stream.send(BYTES[name])
        assert stream.read_exactly(len(BYTES[name])) == BYTES[name]
        assert stream.silent_for(0.3)


def test_megabytes_pass_both_ways(server):
    data = os.urandom(1 << 20)
    with client.websocket(server.port) as stream:
        for _ in range(20):
            stream.send(data)
            assert stream.read_exactly(len(data)) == data


def test_bytes_sent_with_the_request_are_not_lost(server):
    with client.connect(server.port) as stream:
        stream.send(upgrade_request() + b"early")
        assert stream.read_reply().status == 101
        assert stream.read_exactly(5) == b"early"


@pytest.mark.parametrize("tls", [True, False])
def test_what_the_client_sent_before_its_end_reaches_the_node(cast, fake_node, tls):
    got = []

    def script(connection):
        connection.accept_upgrade()
        got.append(connection.read_to_end())

    server = cast.ringwall(fake_node(script), tls=tls, arguments=["--mode", "tunnel"])
    with client.websocket(server.port, tls=tls) as stream:
        stream.send(b"all I have" * 10_000)
        stream.half_close()
        until(lambda: got, 2, "the node sees the end")
    assert got == [b"all I have" * 10_000]


@pytest.mark.parametrize("how", ["close", "reset"])
def test_the_nodes_end_is_the_clients_end(cast, fake_node, how):
    def script(connection):
        connection.accept_upgrade()
        connection.send(b"some")
        time.sleep(0.2)
        if how == "reset":
            connection.reset()

    server = cast.ringwall(fake_node(script), arguments=["--mode", "tunnel"])
    with client.websocket(server.port) as stream:
        assert stream.read_exactly(4) == b"some"
        assert stream.wait_for_end(1.5) in (("eof", "truncated") if how == "close" else ("reset", "truncated"))


def test_the_clients_end_is_the_nodes_end(server, node):
    before = server.fd_count()
    client.websocket(server.port).reset()
    client.websocket(server.port).truncate()
    until(lambda: server.fd_count() <= before, 2, "the descriptors are back")
    until(lambda: all(one.sock.fileno() == -1 for one in node.connections), 2, "the node's connections are closed")


def test_without_a_verified_101_there_is_no_tunnel(cast, fake_node):
    def script(connection):
        connection.accept_upgrade(accept="AAAAAAAAAAAAAAAAAAAAAAAAAAA=")
        connection.send(b"leak")

    server = cast.ringwall(fake_node(script), arguments=["--mode", "tunnel"])
    reply = client.exchange(server.port, upgrade_request())
    assert reply.status == 502 and b"leak" not in reply.body


def test_a_quiet_tunnel_is_neither_pinged_nor_cut_by_short_timeouts(cast, node):
    short = {
        f"timeouts.{name}_ms": 400
        for name in ("handshake", "head", "body", "message", "ping_interval", "keep_alive", "response")
    }
    server = cast.ringwall(node, arguments=["--mode", "tunnel"], settings={**short, "timeouts.dead_after_ms": 800})
    with client.websocket(server.port) as stream:
        assert stream.silent_for(2)
        stream.send(b"still")
        assert stream.read_exactly(5) == b"still"


def test_a_tunnel_that_is_silent_both_ways_ends_at_its_idle_time_and_not_before(cast, node):
    server = cast.ringwall(node, arguments=["--mode", "tunnel"], settings={"timeouts.tunnel_idle_ms": 1000})
    with client.websocket(server.port) as stream:
        for _ in range(4):
            time.sleep(0.5)
            stream.send(b"still here")
            assert stream.read_exactly(10) == b"still here"
        with Stopwatch() as watch:
            stream.wait_for_end(4)
        assert 0.8 < watch.seconds < 2.5
    until(lambda: all(one.sock.fileno() == -1 for one in node.connections), 2, "the node's connection is closed")
