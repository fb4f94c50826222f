"""deploy/container: what the image runs is what Ringwall takes."""

import json
import re

from harness.programs import ROOT, run_ringwall

TEXT = (ROOT / "deploy" / "container" / "Containerfile").read_text()


def test_the_default_command_is_what_ringwall_takes():
    command = json.loads(re.search(r"^CMD (.*)$", TEXT, re.M).group(1))
    done = run_ringwall("check", *command)
    assert done.returncode == 0 and "good: 1 listener, 1 upstream" in done.stdout, done.stdout + done.stderr


def test_the_image_is_nobody_s_root_and_copies_what_is_built():
    assert re.search(r"^USER (\d+):(\d+)$", TEXT, re.M).groups() == ("65532", "65532")
    built = set(re.findall(r"strip -o (\S+)", TEXT))
    assert built == {"/image/bin/ringwall", "/image/bin/ringwall-bench"}
    assert re.search(r'^ENTRYPOINT \["/usr/local/bin/ringwall"\]$', TEXT, re.M)
