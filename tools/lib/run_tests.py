"""Runs test suites of builds that are there, adds up what each test program counted, prints the closing line.

    run_tests.py NAME...

A program's own count is taken from its output where it gives one: Catch2's and unittest's closing lines, or the plain
`N passed, N failed`. Otherwise a program is one test. Called by tools/test.
"""
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
MACHINE_SECONDS_MAX = 1500
SLOW = {"E2E_PATIENCE": "4"}


@dataclasses.dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    reasons: list = dataclasses.field(default_factory=list)

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.reasons += other.reasons

    def line(self):
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")


def counted_by_the_program(output):
    """What the program itself says it ran, or None."""
    if found := re.findall(r"^All tests passed \(.* in (\d+) test cases?\)", output, re.M):
        return Count(passed=int(found[-1]))
    if found := re.findall(r"^test cases: +(\d+) .*?(?:\| *(\d+) failed)?$", output, re.M):
        failed = int(found[-1][1] or 0)
        return Count(int(found[-1][0]) - failed, failed)
    if found := re.findall(r"^Ran (\d+) tests? in .*\n\n(?:OK|FAILED)(.*)$", output, re.M):
        ran, rest = found[-1]
        number = lambda word: int((re.search(word + r"=(\d+)", rest) or [0, 0])[1])
        failed, skipped = number("failures") + number("errors"), number("skipped")
        return Count(int(ran) - failed - skipped, failed, skipped, [f"{skipped} by unittest"] if skipped else [])
    if found := re.findall(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", output, re.M):
        return Count(*(int(number or 0) for number in found[-1]))
    return None


def count_meson_test(entry):
    name, result = entry["name"], entry["result"]
    output = entry.get("stdout", "") + entry.get("stderr", "")
    if result == "SKIP":
        lines = output.strip().splitlines()
        return Count(skipped=1, reasons=[f"{name}: {lines[-1] if lines else 'gave no reason'}"])
    count = counted_by_the_program(output)
    if result == "OK":
        return count if count and not count.failed else Count(passed=1)
    # A crash or a timeout comes before, or on top of, what the program could still count.
    return count if count and count.failed else Count(passed=count.passed if count else 0, failed=1)


def run_meson(build, *arguments, under=()):
    log = BUILD / build / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    command = [*under, "meson", "test", "-C", str(BUILD / build), "--no-rebuild", "--print-errorlogs", *arguments]
    status = subprocess.run(command, stdin=subprocess.DEVNULL).returncode
    count = Count()
    if log.exists():
        for line in log.read_text(errors="replace").splitlines():
            count.add(count_meson_test(json.loads(line)))
    if count.passed + count.failed + count.skipped == 0:
        print(f"no test ran in build/{build}: meson test ended with {status}")
        count.failed = 1
    elif status != 0 and not count.failed:
        print(f"meson test ended with {status}, though no test failed")
        count.failed = 1
    return count


def count_junit(report):
    count = Count()
    for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            count.failed += 1
        elif skipped is not None:
            count.add(Count(skipped=1, reasons=[f"{name}: {skipped.get('message')}"]))
        else:
            count.passed += 1
    return count


def fresh_report(name):
    report = BUILD / "log" / f"{name}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    return report


def judge_e2e(what, status, report):
    """What pytest counted, and a failure on top where its end does not go with that."""
    count = count_junit(report) if report.exists() else Count()
    if (status != 0 and not count.failed) or count.passed + count.failed + count.skipped == 0:
        print(f"{what} ended with {status}")
        count.failed += 1
    return count


def run_e2e(build, *arguments):
    report = fresh_report(f"e2e-{build}")
    command = [str(ROOT / "tests/e2e/run"), "--build", str(BUILD / build), "--junit", str(report), *arguments]
    status = subprocess.run(command, stdin=subprocess.DEVNULL, env={**os.environ, **SLOW}).returncode
    return judge_e2e(f"tests/e2e/run on build/{build}", status, report)


def install_npm_packages():
    """Before tests that have no network, or that run beside others which would install them too."""
    subprocess.run([str(ROOT / "tests/e2e/run"), "--version"], stdin=subprocess.DEVNULL)


def run_e2e_kernel(suite, machines, options, *arguments):
    """In machines side by side, each with its share of the tests; the tools/kernel that they are made by gets `options`."""
    tool, run = [str(ROOT / "tools" / "kernel"), *options], str(ROOT / "tests/e2e/run")
    fetched = subprocess.run([*tool, "--fetch"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if fetched.returncode != 0:
        reason = (fetched.stderr.strip().splitlines() or ["tools/kernel --fetch gave no reason"])[-1]
        return Count(skipped=1, reasons=[f"{suite}: {reason}"])
    install_npm_packages()
    numbers = range(1, machines + 1)
    reports = [fresh_report(f"{suite}-{number}") for number in numbers]
    started = []
    for number, report in zip(numbers, reports):
        command = [*tool, "--writable", str(report.parent), "--time-limit", str(MACHINE_SECONDS_MAX), run, "--offload", "kernel"]
        command += ["--junit", str(report), "--shard", f"{number}/{machines}", *arguments]
        started.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True, errors="replace", env={**os.environ, "TERM": "dumb", **SLOW}))
    with concurrent.futures.ThreadPoolExecutor(machines) as threads:
        list(threads.map(print_lines, started, numbers))
    count = Count()
    for number, machine, report in zip(numbers, started, reports):
        count.add(judge_e2e(f"machine {number}", machine.wait(), report))
    return count


def print_lines(machine, number):
    for line in machine.stdout:
        print(f"[{number}] {line}", end="", flush=True)


def without(*patterns):
    return [f"--ignore-glob={pattern}" for pattern in patterns]


# ThreadSanitizer needs its shadow memory where address randomisation may have put a library: hence setarch.
SUITES = {
    "unit": ("unit, simulation, lint, each benchmark for a moment", lambda: run_meson("release", "--no-suite", "fuzz")),
    "asan": ("unit and simulation under AddressSanitizer and UndefinedBehaviorSanitizer",
             lambda: run_meson("asan", "--suite", "unit", "--suite", "sim", "--timeout-multiplier", "4")),
    "tsan": ("units with threads, under ThreadSanitizer",
             lambda: run_meson("tsan", "admin", "log", "quota", "tls", "upstream", "--timeout-multiplier", "8",
                               under=("setarch", "-R"))),
    "fuzz": ("each fuzz target: its corpus, and 10 s of new inputs", lambda: run_meson("fuzz", "--suite", "fuzz")),
    "e2e": ("end to end", lambda: run_e2e("release")),
    "e2e-asan": ("end to end under AddressSanitizer and UndefinedBehaviorSanitizer",
                 lambda: run_e2e("asan", *without("test_deploy*", "test_certbot*"))),
    # Not what never sees who makes the records: the load tool, what is deployed, what is told and asked, whom nodes get.
    "e2e-kernel": ("end to end, TLS by the kernel of this distribution",
                   lambda: run_e2e_kernel("e2e-kernel", 2, [], *without(
                       "test_bench*", "test_deploy*", "test_admin*", "test_certbot*", "test_ctl*", "test_health*", "test_logs*",
                       "test_metrics*", "test_outage*", "test_silent*", "test_upgrade_*", "test_upstreams*"))),
    "e2e-forky": ("end to end, TLS by a kernel that takes keys again",
                  lambda: run_e2e_kernel("e2e-forky", 2, ["--suite", "forky"])),
    "e2e-qemu": ("TLS itself, by an ordinary kernel on two processors",
                 lambda: run_e2e_kernel("e2e-qemu", 1, ["--qemu"], "test_tls.py")),
    # Where threads meet: shards that start, serve and stop, the resolver, ticket keys, letters to shards, the log.
    "e2e-tsan": ("end to end under ThreadSanitizer, where threads meet",
                 lambda: run_e2e("tsan", "test_stopping.py", "test_admin.py", "test_drain.py", "test_reload.py",
                                 "test_silent_node.py", "test_upgrade.py")),
}


def run_suite(name):
    title, run = SUITES[name]
    print(f"\n== {name}: {title}", flush=True)
    start = time.monotonic()
    count = run()
    return count, f"{name:10} {count.line()} ({time.monotonic() - start:.0f} s)"


def main():
    names, total, summary = sys.argv[1:], Count(), []
    # These wait most of the time, and not for each other.
    beside = {"e2e", "e2e-kernel", "e2e-asan"} & set(names)
    with concurrent.futures.ThreadPoolExecutor(3) as threads:
        running = {}
        for name in names:
            if name in beside and not running:
                install_npm_packages()
                running = {other: threads.submit(run_suite, other) for other in names if other in beside}
            count, line = running[name].result() if name in running else run_suite(name)
            total.add(count)
            summary.append(line)
            sys.stdout.flush()
    print("\n== summary")
    print("\n".join(summary))
    for reason in total.reasons:
        print(f"skipped: {reason}")
    print(total.line(), flush=True)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
