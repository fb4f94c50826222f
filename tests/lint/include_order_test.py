#!/usr/bin/env python3
"""The lint holds on this tree, and catches what is planted."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import include_order

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Planted(unittest.TestCase):
    def check(self, files):
        with tempfile.TemporaryDirectory() as root:
            for name, text in files.items():
                path = pathlib.Path(root, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return list(include_order.violations(root))

    def test_a_folder_may_include_itself_and_lower_ones(self):
        self.assertEqual(
            self.check({
                "src/session/relay.cc": "#include <ringwall/session/relay.h>\n#include <ringwall/ring/ring.h>\n"
                                        '#include <ringwall/check.h>\n#include <vector>\n#include "phase.h"\n',
                "src/session/phase.h": "",
            }), [])

    def test_an_include_of_a_higher_folder_is_named_with_its_line(self):
        found = self.check({"src/http/head.cc": "\n#include <ringwall/session/session.h>\n"})
        self.assertEqual(found, ["src/http/head.cc:2: http includes session, which is above it"])

    def test_a_peer_is_caught_in_a_public_header(self):
        found = self.check({"include/ringwall/http/head.h": "#include <ringwall/websocket/frame.h>\n"})
        self.assertEqual(found, ["include/ringwall/http/head.h:1: http includes its peer websocket"])

    def test_a_root_header_includes_no_folder(self):
        self.assertEqual(len(self.check({"include/ringwall/limits.h": "#include <ringwall/ring/ring.h>\n"})), 1)

    def test_a_private_header_of_another_folder_is_caught_by_either_path(self):
        for name in ("../session/phase.h", "session/phase.h"):
            found = self.check({"src/http/head.cc": f'#include "{name}"\n', "src/session/phase.h": ""})
            self.assertEqual(found, ["src/http/head.cc:1: http includes session, which is above it"])

    def test_an_unknown_folder_is_named(self):
        self.assertEqual(len(self.check({"src/util/strings.cc": ""})), 1)
        self.assertEqual(len(self.check({"src/http/head.cc": "#include <ringwall/util/strings.h>\n"})), 1)


class ThisTree(unittest.TestCase):
    def test_holds_the_order(self):
        self.assertEqual(list(include_order.violations(ROOT)), [])


if __name__ == "__main__":
    unittest.main()
