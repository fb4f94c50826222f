"""What the running binary tells on standard error: every line well-formed, nothing secret in it, and nobody kept waiting."""

import fcntl
import json
import os
import re
import signal
import subprocess
import threading

import pytest

from harness import client
from harness.client import call, exchange, page_request, post, request
from harness.frames import CLOSE, close_payload
from harness.guard import DENIED, Talk
from harness.ports import free_port
from harness.programs import program
from harness.until import PATIENCE, until

TEXT_LINE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (debug|info|warning|error) \S")


def json_lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def of_event(text: str, event: str) -> list[dict]:
    return [line for line in json_lines(text) if line["event"] == event]


@pytest.fixture
def node(cast):
    return cast.recording_node()


def started(cast, node, settings: dict = {}, **options):
    settings = {"log.format": "json", "log.denials_per_s": 1000, "log.sessions_per_s": 1000, **settings}
    return cast.ringwall(node, guard=True, arguments=["--shards", "1"], settings=settings, **options)


def test_an_ended_websocket_is_one_line_that_says_who_why_where_and_how_much(cast, node):
    server = started(cast, node)
    with Talk(server, source="127.0.0.9") as talk:
        assert talk.result("system_chain") is not None
        assert talk.code("author_rotateKeys") == DENIED
        assert talk.code("moon_x") == DENIED
        talk.send("chain_subscribeNewHeads")
        talk.read()
        talk.stream.send_frame(CLOSE, close_payload(1000))
        talk.stream.wait_for_end(3)
    line = until(lambda: of_event(server.log, "session_ended"), 5, "the end of the session is told")[0]
    assert {name: line[name] for name in ("client", "upstream", "by", "reason", "state", "level")} == {
        "client": "127.0.0.9",
        "upstream": "node",
        "by": "client",
        "reason": "client_closed",
        "state": "relay",
        "level": "info",
    }
    assert line["listener"] == f"127.0.0.1:{server.port}"
    assert (line["calls"], line["denied"], line["limited"], line["subscriptions"]) == (2, 2, 0, 1)
    assert line["tls"] == "1.3" and line["suite"] == "aes_128_gcm" and line["resumed"] is False
    assert line["received_bytes"] > 200 and line["sent_bytes"] > 200 and 0 <= line["age_s"] < 60 * PATIENCE
    denied = of_event(server.log, "call_denied")
    assert [(one["reason"], one["method"], one["client"]) for one in denied] == [
        ("unsafe", "author_rotateKeys", "127.0.0.9"),
        ("not_offered", "moon_x", "127.0.0.9"),
    ]


def test_what_is_told_of_a_session_has_the_same_names_and_values_while_it_lasts_and_in_the_log(cast, node, admin):
    server = started(cast, node, admin.settings)
    with Talk(server) as talk:
        talk.result("system_chain")
        talk.code("author_rotateKeys")
        (row,) = admin.sessions()["sessions"]
    line = until(lambda: of_event(server.log, "session_ended"), 5, "the end of the session is told")[0]
    assert row.keys() - line.keys() == {"calls_in_flight", "subscriptions_open"}
    assert line.keys() - row.keys() == {"time", "level", "event", "message", "by", "reason"}
    grow = {"age_s", "received_bytes", "sent_bytes"}
    assert all(line[name] == row[name] for name in row.keys() & line.keys() - grow)
    assert all(line[name] >= row[name] for name in grow)
    assert row["received_bytes"] > 200 and row["sent_bytes"] > 200


def test_the_totals_are_numbers_by_name(cast, node):
    server = started(cast, node, {"limits.connection_units_per_s": 1, "limits.connection_units_burst": 4})
    with Talk(server) as talk:
        talk.code("moon_x")
        for _ in range(6):
            talk.ask("system_chain")
        talk.stream.send_frame(CLOSE, close_payload(1000))
        talk.stream.wait_for_end(3)
    server.stop()
    (sessions,), (guard,), (unknown,) = (
        of_event(server.log, event) for event in ("stopped", "guard_totals", "not_offered_totals")
    )
    assert (sessions["sessions"], sessions["ended_client_closed"]) == (1, 1)
    assert guard["messages"] == 7 and guard["calls"] >= 1 and guard["not_offered"] == 1 and guard["refused_connection_units"] >= 1
    numbers = {name: value for name, value in guard.items() if name not in ("time", "level", "event", "message")}
    assert all(type(value) is int for value in numbers.values())
    assert (unknown["methods"], unknown["calls"]) == (1, 1) and "moon_x 1 time" in unknown["message"]


def test_a_change_of_a_node_is_told_with_its_name_and_state(cast):
    node = cast.devnode(block_ms=50)
    dead = f"127.0.0.1:{free_port()}"
    config = f"""
        [log]
        format = "json"
        [[listener]]
        address = "127.0.0.1:{{port}}"
        kind = "plain"
        [[upstream]]
        addresses = ["{dead}", "{node.address}"]
        health_interval_ms = "100ms"
    """
    server = cast.ringwall(config=config, tls=False, health=True)
    until(lambda: len(of_event(server.log, "node_health")) >= 2, 5, "both are judged")
    told = {line["upstream"]: (line.get("state"), line["level"]) for line in of_event(server.log, "node_health")}
    assert told[f"node at {dead}"] == ("failing", "warning")
    assert told[f"node at {node.address}"] == ("up", "info")


def test_a_limit_is_told_with_its_name_and_counted_apart(cast, node):
    settings = {"limits.connection_units_per_s": 1, "limits.connection_units_burst": 3}
    server = started(cast, node, settings, tls=False)
    with Talk(server) as talk:
        answers = [talk.ask("system_chain") for _ in range(6)]
    refused = sum("error" in answer for answer in answers)
    assert refused >= 2
    line = until(lambda: of_event(server.log, "session_ended"), 5, "the end of the session is told")[0]
    assert (line["calls"], line["denied"], line["limited"]) == (6 - refused, 0, refused)
    assert "tls" not in line
    denied = of_event(server.log, "call_denied")
    assert {(one["reason"], one["method"]) for one in denied} == {("connection_units", "system_chain")}


@pytest.mark.parametrize("way", ["node_gone", "node_unreachable", "tls_failed", "client_refused"])
def test_who_ended_it_and_why(cast, fake_node, way):
    def script(connection):
        connection.accept_upgrade()
        connection.close()

    server = started(cast, None if way == "node_unreachable" else fake_node(script))
    if way == "node_gone":
        with client.websocket(server.port) as stream:
            stream.wait_for_end(3)
    elif way == "node_unreachable":
        assert exchange(server.port, post(call("system_chain"))).status == 502
    elif way == "client_refused":
        assert exchange(server.port, b"NONSENSE\r\n\r\n").status == 400
    else:
        with client.connect(server.port, tls=False) as stream:
            stream.send(b"\x16\x03\x01\x00\x05hello")
            stream.wait_for_end(3)
    line = until(lambda: [one for one in of_event(server.log, "session_ended") if one["reason"] == way], 5, way)[0]
    by, state = {
        "node_gone": ("node", "relay"),
        "node_unreachable": ("ringwall", "connecting"),
        "tls_failed": ("ringwall", "handshake"),
        "client_refused": ("ringwall", "head"),
    }[way]
    assert (line["by"], line["state"]) == (by, state)
    assert ("tls_failure" in line) == (way == "tls_failed")
    if way == "node_unreachable":
        assert of_event(server.log, "node_unreachable")[0]["level"] == "warning"


@pytest.mark.parametrize("format", ["text", "json"])
def test_nothing_secret_is_told_and_every_line_is_well_formed(cast, node, format):
    marks = [f"mark{number}secret" for number in range(9)]
    secrets = [
        ("Authorization", f"Bearer {marks[0]}"),
        ("Cookie", f"session={marks[1]}"),
        ("X-Api-Key", marks[2]),
        ("Sec-WebSocket-Protocol", marks[3]),
        ("Origin", f"https://{marks[4]}"),
    ]
    path = f"/{marks[5]}?token={marks[6]}"
    server = started(cast, node, {"log.format": format, "log.level": "debug"})
    for method in ("system_chain", "author_rotateKeys"):
        exchange(server.port, post(call(method, [marks[7]]), secrets, path))
    exchange(server.port, post(b'{"jsonrpc": "' + marks[8].encode(), secrets, path))
    for broken in (b"GET " + path.encode() + b" HTTP/3\r\n\r\n", request("DELETE", path, secrets)):
        exchange(server.port, broken)
    with client.connect(server.port) as stream:
        stream.send(client.upgrade_request(path, fields=secrets))
        stream.read_reply()
        stream.send_frame(1, call("author_rotateKeys", [marks[7]], marks[8]))
        stream.send_frame(1, marks[8].encode())
        stream.silent_for(0.3)
    until(lambda: re.search('state"?[=:]"?relay', server.log), 5, "the end of the WebSocket is told")
    server.stop()
    assert server.log.count("author_rotateKeys") >= 2, "denied calls are told by name"
    assert not [mark for mark in marks if mark in server.log]
    lines = server.log.partition("calls a batch")[2].splitlines()[1:]
    told = [line for line in lines if not line.startswith(" ")]
    assert len(told) > 6
    if format == "json":
        assert all({"time", "level", "event", "message"} <= json.loads(line).keys() for line in told)
    else:
        assert all(TEXT_LINE.match(line) for line in told), told


def test_what_a_client_says_can_neither_forge_a_line_nor_steer_a_terminal(cast, node):
    server = started(cast, node, {"log.format": "text"})
    evil = "x\n2026-01-01T00:00:00.000Z error forged\r\x1b[2J\x9b\u202e=\" reason=none"
    with Talk(server) as talk:
        talk.send_text(json.dumps({"jsonrpc": "2.0", "id": 1, "method": evil}, ensure_ascii=False).encode())
        assert talk.read()["error"]["code"] == DENIED
    line = server.wait_for_log("call denied")
    assert line.endswith(
        r'reason=not_offered method="x\n2026-01-01T00:00:00.000Z error forged\r\x1b[2J\u{9b}\u{202e}=\" reason=none"'
    ), line
    assert not any(line.startswith("2026-01-01") for line in server.log.splitlines())
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\x9b\u202e]", server.log)


def test_a_wave_of_clients_is_counted_where_it_is_not_told_line_by_line(cast, node):
    server = started(cast, node, {"log.sessions_per_s": 5}, tls=False)
    for _ in range(60):
        assert exchange(server.port, page_request([("Connection", "close")]), tls=False).status == 200
    server.stop()
    lines = [line for line in json_lines(server.log) if line["event"] in ("session_ended", "lines_left_out")]
    told = [line for line in lines if line["event"] == "session_ended"]
    assert len(told) + sum(line.get("left_out", 0) for line in lines) == 60
    assert len(told) < 60


def test_of_a_higher_level_less_is_told(cast, node):
    server = started(cast, node, {"log.level": "error"}, tls=False)
    exchange(server.port, page_request([("Connection", "close")]), tls=False)
    server.stop()
    assert json_lines(server.log) == []


class OnPipe:
    """ringwall whose standard error is a pipe of 4,096 bytes that is read when the test says so, or a file."""

    def __init__(self, folder, node, settings=(), stderr=None, env=None):
        self.port = free_port()
        argv = [program("ringwall"), "--listen", f"127.0.0.1:{self.port}", "--node", node.address, "--plain"]
        argv += ["--shards", "1", "--limits", "off", "--set", f"server.state_dir={folder}"]
        for setting in settings:
            argv += ["--set", setting]
        self.read_end, write_end = os.pipe()
        fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, 4096)
        self.process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr or write_end,
            start_new_session=True,
            env={**os.environ, **(env or {})},
        )
        os.close(write_end)
        for line in self.process.stdout:
            if b"  limits" in line:
                break

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(10)
        self.process.stdout.close()
        os.close(self.read_end)

    def serve_pages(self, count):
        for _ in range(count):
            reply = exchange(self.port, page_request([("Connection", "close")]), tls=False)
            assert reply.status == 200

    def read_all(self) -> str:
        chunks = []
        while chunk := os.read(self.read_end, 65536):
            chunks.append(chunk)
        return b"".join(chunks).decode()


def test_clients_are_served_while_nobody_reads_the_log_and_what_was_dropped_is_told(tmp_path, node, admin):
    clients = 800  # some 200 bytes each: a pipe and a lane take far less
    address = f"admin.address=127.0.0.1:{admin.port}"
    with OnPipe(tmp_path, node, ["log.sessions_per_s=10000", "log.format=json", address]) as server:
        server.serve_pages(clients)
        counted = admin.metrics()["ringwall_log_lines_dropped_total"]
        text = []
        reader = threading.Thread(target=lambda: text.append(server.read_all()))
        reader.start()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10 * PATIENCE) == 0
        reader.join(10)
    lines = json_lines(text[0])
    told = sum(line["event"] == "session_ended" for line in lines)
    dropped = sum(line["lines"] for line in lines if line["event"] == "log_dropped")
    assert told < clients and 0 < counted <= dropped
    assert told + dropped == clients


def test_it_stops_though_nobody_reads_the_log(tmp_path, node):
    with OnPipe(tmp_path, node, ["log.sessions_per_s=10000"]) as server:
        server.serve_pages(400)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10 * PATIENCE) == 0


@pytest.mark.parametrize("format", ["text", "json"])
def test_lines_for_the_journal_have_their_severity_in_front(tmp_path, node, format):
    file = tmp_path / "journal"
    with open(file, "wb") as stderr:
        status = os.fstat(stderr.fileno())
        env = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        with OnPipe(tmp_path, node, [f"log.format={format}"], stderr, env) as server:
            server.serve_pages(1)
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(10 * PATIENCE) == 0
    lines = file.read_text().splitlines()
    assert len(lines) >= 4 and all(re.match(r"<[3-7]>", line) for line in lines), lines
    assert [line for line in lines if line.startswith("<6>") and "session ended" in line]
    if format == "json":
        assert [json.loads(line[3:]) for line in lines]
    else:
        assert "<6>stopping: SIGTERM received, at most 12000 ms" in lines


def test_a_mistake_that_ends_the_start_has_its_severity_in_the_journal(tmp_path):
    (tmp_path / "ringwall.toml").write_text("nonsense = 1\n")
    with open(tmp_path / "journal", "wb") as stderr:
        status = os.fstat(stderr.fileno())
        env = {**os.environ, "JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        command = [program("ringwall"), "--config", str(tmp_path / "ringwall.toml")]
        assert subprocess.run(command, stderr=stderr, env=env, timeout=20 * PATIENCE).returncode == 1
    lines = (tmp_path / "journal").read_text().splitlines()
    assert lines and all(line.startswith("<3>") for line in lines) and "nonsense" in lines[0]
