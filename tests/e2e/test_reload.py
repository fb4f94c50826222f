"""SIGHUP: what changes while clients are served, what is refused, and what has to wait for a restart."""

import functools
import itertools
import json
import re
import signal
import subprocess
import threading
import time

import pytest

from harness import client, reload
from harness.bench import arguments_of, kinds
from harness.frames import TEXT
from harness.guard import DENIED, RATE, Talk, codes
from harness.reload import Pairs, config_text, fingerprint, rewrite, served_fingerprint
from harness.until import until

METHOD = "system_chain"
UNKNOWN = "moon_phase"
NO_LIMITS = '[limits]\nenabled = "off"\n'


@pytest.fixture
def node(cast):
    return cast.recording_node(results={UNKNOWN: "full"}, methods=(METHOD, UNKNOWN))


@pytest.fixture
def pairs(tmp_path):
    return Pairs(tmp_path)


@pytest.fixture
def served(cast, node, pairs):
    """served(sections, listener) starts one with a file; served.text(…) is what to rewrite it to."""

    def start(sections="", listener="", **options):
        return cast.ringwall(config=text(sections, listener), guard=True, **options)

    def text(sections="", listener=""):
        return config_text(pairs.served, node, sections, listener)

    start.text = text
    return start


def ask_by_post(stream, method=METHOD):
    stream.send(client.post(client.call(method)))
    return json.loads(stream.read_reply().body)


# What holds from then on ------------------------------------------------------------------------------------------


def test_nothing_changes_where_nothing_has_changed(served):
    server = served()
    log = reload.reload(server)
    assert "reloaded: nothing has changed" in log
    assert "warning" not in log and "error" not in log


def test_flags_alone_are_read_again_too(cast, node):
    server = cast.ringwall(node)
    assert "reloaded: nothing has changed" in reload.reload(server)


def test_methods_change_for_connections_that_are_open(served):
    server = served()
    with Talk(server) as talk, client.connect(server.port) as by_post:
        assert codes(talk.ask(UNKNOWN)) == [DENIED]
        assert codes(ask_by_post(by_post, UNKNOWN)) == [DENIED]
        log = reload.reload(server, served.text(f'[methods]\nallow = ["{UNKNOWN}"]\ndeny = ["{METHOD}"]\n'))
        assert f'reload: methods.allow: [] -> ["{UNKNOWN}"]' in log
        assert "reloaded: 2 changed fields in force, 0 for a restart" in log
        assert talk.ask(UNKNOWN)["result"] == "full"
        assert codes(talk.ask(METHOD)) == [DENIED]
        assert ask_by_post(by_post, UNKNOWN)["result"] == "full"
        assert talk.ask("rpc_methods")["result"]["methods"] == [UNKNOWN]


def test_limits_change_for_connections_that_are_open(served):
    server = served("[limits]\nconnection_units_per_s = 1\nconnection_units_burst = 5\n")
    with Talk(server) as talk:
        assert RATE in [code for _ in range(8) for code in codes(talk.ask(METHOD))]
        reload.reload(server, served.text("[limits]\nconnection_units_per_s = 1000\nconnection_units_burst = 1000\n"))
        time.sleep(0.1)  # What it owed is paid back at the new rate.
        assert [codes(talk.ask(METHOD)) for _ in range(50)] == [[None]] * 50


def test_a_message_that_waits_for_its_rate_is_denied_when_its_method_is_taken_away(served):
    rate = '[limits]\naction = "delay"\ndelay_ms_max = "20s"\nconnection_units_per_s = {}\nconnection_units_burst = 5\n'
    server = served(rate.format(1))
    with Talk(server) as talk:
        for _ in range(4):
            talk.ask(METHOD)
        kept = [talk.send(METHOD) for _ in range(4)]
        reload.reload(server, served.text(rate.format(2) + f'[methods]\ndeny = ["{METHOD}"]\n'))
        answers = [talk.read() for _ in kept]
        assert [answer["id"] for answer in answers] == kept
        assert codes(answers[0]) == [DENIED]
        assert set(codes(answers)) <= {DENIED, RATE}
        assert talk.ask("system_name")["result"] == "ok"


def test_who_may_connect_changes_for_new_connections_alone(served):
    server = served()
    with Talk(server) as talk:
        reload.reload(server, served.text('[limits]\ndeny = ["127.0.0.1/32"]\n'))
        with pytest.raises(OSError):
            client.exchange(server.port, client.page_request())
        assert talk.ask(METHOD)["result"] == "ok"
        assert client.exchange(server.port, client.page_request(), source="127.0.0.2").status == 200


def test_timeouts_and_origins_change_for_connections_that_are_open(served):
    server = served()
    foreign = client.page_request([("Origin", "https://b.example")])
    with client.connect(server.port) as stream:
        stream.send(foreign)
        assert stream.read_reply().status == 200
        reload.reload(server, served.text('[timeouts]\nkeep_alive_ms = "200ms"\n', 'origins = ["https://a.example"]'))
        stream.send(client.page_request())
        assert stream.read_reply().status == 200
        assert stream.read_to_end() == b"" and stream.ended_by == "eof"
    assert client.exchange(server.port, foreign).status == 403


def test_the_log_level_changes(served):
    server = served('[log]\nlevel = "error"\n')
    reload.reload(server, served.text('[log]\nlevel = "info"\n'))
    assert "reloaded: nothing has changed" in reload.reload(server)
    reload.rewrite(server, served.text('[log]\nlevel = "error"\n'))
    assert "reloaded: 1 changed field" in reload.reload(server)
    before = server.log
    server.stop()
    assert server.log == before, "an error was logged, or less than an error"


# What is refused, and what has to wait ----------------------------------------------------------------------------


def test_a_bad_file_changes_nothing_and_every_mistake_is_told_with_its_line(served):
    server = served()
    bad = served.text('[limits]\naddress_units_per_s = "many"\n[methods]\npolicy = "all"\nallowed = []\n')
    line = next(number for number, row in enumerate(bad.splitlines(), 1) if "many" in row)
    log = reload.reload(server, bad)
    assert f"ringwall.toml:{line}: limits.address_units_per_s" in log
    assert f"ringwall.toml:{line + 3}: methods.allowed" in log
    assert "reload refused, nothing has changed: 2 mistakes" in log
    with Talk(server) as talk:
        assert codes(talk.ask(UNKNOWN)) == [DENIED]
    assert "reloaded: 1 changed field" in reload.reload(server, served.text('[methods]\npolicy = "all"\n'))
    with Talk(server) as talk:
        assert talk.ask(UNKNOWN)["result"] == "full"


def test_a_file_that_is_gone_changes_nothing(served):
    server = served()
    server.config_file.rename(server.config_file.with_suffix(".old"))
    assert "reload refused" in reload.reload(server)
    assert client.exchange(server.port, client.page_request()).status == 200


def test_a_certificate_that_does_not_fit_its_key_changes_nothing(served, pairs, node):
    server = served()
    before = served_fingerprint(server.port)
    mixed = config_text(pairs.served, node, '[methods]\npolicy = "all"\n')
    mixed = mixed.replace(str(pairs.served.key), str(pairs.made[1].key))
    log = reload.reload(server, mixed)
    assert re.search(r"ringwall.toml:\d+: listener\[0\].certificate\[0\].key", log)
    assert "reload refused" in log
    assert served_fingerprint(server.port) == before
    with Talk(server) as talk:
        assert codes(talk.ask(UNKNOWN)) == [DENIED]


def test_what_needs_a_restart_is_named_and_the_rest_is_taken(served):
    server = served()
    text = served.text('[server]\nbuffers_per_shard = 128\n[methods]\npolicy = "all"\n', "")
    text = text.replace("[[upstream]]", '[[upstream]]\nconnections_max = 3')
    text += '\n[[listener]]\naddress = "127.0.0.1:1"\nkind = "plain"\n'
    log = reload.reload(server, text)
    assert "reload: needs a restart: server.buffers_per_shard: 64 -> 128" in log
    assert 'reload: needs a restart: upstream[0].connections_max: "none" -> 3' in log
    assert 'reload: needs a restart: listener[1]: none -> "127.0.0.1:1"' in log
    assert "reloaded: 1 changed field in force, 3 for a restart" in log
    with Talk(server) as talk:
        assert talk.ask(UNKNOWN)["result"] == "full"


# Under load -------------------------------------------------------------------------------------------------------


class Caller(threading.Thread):
    """Does one thing again and again until it is told to stop. `done` counts; the first failure ends it."""

    def __init__(self, once):
        super().__init__(daemon=True)
        self.once, self.done, self.failure = once, 0, None
        self._stop_asked = threading.Event()
        self.start()

    def run(self):
        try:
            while not self._stop_asked.is_set():
                self.once()
                self.done += 1
        except BaseException as failure:  # Told in the thread that asks.
            self.failure = failure

    def stop(self):
        self._stop_asked.set()
        self.join(30)
        assert not self.is_alive(), "a call has no answer"
        if self.failure:
            raise self.failure


def answered(talk):
    assert "result" in talk.ask(METHOD)


def subscribed(talk, seen):
    """Reads what comes until the next new head."""
    opcode, text = talk.stream.read_message()
    assert opcode == TEXT and "newHead" in json.loads(text).get("method", ""), text
    seen.append(1)


@pytest.mark.parametrize("shards", ["1", "2"])
def test_under_load_a_reload_and_another_certificate_fail_no_call_and_close_no_connection(cast, pairs, shards):
    """Calls on open WebSockets, by POST, on new connections, one that waits for its answer, and subscriptions."""
    devnode = cast.devnode(block_ms=100)
    holding = cast.recording_node()
    holding.hold("system_name")
    sections = (
        NO_LIMITS + "[timeouts]\nhead_ms = {head}\n" + '[methods]\nallow = ["x{head}"]\n'
    )  # A change each time.
    listener = '[[listener.route]]\npath = "/held"\nupstream = "holding"\n'
    upstream = f'[[upstream]]\nname = "holding"\naddress = "{holding.address}"\n'

    def text(round):
        own = sections.replace("{head}", str(20_000 + round))
        return config_text(pairs.served, devnode, own, listener) + upstream

    server = cast.ringwall(config=text(0), guard=True, arguments=["--shards", shards])
    talks = [Talk(server) for _ in range(6)]
    posting = client.connect(server.port)
    subscriber = Talk(server)
    assert "result" in subscriber.ask("chain_subscribeNewHeads")
    heads = []
    held = Talk(server, path="/held")
    held_id = held.send("system_name")
    holding.held(1)
    callers = [Caller(lambda talk=talk: answered(talk)) for talk in talks]
    callers.append(Caller(lambda: ask_by_post(posting)["result"]))
    callers.append(Caller(lambda: subscribed(subscriber, heads)))

    def on_a_new_connection():
        with Talk(server) as talk:
            answered(talk)

    callers.append(Caller(on_a_new_connection))
    for round in range(1, 11):
        pairs.put(round % 2)
        log = reload.reload(server, text(round))
        assert "reloaded: " in log, log
        wanted = fingerprint(pairs.made[round % 2])
        until(lambda: served_fingerprint(server.port) == wanted, 10, "the other certificate is served")
        until(lambda: all(caller.done or caller.failure for caller in callers), 10, "all have done something")
        for caller in callers:
            caller.done = 0
    for caller in callers:
        caller.stop()
    assert len(heads) > 3
    holding.release()
    assert held.read()["id"] == held_id
    for talk in (*talks, subscriber, held):
        assert talk.closed_with is None
        talk.stream.close()
    posting.close()
    server.stop()
    assert "reload refused" not in server.log
    assert not re.search(r"tls_failed|client_refused|over_limit|node_gone", server.log), server.log[-2000:]


def test_ringwall_bench_sees_nothing_of_reloads_and_other_certificates(cast, pairs):
    devnode = cast.devnode(block_ms=100)
    text = functools.partial(config_text, pairs.served, devnode)
    server = cast.ringwall(config=text(NO_LIMITS), guard=True)
    argv = arguments_of(server.wss, "--insecure", "--connections", 40, "--depth", 4, "--duration", "5s")
    with open(cast.folder / "seen.json", "wb") as to:
        load = subprocess.Popen(argv, stdout=to)
    try:
        rounds = 0
        while load.poll() is None and rounds < 900:
            rounds += 1
            pairs.put(rounds % 2)
            reload.reload(server, text(NO_LIMITS + f"batch_calls_max = {100 + rounds}\n"))
        load.wait(30)
    finally:
        load.kill()
        load.wait()
    seen = json.loads((cast.folder / "seen.json").read_text())
    assert rounds > 5
    assert kinds(seen) == {}
    assert seen["flow"]["calls_sent"] == seen["flow"]["answers"] > 1000


def test_many_reloads_at_once_are_one_after_the_other(served):
    server = served()
    with Talk(server) as talk:
        for round in itertools.islice(itertools.cycle((100, 200)), 30):
            rewrite(server, served.text(f"[limits]\nbatch_calls_max = {round}\n"))
            server.send_signal(signal.SIGHUP)
        assert talk.ask(METHOD)["result"] == "ok"
        reload.reload(server, served.text())
        assert talk.ask(METHOD)["result"] == "ok"
