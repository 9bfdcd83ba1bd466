#!/usr/bin/env python3
"""Everything that can happen to a host, one thing after the other, to three hosts with real guests and clients that never rest.

Usage: test_faults.py [-k WORD]       BLIXARD_TEST_SEED: other hosts, order and timings
"""
import os
import signal
import time
import unittest

from hosts import Problem, wait_for
from scene import MODE, Scene, load_tests_in_order

LONGER_THAN_ANY_LEASE = 30.0
DISK_MIB = 400  # of the voter whose disk is filled: etcd's logs, the guest's files, and some room


class Faults(Scene):
    """Three hosts, two guests."""

    def wait_lost(self, host):
        other = self.others(host)[0]
        wait_for(f"{host} is taken for lost", lambda: other.members()[host.name]["state"] == "lost")

    def fail_over(self, name, host, act, back):
        """`act` takes `host` from under the VM, which goes on elsewhere; `back` brings the host back."""
        epoch = self.place(name)[1]
        with self.load() as load:
            act()
            self.wait_moved(name, epoch)
            back()
            host.wait_ready()
        self.settle(load)
        records = [record for record in self.cloud[0].get("/v1/failovers?limit=1000")["items"]
                   if record["vm"] == name and record["old_epoch"] == epoch]
        self.assertEqual([(r["from_node"], r["proof"], r["new_epoch"]) for r in records], [(host.name, "lease-ended", epoch + 1)])

    # -- processes

    def test_power_of_a_host(self):
        host = self.host_of("ha0")
        self.fail_over("ha0", host, host.kill, host.start)

    def test_power_of_the_leader(self):
        host = self.leader()
        names = [name for name in self.vms if self.host_of(name) is host]
        if names:
            self.fail_over(names[0], host, host.kill, host.start)
        else:
            with self.load() as load:
                host.kill()
                load.wait_for_answers(50)
                host.start().wait_ready()
            self.settle(load)

    def test_daemon_and_watchdog_killed_at_once(self):
        host = self.host_of("ha1")

        def act():
            host.send_signal(signal.SIGKILL, "watchdog")
            host.send_signal(signal.SIGKILL, "daemon")
        self.fail_over("ha1", host, act, host.start)

    def test_daemon_killed_and_back_at_once(self):
        host = self.host_of("ha0")
        with self.load() as load:
            for _ in range(3):
                host.send_signal(signal.SIGKILL, "daemon")
                host.start().wait_ready()
                load.wait_for_answers(5, host.name)
        self.settle(load)

    def test_watchdog_killed(self):
        host = self.host_of("ha1")
        machines = set(host.pids("qemu"))
        with self.load() as load:
            self.assertEqual(host.send_signal(signal.SIGKILL, "watchdog"), 1)
            wait_for("its machines died with it", lambda: not machines & set(host.pids("qemu")))
        self.settle(load)

    def test_etcd_killed_on_each_host_in_turn(self):
        with self.load() as load:
            for host in self.cloud:
                old = host.pids("etcd")
                self.assertEqual(host.send_signal(signal.SIGKILL, "etcd"), 1)
                wait_for("another etcd", lambda h=host, o=old: h.pids("etcd") and h.pids("etcd") != o)
                load.wait_for_answers(20)
                self.cloud.wait_voters(3)
        self.settle(load)

    def test_machine_killed(self):
        host = self.host_of("ha0")
        restarts = host.vm("ha0")["status"].get("restarts", 0)
        pid = host.vm("ha0")["status"]["pid"]
        with self.load() as load:
            os.kill(pid, signal.SIGKILL)
            wait_for("it is started again", lambda: host.vm("ha0").get("status", {}).get("restarts", 0) > restarts)
        self.settle(load)

    # -- being asleep

    def test_daemon_stopped_for_30_s(self):
        host = self.host_of("ha0")

        def back():
            slept = LONGER_THAN_ANY_LEASE - (time.monotonic() - begun)
            time.sleep(max(0.0, slept))  # this is the fault itself
            host.send_signal(signal.SIGCONT, "daemon")
        begun = time.monotonic()
        self.fail_over("ha0", host, lambda: host.send_signal(signal.SIGSTOP, "daemon"), back)

    def test_leader_of_etcd_stopped(self):
        host = self.leader()
        with self.load() as load:
            host.send_signal(signal.SIGSTOP, "etcd")
            wait_for("another leads", lambda: self.leader() is not host)
            load.wait_for_answers(30, self.others(host)[0].name)
            host.send_signal(signal.SIGCONT, "etcd")
            load.wait_for_answers(10, host.name)
        self.settle(load)

    # -- the network

    def cut(self, direction):
        host = self.host_of("ha1")

        def back():
            # Reads go on, writes are refused in time.
            self.assertTrue(host.get("/v1/projects/default"))
            with self.assertRaises((Problem, OSError)):
                host.post("/v1/projects", {"name": "never"}, timeout=60)
            host.heal()
        self.fail_over("ha1", host, lambda: host.cut(direction), back)

    def test_host_cut_off(self):
        self.cut("both")

    def test_host_cannot_hear(self):
        self.cut("in")

    def test_host_cannot_speak(self):
        self.cut("out")

    def test_bad_line(self):
        """30 % of the packets are lost and the rest come 200 ms late, each way: the host may or may not keep its lease."""
        host = self.pick()
        with self.load() as load:
            host.disturb(loss_percent=30, delay_ms=200, seed=self.chance.randrange(1000))
            load.wait_for_answers(100)
            for other in self.others(host):
                load.wait_for_answers(20, other.name)
            host.heal()
            load.wait_for_answers(10, host.name)
        self.settle(load)

    # -- the disk, the clock

    @classmethod
    def prepare(cls):
        cls.cloud[2].limit_disk(DISK_MIB)

    def test_disk_full_of_a_voter(self):
        host = self.cloud[2]
        filler = host.directory / "data" / "filler"
        with self.load() as load:
            with open(filler, "wb", buffering=0) as file, self.assertRaises(OSError):
                while True:
                    file.write(b"x" * 65536)
            load.wait_for_answers(60)
            host.send_signal(signal.SIGKILL, "etcd")  # it cannot write when it comes up
            load.wait_for_answers(60, self.others(host)[0].name)
            filler.unlink()
            load.wait_for_answers(20, host.name)
        self.settle(load)

    def test_clock_set_forward_and_back(self):
        """The time of day decides nothing: no VM moves, nobody waits."""
        host = self.host_of("ha0")
        host.kill()
        host.fake_clock()
        host.start().wait_ready()
        self.settle()
        places = {name: self.place(name) for name in self.vms}
        with self.load() as load:
            for offset in (3600, -600, 86400, 0):
                host.set_clock(offset)
                load.wait_for_answers(20, host.name)
                for name in self.vms:
                    self.wait_beats(name, 2)
        self.settle(load)
        self.assertEqual({name: self.place(name) for name in self.vms}, places)
        host.kill()
        host.environment = {}
        host.start().wait_ready()
        self.settle()

    # -- more than one

    def test_majority_lost_and_back(self):
        stays = self.pick()
        gone = self.others(stays)
        with self.load() as load:
            for host in gone:
                host.kill()
            self.assertTrue(stays.get("/v1/projects/default"))
            wait_for("its fenced machines are killed", lambda: not stays.pids("qemu"))
            with self.assertRaises((Problem, OSError)):
                stays.post("/v1/projects", {"name": "never"}, timeout=60)
            for host in gone:
                host.start()
            for host in gone:
                host.wait_ready()
            load.wait_for_answers(20)
        self.settle(load)

    def test_everything_restarted(self):
        with self.load() as load:
            load.wait_for_answers(20)
            for host in self.cloud:
                host.kill()
            for host in self.cloud:
                host.start()
            for host in self.cloud:
                host.wait_ready()
            load.wait_for_answers(20)
        self.settle(load)


def load_tests(loader, tests, pattern):
    return load_tests_in_order(loader, Faults)


if __name__ == "__main__":
    unittest.main(verbosity=2, failfast=False)
