"""What a comparison found, as text and as Markdown."""

from stage import table

TITLES = {"ringwall": "Ringwall", "nginx": "nginx", "haproxy": "HAProxy", "caddy": "Caddy"}
NEAR = 0.03  # of a bar
DIGITS_MAX = 6
QUICK = "quick: these figures say that it works, and nothing else"
OUTCOMES = {True: "held", False: "NOT HELD"}


def number(value: float) -> str:
    """To three digits or more."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def against(value: float, bar: float | None) -> str:
    """With a third digit after the point near the bar, and more until one sees on which side it is."""
    if bar is None or abs(value - bar) > NEAR * bar:
        return number(value)
    digits = 3
    while digits < DIGITS_MAX and value != bar and f"{value:.{digits}f}" == f"{bar:.{digits}f}":
        digits += 1
    return f"{value:,.{digits}f}"


def median(row: dict, name: str) -> str:
    return against(row["servers"][name]["median"], row.get("bar_own") if name == "ringwall" else None)


def cell(row: dict, name: str) -> str:
    of = row["servers"][name]
    spread = f" ({number(of['min'])} … {number(of['max'])})" if of["n"] > 1 else ""
    return median(row, name) + spread


def bar(row: dict, quick: bool = False) -> str:
    """And whether it is held, which a quick run can't tell."""
    if "held" not in row:
        return ""
    aim = f"{row['bar']:.2f}" if "bar" in row else f"{number(row['bar_own'])} {row['unit']}"
    return aim if quick else f"{aim} {OUTCOMES[row['held']]}"


def ratio(row: dict) -> str:
    if "ratio" not in row:
        return ""
    of_rounds = row["ratio"]["of_rounds"]
    spread = f" ({of_rounds['min']:.2f} … {of_rounds['max']:.2f})" if of_rounds["n"] > 1 else ""
    best = TITLES.get(row["best_peer"], row["best_peer"])
    return f"{against(row['ratio']['of_medians'], row.get('bar'))} of {best}{spread}"


def unit(row: dict, rounds: int) -> str:
    """With the number of its rounds where it has fewer than the others."""
    count = max((of["n"] for of in row["servers"].values()), default=0)
    if not 0 < count < rounds:
        return row["unit"]
    return f"{row['unit']}, one sample" if count == 1 else f"{row['unit']}, {count} rounds"


def line(row: dict, quick: bool = False) -> str:
    outcome = "" if quick else OUTCOMES.get(row.get("held"), "")
    cells = "  ".join(f"{name} {cell(row, name)}" for name in row["servers"])
    return f"{row['title']} ({row['unit']}): {cells}  {ratio(row)}  {outcome}".rstrip()


def shown(row: dict, name: str, short: bool) -> str:
    return "" if name not in row["servers"] else median(row, name) if short else cell(row, name)


def cells_of(row: dict, names: list[str], short: bool) -> list[str]:
    if not set(names) & set(row["servers"]):  # Of ringwall in two forms.
        found = "; ".join(f"{name} {shown(row, name, short)}" for name in row["servers"])
        return [found] + [""] * (len(names) - 1)
    return [shown(row, name, short) for name in names]


def rows_of(result: dict, short: bool = False) -> tuple[list[str], list[list[str]]]:
    names = list(result["versions"])
    head = ["", "unit", *(TITLES[name] for name in names), "Ringwall, of the best peer", "bar"]
    rows = []
    for row in result["rows"].values():
        cells = cells_of(row, names, short)
        rows.append([row["title"], unit(row, result["rounds"]), *cells, ratio(row), bar(row, result["quick"])])
    return head, rows


def about(result: dict) -> str:
    machine, versions = result["machine"], result["versions"]
    programs = ", ".join(f"{TITLES[name]} {version}" for name, version in versions.items())
    where = f"{machine['cpu']}, {machine['cores']} cores, Linux {machine['kernel']}, {machine['date']}"
    how = "proxies on a core of their own" if result["pinned"] else "not pinned"
    return f"{programs}; {where}; load {machine['load_1min']:.1f} at the start; {result['rounds']} rounds, {how}"


def markdown(result: dict) -> str:
    head, rows = rows_of(result, short=True)
    lines = ["| " + " | ".join(head) + " |", "| --- | --- |" + " ---: |" * (len(head) - 3) + " --- |"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    mark = [f"**{QUICK}**", ""] if result["quick"] else []
    return "\n".join([*mark, *lines, "", f"Medians. {about(result)}."])


def whole(result: dict, as_markdown: bool) -> None:
    if as_markdown:
        print(markdown(result))
        return
    table(*rows_of(result))
    print(about(result))
    if result["quick"]:
        print(QUICK)
