"""Which methods are let through, and how the rest is answered."""

import json
import re

import pytest

from harness import client
from harness.client import exchange, post
from harness.evasions import batch, call, members
from harness.frames import BINARY, CONTINUATION, TEXT
from harness.guard import BAD_JSON, BAD_REQUEST, DENIED, UNSAFE_TEXT, Talk, ask_by_post, codes, guard_counters
from harness.until import until

UNKNOWN = "moon_howl"


@pytest.fixture
def node(cast):
    return cast.recording_node()


@pytest.fixture
def server(cast, node):
    return cast.ringwall(node, guard=True)


def passes(server, method: str, params=()) -> bool:
    """Over both transports alike. A refusal says that it is one of the method."""
    with Talk(server) as talk:
        answer = talk.ask(method, params)
    by_post = ask_by_post(server, method, params)
    assert by_post.status == 200
    assert ("result" in answer) == ("result" in by_post.json)
    for refusal in (answer, by_post.json):
        assert "result" in refusal or refusal["error"]["code"] == DENIED, refusal
    return "result" in answer


# Policies ---------------------------------------------------------------------------------------------------------


def test_by_default_what_is_known_to_be_safe_passes_and_nothing_else(server, node):
    for method in ("system_chain", "chain_getBlockHash", "state_getMetadata", "author_submitExtrinsic", "state_call"):
        assert passes(server, method), method
    before = len(node.texts)
    for method in ("author_rotateKeys", "author_insertKey", "system_addReservedPeer", "state_getPairs", UNKNOWN):
        assert not passes(server, method), method
    assert node.texts_since(before) == []
    counters = guard_counters(server)
    assert (counters["unsafe"], counters["not_offered"], counters["calls"]) == (8, 2, 10)


@pytest.mark.parametrize(
    "policy, safe, unsafe, unknown", [("safe", True, False, False), ("open", True, False, True), ("all", True, True, True)]
)
def test_each_policy(cast, node, policy, safe, unsafe, unknown):
    server = cast.ringwall(node, guard=True, arguments=["--methods", policy])
    assert passes(server, "system_chain") == safe
    assert passes(server, "author_rotateKeys") == unsafe
    assert passes(server, UNKNOWN) == unknown
    assert guard_counters(server)["units"] > 0  # Whatever passes is counted.


def test_allow_and_deny_take_names_and_prefixes(cast, node):
    settings = {"methods.allow": "moon_*,author_rotateKeys,eth_call", "methods.deny": "state_*,moon_wane"}
    server = cast.ringwall(node, guard=True, settings=settings)
    for method in (UNKNOWN, "moon_", "author_rotateKeys", "eth_call", "system_chain"):
        assert passes(server, method), method
    for method in ("moon_wane", "moon", "amoon_howl", "eth_calls", "eth_cal", "state_getMetadata", "author_insertKey"):
        assert not passes(server, method), method


def test_deny_holds_under_every_policy(cast, node):
    server = cast.ringwall(node, guard=True, arguments=["--methods", "all"], settings={"methods.deny": "author_*"})
    assert not passes(server, "author_rotateKeys")
    assert passes(server, "system_addReservedPeer")


# Conditions on the params -----------------------------------------------------------------------------------------

KEY = "0x26aa394eea5630e07c48ae0c9558cef7"


@pytest.mark.parametrize("params, safe", [([[KEY]], True), ([[KEY, KEY]], True), ([[]], False), ([], False), ([None], False)])
def test_following_storage_needs_keys(server, params, safe):
    assert passes(server, "state_subscribeStorage", params) == safe


@pytest.mark.parametrize("params", [b"", b',"params":null', b',"params":{}', b',"params":{"keys":["%s"]}' % KEY.encode()])
def test_following_storage_is_denied_where_its_keys_cannot_be_told(server, params):
    with Talk(server) as talk:
        text = b'{"jsonrpc":"2.0","id":1,"method":"state_subscribeStorage"%s}' % params
        assert codes(talk.ask_text(text)) == [DENIED]


def test_state_call_runs_only_the_listed_functions(cast, node):
    server = cast.ringwall(node, guard=True, settings={"methods.runtime_apis": "Core_version,AccountNonceApi_*"})
    for method in ("state_call", "state_callAt"):
        for function in ("Core_version", "AccountNonceApi_account_nonce"):
            assert passes(server, method, [function, "0x"]), function
        for function in ("Core_versions", "Metadata_metadata", "", None, ["Core_version"]):
            assert not passes(server, method, [function, "0x"]), function
        assert not passes(server, method)
    assert passes(server, "system_chain")


# How a refusal reads ----------------------------------------------------------------------------------------------

TEXT_IDS = [b'""', b'"one"', rb'"\u00e9\n\ud83d\ude00"', '"é"'.encode(), b'"%s"' % (b"x" * 100)]
IDS = [b"0", b"18446744073709551615", b"null", *TEXT_IDS]


@pytest.mark.parametrize("id", IDS, ids=lambda id: id.decode()[:20])
def test_an_unsafe_call_is_answered_as_the_node_would(server, id):
    with Talk(server) as talk:
        answer = talk.ask_text(call(id=id))
        assert answer == {"jsonrpc": "2.0", "id": json.loads(id), "error": {"code": DENIED, "message": UNSAFE_TEXT}}
        assert talk.result("system_chain") == "ok"
    reply = exchange(server.port, post(call(id=id)))
    assert (reply.status, reply.get("content-type"), reply.json) == (200, "application/json", answer)


def test_the_answer_to_an_unsafe_call_is_the_dev_nodes_own(cast, server):
    devnode = cast.devnode()
    reply = exchange(devnode.port, post(call(), host=f"localhost:{devnode.port}"), tls=False)
    with Talk(server) as talk:
        assert talk.ask_text(call()) == reply.json


def test_an_unknown_method_is_not_offered(server):
    with Talk(server) as talk:
        error = talk.ask(UNKNOWN)["error"]
        assert error["code"] == DENIED and error["message"] != UNSAFE_TEXT
        told = rf'asked for.*"{UNKNOWN}".*methods.allow'
        until(lambda: re.search(told, server.log), 5, "it is told what would allow it")


BAD = {
    "no JSON": (b"hello", BAD_JSON),
    "nothing": (b"", BAD_JSON),
    "half an object": (b'{"jsonrpc":"2.0"', BAD_JSON),
    "two documents": (call(b"system_chain") * 2, BAD_JSON),
    "no request": (b'{"id":1}', BAD_REQUEST),
    "an empty batch": (b"[]", BAD_REQUEST),
    "a number": (b"1", BAD_JSON),
    "an id that is a float": (call(b"system_chain", id=b"1.5"), BAD_REQUEST),
    "a list in a batch": (b"[[]]", BAD_REQUEST),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("policy", ["safe", "all"])
def test_what_cannot_be_read_is_refused_under_every_policy(cast, node, name, policy):
    text, code = BAD[name]
    server = cast.ringwall(node, guard=True, arguments=["--methods", policy])
    with Talk(server) as talk:
        answers = [talk.ask_text(text), talk.ask_text(text, BINARY)]
        if text:  # A POST without a body is for HTTP to refuse.
            answers.append(exchange(server.port, post(text)).json)
        for answer in answers:
            assert set(codes(answer)) == {code}
            if name != "no request":
                assert all(one["id"] is None for one in (answer if isinstance(answer, list) else [answer]))
        assert talk.result("system_chain") == "ok"
    assert node.texts_since(0) == [client.call("system_chain")]
    counters = guard_counters(server)
    assert counters["invalid"] + counters["unreadable"] >= 2


def test_a_denied_notification_gets_nothing(server, node):
    with Talk(server) as talk:
        talk.send_text(b'{"jsonrpc":"2.0","method":"author_rotateKeys"}')
        assert talk.stream.silent_for(0.3)
        assert talk.result("system_chain") == "ok"
    assert node.texts_since(0) == [client.call("system_chain")]
    assert guard_counters(server)["unsafe"] == 1


# Batches ----------------------------------------------------------------------------------------------------------

GOOD, UNSAFE, ODD = call(b"system_chain", b"1"), call(id=b'"two"'), call(UNKNOWN.encode(), b"3")
BAD_ID = call(b"system_chain", b"-1")
NOTE = members((b"jsonrpc", b'"2.0"'), (b"method", b'"author_rotateKeys"'))
HARMLESS_NOTE = members((b"jsonrpc", b'"2.0"'), (b"method", b'"system_chain"'))
POSITIONAL = b'["2.0",1,"system_chain",[]]'


@pytest.mark.parametrize("opcode", [TEXT, BINARY], ids=["text", "binary"])
def test_a_batch_of_allowed_calls_goes_on_as_it_is(server, node, opcode):
    text = batch(GOOD, b" " + HARMLESS_NOTE, call(b"system_name", b"9"))
    with Talk(server) as talk:
        assert [one["id"] for one in talk.ask_text(text, opcode)] == [1, 9]
    assert exchange(server.port, post(text)).json[1]["id"] == 9
    assert node.texts_since(0) == [text, text]


MIXED = {
    "unsafe last": (batch(GOOD, UNSAFE), [(1, BAD_REQUEST), ("two", DENIED)]),
    "unsafe first": (batch(UNSAFE, GOOD), [("two", DENIED), (1, BAD_REQUEST)]),
    "unsafe and unknown": (batch(UNSAFE, GOOD, ODD), [("two", DENIED), (1, BAD_REQUEST), (3, DENIED)]),
    "a denied notification": (batch(GOOD, NOTE), [(1, BAD_REQUEST)]),
    "a harmless notification": (batch(HARMLESS_NOTE, UNSAFE), [("two", DENIED)]),
    "a bad id": (batch(GOOD, BAD_ID), [(1, BAD_REQUEST), (None, BAD_REQUEST)]),
    "by position": (batch(GOOD, POSITIONAL), [(1, BAD_REQUEST), (None, BAD_REQUEST)]),
    "by position alone": (batch(POSITIONAL), [(None, BAD_REQUEST)]),
}


@pytest.mark.parametrize("name", MIXED)
def test_a_batch_with_a_denied_call_is_refused_whole(server, node, name):
    text, expected = MIXED[name]
    with Talk(server) as talk:
        answer = talk.ask_text(text)
        assert [(one["id"], one["error"]["code"]) for one in answer] == expected
        assert exchange(server.port, post(text)).json == answer
        assert talk.result("system_chain") == "ok"
    assert node.texts_since(0) == [client.call("system_chain")]
    for one in answer:
        if one["id"] == 1:
            assert "batch refused" in one["error"]["message"]


def test_a_batch_of_denied_notifications_gets_nothing(server, node):
    with Talk(server) as talk:
        talk.send_text(batch(NOTE, NOTE))
        assert talk.stream.silent_for(0.3)
        assert talk.result("system_chain") == "ok"
    reply = exchange(server.port, post(batch(NOTE)))
    assert reply.status in (200, 202, 204) and reply.body == b""
    assert node.texts_since(0) == [client.call("system_chain")]


# The forms of a message -------------------------------------------------------------------------------------------


def test_a_fragmented_call_is_read_whole(server, node):
    for text, expected in ((GOOD, [None]), (UNSAFE, [DENIED])):
        with Talk(server) as talk:
            for start in range(0, len(text), 7):
                last = start + 7 >= len(text)
                talk.stream.send_frame(CONTINUATION if start else TEXT, text[start : start + 7], fin=last)
            assert codes(talk.read()) == expected
    assert node.texts_since(0) == [GOOD]


ODD_BUT_VALID = {
    "a number out of range": call(b"state_call", params=b"[1e999,-1e-999]"),
    "forty digits": call(b"state_call", params=b"[%s]" % (b"1234567890" * 4)),
    "lone surrogates": call(b"state_call", params=rb'["\ud800","\udfff x"]'),
    "depth": call(b"state_call", params=b"[" * 3000 + b"]" * 3000),
    "white space": b'\f \t\r\n{ "jsonrpc" :\t"2.0" ,\r\n"id" : 1 , "method" : "state_call","params":[ ] } \n',
    "a name with escapes": call(rb"system\u005fchain"),
    "other members": members((b"x", b"{}"), (b"id", b"1"), (b"jsonrpc", b'"2.0"'), (b"method", b'"system_chain"')),
    "an id of text with escapes": call(b"system_chain", id=rb'"\u0041\/"'),
    "two megabytes": call(b"author_submitExtrinsic", params=b'["0x%s"]' % (b"ab" * (1 << 20))),
    "four-byte characters": call(b"state_call", params='["😀é"]'.encode()),
}


@pytest.mark.parametrize("name", ODD_BUT_VALID)
@pytest.mark.parametrize("opcode", [TEXT, BINARY], ids=["text", "binary"])
def test_what_is_odd_but_valid_reaches_the_node_byte_for_byte(server, node, name, opcode):
    text = ODD_BUT_VALID[name]
    with Talk(server) as talk:
        assert talk.ask_text(text, opcode)["result"] == "ok"
    assert exchange(server.port, post(text)).json["result"] == "ok"
    assert node.texts_since(0) == [text, text]


# rpc_methods ------------------------------------------------------------------------------------------------------


def test_rpc_methods_tells_what_of_the_nodes_is_allowed_here(cast):
    offered = ("system_chain", "author_rotateKeys", UNKNOWN, "moon_wane", "rpc_methods", "chain_getHeader")
    node = cast.recording_node(methods=offered)
    server = cast.ringwall(node, guard=True, settings={"methods.allow": "moon_wane"})
    expected = sorted(["system_chain", "moon_wane", "rpc_methods", "chain_getHeader"])
    until(lambda: ask_by_post(server, "rpc_methods").json["result"]["methods"] == expected, 5, f"the list {expected}")
    asked = len(node.texts)
    with Talk(server) as talk:
        assert talk.result("rpc_methods")["methods"] == expected
    assert len(node.texts) == asked, "the answer is Ringwall's own"


def test_what_the_node_offers_beyond_the_policy_is_logged_with_the_line_that_allows_it(cast):
    server = cast.ringwall(cast.recording_node(methods=("system_chain", UNKNOWN)), guard=True)
    line = server.wait_for_log(UNKNOWN)
    assert "allow" in line
