#!/usr/bin/env python3
"""What the measurements of bench/e2e do where they cannot measure, or are told to end."""
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TCP_ULP = 31


def measurement(script):
    words = [sys.executable, "-B", "-c", f"import sys; sys.path.insert(0, 'bench/e2e'); import stage; {script}"]
    return subprocess.Popen(words, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def kernel_has_tls():
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as stream:
        try:
            stream.setsockopt(socket.IPPROTO_TCP, TCP_ULP, b"tls")
        except OSError:
            return False
    return True


class Told(unittest.TestCase):
    def test_a_load_that_ends_with_1_is_told_with_what_was_not_held(self):
        report = {"thresholds": [{"threshold": "p99 at most 50 ms", "found": "61.2 ms", "held": False},
                                 {"threshold": "errors at most 1 %", "found": "0.1 %", "held": True}],
                  "troubles": {"by_kind": {"answer_lost": 2, "tls": 0}}, "remarks": ["This machine was busy."], "seconds": [0] * 500}
        running = measurement(f"import json, load, subprocess; done = subprocess.CompletedProcess([], 1, json.dumps({report!r}), ''); "
                              "print(load.said_by(done)); print(load.said_by(subprocess.CompletedProcess([], 1, '', ' no such file ')))")
        said, complaints = running.communicate(timeout=30)
        self.assertEqual(complaints, "")
        self.assertEqual(said.splitlines(), ['p99 at most 50 ms: 61.2 ms; This machine was busy.; {"answer_lost": 2}', "no such file"])


class Ends(unittest.TestCase):
    def test_what_was_started_ends_with_a_measurement_that_is_told_to(self):
        with tempfile.TemporaryDirectory() as folder:
            running = measurement(f"import pathlib, signal; print(stage.Program('sleep', ['sleep', '60'], pathlib.Path({folder!r})).pid, "
                                  "flush=True); signal.pause()")
            program = int(running.stdout.readline())
            os.kill(program, 0)
            running.terminate()
            running.communicate(timeout=30)
            self.assertEqual(running.returncode, 128 + signal.SIGTERM)
            with self.assertRaises(ProcessLookupError):
                os.kill(program, 0)

    def test_a_kernel_without_tls_is_told_in_one_line(self):
        said = measurement("stage.need_kernel_tls()")
        _, error = said.communicate(timeout=30)
        if kernel_has_tls():
            self.assertEqual((said.returncode, error), (0, ""))
        else:
            self.assertEqual((said.returncode, len(error.splitlines())), (1, 1), error)
            self.assertIn("tools/kernel", error)


if __name__ == "__main__":
    unittest.main()
