"""Rounds of a work over several servers in turns, in an order that changes; and what they come to."""

import statistics

from load import Load, Trouble
from progress import Progress
from stage import summary
from workloads import Work

INVALID_MAX = 3  # rounds of a work that are made up for


def order(names: list[str], turn: int) -> list[str]:
    """Of a round: in as many rounds as there are names each is once at each place. Where that is an even number, each comes
    once right after each other too; where it is odd, twice in double the rounds (Latin squares of E. J. Williams, 1949)."""
    count = len(names)
    steps = [(at + 1) // 2 if at % 2 else count - at // 2 for at in range(count)]
    row = [names[(step + turn) % count] for step in steps]
    return row[::-1] if turn // count % 2 else row


def measure(work: Work, servers: dict, load: Load, rounds: int, progress: Progress) -> dict:
    """Lists of what each valid round found, by server. A round with a trouble in any of its runs counts for none."""
    names = list(servers)
    found = {name: [] for name in names}
    invalid = []
    turn = 0
    while len(found[names[0]]) < rounds and len(invalid) <= INVALID_MAX:
        this = {}
        try:
            for name in order(names, turn):
                progress.tell(f"{work.title}: round {len(found[name]) + 1} of {rounds}, {name}")
                this[name] = load.run(work, servers[name])
        except Trouble as trouble:
            invalid.append(f"{name}: {trouble}")
            progress.line(f"a round of {work.title!r} does not count: {invalid[-1]}")
        else:
            for name, one in this.items():
                found[name].append(one)
        turn += 1
    return {"found": found, "invalid": invalid}


def against_best(values: dict, subject: str) -> dict:
    """`values`: one for each round, by server. The best peer has the lowest median. The ratio is that of the medians, which
    whoever reads them can do again; the rounds' own ratios say how far it can be trusted."""
    peers = {name: statistics.median(of) for name, of in values.items() if name != subject and of}
    if not values.get(subject) or not peers:
        return {}
    best = min(peers, key=peers.get)
    of_rounds = summary([one / other for one, other in zip(values[subject], values[best])])
    return {"best_peer": best, "ratio": {"of_medians": statistics.median(values[subject]) / peers[best], "of_rounds": of_rounds}}


def by_server(done: dict, what: str) -> dict:
    return {name: [one[what] for one in of] for name, of in done["found"].items()}


def row(title: str, unit: str, values: dict, bar: float | None, subject: str = "ringwall") -> dict:
    """`bar`: of the best peer, at most."""
    servers = {name: summary(of) for name, of in values.items() if of}
    made = {"title": title, "unit": unit, "servers": servers, **against_best(values, subject)}
    if bar is not None and "ratio" in made:
        made |= {"bar": bar, "held": made["ratio"]["of_medians"] <= bar}
    return made


def hold_to(row: dict, bar: float, subject: str = "ringwall") -> dict:
    """To `bar` in the row's own unit, whatever the peers do."""
    if subject not in row["servers"]:
        return row
    return row | {"bar_own": bar, "held": row["servers"][subject]["median"] <= bar}
