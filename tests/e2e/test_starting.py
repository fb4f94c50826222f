"""What the program says: at start, with no arguments, about mistakes, and its subcommands."""

import errno
import functools
import os
import re
import resource
import socket
import subprocess

import pytest

from harness import client
from harness.locked_down import IO_URING_ENTER, IO_URING_SETUP, forbid, forbid_io_uring, forbid_threads
from harness.ports import free_port
from harness.process import listening_inodes
from harness.programs import program, run_ringwall
from harness.until import Stopwatch

SCREEN_LINES = 40
TCP_ULP = 31  # linux/tcp.h


def test_with_no_arguments_it_explains_itself_in_a_screen():
    done = run_ringwall()
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) <= SCREEN_LINES
    for word in ("--listen", "--node", "--self-signed", "--cert", "check", "config", "cert", "doctor", "9944"):
        assert word in done.stdout, word
    assert "--methods" in done.stdout and "--limits" in done.stdout


def test_help_names_every_flag_and_version_is_one_line():
    done = run_ringwall("--help")
    assert done.returncode == 0
    for flag in (
        "--config",
        "--listen",
        "--node",
        "--cert",
        "--key",
        "--self-signed",
        "--plain",
        "--shards",
        "--mode",
        "--set",
    ):
        assert flag in done.stdout, flag
    done = run_ringwall("--version")
    assert done.returncode == 0 and re.search(r"ringwall.*\d+\.\d+\.\d+", done.stdout)


def test_the_start_lines_tell_address_shards_bounds_and_what_is_not_filtered(cast):
    server = cast.ringwall("127.0.0.1:9944", arguments=["--shards", "2"], guard=True)
    server.wait_for_log("serving", 5)
    log = server.log
    assert str(server.port) in log
    assert "127.0.0.1:9944" in log
    assert re.search(r"\b2 shards", log)
    assert "methods: the known safe ones" in log and "limits of one address" in log
    assert re.search(r"\d+ ?(MiB|GiB)", log), "the memory bound"
    assert re.search(r"\d[\d,.]* (connections|clients)", log), "how many connections the open files allow"


def test_it_raises_its_own_limit_of_open_files(cast):
    server = cast.ringwall(None)
    limits = open(f"/proc/{server.pid}/limits").read()
    soft, hard = re.search(r"Max open files\s+(\d+)\s+(\d+)", limits).groups()
    assert soft == hard


def test_a_shard_is_a_thread_with_a_core_of_its_own_and_its_own_listener(cast):
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        pytest.skip("one core: nothing to spread over")
    server = cast.ringwall(None, arguments=["--shards", "2"])
    affinities = [os.sched_getaffinity(int(task)) for task in os.listdir(f"/proc/{server.pid}/task")]
    pinned = [core for affinity in affinities if len(affinity) == 1 for core in affinity]
    assert len(set(pinned)) == len(pinned) == 2
    assert len(listening_inodes(server.port) & server.socket_inodes()) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["--no-such-flag"],
        ["--listen"],
        ["--shards", "many"],
        ["--listen", "8443"],
        ["--node", "nowhere"],
        ["--mode", "turbo"],
        ["--set", "x"],
        ["--set", "timeouts.haed_ms=5"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_said_in_a_sentence(arguments):
    done = run_ringwall("--self-signed", "localhost", *arguments)
    assert done.returncode in (1, 2)
    assert done.stderr.strip() and len(done.stderr.splitlines()) <= 6
    assert arguments[-1].split("=")[0] in done.stderr


def test_a_mistyped_setting_is_answered_with_the_one_that_was_meant():
    done = run_ringwall("check", "--self-signed", "localhost", "--set", "timeouts.haed_ms=5s")
    assert "timeouts.head_ms" in done.stdout + done.stderr


def test_a_port_in_use_is_said_in_a_sentence(cast):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run_ringwall(
            "--listen", f"127.0.0.1:{port}", "--self-signed", "localhost", "--set", f"server.state_dir={cast.folder}"
        )
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr and len(done.stderr.splitlines()) == 1


BROKEN = """
[server]
shards = "lots"
colour = "blue"

[[listener]]
address = "0.0.0.0"
self_signed = ["localhost"]
mode = "fast"

[[listener.route]]
path = "/x"
upstream = "nowhere"

[[upstream]]
address = "node"

[timeouts]
head_ms = -5
"""


@pytest.fixture
def broken(tmp_path):
    path = tmp_path / "broken.toml"
    path.write_text(BROKEN)
    return path


def test_check_prints_every_problem_at_once_with_its_place(broken):
    done = run_ringwall("check", "--config", broken)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    for line, field, found in [
        (3, "server.shards", "lots"),
        (4, "colour", "colour"),
        (7, "address", "0.0.0.0"),
        (9, "mode", "fast"),
        (13, "upstream", "nowhere"),
        (16, "address", "node"),
        (19, "head_ms", "-5"),
    ]:
        assert re.search(rf"broken\.toml:{line}: .*{field}.*", said), f"line {line}: {field}\n{said}"
        assert found in said


def test_the_same_problems_stop_the_start(broken):
    done = run_ringwall("--config", broken)
    assert done.returncode == 1
    assert "broken.toml:7" in done.stderr and "broken.toml:19" in done.stderr


@pytest.mark.parametrize(
    "text, line", [("[server\n", 1), ("[server]\nshards = = 1\n", 2), ("[server]\nshards = 1\nshards = 2\n", 3)]
)
def test_what_is_no_toml_is_said_with_its_line(tmp_path, text, line):
    path = tmp_path / "no.toml"
    path.write_text(text)
    done = run_ringwall("check", "--config", path)
    assert done.returncode == 1
    assert f"no.toml:{line}" in done.stdout + done.stderr


def test_a_missing_file_is_said_by_name(tmp_path):
    done = run_ringwall("check", "--config", tmp_path / "missing.toml")
    assert done.returncode == 1 and "missing.toml" in done.stdout + done.stderr


def test_the_sample_of_config_passes_check_and_names_every_section(tmp_path):
    done = run_ringwall("config")
    assert done.returncode == 0
    for section in ("[server]", "[limits]", "[timeouts]", "[[listener]]", "[[upstream]]"):
        assert section in done.stdout
    assert done.stdout.count("#") > 40
    path = tmp_path / "sample.toml"
    path.write_text(done.stdout)
    checked = run_ringwall("check", "--config", path)
    # Certificates that the sample names are not on this machine; everything else is right.
    complaints = [
        line for line in (checked.stdout + checked.stderr).splitlines() if re.search(r"sample\.toml:\d+:", line)
    ]
    assert all("cert" in line or "key" in line or "ocsp" in line for line in complaints), complaints
    assert checked.returncode == (1 if complaints else 0)


def test_check_of_a_good_file_is_0(cast):
    path = cast.folder / "good.toml"
    path.write_text(
        '[[listener]]\naddress = "127.0.0.1:8443"\nself_signed = ["localhost"]\n[[upstream]]\naddress = "127.0.0.1:9944"\n'
    )
    done = run_ringwall("check", "--config", path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()


def head_timeout_of(server) -> float:
    with client.connect(server.port, tls=False) as stream, Stopwatch() as watch:
        stream.send(b"GET /health HT")
        stream.wait_for_end(8)
        return watch.seconds


def test_command_line_goes_over_environment_over_file_over_defaults(cast):
    config = """
[timeouts]
head_ms = 700
[[listener]]
address = "127.0.0.1:{port}"
kind = "plain"
"""
    environment = {"RINGWALL_TIMEOUTS_HEAD_MS": "2500"}
    by_file = cast.ringwall(None, config=config, tls=False)
    by_environment = cast.ringwall(None, config=config, tls=False, env=environment)
    by_flag = cast.ringwall(None, config=config, tls=False, env=environment, settings={"timeouts.head_ms": "4500ms"})
    assert 0.4 < head_timeout_of(by_file) < 1.8
    assert 1.8 < head_timeout_of(by_environment) < 3.5
    assert 3.8 < head_timeout_of(by_flag) < 6


def test_variables_alone_are_a_configuration(tmp_path):
    given = {"RINGWALL_LISTENER_ADDRESS": "127.0.0.1", "RINGWALL_SERVER_STATE_DIR": str(tmp_path)}
    done = run_ringwall(env=given)
    assert done.returncode == 1 and "RINGWALL_LISTENER_ADDRESS" in done.stderr, done.stdout


def test_check_reads_the_certificates_beside_all_other_mistakes(tmp_path):
    for name in ("a", "b"):
        made = run_ringwall("cert", "--out-cert", tmp_path / f"{name}.pem", "--out-key", tmp_path / f"{name}-key.pem")
        assert made.returncode == 0, made.stderr
    path = tmp_path / "pair.toml"
    path.write_text(
        f'[[listener]]\n[[listener.certificate]]\ncert = "{tmp_path}/a.pem"\nkey = "{tmp_path}/b-key.pem"\n'
        "[timeouts]\nhead_ms = -5\n"
    )
    done = run_ringwall("check", "--config", path)
    assert done.returncode == 1
    assert re.search(r"pair\.toml:4: listener\[0\]\.certificate\[0\]\.key: found .*b-key\.pem", done.stdout), done.stdout
    assert re.search(r"pair\.toml:6: timeouts\.head_ms", done.stdout), done.stdout


def test_variables_that_other_programs_set_do_not_disturb(cast):
    # Kubernetes sets these for a service called ringwall.
    foreign = {
        "RINGWALL_PORT": "tcp://10.0.0.1:443",
        "RINGWALL_SERVICE_HOST": "10.0.0.1",
        "RINGWALL_PORT_443_TCP_PROTO": "tcp",
    }
    server = cast.ringwall(None, env=foreign)
    assert client.exchange(server.port, client.page_request()).status == 200


def test_doctor_tells_each_thing_it_looked_at():
    done = run_ringwall("doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    for word in ("io_uring", "TLS", "open files"):
        assert word.lower() in done.stdout.lower(), word


def kernel_tls_error() -> int:
    """What the kernel says when its TLS is to be attached to a connection; 0: it is."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as stream:
        try:
            stream.setsockopt(socket.IPPROTO_TCP, TCP_ULP, b"tls")
        except OSError as error:
            return error.errno
    return 0


def start_lines(cast, **settings) -> str:
    server = cast.ringwall("127.0.0.1:9944", settings=settings)
    server.wait_for_log("bounds:", 5)
    return server.log


def test_records_are_made_where_the_start_says_or_it_does_not_start(cast):
    has_tls = kernel_tls_error() == 0
    said = start_lines(cast)
    assert "  tls: " in said and (has_tls or "tls: user-space records (the kernel has no TLS: ENOENT)" in said), said
    assert "tls: user-space records" in start_lines(cast, **{"tls.offload": "user"})
    if has_tls:
        assert "tls: AES-128-GCM in the kernel\n" in start_lines(cast, **{"tls.offload": "kernel"})
        return
    settings = ["--self-signed", "localhost", "--set", f"server.state_dir={cast.folder}", "--set", "tls.offload=kernel"]
    done = run_ringwall("--listen", f"127.0.0.1:{free_port()}", *settings)
    assert done.returncode == 1
    for part in ("tls.offload", "ENOENT", "modprobe tls", 'tls.offload = "user"'):
        assert part in done.stderr, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_a_kernel_without_io_uring_gets_one_clear_sentence_and_not_a_crash(cast):
    settings = ["--self-signed", "localhost", "--set", f"server.state_dir={cast.folder}"]
    done = run_ringwall("--listen", f"127.0.0.1:{free_port()}", *settings, before=forbid_io_uring)
    assert done.returncode == 1, done.stderr
    assert "io_uring" in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 3


def refused_start(cast, before, node="127.0.0.1:1") -> str:
    """What a start that cannot be says: one line."""
    settings = ["--self-signed", "localhost", "--set", f"server.state_dir={cast.folder}", "--node", node]
    done = run_ringwall("--listen", f"127.0.0.1:{free_port()}", *settings, before=before)
    assert done.returncode == 1, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    return done.stderr


@pytest.mark.parametrize(
    "call, error",
    [(call, error) for call in (IO_URING_SETUP, IO_URING_ENTER) for error in (errno.EPERM, errno.EACCES, errno.ENOSYS)],
)
def test_any_half_of_io_uring_that_is_forbidden_is_said_in_a_sentence(cast, call, error):
    said = refused_start(cast, functools.partial(forbid, call, error))
    assert "io_uring" in said and "seccomp profile" in said


@pytest.mark.parametrize("node", ["127.0.0.1:1", "localhost:1"])
def test_a_thread_that_cannot_be_made_is_said_in_a_sentence(cast, unsanitized, node):
    said = refused_start(cast, forbid_threads, node)
    assert "no thread" in said and "TasksMax" in said and "ulimit -u" in said


@pytest.mark.parametrize("count", [8, 11, 16])
def test_a_lack_of_descriptors_is_said_with_its_remedy(cast, unsanitized, count):
    limit = functools.partial(resource.setrlimit, resource.RLIMIT_NOFILE, (count, count))
    settings = ["--plain", "--shards", "8", "--node", "127.0.0.1:1"]
    done = run_ringwall("--listen", f"127.0.0.1:{free_port()}", *settings, before=limit)
    assert done.returncode == 1
    # A shard that has started already may miss one for its clients.
    assert all("open-file limit" in line for line in done.stderr.strip().splitlines()) and done.stderr, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [[], ["--help"], ["--version"], ["config"], ["doctor"], ["check", "--plain"], ["check", "--shards", "x"]],
    ids=" ".join,
)
def test_output_that_cannot_be_written_is_an_error_and_not_a_crash(arguments):
    with open("/dev/full", "w") as full:
        done = subprocess.run([program("ringwall"), *arguments], stdout=full, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 1 and "No space left on device" in done.stderr, done.stderr
        done = subprocess.run([program("ringwall"), *arguments], stdout=full, stderr=full)
        assert done.returncode == 1
        assert subprocess.run([program("ringwall"), "--no-such-flag"], stderr=full).returncode == 2


def test_a_node_that_is_ringwall_itself_is_refused():
    port = free_port()
    done = run_ringwall("--listen", f"*:{port}", "--plain", "--node", f"localhost:{port}")
    assert done.returncode == 1 and "upstream[0].address" in done.stderr


def test_doctor_says_what_to_do_about_a_kernel_without_io_uring():
    done = run_ringwall("doctor", before=forbid_io_uring)
    assert done.returncode == 1
    assert "io_uring" in done.stdout and "seccomp" in done.stdout


def test_the_dev_node_says_that_it_is_a_stand_in(cast):
    node = cast.devnode()
    node.wait_for_log("stand-in")


def test_a_wrong_flag_of_the_dev_node_ends_it_with_2_and_help_with_0():
    devnode = program("ringwall-devnode")
    for flag, code in (("--bogus", 2), ("--help", 0)):
        assert subprocess.run([devnode, flag], capture_output=True, timeout=10).returncode == code


def test_it_starts_before_its_node_does(cast):
    server = cast.ringwall(f"127.0.0.1:{(port := free_port())}")
    assert client.exchange(server.port, client.post(client.call("system_name"))).status == 502
    cast.devnode(port=port)
    assert client.exchange(server.port, client.post(client.call("system_name"))).status == 200
