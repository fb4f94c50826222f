"""Bounds on what clients may send and hold, and what happens at each."""

import threading
import time

import pytest

from harness import client
from harness.client import call, message, message_of, post, request
from harness.frames import BINARY, CLOSE, CONTINUATION, TEXT, client_frame, header
from harness.until import Stopwatch, until

MIB = 1 << 20


def test_a_message_at_its_bound_passes_and_one_byte_more_is_1009(cast, echo_node):
    server = cast.ringwall(echo_node, settings={"limits.message_bytes_max": "1MiB"})
    with client.websocket(server.port) as stream:
        stream.send_frame(BINARY, message_of(MIB))
        assert stream.read_message() == (BINARY, message_of(MIB))
        stream.send(header(BINARY, MIB + 1, masked=True) + b"abcd")
        frame = stream.read_frame()
        assert (frame.opcode, frame.close_code) == (CLOSE, 1009)


def test_the_default_bound_is_16_mib(echo, echo_node):
    with client.websocket(echo.port) as stream:
        stream.send_frame(BINARY, message_of(16 * MIB))
        assert stream.read_message() == (BINARY, message_of(16 * MIB))
        stream.send(header(BINARY, 16 * MIB + 1, masked=True) + b"abcd")
        assert stream.read_frame().close_code == 1009


def test_fragments_count_together(cast, echo_node):
    server = cast.ringwall(echo_node, settings={"limits.message_bytes_max": "64KiB"})
    with client.websocket(server.port) as stream:
        whole = message_of(80_000)
        stream.send(client_frame(BINARY, whole[:40_000], fin=False) + client_frame(CONTINUATION, whole[40_000:]))
        frame = stream.read_frame()
        assert (frame.opcode, frame.close_code) == (CLOSE, 1009)
    assert not echo_node.messages


def test_an_endless_row_of_empty_fragments_is_cut_in_time(cast, echo_node):
    server = cast.ringwall(echo_node, settings={"timeouts.message_ms": 700})
    with client.websocket(server.port) as stream, Stopwatch() as watch:
        stream.send_frame(TEXT, b"", fin=False)
        with pytest.raises((OSError, AssertionError)):
            while watch.seconds < 5:
                stream.send(client_frame(CONTINUATION, b"", fin=False))
                if not stream.silent_for(0.02):
                    raise AssertionError("cut")
        assert watch.seconds < 2.5
    assert not echo_node.messages


def test_a_message_that_does_not_finish_is_cut_at_its_timeout(cast, echo_node):
    server = cast.ringwall(echo_node, settings={"timeouts.message_ms": 700})
    with client.websocket(server.port) as stream:
        stream.send_frame(TEXT, message("beginning")[:-1], fin=False)
        with Stopwatch() as watch:
            frame = stream.read_frame()
        assert frame.opcode == CLOSE and frame.close_code in (1002, 1008)
        assert 0.4 < watch.seconds < 2
    assert not echo_node.messages


def test_a_frame_dribbled_slowly_is_cut_at_its_timeout(cast, echo_node):
    server = cast.ringwall(echo_node, settings={"timeouts.message_ms": 700})
    with client.websocket(server.port) as stream, Stopwatch() as watch:
        stream.sock.settimeout(5)
        with pytest.raises((OSError, EOFError, AssertionError)):
            for byte in client_frame(TEXT, message_of(500)):
                stream.send(bytes([byte]))
                assert stream.silent_for(0.02)
        assert watch.seconds < 3
    assert not echo_node.messages


@pytest.mark.parametrize("how", ["message", "body"])
def test_an_upload_that_goes_on_steadily_is_not_cut_at_its_timeout(cast, fake_node, how):
    def node(connection):
        if connection.read_request().get("upgrade"):
            raise AssertionError("not here")
        connection.reply_json({})

    def echo(connection):
        connection.accept_upgrade()
        connection.echo()

    times = {"timeouts.message_ms": 500, "timeouts.body_ms": 500}
    server = cast.ringwall(fake_node(echo if how == "message" else node), settings=times)
    with client.connect(server.port) if how == "body" else client.websocket(server.port) as stream:
        whole = message_of(400_000)
        data = client_frame(BINARY, whole) if how == "message" else post(whole)
        stream.send_slowly(data, 0.1, 20_000)
        if how == "message":
            assert stream.read_message() == (BINARY, whole)
        else:
            assert stream.read_reply().status == 200


def test_messages_one_after_another_have_a_time_each(cast, echo_node):
    server = cast.ringwall(echo_node, settings={"timeouts.message_ms": 1000})
    with client.websocket(server.port) as stream:
        for _ in range(4):
            stream.send_frame(TEXT, message("ab")[:-4], fin=False)
            time.sleep(0.6)
            stream.send_frame(CONTINUATION, message("ab")[-4:])
            assert stream.read_message() == (TEXT, message("ab"))


def test_messages_whose_ends_come_with_the_next_ones_beginning_have_a_time_each(cast, echo_node):
    """Whoever sends without a pause is always in the middle of some message, but of none for long."""
    server = cast.ringwall(echo_node, settings={"timeouts.message_ms": 700})
    frame = client_frame(BINARY, message_of(1000))
    with client.websocket(server.port) as stream, Stopwatch() as watch:
        stream.send(frame[:500])
        while watch.seconds < 2:
            stream.send(frame[500:] + frame[:500])
            assert stream.read_message() == (BINARY, message_of(1000))
            time.sleep(0.02)


def test_an_announced_length_costs_no_memory(cast, echo_node, unsanitized):
    server = cast.ringwall(echo_node, arguments=["--shards", "1"])
    warm = client.websocket(server.port)
    before = server.status_kib("VmRSS")
    streams = [client.websocket(server.port) for _ in range(60)]
    for stream in streams:
        stream.send(header(BINARY, 16 * MIB, masked=True) + b"abcd" + b"x")
    time.sleep(0.5)
    assert server.status_kib("VmRSS") - before < 32 * 1024, "60 clients announced 960 MiB"
    warm.send_frame(TEXT, message("others go on"))
    assert warm.read_message() == (TEXT, message("others go on"))
    for stream in streams:
        stream.close()


SMALL = {
    "limits.message_bytes_max": "1MiB",
    "limits.body_bytes_max": "1MiB",
    "server.assembly_bytes_max": "4MiB",
    "server.assembly_bytes_per_address_max": "1MiB",
    "server.backlog_bytes_max": "8MiB",
}


@pytest.mark.parametrize("how", ["finishes", "leaves"])
def test_who_waits_for_memory_that_its_address_holds_gets_it_when_it_is_free(cast, echo_node, how):
    server = cast.ringwall(echo_node, arguments=["--shards", "1"], settings=SMALL)
    large = client_frame(BINARY, message_of(800_000))
    with client.websocket(server.port) as first, client.websocket(server.port) as second:
        first.send(large[:790_000])
        time.sleep(0.3)
        second.send(large)
        assert second.silent_for(0.5)
        if how == "finishes":
            first.send(large[790_000:])
            assert first.read_message() == (BINARY, message_of(800_000))
        else:
            first.reset()
        assert second.read_message() == (BINARY, message_of(800_000))


def test_two_messages_that_fill_their_addresses_share_by_halves_both_get_through(cast, echo_node):
    settings = {**SMALL, "timeouts.message_ms": 5000}
    server = cast.ringwall(echo_node, arguments=["--shards", "1"], settings=settings)
    large = client_frame(BINARY, message_of(1_000_000))
    with client.websocket(server.port) as first, client.websocket(server.port) as second:
        for stream in (first, second):
            stream.send(large[:500_000])
        time.sleep(0.3)
        for stream in (first, second):
            stream.send(large[500_000:])
        for stream in (first, second):
            assert stream.read_message() == (BINARY, message_of(1_000_000))


def test_many_who_upload_at_once_from_one_address_all_get_through(cast, echo_node):
    """Together they want six times what their address may have: they take turns, and nobody is refused."""
    settings = {**SMALL, "server.assembly_bytes_per_address_max": "2MiB", "server.backlog_bytes_max": "64MiB"}
    server = cast.ringwall(echo_node, arguments=["--shards", "1"], settings=settings)
    large = client_frame(BINARY, message_of(1_000_000))
    streams = [client.websocket(server.port) for _ in range(12)]
    uploads = [threading.Thread(target=stream.send_slowly, args=(large, 0.05, 250_000)) for stream in streams]
    for upload in uploads:
        upload.start()
    for stream in streams:
        assert stream.read_message() == (BINARY, message_of(1_000_000))
    for upload in uploads:
        upload.join()
    for stream in streams:
        stream.close()


def test_the_end_of_an_empty_message_waits_for_memory_too(cast, echo_node):
    server = cast.ringwall(echo_node, arguments=["--shards", "1"], settings=SMALL)
    with client.websocket(server.port) as holder, client.websocket(server.port) as empty:
        large = client_frame(BINARY, message_of(1_000_000))
        holder.send(large[:900_000])
        time.sleep(0.3)
        empty.send_frame(TEXT, b"", fin=False)
        empty.send_frame(CONTINUATION, b"")
        assert empty.silent_for(0.3)
        holder.send(large[900_000:])
        assert holder.read_message() == (BINARY, message_of(1_000_000))
        assert b"-32700" in empty.read_message()[1]  # It is no call, once it is whole.


@pytest.mark.parametrize("how", ["message", "body"])
def test_who_waits_too_long_for_memory_is_told_with_1009_or_413(cast, echo_node, how):
    """A body holds what the message waits for, or a message what the body waits for: each has a time of its own."""
    times = {"timeouts.message_ms": 60_000, "timeouts.body_ms": 60_000, f"timeouts.{how}_ms": 1000}
    server = cast.ringwall(echo_node, arguments=["--shards", "1"], settings={**SMALL, **times})
    held, wanted = call("a", ["x" * 900_000]), call("a", ["x" * 800_000])
    opened = (client.connect, client.websocket) if how == "body" else (client.websocket, client.connect)
    with opened[1](server.port) as holder, opened[0](server.port) as waiter:
        holder.send((client_frame(TEXT, held) if how == "body" else post(held))[:890_000])
        time.sleep(0.3)
        with Stopwatch() as watch:
            waiter.send(post(wanted) if how == "body" else client_frame(TEXT, wanted))
            told = waiter.read_reply() if how == "body" else waiter.read_frame()
        assert 0.8 < watch.seconds < 4
        if how == "body":
            assert (told.status, told.text) == (413, "no memory for this body: try again later\n")
        else:
            assert (told.opcode, told.close_code) == (CLOSE, 1009)
            assert told.close_reason == "no memory for this message: try again later"


@pytest.mark.timeout(90)
def test_memory_for_messages_stays_within_its_bound(cast, echo_node, unsanitized):
    """Forty clients that begin a message of 4 MiB and do not end it, where 16 MiB is the bound."""
    server = cast.ringwall(
        echo_node,
        arguments=["--shards", "1"],
        settings={
            "server.assembly_bytes_max": "16MiB",
            "server.assembly_bytes_per_address_max": "16MiB",
            "server.backlog_bytes_max": "8MiB",
            "timeouts.message_ms": 3000,
        },
    )
    descriptors = server.fd_count()
    with client.websocket(server.port) as small:
        before = server.status_kib("VmRSS")
        streams = []
        for _ in range(40):
            stream = client.websocket(server.port)
            stream.sock.settimeout(0.2)
            try:
                stream.send(client_frame(BINARY, message_of(4 * MIB))[: 3 * MIB])
            except OSError:
                pass
            streams.append(stream)
        assert server.status_kib("VmHWM") - before < (16 + 8 + 16) * 1024
        # A whole message that fits where it arrives needs none of that memory.
        small.send_frame(TEXT, message("small"))
        assert small.read_message() == (TEXT, message("small"))
        for stream in streams:
            stream.close()
    # Who has gone holds nothing: one that was waiting for memory is not read, so its message's time decides.
    until(lambda: server.fd_count() <= descriptors, 10, f"back to {descriptors} descriptors")
    with client.websocket(server.port) as good:
        good.send_frame(BINARY, message_of(MIB))
        assert good.read_message() == (BINARY, message_of(MIB))


def test_the_bound_on_clients_of_a_shard_holds_and_those_within_go_on(cast, echo_node):
    server = cast.ringwall(echo_node, arguments=["--shards", "1"], settings={"server.connections_max": 3})
    streams = [client.websocket(server.port) for _ in range(3)]
    with pytest.raises((OSError, EOFError)):
        client.websocket(server.port, timeout=2).close()
    for stream in streams:
        stream.send_frame(TEXT, message("still"))
        assert stream.read_message() == (TEXT, message("still"))
    streams[0].reset()

    def another():
        try:
            return client.websocket(server.port, timeout=2)
        except (OSError, EOFError):
            return None

    until(another, 3, "a place is free again").close()
    for stream in streams[1:]:
        stream.close()


def test_out_of_descriptors_is_a_state_and_not_the_end(cast, echo_node, unsanitized):
    """With a hard limit of few open files the rest waits or is turned away, and comes in when there is room."""
    server = cast.ringwall(echo_node, arguments=["--shards", "1"], open_files=64)
    streams, failed = [], 0
    for _ in range(60):
        try:
            stream = client.connect(server.port, tls=False)
            streams.append(stream)
        except OSError:
            failed += 1
    time.sleep(0.5)
    cpu = server.cpu_seconds()
    time.sleep(1)
    assert server.cpu_seconds() - cpu < 0.5, "it does not spin at the limit"
    for stream in streams:
        stream.close()

    def works():
        try:
            with client.websocket(server.port) as stream:
                stream.send_frame(TEXT, message("room"))
                return stream.read_message() == (TEXT, message("room"))
        except (OSError, EOFError, AssertionError):
            return False

    until(works, 5, "served again when there is room")


def test_a_request_pipeline_does_not_grow_without_bound(cast, fake_node, unsanitized):
    """A client that sends requests and reads no answers is paused."""
    answer = b"x" * 60_000

    def node(connection):
        while True:
            connection.read_request()
            connection.reply(200, answer)

    server = cast.ringwall(fake_node(node), arguments=["--shards", "1"], settings=SMALL)
    with client.connect(server.port, receive_buffer=8192) as stream:
        stream.sock.settimeout(1)
        before = server.status_kib("VmRSS")
        data, sent = request("GET", "/health") * 100, 0
        try:
            for _ in range(500):
                stream.send(data)
                sent += 100
        except OSError:
            pass
        time.sleep(0.5)
        assert server.status_kib("VmRSS") - before < 32 * 1024
