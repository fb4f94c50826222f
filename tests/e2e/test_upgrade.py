"""SIGUSR2: a new process takes over. Nobody is refused, and WebSockets go between frames, after their answers."""

import shutil
import signal
import socket
import ssl
import threading
import time

import pytest

from harness import client
from harness.client import call, page_request, tls_context
from harness.debugger import held_at
from harness.frames import CLOSE, TEXT
from harness.until import until

LONG = "x" * 100_000
CONFIG = """
[server]
shards = %d
[[listener]]
address = "127.0.0.1:{port}"
kind = "plain"
[[listener]]
address = "127.0.0.1:{port2}"
self_signed = ["localhost"]
[[upstream]]
address = "%s"
"""


def with_shards(cast, node, shards, **options):
    return cast.ringwall(config=CONFIG % (shards, node.address), ports=2, **options)


def change_shards(server, before, after):
    text = server.config_file.read_text()
    assert f"shards = {before}\n" in text
    server.config_file.write_text(text.replace(f"shards = {before}\n", f"shards = {after}\n"))


class Visitors:
    """Threads that connect, ask for a page and leave, again and again. Whatever is not a whole answer is a failure."""

    def __init__(self, ports, threads=6):
        self.visits = 0
        self.failures = []
        self._stopping = False
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._run, args=(ports[number % len(ports)], number % len(ports) == 1))
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def _run(self, port, tls):
        while not self._stopping:
            try:
                status = client.exchange(port, page_request([("Connection", "close")]), tls=tls).status
                problem = None if status == 200 else f"status {status}"
            except (OSError, EOFError) as error:
                problem = repr(error)
            with self._lock:
                self.visits += 1
                if problem:
                    self.failures.append((port, problem))

    def wait_for(self, more, seconds=30):
        goal = self.visits + more
        until(lambda: self.visits >= goal, seconds, f"{more} more visits")

    def leave(self):
        self._stopping = True
        for thread in self._threads:
            thread.join(20)


@pytest.mark.parametrize("before, after", [(2, 2), (1, 4), (4, 1)])
def test_nobody_is_refused_whatever_the_number_of_shards(cast, node, before, after):
    server = with_shards(cast, node, before)
    visitors = Visitors(server.ports)
    try:
        visitors.wait_for(400)
        change_shards(server, before, after)
        successor = cast.add(server.upgrade())
        assert server.wait(10) == 0
        visitors.wait_for(400)
        assert f"is serving with {after} shard" in server.log
        again = cast.add(server.upgrade(successor))
        assert successor.wait(10) == 0
        visitors.wait_for(400)
    finally:
        visitors.leave()
    assert visitors.failures == []
    assert visitors.visits >= 1200
    assert again.pid != successor.pid


def test_nobody_is_refused_by_upgrades_without_a_pause_between_them(cast, node):
    """The next one is asked for while the old process drains, or has not yet let go of its sockets."""
    server = with_shards(cast, node, 2)
    latest = None
    for _ in range(4):
        visitors = Visitors(server.ports, threads=24)
        try:
            visitors.wait_for(100)
            latest = cast.add(server.upgrade(latest))
        finally:
            visitors.leave()
        assert visitors.failures == []


@pytest.mark.skipif(not shutil.which("gdb"), reason="needs gdb")
def test_who_comes_while_the_old_process_ends_its_accept_is_served_though_nobody_comes_after(cast, node):
    """Of two processes at one socket the kernel wakes the one that has waited longer, which does not take this client:
    it has just decided to stop. Nobody else's coming wakes the new one."""
    server = with_shards(cast, node, 1)
    with held_at(server.pid, "ringwall::shard::Acceptor::stop", cast.folder) as held:
        server.send_signal(signal.SIGUSR2)
        held.wait()
        lone = client.connect(server.port, tls=False)
        lone.send(page_request())
        time.sleep(0.2)  # The kernel has woken somebody.
    with lone:
        assert lone.read_reply().status == 200
    cast.add(server.successor())
    assert server.wait(10) == 0


def test_websockets_are_closed_by_the_old_process_after_their_answers(cast, fake_node):
    node = fake_node(lambda connection: connection.answer_messages(3))
    server = with_shards(cast, node, 2, settings={"timeouts.drain_ms": 1000})
    streams = [client.websocket(server.ports[1]) for _ in range(20)]
    for stream in streams:
        stream.send_frame(TEXT, call("state_call", [LONG]))
    cast.add(server.upgrade())
    assert server.running
    with client.websocket(server.ports[1]) as new:
        for stream in streams:
            assert LONG.encode() in stream.read_message()[1]
            frame = stream.read_frame()
            assert (frame.opcode, frame.close_code) == (CLOSE, 1001)
            stream.send_frame(CLOSE, frame.payload)
            assert stream.wait_for_end(3) == "eof"
            stream.close()
        assert server.wait(10) == 0
        new.send_frame(TEXT, call("state_call", [LONG]))
        assert LONG.encode() in new.read_message()[1]


def test_clients_that_never_stop_asking_are_closed_between_frames(cast, fake_node):
    node = fake_node(lambda connection: connection.answer_messages())
    server = with_shards(cast, node, 2, settings={"timeouts.drain_ms": 2000})
    ends = []

    def ask(stream):
        while True:
            try:
                stream.send_frame(TEXT, call("state_call", ["x" * 1000]))
            except OSError:
                pass  # it has closed: what it said before is read below
            frame = stream.read_frame()
            if frame.opcode == CLOSE:
                return ends.append(frame.close_code)
            assert frame.payload.count(b"x" * 1000) == 1 and b'"result"' in frame.payload

    streams = [client.websocket(server.ports[1]) for _ in range(20)]
    threads = [threading.Thread(target=ask, args=(stream,)) for stream in streams]
    for thread in threads:
        thread.start()
    cast.add(server.upgrade())
    for thread in threads:
        thread.join(20)
    assert server.wait(10) == 0
    assert ends == [1001] * 20
    for stream in streams:
        stream.close()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_resumed_by_the_new_process(cast, node, version):
    server = with_shards(cast, node, 1)
    context = tls_context(version=version)
    with client.connect(server.ports[1], context=context) as stream:
        stream.send(page_request())
        assert stream.read_reply().status == 200
        session = stream.sock.session
    cast.add(server.upgrade())
    with client.connect(server.ports[1], context=context, session=session) as stream:
        stream.send(page_request())
        assert stream.read_reply().status == 200
        assert stream.sock.session_reused


def test_a_new_process_that_fails_with_more_shards_takes_nobody_with_it(cast, node):
    """It has bound sockets of its own by then. Did they listen, the kernel would give them half of the clients."""
    server = with_shards(cast, node, 1)
    right = server.config_file.read_text()
    visitors = Visitors(server.ports, threads=12)
    try:
        visitors.wait_for(100)
        more = right.replace("shards = 1\n", "shards = 4\n")
        server.config_file.write_text(more + '[admin]\nsocket = "/proc/nowhere/admin.sock"\n')
        for number in range(1, 6):
            server.send_signal(signal.SIGUSR2)
            until(lambda: server.log.count("this one goes on") == number, 30, "it says that it goes on")
        visitors.wait_for(100)
        server.config_file.write_text(more)
        cast.add(server.upgrade())
        visitors.wait_for(100)
    finally:
        visitors.leave()
    assert "admin.sock" in server.log
    assert visitors.failures == []


def test_a_new_process_that_does_not_start_changes_nothing(cast, fake_node):
    server = with_shards(cast, fake_node(lambda connection: connection.answer_messages()), 2)
    right = server.config_file.read_text()
    visitors = Visitors(server.ports)
    try:
        with client.websocket(server.port, tls=False) as stream, socket.create_server(("127.0.0.1", 0)) as other:
            taken = f'[[listener]]\naddress = "127.0.0.1:{other.getsockname()[1]}"\nkind = "plain"\n'
            for number, wrong in enumerate([right.replace("shards = 2", "shards = many"), right + taken], start=1):
                server.config_file.write_text(wrong)
                server.send_signal(signal.SIGUSR2)
                until(lambda: server.log.count("this one goes on") == number, 30, "it says that it goes on")
            visitors.wait_for(300)
            stream.send_frame(TEXT, call("state_call", ["still here"]))
            assert b"still here" in stream.read_message()[1]
            server.config_file.write_text(right)
            cast.add(server.upgrade())
            assert stream.read_frame().close_code == 1001
        assert server.wait(10) == 0
        visitors.wait_for(300)
    finally:
        visitors.leave()
    assert visitors.failures == []
