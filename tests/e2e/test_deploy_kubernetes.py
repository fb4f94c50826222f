"""deploy/kubernetes: what kustomize makes of it is what Kubernetes takes, and what Ringwall takes."""

import functools
import json
import re
import shutil
import subprocess

import pytest

from harness import allow_list, client
from harness.node_script import run_script
from harness.programs import ROOT, run_ringwall

yaml = pytest.importorskip("yaml", reason="Debian's python3-yaml is missing")
FOLDER = ROOT / "deploy" / "kubernetes"
PROFILE = FOLDER / "seccomp" / "ringwall.json"
VARIANTS = ["base", "overlays/port-443", "overlays/pod-network", "seccomp"]
OF_RINGWALL = VARIANTS[:3]


@functools.cache
def built(variant):
    """The objects that `kubectl apply -k` would send."""
    command = ["kustomize", "build"] if shutil.which("kustomize") else ["kubectl", "kustomize"]
    if not shutil.which(command[0]):
        pytest.skip("neither kustomize nor kubectl is here")
    done = subprocess.run([*command, FOLDER / variant], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return [row for row in yaml.safe_load_all(done.stdout) if row]


def only(variant, kind):
    (found,) = [row for row in built(variant) if row["kind"] == kind]
    return found


def pod(variant):
    return only(variant, "DaemonSet")["spec"]["template"]["spec"]


def container(variant):
    (found,) = pod(variant)["containers"]
    return found


def environment(variant):
    return {row["name"]: row["value"] for row in container(variant).get("env", [])}


@pytest.mark.parametrize("variant", VARIANTS)
def test_kubernetes_schemas_are_met(javascript, variant, tmp_path):
    (tmp_path / "objects.json").write_text(json.dumps(built(variant)))
    seen = run_script("kubernetes", tmp_path / "objects.json")
    assert len(seen) == len(built(variant))
    assert [row for row in seen if "problem" in row] == []


@pytest.mark.parametrize("field, value", [("hostNetwork", "yes"), ("hostNetwrk", True)])
def test_a_wrong_value_and_an_unknown_field_would_be_found(javascript, tmp_path, field, value):
    wrong = json.loads(json.dumps(only("base", "DaemonSet")))
    wrong["spec"]["template"]["spec"][field] = value
    (tmp_path / "objects.json").write_text(json.dumps([wrong]))
    (seen,) = run_script("kubernetes", tmp_path / "objects.json")
    assert field in seen["problem"]


@pytest.fixture
def as_mounted(tmp_path, authority):
    """as_mounted(variant) lays the volumes of the pod below a folder, and returns the arguments that lead there."""

    def lay(variant):
        (config,) = [row for row in built(variant) if row["kind"] == "ConfigMap"]
        mounts = {row["name"]: tmp_path / row["mountPath"].lstrip("/") for row in container(variant)["volumeMounts"]}
        for folder in mounts.values():
            folder.mkdir(parents=True, exist_ok=True)
        pair = authority.issue("rpc.example.com")
        shutil.copy(pair.cert, mounts["tls"] / "tls.crt")
        shutil.copy(pair.key, mounts["tls"] / "tls.key")
        (mounts["tls"] / "tls.key").chmod(0o440)
        for name, text in config["data"].items():
            (mounts["config"] / name).write_text(text.replace("/etc/ringwall/", f"{tmp_path}/etc/ringwall/"))
        return [word.replace("/etc/ringwall/", f"{tmp_path}/etc/ringwall/") for word in container(variant)["args"]]

    return lay


@pytest.mark.parametrize("variant", OF_RINGWALL)
def test_every_argument_variable_and_file_is_what_ringwall_takes(as_mounted, variant):
    variables = environment(variant)
    if "RINGWALL_SERVER_USER" in variables:
        variables["RINGWALL_SERVER_USER"] = "nobody"  # the image's account is not this machine's
    done = run_ringwall("check", *as_mounted(variant), env=variables)
    assert done.returncode == 0 and "good: 1 listener, 1 upstream" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("variant", OF_RINGWALL)
def test_ports_and_probes_are_those_that_it_listens_on(variant):
    row = container(variant)
    (config,) = [row for row in built(variant) if row["kind"] == "ConfigMap"]
    address = environment(variant).get("RINGWALL_LISTENER_0_ADDRESS") or re.search(
        r'address = "(.*)"', config["data"]["ringwall.toml"]
    ).group(1)
    ports = {port["name"]: port["containerPort"] for port in row["ports"]}
    assert address == f"*:{ports['wss']}"
    admin_host, _, admin_port = row["args"][row["args"].index("--admin") + 1].rpartition(":")
    for probe, path in (("startupProbe", "/health"), ("livenessProbe", "/health"), ("readinessProbe", "/ready")):
        asked = row[probe]["httpGet"]
        assert asked["path"] == path
        assert str(ports.get(asked["port"], asked["port"])) == admin_port
        assert asked.get("host", "0.0.0.0") == admin_host
    # A probe of the kubelet's reaches the host's loopback, and a pod's address only from outside of it.
    assert (admin_host == "127.0.0.1") == bool(pod(variant).get("hostNetwork"))


@pytest.mark.parametrize("variant", OF_RINGWALL)
def test_a_pod_has_the_least_privileges(variant):
    spec, row = pod(variant), container(variant)
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["seccompProfile"] == {"type": "Localhost", "localhostProfile": PROFILE.name}
    context = row["securityContext"]
    assert context["allowPrivilegeEscalation"] is False and context["readOnlyRootFilesystem"] is True
    assert context["capabilities"]["drop"] == ["ALL"]
    if variant == "overlays/port-443":
        assert set(context["capabilities"]["add"]) == {"NET_BIND_SERVICE", "SETUID", "SETGID"}
        assert environment(variant)["RINGWALL_SERVER_USER"]
    else:
        assert "add" not in context["capabilities"]
        assert spec["securityContext"]["runAsNonRoot"] is True and spec["securityContext"]["runAsUser"] > 0


def timeout_ms(config, name):
    """As the ConfigMap sets it, or Ringwall's own."""
    text = config["data"]["ringwall.toml"] + run_ringwall("config").stdout
    number, unit = re.search(rf'^(?:# )?{name} = "(\d+)(ms|s)"', text, re.M).groups()
    return int(number) * {"ms": 1, "s": 1000}[unit]


@pytest.mark.parametrize("variant", OF_RINGWALL)
def test_a_pod_has_the_time_to_drain_and_readiness_is_seen_to_fail_before(variant):
    (config,) = [row for row in built(variant) if row["kind"] == "ConfigMap"]
    delay_ms, drain_ms, stop_ms = (timeout_ms(config, name) for name in ("drain_delay_ms", "drain_ms", "stop_ms"))
    assert delay_ms > 0 and drain_ms > 0 and stop_ms > 0
    assert pod(variant)["terminationGracePeriodSeconds"] * 1000 >= delay_ms + drain_ms + stop_ms + 10_000
    probe = container(variant)["readinessProbe"]
    # One failure is not believed (failureThreshold), and then others have to hear of it.
    assert delay_ms >= probe["periodSeconds"] * 1000 * probe["failureThreshold"]


def test_only_ringwall_reaches_the_node_and_only_by_its_port():
    policies = {row["metadata"]["name"]: row["spec"] for row in built("overlays/pod-network") if row["kind"] == "NetworkPolicy"}
    labels = only("overlays/pod-network", "DaemonSet")["spec"]["template"]["metadata"]["labels"]
    rpc = [row for row in policies["polkadot-node-rpc"]["ingress"] if any(p["port"] == 9944 for p in row["ports"])]
    assert [row["from"] for row in rpc] == [[{"podSelector": {"matchLabels": labels}}]]


def test_the_profile_holds_all_that_ringwall_allows_itself():
    text = (ROOT / "src/server/confine_calls.cc").read_text()
    listed = re.search(r"constexpr int allowed\[\] = \{(.*?)\n\};", text, re.S).group(1)
    own = set(re.findall(r"SCMP_SYS\((\w+)\)", listed))
    names = {name for row in json.loads(PROFILE.read_text())["syscalls"] for name in row["names"]}
    assert len(own) > 100 and own <= names, own - names
    assert not names & {"ptrace", "bpf", "mount", "unshare", "setns", "keyctl", "perf_event_open", "clone3"}


def test_ringwall_starts_and_serves_under_the_profile(cast, echo_node, monkeypatch, unsanitized):
    try:
        allow_list.library()
    except OSError:
        pytest.skip("libseccomp is missing")
    under = "import os, sys; from pathlib import Path; from harness import allow_list; "
    under += "os.environ.pop('PYTHONPATH'); allow_list.put_on(Path(sys.argv[1])); os.execv(sys.argv[2], sys.argv[2:])"
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests" / "e2e"))
    server = cast.ringwall(echo_node, through=["/usr/bin/python3", "-B", "-c", under, str(PROFILE)])
    with client.websocket(server.port) as stream:
        stream.send_frame(2, client.message_of(1 << 16))
        assert stream.read_message() == (2, client.message_of(1 << 16))
    assert "system calls by a filter" in server.wait_for_log("confined: ")
