#!/usr/bin/env python3
"""Many hosts as network namespaces, each with its own daemon, etcd and real QEMU guests. What is where: tests/cluster/.

Usage: cluster_test.py [-k WORD]
    BLIXARD_TEST_MODE   quick: three hosts and one failover; full (default): more faults; long: all, with several seeds, and 200 kills
    BLIXARD_TEST_SEED   which hosts are hit, in which order, when (default 1)
"""
import os
import pathlib
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent / "cluster"
MODE = os.environ.get("BLIXARD_TEST_MODE") or "full"
SEED = int(os.environ.get("BLIXARD_TEST_SEED", "1"))
PURE = ["test_linearizability.py", "test_guests.py"]
QUICK = [["test_faults.py", "-k", "test_power_of_a_host"]]
# What every change must pass; the others join when they have been green several times with different seeds.
FULL = [["test_faults.py", "-k", "power_of", "-k", "etcd_killed", "-k", "cannot_hear", "-k", "cannot_speak", "-k", "cut_off", "-k",
         "disk_full", "-k", "daemon_", "-k", "watchdog_killed", "-k", "machine_killed", "-k", "leader_of", "-k", "majority",
         "-k", "clock_set", "-k", "everything_restarted"],
        ["test_partitions.py"], ["test_kills.py"], ["test_images.py"], ["test_membership.py"], ["test_forming.py", "-k", "Strangers"],
        ["test_any_host.py"], ["test_rebalance.py"], ["test_backup.py"], ["test_store_away.py"], ["test_versions.py"]]
ALL = [["test_membership.py"], ["test_forming.py"], ["test_any_host.py"], ["test_rebalance.py"], ["test_backup.py"], ["test_images.py"], ["test_store_away.py"],
       ["test_faults.py"], ["test_growth.py"], ["test_versions.py"], ["test_partitions.py"], ["test_ceph.py"]]


def begin(words, seed):
    log = open(os.path.join(os.environ.get("TMPDIR", "/tmp"), f"blixard-{os.getpid()}-{words[0]}-{seed}.log"), "w+b")
    process = subprocess.Popen([sys.executable, str(HERE / words[0]), *words[1:], *sys.argv[1:]], stdout=log, stderr=log,
                               env={**os.environ, "BLIXARD_TEST_MODE": MODE, "BLIXARD_TEST_SEED": str(seed)})
    return words, seed, process, log, time.monotonic()


def end(running):
    """None if it passed, else all that it said; each file's output is shown as a whole, so that two beside each other stay readable."""
    words, seed, process, log, begun = running
    code = process.wait()
    good = code == 0 or (code == 5 and "-k" in sys.argv)  # 5: no test of that name
    log.seek(0)
    said = f"==== {' '.join(words)}, seed {seed}: {'ok' if good else 'FAILED'}, {time.monotonic() - begun:.0f} s\n" + log.read().decode(errors="replace")
    log.close()
    os.unlink(log.name)
    sys.stdout.write(said)
    sys.stdout.flush()
    return None if good else said


def main():
    work = [([name], SEED) for name in PURE]
    if MODE == "quick":
        work += [(words, SEED) for words in QUICK]
    else:
        work += [(words, SEED) for words in FULL]
    if MODE == "long":
        work += [(words, SEED + more) for more in range(6) for words in ALL] + [(["test_kills.py"], SEED)]
    running = []
    told = []  # to stop, by which signals
    signal.signal(signal.SIGTERM, lambda number, _: told.append(number))
    signal.signal(signal.SIGINT, lambda number, _: told.append(number))
    failures = []
    # Two at a time: they wait for time-outs and boots more than they compute.
    while work or running:
        if told:
            for _, _, process, *_ in running:  # each ends its own hosts: SIGINT is KeyboardInterrupt there
                if process.poll() is None:
                    process.send_signal(signal.SIGINT)
            for one in running:
                end(one)
            return 128 + told[0]
        while work and len(running) < 2:
            running.append(begin(*work.pop(0)))
        done = next((one for one in running if one[2].poll() is not None), None)
        if done is None:
            time.sleep(0.2)
            continue
        running.remove(done)
        failures += filter(None, [end(done)])
    if failures:  # once more at the end: a reader of the last lines sees what failed
        print("\n#### what failed ####\n" + "\n".join(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
