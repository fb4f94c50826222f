"""Certificates that are renewed while they are served: seen by themselves, in each of the ways they are replaced."""

import grp
import os
import shutil
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from harness import client
from harness.certificates import Pair, expired
from harness.guard import Talk
from harness.programs import ROOT
from harness.reload import Pairs, fingerprint, open_way, served_fingerprint
from harness.until import until

METHOD = "system_chain"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give it up")


@pytest.fixture
def node(cast):
    return cast.recording_node()


@pytest.fixture
def pairs(tmp_path):
    return Pairs(tmp_path)


def until_served(server, pair: Pair) -> None:
    wanted = fingerprint(pair)
    until(
        lambda: served_fingerprint(server.port) == wanted,
        15,
        f"the new certificate is served; it logged:\n{server.log[-2000:]}",
    )


def test_files_that_are_renamed_over_others_are_served_to_new_connections_and_old_ones_go_on(cast, node, pairs):
    server = cast.ringwall(node, certificates=[pairs.served])
    with Talk(server) as talk:
        pairs.put(1)
        until_served(server, pairs.made[1])
        line = server.wait_for_log("has a new certificate for new connections")
        assert str(pairs.served.cert) in line and "localhost" in line
        assert talk.ask(METHOD)["result"] == "ok"
        pairs.put(0)
        until_served(server, pairs.made[0])
        assert talk.ask(METHOD)["result"] == "ok"


def test_files_that_are_written_over_are_served(cast, node, pairs):
    server = cast.ringwall(node, certificates=[pairs.served])
    for made, served in zip(pairs.made[1], pairs.served):
        served.write_bytes(made.read_bytes())
    until_served(server, pairs.made[1])


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_a_ticket_of_before_resumes_afterwards(cast, node, pairs, version):
    context = client.tls_context(version=getattr(ssl.TLSVersion, version))
    server = cast.ringwall(node, certificates=[pairs.served])
    with client.connect(server.port, context=context) as stream:
        stream.send(client.page_request())
        assert stream.read_reply().status == 200
        session = stream.sock.session
    pairs.put(1)
    until_served(server, pairs.made[1])
    with client.connect(server.port, context=context, session=session) as stream:
        stream.send(client.page_request())
        assert stream.read_reply().status == 200
        assert stream.sock.session_reused


def test_a_key_that_comes_late_is_waited_for_and_what_was_served_stays(cast, node, pairs):
    server = cast.ringwall(node, certificates=[pairs.served])
    shutil.copy(pairs.made[1].cert, pairs.served.cert)
    line = server.wait_for_log("a certificate has changed and is not served", 10)
    assert str(pairs.served.key) in line
    assert served_fingerprint(server.port) == fingerprint(pairs.made[0])
    shutil.copy(pairs.made[1].key, pairs.served.key)
    until_served(server, pairs.made[1])
    assert server.log.count("is not served") == 1


def test_rubbish_in_the_place_of_a_certificate_changes_nothing(cast, node, pairs):
    server = cast.ringwall(node, certificates=[pairs.served])
    pairs.served.cert.write_text("rubbish")
    server.wait_for_log("is not served", 10)
    assert served_fingerprint(server.port) == fingerprint(pairs.made[0])
    with Talk(server) as talk:
        assert talk.ask(METHOD)["result"] == "ok"


def test_of_several_certificates_the_one_that_was_renewed_changes(cast, node, authority, tmp_path):
    places = []
    for kind in ("ec", "rsa"):
        made = authority.issue("localhost", kind=kind)
        place = Pair(tmp_path / f"{kind}.crt", tmp_path / f"{kind}.key", made.ca)
        for file, to in zip(made, place):
            shutil.copy(file, to)
        places.append(place)
    server = cast.ringwall(node, certificates=places)
    again = authority.issue("localhost", kind="ec")
    for file, to in zip(again, places[0]):
        shutil.copy(file, to)
    until_served(server, again)
    time.sleep(0.1)
    assert server.log.count("has a new certificate") == 1


def test_an_expired_one_is_served_with_a_warning(cast, node, pairs, tmp_path):
    server = cast.ringwall(node, certificates=[pairs.served])
    for made, served in zip(expired(tmp_path), pairs.served):
        shutil.copy(made, served)
    server.wait_for_log("has expired on", 10)


# How tools replace them -------------------------------------------------------------------------------------------


class Certbot:
    """A folder as certbot keeps it: live/NAME/*.pem lead to archive/NAME/*N.pem, both root's alone."""

    def __init__(self, folder: Path, pairs: Pairs, name: str = "rpc.example.com"):
        self.pairs = pairs
        self.archive, self.live = folder / "archive" / name, folder / "live" / name
        for of_name in (self.archive, self.live):
            of_name.mkdir(parents=True)
            of_name.parent.chmod(0o700)
        self.served = Pair(self.live / "fullchain.pem", self.live / "privkey.pem", self.live / "fullchain.pem")
        self.renew(1)

    def renew(self, number: int) -> None:
        """The key before the chain, and each link taken away before it is made anew, as certbot does it."""
        made = self.pairs.made[number - 1]
        for file, name in ((made.key, "privkey"), (made.cert, "fullchain")):
            target = self.archive / f"{name}{number}.pem"
            shutil.copy(file, target)
            target.chmod(0o600 if name == "privkey" else 0o644)
            link = self.live / f"{name}.pem"
            link.unlink(missing_ok=True)
            link.symlink_to(Path("..") / ".." / "archive" / self.archive.name / target.name)


def test_certbots_links_to_its_archive(cast, node, pairs, tmp_path):
    certbot = Certbot(tmp_path / "letsencrypt", pairs)
    server = cast.ringwall(node, certificates=[certbot.served])
    certbot.renew(2)
    until_served(server, pairs.made[1])
    assert "is not served" not in server.log
    (certbot.archive / "fullchain2.pem").write_bytes(pairs.made[0].cert.read_bytes())
    (certbot.archive / "privkey2.pem").write_bytes(pairs.made[0].key.read_bytes())
    until_served(server, pairs.made[0])


def test_a_secret_of_kubernetes(cast, node, pairs, tmp_path):
    """The files lead to ..data, which leads to a folder of a version; a new version takes the place of ..data alone."""
    volume = tmp_path / "tls"
    volume.mkdir()

    def publish(number: int) -> Path:
        version = volume / f"..2026_{number}"
        version.mkdir()
        shutil.copy(pairs.made[number].cert, version / "tls.crt")
        shutil.copy(pairs.made[number].key, version / "tls.key")
        fresh = volume / "..data_tmp"
        fresh.symlink_to(version.name)
        os.replace(fresh, volume / "..data")
        return version

    old = publish(0)
    for name in ("tls.crt", "tls.key"):
        (volume / name).symlink_to(Path("..data") / name)
    server = cast.ringwall(node, certificates=[(volume / "tls.crt", volume / "tls.key")])
    publish(1)
    shutil.rmtree(old)
    until_served(server, pairs.made[1])
    assert "is not served" not in server.log


# After privileges were dropped ------------------------------------------------------------------------------------


@as_root
def test_after_privileges_were_dropped_certbots_hook_lets_the_group_read_what_is_renewed(cast, node, pairs, tmp_path):
    open_way(tmp_path)
    letsencrypt = tmp_path / "letsencrypt"
    certbot = Certbot(letsencrypt, pairs)
    group = grp.getgrnam("daemon").gr_name
    hook = [str(ROOT / "deploy" / "certbot" / "grant-ringwall")]
    environment = {**os.environ, "RINGWALL_GROUP": group, "RENEWED_LINEAGE": str(certbot.live)}
    subprocess.run(hook, env=environment, check=True, timeout=10)
    settings = {"server.user": "nobody", "server.group": group}
    server = cast.ringwall(node, certificates=[certbot.served], settings=settings, state=tmp_path / "state")
    assert "cannot be read as user" not in server.log
    with Talk(server) as talk:
        certbot.renew(2)
        subprocess.run(hook, env=environment, check=True, timeout=10)
        until_served(server, pairs.made[1])
        assert talk.ask(METHOD)["result"] == "ok"
    others = (certbot.archive / "privkey2.pem").stat().st_mode & 0o007
    assert others == 0, "the key is everybody's"


@as_root
def test_a_key_that_cannot_be_read_any_more_is_told_at_the_start_with_what_to_do(cast, node, pairs, tmp_path):
    certbot = Certbot(tmp_path / "letsencrypt", pairs)
    server = cast.ringwall(
        node, certificates=[certbot.served], settings={"server.user": "nobody"}, state=tmp_path / "state"
    )
    line = server.wait_for_log("privkey.pem")
    assert "cannot be read as user nobody" in line and "deploy/certbot/grant-ringwall" in line
    assert served_fingerprint(server.port) == fingerprint(pairs.made[0])


def test_the_hook_says_when_there_is_no_such_certificate(tmp_path):
    hook = ROOT / "deploy" / "certbot" / "grant-ringwall"
    environment = {**os.environ, "RENEWED_LINEAGE": str(tmp_path / "live" / "a.example")}
    done = subprocess.run([hook], env=environment, capture_output=True, text=True, timeout=10)
    assert done.returncode == 1 and "a.example is not there" in done.stderr
