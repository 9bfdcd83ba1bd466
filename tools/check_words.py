#!/usr/bin/env python3
"""Fails on marks of unfinished work in what is tracked, and on sources that are too long to be one noun."""
import pathlib
import re
import subprocess
import sys

UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
LINES_MAX = 900


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    names = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True).stdout.split("\n")
    bad = []
    for name in filter(None, names):
        path = root / name
        if path.suffix not in (".cc", ".h", ".py", ".sh", ".md", ".ts", ".svelte", ".txt", ".cmake") or not path.exists():
            continue
        lines = path.read_text(errors="replace").splitlines()
        if path.suffix in (".cc", ".h") and len(lines) > LINES_MAX:
            bad.append(f"{name}: {len(lines)} lines; more than {LINES_MAX} are hardly one noun")
        for number, line in enumerate(lines, 1):
            if UNFINISHED.search(line):
                bad.append(f"{name}:{number}: {line.strip()}")
    print("\n".join(bad) if bad else "nothing unfinished")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
