"""clang-tidy on every source of src/ and tools/, but not again on one that passed and has not changed since.

    tidy.py BUILD      a build directory that is up to date: its compile_commands.json and ninja's record of headers are used
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def headers_of_objects(build):
    """Of each object file, the files of ours that it was made from."""
    made_from, files = {}, []
    output = subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True, check=True).stdout
    for line in output.splitlines():
        if line.startswith(" "):
            path = (build / line.strip()).resolve()
            if path.is_relative_to(ROOT):
                files.append(path)
        elif ": #deps" in line:
            files = made_from.setdefault(line.split(":")[0], [])
    return made_from


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    passed = build.parent / "tidy"
    passed.mkdir(exist_ok=True)
    made_from = headers_of_objects(build)
    rules = (ROOT / ".clang-tidy").read_bytes()

    def check(entry):
        source = (build / entry["file"]).resolve()
        digest = hashlib.sha256(rules + entry["command"].encode())
        for file in sorted({source, *made_from.get(entry["output"], [])}):
            digest.update(file.read_bytes())
        stamp = passed / digest.hexdigest()
        if stamp.exists():
            return None
        result = subprocess.run(["clang-tidy-19", "-quiet", "-p", build, source], capture_output=True, text=True)
        if result.returncode == 0:
            stamp.touch()
            return None
        return result.stdout or result.stderr

    commands = json.loads((build / "compile_commands.json").read_text())
    ours = [c for c in commands if (build / c["file"]).resolve().relative_to(ROOT).parts[0] in ("src", "tools")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [text for text in pool.map(check, ours) if text]
    print(f"{len(ours)} files, {len(found)} with findings")
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
