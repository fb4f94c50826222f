#!/usr/bin/env python3
"""Rules of the house that a machine can hold: sizes of files, a README for each folder, no words of unfinished work."""
import os
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINES_MAX = 400
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")


def files(*bases):
    for base in bases:
        for folder, folders, names in os.walk(ROOT / base):
            folders[:] = sorted(set(folders) - {"node_modules", "corpus", "__pycache__"})
            yield from (pathlib.Path(folder, name) for name in sorted(names))


def sources(*bases):
    for path in files(*bases):
        if path.suffix in (".h", ".c", ".cc", ".py", ".sh", ".mjs", ".build"):
            yield path.relative_to(ROOT), path.read_text()


class HouseRules(unittest.TestCase):
    def test_no_file_is_longer_than_400_lines(self):
        long = [f"{path}: {text.count(chr(10))}" for path, text in sources("include", "src", "tools", "tests")
                if text.count("\n") > LINES_MAX]
        self.assertEqual(long, [])

    def test_every_header_is_included_once(self):
        bare = [str(path) for path, text in sources("include", "src", "tools", "tests")
                if path.suffix == ".h" and "#pragma once" not in text]
        self.assertEqual(bare, [])

    def test_every_folder_of_src_says_what_enters_what_leaves_what_always_holds(self):
        bare = [path.name for path in sorted((ROOT / "src").iterdir())
                if path.is_dir() and any(path.iterdir()) and not (path / "README.md").is_file()]
        self.assertEqual(bare, [])

    def test_nothing_is_left_for_later(self):
        found = [f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {match.group()}"
                 for path, text in sources("include", "src", "tools", "tests") for match in UNFINISHED.finditer(text)]
        self.assertEqual(found, [])

    def test_a_lock_file_names_no_host(self):
        found = [str(path) for path in files("tests", "bench", "tools")
                 if path.name == "package-lock.json" and '"resolved"' in path.read_text()]
        self.assertEqual(found, [])


if __name__ == "__main__":
    unittest.main()
