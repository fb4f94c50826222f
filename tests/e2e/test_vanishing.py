"""Clients that vanish in every way leave nothing behind, neither here nor at the node."""

import threading
import time

import pytest

from harness import client
from harness.client import call, message, message_of, post, upgrade_request
from harness.frames import CLOSE, TEXT, client_frame, close_payload
from harness.until import until


def talking(port):
    stream = client.websocket(port)
    stream.send_frame(TEXT, message("hello"))
    assert stream.read_message() == (TEXT, message("hello"))
    return stream


def reset(port):
    talking(port).reset()


def half_close(port):
    stream = talking(port)
    stream.half_close()
    stream.wait_for_end(5)
    stream.close()


def truncation(port):
    talking(port).truncate()


def close_notify_without_a_close_frame(port):
    talking(port).close_notify()


def close_frame_and_gone(port):
    stream = talking(port)
    stream.send_frame(8, close_payload(1000))
    stream.close()


def reset_in_a_frame(port):
    stream = talking(port)
    stream.send(client_frame(TEXT, message_of(5000))[:1000])
    stream.reset()


def reset_in_a_large_message(port):
    stream = talking(port)
    stream.send(client_frame(TEXT, message_of(2 << 20))[: 1 << 20])
    stream.reset()


def truncation_between_fragments(port):
    stream = talking(port)
    stream.send_frame(TEXT, message("half")[:-5], fin=False)
    stream.truncate()


def reset_after_the_upgrade_request(port):
    stream = client.connect(port)
    stream.send(upgrade_request())
    stream.reset()


def reset_within_a_head(port):
    stream = client.connect(port)
    stream.send(upgrade_request()[:40])
    stream.reset()


def reset_within_a_body(port):
    stream = client.connect(port)
    stream.send(post(call("a", ["x" * 100_000]))[:50_000])
    stream.reset()


def reset_before_the_answer(port):
    stream = client.connect(port)
    stream.send(post(call("a")))
    stream.reset()


def half_close_after_a_post(port):
    stream = client.connect(port)
    stream.send(post(call("a")))
    stream.half_close()
    stream.wait_for_end(5)
    stream.close()


def reset_after_the_handshake(port):
    client.connect(port).reset()


def nothing_at_all(port):
    client.connect(port, tls=False).close()


def reset_before_the_handshake(port):
    client.connect(port, tls=False).reset()


WAYS = [
    reset,
    half_close,
    truncation,
    close_notify_without_a_close_frame,
    close_frame_and_gone,
    reset_in_a_frame,
    reset_in_a_large_message,
    truncation_between_fragments,
    reset_after_the_upgrade_request,
    reset_within_a_head,
    reset_within_a_body,
    reset_before_the_answer,
    half_close_after_a_post,
    reset_after_the_handshake,
    nothing_at_all,
    reset_before_the_handshake,
]


def open_at_node(node) -> int:
    return sum(1 for connection in node.connections if connection.sock.fileno() != -1)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_each_way_is_noticed_within_a_second(cast, node, way):
    server = cast.ringwall(node, settings={"upstream.pool_idle_max": 0})
    before = server.fd_count()
    for _ in range(3):
        way(server.port)
    until(lambda: server.fd_count() <= before, 1.5, "the descriptors are back")
    until(lambda: open_at_node(node) == 0, 1.5, "the node's connections are closed")


@pytest.mark.parametrize("how", ["shards of its own", "one shard"])
def test_a_hundred_clients_that_connect_talk_and_vanish_leave_nothing(cast, node, how):
    arguments = ["--shards", "1"] if how == "one shard" else []
    server = cast.ringwall(node, arguments=arguments, settings={"upstream.pool_idle_max": 0})
    before = server.fd_count()

    def vanish(first):
        for number in range(first, 100, 4):
            WAYS[number % len(WAYS)](server.port)

    threads = [threading.Thread(target=vanish, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: server.fd_count() <= before, 3, f"back to {before} descriptors")
    until(lambda: open_at_node(node) == 0, 3, "the node's connections are closed")
    assert talking(server.port)


def test_a_hundred_at_once(cast, node):
    server = cast.ringwall(node)
    before = server.fd_count()
    streams = [talking(server.port) for _ in range(100)]
    assert server.fd_count() >= before + 200
    for number, stream in enumerate(streams):
        (stream.reset, stream.truncate, stream.close_notify)[number % 3]()
    until(lambda: server.fd_count() <= before, 3, f"back to {before} descriptors")
    until(lambda: open_at_node(node) == 0, 3, "the node's connections are closed")


MESSAGE = call("system_chain")
GOODBYE = close_payload(1000, "bye")


@pytest.mark.parametrize("end", ["reset", "truncate", "close_notify"])
@pytest.mark.parametrize(
    ("said", "heard"),
    [
        (client_frame(TEXT, MESSAGE), [(TEXT, MESSAGE), (CLOSE, 1001)]),
        (client_frame(TEXT, MESSAGE) + client_frame(TEXT, MESSAGE)[:-9], [(TEXT, MESSAGE), (CLOSE, 1001)]),
        (client_frame(TEXT, MESSAGE, fin=False), [(CLOSE, 1001)]),
        (client_frame(TEXT, MESSAGE) + client_frame(CLOSE, GOODBYE), [(TEXT, MESSAGE), (CLOSE, 1000)]),
    ],
    ids=["between messages", "in a frame", "between fragments", "after its goodbye"],
)
def test_the_node_is_told_whether_the_client_said_goodbye(cast, fake_node, said, heard, end):
    """1001 (going away) for a client that vanished, and nothing of the message that it sent half of; else its code."""
    told, ends = [], []

    def script(connection):
        connection.accept_upgrade()
        while not told or told[-1][0] != CLOSE:
            frame = connection.read_frame()
            told.append((frame.opcode, frame.close_code if frame.opcode == CLOSE else frame.payload))
        ends.append((connection.read_to_end(), connection.ended_by))

    server = cast.ringwall(fake_node(script))
    stream = client.websocket(server.port)
    stream.send(said)
    time.sleep(0.2)  # A reset takes back what has not been read.
    getattr(stream, end)()
    until(lambda: ends, 3, "the node's connection ends")
    assert told == heard
    assert ends == [(b"", "eof")]


def test_a_client_that_resets_while_it_is_not_read_is_let_go_at_once(cast, fake_node):
    """The node reads nothing, so the client is paused; nothing tells of its end but the kernel."""
    stopped_reading = threading.Event()

    def deaf(connection):
        connection.accept_upgrade()
        stopped_reading.wait(20)

    server = cast.ringwall(fake_node(deaf, receive_buffer=16384), tls=False, arguments=["--shards", "1"])
    before = server.fd_count()
    stream = client.websocket(server.port, tls=False)
    stream.sock.settimeout(1)
    with pytest.raises(OSError):
        for _ in range(2000):
            stream.send_frame(TEXT, message_of(50_000))
    assert server.fd_count() == before + 2
    stream.reset()
    until(lambda: server.fd_count() <= before + 1, 1, "the client's descriptor is back")
    stopped_reading.set()
    until(lambda: server.fd_count() <= before, 3, "and the node's")
