#!/usr/bin/env python3
"""What bench/e2e/compare makes of its rounds, and that it works at all where the peers are installed."""
import collections
import itertools
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench/e2e"))
sys.dont_write_bytecode = True

import chart  # noqa: E402
import load  # noqa: E402
import proxies  # noqa: E402
import report  # noqa: E402
import rounds  # noqa: E402
import stage  # noqa: E402
import workloads  # noqa: E402

COMPARE = ROOT / "bench/e2e/compare"


class Silent:
    def __init__(self):
        self.lines = []

    def tell(self, text):
        pass

    def line(self, text=""):
        self.lines.append(text)


class OfScript:
    """A load whose runs come to what a script says, by server; a text is a trouble."""

    def __init__(self, **script):
        self.script, self.order = {name: list(of) for name, of in script.items()}, []

    def run(self, work, server):
        self.order.append(server)
        found = self.script[server].pop(0)
        if isinstance(found, str):
            raise load.Trouble(found)
        return {"cpu_us": found, "p99_us": 1}


def measure(count, **script):
    servers = {name: name for name in script}
    of_script, silent = OfScript(**script), Silent()
    return rounds.measure(workloads.works(9500)[0], servers, of_script, count, silent), of_script.order, silent.lines


class Rounds(unittest.TestCase):
    def test_each_is_once_at_each_place_and_comes_as_often_after_each_other(self):
        for names, turns in (("ab", 2), ("abc", 6), ("abcd", 4)):
            orders = [rounds.order(list(names), turn) for turn in range(turns)]
            for place in range(len(names)):
                self.assertEqual(sorted(order[place] for order in orders[: len(names)]), sorted(names), names)
            follows = collections.Counter(pair for order in orders for pair in itertools.pairwise(order))
            self.assertEqual(set(follows), set(itertools.permutations(names, 2)), names)
            self.assertEqual(len(set(follows.values())), 1, follows)

    def test_a_work_is_measured_in_that_order(self):
        _, order, _ = measure(3, a=[1, 1, 1], b=[1, 1, 1], c=[1, 1, 1])
        names = ["a", "b", "c"]
        self.assertEqual(order, [*rounds.order(names, 0), *rounds.order(names, 1), *rounds.order(names, 2)])

    def test_a_round_with_a_trouble_counts_for_nobody_and_is_told_and_made_up_for(self):
        done, _, lines = measure(2, a=[7, 1, 2], b=["reset", 3, 4])
        self.assertEqual(rounds.by_server(done, "cpu_us"), {"a": [1, 2], "b": [3, 4]})
        self.assertIn("b: reset", lines[0])

    def test_troubles_without_end_leave_a_row_without_figures(self):
        done, _, _ = measure(2, ringwall=["reset"] * 9, nginx=[1] * 9)
        row = rounds.row("work", "µs", rounds.by_server(done, "cpu_us"), 0.8)
        self.assertEqual(len(done["invalid"]), rounds.INVALID_MAX + 1)
        self.assertNotIn("held", row)
        self.assertEqual(row["servers"], {})


class Rows(unittest.TestCase):
    def test_the_best_peer_has_the_lowest_median_and_the_ratio_is_that_of_the_medians(self):
        values = {"ringwall": [8, 8, 16], "nginx": [10, 5, 20], "haproxy": [9, 30, 30], "caddy": [11, 11, 11]}
        row = rounds.row("work", "µs", values, 0.8)
        self.assertEqual((row["best_peer"], row["ratio"]["of_medians"], row["held"]), ("nginx", 0.8, True))
        self.assertEqual((row["ratio"]["of_rounds"]["min"], row["ratio"]["of_rounds"]["max"]), (0.8, 1.6))

    def test_a_hair_over_the_bar_is_not_held(self):
        self.assertFalse(rounds.row("work", "µs", {"ringwall": [80.1], "nginx": [100]}, 0.8)["held"])
        self.assertTrue(rounds.row("work", "µs", {"ringwall": [80], "nginx": [100]}, 0.8)["held"])
        self.assertTrue(rounds.hold_to(rounds.row("m", "KiB", {"ringwall": [3.0], "nginx": [45]}, None), 3)["held"])
        self.assertFalse(rounds.hold_to(rounds.row("m", "KiB", {"ringwall": [3.004], "nginx": [45]}, None), 3)["held"])


def result():
    rows = {
        "a": rounds.row("small & quick", "µs", {"ringwall": [8.0, 9.0], "nginx": [10.0, 10.0]}, 0.8),
        "b": rounds.row("none", "µs", {"ringwall": [], "nginx": []}, 0.8),
        "c": rounds.row("shards", "µs", {"one shard": [10.0], "two shards": [10.5]}, 1.1, "two shards"),
    }
    machine = {"cpu": "one", "cores": 2, "kernel": "6.1", "load_1min": 0.1, "date": "2026-01-01"}
    more = {"versions": {"ringwall": "1", "nginx": "2"}, "rounds": 2, "pinned": True, "quick": False}
    return {"machine": machine, "rows": rows, **more}


class Told(unittest.TestCase):
    def test_a_markdown_table_has_as_many_cells_in_each_line(self):
        lines = [line for line in report.markdown(result()).splitlines() if line.startswith("|")]
        self.assertEqual({line.count("|") for line in lines}, {lines[0].count("|")})
        self.assertEqual(len(lines), 2 + 3)

    def test_near_a_bar_one_sees_on_which_side_a_figure_is(self):
        self.assertEqual(report.against(0.72, 0.8), "0.72")
        self.assertEqual(report.against(0.8, 0.8), "0.800")
        self.assertEqual(report.against(0.8043, 0.8), "0.804")
        self.assertEqual(report.against(0.80003, 0.8), "0.80003")
        row = rounds.row("work", "µs", {"ringwall": [80.3], "nginx": [100]}, 0.8)
        self.assertEqual((report.ratio(row), report.bar(row)), ("0.803 of nginx", "0.80 NOT HELD"))
        row = rounds.hold_to(rounds.row("memory", "KiB", {"ringwall": [3.004], "nginx": [45]}, None), 3)
        self.assertEqual((report.median(row, "ringwall"), report.bar(row)), ("3.004", "3.00 KiB NOT HELD"))
        self.assertEqual(report.median(row, "nginx"), "45.0")

    def test_a_quick_run_holds_no_bar_and_its_table_says_what_it_is(self):
        quick = result() | {"quick": True}
        self.assertIn("NOT HELD", report.markdown(result()))
        self.assertNotIn("HELD", report.markdown(quick).upper())
        self.assertTrue(report.markdown(quick).startswith("**quick: "))
        row = rounds.row("work", "µs", {"ringwall": [90.0], "nginx": [100]}, 0.8)
        self.assertIn("NOT HELD", report.line(row))
        self.assertNotIn("HELD", report.line(row, quick=True))

    def test_a_row_of_fewer_rounds_says_so(self):
        made = [rounds.row("work", "KiB", {"ringwall": [1.0] * count, "nginx": [2.0] * count}, None) for count in (1, 2, 5)]
        self.assertEqual([report.unit(row, 5) for row in made], ["KiB, one sample", "KiB, 2 rounds", "KiB"])

    def test_the_picture_is_xml_with_a_bar_for_each_figure(self):
        drawn = xml.etree.ElementTree.fromstring(chart.drawing(result()))
        boxes = drawn.iter("{http://www.w3.org/2000/svg}rect")
        bars = [box for box in boxes if box.get("height") == str(chart.BAR - 2)]
        self.assertEqual(len(bars), 2)


class Commit(unittest.TestCase):
    def test_a_program_that_is_older_than_its_source_is_not_told_as_the_trees_commit(self):
        with tempfile.TemporaryDirectory() as folder:
            tree = pathlib.Path(folder)
            subprocess.run(["git", "init", "--quiet", tree], check=True)
            program, source, notes = tree / "build/ringwall", tree / "src/shard/shard.cc", tree / "src/README.md"
            for at, path in ((1000, source), (2000, program), (3000, notes)):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
                os.utime(path, (at, at))
            self.assertFalse(stage.is_older_than_source(program))
            self.assertNotIn("built before", stage.commit_of(program))
            os.utime(source, (2001, 2001))
            self.assertTrue(stage.is_older_than_source(program))
            self.assertIn("built before", stage.commit_of(program))

    def test_a_program_in_no_tree_has_no_commit(self):
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder) / "ringwall"
            program.touch()
            self.assertEqual(stage.commit_of(program), "unknown")


class Runs(unittest.TestCase):
    def compare(self, *words):
        return subprocess.run([COMPARE, *words], capture_output=True, text=True, timeout=300)

    def test_a_peer_that_is_not_known_is_an_error(self):
        done = self.compare("--without", "apache2")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("apache2", done.stderr)

    def test_a_work_that_is_not_known_is_an_error_that_names_those_that_are(self):
        for words in ("nosuch", "memory,nosuch", ""):
            done = self.compare("--only", words)
            self.assertEqual((done.returncode, done.stdout), (1, ""), words)
            self.assertIn("round-trip, in-flight, ", done.stderr)
            self.assertIn("shards, memory", done.stderr)

    def test_help_names_what_can_be_measured_and_no_rounds_are_an_error(self):
        said = " ".join(self.compare("--help").stdout.split())
        for part in ("round-trip", "fan-out", "memory", "of each work; memory has fewer [5]"):
            self.assertIn(part, said)
        self.assertEqual(self.compare("--rounds", "0").returncode, 2)

    def test_an_interrupt_ends_it_quietly(self):
        script = """import resource, runpy, sys

def interrupted(*_):
    raise KeyboardInterrupt

resource.getrlimit = interrupted
sys.path.insert(0, sys.argv[1].rpartition("/")[0])
runpy.run_path(sys.argv.pop(1), run_name="__main__")
"""
        words = [sys.executable, "-B", "-c", script, COMPARE]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (130, "", ""))

    def test_every_word_of_the_configurations_is_filled_in(self):
        known = {"port", "node_port", "cert", "key", "cert_and_key", "kept", "folder", "open_files", "connections"}
        for path in proxies.CONFIGS.iterdir():
            words = set(re.findall(r"@(\w+)@", path.read_text()))
            if path.suffix == ".cnf":  # Taken as it is.
                self.assertFalse(words, path)
            else:
                self.assertTrue({"port", "node_port"} <= words <= known, path)

    def test_a_quick_run_finds_figures_for_each_installed_peer(self):
        built = [ROOT / "build/release" / name for name in ("ringwall", "ringwall-bench", "ringwall-devnode")]
        if missing := [str(path) for path in built if not path.is_file()]:
            self.skipTest(f"not built: {', '.join(missing)}")
        absent = [name for name in proxies.PEERS if not proxies.found(name)]
        if len(absent) == len(proxies.PEERS):
            self.skipTest(f"no peer is installed: {proxies.INSTALL}")
        kept = ROOT / "bench/results/of-a-test.json"
        self.addCleanup(lambda: [path.unlink(missing_ok=True) for path in (kept, kept.with_suffix(".svg"))])
        done = self.compare("--quick", "--only", "round-trip", "--keep", kept.stem, "--without", ",".join(absent))
        self.assertEqual(done.returncode, 0, done.stderr)
        found = json.loads(kept.read_text())["rows"]["round-trip"]["servers"]
        self.assertEqual(set(found), set(proxies.NAMES) - set(absent))


if __name__ == "__main__":
    unittest.main()
