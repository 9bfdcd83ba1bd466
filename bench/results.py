#!/usr/bin/env python3
"""bench/results.py DIRECTORY OUT.md: what was measured there last (bench/peers.sh), as a page and a drawing beside it.

Nothing that OUT.md holds is lost: a section that was not measured stays as it is (and says so where it comes from another
machine), and so does what somebody added by hand at the end of a section, behind the line BY_HAND."""
import datetime
import json
import math
import os
import platform
import re
import subprocess
import sys

CURVES = (  # column, what, colour
    ("list_us", "list of all, µs", "#1b6ca8"),
    ("get_us", "get one, µs", "#2a9d4f"),
    ("create_us", "create one, µs", "#b5651d"),
    ("decision_us", "one decision, µs", "#8e44ad"),
    ("event_us", "one event, µs", "#c0392b"),
    ("catch_up_ms", "catch-up, ms", "#0e8f8a"),
    ("memory_per_vm_kib", "memory a VM, KiB", "#666666"),
)

BY_HAND = "<!-- by hand, and kept by bench/results.py -->"


def load(directory, name):
    path = os.path.join(directory, name)
    if not os.path.exists(path):
        return None
    with open(path) as file:
        return json.load(file) if name.endswith(".json") else file.read()


def measured_at(directory, name):
    """When, and of which commit: parts are measured one by one."""
    stamp = os.path.getmtime(os.path.join(directory, name))
    commit = load(directory, os.path.splitext(name)[0] + ".commit").strip()
    return datetime.datetime.fromtimestamp(stamp, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC") + f", {commit}"


def output(*arguments):
    try:
        return subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def machine():
    cpu = re.search(r"model name\s*: (.*)", open("/proc/cpuinfo").read())
    memory = int(re.search(r"MemTotal:\s+(\d+)", open("/proc/meminfo").read()).group(1)) / 1048576
    return [
        ("machine", f"{cpu.group(1) if cpu else platform.machine()}, {os.cpu_count()} CPUs, {memory:.0f} GiB"),
        ("system", f"{re.search('PRETTY_NAME=.(.*).', open('/etc/os-release').read()).group(1)}, Linux {platform.release()}"),
        ("QEMU", output("qemu-system-x86_64", "--version").split("\n")[0]),
        ("etcd", output("etcd", "--version").split("\n")[0]),
    ]


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows] + [""]


def lxd_part(directory):
    values = {row["name"]: row["value"] for row in load(directory, "lxd.json")["rows"]}
    version = (load(directory, "lxd-version") or "").strip()
    rows = []
    for what, wanted in (("get one", 15), ("list", 80), ("create", 15)):
        rows.append((what, number(values[f"{what}, Blixard, p50"]), number(values[f"{what}, LXD, p50"]),
                     f"{values[what + ', LXD' + chr(39) + 's time for one of ours']:.0f}", wanted))
    return [f"## Beside LXD {version}", "",
            f"`bench/peers.sh lxd`, {measured_at(directory, 'lxd.json')}. 1,000 stopped VMs here, 1,000 stopped containers without an image",
            "there, by turns; one connection each over a unix socket, the same client. `list` is all 1,000 full documents; `create` ends when",
            "it is durable (LXD: when its operation is done). Microseconds, medians.", ""] + table(
                ("", "Blixard", "LXD", "LXD takes … times as long", "wanted"), rows)


def stores_part(directory):
    return ["## Stores beside the disk", "",
            f"`bench/peers.sh stores`, {measured_at(directory, 'stores.txt')}: 300-byte puts through our adapters, fsync on, all members on this machine.",
            "", "```", load(directory, "stores.txt").rstrip(), "```", ""]


def guests_part(directory):
    values = {row["name"]: next(value for key, value in row.items() if key != "name")
              for row in load(directory, "guests.json")["rows"]}
    rows = []
    for what, unit in (("start to its kernel's first line", "ms"), ("start to user space", "ms")):
        hand, ours = values[f"guest: {what}, by hand"], values[f"guest: {what}, Blixard"]
        rows.append((what, f"{hand:.0f} {unit}", f"{ours:.0f} {unit}", f"{ours - hand:+.0f} ms, {100 * (ours / hand - 1):+.1f} %",
                     "≤ 60 ms and ≤ 5 %"))
    name = next(key[:-len(", by hand")] for key in values if key.endswith("idle, by hand"))
    hand, ours = values[f"{name}, by hand"], values[f"{name}, Blixard"]
    rows.append((name, f"{hand:.0f} MiB", f"{ours:.0f} MiB", f"{ours - hand:+.0f} MiB", ""))
    for what in ("direct writes, allocating", "direct writes, again"):
        hand, ours = values[f"guest: {what}, by hand"], values[f"guest: {what}, Blixard"]
        rows.append((what, f"{hand:.0f} MB/s", f"{ours:.0f} MB/s", f"{100 * ours / hand:.0f} %", "≥ 97 %"))
    return ["## Guests beside QEMU by hand", "",
            f"`bench/peers.sh guests`, {measured_at(directory, 'guests.json')}. The same kernel, initial file system and kernel command line, started by turns;",
            f"medians. The daemon itself held {values['the daemon beside it']:.0f} MiB. Memory is the QEMU process's proportional set size.", ""] + table(
                ("", "by hand", "Blixard", "difference", "wanted"), rows)


def api_part(directory):
    rows, single = [], []
    for row in load(directory, "api.json")["rows"]:
        if "p50_us" in row:
            rows.append((row["name"], row["way"], row["connections"], number(row["p50_us"]), number(row["p99_us"]),
                         f"{row['per_second']:,.0f}", f"{row['body_bytes']:,}"))
        else:
            single.append((row["name"], f"{number(row['value'])} {row['unit']}"))
    return ["## A daemon under load", "",
            f"`build/blixard-bench api --no-guests`, {measured_at(directory, 'api.json')}: one daemon on SQLite, its client in another process on the same two CPUs.",
            ""] + table(("row", "way", "connections", "p50 µs", "p99 µs", "a second", "body bytes"), rows) + table(("", ""), single)


def control_part(directory):
    loads, single, last = [], [], ""
    for row in load(directory, "control.json")["rows"]:
        if "p50_us" in row:
            loads.append((row["name"], row["connections"], number(row["p50_us"] / 1000), number(row["p99_us"] / 1000),
                          f"{row['per_second']:,.0f}"))
            last = row["name"]
        elif "value" in row:
            of_last = row["name"].startswith("  ")  # belongs to the row before
            name = f"{last}: {row['name'].strip()}" if of_last else row["name"]
            last = last if of_last else name
            single.append((name, f"{number(row['value'])} {row['unit']}"))
    return ["## The control plane on a real etcd", "",
            f"`bench/peers.sh control`, {measured_at(directory, 'control.json')}: three etcd members with fsync, 1,000 hosts with their leases, controller and",
            "creators, all on this machine. What each row means: [control/README.md](control/README.md).", ""] + table(
                ("load", "clients", "p50 ms", "p99 ms", "a second"), loads) + table(("", ""), single)


def micro_part(directory):
    rows = []
    for row in load(directory, "micro.json")["benchmarks"]:
        if row.get("run_type") == "aggregate":
            continue
        factor = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}[row["time_unit"]]
        nanos = (row["real_time"] if "real_time" in row["name"] else row["cpu_time"]) * factor
        name = re.sub(r"/(real_time|iterations:\d+)", "", row["name"])
        rows.append((name, f"{nanos:,.1f}" if nanos < 100 else f"{nanos:,.0f}",
                     number(row["allocations"]) if row.get("allocations") else "0" if "allocations" in row else "",
                     row.get("label", "")))
    return ["## In process", "",
            f"`build/blixard-bench micro`, {measured_at(directory, 'micro.json')}. `/10`, `/100`, … are numbers of VMs.", ""] + table(
                ("row", "ns", "allocations", "promised"), rows)


def curves_part(directory, drawing):
    points = load(directory, "curves.json")["rows"]
    with open(drawing, "w") as file:
        file.write(draw(points))
    rows = [[f"{point['vms']:,}"] + [number(point[key]) for key, _, _ in CURVES] for point in points]
    small, large = points[min(2, len(points) - 1)], points[-1]
    growth = ["from {:,} to {:,}".format(small["vms"], large["vms"])]
    growth += [f"× {large[key] / small[key]:.1f}" for key, _, _ in CURVES]
    return ["## What grows with the number of VMs", "",
            f"`build/blixard-bench curves`, {measured_at(directory, 'curves.json')}: in process, without sockets, disks or guests. `list` (by pages of 10,000) and `catch-up` are of all",
            "VMs at once; the others are of one. A decision is among a tenth as many hosts. `create` and `get` go through the whole API, with the",
            "store in memory.", "", f"![cost curves]({os.path.basename(drawing)})", ""] + table(
                ["VMs"] + [what for _, what, _ in CURVES], rows + [growth])


def draw(points):
    """Both axes logarithmic: n log n looks almost straight, what does not grow is level."""
    width, height, left, top, right, bottom = 760, 440, 70, 20, 180, 50
    values = [point[key] for point in points for key, _, _ in CURVES]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    first, last = math.log10(points[0]["vms"]), max(math.log10(points[-1]["vms"]), math.log10(points[0]["vms"]) + 1)

    def x(vms):
        return left + (math.log10(vms) - first) / (last - first) * (width - left - right)

    def y(value):
        return top + (high - math.log10(value)) / (high - low) * (height - top - bottom)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
             f'<rect width="{width}" height="{height}" fill="#ffffff"/>']
    for power in range(low, high + 1):
        at = y(10 ** power)
        parts.append(f'<line x1="{left}" y1="{at:.1f}" x2="{width - right}" y2="{at:.1f}" stroke="#dddddd"/>')
        parts.append(f'<text x="{left - 8}" y="{at + 4:.1f}" text-anchor="end" fill="#333333">{10.0 ** power:g}</text>')
    for point in points:
        parts.append(f'<text x="{x(point["vms"]):.1f}" y="{height - bottom + 20}" text-anchor="middle" fill="#333333">{point["vms"]:,}</text>')
    parts.append(f'<text x="{(left + width - right) / 2:.0f}" y="{height - 10}" text-anchor="middle" fill="#333333">VMs</text>')
    taken = []
    for key, what, colour in sorted(CURVES, key=lambda curve: -points[-1][curve[0]]):
        line = " ".join(f"{x(point['vms']):.1f},{y(point[key]):.1f}" for point in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        at = y(points[-1][key])
        while any(abs(at - other) < 14 for other in taken):
            at += 2
        taken.append(at)
        parts.append(f'<text x="{width - right + 8}" y="{at + 4:.1f}" fill="{colour}">{what}</text>')
    return "\n".join(parts + ["</svg>", ""])


PARTS = (  # what it is measured into, how its section begins, what writes it
    ("lxd.json", "Beside LXD", lxd_part),
    ("guests.json", "Guests beside QEMU by hand", guests_part),
    ("stores.txt", "Stores beside the disk", stores_part),
    ("control.json", "The control plane on a real etcd", control_part),
    ("api.json", "A daemon under load", api_part),
    ("micro.json", "In process", micro_part),
    ("curves.json", "What grows with the number of VMs", None),
)


def sections(page):
    """The lines before the first heading, and those of each section by its heading."""
    head, *rest = re.split(r"(?m)^## ", page)
    return head.splitlines(), {lines[0]: lines[1:] for lines in (part.splitlines() for part in rest)}


def machine_in(lines):
    """What the table of machine() says in a page."""
    cells = (line.strip("| ").split(" | ") for line in lines if line.startswith("| "))
    return {row[0]: row[1] for row in cells if len(row) == 2}


def old_section(found, begins):
    return next(((name, lines) for name, lines in found.items() if name.startswith(begins)), (begins, []))


def kept(name, lines, before):
    """A section that was not measured now; `before`: the machine of the page, where that was another one."""
    if before and not any(line.startswith("Measured on another machine: ") for line in lines):
        lines = ["", f"Measured on another machine: {before}.", *lines]
    return [f"## {name}", *lines]


def by_hand(lines):
    return lines[lines.index(BY_HAND):] if BY_HAND in lines else []


def page_of(directory, drawing, old):
    """The lines of the page; `old`: the text of the one before."""
    head, found = sections(old)
    page = ["# Measured figures", "",
            "Made by `bench/peers.sh`; each part says when it ran, and on which commit. Two CPUs shared with the client that measures: what counts is what ran beside it.",
            ""] + table(("", ""), machine())
    then, now = machine_in(head), dict(machine())
    same = all(then.get(what) == now[what] for what in ("machine", "system"))
    before = "" if same else ", ".join(then.get(what, "?") for what in ("machine", "system"))
    for file, begins, part in PARTS:
        name, lines = old_section(found, begins)
        if os.path.exists(os.path.join(directory, file)):
            page += part(directory) if part else curves_part(directory, drawing)
            page += by_hand(lines)
        elif lines:
            page += kept(name, lines, before)
        while page[-1] == "":
            page.pop()
        page.append("")
    return page


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    directory, out = sys.argv[1:]
    old = open(out).read() if os.path.exists(out) else ""
    page = page_of(directory, os.path.join(os.path.dirname(out), "curves.svg"), old)
    with open(out, "w") as file:
        file.write("\n".join(page).rstrip() + "\n")


if __name__ == "__main__":
    main()
