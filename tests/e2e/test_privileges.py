"""Started as root and told to, it becomes somebody else once the ports are bound."""

import grp
import os
import pwd
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from harness import certificates, client
from harness.ports import free_port
from harness.programs import program, run_ringwall

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give it up")


def status(pid, field) -> list[str]:
    """Of every thread: a shard that kept its privileges would be found here."""
    rows = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        rows.append(re.search(rf"^{field}:\s*(.*)$", (task / "status").read_text(), re.M).group(1))
    return rows


def shared(cast):
    return cast.folder / "state"


def test_every_thread_drops_to_the_user_and_keeps_no_capability(cast):
    nobody = pwd.getpwnam("nobody")
    server = cast.ringwall(None, settings={"server.user": "nobody"}, state=shared(cast))
    for row in status(server.pid, "Uid"):
        assert set(row.split()) == {str(nobody.pw_uid)}
    for row in status(server.pid, "Gid"):
        assert set(row.split()) == {str(nobody.pw_gid)}
    for row in status(server.pid, "Groups"):
        assert "0" not in row.split()
    for field in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
        assert {int(row, 16) for row in status(server.pid, field)} == {0}
    assert set(status(server.pid, "NoNewPrivs")) == {"1"}
    assert client.exchange(server.port, client.page_request()).status == 200


def test_a_low_port_and_a_key_that_only_root_may_read(cast, tmp_path):
    pair = certificates.self_signed(tmp_path, "localhost")
    os.chmod(pair.key, 0o600)
    os.chmod(tmp_path, 0o700)
    port = next(port for port in range(700, 1000) if is_free(port))
    server = cast.ringwall(None, port=port, certificates=[pair], settings={"server.user": "nobody"})
    assert client.exchange(port, client.page_request()).status == 200
    assert set(status(server.pid, "Uid")) == {"\t".join([str(pwd.getpwnam("nobody").pw_uid)] * 4)}


def is_free(port) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def test_a_group_of_its_own_may_be_named(cast):
    server = cast.ringwall(None, settings={"server.user": "nobody", "server.group": "daemon"}, state=shared(cast))
    for row in status(server.pid, "Gid"):
        assert set(row.split()) == {str(grp.getgrnam("daemon").gr_gid)}


def test_relays_work_as_somebody_else(cast, echo_node):
    server = cast.ringwall(echo_node, settings={"server.user": "nobody"}, state=shared(cast))
    with client.websocket(server.port) as stream:
        stream.send_frame(2, client.message_of(1 << 20))
        assert stream.read_message() == (2, client.message_of(1 << 20))


def test_a_user_that_is_not_there_is_said_at_start(cast):
    settings = ["--set", "server.user=no-such-user", "--set", f"server.state_dir={cast.folder}"]
    done = run_ringwall("--listen", f"127.0.0.1:{free_port()}", "--self-signed", "localhost", *settings)
    assert done.returncode == 1
    assert "no-such-user" in done.stderr


def test_who_is_not_root_can_not_become_another_and_is_told():
    if not shutil.which("setpriv"):
        pytest.skip("setpriv is missing")
    # A copy, since the tree of the build may be root's alone.
    binary = Path("/tmp") / f"ringwall-e2e-{os.getpid()}"
    shutil.copy(program("ringwall"), binary)
    os.chmod(binary, 0o755)
    try:
        done = subprocess.run(
            [
                "setpriv",
                "--reuid=65534",
                "--clear-groups",
                binary,
                "--listen",
                f"127.0.0.1:{free_port()}",
                "--plain",
                "--set",
                "server.user=root",
            ],
            capture_output=True,
            text=True,
            timeout=10,
            cwd="/",
        )
    finally:
        binary.unlink()
    assert done.returncode == 1
    assert done.stderr.strip()
