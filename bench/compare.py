#!/usr/bin/env python3
"""Tells a regression from noise.

    bench/compare.py OLD.json NEW.json [OLD.json NEW.json ...] [--limit 15]
    bench/compare.py --programs OLD NEW [--rounds 5] [--limit 15] -- micro --benchmark_filter=find

Each file is what a benchmark wrote with --json: {"rows": [{...}]}, or what "micro" wrote with --benchmark_out. Give the files in
pairs, in the order in which old and new ran by turns; or let two blixard-bench programs be run by turns here. A row has become
worse where the median over the pairs is worse by more than the limit (percent) and nearly all pairs agree; where they do not,
it is called noise. One pair alone cannot tell. Ends with 1 where a row has become worse.
"""
import argparse
import json
import statistics
import subprocess
import sys
import tempfile

# How a figure's name tells which way is better.
LESS_IS_BETTER = ("_us", "_ms", "_ns", "_s", "_mib", "_kib", "_bytes", "_percent_of_core", "allocations", "trimmed_mean")
MORE_IS_BETTER = ("_per_s", "per_second", "percent_at_100")


def figures(path):
    """{(row, figure): value}: a row is named by its texts and by the numbers that say what was measured."""
    found = {}
    with open(path) as file:
        content = json.load(file)
    rows = content["rows"] if "rows" in content else micro_rows(content["benchmarks"])
    for row in rows:
        name = " ".join(f"{key}={value}" for key, value in row.items() if direction(key) == 0)
        for key, value in row.items():
            if direction(key) != 0 and isinstance(value, (int, float)):
                found[name, key] = float(value)
    return found


def micro_rows(benchmarks):
    """Google Benchmark's rows as ours."""
    to_ns = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
    for one in benchmarks:
        if one.get("run_type") == "aggregate":
            continue
        time = one["real_time"] if "real_time" in one["name"] else one["cpu_time"]
        row = {"name": one["name"], "time_ns": time * to_ns[one["time_unit"]]}
        if one.get("allocations"):
            row["allocations"] = one["allocations"]
        yield row


def direction(key):
    """+1: more is better, -1: less is better, 0: no figure but a part of the row's name."""
    if key.endswith(MORE_IS_BETTER):
        return 1
    return -1 if key.endswith(LESS_IS_BETTER) else 0


AGREEING = 0.8  # of the pairs must be worse by half the limit or more: one outlier in five is forgiven


def run_by_turns(programs, rounds, arguments):
    """Files in pairs, as if they had been given."""
    micro = arguments[:1] == ["micro"]
    files = []
    directory = tempfile.mkdtemp(prefix="blixard-compare-")
    for number in range(rounds):
        for which, program in enumerate(programs):
            path = f"{directory}/{number}-{which}.json"
            flags = [f"--benchmark_out={path}", "--benchmark_out_format=json"] if micro else ["--json", path]
            subprocess.run([program, *arguments, *flags], check=True, stdout=subprocess.DEVNULL)
            files.append(path)
    return files


def judge(changes, limit):
    """changes: percent, worse is more."""
    worse = statistics.median(changes)
    if worse < -limit:
        return "better"
    if worse <= limit:
        return ""
    agreeing = sum(change > limit / 2 for change in changes) >= AGREEING * len(changes)
    return "WORSE" if agreeing else "noise"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", help="OLD.json NEW.json, and further pairs; or a command of --programs")
    parser.add_argument("--programs", nargs=2, metavar=("OLD", "NEW"), help="two blixard-bench programs to run by turns")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--limit", type=float, default=15.0, help="percent")
    own, command = sys.argv[1:], []
    if "--" in own:
        own, command = own[:own.index("--")], own[own.index("--") + 1:]
    options = parser.parse_args(own)
    if options.programs and not command:
        parser.error("what shall the programs run? e.g. -- micro")
    files = run_by_turns(options.programs, options.rounds, command) if options.programs else options.files
    if len(files) % 2 or not files:
        parser.error("the files come in pairs: OLD.json NEW.json")
    pairs = [(figures(old), figures(new)) for old, new in zip(files[::2], files[1::2])]
    worse_rows = compared = 0
    for key in sorted(set(pairs[0][0]) & set(pairs[0][1])):
        changes = [100.0 * (new[key] / old[key] - 1.0) * -direction(key[1])
                   for old, new in pairs if key in old and key in new and old[key] != 0]
        if not changes:
            continue
        compared += 1
        verdict = judge(changes, options.limit)
        worse_rows += verdict == "WORSE"
        if verdict:
            print(f"{verdict:6} {statistics.median(changes):+7.1f} %  ({min(changes):+.1f} to {max(changes):+.1f})  {key[0]}  {key[1]}")
    print(f"{compared} figure(s), {len(pairs)} pair(s): {worse_rows} worse by more than {options.limit:g} %")
    return 1 if worse_rows else 0


if __name__ == "__main__":
    sys.exit(main())
