"""One HTTP/1.1 answer read from a stream, with its body however it is delimited."""

import json
from dataclasses import dataclass, field


@dataclass
class Reply:
    status: int
    version: str
    reason: str
    fields: list[tuple[str, str]]
    body: bytes = b""
    interim: list["Reply"] = field(default_factory=list)  # 1xx that came before.

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first field of that name."""
        return next((value for key, value in self.fields if key.lower() == name.lower()), default)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key.lower() == name.lower()]

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def closes(self) -> bool:
        return any("close" in value.lower() for value in self.all("connection"))


def parse_head(text: bytes) -> Reply:
    lines = text.decode("latin-1").split("\r\n")
    version, status, reason = (lines[0].split(" ", 2) + [""])[:3]
    fields = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines[1:] if line)]
    return Reply(int(status), version, reason, fields)


def read_reply(stream, to_head: bool = False) -> Reply:
    """`to_head`: the request was HEAD, so there is no body whatever the head says. 101 ends with its head."""
    interim = []
    while True:
        reply = parse_head(stream.read_until(b"\r\n\r\n"))
        if 100 <= reply.status < 200 and reply.status != 101:
            interim.append(reply)
            continue
        break
    reply.interim = interim
    if to_head or reply.status in (101, 204, 304):
        return reply
    if "chunked" in (reply.get("transfer-encoding") or "").lower():
        reply.body = _read_chunks(stream)
    elif reply.get("content-length") is not None:
        reply.body = stream.read_exactly(int(reply.get("content-length")))
    else:
        reply.body = stream.read_to_end()
    return reply


def _read_chunks(stream) -> bytes:
    parts = []
    while True:
        size = int(stream.read_until(b"\r\n").split(b";")[0], 16)
        if size == 0:
            while stream.read_until(b"\r\n") != b"\r\n":
                pass
            return b"".join(parts)
        parts.append(stream.read_exactly(size))
        assert stream.read_exactly(2) == b"\r\n"
