#!/usr/bin/env python3
"""Holds the order of the folders: a folder includes itself and lower levels, never a peer, never a higher one.

    tests/lint/include_order.py [ROOT]      prints every violation, exits 1 if there is one
"""
import pathlib
import re
import sys

# "" is include/ringwall itself. Devnode and load are programs on top of the folders; load uses the server's process too.
LEVELS = [
    {""},
    {"ring"},
    {"http", "websocket", "rpc", "tls", "quota", "metrics", "log"},
    {"connection", "config"},
    {"upstream"},
    {"session"},
    {"shard"},
    {"admin"},
    {"server", "devnode"},
    {"load"},
]
LEVEL_OF = {folder: level for level, folders in enumerate(LEVELS) for folder in folders}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def folder_of(path):
    """The folder that a file belongs to; path is relative to the root."""
    parts = path.parts
    if parts[:2] == ("include", "ringwall"):
        return parts[2] if len(parts) > 3 else ""
    return parts[1]  # src/<folder>/…, tools/devnode/…


def included_folder(root, path, bracket, name):
    """The folder of an included header of ours; None if it is somebody else's header."""
    if name.startswith("ringwall/"):
        parts = name.split("/")
        return parts[1] if len(parts) > 2 else ""
    if bracket == "<":
        return None
    for base in (path.parent, pathlib.Path("src"), pathlib.Path("tools")):
        if (root / base / name).is_file():
            return folder_of(pathlib.Path((root / base / name).resolve().relative_to(root)))
    return None


def violations(root):
    root = pathlib.Path(root).resolve()
    files = [p for base in ("include/ringwall", "src", "tools/devnode", "tools/load") for p in sorted((root / base).rglob("*"))]
    for file in (p for p in files if p.suffix in (".h", ".cc")):
        path = file.relative_to(root)
        folder = folder_of(path)
        if folder not in LEVEL_OF:
            yield f"{path}: folder {folder} is not in the table of levels (tests/lint/include_order.py)"
            continue
        text = file.read_text()
        for match in INCLUDE.finditer(text):
            other = included_folder(root, path, *match.groups())
            if other is None or other == folder:
                continue
            place = f"{path}:{text.count(chr(10), 0, match.start(1)) + 1}"
            if other not in LEVEL_OF:
                yield f"{place}: {match.group(2)}: folder {other} is not in the table of levels"
            elif LEVEL_OF[other] == LEVEL_OF[folder]:
                yield f"{place}: {folder} includes its peer {other}"
            elif LEVEL_OF[other] > LEVEL_OF[folder]:
                yield f"{place}: {folder} includes {other}, which is above it"


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]
    found = list(violations(root))
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
