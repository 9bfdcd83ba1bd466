#!/usr/bin/env python3
"""Many hosts measured: forming, failover, writes. Real daemons, etcd and QEMU guests in network namespaces; needs root.

    bench/cluster.py form [ROUNDS]        three bare daemons -> all ready, all voting
    bench/cluster.py failover [ROUNDS]    all processes of a host killed -> the first words on its guest's console elsewhere (its firmware's)
    bench/cluster.py writes               writes a second through three hosts, beside bare etcd with three members

--json FILE keeps the figures. Needs build/blixard and build/guest; for writes also: ninja -C build blixard-bench store-bench
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "cluster"))
from hosts import GUEST, Cloud, wait_for  # noqa: E402
from scene import import_guest  # noqa: E402

BUILD = ROOT / "build"


def figures(name, values, unit):
    print(f"{name}: median {statistics.median(values):.2f} {unit}, worst {max(values):.2f} {unit}, n={len(values)}  "
          f"({' '.join(f'{value:.2f}' for value in values)})", flush=True)
    return {"median": statistics.median(values), "worst": max(values), "unit": unit, "values": values}


def form(rounds):
    ready, voting = [], []
    for _ in range(rounds):
        with Cloud(hosts=3) as cloud:
            cloud.start()
            begun = time.monotonic()
            cloud.found()
            ready.append(time.monotonic() - begun)
            cloud.wait_voters(3)
            voting.append(time.monotonic() - begun)
    return {"all ready": figures("three hosts, bare daemons to all ready", ready, "s"),
            "all voting": figures("                         to all voting", voting, "s")}


def console_files(cloud, uid):
    """{path: (inode, size)} of the VM's consoles on all hosts."""
    found = {}
    for host in cloud:
        path = host.directory / "data" / "vms" / uid / "console.log"
        try:
            state = path.stat()
            found[path] = (state.st_ino, state.st_size)
        except FileNotFoundError:
            pass
    return found


def failover(rounds):
    placed, spoke = [], []
    with Cloud(hosts=3) as cloud:
        cloud.form()
        cloud.wait_voters(3)
        import_guest(cloud)
        vm = cloud[0].post("/v1/vms?wait=running&timeout=120", {"name": "ha", "spec": {
            "image": "demo", "cpus": 1, "memory_mib": 96, "ha": "restart"}}, timeout=150)
        uid = vm["uid"]
        for _ in range(rounds):
            place = cloud[0].vm("ha")["placement"]
            victim = next(host for host in cloud if host.name == place["node"])
            witness = next(host for host in cloud if host is not victim)
            wait_for("its guest is up", lambda: b"ready" in witness.get("/v1/vms/ha/log"))
            before = console_files(cloud, uid)
            killed = time.monotonic()
            victim.kill()

            def said():
                return any(size > 0 and (inode, size) != before.get(path) and path.parts[-5] != victim.name
                           for path, (inode, size) in console_files(cloud, uid).items())
            wait_for("it is placed anew", lambda: witness.vm("ha")["placement"]["epoch"] > place["epoch"], every=0.02)
            placed.append(time.monotonic() - killed)
            wait_for("its guest speaks elsewhere", said, every=0.02)
            spoke.append(time.monotonic() - killed)
            victim.start().wait_ready()
            cloud.wait_all_ready()
            cloud.wait_voters(3)
    return {"placed anew": figures("host killed to VM placed anew", placed, "s"),
            "first words": figures("host killed to first words on the console", spoke, "s")}


def writes():
    bench = str(BUILD / "blixard-bench")
    result = {}
    with Cloud(hosts=3) as cloud:
        cloud.form()
        cloud.wait_voters(3)
        for what, connections, requests in (("64 writers", 22, 4000), ("one writer", 0, 1000)):
            processes = [subprocess.Popen([bench, "writes", "--socket", str(host.socket), "--connections",
                                           str(connections or 1), "--requests", str(requests)], stdout=subprocess.PIPE, text=True)
                         for host in list(cloud)[:3 if connections else 1]]
            lines = [process.communicate()[0].strip() for process in processes]
            if any(process.returncode for process in processes):
                raise RuntimeError(f"blixard-bench writes failed: {lines}")
            total = sum(float(line.split()[0]) for line in lines)
            print(f"three hosts, {what}: {total:.0f} writes/s  ({' | '.join(lines)})", flush=True)
            result[what] = {"per_second": total, "lines": lines}
    text = subprocess.run([str(BUILD / "store-bench"), "etcd", "5"], capture_output=True, text=True, check=True).stdout
    print("bare etcd, three members, plain TCP, one put each:\n" + text, flush=True)
    result["bare etcd"] = text.splitlines()
    return result


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("what", choices=["form", "failover", "writes"])
    arguments.add_argument("rounds", nargs="?", type=int, default=0)
    arguments.add_argument("--json", metavar="FILE")
    chosen = arguments.parse_args()
    if chosen.what == "writes":
        result = writes()
    elif chosen.what == "form":
        result = form(chosen.rounds or 3)
    else:
        result = failover(chosen.rounds or 10)
    if chosen.json:
        pathlib.Path(chosen.json).write_text(json.dumps({chosen.what: result}, indent=1) + "\n")


if __name__ == "__main__":
    main()
