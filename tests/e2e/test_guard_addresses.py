"""Many addresses at once: each is served, and one that floods is the only one refused."""

import threading

import pytest

from harness import client
from harness.frames import TEXT, client_frame
from harness.guard import Talk, guard_counters, refusals
from harness.until import until

ADDRESSES = [f"127.0.{1 + number // 100}.{1 + number % 100}" for number in range(200)]
THREADS = 8
CALLS = 5


def of_all(work, addresses) -> list:
    """work(address) for each, by a few threads; the results, in the order of the addresses."""
    results, failures = {}, []

    def run(mine):
        for address in mine:
            try:
                results[address] = work(address)
            except Exception as failure:
                failures.append(f"{address}: {failure!r}")

    threads = [threading.Thread(target=run, args=(addresses[first::THREADS],)) for first in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, "\n".join(failures[:10])
    return [results[address] for address in addresses]


def calls_answered(talk: Talk) -> int:
    """A few calls in one segment."""
    talk.stream.send(b"".join(client_frame(TEXT, client.call("system_chain", id=id)) for id in range(CALLS)))
    answers = [talk.read() for _ in range(CALLS)]
    assert {answer["id"] for answer in answers} == set(range(CALLS))
    return sum("result" in answer for answer in answers)


@pytest.fixture
def server(cast):
    return cast.ringwall(cast.devnode(arguments=["--connections-max", "1000"]), guard=True)


@pytest.mark.timeout(120)
def test_two_hundred_addresses_are_all_served(server):
    talks = of_all(lambda address: Talk(server, source=address), ADDRESSES)
    for _ in range(3):
        assert sum(of_all(lambda address: calls_answered(talks[ADDRESSES.index(address)]), ADDRESSES)) == 200 * CALLS
    for talk in talks:
        talk.stream.close()
    counters = guard_counters(server)
    assert refusals(counters) == {}
    assert (counters["calls"], counters["overflow_clients"]) == (3 * 200 * CALLS, 0)


@pytest.mark.timeout(120)
def test_one_flooder_among_them_is_the_only_one_refused(server):
    flooder, *others = ADDRESSES
    talks = of_all(lambda address: Talk(server, source=address), others)
    floods, stop = [], threading.Event()

    def flood():
        # Several connections, since one has less than its address: 20,000 units a second of 1,000.
        with Talk(server, source=flooder) as talk:
            while not stop.is_set():
                try:
                    floods.append(talk.flood("author_pendingExtrinsics", calls=200))
                except EOFError:  # Closed with 1008: it has been told a thousand times.
                    assert talk.closed_with == 1008
                    return

    threads = [threading.Thread(target=flood) for _ in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: any(flood.refused for flood in floods), 30, "the flooder is refused")
    for _ in range(3):
        assert sum(of_all(lambda address: calls_answered(talks[others.index(address)]), others)) == 199 * CALLS
    stop.set()
    for thread in threads:
        thread.join()
    for talk in talks:
        talk.stream.close()
    assert set(refusals(guard_counters(server))) <= {"address_units", "connection_units"}


def test_ipv4_addresses_can_be_counted_by_the_prefix(cast):
    """A provider's customers with a /24 each."""
    settings = {"limits.ipv4_address_bits": 24, "limits.address_units_per_s": 1, "limits.address_units_burst": 10}
    server = cast.ringwall(cast.recording_node(), guard=True, settings=settings)
    talks = [Talk(server, source=source) for source in ("127.0.1.1", "127.0.1.2", "127.0.2.1")]
    answered = [talk.flood("system_chain", calls=8, window=1).answered for talk in talks]
    assert answered[0] == answered[2] == 8 and answered[1] <= 3
    for talk in talks:
        talk.stream.close()


def test_more_addresses_than_the_table_holds_share_one_entry_and_nothing_breaks(cast):
    """256 entries; the connections hold theirs."""
    settings = {"limits.address_entries": 256, "limits.address_connections_max": 1000}
    node = cast.devnode(arguments=["--connections-max", "2000"])
    server = cast.ringwall(node, guard=True, settings=settings)
    addresses = [f"127.1.{number // 200}.{1 + number % 200}" for number in range(300)]
    talks = of_all(lambda address: Talk(server, source=address), addresses)
    assert sum(calls_answered(talk) for talk in talks) == 300 * CALLS
    for talk in talks:
        talk.stream.close()
    counters = guard_counters(server)
    assert counters["overflow_clients"] > 0 and refusals(counters) == {}
