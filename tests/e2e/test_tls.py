"""TLS as openssl sees it: versions, suites, curves, ALPN, renegotiation, early data, mistakes and slowness."""

import socket
import ssl
import time

import pytest

from harness import client
from harness.openssl_client import handshake, s_client, succeeded
from harness.until import Stopwatch, until

HEALTH = client.request("GET", "/health", [("Connection", "close")])


@pytest.fixture
def server(cast):
    def node(connection):
        connection.read_request()
        connection.reply(200, b"healthy", [("Connection", "close")])

    return cast.ringwall(cast.fake_node(node))


@pytest.mark.parametrize("flag, version", [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")])
def test_a_version_in_use_is_accepted(server, flag, version):
    output = handshake(server.port, flag)
    assert succeeded(output), output
    assert f"New, {version}" in output


@pytest.mark.parametrize("flag", ["-tls1", "-tls1_1"])
def test_an_old_version_is_refused(server, flag):
    output = handshake(server.port, flag, "-cipher", "ALL:@SECLEVEL=0")
    assert not succeeded(output), output
    assert "alert protocol version" in output


@pytest.mark.parametrize("suite", ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"])
def test_each_suite_of_tls_1_3_carries_a_request(server, suite):
    output = s_client(server.port, "-tls1_3", "-ciphersuites", suite, "-ign_eof", say=HEALTH)
    assert f"Cipher is {suite}" in output
    assert "healthy" in output


@pytest.mark.parametrize("suite", ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"])
def test_each_aead_suite_of_tls_1_2_carries_a_request(server, suite):
    suite = f"ECDHE-ECDSA-{suite}"
    output = s_client(server.port, "-tls1_2", "-cipher", suite, "-ign_eof", say=HEALTH)
    assert f"Cipher is {suite}" in output
    assert "healthy" in output


@pytest.mark.parametrize("suites", ["kECDHE:!AESGCM:!CHACHA20:!AESCCM", "kRSA", "kDHE", "aNULL"])
def test_suites_without_aead_or_ecdhe_are_refused(server, suites):
    assert not succeeded(handshake(server.port, "-tls1_2", "-cipher", suites + ":@SECLEVEL=0"))


@pytest.mark.parametrize("group, shown", [("X25519", "X25519"), ("P-256", "ECDH, prime256v1")])
def test_each_group_is_accepted(server, group, shown):
    output = handshake(server.port, "-groups", group)
    assert succeeded(output), output
    assert f"Temp Key: {shown}" in output


def test_a_group_that_must_be_asked_for_again_is_found(server):
    # The key share is of a group that is not served, so the server has to ask for another: HelloRetryRequest.
    output = handshake(server.port, "-tls1_3", "-groups", "P-521:X25519")
    assert succeeded(output), output


@pytest.mark.parametrize("groups", ["P-521", "ffdhe2048"])
def test_other_groups_alone_are_refused(server, groups):
    assert not succeeded(handshake(server.port, "-tls1_3", "-groups", groups))


def test_alpn_gives_http_1_1_and_never_h2(server):
    assert "ALPN protocol: http/1.1" in handshake(server.port, "-alpn", "h2,http/1.1")
    assert "No ALPN negotiated" in handshake(server.port)


def test_alpn_without_anything_in_common_is_refused(server):
    # RFC 7301 section 3.2: no_application_protocol.
    output = handshake(server.port, "-alpn", "h2")
    assert not succeeded(output) or "ALPN protocol" not in output, output


def test_renegotiation_is_refused(server):
    output = s_client(server.port, "-tls1_2", say=b"R\n\0" + HEALTH + b"\0")
    assert "RENEGOTIATING" in output
    assert "healthy" not in output


def test_a_client_of_tls_1_2_sees_secure_renegotiation(server):
    # RFC 5746: without this, OpenSSL 3 clients refuse the server.
    assert "Secure Renegotiation IS supported" in handshake(server.port, "-tls1_2")


def test_early_data_is_not_offered(cast, server):
    session = cast.folder / "session.pem"
    output = s_client(server.port, "-tls1_3", "-sess_out", session, "-ign_eof", say=HEALTH)
    assert "Max Early Data: 0" in output
    early = cast.folder / "early"
    early.write_bytes(HEALTH)
    output = s_client(server.port, "-tls1_3", "-sess_in", session, "-early_data", early, say=b"Q\n")
    assert "Early data was accepted" not in output


def test_compression_and_extended_master_secret(server):
    output = handshake(server.port, "-tls1_2")
    assert "Compression: NONE" in output
    assert "Extended master secret: yes" in output


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_key_update_or_many_records_do_not_matter(server, version):
    """A request that comes in records of one byte each."""
    with client.connect(server.port, context=client.tls_context(version=version)) as stream:
        stream.send_slowly(client.request("GET", "/health"), pause_s=0)
        assert stream.read_reply().body == b"healthy"


def test_plain_http_on_the_tls_port_is_told_so(server):
    reply = client.exchange(server.port, client.request("GET", "/"), tls=False)
    assert reply.status == 400
    assert "https" in reply.text.lower()
    assert reply.closes


def test_a_plain_websocket_on_the_tls_port_is_told_so(server):
    reply = client.exchange(server.port, client.upgrade_request(), tls=False)
    assert reply.status == 400
    assert "wss" in reply.text.lower()


def test_garbage_on_the_tls_port_is_cut(server):
    for garbage in (
        b"\x00" * 100,
        b"\x16\x03\x01\x00\x05hello",
        b"\x16\x03\x01\xff\xff" + b"\x01" * 300,
        b"\x80\x2e\x01\x00\x02",
    ):
        with client.connect(server.port, tls=False) as stream:
            stream.send(garbage)
            stream.half_close()
            stream.wait_for_end(2)
    assert client.exchange(server.port, HEALTH).body == b"healthy"


def test_a_corrupt_record_ends_the_connection(server):
    with client.connect(server.port) as stream:
        raw = socket.socket(fileno=stream.sock.detach())
        raw.settimeout(5)
        raw.sendall(b"\x17\x03\x03\x00\x40" + b"\xaa" * 64)
        with raw:
            with Stopwatch() as watch:
                try:
                    while raw.recv(4096):
                        pass
                except ConnectionResetError:
                    pass
            assert watch.seconds < 2
    assert client.exchange(server.port, HEALTH).body == b"healthy"


def test_an_orderly_end_carries_a_close_notify(server):
    with client.connect(server.port) as stream:
        stream.send(HEALTH)
        assert stream.read_reply().body == b"healthy"
        assert stream.wait_for_end(2) == "eof"  # And not "truncated".


def test_a_handshake_that_stalls_is_cut_at_its_timeout(cast):
    server = cast.ringwall(None, settings={"timeouts.handshake_ms": 700})
    with client.connect(server.port, tls=False) as silent, client.connect(server.port, tls=False) as half:
        half.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        with Stopwatch() as watch:
            silent.wait_for_end(3)
            half.wait_for_end(3)
        assert 0.3 < watch.seconds < 2


def test_a_handshake_dribbled_byte_by_byte_is_cut_at_its_timeout(cast):
    server = cast.ringwall(None, settings={"timeouts.handshake_ms": 700})
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500)
    with client.connect(server.port, tls=False) as stream, Stopwatch() as watch:
        with pytest.raises(OSError):
            stream.send_slowly(hello, pause_s=0.02)
        assert watch.seconds < 3


def test_a_flood_of_handshakes_does_not_stop_a_relay(cast):
    node = cast.echo_node()
    server = cast.ringwall(node, arguments=["--shards", "1"])
    with client.websocket(server.port) as talker:
        openers = [client.connect(server.port, tls=False) for _ in range(60)]
        hello = _client_hello()
        for opener in openers:
            opener.send(hello)
        slowest = 0.0
        for number in range(50):
            with Stopwatch() as watch:
                talker.send_frame(1, client.message(str(number)))
                assert talker.read_message() == (1, client.message(str(number)))
            slowest = max(slowest, watch.seconds)
        for opener in openers:
            opener.close()
    assert slowest < 0.5, f"a message took {slowest} s beside 60 handshakes"


def _client_hello() -> bytes:
    context, incoming, outgoing = client.tls_context(), ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


def test_a_client_that_goes_in_the_middle_of_its_handshake_is_forgotten(server):
    before = server.fd_count()
    for _ in range(20):
        with client.connect(server.port, tls=False) as stream:
            stream.send(_client_hello()[:100])
        stream = client.connect(server.port, tls=False)
        stream.send(_client_hello())
        stream.reset()
    until(lambda: server.fd_count() <= before, 3, "the descriptors are back")
    time.sleep(0.1)
    assert client.exchange(server.port, HEALTH).body == b"healthy"
