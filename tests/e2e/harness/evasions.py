"""Ways of getting a denied call past a reader that reads less than the node: rows of a name, a text and what becomes of it.

STOPPED: nothing of it reaches the node. HARMLESS: it names no denied call to the node and passes, byte for byte.
"""

STOPPED, HARMLESS = "stopped", "harmless"

# What every row tries to have executed, and a spelling of it that only a reader of JSON sees through.
DENIED = b"author_rotateKeys"
HIDDEN = rb"\u0061uthor\u005FrotateKeys"
ALLOWED = b"system_chain"


def call(method: bytes = DENIED, id: bytes = b"1", params: bytes = b"[]") -> bytes:
    return b'{"jsonrpc":"2.0","id":%s,"method":"%s","params":%s}' % (id, method, params)


def members(*pairs: tuple[bytes, bytes]) -> bytes:
    return b"{" + b",".join(b'"%s":%s' % pair for pair in pairs) + b"}"


def batch(*entries: bytes) -> bytes:
    return b"[" + b",".join(entries) + b"]"


VERSION, ID, PARAMS = (b"jsonrpc", b'"2.0"'), (b"id", b"1"), (b"params", b"[]")
BAD, GOOD = (b"method", b'"%s"' % DENIED), (b"method", b'"%s"' % ALLOWED)
POSITIONAL = b'["2.0",1,"%s",[]]' % DENIED
NOTIFICATION = members(VERSION, BAD, PARAMS)


def all_escaped(name: bytes) -> bytes:
    return b"".join(b"\\u%04x" % byte for byte in name)


NAMES = {
    "as it is": call(),
    "one character escaped": call(rb"\u0061uthor_rotateKeys"),
    "two characters escaped, in both cases": call(HIDDEN),
    "all of it escaped": call(all_escaped(DENIED)),
    "ends with NUL": call(DENIED + rb"\u0000"),
    "ends with a space": call(DENIED + b" "),
    "another case": call(b"AUTHOR_ROTATEKEYS"),
    "a Cyrillic a": call("\u0430uthor_rotateKeys".encode()),
    "a full-width underscore": call("author\uff3frotateKeys".encode()),
    "a zero-width space": call("author_\u200brotateKeys".encode()),
    "a lone surrogate in it": call(rb"\ud800author_rotateKeys"),
    "an overlong underscore": call(b"author\xc1\x9frotateKeys"),
    "a raw control character": call(b"author_\x01rotateKeys"),
    "a raw NUL": call(b"author_\x00rotateKeys"),
    "a raw line feed": call(b"author_\nrotateKeys"),
    "a bad escape": call(rb"\x61uthor_rotateKeys"),
    "half an escape": call(rb"author_rotateKeys\u00"),
    "in a list": members(VERSION, ID, (b"method", b'["%s"]' % DENIED), PARAMS),
    "in an object": members(VERSION, ID, (b"method", members(BAD)), PARAMS),
}

MEMBERS = {
    "escaped key": members(VERSION, ID, (rb"\u006dethod", BAD[1]), PARAMS),
    "all of the key escaped": members(VERSION, ID, (all_escaped(b"method"), BAD[1]), PARAMS),
    "escaped key and value": members(VERSION, ID, (rb"meth\u006fd", b'"%s"' % HIDDEN), PARAMS),
    "a good method, then a bad one": members(VERSION, ID, GOOD, BAD, PARAMS),
    "a bad method, then a good one": members(VERSION, ID, BAD, GOOD, PARAMS),
    "a good method, then a bad one by an escaped key": members(VERSION, ID, GOOD, (rb"\u006dethod", BAD[1]), PARAMS),
    "a bad method by an escaped key, then a good one": members(VERSION, ID, (rb"\u006dethod", BAD[1]), GOOD, PARAMS),
    "a key in another case before it": members(VERSION, ID, (b"Method", GOOD[1]), BAD, PARAMS),
    "a key with a space before it": members(VERSION, ID, (b"method ", GOOD[1]), BAD, PARAMS),
    "params twice": members(VERSION, ID, BAD, PARAMS, PARAMS),
    "jsonrpc twice": members(VERSION, VERSION, ID, BAD, PARAMS),
    "no jsonrpc": members(ID, BAD, PARAMS),
    "jsonrpc 1.0": members((b"jsonrpc", b'"1.0"'), ID, BAD, PARAMS),
    "jsonrpc escaped": members((b"jsonrpc", rb'"\u0032.0"'), ID, BAD, PARAMS),
    "jsonrpc a number": members((b"jsonrpc", b"2.0"), ID, BAD, PARAMS),
    "method last": members(PARAMS, ID, VERSION, BAD),
    "a good method nested in params before it": members(VERSION, ID, (b"params", b"[%s]" % call(ALLOWED)), BAD),
    "a good method nested in an unknown member before it": members((b"x", members(GOOD)), VERSION, ID, BAD, PARAMS),
    "a megabyte before it": members(VERSION, ID, (b"params", b'["%s"]' % (b"x" * (1 << 20))), BAD),
    "a thousand members before it": members(*((b"k%d" % n, b"0") for n in range(1000)), VERSION, ID, BAD, PARAMS),
    "deep params before it": members(VERSION, ID, (b"params", b"[" * 2000 + b"]" * 2000), BAD),
    "1e999 before it": members(VERSION, ID, (b"params", b"[1e999]"), BAD),
    "forty digits before it": members(VERSION, ID, (b"params", b"[%s]" % (b"9" * 40)), BAD),
    "a lone surrogate before it": members(VERSION, ID, (b"params", rb'["\ud800"]'), BAD),
    "a string that ends in a backslash before it": members(VERSION, ID, (b"params", rb'["\\"]'), BAD),
    "a string of brackets and quotes before it": members(VERSION, ID, (b"params", rb'["]}\",\"method\":\"a\""]'), BAD),
}

IDS = {
    "id null": call(id=b"null"),
    "id text": call(id=b'"one"'),
    "id empty text": call(id=b'""'),
    "id text with escapes": call(id=rb'"\u0031"'),
    "id a lone surrogate": call(id=rb'"\udc00"'),
    "id a float": call(id=b"1.0"),
    "id with an exponent": call(id=b"1e0"),
    "id negative": call(id=b"-1"),
    "id minus nought": call(id=b"-0"),
    "id true": call(id=b"true"),
    "id a list": call(id=b"[1]"),
    "id an object": call(id=b'{"method":"system_chain"}'),
    "id the largest": call(id=b"18446744073709551615"),
    "id one over the largest": call(id=b"18446744073709551616"),
    "id of a thousand digits": call(id=b"1" * 1000),
    "id of a hundred thousand characters": call(id=b'"%s"' % (b"i" * 100_000)),
    "id twice": members(VERSION, ID, ID, BAD, PARAMS),
    "id twice, null first": members(VERSION, (b"id", b"null"), ID, BAD, PARAMS),
    "id by an escaped key": members(VERSION, (rb"\u0069d", b"1"), BAD, PARAMS),
    "no id": NOTIFICATION,
}

BATCHES = {
    "alone in a batch": batch(call()),
    "after an allowed one": batch(call(ALLOWED), call(id=b"2")),
    "before an allowed one": batch(call(), call(ALLOWED, b"2")),
    "after ninety-nine allowed ones": batch(*(call(ALLOWED, b"%d" % n) for n in range(99)), call(id=b"99")),
    "after two thousand allowed ones": batch(*(call(ALLOWED, b"%d" % n) for n in range(2000)), call(id=b"2000")),
    "notifications": batch(NOTIFICATION, NOTIFICATION),
    "a notification among calls": batch(call(ALLOWED), NOTIFICATION),
    "by position": batch(POSITIONAL),
    "by position, mixed": batch(call(ALLOWED), POSITIONAL),
    "by position, escaped": batch(b'["2.0",1,"%s",[]]' % HIDDEN),
    "by position, id null": batch(b'["2.0",null,"%s",[]]' % DENIED),
    "by position, no params": batch(b'["2.0",1,"%s"]' % DENIED),
    "by position, one too many": batch(b'["2.0",1,"%s",[],0]' % DENIED),
    "by position as a single message": POSITIONAL,
    "by position in another order": batch(b'["2.0","%s",[],1]' % DENIED),
    "a batch in a batch": batch(batch(call())),
    "a batch beside a call": batch(call(ALLOWED), batch(call())),
    "an escaped name in it": batch(call(ALLOWED), call(HIDDEN, b"2")),
    "a good and a bad method in it": batch(call(ALLOWED), members(VERSION, ID, GOOD, BAD)),
    "bytes of no character in it": batch(call(ALLOWED, params=b'["\xff"]'), call(id=b"2")),
    "a trailing comma": b"[" + call() + b",]",
    "two batches": batch(call(ALLOWED)) + batch(call()),
}

AROUND = {
    "white space around it": b" \t\r\n" + call() + b" \t\r\n",
    "space everywhere": call().replace(b":", b" :\n").replace(b",", b"\t,\r"),
    "a form feed before it": b"\f" + call(),
    "127 form feeds before it": b"\f" * 127 + call(),
    "128 form feeds before it": b"\f" * 128 + call(),
    "129 spaces before it": b" " * 129 + call(),
    "a form feed before a batch": b"\f" + batch(POSITIONAL),
    "a form feed after it": call() + b"\f",
    "a vertical tab before it": b"\v" + call(),
    "a byte order mark": b"\xef\xbb\xbf" + call(),
    "a no-break space": b"\xc2\xa0" + call(),
    "NUL before it": b"\0" + call(),
    "NUL after it": call() + b"\0",
    "after a good document": call(ALLOWED) + call(),
    "after a good document and a line feed": call(ALLOWED) + b"\n" + call(),
    "after a good document and NUL": call(ALLOWED) + b"\0" + call(),
    "before a good document": call() + call(ALLOWED),
    "garbage after it": call() + b"x",
    "one bracket more": call() + b"}",
    "one bracket less": call()[:-1],
    "a line comment before it": b"// good\n" + call(),
    "a block comment in it": call().replace(b'"id"', b'/* good */"id"'),
    "a comment that hides a good one": call().replace(b'"method"', b'/*"method":"system_chain",*/"method"'),
    "single quotes": call().replace(b'"', b"'"),
    "keys without quotes": b'{jsonrpc:"2.0",id:1,method:"%s",params:[]}' % DENIED,
    "a trailing comma in it": call()[:-1] + b",}",
    "NaN before it": members(VERSION, ID, (b"params", b"[NaN]"), BAD),
    "bytes of no character in an ignored text": members((b"x", b'"\xff\xfe"'), VERSION, ID, BAD, PARAMS),
    "an overlong quote in an ignored text": members((b"x", b'"\xc0\xa2"'), VERSION, ID, BAD, PARAMS),
    "a surrogate in UTF-8": members((b"x", b'"\xed\xa0\x80"'), VERSION, ID, BAD, PARAMS),
    "UTF-16 with its mark": b"\xff\xfe" + call().decode().encode("utf-16-le"),
    "UTF-16 without": call().decode().encode("utf-16-be"),
    "UTF-32": call().decode().encode("utf-32"),
    "a text of it": b'"%s"' % call().replace(b'"', b'\\"'),
    "an event stream": b"data: " + call() + b"\n\n",
    "a record separator": b"\x1e" + call() + b"\n",
    "a length before it": b"Content-Length: %d\r\n\r\n" % len(call()) + call(),
    "nothing": b"",
    "white space alone": b" \n",
}

OTHER_METHODS = {
    f"{name} {params}": call(name.encode(), params=params.encode())
    for name, params in (
        ("author_rotateKeysWithOwner", '["0x00"]'),
        ("author_insertKey", '["aura","//Alice","0x00"]'),
        ("author_removeExtrinsic", "[[]]"),
        ("system_addReservedPeer", '["/ip4/127.0.0.1/tcp/1/p2p/12D3"]'),
        ("system_dryRun", '["0x00"]'),
        ("system_dryRunAt", '["0x00"]'),
        ("offchain_localStorageSet", '["PERSISTENT","0x00","0x00"]'),
        ("state_getPairs", '["0x"]'),
        ("engine_createBlock", "[true,true]"),
        ("state_subscribeStorage", "[]"),
        ("state_subscribeStorage", "[null]"),
        ("state_subscribeStorage", "[[]]"),
        ("state_subscribeStorage", "null"),
        ("state_subscribeStorage", "{}"),
        ("state_subscribeStorage", '{"keys":null}'),
    )
}

PASSING = {
    "named in params alone": call(ALLOWED, params=b'["%s",{"method":"%s"}]' % (DENIED, DENIED)),
    "named by an unknown member alone": members(VERSION, ID, GOOD, PARAMS, (b"METHOD", BAD[1])),
    "named as id alone": call(ALLOWED, id=b'"%s"' % DENIED),
}

CORPUS = [
    (name, text, STOPPED)
    for part in (NAMES, MEMBERS, IDS, BATCHES, AROUND, OTHER_METHODS)
    for name, text in part.items()
] + [(name, text, HARMLESS) for name, text in PASSING.items()]
