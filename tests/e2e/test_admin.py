"""The admin interface: health, sessions, bans, and who may do what."""

import json
import os
import pwd
import socket
import stat
import threading

import pytest

from harness import client
from harness.admin import TIMEOUT_S, ask, serve, sum_of
from harness.client import call, post
from harness.debugger import one_thread_stopped
from harness.frames import CLOSE
from harness.stream import Stream
from harness.until import until


def test_readiness_fails_when_a_drain_begins_while_health_goes_on(cast, admin):
    may_answer = threading.Event()

    def node(connection):
        connection.read_request()
        may_answer.wait(TIMEOUT_S)
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    server = serve(cast, admin, cast.fake_node(node))
    assert admin.ask("/ready").text == "ready\n"
    assert admin.ask("/health").text == "healthy\n"
    with client.connect(server.port) as stream:
        stream.send(post(call("system_health")))
        until(lambda: sum_of(admin.metrics(), "ringwall_connections", state="awaiting") == 1, 5, "the node is asked")
        assert admin.change("/drain").status == 200
        until(lambda: admin.ask("/ready").status == 503, 5, "it is not ready any more")
        assert admin.ask("/health").status == 200
        may_answer.set()
        assert stream.read_reply().text == "{}"
    assert server.wait(TIMEOUT_S) == 0
    assert not admin.socket.exists()


def test_health_can_be_asked_by_head(cast, admin, answering):
    serve(cast, admin, answering)
    reply = admin.ask("/health", "HEAD")
    assert (reply.status, reply.body) == (200, b"")


def test_sessions_tell_who_they_are_and_what_they_asked_for(cast, admin, answering):
    server = serve(cast, admin, answering, guard=True)
    with client.websocket(server.port) as stream, client.websocket(server.port, source="127.0.0.7"):
        ask(stream, "system_health")
        ask(stream, "author_rotateKeys")
        until(lambda: admin.sessions()["matched"] == 2, 5, "there are no others")
        (one,) = admin.sessions("?address=127.0.0.1")["sessions"]
        assert (one["client"], one["state"], one["upstream"], one["listener"]) == (
            "127.0.0.1",
            "relay",
            "node",
            f"127.0.0.1:{server.port}",
        )
        assert (one["calls"], one["denied"], one["calls_in_flight"]) == (1, 1, 0)
        assert (one["subscriptions"], one["subscriptions_open"], one["tls"], one["resumed"]) == (0, 0, "1.3", False)
        assert one["units"] == 1 and one["received_bytes"] > 0 and one["sent_bytes"] > 0
        assert admin.sessions("?address=127.0.0.0/29&limit=1")["matched"] == 2
        assert admin.sessions("?address=10.0.0.0/8")["sessions"] == []


def test_the_top_talkers_come_first(cast, admin, answering):
    server = serve(cast, admin, answering, guard=True)
    with client.websocket(server.port) as one, client.websocket(server.port, source="127.0.0.7") as other:
        ask(one, "system_health")
        for id in range(5):
            ask(other, "system_health", id)
        first = json.loads(admin.ask("/top?by=calls").body)
        assert first["over_s"] is None
        assert [(row["client"], row["calls"]) for row in first["top"]] == [("127.0.0.7", 5), ("127.0.0.1", 1)]
        for id in range(3):
            ask(one, "system_health", id)
        second = json.loads(admin.ask("/top?by=calls&limit=1").body)
        assert second["over_s"] > 0
        assert [(row["client"], row["calls"]) for row in second["top"]] == [("127.0.0.1", 3)]
        assert second["clients"] == 2


def status_of(admin) -> dict:
    return json.loads(admin.ask("/status").body)


def nodes_of(admin) -> dict[str, dict]:
    (upstream,) = status_of(admin)["upstreams"]
    return {node["name"]: node for node in upstream["nodes"]}


def test_the_status_tells_each_upstream_with_its_nodes_and_their_chain(cast, admin):
    nodes = [cast.devnode(block_ms=50) for _ in range(2)]
    names = [f"node at {node.address}" for node in nodes]
    settings = {"upstream[0].health_interval_ms": "100ms", "upstream[0].health_fall": 1}
    server = serve(cast, admin, nodes, health=True, settings=settings, tls=False)
    until(lambda: all(node["healthy"] for node in nodes_of(admin).values()), 5, "both are asked")
    with client.websocket(server.port, tls=False):
        until(lambda: status_of(admin)["upstreams"][0]["places"] == 1, 5, "one of them has a client")
        seen = nodes_of(admin)
        assert list(seen) == names
        assert sorted(node["places"] for node in seen.values()) == [0, 1]
        for node in seen.values():
            assert (node["state"], node["why"], node["ejected_left_s"]) == ("up", "", None)
            assert node["best_block"] >= node["finalized_block"] >= 0 and node["lag_blocks"] >= 0
            assert node["latency_s"] > 0 and node["block_age_s"] >= 0
    assert (status_of(admin)["ready"], status_of(admin)["why"]) == (True, "")
    nodes[0].kill()
    until(lambda: nodes_of(admin)[names[0]]["state"] == "failing", 10, "it is seen to be gone")
    gone = nodes_of(admin)[names[0]]
    assert not gone["healthy"] and "takes no connection" in gone["why"] and gone["latency_s"] is None
    assert status_of(admin)["upstreams"][0]["healthy"] and status_of(admin)["ready"]
    nodes[1].kill()
    until(lambda: not status_of(admin)["ready"], 10, "none is left")
    assert status_of(admin)["why"] == "no healthy node: node"
    assert "ringwall_upstream_latency_seconds" not in "".join(admin.metrics())


def test_a_node_that_is_ejected_is_told_as_such_and_for_how_long(cast, admin):
    def garbage(connection):
        connection.read_request()
        connection.send(b"rubbish\r\n\r\n")

    bad = cast.fake_node(garbage)
    nodes = [bad, cast.recording_node()]
    server = serve(cast, admin, nodes, tls=False)
    name = f"node at {bad.address}"
    for _ in range(12):
        with client.connect(server.port, tls=False) as stream:
            stream.send(post(call("system_health")))
            stream.read_reply()
    until(lambda: nodes_of(admin)[name]["state"] == "ejected", 5, "its requests failed")
    node = nodes_of(admin)[name]
    assert 0 < node["ejected_left_s"] <= 12.5 and not node["healthy"]
    assert admin.metrics()[f'ringwall_upstream_ejected{{upstream="{name}"}}'] == 1


def is_shut_out(port: int, **options) -> bool:
    try:
        with client.connect(port, tls=False, **options) as stream:
            return stream.wait_for_end(5) == "reset"
    except ConnectionResetError:  # before connect() was done
        return True


def test_a_ban_ends_the_sessions_of_its_address_and_no_other_and_keeps_it_out_until_it_is_lifted(cast, admin, answering):
    server = serve(cast, admin, answering, settings={"server.shards": 2})
    banned = [client.websocket(server.port, source="127.0.0.7") for _ in range(4)]
    with client.websocket(server.port) as other:
        assert admin.ctl("ban", "127.0.0.7", "--for", "10m") == "banned: 127.0.0.7/32 for 10m\n"
        for stream in banned:
            frame = stream.read_frame()
            assert (frame.opcode, frame.close_code) == (CLOSE, 1008)
            stream.close()
        assert ask(other, "system_health")["id"] == 1
        assert all(is_shut_out(server.port, source="127.0.0.7") for _ in range(4))  # by whichever shard
        (ban,) = json.loads(admin.ctl("bans"))["bans"]
        assert ban["address"] == "127.0.0.7/32" and 0 < ban["left_s"] <= 600
        until(lambda: sum_of(admin.metrics(), "ringwall_connections_ended_total", reason="banned") == 4, 5, "they ended")
        assert admin.metrics()["ringwall_bans"] == 1
        assert admin.ctl("unban", "127.0.0.7") == "no longer banned: 127.0.0.7/32\n"
        with client.websocket(server.port, source="127.0.0.7") as again:
            assert ask(again, "system_health")["id"] == 1
    assert "there is no ban" in admin.ctl("unban", "127.0.0.7", expect=1)


def test_a_ban_ends_by_itself(cast, admin, answering):
    server = serve(cast, admin, answering)
    assert admin.change("/ban?address=127.0.0.0/29&for=3s").status == 200
    assert is_shut_out(server.port)
    until(lambda: admin.metrics()["ringwall_bans"] == 0, 10, "it has ended")
    with client.websocket(server.port) as stream:
        assert ask(stream, "system_health")["id"] == 1


def test_a_ban_behind_a_balancer_is_of_the_client_and_not_of_the_balancer(cast, admin, answering):
    config = f"""
        [admin]
        address = "127.0.0.1:{admin.port}"
        [[listener]]
        address = "127.0.0.1:{{port}}"
        kind = "plain"
        trusted_proxies = ["127.0.0.1"]
        [[upstream]]
        address = "{answering.address}"
    """
    server = cast.ringwall(config=config, tls=False)
    forwarded = [("X-Forwarded-For", address) for address in ("192.0.2.7", "192.0.2.8")]
    banned, other = (client.websocket(server.port, tls=False, fields=[field]) for field in forwarded)
    admin.change("/ban?address=192.0.2.7")
    assert banned.read_frame().close_code == 1008
    assert ask(other, "system_health")["id"] == 1
    for field, status in zip(forwarded, (403, 200)):
        with client.connect(server.port, tls=False) as stream:
            stream.send(post(call("system_health"), fields=[field]))
            assert stream.read_reply().status == status
    banned.close()
    other.close()


def test_over_http_nothing_is_changed_without_the_header_nor_by_a_web_page(cast, admin, answering):
    serve(cast, admin, answering)
    ours = "X-Ringwall-Admin: 1"
    assert admin.ask("/ban?address=192.0.2.1", "POST").status == 403
    assert admin.ask("/ban?address=192.0.2.1", "POST", [ours, "Origin: http://evil.example"]).status == 403
    assert admin.ask("/ban?address=192.0.2.1", "POST", [ours], host="evil.example").status == 403
    assert admin.ask("/sessions", host="evil.example").status == 403
    assert admin.ask("/metrics", host="prometheus.example").status == 200
    assert admin.ask("/ban?address=192.0.2.1", "GET", [ours]).status == 405
    assert admin.metrics()["ringwall_bans"] == 0
    assert admin.ask("/ban?address=192.0.2.1", "POST", [ours]).status == 200
    assert admin.ask("/ban?address=192.0.2.2", "POST", unix=True).status == 200
    assert admin.metrics()["ringwall_bans"] == 2


def test_where_changes_are_for_the_socket_http_makes_none(cast, admin, answering):
    serve(cast, admin, answering, settings={"admin.changes": "socket"})
    refused = admin.change("/ban?address=192.0.2.1")
    assert refused.status == 403 and "admin.socket" in refused.text
    assert admin.ask("/bans").status == 200
    assert admin.ctl("ban", "192.0.2.1", "--for", "10m") == "banned: 192.0.2.1/32 for 10m\n"


def test_a_reload_that_takes_its_time_keeps_no_other_caller_waiting(cast, admin, answering):
    server = serve(cast, admin, answering, settings={"server.shards": 2})
    told = []
    reloading = threading.Thread(target=lambda: told.append(admin.change("/reload")))
    # It waits for a shard for longer than a probe does.
    with one_thread_stopped(server.pid, "shard-1"):
        reloading.start()
        assert admin.ask("/health").text == "no answer of shard 1\n"
        assert admin.ask("/metrics").status == 200
        assert told == []
    reloading.join(TIMEOUT_S)
    assert [reply.status for reply in told] == [200]
    assert admin.metrics()['ringwall_reloads_total{result="ok"}'] == 1


def test_who_is_not_on_this_machine_gets_metrics_and_health_alone(cast, admin, answering):
    # An address of this machine that is not loopback stands for all others.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has loopback alone")
        here = probe.getsockname()[0]
    server = serve(cast, admin, answering, settings={"admin.address": f"0.0.0.0:{admin.port}"})
    assert "without a password" in server.log

    def status(target, method="GET"):
        with Stream(socket.create_connection((here, admin.port), TIMEOUT_S)) as stream:
            stream.send(f"{method} {target} HTTP/1.1\r\nHost: {here}\r\nX-Ringwall-Admin: 1\r\n\r\n".encode())
            return stream.read_reply().status

    assert [status(path) for path in ("/metrics", "/health", "/ready")] == [200, 200, 200]
    assert [status("/sessions"), status("/top"), status("/drain", "POST")] == [403, 403, 403]


def test_the_socket_is_for_its_owner_and_group_and_given_to_the_user_that_ringwall_becomes(cast, admin, answering):
    is_root = os.geteuid() == 0
    serve(cast, admin, answering, settings={"server.user": "nobody"} if is_root else {})
    status = admin.socket.stat()
    assert stat.S_ISSOCK(status.st_mode) and status.st_mode & 0o777 == 0o660
    if is_root:
        assert status.st_uid == pwd.getpwnam("nobody").pw_uid
    assert admin.ctl("ready") == "ready\n"


def test_callers_who_say_nothing_hold_up_no_one(cast, admin, answering):
    serve(cast, admin, answering)
    silent = [client.connect(admin.port, tls=False) for _ in range(40)]
    assert admin.ask("/health").status == 200
    assert admin.ask("/health", unix=True).status == 200
    for stream in silent:
        stream.close()
