"""Who takes part in a comparison: the node, the load and the proxies, and the cores that each may use."""

import argparse
import contextlib
import os
from pathlib import Path

import proxies
import report
from load import Load
from progress import Progress
from stage import DevNode
from workloads import BLOCK_MS

from harness import certificates

NODE_CONNECTIONS_MAX = 65_000


class Contest:
    def __init__(self, options: argparse.Namespace, names: list[str], folder: Path):
        self.names, self.folder = names, folder
        self._program, self._only, self._quick = options.program, options.only, options.quick
        cores = sorted(os.sched_getaffinity(0))
        self.pinned = len(cores) > 1 and not options.unpinned
        self._proxies_on = ["taskset", "-c", str(cores[0])] if self.pinned else []
        others_on = ["taskset", "-c", ",".join(map(str, cores[1:]))] if self.pinned else []
        folder.chmod(0o755)  # nginx's worker is another user.
        self._pair = certificates.self_signed(folder, "localhost", "127.0.0.1")
        blocks = ["--cors", "all", "--block-ms", BLOCK_MS]
        self.node = DevNode(folder, NODE_CONNECTIONS_MAX, *blocks, through=others_on)
        self.load = Load(options.load, self._pair.ca, others_on, options.quick)
        self.progress = Progress()
        self.rounds = 1 if options.quick else options.rounds

    def close(self) -> None:
        self.progress.line()
        self.node.stop()

    def wanted(self, *texts: str) -> bool:
        return not self._only or any(word.strip() in text for word in self._only.split(",") for text in texts)

    def start(self, name: str, shards: int | None = None):
        """Started, and seen to do what is measured. With `shards` it is ringwall of so many, on all cores."""
        if name == "ringwall":
            through = self._proxies_on if shards is None else []
            server = proxies.guarded(self.folder, self.node, self._pair, self._program, through, shards or 1)
        else:
            server = proxies.PEERS[name](self.folder, self.node, self._pair, self._proxies_on)
        proxies.check(name, server)
        self.load.check(name, server)
        return server

    @contextlib.contextmanager
    def all_started(self):
        servers = {}
        try:
            for name in self.names:
                servers[name] = self.start(name)
            yield servers
        finally:
            for server in servers.values():
                server.stop()

    def tell(self, row: dict) -> dict:
        """In a line, as soon as it is known."""
        self.progress.line(report.line(row, self._quick))
        return row
