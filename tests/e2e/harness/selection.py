"""Which tests are run, and with which record layer: the options --offload and --shard of pytest."""

import re
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

from . import programs
from .until import PATIENCE

TLS_STATISTICS = Path("/proc/net/tls_stat")


def pytest_addoption(parser):
    group = parser.getgroup("ringwall")
    group.addoption(
        "--offload",
        choices=["auto", "kernel", "user"],
        help="tls.offload of every Ringwall. Tests that start none with a TLS listener prove nothing about it and are "
        "deselected: when they have ended, since only then is it known.",
    )
    group.addoption("--shard", metavar="K/N", help="only every Nth test, from the Kth on")


def pytest_configure(config):
    programs.Ringwall.offload = config.getoption("--offload")


def _be_patient(item):
    marker = item.get_closest_marker("timeout")
    seconds = marker.args[0] if marker else float(item.config.getini("timeout"))
    item.add_marker(pytest.mark.timeout(seconds * PATIENCE), append=False)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    if PATIENCE != 1:
        for item in items:
            _be_patient(item)
    if shard := config.getoption("--shard"):
        if not (numbers := re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", shard)) or int(numbers[1]) > int(numbers[2]):
            raise pytest.UsageError(f"--shard {shard}: K/N is asked for, K from 1 to N")
        first, step = int(numbers[1]) - 1, int(numbers[2])
        config.hook.pytest_deselected(items=[item for at, item in enumerate(items) if at % step != first])
        items[:] = items[first::step]


def _serves_tls(started_before: int) -> bool:
    servers = programs.Ringwall.with_tls
    return len(servers) > started_before or any(server.running for server in servers)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    """Reports a test under --offload only if TLS was served while it ran, or it failed."""
    if not item.config.getoption("--offload"):
        return None
    hook = item.ihook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    servers = programs.Ringwall.with_tls
    servers[:] = [server for server in servers if server.running]  # Those that a module's tests share.
    before = len(servers)
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    if _serves_tls(before) or any(report.failed for report in reports):
        for report in reports:
            hook.pytest_runtest_logreport(report=report)
    else:
        item.config.stash.setdefault(_UNTOUCHED, []).append(item)
        hook.pytest_deselected(items=[item])
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


_UNTOUCHED = pytest.StashKey[list]()


def _kernel_statistics() -> dict[str, int]:
    """How many connections got their keys from whom, since this kernel started; empty where it has no TLS."""
    try:
        rows = TLS_STATISTICS.read_text().split()
    except FileNotFoundError:
        return {}
    return dict(zip(rows[::2], map(int, rows[1::2])))


def pytest_terminal_summary(terminalreporter, config):
    if mode := config.getoption("--offload"):
        untouched = len(config.stash.get(_UNTOUCHED, []))
        terminalreporter.write_line(f"tls.offload={mode}: {untouched} tests are not counted: no TLS is served in them")
        said = ", ".join(f"{name} {number}" for name, number in _kernel_statistics().items() if number)
        terminalreporter.write_line(f"{TLS_STATISTICS}: {said or 'the kernel had no keys of any connection'}")


def pytest_sessionfinish(session):
    """Says nothing of the kernel's TLS if it took no keys: then all of it had been in user space."""
    taken = _kernel_statistics()
    if session.config.getoption("--offload") == "kernel" and not (taken.get("TlsTxSw") and taken.get("TlsRxSw")):
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
