#!/usr/bin/env python3
"""Fails on an include that points upwards in the table of rooms (docs/ARCHITECTURE.md)."""
import pathlib
import re
import sys

# What each room may include besides itself. Adapters (store/etcd, hypervisor/qemu, api/http ...) may include their port's
# room and what that may include.
ALLOWED = {
    "base": set(),
    "os": {"base"},
    "model": {"base"},
    "scheduler": {"base"},
    "store": {"base"},
    "view": {"base", "model", "store"},
    "hypervisor": {"base", "model"},
    "images": {"base", "os"},
    "agent": {"base", "model", "store", "view", "hypervisor"},
    "controller": {"base", "model", "store", "view", "scheduler"},
    "recorder": {"base", "model", "scheduler", "store", "view", "hypervisor", "agent", "controller"},
    "api": {"base", "os", "model", "store", "view", "hypervisor", "images", "agent"},
    "cluster": {"base", "os", "model", "store", "store/etcd", "api"},
    "cli": {"base", "os", "model"},
}
ADAPTER_EXTRA = {
    "store/memory": set(), "store/sqlite": {"os"}, "store/etcd": {"os"},
    "hypervisor/fake": set(), "hypervisor/qemu": {"os"}, "api/http": {"os"},
}
HEAVY = {"boost/": {"api/http"}, "grpc": {"store/etcd", "cluster"}}


def room_of(path):
    parts = path.parts
    adapter = "/".join(parts[:2])
    return adapter if adapter in ADAPTER_EXTRA else parts[0]


def main():
    source = pathlib.Path(__file__).resolve().parent.parent / "src"
    bad = []
    for path in sorted(source.rglob("*")):
        if path.suffix not in (".h", ".cc"):
            continue
        relative = path.relative_to(source)
        room = room_of(relative)
        top = relative.parts[0]
        test = path.stem.endswith(("_test", "_fuzz")) or "conformance" in path.stem or path.stem.startswith("test_")
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = re.match(r'\s*#\s*include\s+["<]([^">]+)[">]', line)
            if not found:
                continue
            target = found.group(1)
            for prefix, rooms in HEAVY.items():
                if target.startswith(prefix) and room not in rooms and top not in rooms:
                    bad.append(f"src/{relative}:{number}: {target} is heavy and belongs in {sorted(rooms)}")
            if top == "daemon" or test or "/" not in target or not (source / target).exists():
                continue
            other = room_of(pathlib.PurePath(target))
            allowed = {top} | ALLOWED.get(top, set()) | ADAPTER_EXTRA.get(room, set())
            if other == room or other == top:
                continue
            if other not in allowed:
                bad.append(f"src/{relative}:{number}: {room} may not include {target}")
    print("\n".join(bad) if bad else "every include points downwards")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
