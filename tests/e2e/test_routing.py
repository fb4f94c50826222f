"""Several listeners, and routes by name and path to named upstreams."""

import os
import socket

import pytest

from harness import certificates, client
from harness.client import call, exchange, post, request, upgrade_request
from harness.ports import free_port
from harness.until import until


def named(name):
    """A node that says its name to whoever asks, over POST and in a tunnel or a WebSocket."""

    def script(connection):
        asked = connection.read_request()
        if asked.get("upgrade"):
            accept = client.accept_of(asked.get("sec-websocket-key"))
            connection.reply(
                101, fields=[("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept)]
            )
            connection.send_frame(1, name.encode())
            connection.read_to_end()
            return
        while True:
            connection.reply(200, name.encode())
            connection.read_request()

    return script


def who(server, *, path="/", name="localhost", port=None, tls=True):
    context = client.tls_context()
    reply = exchange(port or server.port, post(call("a"), path=path), context=context, server_name=name, tls=tls)
    with client.websocket(port or server.port, path=path, context=context, server_name=name, tls=tls) as stream:
        assert stream.read_message() == (1, reply.body)
    return reply.text


@pytest.fixture
def nodes(fake_node):
    return {name: fake_node(named(name)) for name in ("main", "asset", "relay", "boot")}


def upstreams(nodes):
    return "".join(f'[[upstream]]\nname = "{name}"\naddress = "{node.address}"\n' for name, node in nodes.items())


def test_paths_choose_the_upstream_exact_or_by_prefix_and_the_first_that_matches(cast, nodes):
    config = """
[[listener]]
address = "127.0.0.1:{port}"
self_signed = ["localhost"]
upstream = "main"
[[listener.route]]
path = "/asset"
upstream = "asset"
[[listener.route]]
path = "/relay*"
upstream = "relay"
[[listener.route]]
path = "/relay/never"
upstream = "boot"
"""
    server = cast.ringwall(None, config=config + upstreams(nodes))
    assert who(server) == "main"
    assert who(server, path="/asset") == "asset"
    assert who(server, path="/asset?key=1") == "asset"
    assert who(server, path="/asset/") == "main"
    assert who(server, path="/Asset") == "main"
    assert who(server, path="/relay") == "relay"
    assert who(server, path="/relay/never") == "relay"
    assert who(server, path="/relayed") == "relay"
    assert who(server, path="/xrelay") == "main"


def test_the_page_of_a_route_names_an_address_that_leads_there(cast, nodes):
    config = """
[[listener]]
address = "127.0.0.1:{port}"
self_signed = ["localhost"]
upstream = "main"
[[listener.route]]
path = "/p2p*"
upstream = "boot"
mode = "tunnel"
[[listener.route]]
path = "/asset"
upstream = "asset"
"""
    server = cast.ringwall(None, config=config + upstreams(nodes))
    host = f"localhost:{server.port}"
    for path, place in (("/p2p", "/p2p"), ("/asset?key=1", "/asset"), ("/", ""), ("/other", "")):
        line = exchange(server.port, request("GET", path, host=host)).text.splitlines()[0]
        assert line.split("wss://")[1].split(",")[0] == host + place
    page = exchange(server.port, request("GET", "/asset", [("Accept", "text/html")], host=host)).text
    assert f"<code>wss://{host}/asset</code>" in page
    assert f"rpc=wss%3A%2F%2Flocalhost%3A{server.port}%2Fasset" in page


def test_names_choose_the_upstream(cast, nodes, tmp_path):
    pair = certificates.self_signed(tmp_path, "rpc.example.com", "*.example.com", "other.test")
    config = f"""
[[listener]]
address = "127.0.0.1:{{port}}"
[[listener.certificate]]
cert = "{pair.cert}"
key = "{pair.key}"
[[listener.route]]
sni = "asset.example.com"
upstream = "asset"
[[listener.route]]
sni = "*.example.com"
path = "/boot"
upstream = "boot"
[[listener.route]]
sni = "*.example.com"
upstream = "relay"
"""
    server = cast.ringwall(None, config=config + upstreams(nodes))
    assert who(server, name="asset.example.com") == "asset"
    assert who(server, name="ASSET.example.com") == "asset"
    assert who(server, name="asset.example.com", path="/boot") == "asset"
    assert who(server, name="any.example.com") == "relay"
    assert who(server, name="any.example.com", path="/boot") == "boot"
    assert who(server, name="a.b.example.com") == "main"
    assert who(server, name="other.test") == "main"
    assert who(server, name=None) == "main"


def test_a_route_may_have_a_mode_of_its_own(cast, nodes):
    config = """
[[listener]]
address = "127.0.0.1:{port}"
self_signed = ["localhost"]
[[listener.route]]
path = "/p2p"
upstream = "boot"
mode = "tunnel"
"""
    server = cast.ringwall(None, config=config + upstreams(nodes))
    with client.websocket(server.port, path="/p2p") as stream:
        assert stream.read_message() == (1, b"boot")
        stream.send(b"\xff\xff not a frame")
        assert stream.silent_for(0.3)
    with client.websocket(server.port) as stream:
        assert stream.read_message() == (1, b"main")
        stream.send(b"\xff\xff not a frame")
        assert stream.read_frame().close_code == 1002


def test_listeners_each_have_their_kind_and_upstream(cast, nodes):
    config = """
[[listener]]
address = "127.0.0.1:{port}"
self_signed = ["localhost"]
upstream = "asset"
[[listener]]
address = "127.0.0.1:{port2}"
kind = "plain"
upstream = "relay"
[[listener]]
address = "127.0.0.1:{port3}"
kind = "redirect"
public_name = "rpc.example.com"
"""
    server = cast.ringwall(None, config=config + upstreams(nodes), ports=3)
    assert who(server) == "asset"
    assert who(server, port=server.ports[1], tls=False) == "relay"
    assert exchange(server.ports[2], request("GET", "/x"), tls=False).get("location") == "https://rpc.example.com/x"


def test_connections_that_are_kept_for_one_upstream_never_serve_another(cast, nodes):
    config = """
[[listener]]
address = "127.0.0.1:{port}"
self_signed = ["localhost"]
[[listener.route]]
path = "/asset"
upstream = "asset"
"""
    server = cast.ringwall(None, config=config + upstreams(nodes), arguments=["--shards", "1"])
    with client.connect(server.port) as stream:
        for path, name in [("/", "main"), ("/asset", "asset")] * 5:
            stream.send(post(call("a"), path=path))
            assert stream.read_reply().text == name
    assert len(nodes["main"].connections) == len(nodes["asset"].connections) == 1


def test_two_listen_flags_are_two_listeners(cast, nodes):
    second = free_port()
    server = cast.ringwall(nodes["main"], arguments=["--listen", f"127.0.0.1:{second}"])
    server.wait_for_listener(second)
    assert who(server) == who(server, port=second) == "main"


def test_a_node_may_be_named(cast, nodes):
    server = cast.ringwall(f"localhost:{nodes['main'].port}")
    assert who(server) == "main"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give it an /etc/hosts of its own")
def test_a_name_is_looked_up_again_and_again(cast, tmp_path):
    """Its node moves from one address to another."""
    port = free_port()
    nodes = {
        address: cast.fake_node(named(address), address=address, port=port) for address in ("127.0.0.2", "127.0.0.3")
    }
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost\n127.0.0.2 node.test\n")
    own_hosts = ["unshare", "--mount", "sh", "-c", f'mount --bind {hosts} /etc/hosts && exec "$@"', "sh"]
    server = cast.ringwall(f"node.test:{port}", through=own_hosts, settings={"upstream.resolve_interval_s": 1})
    assert who(server) == "127.0.0.2"
    hosts.write_text("127.0.0.1 localhost\n127.0.0.3 node.test\n")
    nodes["127.0.0.2"].refuse()
    nodes["127.0.0.2"].drop_connections()

    def moved():
        reply = exchange(server.port, post(call("a"), [("Connection", "close")], path="/new"))
        return reply.status == 200 and reply.text == "127.0.0.3"

    until(moved, 5, "the new address is used")
    assert who(server) == "127.0.0.3"


def test_a_name_that_is_not_found_is_502_and_not_the_end(cast):
    server = cast.ringwall("no-such-host.invalid:9944")
    assert exchange(server.port, post(call("a"))).status in (502, 504)
    assert exchange(server.port, upgrade_request()).status in (502, 504)
    assert "no-such-host.invalid" in server.log


def test_ipv6_is_listened_on_and_forwarded_truly(cast, fake_node):
    node = fake_node(lambda connection: connection.answer_calls())
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 loopback here")
    config = f"""
[[listener]]
address = "[::1]:{{port}}"
kind = "plain"
[[upstream]]
address = "{node.address}"
"""
    server = cast.ringwall(None, config=config, tls=False)
    with socket.create_connection(("::1", server.port), 5) as sock:
        sock.sendall(post(call("a"), [("Connection", "close")]))
        until(lambda: node.requests, 3, "the request")
    assert node.requests[0].all("x-forwarded-for") == ["::1"]
    assert node.requests[0].all("forwarded") == ['for="[::1]";proto=http']
