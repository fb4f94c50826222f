"""What `meson install` puts on a machine: complete, a unit that systemd accepts and thinks little exposed."""

import re
import shutil
import subprocess

import pytest

from harness.programs import ROOT, build_dir, run_ringwall

EXPOSURE_MAX = 1.8  # Of 10; a service without a sandbox has 9.6.


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder that it was installed below."""
    if not (build_dir() / "meson-info").is_dir():
        pytest.skip(f"{build_dir()} is no folder of meson's")
    root = tmp_path_factory.mktemp("installed")
    command = ["meson", "install", "-C", build_dir(), "--no-rebuild", "--quiet", "--destdir", root]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return root


def analyze(*arguments):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is missing")
    return subprocess.run(
        ["systemd-analyze", *map(str, arguments)], capture_output=True, text=True, timeout=60, env={"PATH": "/usr/bin:/bin"}
    )


@pytest.fixture
def unit(installed, tmp_path):
    """The unit as installed, but for the folder that it was installed below."""
    (found,) = installed.rglob("ringwall.service")
    (binary,) = installed.rglob("bin/ringwall")
    path = tmp_path / "ringwall.service"
    path.write_text(re.sub(r"^(ExecStart|ExecReload)=\S+", rf"\1={binary}", found.read_text(), flags=re.M))
    return path


def test_everything_is_installed_and_an_edited_configuration_stays(installed):
    names = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
    # In /etc, unless the build was set up otherwise.
    (config,) = installed.rglob("etc/ringwall/ringwall.toml")
    for ending in ("bin/ringwall", "bin/ringwall-bench", "systemd/system/ringwall.service", "sysusers.d/ringwall.conf"):
        assert any(name.endswith(ending) for name in names), (ending, names)
    assert run_ringwall("check", "--config", config).returncode == 0
    config.write_text("# mine\n")
    command = ["meson", "install", "-C", build_dir(), "--no-rebuild", "--quiet", "--destdir", installed]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    assert config.read_text() == "# mine\n"
    assert config.with_name("ringwall.toml.sample").read_text() == (ROOT / "deploy/ringwall.toml").read_text()


def test_the_unit_runs_what_is_installed(installed):
    (found,) = installed.rglob("ringwall.service")
    command = re.search(r"^ExecStart=(.*)$", found.read_text(), re.M).group(1).split()
    assert (installed / command[0].lstrip("/")).is_file()
    assert command[1] == "--config" and (installed / command[2].lstrip("/")).is_file()
    user = re.search(r"^User=(.*)$", found.read_text(), re.M).group(1)
    (account,) = installed.rglob("sysusers.d/ringwall.conf")
    assert re.search(rf"^u {user} ", account.read_text(), re.M)


def test_systemd_accepts_the_unit(unit):
    done = analyze("verify", "--man=no", unit)
    complaints = [line for line in done.stderr.splitlines() if "ringwall" in line]
    assert done.returncode == 0 and not complaints, done.stderr


def test_systemd_thinks_it_little_exposed(unit):
    done = analyze("security", "--offline=yes", "--no-pager", f"--threshold={round(EXPOSURE_MAX * 10)}", unit)
    score = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert score, done.stdout + done.stderr
    assert float(score.group(1)) <= EXPOSURE_MAX and done.returncode == 0, done.stdout
