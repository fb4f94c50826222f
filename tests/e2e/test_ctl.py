"""The command line for what runs: ringwall ctl and ringwall top."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios

from harness import client, programs
from harness.admin import TIMEOUT_S, ask, serve
from harness.ports import free_port
from harness.reload import rewrite
from harness.until import until


def test_ctl_says_what_is_wrong_and_ends_with_1(cast, admin, answering, tmp_path):
    serve(cast, admin, answering)
    assert "expected an address or a range" in admin.ctl("ban", "example.com", expect=1)
    assert "expected no range wider" in admin.ctl("ban", "0.0.0.0/0", expect=1)
    assert "expected debug, info, warning or error" in admin.ctl("log-level", "loud", expect=1)
    nobody = programs.run_ringwall("ctl", "--at", tmp_path / "none.sock", "health")
    assert nobody.returncode == 1 and "no Ringwall can be asked here" in nobody.stderr
    assert programs.run_ringwall("ctl", "dance").returncode == 2


def test_ctl_shows_what_http_does(cast, admin, answering):
    server = serve(cast, admin, answering)
    with client.websocket(server.port):
        assert json.loads(admin.ctl("status"))["connections"] == 1
        assert json.loads(admin.ctl("sessions", "--limit", "5"))["matched"] == 1
        assert len(json.loads(admin.ctl("top", "--by", "bytes"))["top"]) == 1
    assert admin.ctl("metrics").startswith("# HELP ringwall_build_info")
    assert admin.ctl("health") == "healthy\n"
    assert admin.ctl("log-level", "debug") == "log level: debug\n"
    at_http = programs.run_ringwall("ctl", "--at", f"127.0.0.1:{admin.port}", "ready")
    assert (at_http.returncode, at_http.stdout) == (0, "ready\n")
    admin.ctl("drain")
    assert server.wait(TIMEOUT_S) == 0


def test_ctl_reload_takes_a_good_file_and_tells_every_mistake_of_a_bad_one(cast, admin, answering):
    def text(sections):
        return f'''{sections}
[admin]
address = "127.0.0.1:{admin.port}"
socket = "{admin.socket}"
[[listener]]
address = "127.0.0.1:{{port}}"
kind = "plain"
[[upstream]]
address = "{answering.address}"
'''

    def reloads():
        metrics = admin.metrics()
        return tuple(metrics[f'ringwall_reloads_total{{result="{result}"}}'] for result in ("ok", "refused"))

    server = cast.ringwall(config=text(""), tls=False)
    assert reloads() == (0, 0)
    rewrite(server, text('[log]\nlevel = "debug"\n'))
    assert 'log.level: "info" -> "debug"' in admin.ctl("reload")
    assert admin.ctl("reload") == "reloaded: nothing has changed\n"
    rewrite(server, text('[limits]\naddress_units_per_s = "many"\n[methods]\nallowed = []\n'))
    told = admin.ctl("reload", expect=1)
    assert "ringwall.toml:2: limits.address_units_per_s" in told and "methods.allowed" in told
    assert "reload refused, nothing has changed: 2 mistakes" in told
    assert reloads() == (2, 1)


def test_top_prints_one_screen_as_plain_text(cast, admin, answering):
    server = serve(cast, admin, answering, settings={"server.shards": 2})
    with client.websocket(server.port) as stream:
        ask(stream, "system_health")
        shown = programs.run_ringwall("top", "--once", "--at", admin.socket)
    assert shown.returncode == 0, shown.stderr
    assert "\x1b" not in shown.stdout
    assert "1 open, 1 of them WebSockets" in shown.stdout
    assert re.search(r"^node +unknown +1( of \d+)?$", shown.stdout, re.MULTILINE)
    assert re.search(r"^127\.0\.0\.1 +1 ", shown.stdout, re.MULTILINE)


class TopInTerminal:
    """`ringwall top` in a terminal of its own; what it writes is read as it comes."""

    def __init__(self, at, rows: int = 24, columns: int = 80, **environment):
        self.parent, self.child = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.child)
        self.shown = b""
        self.process = subprocess.Popen(
            [programs.program("ringwall"), "top", "--at", str(at)],
            stdin=self.child,
            stdout=self.child,
            stderr=self.child,
            env={**os.environ, "TERM": "xterm", **environment},
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.parent)
        os.close(self.child)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.child, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self) -> None:
        if select.select([self.parent], [], [], 0.1)[0]:
            self.shown += os.read(self.parent, 65536)

    def screens(self) -> list[str]:
        """Those that are whole, without what gives them their place; colours stay."""
        self.read()
        drawn = self.shown.decode(errors="replace").split("\x1b[H")[1:]
        return [one.partition("\x1b[J")[0].replace("\x1b[K", "") for one in drawn if "\x1b[J" in one]

    def wait_for(self, text: str, new: bool = False) -> str:
        """The first screen with this in it; `new`: of those that are still to come."""
        start = len(self.screens()) if new else 0
        return until(
            lambda: next((screen for screen in self.screens()[start:] if text in screen), None),
            15,
            f"the screen tells {text!r}",
        )

    def press(self, key: bytes) -> None:
        os.write(self.parent, key)


def plain(screen: str) -> list[str]:
    return re.sub("\x1b\\[[0-9;]*m", "", screen).split("\r\n")


def test_top_in_a_terminal_shows_a_screen_a_second_until_q_and_leaves_it_as_it_was(cast, admin, answering):
    serve(cast, admin, answering)
    with TopInTerminal(admin.socket, rows=12, columns=60) as top:
        until(lambda: len(top.screens()) >= 2, 15, "a second one follows")
        top.press(b"q")
        assert top.process.wait(TIMEOUT_S) == 0
        until(lambda: top.read() or top.shown.endswith(b"\x1b[?25h\x1b[?1049l"), 5, "the terminal is as it was")
        assert termios.tcgetattr(top.child) == top.before
        for screen in top.screens():
            lines = plain(screen)
            assert len(lines) <= 12 and max(map(len, lines)) < 60


def test_top_is_drawn_anew_for_another_size(cast, admin, answering):
    serve(cast, admin, answering)
    with TopInTerminal(admin.socket, rows=24, columns=120) as top:
        assert "assembly" in top.wait_for("shard")
        top.resize(10, 40)
        top.process.send_signal(signal.SIGWINCH)
        lines = plain(until(lambda: top.screens()[-1] if "assembly" not in top.screens()[-1] else None, 15, "it is smaller"))
        assert len(lines) <= 10 and max(map(len, lines)) < 40
        assert any(line.startswith("node") for line in lines)


def test_top_shows_a_node_that_fails_and_is_not_ready(cast, admin, answering):
    dead = f"127.0.0.1:{free_port()}"
    config = f"""
        [admin]
        socket = "{admin.socket}"
        [[listener]]
        address = "127.0.0.1:{{port}}"
        kind = "plain"
        [[upstream]]
        addresses = ["{dead}"]
        health_interval_ms = "100ms"
    """
    cast.ringwall(config=config, tls=False, health=True)
    with TopInTerminal(admin.socket, rows=24, columns=120) as top:
        screen = top.wait_for("failing")
        assert "NOT READY" in screen and "no healthy node: node" in screen and "the node takes no connection" in screen
        assert "\x1b[1;31mnode" in screen
    with TopInTerminal(admin.socket, NO_COLOR="1") as top:
        assert "\x1b[1;31m" not in top.wait_for("failing")
    once = programs.run_ringwall("top", "--once", "--at", admin.socket)
    assert once.returncode == 0 and "\x1b" not in once.stdout and "not ready: no healthy node: node" in once.stdout


def test_top_waits_for_a_ringwall_that_went_away_and_goes_on_when_it_is_back(cast, admin, answering):
    server = serve(cast, admin, answering)
    with TopInTerminal(admin.socket, columns=200) as top:
        top.wait_for("0 open")
        server.stop()
        old = top.wait_for("NO ANSWER")
        assert "no Ringwall can be asked here" in old and "connections  0 open" in old
        serve(cast, admin, answering, settings={"server.shards": 2})
        new = until(lambda: top.screens()[-1] if "NO ANSWER" not in top.screens()[-1] else None, 15, "it is back")
        assert top.process.poll() is None and "ready" in new
        top.press(b"b")
        top.wait_for("[bytes]", new=True)


def test_top_says_at_once_where_there_is_none(tmp_path):
    with TopInTerminal(tmp_path / "none.sock") as top:
        assert top.process.wait(TIMEOUT_S) == 1
        until(lambda: top.read() or b"no Ringwall can be asked here" in top.shown, 5, "it says why")
        assert b"\x1b[?1049h" not in top.shown


def test_top_gives_the_terminal_back_while_it_is_suspended(cast, admin, answering):
    serve(cast, admin, answering)
    with TopInTerminal(admin.socket) as top:
        top.wait_for("0 open")
        top.process.send_signal(signal.SIGTSTP)
        until(lambda: os.waitid(os.P_PID, top.process.pid, os.WSTOPPED | os.WNOHANG), 5, "it is suspended")
        until(lambda: top.read() or top.shown.endswith(b"\x1b[?1049l"), 5, "the terminal is given back")
        assert termios.tcgetattr(top.child) == top.before
        top.process.send_signal(signal.SIGCONT)
        top.wait_for("0 open", new=True)


def test_top_ends_in_order_at_a_signal(cast, admin, answering):
    serve(cast, admin, answering)
    with TopInTerminal(admin.socket) as top:
        top.wait_for("0 open")
        top.process.send_signal(signal.SIGINT)
        assert top.process.wait(TIMEOUT_S) == 0


def test_top_on_a_terminal_that_can_do_nothing_is_printed_once(cast, admin, answering):
    serve(cast, admin, answering)
    with TopInTerminal(admin.socket, TERM="dumb") as top:
        assert top.process.wait(TIMEOUT_S) == 0
        until(lambda: top.read() or b"0 open" in top.shown, 5, "it is printed")
        assert b"\x1b" not in top.shown
