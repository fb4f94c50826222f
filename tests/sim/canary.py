#!/usr/bin/python3
"""Plants a bug at a time in a copy of the sources, and wants the simulation of sessions to find it.

    canary.py BUILD [NAME...]

BUILD is a configured build folder, of which the compiler options are taken. A simulation that misses a planted bug, and a
bug whose place in the sources has gone, fail. Prints `N passed, N failed`.
"""
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEEDS = "600"

# Name: file, what stands there, what is planted.
CANARIES = {
    "a short send is counted one byte too far": (
        "src/connection/send.cc", "piece.remove_prefix(bytes);", "piece.remove_prefix(bytes + (piece.size() > bytes + 1));"),
    "what waits for a reader is lost": (
        "src/connection/send.cc", "first = pieces.erase(first + 1, last);", "first = pieces.erase(first, last);"),
    "a socket is closed under a receive in flight": (
        "src/connection/connection.cc", "return {&receive_, &send_, &connect_,", "return {&send_, &send_, &connect_,"),
    "a paused receive is never resumed": (
        "src/connection/receive.cc", "  paused_ = false;\n  receive_again();", "  paused_ = true;"),
    "a receive that ran out of buffers is not started again": (
        "src/connection/receive.cc", "_ == 0) ended(End::fin);\n  } else {\n    receive_failed(-result);\n",
        "_ == 0) ended(End::fin);\n  } else {\n    receive_failed(-result);\n    if (result == -ENOBUFS) return;\n"),
    "a frame of ours goes inside one of the node": (
        "src/session/relay.cc", "  if (!relay_->frames.at_frame_boundary()) return;\n", ""),
    "a Close follows a frame cut short": (
        "src/session/closing.cc", "if (!relay_->frames.at_frame_boundary()) return cut(reason);", ""),
    "what a client says before the 101 is lost": (
        "src/session/upgrade.cc", "std::string early = std::exchange(input_, {});", "input_.clear();\n  std::string early;"),
    "a submission is sent again": (
        "src/session/exchange.cc", 'return body.find("author_") != std::string_view::npos ||', "return"),
    "an answer cut short looks whole": (
        "src/session/exchange.cc", "  cut(reason);\n", '  if (request_->answer_in_chunks) client_.send_copy(http::last_chunk);\n  cut(reason);\n'),
    "memory of a forwarded message stays charged": (
        "src/session/assembly_budget.cc", "scope.used - before + now;", "scope.used - before + now + (before > 5000 && now == 0);"),
}


def quiet(command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL, **options)
    return done.returncode, done.stdout


def built(tree):
    status, output = quiet(["ninja", "-C", str(tree / "build"), "tests/sim/sim_session_test"])
    if status != 0:
        sys.exit(f"the simulation does not build:\n{output[-3000:]}")


def copy_sources(tree):
    """Only what has changed is written, so that a second run builds little."""
    sources = [path for path in ROOT.iterdir() if path.is_file()]
    for base in ("include", "src", "tests", "tools", "bench", "deploy", "docs"):
        for folder, folders, names in os.walk(ROOT / base):
            folders[:] = set(folders) - {"node_modules", "corpus", "target", "__pycache__"}
            sources += (pathlib.Path(folder, name) for name in names)
    for source in sources:
        target = tree / source.relative_to(ROOT)
        if target.exists() and target.read_bytes() == source.read_bytes():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def configure(tree, build):
    if (tree / "build/build.ninja").exists():
        return
    _, introspected = quiet(["meson", "introspect", "--buildoptions", str(build)])
    import json
    path = next(option["value"] for option in json.loads(introspected) if option["name"] == "pkg_config_path")
    status, output = quiet(["meson", "setup", str(tree / "build"), str(tree), "--buildtype=plain", "-Doptimization=1",
                            "-Dpkg_config_path=" + ",".join(path)])
    if status != 0:
        sys.exit(f"the copy does not configure:\n{output[-3000:]}")


def is_caught(tree):
    environment = {**os.environ, "RINGWALL_SIM_SEEDS": SEEDS}
    try:
        status, output = quiet([str(tree / "build/tests/sim/sim_session_test"), "[seeds]"], env=environment, timeout=300)
    except subprocess.TimeoutExpired:
        return True, "it did not end"
    said = next((line for line in output.splitlines() if line.startswith("simulation:") or "check failed" in line), output[:100])
    return status != 0, said


def main():
    build, names = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:] or list(CANARIES)
    tree = ROOT / "build/canary"
    copy_sources(tree)
    configure(tree, build)
    built(tree)
    if (caught := is_caught(tree))[0]:
        sys.exit(f"without a planted bug the simulation fails: {caught[1]}")
    passed = failed = 0
    for name in names:
        file, found, planted = CANARIES[name]
        text = (tree / file).read_text()
        if text.count(found) != 1:
            print(f"FAILED {name}: its place in {file} has gone", flush=True)
            failed += 1
            continue
        (tree / file).write_text(text.replace(found, planted))
        try:
            built(tree)
            caught, said = is_caught(tree)
        finally:
            (tree / file).write_text(text)
        passed, failed = passed + caught, failed + (not caught)
        print(f"caught {name}: {said}" if caught else f"FAILED {name}: not found in {SEEDS} seeds", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
