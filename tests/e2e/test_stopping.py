"""SIGTERM: no more clients, WebSockets closed with 1001, what is under way finished, and an end within the deadline."""

import contextlib
import os
import pwd
import signal
import subprocess
import time

import pytest

from harness import client
from harness.client import call, message, message_of, post
from harness.frames import BINARY, CLOSE, PING, TEXT, client_frame, close_payload, header
from harness.until import Stopwatch, until


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_websockets_are_closed_with_1001_on_both_sides_and_it_ends_with_0(cast, fake_node, number):
    node_side = []

    def node(connection):
        connection.accept_upgrade()
        frame = connection.read_frame()
        node_side.append(frame)
        connection.send_frame(CLOSE, frame.payload)

    server = cast.ringwall(fake_node(node))
    streams = [client.websocket(server.port) for _ in range(5)]
    with Stopwatch() as watch:
        server.send_signal(number)
        for stream in streams:
            frame = stream.read_frame()
            assert (frame.opcode, frame.close_code) == (CLOSE, 1001)
            stream.send_frame(CLOSE, frame.payload)
        for stream in streams:
            assert stream.wait_for_end(3) == "eof"
            stream.close()
        assert server.wait(5) == 0
    assert watch.seconds < 4
    until(lambda: len(node_side) == 5, 2, "the node is told by each")
    assert {(frame.opcode, frame.close_code) for frame in node_side} == {(CLOSE, 1001)}


def test_with_nothing_to_do_it_ends_at_once(cast):
    server = cast.ringwall(None)
    with Stopwatch() as watch:
        assert server.stop() == 0
    assert watch.seconds < 2


def test_it_stops_in_order_where_no_more_threads_can_be_made(cast, unsanitized):
    # Root is not held to the limit, and who sets it must be the one that it is for.
    is_root = os.geteuid() == 0
    nobody = pwd.getpwnam("nobody")
    server = cast.ringwall(None, settings={"server.user": "nobody"} if is_root else {})
    owner = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []} if is_root else {}
    subprocess.run(["prlimit", f"--pid={server.pid}", "--nproc=0:0"], check=True, **owner)
    assert server.stop() == 0
    assert " stopped sessions=" in server.log


def test_idle_http_connections_do_not_hold_it(cast, fake_node):
    server = cast.ringwall(fake_node(lambda connection: connection.answer_calls()))
    with client.connect(server.port) as used, client.connect(server.port) as fresh, client.connect(
        server.port, tls=False
    ):
        used.send(post(call("a")))
        assert used.read_reply().status == 200
        with Stopwatch() as watch:
            server.send_signal(signal.SIGTERM)
            assert used.wait_for_end(3) == fresh.wait_for_end(3) == "eof"
            assert server.wait(5) == 0
        assert watch.seconds < 4


def test_a_request_under_way_is_answered_and_new_clients_are_refused(cast, fake_node):
    def node(connection):
        connection.read_request()
        time.sleep(1)
        connection.reply(200, b"in time")

    server = cast.ringwall(fake_node(node))
    with client.connect(server.port) as stream:
        stream.send(post(call("a")))
        time.sleep(0.3)
        server.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        with pytest.raises(OSError):
            client.connect(server.port, timeout=0.4)
        reply = stream.read_reply()
        assert (reply.status, reply.body) == (200, b"in time")
        assert reply.closes
    assert server.wait(5) == 0


def test_a_message_under_way_is_finished_before_the_close(cast, fake_node):
    def node(connection):
        connection.accept_upgrade()
        connection.send(header(BINARY, 1000, masked=False) + b"x" * 400)
        time.sleep(1)
        connection.send(b"x" * 600)
        connection.send_frame(CLOSE, connection.read_frame().payload)

    server = cast.ringwall(fake_node(node))
    with client.websocket(server.port) as stream:
        time.sleep(0.3)
        server.send_signal(signal.SIGTERM)
        assert stream.read_message() == (BINARY, b"x" * 1000)
        frame = stream.read_frame()
        assert (frame.opcode, frame.close_code) == (CLOSE, 1001)
        stream.send_frame(CLOSE, frame.payload)
    assert server.wait(5) == 0


@pytest.mark.parametrize("stubborn", ["client", "node", "reader", "tunnel"])
def test_nobody_can_hold_it_beyond_the_deadline(cast, fake_node, stubborn):
    def node(connection):
        connection.accept_upgrade()
        if stubborn == "reader":
            while True:
                connection.send_frame(BINARY, bytes(100_000))
        elif stubborn == "node":
            time.sleep(12)
        else:
            connection.echo()

    arguments = ["--mode", "tunnel"] if stubborn == "tunnel" else []
    server = cast.ringwall(fake_node(node), settings={"timeouts.stop_ms": 1500}, arguments=arguments)
    with client.websocket(server.port, receive_buffer=8192) as stream:
        time.sleep(0.5)
        with Stopwatch() as watch:
            server.send_signal(signal.SIGTERM)
            assert server.wait(6) == 0
        assert watch.seconds < 5
        if stubborn == "reader":
            stream.wait_for_end(5)


@pytest.mark.parametrize("deaf", ["node", "client"])
def test_bytes_that_nobody_takes_do_not_hold_it_beyond_the_deadline(cast, fake_node, deaf):
    """Messages for the node, or pongs and a Close for the client; only the one they are for does not read."""

    def node(connection):
        connection.accept_upgrade()
        time.sleep(8)

    server = cast.ringwall(fake_node(node, receive_buffer=8192), settings={"timeouts.stop_ms": 1500})
    data = client_frame(BINARY, message_of(60_000)) if deaf == "node" else client_frame(PING, bytes(125)) * 500
    with client.websocket(server.port, receive_buffer=8192, timeout=1) as stream:
        with contextlib.suppress(OSError):
            for _ in range(300):
                stream.send(data)
        with Stopwatch() as watch:
            server.send_signal(signal.SIGTERM)
            assert server.wait(6) == 0
        assert watch.seconds < 5


def test_a_second_signal_ends_it_at_once(cast, fake_node):
    node = fake_node(lambda connection: connection.read_to_end())
    server = cast.ringwall(node, settings={"timeouts.stop_ms": 20_000})
    with client.connect(server.port) as stream:
        stream.send(post(call("a")))
        node.wait_for_connections()
        server.send_signal(signal.SIGTERM)
        time.sleep(2)
        assert server.running, "a call under way holds it"
        with Stopwatch() as watch:
            server.send_signal(signal.SIGTERM)
            assert server.wait(5) == 0
        assert watch.seconds < 1


def test_a_client_that_talks_on_after_the_close_is_not_relayed(cast, fake_node):
    node_side = []

    def node(connection):
        connection.accept_upgrade()
        while True:
            frame = connection.read_frame()
            node_side.append(frame)
            if frame.opcode == CLOSE:
                connection.send_frame(CLOSE, close_payload(1001))
                return

    server = cast.ringwall(fake_node(node), settings={"timeouts.stop_ms": 2000})
    with client.websocket(server.port) as stream:
        server.send_signal(signal.SIGTERM)
        assert stream.read_frame().close_code == 1001
        stream.send_frame(TEXT, message("one more thing"))
        stream.send_frame(CLOSE, close_payload(1001))
        stream.wait_for_end(4)
    assert server.wait(5) == 0
    assert TEXT not in [frame.opcode for frame in node_side]
