"""Fixtures: everything that a test starts is stopped with it, and its logs are shown when the test fails."""

import functools
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from harness import certificates, programs  # noqa: E402
from harness.admin import Admin  # noqa: E402
from harness.echo_node import EchoNode  # noqa: E402
from harness.fake_node import FakeNode, NodeConnection  # noqa: E402
from harness.node_script import NODE, Script  # noqa: E402
from harness.recording_node import RecordingNode  # noqa: E402

pytest_plugins = ["harness.selection"]
LOG_CHARACTERS = 8000


class Cast:
    """What takes part in one test, in the order it came."""

    def __init__(self, folder: Path, state: Path):
        self.folder = folder
        self._state = state
        self.members = []

    def add(self, member):
        self.members.append(member)
        return member

    def ringwall(self, node=None, **options) -> programs.Ringwall:
        """In front of `node`: something with an address, or the address; or a list of them."""
        nodes = node if isinstance(node, list) else [node]
        address = ",".join(getattr(one, "address", one) or "127.0.0.1:1" for one in nodes)
        options.setdefault("state", self._state)
        server = self.add(programs.Ringwall(self.folder, address, **options))
        server.wait_until_serving()
        return server

    def devnode(self, **options) -> programs.DevNode:
        node = self.add(programs.DevNode(self.folder, **options))
        node.wait_for_listener(node.port)
        return node

    def devnode_again(self, stopped: programs.DevNode) -> programs.DevNode:
        """A new process in the place of one that was stopped."""
        node = self.add(stopped.started_again())
        node.wait_for_listener(node.port)
        return node

    def fake_node(self, script, **options) -> FakeNode:
        return self.add(FakeNode(script, **options))

    def echo_node(self) -> EchoNode:
        return self.add(EchoNode())

    def recording_node(self, **options) -> RecordingNode:
        return self.add(RecordingNode(**options))

    def script(self, name, *arguments, **options) -> Script:
        return self.add(Script(self.folder, name, *arguments, **options))

    def logs(self):
        for member in self.members:
            if hasattr(member, "log_file"):
                yield f"{member.name} (pid {member.pid}, exit status {member.exit_status})", member.log[
                    -LOG_CHARACTERS:
                ]

    def leave(self):
        """Front first, so that nobody reports a node that went away. Ringwall must end well, and within its deadline."""
        complaints = []
        for member in reversed(self.members):
            unseen = isinstance(member, programs.Process) and not member.running and not member.end_seen
            try:
                result = member.stop()
            except AssertionError as complaint:  # The others must be stopped all the same.
                complaints.append(str(complaint))
                continue
            if unseen:
                complaints.append(f"{member.name} died of {result} during the test")
            elif isinstance(member, (programs.Ringwall, programs.Successor)) and result != 0:
                complaints.append(f"{member.name} ended with {result}")
        assert not complaints, "\n".join(complaints)


@pytest.fixture(scope="session")
def state_folder(tmp_path_factory):
    """Shared by all, so that one self-signed certificate serves the whole run."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture
def cast(tmp_path, state_folder, request):
    cast = Cast(tmp_path, state_folder)
    request.node.cast = cast
    yield cast
    cast.leave()
    (state_folder / "bans").unlink(missing_ok=True)  # A process keeps them for the next one.


@pytest.fixture
def ringwall(cast):
    """ringwall(node, …) starts one."""
    return cast.ringwall


@pytest.fixture
def fake_node(cast):
    """fake_node(script) starts one."""
    return cast.fake_node


@pytest.fixture
def node(cast):
    """A fake node that serves both ways of asking."""
    return cast.fake_node(NodeConnection.serve)


@pytest.fixture
def answering(cast):
    """A node that answers every call, by WebSocket and by POST."""
    return cast.recording_node()


@pytest.fixture
def admin(tmp_path):
    return Admin(tmp_path)


@pytest.fixture
def echo_node(cast):
    return cast.echo_node()


@pytest.fixture
def echo(cast, echo_node):
    """Ringwall in front of a WebSocket server that sends everything back."""
    return cast.ringwall(echo_node)


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return certificates.Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def both_kinds(authority):
    """Certificates for localhost: Ringwall takes the ECDSA one for who can verify it."""
    return [tuple(authority.issue("localhost", kind=kind)) for kind in ("ec", "rsa")]


@pytest.fixture(scope="session")
def offload(request):
    """Who opens and seals the records after the handshake, "user" or "kernel", where what can be answered differs."""
    given = request.config.getoption("--offload") or "user"
    if given == "auto":
        pytest.skip("whose records they are is not known before Ringwall starts")
    return given


def in_front(cast, node, both_kinds, offload, settings=None, **options) -> programs.Ringwall:
    settings = {"tls.offload": offload, **(settings or {})}
    return cast.ringwall(node, certificates=both_kinds, settings=settings, **options)


@pytest.fixture
def front(cast, both_kinds, offload):
    """front(node, …) starts a Ringwall with both kinds of certificates, the records of which are `offload`'s."""
    return functools.partial(in_front, cast, both_kinds=both_kinds, offload=offload)


@pytest.fixture(scope="module")
def shared_echo(tmp_path_factory, state_folder, both_kinds, offload, request):
    """One in front of an echo node, for all tests of a file."""
    cast = request.node.cast = Cast(tmp_path_factory.mktemp("shared"), state_folder)
    yield in_front(cast, cast.echo_node(), both_kinds, offload)
    cast.leave()


@pytest.fixture(scope="session")
def javascript():
    """Skips nothing: without its packages a test of the real clients must fail, not pass unseen."""
    assert NODE.exists(), f"{NODE} is missing: tests/e2e/run installs it"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    casts = (getattr(node, "cast", None) for node in (item, item.getparent(pytest.Module)))
    for cast in filter(None, casts if report.failed else ()):
        for title, text in cast.logs():
            if text.strip():
                report.sections.append((title, text))


@functools.cache
def _sanitized():
    try:
        return programs.sanitized()
    except FileNotFoundError:
        return False


@pytest.fixture
def unsanitized():
    """For tests of memory, files and threads: a sanitizer's shadow drowns the figures, and it needs some of each itself."""
    if _sanitized():
        pytest.skip("figures of memory, files and threads mean nothing under a sanitizer")
