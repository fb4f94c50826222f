"""Certificates: what is accepted from operators, which one a client gets, tickets and stapling."""

import re
import ssl

import pytest

from harness import certificates, client
from harness.certificates import openssl
from harness.openssl_client import handshake, s_client, succeeded
from harness.ports import free_port
from harness.programs import Ringwall, run_ringwall

LISTENER = """
[[listener]]
address = "127.0.0.1:{port}"
"""
UPSTREAM = """
[[upstream]]
address = "127.0.0.1:1"
"""


def entries(*pairs, ocsp=None) -> str:
    return "".join(
        f'[[listener.certificate]]\ncert = "{pair.cert}"\nkey = "{pair.key}"\n' + (f'ocsp = "{ocsp}"\n' if ocsp else "")
        for pair in pairs
    )


def served(server, *arguments) -> str:
    """The subject's common name, the key's kind and the fingerprint of what a client gets."""
    return handshake(server.port, *arguments)


def test_the_guides_openssl_command_is_accepted_as_it_is(cast, tmp_path):
    pair = certificates.of_the_guide(tmp_path)
    server = cast.ringwall(None, certificates=[pair])
    assert ssl.get_server_certificate(("127.0.0.1", server.port)).split() == pair.cert.read_text().split()
    for flag in ("-tls1_2", "-tls1_3"):
        assert succeeded(handshake(server.port, flag))


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_certbots_files_are_accepted_and_the_whole_chain_is_sent(cast, authority, kind):
    pair = authority.issue("rpc.example.com", kind=kind)
    server = cast.ringwall(None, certificates=[pair])
    output = handshake(
        server.port, "-servername", "rpc.example.com", "-CAfile", authority.root, "-verify_return_error", "-showcerts"
    )
    assert "Verify return code: 0 (ok)" in output
    assert output.count("BEGIN CERTIFICATE") >= 2


@pytest.mark.parametrize("form", ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY", "with EC PARAMETERS"])
def test_every_form_of_key_that_openssl_writes_is_accepted(cast, tmp_path, form):
    kind = "rsa" if form.startswith("RSA") else "ec"
    pair = certificates.self_signed(tmp_path, "localhost", kind=kind)
    text = pair.key.read_bytes()
    if form == "EC PRIVATE KEY" or form == "with EC PARAMETERS":
        text = openssl("ec", "-in", pair.key)
    elif form == "RSA PRIVATE KEY":
        text = openssl("rsa", "-traditional", "-in", pair.key)
    if form == "with EC PARAMETERS":
        text = openssl("ecparam", "-name", "prime256v1") + text
    pair.key.write_bytes(text)
    assert form.removeprefix("with ").encode() in text
    server = cast.ringwall(None, certificates=[pair])
    assert succeeded(handshake(server.port, "-CAfile", pair.ca))


def signature(*arguments) -> str:
    """The kind of key that the server signed with. Newer versions of openssl name the scheme: rsa_pss_rsae_sha256."""
    return re.search(r"Peer signature type: (ecdsa|rsa)", handshake(*arguments), re.I).group(1).upper()


def test_ecdsa_and_rsa_for_the_same_name_each_go_to_those_who_want_them(cast, authority):
    pairs = [authority.issue("rpc.example.com", kind=kind) for kind in ("ec", "rsa")]
    server = cast.ringwall(None, config=LISTENER + entries(*pairs) + UPSTREAM)
    name = ("-servername", "rpc.example.com", "-CAfile", authority.root, "-verify_return_error")
    assert "ECDSA" == signature(server.port, *name)
    assert "RSA" == signature(server.port, *name, "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256")
    assert "RSA" == signature(
        server.port, *name, "-tls1_3", "-sigalgs", "rsa_pss_rsae_sha256:rsa_pkcs1_sha256:rsa_pss_pss_sha256"
    )
    assert "ECDSA" == signature(server.port, *name, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256")


def test_the_name_that_is_asked_for_chooses_the_certificate(cast, tmp_path):
    exact = certificates.self_signed(tmp_path, "rpc.example.com", label="exact")
    wild = certificates.self_signed(tmp_path, "*.example.com", label="wild")
    other = certificates.self_signed(tmp_path, "other.test", label="other")
    server = cast.ringwall(None, config=LISTENER + entries(other, wild, exact) + UPSTREAM)

    def name(server_name) -> str:
        arguments = ["-servername", server_name] if server_name else ["-noservername"]
        return re.search(r"subject=CN ?= ?(\S+)", handshake(server.port, *arguments)).group(1)

    assert name("rpc.example.com") == "rpc.example.com"
    assert name("RPC.Example.COM") == "rpc.example.com"
    assert name("any.example.com") == "*.example.com"
    assert name("other.test") == "other.test"
    # A wildcard stands for exactly one label; what nobody has gets the first certificate, as no name does.
    assert name("a.b.example.com") == "other.test"
    assert name("example.com") == "other.test"
    assert name("unknown.test") == "other.test"
    assert name(None) == "other.test"


@pytest.mark.parametrize("delegated", [False, True], ids=["the issuer's", "a responder's"])
def test_an_ocsp_answer_from_a_file_is_stapled(cast, authority, delegated):
    pair = authority.issue("rpc.example.com")
    server = cast.ringwall(None, config=LISTENER + entries(pair, ocsp=authority.ocsp(pair, delegated)) + UPSTREAM)
    for version in ("-tls1_2", "-tls1_3"):
        output = handshake(server.port, version, "-status", "-servername", "rpc.example.com", "-CAfile", authority.root)
        assert "OCSP Response Status: successful" in output, version
        assert "Cert Status: good" in output, version


def test_without_an_ocsp_file_nothing_is_stapled(cast, authority):
    server = cast.ringwall(None, certificates=[authority.issue("rpc.example.com")])
    assert "OCSP response: no response sent" in handshake(server.port, "-status")


def resume(server, version, session=None):
    """A request on a connection of its own; whether it resumed, and the session that it leaves."""
    context = resume.contexts.setdefault((server.port, version), client.tls_context(version=version))
    with client.connect(server.port, context=context, session=session) as stream:
        stream.send(client.page_request())
        assert stream.read_reply().status == 200
        return stream.sock.session_reused, stream.sock.session


resume.contexts = {}


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_ticket_works_on_every_shard(cast, version):
    server = cast.ringwall(None, arguments=["--shards", "2"])
    _, session = resume(server, version)
    assert session.has_ticket
    # The kernel spreads connections by source port: thirty all on one of two shards is one chance in a billion.
    for _ in range(30):
        resumed, newer = resume(server, version, session)
        assert resumed
        # A ticket of TLS 1.3 is for one use (RFC 8446 appendix C.4): go on with the one that came with it.
        session = newer if version == ssl.TLSVersion.TLSv1_3 else session


def test_openssl_resumes_too(cast):
    server = cast.ringwall(None)
    session = cast.folder / "session.pem"
    for version in ("-tls1_2", "-tls1_3"):
        say = client.page_request([("Connection", "close")])
        assert "New, TLS" in s_client(server.port, version, "-sess_out", session, "-ign_eof", say=say)
        assert "Reused, TLS" in handshake(server.port, version, "-sess_in", session), version


def test_a_ticket_is_not_accepted_under_another_name(cast, tmp_path):
    names = ["a.example.com", "b.example.com"]
    pairs = [certificates.self_signed(tmp_path, name) for name in names]
    server = cast.ringwall(None, config=LISTENER + entries(*pairs) + UPSTREAM)
    session = cast.folder / "session.pem"
    say = client.page_request([("Connection", "close")])
    s_client(server.port, "-servername", names[0], "-sess_out", session, "-ign_eof", say=say)
    assert "Reused" in handshake(server.port, "-servername", names[0], "-sess_in", session)
    assert "Reused" not in handshake(server.port, "-servername", names[1], "-sess_in", session)


def test_a_ticket_of_another_life_is_answered_by_a_full_handshake(cast):
    first = cast.ringwall(None)
    session = cast.folder / "session.pem"
    s_client(first.port, "-sess_out", session, "-ign_eof", say=client.page_request([("Connection", "close")]))
    assert first.stop() == 0
    second = cast.ringwall(None, port=first.port)
    output = handshake(second.port, "-sess_in", session)
    assert succeeded(output) and "Reused" not in output


def test_the_self_signed_certificate_is_kept_and_names_the_host(cast, tmp_path):
    state = tmp_path / "own-state"
    first = cast.ringwall(None, state=state)
    before = ssl.get_server_certificate(("127.0.0.1", first.port))
    assert "DNS:localhost" in openssl("x509", "-noout", "-text", stdin=before.encode()).decode()
    assert first.stop() == 0
    keys = [path for path in state.rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()]
    assert keys and all(path.stat().st_mode & 0o077 == 0 for path in keys), "the key is for its owner alone"
    second = cast.ringwall(None, state=state)
    assert ssl.get_server_certificate(("127.0.0.1", second.port)) == before


def test_those_that_start_together_on_an_empty_folder_serve_the_one_pair_that_is_kept(cast, tmp_path):
    state = tmp_path / "shared-state"
    servers = [cast.add(Ringwall(cast.folder, "127.0.0.1:1", state=state)) for _ in range(5)]
    for server in servers:
        server.wait_until_serving()
    kept = (state / "self-signed-localhost.crt").read_text().split()
    for server in servers:
        assert succeeded(handshake(server.port))
        assert ssl.get_server_certificate(("127.0.0.1", server.port)).split() == kept
    assert len(list(state.iterdir())) == 2


def test_a_kept_pair_that_is_broken_is_made_anew_with_the_reason(cast, tmp_path):
    state = tmp_path / "broken-state"
    state.mkdir()
    (state / "self-signed-localhost.crt").write_text("nothing here")
    server = cast.ringwall(None, state=state)
    assert re.search(r"self-signed-localhost\.crt: .*; another certificate was made in its place", server.log)
    assert succeeded(handshake(server.port))


@pytest.mark.parametrize("kind, flags", [("ec", []), ("rsa", ["--rsa"])])
def test_the_cert_subcommand_makes_a_pair_that_is_trusted_by_itself(cast, tmp_path, kind, flags):
    cert, key = tmp_path / "made.crt", tmp_path / "made.key"
    names = ["rpc.example.com", "*.example.org", "127.0.0.1", "::1"]
    named = [word for name in names for word in ("--name", name)]
    done = run_ringwall("cert", *named, *flags, "--out-cert", cert, "--out-key", key)
    assert done.returncode == 0, done.stderr
    assert key.stat().st_mode & 0o077 == 0
    text = openssl("x509", "-in", cert, "-noout", "-text").decode()
    for name in ("DNS:rpc.example.com", "DNS:*.example.org", "IP Address:127.0.0.1", "IP Address:0:0:0:0:0:0:0:1"):
        assert name in text
    assert ("rsaEncryption" if kind == "rsa" else "prime256v1") in text
    server = cast.ringwall(None, certificates=[(cert, key)])
    for name in ("rpc.example.com", "node.example.org"):
        context = client.tls_context(ca=cert)
        assert client.exchange(server.port, client.page_request(), context=context, server_name=name).status == 200


@pytest.mark.parametrize("broken", ["key of another", "no certificate in it", "missing"])
def test_a_pair_that_cannot_serve_is_refused_at_start_by_name(tmp_path, broken):
    cert, key = certificates.self_signed(tmp_path, "localhost", label="one")
    if broken == "key of another":
        key = certificates.self_signed(tmp_path, "localhost", label="two").key
    elif broken == "no certificate in it":
        cert.write_text("nothing here\n")
    else:
        cert.unlink()
    done = run_ringwall("--listen", f"127.0.0.1:{free_port()}", "--node", "127.0.0.1:1", "--cert", cert, "--key", key)
    assert done.returncode == 1
    assert str(key if broken == "key of another" else cert) in done.stderr


def test_an_expired_certificate_is_served_with_a_warning(cast, tmp_path):
    # It may be all that there is today.
    server = cast.ringwall(None, certificates=[certificates.expired(tmp_path)])
    assert "expired" in server.log
    assert succeeded(handshake(server.port))
