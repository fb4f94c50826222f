"""deploy/monitoring: rules and a dashboard that Prometheus reads, over metrics that there are."""

import json
import re
import shutil
import subprocess
import urllib.parse
import urllib.request

import pytest

from harness import client
from harness.admin import TIMEOUT_S, ask, serve
from harness.client import page_request
from harness.ports import free_port
from harness.programs import ROOT
from harness.until import until

yaml = pytest.importorskip("yaml", reason="Debian's python3-yaml is missing")
ALERTS = ROOT / "deploy" / "monitoring" / "alerts.yaml"
DASHBOARD = ROOT / "deploy" / "monitoring" / "dashboard.json"
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? \S+$", re.M)


def promtool(*arguments, cwd=None):
    if not shutil.which("promtool"):
        pytest.skip("promtool is missing (Debian: prometheus)")
    return subprocess.run(
        ["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=60, cwd=cwd, env={"PATH": "/usr/bin:/bin"}
    )


def alerts():
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def expressions():
    """Of the alerts, and of the dashboard with its variables filled in."""
    panels = [row for row in json.loads(DASHBOARD.read_text())["panels"] if row["type"] != "row"]
    asked = [target["expr"] for row in panels for target in row["targets"]]
    assert len(alerts()) > 5 and len(asked) > 20
    filled = [text.replace("$__rate_interval", "5m").replace("$instance", ".*") for text in asked]
    return [rule["expr"] for rule in alerts()] + filled


def test_promtool_accepts_the_alerts():
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", ALERTS)
    assert done.returncode == 0, done.stdout + done.stderr
    for rule in alerts():
        assert rule["labels"]["severity"] in ("page", "ticket") and rule["annotations"].keys() == {"summary", "action"}


def test_prometheus_can_ask_what_the_dashboard_asks(tmp_path):
    rules = [{"record": f"panel:{index}", "expr": text} for index, text in enumerate(expressions())]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = promtool("check", "rules", "--lint=none", tmp_path / "rules.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_panels_do_not_lie_on_each_other():
    places = [tuple(row["gridPos"][key] for key in "xywh") for row in json.loads(DASHBOARD.read_text())["panels"]]
    covered = [(column, line) for x, y, w, h in places for column in range(x, x + w) for line in range(y, y + h)]
    assert len(covered) == len(set(covered)) and max(column for column, _ in covered) < 24


@pytest.fixture
def worked(cast, admin):
    """A Ringwall that has served one client, and had another that knows no TLS."""
    often = {"upstream[0].health_interval_ms": "100ms", "upstream[0].connections_max": 100}
    server = serve(cast, admin, cast.devnode(block_ms=100), guard=True, health=True, settings=often)
    with client.websocket(server.port) as stream:
        assert "result" in ask(stream, "system_health")
    with client.connect(server.port, tls=False) as stream:
        stream.send(page_request())
        stream.wait_for_end(TIMEOUT_S)
    until(lambda: "ringwall_upstream_lag_blocks{" in admin.metrics_text(), TIMEOUT_S, "its node has told its blocks")
    return server


class Prometheus:
    """Debian's own, which scrapes one Ringwall each second as the job `ringwall` and knows the alerts."""

    def __init__(self, folder, target):
        if not shutil.which("prometheus"):
            pytest.skip("prometheus is missing")
        self.port = free_port()
        scrape = {"job_name": "ringwall", "static_configs": [{"targets": [target]}]}
        config = {"global": {"scrape_interval": "1s"}, "rule_files": [str(ALERTS)], "scrape_configs": [scrape]}
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
        self.log = open(folder / "prometheus.log", "wb")
        command = ["prometheus", f"--config.file={folder}/prometheus.yaml", f"--storage.tsdb.path={folder}/tsdb"]
        command += [f"--web.listen-address=127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(10)
        self.log.close()

    def ask(self, expression):
        """The samples of its answer; None while there is none."""
        query = urllib.parse.urlencode({"query": expression})
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/query?{query}", timeout=10) as reply:
                return json.load(reply)["data"]["result"]
        except OSError:
            return None


def selectors():
    """What the alerts look at, metric by metric with its labels."""
    text = " ".join(rule["expr"] for rule in alerts())
    return set(re.findall(r"\b(?:(?:ringwall|process)_\w+|up)\b(?:\{[^}]*\})?", text))


def test_every_panel_and_every_metric_of_an_alert_has_values(worked, admin, tmp_path):
    with Prometheus(tmp_path, f"127.0.0.1:{admin.port}") as prometheus:
        twice = f'count_over_time(up{{instance="127.0.0.1:{admin.port}"}}[1m]) >= 3'
        until(lambda: prometheus.ask(twice), 30, "it has scraped three times")
        # What is left out where it is 0 is asked for without that.
        panels = [re.sub(r" > 0$", "", text) for text in expressions()[len(alerts()) :]]
        asked = [*panels, *selectors()]
        assert len(selectors()) > 15
        assert [text for text in asked if not prometheus.ask(text)] == []
        assert prometheus.ask('up{job="ringwall"}')[0]["value"][1] == "1"
        assert prometheus.ask('ALERTS{alertstate="firing"}') == []


# By alert: the series that raise it, by minutes; when it is raised first and when not yet; its labels and its value.
# With them others that do not.
RAISED = [
    ("RingwallDown", {'up{job="ringwall"}': "1x5 0x10"}, 5, 8, {"job": "ringwall"}, ""),
    ("RingwallShardStuck", {'ringwall_shard_up{shard="1"}': "1x5 0x10"}, 5, 8, {"shard": "1"}, ""),
    (
        "RingwallCertificateNearlyExpired",
        {
            'ringwall_tls_certificate_expiry_timestamp_seconds{file="soon"}': "176400x100",
            'ringwall_tls_certificate_expiry_timestamp_seconds{file="late"}': "864000x100",
        },
        59,
        65,
        {"file": "soon"},
        "1d 23h 55m 0s",
    ),
    (
        "RingwallCertificateExpires",
        {
            'ringwall_tls_certificate_expiry_timestamp_seconds{file="soon"}': "864000x200",
            'ringwall_tls_certificate_expiry_timestamp_seconds{file="late"}': "8640000x200",
        },
        59,
        90,
        {"file": "soon"},
        "9d 22h 30m 0s",
    ),
    (
        "RingwallNodeUnreachable",
        {'ringwall_upstream_connect_failures_total{upstream="node"}': "0x5 60+60x10"},
        5,
        9,
        {"upstream": "node"},
        "",
    ),
    (
        "RingwallNoHealthyNode",
        {
            'ringwall_upstream_healthy{upstream="dot at a:1"}': "1x5 0x10",
            'ringwall_upstream_healthy{upstream="dot at b:1"}': "1x7 0x10",
            'ringwall_upstream_healthy{upstream="ksm at a:2"}': "1x5 0x10",
            'ringwall_upstream_healthy{upstream="ksm at b:2"}': "1x20",
        },
        8,
        10,
        {"name": "dot"},
        "",
    ),
    (
        "RingwallNodeUnhealthy",
        {'ringwall_upstream_healthy{upstream="a"}': "1x5 0x10", 'ringwall_upstream_healthy{upstream="b"}': "1x20"},
        9,
        12,
        {"upstream": "a"},
        "",
    ),
    (
        "RingwallNodeBehind",
        {'ringwall_upstream_lag_blocks{upstream="a"}': "2x5 15x10", 'ringwall_upstream_lag_blocks{upstream="b"}': "9x20"},
        9,
        12,
        {"upstream": "a"},
        "15",
    ),
    (
        "RingwallNodeStalled",
        {'ringwall_upstream_best_block{upstream="a"}': "1+10x9 91x20", 'ringwall_upstream_best_block{upstream="b"}': "1+1x40"},
        13,
        18,
        {"upstream": "a"},
        "",
    ),
    (
        "RingwallNodeEjected",
        {'ringwall_upstream_ejected{upstream="a"}': "0x29 1x30", 'ringwall_upstream_ejected{upstream="b"}': "0x29 1 0x30"},
        31,
        50,
        {"upstream": "a"},
        "100%",
    ),
    (
        "RingwallNodeFull",
        {
            'ringwall_upstream_places{upstream="a"}': "10x5 95x10",
            'ringwall_upstream_max_places{upstream="a"}': "100x15",
            'ringwall_upstream_places{upstream="b"}': "1000x15",
            'ringwall_upstream_limit_reached_total{upstream="b"}': "0x15",
        },
        9,
        12,
        {"upstream": "a"},
        "",
    ),
    (
        "RingwallAnswersSlowly",
        {
            'ringwall_call_duration_seconds_bucket{class="cheap",le="0.5"}': "0x60",
            'ringwall_call_duration_seconds_bucket{class="cheap",le="1"}': "0+100x60",
            'ringwall_call_duration_seconds_bucket{class="cheap",le="+Inf"}': "0+100x60",
            'ringwall_call_duration_seconds_bucket{class="heavy",le="0.5"}': "0x60",
            'ringwall_call_duration_seconds_bucket{class="heavy",le="1"}': "0+100x60",
            'ringwall_call_duration_seconds_bucket{class="heavy",le="+Inf"}': "0+100x60",
        },
        10,
        15,
        {"class": "cheap"},
        "995ms",
    ),
    (
        "RingwallBusy",
        {
            'ringwall_loop_seconds_total{part="handlers",shard="0"}': "0+37x60",
            'ringwall_loop_seconds_total{part="kernel",shard="0"}': "0+20x60",
            'ringwall_loop_seconds_total{part="idle",shard="0"}': "0+3x60",
            'ringwall_loop_seconds_total{part="handlers",shard="1"}': "0+30x60",
            'ringwall_loop_seconds_total{part="kernel",shard="1"}': "0+20x60",
            'ringwall_loop_seconds_total{part="idle",shard="1"}': "0+10x60",
        },
        10,
        15,
        {"shard": "0"},
        "95%",
    ),
    (
        "RingwallOutOfMemoryBounds",
        {
            'ringwall_backlog_full_total{shard="0"}': "0x5 1+1x20",
            'ringwall_assembly_full_total{shard="0"}': "0x30",
            'ringwall_backlog_dropped_connections_total{shard="0"}': "0x30",
        },
        9,
        15,
        {},
        "",
    ),
    ("RingwallAcceptsNoMore", {'ringwall_accept_pauses_total{shard="0"}': "0x5 1+1x20"}, 6, 10, {}, ""),
    (
        "RingwallHandshakesFail",
        {
            'ringwall_tls_handshakes_total{version="TLSv1.3",suite="AES_128_GCM",result="full"}': "0+40x60",
            'ringwall_tls_handshakes_total{version="",suite="",result="bad_certificate"}': "0+60x60",
        },
        10,
        15,
        {},
        "60%",
    ),
    (
        "RingwallRefusesMuch",
        {
            'ringwall_limit_refusals_total{limit="connection_units"}': "0+150x60",
            'ringwall_calls_total{method="system_health",verdict="forwarded"}': "0+450x60",
            'ringwall_calls_total{method="system_health",verdict="over_limit"}': "0+150x60",
        },
        15,
        20,
        {},
        "25%",
    ),
    ("RingwallLogDropped", {"ringwall_log_lines_dropped_total": "0x5 9x20"}, 5, 10, {}, "9"),
    ("RingwallReloadRefused", {'ringwall_reloads_total{result="refused"}': "0x5 1x20"}, 5, 10, {"result": "refused"}, ""),
]


def test_each_alert_is_raised_by_one_of_the_cases():
    assert [row[0] for row in RAISED] == [rule["alert"] for rule in alerts()]


def with_instance(series):
    name, _, labels = series.rstrip("}").partition("{")
    return name + '{instance="i"' + ("," + labels if labels else "") + "}"


def annotations(rule, labels, value):
    """As Prometheus fills them in."""

    def filled(match):
        word = match.group(1)
        return value if word.startswith("$value") else labels[word.removeprefix("$labels.")]

    return {key: re.sub(r"\{\{ (.*?) \}\}", filled, text) for key, text in rule["annotations"].items()}


@pytest.mark.parametrize("name, series, not_yet, raised, more, value", RAISED, ids=[row[0] for row in RAISED])
def test_an_alert_is_raised_when_it_should_be_and_not_before(name, series, not_yet, raised, more, value, tmp_path):
    (rule,) = [row for row in alerts() if row["alert"] == name]
    labels = {"instance": "i", **more}
    expected = {"exp_labels": {**labels, **rule["labels"]}, "exp_annotations": annotations(rule, labels, value)}
    case = {
        "interval": "1m",
        "input_series": [{"series": with_instance(key), "values": values} for key, values in series.items()],
        "alert_rule_test": [
            {"eval_time": f"{not_yet}m", "alertname": name, "exp_alerts": []},
            {"eval_time": f"{raised}m", "alertname": name, "exp_alerts": [expected]},
        ],
    }
    tests = {"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": [case]}
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(tests))
    done = promtool("test", "rules", tmp_path / "tests.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_cases_are_made_of_series_that_ringwall_has(worked, admin):
    def named(name, labels):
        return name, tuple(sorted(re.findall(r'(\w+)="', labels or "")))

    told = {named(*found) for found in SAMPLE.findall(admin.metrics_text())}
    made = {named(*series.rstrip("}").partition("{")[::2]) for row in RAISED for series in row[1]}
    assert made - told == {("up", ("job",))}
