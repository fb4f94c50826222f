#!/usr/bin/env python3
"""Runs each benchmark of a program for a moment: run_once.py PROGRAM [ARGUMENT...]. Ends with 1 where one fails.

Google Benchmark's own exit status does not tell that a benchmark has found a wrong answer.
"""
import json
import subprocess
import sys

ABSENT = "not in this build"


def main():
    command = [*sys.argv[1:], "--benchmark_min_time=0.001", "--benchmark_format=json"]
    ran = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if ran.returncode != 0:
        print(f"{ran.stdout[-2000:]}\n{ran.stderr}\n{' '.join(command)} ended with {ran.returncode}")
        return 1
    rows = json.loads(ran.stdout)["benchmarks"]
    wrong = [f"{row['name']}: {row['error_message']}" for row in rows
             if row.get("error_occurred") and row["error_message"] != ABSENT]
    print("\n".join(wrong))
    print(f"{len(rows) - len(wrong)} passed, {len(wrong)} failed")
    return 1 if wrong or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
