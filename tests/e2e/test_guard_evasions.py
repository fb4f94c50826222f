"""A denied call does not reach the node in any spelling: shown by the record of what did."""

import json

import pytest

from harness import client, frames
from harness.evasions import CORPUS, DENIED, HARMLESS, HIDDEN, call
from harness.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, client_frame
from harness.guard import Talk
from harness.programs import Ringwall
from harness.recording_node import RecordingNode, names_in
from harness.until import until

FOLLOW_UP = b'{"jsonrpc":"2.0","id":4242,"method":"system_name","params":[]}'
# Only what is let through is of interest here, not how much of it.
SETTINGS = {"limits.close_after": "none", "limits.address_connections_max": "none"}


def started(folder, policy: str):
    node = RecordingNode()
    server = Ringwall(folder, node.address, guard=True, arguments=["--methods", policy, "--limits", "off"], settings=SETTINGS)
    server.node = node
    server.wait_until_serving()
    return server


@pytest.fixture(scope="module", params=["safe", "open"])
def server(request, tmp_path_factory):
    """One for all rows of a policy: what is refused leaves nothing behind."""
    server = started(tmp_path_factory.mktemp(f"evasions-{request.param}"), request.param)
    server.policy = request.param
    yield server
    assert server.stop() == 0
    server.node.stop()


def follow_up(server, stream=None) -> None:
    """An allowed call is answered: on the same connection where it lives, else on a new one."""
    if stream is None:
        with Talk(server) as talk:
            assert talk.ask_text(FOLLOW_UP)["result"] == "ok"
        return
    try:
        stream.send_frame(TEXT, FOLLOW_UP)
        while True:
            answer = json.loads(stream.read_message()[1])
            if isinstance(answer, dict) and answer.get("id") == 4242:
                assert answer["result"] == "ok"
                return
            for one in answer if isinstance(answer, list) else [answer]:
                assert "error" in one, answer
    except (EOFError, ConnectionError):
        follow_up(server)


def arrived(server, mark: int) -> list[bytes]:
    """What the node has got since, without the follow-up that came last and so marks the end."""
    until(lambda: FOLLOW_UP in server.node.texts[mark:], 5, "the follow-up is at the node")
    return [text for text in server.node.texts_since(mark) if text != FOLLOW_UP]


def is_denied_in(text: bytes) -> bool:
    return DENIED.decode() in names_in(text)


# Under `open` an unknown name passes, as it is meant to: one that only looks like the denied one.
LOOKALIKES = {
    "ends with NUL", "ends with a space", "another case", "a Cyrillic a", "a full-width underscore", "a zero-width space"
}  # fmt: skip


def passes(server, name: str, fate: str) -> bool:
    return fate == HARMLESS or (server.policy == "open" and name in LOOKALIKES)


rows = pytest.mark.parametrize("name, text, fate", CORPUS, ids=[name for name, _, _ in CORPUS])


@rows
@pytest.mark.parametrize("opcode", [TEXT, BINARY], ids=["text", "binary"])
def test_over_a_websocket(server, name, text, fate, opcode):
    mark = len(server.node.texts)
    with client.websocket(server.port) as stream:
        stream.send_frame(opcode, text)
        if passes(server, name, fate):
            assert "result" in json.loads(stream.read_message()[1])
        follow_up(server, stream)
    assert arrived(server, mark) == ([text] if passes(server, name, fate) else [])


@rows
def test_by_post(server, name, text, fate):
    mark = len(server.node.texts)
    with client.connect(server.port) as stream:
        head = [("Content-Type", "application/json"), ("Content-Length", str(len(text)))]
        stream.send(client.request("POST", "/", head, text))
        reply = stream.read_reply()
        if passes(server, name, fate):
            assert "result" in reply.json
        else:
            assert b'"result"' not in reply.body
            assert reply.status == 200 or 400 <= reply.status < 500
    follow_up(server)
    assert arrived(server, mark) == ([text] if passes(server, name, fate) else [])


# Frames -----------------------------------------------------------------------------------------------------------


def in_pieces(text: bytes, *cuts: int, opcode: int = TEXT, between: bytes = b"") -> bytes:
    """Fragments that begin at the cuts, with `between` after each but the last."""
    starts, parts = [0, *cuts], []
    for number, start in enumerate(starts):
        last = number == len(starts) - 1
        part = text[start : None if last else starts[number + 1]]
        parts.append(client_frame(CONTINUATION if number else opcode, part, fin=last))
    return between.join(parts)


AT = call().index(DENIED)
GOOD_FRAME = client_frame(TEXT, call(b"system_chain", b"7"))
BAD_FRAME = client_frame(TEXT, call())

FRAMES = {
    "fragments cut in the name": in_pieces(call(), AT + 4, AT + 8),
    "fragments cut in the escape": in_pieces(call(HIDDEN), AT + 1, AT + 3),
    "fragments cut in the key": in_pieces(call(), call().index(b"method") + 3),
    "a fragment a byte": in_pieces(call(), *range(1, len(call()))),
    "empty fragments": in_pieces(call(), 0, 0, AT + 5, AT + 5, len(call())),
    "binary fragments": in_pieces(call(), AT + 4, opcode=BINARY),
    "pings between fragments": in_pieces(call(), AT + 4, AT + 8, between=client_frame(PING, b"?")),
    "pongs between fragments": in_pieces(call(), AT + 4, AT + 8, between=client_frame(PONG, b"!")),
    "a ping that holds a good call between them": in_pieces(call(), AT + 4, between=client_frame(PING, call(b"system_chain"))),
    "the beginning of another message between them": in_pieces(call(), AT + 4, between=client_frame(TEXT, b"{", fin=False)),
    "a whole good message between them": in_pieces(call(), AT + 4, between=GOOD_FRAME),
    "a continuation of nothing": client_frame(CONTINUATION, call()),
    "a mask of noughts": client_frame(TEXT, call(), key=bytes(4)),
    "a mask that spells a good name": client_frame(TEXT, call(), key=b"syst"),
    "no mask": frames.node_frame(TEXT, call()),
    "rsv1 as if compressed": client_frame(TEXT, call(), rsv=4),
    "rsv2": client_frame(TEXT, call(), rsv=2),
    "a reserved opcode": client_frame(3, call()),
    "a length of eight bytes": client_frame(TEXT, call(), length_bytes=8),
    "a length of two bytes for a short one": client_frame(TEXT, call()[:100], length_bytes=2),
    "in a ping": client_frame(PING, call()),
    "in a pong": client_frame(PONG, call()),
    "in a long ping": client_frame(PING, call(params=b'["%s"]' % (b"x" * 200))),
    "in a fragment of a ping": client_frame(PING, call(), fin=False) + client_frame(CONTINUATION, call()),
    "in a close": client_frame(CLOSE, frames.close_payload(1000, call().decode())),
    "after a close": client_frame(CLOSE, frames.close_payload(1000)) + BAD_FRAME,
    "after a bad frame": client_frame(3, b"") + BAD_FRAME,
    "three hundred in a row": BAD_FRAME * 300,
    "at the end of fifteen megabytes": client_frame(TEXT, call(params=b'["%s"]' % (b"x" * (15 << 20)))),
}  # fmt: skip


@pytest.mark.parametrize("name", FRAMES)
def test_in_frames(server, name):
    mark = len(server.node.texts)
    with client.websocket(server.port) as stream:
        try:
            stream.send(FRAMES[name])
        except ConnectionError:
            pass
        follow_up(server, stream)
    assert not [text for text in arrived(server, mark) if is_denied_in(text)]


@pytest.mark.parametrize("order", ["first", "between", "last"])
def test_a_bad_one_among_good_ones_in_one_segment(server, order):
    good = [client_frame(TEXT, call(b"system_chain", b"%d" % n)) for n in (10, 11, 12, 13)]
    at = {"first": 0, "between": 2, "last": 4}[order]
    mark = len(server.node.texts)
    with Talk(server) as talk:
        talk.stream.send(b"".join(good[:at] + [BAD_FRAME] + good[at:]))
        answers = {answer["id"]: answer for answer in (talk.read() for _ in range(5))}
        assert answers[1]["error"]["code"] == -32601
        assert all(answers[id]["result"] == "ok" for id in (10, 11, 12, 13))
        follow_up(server, talk.stream)
    got = arrived(server, mark)
    assert len(got) == 4 and not any(map(is_denied_in, got))


@pytest.mark.parametrize("size", [1, 2, 7])
def test_a_few_bytes_at_a_time(server, size):
    mark = len(server.node.texts)
    with Talk(server) as talk:
        talk.stream.send_slowly(client_frame(TEXT, call(HIDDEN)), 0.001, size)
        assert talk.read()["error"]["code"] == -32601
        follow_up(server, talk.stream)
    assert arrived(server, mark) == []


@pytest.mark.parametrize("extension", [(), [("Sec-WebSocket-Extensions", "permessage-deflate")]])
def test_with_the_upgrade_in_one_segment(server, extension):
    mark = len(server.node.texts)
    with client.connect(server.port) as stream:
        stream.send(client.upgrade_request(fields=extension) + BAD_FRAME + GOOD_FRAME)
        assert stream.read_reply().status == 101
        answers = [json.loads(stream.read_message()[1]) for _ in range(2)]
        assert {answer["id"]: "result" in answer for answer in answers} == {1: False, 7: True}
        follow_up(server, stream)
    assert not [text for text in arrived(server, mark) if is_denied_in(text)]
