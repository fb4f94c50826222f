"""Pings, pongs and closes of ours where the node is in the middle of something."""

import signal
import threading
import time

from harness import client
from harness.client import message
from harness.frames import BINARY, CLOSE, PING, PONG, TEXT, node_frame


def test_a_client_that_waits_for_one_long_frame_of_the_node_is_not_taken_for_dead(cast, fake_node):
    """It cannot be pinged inside the frame; when the frame is whole, it is, and answers."""

    def node(connection):
        connection.accept_upgrade()
        frame = node_frame(BINARY, bytes(1000))
        for at in range(0, len(frame), 100):
            connection.send(frame[at : at + 100])
            time.sleep(0.25)
        connection.echo()

    server = cast.ringwall(
        fake_node(node), settings={"timeouts.ping_interval_ms": 300, "timeouts.dead_after_ms": 900}
    )
    with client.websocket(server.port) as stream:
        assert stream.read_message(lambda frame: stream.send_frame(PONG, frame.payload)) == (BINARY, bytes(1000))
        stream.send_frame(TEXT, message("alive"))
        assert stream.read_message(lambda frame: stream.send_frame(PONG, frame.payload)) == (TEXT, message("alive"))


def test_a_ping_is_answered_between_two_frames_of_a_node_that_never_pauses(cast, fake_node):
    """Whatever the node's next bytes are: the first boundary between frames is where the pong goes."""
    stop = threading.Event()

    def node(connection):
        connection.accept_upgrade()
        stream = b"".join(node_frame(BINARY, bytes(50_000 + number)) for number in range(40))
        while not stop.is_set():
            connection.send(stream)

    server = cast.ringwall(fake_node(node), arguments=["--shards", "1"])
    with client.websocket(server.port) as stream:
        assert stream.read_frame().opcode == BINARY
        stream.send_frame(PING, b"are you there")
        frames_before = 0
        while (frame := stream.read_frame()).opcode != PONG:
            frames_before += 1
        assert frame.payload == b"are you there"
        assert frames_before < 400, "at most what was on its way already"
        server.send_signal(signal.SIGTERM)
        while (frame := stream.read_frame()).opcode != CLOSE:
            pass
        assert frame.close_code == 1001
        stop.set()
