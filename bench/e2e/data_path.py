#!/usr/bin/python3
"""Which places of ringwall copy, mask, read over, encrypt and decrypt how many bytes: docs/DATA-PATH.md's figures.

    bench/e2e/data_path.py [--offload user|kernel] [--plain] [--set FIELD=VALUE] [--only WORDS] [--keep NAME]

Needs `tools/build release`. Every scenario runs twice, the
second time with twice the messages: told is the difference, so what start and handshake touch is not in it. Per byte of
payload (the WebSocket message's), or per message or connection in bytes.
"""

import argparse
import socket
import ssl
import subprocess
import tempfile
import time
from pathlib import Path

from stage import (
    ROOT,
    DevNode,
    Ringwall,
    answer_bytes,
    ask,
    client,
    commit_of,
    connect,
    connect_wide,
    drain,
    frames,
    keep,
    need_kernel_tls,
    table,
)

COUNTED = ROOT / "build/release/bench/e2e/ringwall-counted"
MIB, KIB = 1 << 20, 1 << 10
SHOWN_MIN = 0.002  # of a byte, for each byte of payload


def one_at_a_time(server, count, question):
    with connect_wide(server) as stream:
        size = answer_bytes(stream, question)
        for _ in range(count):
            stream.send(question)
            drain(stream, size)


def large_answers(server, count):
    one_at_a_time(server, count, ask("dev_bytes", MIB))
    return count * MIB


def large_messages(server, count):
    one_at_a_time(server, count, ask("dev_bytes", 1, "x" * MIB))
    return count * MIB


def whole_messages(server, count):
    """Of 8 KiB, each in one segment: whole in one receive buffer."""
    one_at_a_time(server, count, ask("dev_bytes", 1, "x" * 8 * KIB))
    return count * 8 * KIB


def small_round_trips(server, count):
    one_at_a_time(server, count, ask("echo", "x" * (100 - len(client.call("echo", [""])))))
    return count


def reader_behind(server, count):
    """The client asks for all, and reads when it has not read for a while: a window at a time."""
    with client.websocket(server.port, tls=server.tls, receive_buffer=64 * KIB) as stream:
        question = ask("dev_bytes", MIB)
        size = answer_bytes(stream, question)
        stream.send(question * count)
        time.sleep(1)
        drain(stream, count * size)
    return count * MIB


class OwnTls:
    """A client that says when which of its bytes leave, and in how many segments."""

    def __init__(self, server):
        self.sock = socket.create_connection(("127.0.0.1", server.port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = client.tls_context().wrap_bio(self._incoming, self._outgoing, server_hostname="localhost")
        self._wait_for(self._tls.do_handshake)  # Its last flight has not left.

    def _wait_for(self, step):
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self.send_sealed()
                data = self.sock.recv(65536)
                assert data, "ringwall has ended the connection"
                self._incoming.write(data)

    def seal(self, data: bytes) -> None:
        self._tls.write(data)

    def send_sealed(self, parts: int = 1) -> None:
        data = self._outgoing.read()
        size = max(1, -(-len(data) // parts))
        for start in range(0, len(data), size):
            if start:
                time.sleep(0.005)
            self.sock.sendall(data[start : start + size])

    def read(self) -> bytes:
        return self._wait_for(lambda: self._tls.read(65536))


def cut_records(server, count):
    """Records of 8 KiB and a little, each of which comes in two halves that are received apart."""
    question = ask("dev_bytes", 1, "x" * 8 * KIB)
    tls = OwnTls(server)
    tls.seal(client.upgrade_request())
    assert tls.read().startswith(b"HTTP/1.1 101")
    for _ in range(count):
        tls.seal(question)
        tls.send_sealed(parts=2)
        tls.read()
    tls.sock.close()
    return count * 8 * KIB


def first_segments(server, count):
    """Each connection's request is in the segment that ends its handshake."""
    for _ in range(count):
        tls = OwnTls(server)
        tls.seal(client.post(client.call("dev_bytes", (1, "x" * 8 * KIB))))
        assert tls.read().startswith(b"HTTP/1.1 200")
        tls.sock.close()
    return count * 8 * KIB


def connections(server, count):
    for _ in range(count):
        with connect(server) as stream:
            answer_bytes(stream, ask("system_chain"))
            stream.send(frames.client_frame(frames.CLOSE, frames.close_payload(1000)))
            stream.read_to_end()
    return count


# Title: what is done, how often, what is counted by, how little is shown.
SCENARIOS = {
    "node → client, answers of 1 MiB": (large_answers, 64, "byte", SHOWN_MIN),
    "client → node, messages of 1 MiB": (large_messages, 64, "byte", SHOWN_MIN),
    "client → node, messages of 8 KiB, whole in one buffer": (whole_messages, 2000, "byte", SHOWN_MIN),
    "100 bytes each way": (small_round_trips, 2000, "message", 1),
    "node → client, the client reads late": (reader_behind, 16, "byte", SHOWN_MIN),
    "client → node, records of 8 KiB cut in two": (cut_records, 200, "byte", SHOWN_MIN),
    "client → node, requests of 8 KiB that come with the end of the handshake": (first_segments, 50, "byte", 0.05),
    "a connection: opened, upgraded, asked, closed": (connections, 100, "connection", 16),
}


def run(scenario, count, settings, plain, folder):
    """Units done, and for each place of the program its kind, calls and bytes."""
    node = DevNode(folder)
    try:
        server = Ringwall(folder, COUNTED, node, plain=plain, settings=settings)
        try:
            done = scenario(server, count)
        finally:
            status = server.stop()
        assert status == 0, server.log
    finally:
        node.stop()
    lines = [line.split() for line in server.log.splitlines() if line.startswith("bytes ")]
    assert lines, f"no counts in:\n{server.log}"
    return done, {(kind, int(address, 16)): (int(calls), int(size)) for _, kind, address, calls, size in lines}


def names_of(addresses: list[int]) -> dict:
    """The functions that called, what was inlined into them left out; the byte before the return address is the call's."""
    words = [hex(address - 1) for address in addresses]
    told = subprocess.run(["addr2line", "-Cafie", COUNTED, *words], capture_output=True, text=True, check=True).stdout
    names = {}
    for line in told.splitlines():
        if line.startswith("0x"):
            names[(address := int(line, 16) + 1)] = []
        else:
            names[address].append(line)
    return {address: short(lines[-2]) for address, lines in names.items()}


def short(function: str) -> str:
    return function.replace("(anonymous namespace)::", "").split("(")[0].split("<")[0]


def per_unit(scenario, count, settings, plain):
    with tempfile.TemporaryDirectory() as folder:
        (less, before), (more, after) = (run(scenario, n, settings, plain, Path(folder)) for n in (count, 2 * count))
    names = names_of(sorted({address for _, address in after}))
    found = {}
    for (kind, address), (calls, size) in after.items():
        calls_before, size_before = before.get((kind, address), (0, 0))
        sums = found.setdefault((kind, names[address]), [0.0, 0.0])
        sums[0] += (calls - calls_before) / (more - less)
        sums[1] += (size - size_before) / (more - less)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--offload", choices=("user", "kernel"), default="user")
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="as ringwall takes it")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--only", help="scenarios whose title has these words")
    parser.add_argument("--keep", metavar="NAME", help="writes bench/results/NAME.json")
    options = parser.parse_args()
    if options.offload == "kernel" and not options.plain:
        need_kernel_tls()

    settings = [*options.set] if options.plain else [f"tls.offload={options.offload}", *options.set]
    kept = {}
    for title, (scenario, count, unit, least) in SCENARIOS.items():
        if options.only and options.only not in title or options.plain and scenario in (cut_records, first_segments):
            continue
        found = per_unit(scenario, count, settings, options.plain)
        shown = sorted(((kind, name, *sums) for (kind, name), sums in found.items() if sums[1] >= least), key=lambda row: -row[3])
        print(f"\n{title}")
        rows = [[kind, name, f"{size:.3f}" if unit == "byte" else f"{size:.0f}"] for kind, name, _, size in shown]
        table(["what", "where", f"bytes for each {unit}"], rows)
        kept[title] = {"unit": unit, "bytes": [{"what": kind, "where": name, "bytes": round(size, 4)} for kind, name, _, size in shown]}
    if options.keep:
        keep(options.keep, {"commit": commit_of(COUNTED), "mode": "plain" if options.plain else options.offload, "settings": options.set, "places": kept})


if __name__ == "__main__":
    main()
