#!/usr/bin/env python3
"""Tells a regression from noise: bench/compare.py OLD.json NEW.json [OLD.json NEW.json ...] [--limit 15]

Each file is what a benchmark wrote with --json: {"rows": [{...}]}. Run old and new by turns and give the pairs in that order:
the median over the pairs is compared, and a row whose pairs disagree by more than its change is called noise. Ends with 1 where
a row has become worse by more than the limit (percent).
"""
import argparse
import json
import statistics
import sys

# How a figure's name tells which way is better.
LESS_IS_BETTER = ("_us", "_ms", "_ns", "_s", "_mib", "_kib", "_bytes", "_percent_of_core", "allocations", "trimmed_mean")
MORE_IS_BETTER = ("_per_s", "per_second", "percent_at_100")


def figures(path):
    """{(row, figure): value}: a row is named by its texts and by the numbers that say what was measured."""
    found = {}
    with open(path) as file:
        rows = json.load(file)["rows"]
    for row in rows:
        name = " ".join(f"{key}={value}" for key, value in row.items() if direction(key) == 0)
        for key, value in row.items():
            if direction(key) != 0 and isinstance(value, (int, float)):
                found[name, key] = float(value)
    return found


def direction(key):
    """+1: more is better, -1: less is better, 0: no figure but a part of the row's name."""
    if key.endswith(MORE_IS_BETTER):
        return 1
    return -1 if key.endswith(LESS_IS_BETTER) else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", help="OLD.json NEW.json, and further pairs")
    parser.add_argument("--limit", type=float, default=15.0, help="percent")
    options = parser.parse_args()
    if len(options.files) % 2:
        parser.error("the files come in pairs: OLD.json NEW.json")
    pairs = [(figures(old), figures(new)) for old, new in zip(options.files[::2], options.files[1::2])]
    worse_rows = 0
    for key in sorted(set(pairs[0][0]) & set(pairs[0][1])):
        changes = [100.0 * (new[key] / old[key] - 1.0) * -direction(key[1])
                   for old, new in pairs if key in old and key in new and old[key] != 0]
        if not changes:
            continue
        worse = statistics.median(changes)
        spread = max(changes) - min(changes)
        verdict = ""
        if worse > options.limit:
            noise = len(changes) > 1 and spread > abs(worse)
            verdict = "noise" if noise else "WORSE"
            worse_rows += not noise
        elif worse < -options.limit:
            verdict = "better"
        if verdict:
            print(f"{verdict:6} {worse:+7.1f} %  (spread {spread:.1f})  {key[0]}  {key[1]}")
    print(f"{len(pairs)} pair(s), {worse_rows} row(s) worse by more than {options.limit:g} %")
    return 1 if worse_rows else 0


if __name__ == "__main__":
    sys.exit(main())
