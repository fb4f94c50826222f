#!/usr/bin/env python3
"""What tools/kernel works out before a machine is started."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def shell(script, *arguments, **environment):
    command = f"set -euo pipefail; . {ROOT}/tools/lib/kernel.sh; {script}"
    words = ["bash", "-c", command, "sh", *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=True, env={**os.environ, **environment})


class Modules(unittest.TestCase):
    def loaded(self, wanted, dependencies):
        with tempfile.TemporaryDirectory() as package:
            folder = pathlib.Path(package, "usr/lib/uml/modules/9.9")
            folder.mkdir(parents=True)
            (folder / "modules.dep").write_text(dependencies)
            out = shell(f"kernel_modules=({wanted}); kernel_module_files $1", package).stdout
            return [pathlib.Path(line).relative_to(folder).as_posix() for line in out.splitlines()]

    def test_each_comes_after_what_it_depends_on(self):
        found = self.loaded("tls", "net/tls.ko: lib/a.ko lib/b.ko lib/c.ko\n")
        self.assertEqual(found, ["lib/c.ko", "lib/b.ko", "lib/a.ko", "net/tls.ko"])

    def test_one_that_two_depend_on_is_loaded_once(self):
        found = self.loaded("x y", "x.ko: lib.ko\ny.ko: lib.ko\n")
        self.assertEqual(found, ["lib.ko", "x.ko", "y.ko"])

    def test_names_mix_hyphens_and_underscores_and_are_whole(self):
        found = self.loaded("ghash-generic tls", "k/not_tls.ko:\nk/ghash_generic.ko:\nk/tls_x.ko:\nk/tls.ko:\n")
        self.assertEqual(found, ["k/ghash_generic.ko", "k/tls.ko"])

    def test_one_that_this_kernel_does_not_have_is_passed_over(self):
        self.assertEqual(self.loaded("gone tls", "tls.ko:\n"), ["tls.ko"])


class Cache(unittest.TestCase):
    def test_the_newest_version_is_taken_by_debians_order(self):
        with tempfile.TemporaryDirectory() as cache:
            for name in ("k-a-6.1um4+b9", "k-a-6.1um4+b13", "k-a-6.1um3", "k-b-7.2"):
                pathlib.Path(cache, name).mkdir()
            self.assertEqual(shell("kernel_newest $1/k-a-", cache).stdout, "6.1um4+b13\n")
            self.assertEqual(shell("kernel_newest $1/k-c-", cache).stdout, "\n")


class Command(unittest.TestCase):
    def test_words_environment_and_folder_arrive_as_they_were(self):
        odd = "a b'c\n$d\""
        with tempfile.TemporaryDirectory() as job:
            def arrives(command):
                shell(f"cd /usr; kernel_write_command $1 {command}", job, ODD=odd)
                return subprocess.run([f"{job}/command"], capture_output=True, text=True, env={}, check=True).stdout

            self.assertEqual(arrives("""printf '%s|' 'x y' "'" '' '$HOME'"""), "x y|'||$HOME|")
            self.assertEqual(arrives("""bash -c 'printf %s "$PWD $ODD"'"""), f"/usr {odd}")

    def test_the_end_to_end_tests_hear_there_that_there_is_no_network(self):
        with tempfile.TemporaryDirectory() as job:
            shell("kernel_write_command $1 printenv RINGWALL_NO_NETWORK", job)
            subprocess.run([f"{job}/command"], stdout=subprocess.DEVNULL, env={}, check=True)

    def test_without_npm_packages_and_network_they_end_before_npm_is_asked(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            shutil.copy(ROOT / "tests/e2e/run", folder)
            (folder / "node").mkdir()
            (folder / "node/package-lock.json").write_text("{}")
            (folder / "npm").write_text(f"#!/bin/sh\ntouch {folder}/asked\nexit 1\n")
            (folder / "npm").chmod(0o755)
            path = f"{folder}:{os.environ['PATH']}"
            for environment, asked in ({"RINGWALL_NO_NETWORK": "1"}, False), ({"RINGWALL_NO_NETWORK": ""}, True):
                done = subprocess.run([folder / "run", "test_tls.py"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
                                      env={**os.environ, "PATH": path, **environment})
                self.assertEqual(done.returncode, 1)
                self.assertEqual((folder / "asked").exists(), asked)
                self.assertEqual("run tests/e2e/run --version once outside first" in done.stderr, not asked)


class Options(unittest.TestCase):
    def refusal(self, *words):
        done = subprocess.run([ROOT / "tools/kernel", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        return done.stderr.splitlines()[0]

    def test_one_without_its_value_is_named(self):
        for option in "--suite", "--writable", "--time-limit", "--memory":
            self.assertEqual(self.refusal("--qemu", option), f"tools/kernel: {option} needs a value")

    def test_a_writable_folder_that_is_not_there_is_named_before_a_machine_is_made(self):
        self.assertEqual(self.refusal("--writable", "/nonexistent", "true"), "tools/kernel: --writable /nonexistent: there is no such folder")


if __name__ == "__main__":
    unittest.main()
