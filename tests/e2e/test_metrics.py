"""What Prometheus is told: each number against what has really happened."""

import json
import os
import shutil
import subprocess
import threading
import time

from harness import client
from harness.admin import TIMEOUT_S, ask, serve, sum_of
from harness.client import call, post
from harness.debugger import one_thread_stopped
from harness.frames import CLOSE, PING, client_frame
from harness.until import until


def test_promtool_accepts_the_metrics_of_one_that_has_worked(cast, admin, answering):
    assert shutil.which("promtool"), "promtool is missing (Debian: apt-get install prometheus)"
    server = serve(cast, admin, answering, guard=True)
    with client.websocket(server.port) as stream:
        ask(stream, "system_health")
        ask(stream, "author_rotateKeys")
        text = admin.metrics_text()
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=30)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_calls_are_counted_by_method_and_verdict_and_unknown_methods_together(cast, admin, answering):
    server = serve(cast, admin, answering, guard=True)
    with client.websocket(server.port) as stream:
        for id in range(3):
            ask(stream, "system_health", id)
        ask(stream, "author_rotateKeys")
        ask(stream, "nobody_knowsThis")
        ask(stream, "or_this")
        ask(stream, "rpc_methods")
    with client.connect(server.port) as stream:
        stream.send(post(call("chain_getBlockHash")))
        assert stream.read_reply().status == 200
    metrics = admin.metrics()
    calls = {key: value for key, value in metrics.items() if key.startswith("ringwall_calls_total")}
    assert calls == {
        'ringwall_calls_total{method="system_health",verdict="forwarded"}': 3,
        'ringwall_calls_total{method="chain_getBlockHash",verdict="forwarded"}': 1,
        'ringwall_calls_total{method="rpc_methods",verdict="answered"}': 1,
        'ringwall_calls_total{method="author_rotateKeys",verdict="unsafe"}': 1,
        'ringwall_calls_total{method="other",verdict="not_offered"}': 2,
    }
    # Of the four calls that went to the node each was timed once, in the class of its method.
    assert sum_of(metrics, "ringwall_call_duration_seconds_count") == 4
    assert sum_of(metrics, "ringwall_call_duration_seconds_bucket", le=r"+Inf") == 4
    assert "nobody_knowsThis" not in "".join(metrics)


def test_a_limit_that_refuses_is_named(cast, admin, answering):
    limits = {"limits.connection_units_per_s": 1, "limits.connection_units_burst": 10}
    server = serve(cast, admin, answering, guard=True, settings=limits)
    with client.websocket(server.port) as stream:
        answers = [ask(stream, "system_health", id) for id in range(20)]
    refused = sum("error" in answer for answer in answers)
    assert refused > 0
    metrics = admin.metrics()
    assert metrics['ringwall_limit_refusals_total{limit="connection_units"}'] == refused
    assert metrics['ringwall_calls_total{method="system_health",verdict="over_limit"}'] == refused


def test_what_has_not_happened_yet_is_told_as_0(cast, admin, answering):
    serve(cast, admin, answering)
    metrics = admin.metrics()
    for name in (
        'ringwall_tls_handshakes_total{version="1.3",suite="aes_128_gcm",result="full"}',
        'ringwall_tls_handshakes_total{version="",suite="",result="no_shared_cipher"}',
        'ringwall_tls_handshakes_total{version="",suite="",result="client_slow"}',
        'ringwall_connections_refused_total{reason="address"}',
        'ringwall_requests_refused_total{reason="address"}',
        'ringwall_reloads_total{result="refused"}',
        "ringwall_log_lines_dropped_total",
    ):
        assert metrics[name] == 0, name
    # There is no bound, and so nothing to divide by.
    assert sum_of(metrics, "ringwall_upstream_max_places") == 0
    assert not [name for name in metrics if name.startswith("ringwall_upstream_max_places")]


def test_connections_are_counted_from_their_first_state_to_their_end(cast, admin, answering):
    server = serve(cast, admin, answering)
    stream = client.websocket(server.port)
    until(lambda: sum_of(admin.metrics(), "ringwall_connections") == 1, 5, "it is the only one")
    assert sum_of(admin.metrics(), "ringwall_connections", state="relay") == 1
    stream.send_frame(CLOSE, b"\x03\xe8")
    stream.wait_for_end(TIMEOUT_S)
    stream.close()
    until(lambda: sum_of(admin.metrics(), "ringwall_connections") == 0, 5, "no connection is left")
    metrics = admin.metrics()
    assert metrics['ringwall_connections_ended_total{reason="client_closed"}'] == 1
    assert sum_of(metrics, "ringwall_connections_ended_total") == sum_of(metrics, "ringwall_connections_opened_total")


def test_handshakes_are_counted_by_version_suite_and_result(cast, admin, answering):
    server = serve(cast, admin, answering)
    with client.websocket(server.port) as stream:
        assert stream.sock.version() == "TLSv1.3"
    with client.connect(server.port, tls=False) as stream:
        stream.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert stream.read_reply().status == 400
    with client.connect(server.port, tls=False) as stream:
        stream.send(b"\x16\x03")

    def count(**labels):
        return sum_of(admin.metrics(), "ringwall_tls_handshakes_total", **labels)

    assert count(version="1.3", suite="aes_128_gcm", result="full") == 1
    assert count(result="plain_http") == 1
    until(lambda: count(result="client_gone") >= 1, 5, "the third has ended")


def test_bytes_and_messages_are_counted_each_way(cast, admin, answering):
    server = serve(cast, admin, answering)
    with client.websocket(server.port) as stream:
        before = admin.metrics()
        ask(stream, "system_health")
        stream.send(client_frame(PING, b"x" * 100))
        stream.read_frame()
        after = admin.metrics()
    grown = {key: after[key] - before[key] for key in before if "_bytes_total" in key or "messages_total" in key}
    kinds = {kind: grown[f'ringwall_websocket_messages_total{{from="client",kind="{kind}"}}'] for kind in ("data", "ping")}
    assert kinds == {"data": 1, "ping": 1}
    assert grown['ringwall_websocket_messages_total{from="node",kind="data"}'] == 1
    assert grown['ringwall_received_bytes_total{side="client"}'] > len(call("system_health")) + 100
    # The ping was answered here.
    assert 0 < grown['ringwall_sent_bytes_total{side="node"}'] < len(call("system_health")) + 20


def test_descriptors_are_counted_as_the_kernel_counts_them(cast, admin, answering):
    server = serve(cast, admin, answering)
    streams = [client.websocket(server.port) for _ in range(20)]
    told = admin.metrics()["process_open_fds"]
    assert told > 40
    until(lambda: server.fd_count() == told - 1, 5, "all are there but the connection of the one who asked")
    for stream in streams:
        stream.close()


def test_the_loop_was_idle_while_nobody_asked_for_anything(cast, admin, answering):
    serve(cast, admin, answering, settings={"server.shards": 1})
    before = admin.metrics()
    time.sleep(0.5)
    after = admin.metrics()
    grown = {
        part: after[f'ringwall_loop_seconds_total{{shard="0",part="{part}"}}']
        - before[f'ringwall_loop_seconds_total{{shard="0",part="{part}"}}']
        for part in ("handlers", "kernel", "idle")
    }
    assert all(seconds >= 0 for seconds in grown.values())
    assert grown["idle"] > grown["handlers"] + grown["kernel"]


def test_a_certificate_tells_when_it_expires_and_which_file_it_is(cast, admin, authority, answering):
    certificate, key = authority.issue("localhost", kind="ec")
    serve(cast, admin, answering, certificates=[(certificate, key)])
    expiry = admin.metrics()[f'ringwall_tls_certificate_expiry_timestamp_seconds{{file="{certificate}"}}']
    said = subprocess.run(
        ["openssl", "x509", "-noout", "-enddate", "-dateopt", "iso_8601", "-in", certificate],
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, "TZ": "UTC"},
    ).stdout
    assert time.strftime("notAfter=%Y-%m-%d %H:%M:%SZ", time.gmtime(expiry)) == said.strip()


def test_a_node_tells_its_places_and_its_429s(cast, admin):
    full = threading.Event()

    def node(connection):
        if full.is_set():
            connection.read_request()
            return connection.send(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n")
        connection.accept_upgrade()
        connection.read_frame()

    server = serve(cast, admin, cast.fake_node(node), settings={"upstream[0].connections_max": 7})
    with client.websocket(server.port) as stream:
        metrics = admin.metrics()
        assert metrics['ringwall_upstream_places{upstream="node"}'] == 1
        assert metrics['ringwall_upstream_max_places{upstream="node"}'] == 7
        full.set()
        assert client.exchange(server.port, client.upgrade_request()).status == 503
        stream.send_frame(CLOSE, b"\x03\xe8")
    assert admin.metrics()['ringwall_upstream_limit_reached_total{upstream="node"}'] == 1


def test_each_of_several_nodes_tells_how_it_is(cast, admin):
    nodes = [cast.devnode(block_ms=50) for _ in range(2)]
    often = {
        "upstream[0].health_interval_ms": "100ms",
        "upstream[0].health_fall": 1,
        "upstream[0].health_rise": 1,
        "upstream[0].health_lag_blocks_max": "none",  # They do not start at the same time.
    }
    serve(cast, admin, nodes, health=True, settings=often)

    def told(name: str, node) -> float | None:
        return admin.metrics().get(f'ringwall_upstream_{name}{{upstream="node at {node.address}"}}')

    def say(node, peers: int) -> None:
        health = {"peers": peers, "isSyncing": False, "shouldHavePeers": True}
        reply = client.exchange(
            node.port, post(call("dev_setHealth", [health]), host=f"localhost:{node.port}"), tls=False
        )
        assert "result" in json.loads(reply.body)

    for node, peers in zip(nodes, (7, 0)):
        say(node, peers)
    until(lambda: [told("healthy", node) for node in nodes] == [1, 0], TIMEOUT_S, "one of them has no peers")
    until(lambda: [told("peers", node) for node in nodes] == [7, 0], TIMEOUT_S, "both were asked since")
    for node in nodes:
        best = told("best_block", node)
        until(lambda: told("best_block", node) > best, TIMEOUT_S, "its chain grows")
        assert told("finalized_block", node) <= told("best_block", node)
        assert told("lag_blocks", node) is not None
        assert told("ejected", node) == 0
    assert admin.ask("/ready").status == 200
    say(nodes[0], 0)
    until(lambda: admin.ask("/ready").status == 503, TIMEOUT_S, "none is left")
    assert admin.ask("/ready").text == "no healthy node: node\n"
    assert admin.ask("/health").status == 200


def test_a_shard_that_is_stopped_is_told_and_the_others_are_not_held_up(cast, admin, answering):
    server = serve(cast, admin, answering, settings={"server.shards": 2})
    assert admin.ask("/health").status == 200
    with one_thread_stopped(server.pid, "shard-1"):
        reply = admin.ask("/health")
        assert (reply.status, reply.text) == (503, "no answer of shard 1\n")
        for _ in range(3):  # It is not asked again, and what it said last is told.
            metrics = admin.metrics()
            assert metrics['ringwall_shard_up{shard="0"}'] == 1
            assert metrics['ringwall_shard_up{shard="1"}'] == 0
            assert 'ringwall_loop_turns_total{shard="1"}' in metrics
        assert admin.ask("/ready").status == 503
    until(lambda: admin.ask("/health").status == 200, 10, "it answers again")
    assert sum_of(admin.metrics(), "ringwall_shard_up") == 2


def test_a_dead_chain_does_not_take_the_ready_state_of_another(cast, admin):
    one, two = cast.devnode(), cast.devnode()
    config = f"""
[[listener]]
address = "127.0.0.1:{{port}}"
kind = "plain"
upstream = "one"
[[listener]]
address = "127.0.0.1:{{port2}}"
kind = "plain"
upstream = "two"
[[upstream]]
name = "one"
address = "{one.address}"
health_interval_ms = 100
health_fall = 1
[[upstream]]
name = "two"
address = "{two.address}"
health_interval_ms = 100
health_fall = 1
"""
    serve(cast, admin, None, tls=False, ports=2, health=True, config=config)

    def ready(query=""):
        reply = admin.ask(f"/ready{query}")
        return reply.status, reply.text

    until(lambda: ready() == (200, "ready\n"), TIMEOUT_S, "both are well")
    two.kill()
    until(lambda: ready() == (200, "ready, but no healthy node: two\n"), TIMEOUT_S, "the other one is still served")
    assert ready("?upstream=one") == (200, "ready\n")
    assert ready("?upstream=two") == (503, "no healthy node: two\n")
    assert ready("?upstream=three") == (404, "there is no such upstream, but one, two\n")
    assert admin.ctl("ready", "one") == "ready\n"
    assert "no healthy node: two" in admin.ctl("ready", "two", expect=1)
    one.kill()
    until(lambda: ready() == (503, "no healthy node: one, two\n"), TIMEOUT_S, "none is left")
