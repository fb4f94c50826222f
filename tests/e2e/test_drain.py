"""SIGTERM drains: not ready first, then each session at a moment of its own, after its answers and between frames."""

import signal
import threading
import time

import pytest

from harness import client
from harness.client import call, page_request, post
from harness.frames import CLOSE, TEXT
from harness.until import Stopwatch, until


def after(seconds):
    """A node that answers each call so much later."""
    return lambda connection: connection.answer_messages(seconds)


@pytest.mark.parametrize("code", [1001, 1012])
def test_calls_in_flight_are_answered_before_the_close(cast, fake_node, code):
    settings = {"server.drain_code": "service_restart"} if code == 1012 else {}
    node = fake_node(after(1))
    server = cast.ringwall(node, settings=settings)
    streams = [client.websocket(server.port) for _ in range(20)]
    for stream in streams:
        stream.send_frame(TEXT, call("state_call"))
    time.sleep(0.3)
    server.send_signal(signal.SIGTERM)
    for stream in streams:
        assert b'"result"' in stream.read_message()[1]
        frame = stream.read_frame()
        assert (frame.opcode, frame.close_code) == (CLOSE, code)
        stream.send_frame(CLOSE, frame.payload)
        assert stream.wait_for_end(3) == "eof"
        stream.close()
    assert server.wait(5) == 0


def test_a_call_that_is_never_answered_is_told_by_a_close_too(cast, fake_node):
    server = cast.ringwall(fake_node(after(5)), settings={"timeouts.stop_ms": 3000})
    with client.websocket(server.port) as stream:
        stream.send_frame(TEXT, call("state_call"))
        time.sleep(0.3)
        server.send_signal(signal.SIGTERM)
        frame = stream.read_frame()
        assert (frame.opcode, frame.close_code) == (CLOSE, 1001)
    assert server.wait(5) == 0


def end_times(server, streams, number):
    """When each is told, in seconds from the signal."""
    times = []

    def wait(stream):
        frame = stream.read_frame()
        times.append(time.monotonic() - begin)
        assert (frame.opcode, frame.close_code) == (CLOSE, 1001)
        stream.send_frame(CLOSE, frame.payload)

    threads = [threading.Thread(target=wait, args=(stream,)) for stream in streams]
    begin = time.monotonic()
    server.send_signal(number)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(times) == len(streams)
    return sorted(times)


def test_websockets_are_closed_over_the_time_that_is_set(cast, node):
    server = cast.ringwall(node, settings={"timeouts.drain_ms": 4000})
    streams = [client.websocket(server.port) for _ in range(40)]
    times = end_times(server, streams, signal.SIGTERM)
    # By chance less than one time in a million.
    assert times[-1] - times[0] > 1.5
    assert times[len(times) // 2] < 4
    assert server.wait(5) == 0
    for stream in streams:
        stream.close()


def test_ctrl_c_closes_them_at_once(cast, node):
    server = cast.ringwall(node, settings={"timeouts.drain_ms": 60_000, "timeouts.drain_delay_ms": 60_000})
    streams = [client.websocket(server.port) for _ in range(5)]
    assert end_times(server, streams, signal.SIGINT)[-1] < 3
    assert server.wait(5) == 0
    for stream in streams:
        stream.close()


def test_in_the_delay_all_are_served_and_then_nobody_new_is(cast, fake_node):
    server = cast.ringwall(fake_node(after(0)), settings={"timeouts.drain_delay_ms": 2000, "timeouts.drain_ms": 4000})
    with client.websocket(server.port) as stream:
        server.send_signal(signal.SIGTERM)
        server.wait_for_log("stopping: SIGTERM")
        for _ in range(10):
            assert client.exchange(server.port, page_request()).status == 200
        stream.send_frame(TEXT, call("state_call", ["still here"]))
        assert b"still here" in stream.read_message()[1]

        def refused():
            try:
                client.connect(server.port, timeout=1).close()
            except OSError:
                return True

        until(refused, 5, "no more clients are let in")
        assert server.running
        assert stream.read_frame().close_code == 1001
    assert server.wait(5) == 0


def test_a_second_signal_in_the_delay_ends_it_at_once(cast, node):
    server = cast.ringwall(node, settings={"timeouts.drain_delay_ms": 60_000})
    with client.websocket(server.port):
        server.send_signal(signal.SIGTERM)
        server.wait_for_log("stopping: SIGTERM")
        with Stopwatch() as watch:
            server.send_signal(signal.SIGTERM)
            assert server.wait(5) == 0
        assert watch.seconds < 2


def drained_by_admin(cast, fake_node, admin):
    """One that drains, and a client whose call is answered meanwhile."""
    settings = {**admin.settings, "timeouts.drain_ms": 0, "timeouts.stop_ms": 20_000}
    server = cast.ringwall(fake_node(after(2)), settings=settings)
    stream = client.websocket(server.port)
    stream.send_frame(TEXT, call("state_call"))
    until(lambda: admin.sessions()["sessions"][0]["calls_in_flight"] == 1, 5, "it is on its way")
    assert admin.change("/drain").text == "draining\n"
    server.wait_for_log("stopping: ")
    return server, stream


def test_a_drain_that_is_asked_for_again_goes_on_and_so_it_does_at_the_first_sigterm(cast, fake_node, admin):
    server, stream = drained_by_admin(cast, fake_node, admin)
    with stream:
        for _ in range(3):
            assert admin.ctl("drain") == "draining\n"
        server.send_signal(signal.SIGTERM)
        assert b'"result"' in stream.read_message()[1]
        assert stream.read_frame().close_code == 1001
    assert server.wait(5) == 0


def test_a_drain_after_sigterm_changes_nothing(cast, fake_node, admin):
    settings = {**admin.settings, "timeouts.drain_ms": 0, "timeouts.stop_ms": 20_000}
    server = cast.ringwall(fake_node(after(2)), settings=settings)
    with client.websocket(server.port) as stream:
        stream.send_frame(TEXT, call("state_call"))
        until(lambda: admin.sessions()["sessions"][0]["calls_in_flight"] == 1, 5, "it is on its way")
        server.send_signal(signal.SIGTERM)
        server.wait_for_log("stopping: SIGTERM")
        assert admin.ctl("drain") == "draining\n"
        assert b'"result"' in stream.read_message()[1]
    assert server.wait(5) == 0


def test_the_second_sigterm_after_a_drain_ends_it_at_once(cast, fake_node, admin):
    server, stream = drained_by_admin(cast, fake_node, admin)
    with stream:
        server.send_signal(signal.SIGTERM)
        time.sleep(0.3)  # Two that wait at one moment are one.
        server.send_signal(signal.SIGTERM)
        assert b'"result"' not in stream.read_to_end()
    assert server.wait(5) == 0


def test_a_kept_http_connection_is_served_and_told_that_it_ends(cast, node):
    server = cast.ringwall(node, settings={"timeouts.drain_ms": 20_000})
    with client.connect(server.port) as stream:
        stream.send(post(call("a")))
        assert not stream.read_reply().closes
        server.send_signal(signal.SIGTERM)
        server.wait_for_log("stopping: SIGTERM")
        time.sleep(0.1)
        stream.send(post(call("a")))
        reply = stream.read_reply()
        assert (reply.status, reply.closes) == (200, True)
        assert stream.wait_for_end(3) == "eof"
    assert server.wait(5) == 0
