"""ringwall-bench from its command line to its exit status, its table, its JSON and its page."""

import json
import re
import signal
import subprocess

import pytest

from harness.programs import program
from harness.until import PATIENCE

pytestmark = pytest.mark.timeout(120)

SHORT = ["--duration", "600ms", "--warmup", "100ms"]


def bench(*arguments, seconds: float = 40.0):
    return subprocess.run(
        [program("ringwall-bench"), *map(str, arguments)], capture_output=True, text=True, timeout=seconds * PATIENCE
    )


def figures(*arguments) -> dict:
    done = bench(*arguments, "--json", "-")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def url(cast) -> str:
    return f"ws://{cast.devnode().address}"


def test_the_public_mix_is_answered_by_the_dev_node(url):
    seen = figures(url, *SHORT)
    assert seen["troubles"]["total"] == 0, seen["troubles"]
    assert seen["held"] is True
    assert seen["flow"]["answers"] > 100
    assert seen["flow"]["connections_opened"] == 10
    assert seen["latency_ns"]["count"] >= seen["flow"]["answers"] - 10
    assert seen["latency_ns"]["min"] <= seen["latency_ns"]["p50"] <= seen["latency_ns"]["p99"] <= seen["latency_ns"]["max"]
    assert sum(call["sent"] for call in seen["calls"]) == seen["flow"]["calls_sent"]


@pytest.mark.parametrize("mix", ["apps", "wallet", "indexer"])
def test_each_built_in_mix_passes_ringwalls_guard(cast, mix):
    server = cast.ringwall(cast.devnode(), guard=True)
    seen = figures(server.wss, "--ca", server.ca_file(), "--mix", mix, "--connections", 2, "--rate", 20, *SHORT)
    assert seen["troubles"]["total"] == 0, seen["troubles"]
    assert seen["flow"]["handshakes"] == 2


def test_the_table_is_on_standard_output_and_nothing_else(url):
    done = bench(url, *SHORT)
    assert done.returncode == 0, done.stderr
    for part in ("endpoint", "p50", "p99", "chain_getHeader", "connections", "this program"):
        assert part in done.stdout
    assert all(len(line) <= 120 for line in done.stdout.splitlines())
    assert done.stderr == ""


def test_thresholds_decide_the_exit_status(url):
    assert bench(url, *SHORT, "--fail-p99", "10s", "--fail-errors", "0%").returncode == 0
    done = bench(url, *SHORT, "--fail-p99", "1us")
    assert done.returncode == 1
    assert re.search(r"^NOT HELD +p99 at most 1 µs: ", done.stdout, re.MULTILINE)


def test_errors_are_counted_told_and_judged(url):
    done = bench(url, *SHORT, "--call", "no_suchMethod", "--fail-errors", "0.1%", "--json", "-")
    assert done.returncode == 1
    seen = json.loads(done.stdout)
    assert seen["held"] is False
    assert seen["troubles"]["by_kind"]["rpc_error"] == seen["troubles"]["total"] > 0
    assert any("-32601" in text for text in seen["troubles"]["texts"])
    assert "rpc_error" in done.stderr


def test_nobody_there_is_exit_status_1_and_a_mistake_2():
    refused = bench("ws://127.0.0.1:1", *SHORT)
    assert refused.returncode == 1
    assert "127.0.0.1:1" in refused.stderr + refused.stdout
    mistake = bench("ws://127.0.0.1:1", "--rate", "fast")
    assert mistake.returncode == 2
    assert '--rate: found "fast"' in mistake.stderr
    unknown = bench("ws://" + 70 * "x")
    assert unknown.returncode == 2
    assert "was not found" in unknown.stderr


def test_the_page_has_the_figures_and_loads_nothing(url, tmp_path):
    page_file, json_file = tmp_path / "report.html", tmp_path / "report.json"
    done = bench(url, *SHORT, "--call", "echo", "--payload", 64, "--html", page_file, "--json", json_file, "--quiet")
    assert done.returncode == 0, done.stderr
    assert done.stdout == done.stderr == ""
    page = page_file.read_text()
    inside = re.search(r'<script type="application/json" id="report">(.*?)</script>', page, re.DOTALL).group(1)
    assert json.loads(inside) == json.loads(json_file.read_text())
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")


def test_a_file_of_recorded_lines_is_sent(url, tmp_path):
    mix = tmp_path / "calls.jsonl"
    mix.write_text('{"method":"system_chain"}\n{"method":"dev_bytes","params":[100],"weight":3}\n')
    names = {call["name"]: call["sent"] for call in figures(url, *SHORT, "--mix", mix)["calls"]}
    assert names["dev_bytes"] > names["system_chain"] > 0
    mix.write_text('{"method":"system_chain"}\nnonsense\n')
    done = bench(url, "--mix", mix)
    assert done.returncode == 2
    assert f"{mix}:2: found nonsense" in done.stderr


def test_post_is_measured_too(cast):
    node = cast.devnode()
    seen = figures(f"http://{node.address}", *SHORT, "--pid", node.pid)
    assert seen["troubles"]["total"] == 0, seen["troubles"]
    assert seen["flow"]["answers"] > 50
    assert seen["target"]["cpu_user_us"] + seen["target"]["cpu_system_us"] > 0
    assert seen["target"]["rss_after_bytes"] > 0


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_in_order_and_the_table_is_told(url, number, status):
    running = subprocess.Popen(
        [program("ringwall-bench"), url, "--duration", "60s", "--warmup", "0s"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        # The first line comes after five seconds of the run.
        assert "measuring" in running.stderr.readline()
        running.send_signal(number)
        said, _ = running.communicate(timeout=15 * PATIENCE)
    finally:
        running.kill()
    assert running.returncode == status
    assert "ended early" in said
    assert "chain_getHeader" in said


def test_the_highest_rate_is_searched_in_steps(url):
    done = bench(url, "--find-max", "--p99", "200us", "--duration", "200ms", "--warmup", "0s", "--call", "echo", "--json", "-", seconds=60)
    search = json.loads(done.stdout)["search"]
    held = [step["rate"] for step in search["steps"] if step["held"]]
    assert search["rate"] == (max(held) if held else None)
    assert done.returncode == (0 if held else 1)
    assert len(search["steps"]) == done.stderr.count("/s  held") + done.stderr.count("/s  not held") - len(search["steps"])
    assert search["limit"]


def test_a_search_names_the_errors_that_ended_it(cast):
    limits = {"limits.address_units_per_s": 50, "limits.address_units_burst": 60}
    server = cast.ringwall(cast.devnode(), guard=True, settings=limits)
    done = bench(server.wss, "--ca", server.ca_file(), "--find-max", "--p99", "10s", "--duration", "300ms", "--warmup", "0s",
                 "--call", "system_chain", "--json", "-", seconds=60)  # fmt: skip
    search = json.loads(done.stdout)["search"]
    # A connection that comes while the address is in debt is refused, too.
    named = r"did not keep the bounds: errors \d.*(rpc_error|upgrade) [\d,]+ \((-32999|429) "
    kind = re.search(named, search["limit"])
    assert kind, search["limit"]
    broken = next(step for step in search["steps"] if step["rate"] == search["broken_rate"])
    assert broken["troubles"]["by_kind"][kind[1]] > 0
    assert re.search(rf"^errors of the step at [\d,]+/s\n.*{kind[1]}", done.stderr, re.MULTILINE | re.DOTALL)


def test_an_interrupt_while_nothing_is_answered_says_what_it_waits_for(cast):
    def mute(connection):
        connection.accept_upgrade()
        connection.read_to_end()

    node = cast.fake_node(mute, sees_probes=True)
    running = subprocess.Popen(
        [program("ringwall-bench"), f"ws://{node.address}", "--duration", "60s", "--timeout", "60s", "--warmup", "0s", "--connections",
         "3", "--json", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert "measuring" in running.stderr.readline()
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=15 * PATIENCE)
    finally:
        running.kill()
    assert running.returncode == 130
    assert re.search(r"^closing 3 connections, at most \d s; Ctrl-C again ends at once$", err, re.MULTILINE)
    seen = json.loads(out)
    assert seen["flow"]["calls_unanswered"] == 3
    assert any(remark.startswith("3 calls were unanswered when it was ended") for remark in seen["remarks"])


def test_calls_that_are_waited_for_after_the_end_are_told_and_an_interrupt_ends_that(cast):
    def mute(connection):
        connection.accept_upgrade()
        connection.read_to_end()

    node = cast.fake_node(mute, sees_probes=True)
    running = subprocess.Popen(
        [program("ringwall-bench"), f"ws://{node.address}", "--duration", "200ms", "--timeout", "60s", "--warmup", "0s", "--connections",
         "2", "--json", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert re.match(r"waiting at most \d+ s for the answers to 2 calls; Ctrl-C ends that", running.stderr.readline())
        running.send_signal(signal.SIGINT)
        out, _ = running.communicate(timeout=15 * PATIENCE)
    finally:
        running.kill()
    assert running.returncode == 130
    assert json.loads(out)["flow"]["calls_unanswered"] == 2


def test_it_tells_its_version():
    done = bench("--version")
    assert done.returncode == 0 and re.fullmatch(r"ringwall-bench \d+\.\d+\.\d+\n", done.stdout)
