#!/usr/bin/env python3
"""Builds the oracle with the distribution's crates, offline, and compares the inspector with it.

    run.py COMPARE FOLDER      FOLDER is where the oracle is built

Exits 77, after a line why, where Rust or the crates are missing.
"""
import os
import pathlib
import shutil
import subprocess
import sys

REGISTRY = pathlib.Path("/usr/share/cargo/registry")
SKIPPED = 77


def missing():
    if cargo() is None:
        return "no cargo (Debian: cargo)"
    for crate, package in (("serde_json", "librust-serde-json-dev"), ("serde_derive", "librust-serde-derive-dev")):
        if not any(REGISTRY.glob(crate + "-[0-9]*")):
            return f"no crate {crate} in {REGISTRY} (Debian: {package})"
    return None


def cargo():
    """The distribution's, which fits its crates, before any other."""
    return shutil.which("cargo", path="/usr/bin") or shutil.which("cargo")


def build(folder):
    """A copy is built, since Cargo writes a lock file beside its manifest."""
    source = pathlib.Path(__file__).resolve().parent / "oracle"
    shutil.copytree(source, folder, dirs_exist_ok=True)
    (folder / ".cargo").mkdir(exist_ok=True)
    (folder / ".cargo" / "config.toml").write_text(
        '[source.crates-io]\nreplace-with = "distribution"\n'
        f'[source.distribution]\ndirectory = "{REGISTRY}"\n')
    path = os.pathsep.join(["/usr/bin", os.environ.get("PATH", "")])
    built = subprocess.run([cargo(), "build", "--release", "--offline", "--quiet"], cwd=folder,
                           env=os.environ | {"PATH": path, "CARGO_HOME": str(folder / "home")}, check=False)
    return folder / "target" / "release" / "oracle" if built.returncode == 0 else None


def main():
    compare, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    if why := missing():
        print(why)
        return SKIPPED
    oracle = build(folder)
    if oracle is None:
        return 1
    return subprocess.run([compare, str(oracle)], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
