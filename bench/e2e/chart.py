"""A comparison as a picture: bars for each work, as long as the cost is, of the best peer's."""

import textwrap
from xml.sax.saxutils import escape

from report import TITLES, about, median, unit
from stage import RESULTS, ROOT

COLOURS = {"ringwall": "#d6246e", "nginx": "#4f9d69", "haproxy": "#4a7fb5", "caddy": "#c9a227"}
LEFT, WIDTH, UNIT, BAR, GAP = 330, 960, 210, 11, 16  # pixels; UNIT is the best peer's length
LEGEND = "Medians; shorter is better. The grey line is the best peer, the dashed ones are what Ringwall aims at."
FOOT_CHARS = 150
LONGEST = 2.4  # of the best peer's; a longer bar is cut


def text(x: float, y: float, words: str, **more) -> str:
    given = " ".join(f'{key.replace("_", "-")}="{value}"' for key, value in more.items())
    return f'<text x="{x:.1f}" y="{y:.1f}" {given}>{escape(words)}</text>'


def bars(row: dict, top: float, rounds: int) -> tuple[list[str], float]:
    """And where the next row begins."""
    of_peers = {name: of["median"] for name, of in row["servers"].items() if name != "ringwall"}
    best = min(of_peers.values())
    out = [text(LEFT - 12, top + BAR * 2 - 2, row["title"], text_anchor="end")]
    out.append(text(LEFT - 12, top + BAR * 3 + 3, unit(row, rounds), text_anchor="end", fill="#777", font_size=10))
    y, labels = top, []
    for name, of in row["servers"].items():
        long = of["median"] / best
        length = max(0, min(long, LONGEST)) * UNIT
        out.append(f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR - 2}" fill="{COLOURS[name]}"/>')
        cut = " →" if long > LONGEST else ""
        labels.append(text(LEFT + length + 5, y + BAR - 3, median(row, name) + cut, font_size=10, fill="#444"))
        y += BAR
    if aim := row.get("bar") or row.get("bar_own", 0) / best:
        x = LEFT + min(aim, LONGEST) * UNIT
        line = f'x1="{x:.1f}" x2="{x:.1f}" y1="{top - 3}" y2="{y + 1}"'
        out.append(f'<line {line} stroke="#222" stroke-dasharray="2 2"/>')
    out += labels
    return out, y + GAP


def drawing(result: dict) -> str:
    rows = [row for row in result["rows"].values() if len(row["servers"]) > 1 and set(row["servers"]) <= set(COLOURS)]
    out, x = [text(16, 28, "What a proxy costs", font_size=18)], LEFT
    for name, version in result["versions"].items():
        out.append(f'<rect x="{x}" y="17" width="12" height="12" fill="{COLOURS[name]}"/>')
        label = TITLES[name] if name == "ringwall" else f"{TITLES[name]} {version}"
        out.append(text(x + 17, 28, label))
        x += 32 + 7 * len(label)
    y = 70.0
    out.append(text(LEFT, 52, LEGEND, fill="#777", font_size=10))
    for row in rows:
        more, y = bars(row, y, result["rounds"])
        out += more
    out.append(f'<line x1="{LEFT + UNIT}" x2="{LEFT + UNIT}" y1="60" y2="{y - GAP + 2}" stroke="#bbb"/>')
    for words in textwrap.wrap(about(result), FOOT_CHARS):
        out.append(text(16, y + 8, words, fill="#777", font_size=10))
        y += 14
    shape = f'viewBox="0 0 {WIDTH} {y + 10:.0f}" width="{WIDTH}" height="{y + 10:.0f}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {shape} font-family="system-ui, sans-serif" font-size="12">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *out, "</svg>"]) + "\n"


def write(name: str, result: dict) -> None:
    path = RESULTS / f"{name}.svg"
    path.write_text(drawing(result))
    print(f"and drawn in {path.relative_to(ROOT)}")
