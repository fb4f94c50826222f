"""The plain listener of port 80: to https, and certbot's challenge files."""

import pytest

from harness.client import call, connect, exchange, post, request, upgrade_request

CONFIG = """
[[listener]]
address = "127.0.0.1:{port}"
kind = "redirect"
%s
[[listener]]
address = "127.0.0.1:{port2}"
self_signed = ["localhost"]
[[upstream]]
address = "127.0.0.1:1"
"""
TOKEN = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr_oA"


@pytest.fixture
def webroot(tmp_path):
    """Certbot's, and around it what nobody may have."""
    challenges = tmp_path / "webroot" / ".well-known" / "acme-challenge"
    challenges.mkdir(parents=True)
    (challenges / TOKEN).write_text(TOKEN + ".thumbprint")
    (challenges / "folder").mkdir()
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "webroot" / "secret").write_text("secret")
    (challenges / "link").symlink_to(tmp_path / "secret")
    return tmp_path / "webroot"


@pytest.fixture
def server(cast, webroot):
    server = cast.ringwall(None, config=CONFIG % f'acme_webroot = "{webroot}"', ports=2)
    server.ask = lambda data, **options: exchange(server.port, data, tls=False, **options)
    return server


@pytest.mark.parametrize("path", ["/", "/some/path?and=query", "/%41%2e"])
def test_everything_is_sent_to_https(server, path):
    reply = server.ask(request("GET", path, host="rpc.example.com"))
    assert reply.status in (301, 308)
    assert reply.get("location") == f"https://rpc.example.com{path}"


@pytest.mark.parametrize("host", ["rpc.example.com:80", "rpc.example.com:8080"])
def test_the_port_of_the_plain_listener_is_not_kept(server, host):
    assert server.ask(request("GET", "/", host=host)).get("location") == "https://rpc.example.com/"


def test_the_public_name_decides_if_there_is_one(cast):
    server = cast.ringwall(None, config=CONFIG % 'public_name = "node.example.org:8443"', ports=2)
    reply = exchange(server.port, request("GET", "/x", host="evil.example"), tls=False)
    assert reply.get("location") == "https://node.example.org:8443/x"


def test_a_post_keeps_its_method_or_is_told_why_not(server):
    reply = server.ask(post(call("a"), host="rpc.example.com"))
    assert reply.status in (307, 308, 403, 405, 426)
    if reply.status in (307, 308):
        assert reply.get("location") == "https://rpc.example.com/"


def test_a_plain_websocket_is_not_accepted(server):
    reply = server.ask(upgrade_request(host="rpc.example.com"))
    assert reply.status in (301, 307, 308, 400, 403, 426)


def test_a_host_that_is_none_gives_no_open_redirect(server):
    for host in ("evil.example/x", "a@evil.example", "evil.example\\x"):
        reply = server.ask(request("GET", "/", host=host))
        assert reply.status == 400
    reply = server.ask(b"GET //evil.example/x HTTP/1.1\r\nHost: rpc.example.com\r\n\r\n")
    assert reply.status == 400 or reply.get("location").startswith("https://rpc.example.com/")


def test_a_challenge_is_served_as_it_is(server):
    reply = server.ask(request("GET", f"/.well-known/acme-challenge/{TOKEN}", host="rpc.example.com"))
    assert (reply.status, reply.text) == (200, TOKEN + ".thumbprint")


def test_challenges_are_read_anew(server, webroot):
    path = "/.well-known/acme-challenge/later"
    assert server.ask(request("GET", path)).status == 404
    (webroot / path[1:]).write_text("here now")
    assert server.ask(request("GET", path)).text == "here now"


@pytest.mark.parametrize(
    "path",
    [
        "../../secret",
        "../../../secret",
        "%2e%2e/%2e%2e/secret",
        "..%2f..%2fsecret",
        "..%5c..%5csecret",
        "....//....//secret",
        "/../../secret",
        "//etc/passwd",
        "/etc/passwd",
        "folder",
        "folder/../" + TOKEN,
        "",
        ".",
        "..",
        "link",
        TOKEN + "%00",
        TOKEN + "/",
        "%65" + TOKEN[1:],
        "a" * 5000,
    ],
)
def test_nothing_else_is_served(server, path):
    reply = server.ask(request("GET", "/.well-known/acme-challenge/" + path))
    assert reply.status in (301, 308, 400, 403, 404, 414)
    assert b"secret" not in reply.body and b"root:" not in reply.body and b"thumbprint" not in reply.body


def test_without_a_webroot_challenges_are_redirected_like_the_rest_or_not_found(cast):
    server = cast.ringwall(None, config=CONFIG % "", ports=2)
    reply = exchange(server.port, request("GET", f"/.well-known/acme-challenge/{TOKEN}"), tls=False)
    assert reply.status in (301, 308, 404)


def test_requests_one_after_another_are_answered_on_one_connection(server):
    with connect(server.port, tls=False) as stream:
        for _ in range(3):
            stream.send(request("GET", "/"))
            assert stream.read_reply().status in (301, 308)
