#!/usr/bin/env python3
"""What tools/test counts: a failure is never lost, whatever form it comes in."""
import contextlib
import io
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "lib"))
import run_tests

CATCH_PASSED = "Filters: x\n====\nAll tests passed (3,456 assertions in 27 test cases)\n"
CATCH_FAILED = "test cases:  27 |  25 passed |  2 failed\nassertions: 100 | 97 passed | 3 failed\n"
UNITTEST = "Ran 9 tests in 0.1s\n\nFAILED (failures=1, errors=2, skipped=1)\n"


def counted(result, stdout="", stderr=""):
    count = run_tests.count_meson_test({"name": "t", "result": result, "stdout": stdout, "stderr": stderr})
    return count.passed, count.failed, count.skipped


class Counting(unittest.TestCase):
    def test_a_program_that_counts_is_believed(self):
        self.assertEqual(counted("OK", CATCH_PASSED), (27, 0, 0))
        self.assertEqual(counted("FAIL", CATCH_FAILED), (25, 2, 0))
        self.assertEqual(counted("FAIL", "", UNITTEST), (5, 3, 1))
        self.assertEqual(counted("OK", "seed 7\n1000 passed, 0 failed\n"), (1000, 0, 0))
        self.assertEqual(counted("FAIL", "998 passed, 2 failed, 1 skipped\n"), (998, 2, 1))

    def test_a_program_that_does_not_count_is_one_test(self):
        self.assertEqual(counted("OK", "done"), (1, 0, 0))
        self.assertEqual(counted("FAIL", "oops"), (0, 1, 0))

    def test_a_crash_or_timeout_after_a_good_count_is_a_failure(self):
        self.assertEqual(counted("FAIL", CATCH_PASSED, "LeakSanitizer: detected memory leaks"), (27, 1, 0))
        self.assertEqual(counted("TIMEOUT", "12 passed, 0 failed\n"), (12, 1, 0))
        self.assertEqual(counted("ERROR"), (0, 1, 0))

    def test_a_skip_carries_its_reason(self):
        count = run_tests.count_meson_test({"name": "ktls", "result": "SKIP", "stdout": "no tls module\n"})
        self.assertEqual((count.skipped, count.reasons), (1, ["ktls: no tls module"]))

    def test_the_closing_line_names_skips_only_if_there_are_some(self):
        self.assertEqual(run_tests.Count(3, 0).line(), "3 passed, 0 failed")
        self.assertEqual(run_tests.Count(3, 1, 2).line(), "3 passed, 1 failed, 2 skipped")

    def test_a_machine_that_ends_without_a_report_or_otherwise_than_it_says_is_a_failure(self):
        def judged(status, cases=None):
            with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
                report = pathlib.Path(folder, "report.xml")
                if cases is not None:
                    report.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
                count = run_tests.judge_e2e("machine 1", status, report)
                return count.passed, count.failed, count.skipped

        good, bad = '<testcase classname="a" name="b"/>', '<testcase classname="a" name="c"><failure/></testcase>'
        self.assertEqual(judged(0), (0, 1, 0))
        self.assertEqual(judged(124), (0, 1, 0))
        self.assertEqual(judged(0, good), (1, 0, 0))
        self.assertEqual(judged(1, good), (1, 1, 0))
        self.assertEqual(judged(1, good + bad), (1, 1, 0))
        self.assertEqual(judged(0, ""), (0, 1, 0))


if __name__ == "__main__":
    unittest.main()
