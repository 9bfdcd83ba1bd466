#!/usr/bin/env python3
"""Disks in a Ceph pool, on three hosts beside a real Ceph: made, written, grown, moved and removed; and a former host's writes do not land.

Usage: test_ceph.py [-k WORD]       BLIXARD_TEST_SEED: other hosts and order
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest

import ceph as ceph_of_tests
from ceph import Ceph
from guests import read_beats
from hosts import Problem, wait_for
from parts import cli, import_disk, phase
from scene import Scene, load_tests_in_order

RBD_POOL = "vms"
MIB = 1 << 20


class OnCeph(Scene):
    """Three hosts and two guests, whose disks lie in a Ceph pool."""
    ceph = None

    @classmethod
    def prepare(cls):
        cls.ceph = Ceph.beside(cls.cloud).open()
        cls.ceph.make_pool(RBD_POOL)
        cls.ceph.make_user("blixard", RBD_POOL)
        conf = cls.ceph.conf
        cls.ceph.make_user("reader", RBD_POOL, mon="allow r", osd=f"allow r pool={RBD_POOL}")
        away = cls.ceph.directory / "away.conf"
        away.write_text(conf.read_text().replace(cls.ceph.address, f"{cls.cloud.subnet}.{ceph_of_tests.NETWORK_HOST + 1}"))
        pools = {"ceph": f"rbd:{RBD_POOL}:id=blixard:conf={conf}", "nopool": f"rbd:nothing:id=blixard:conf={conf}",
                 "nouser": f"rbd:{RBD_POOL}:id=nobody:conf={conf}", "reader": f"rbd:{RBD_POOL}:id=reader:conf={conf}",
                 "away": f"rbd:{RBD_POOL}:id=blixard:conf={away}", "noconf": f"rbd:{RBD_POOL}:conf={conf}.not"}
        cls.cloud.arguments = [word for name, path in pools.items() for word in ("--pool", f"{name}={path}")]

    @classmethod
    def take_down(cls):
        ceph, cls.ceph = cls.ceph, None
        if ceph:
            ceph.close()
        super().take_down()

    # -- guests

    @classmethod
    def launch(cls, name, host=None, pool="ceph", **spec):
        (host or cls.cloud[0]).post("/v1/vms", {"name": name, "spec": {
            "image": "demo", "cpus": 1, "memory_mib": 96, "ha": "restart", "strategy": "spread", "command_line": f"blixard.beat={name}",
            "disks": [{"name": "beats", "size_mib": 4, "pool": pool}], **spec}})
        cls.vms[name] = wait_for("its volume", lambda: (host or cls.cloud[0]).get(f"/v1/volumes/{name}-beats")["uid"])

    @classmethod
    def beats(cls, name):
        if cls.vms[name] not in cls.ceph.images(RBD_POOL):
            return []
        with tempfile.NamedTemporaryFile(dir=cls.cloud.directory) as file:
            file.write(cls.ceph.read(RBD_POOL, cls.vms[name]))
            file.flush()
            return read_beats(file.name)

    def remove(self, name):
        """A VM of one test."""
        uid = self.vms.pop(name)
        cli(self.cloud[0], "delete", name, "--force", "--timeout", "180s")
        return uid

    def size_of(self, uid):
        return json.loads(self.ceph.rbd("info", f"{RBD_POOL}/{uid}", "--format", "json"))["size"]

    def claims_of(self, uid):
        objects = self.ceph.rados("-p", RBD_POOL, "ls").split()
        return self.ceph.rados("-p", RBD_POOL, "listomapkeys", f"blixard_claims.{uid}").split() if f"blixard_claims.{uid}" in objects else None

    def owners_of(self, uid):
        return [lock["address"] for lock in json.loads(self.ceph.rbd("lock", "ls", f"{RBD_POOL}/{uid}", "--format", "json"))]

    def message(self, name):
        return self.cloud[0].vm(name).get("status", {}).get("message", "")

    # -- what Ceph does by itself, which is why there is a guard

    def test_cephs_own_lock_goes_from_one_writer_to_the_other_when_asked(self):
        """Should this fail one day, docs/FENCING.md has to be read anew."""
        self.ceph.rbd("create", f"{RBD_POOL}/bare", "--size", "8M")
        name = f"rbd:{RBD_POOL}/bare:id=blixard:conf={self.ceph.conf}"
        guarded = name + ":rbd_auto_exclusive_lock_until_manual_request=false"

        def io(process, line):
            process.stdin.write(line + "\n")
            process.stdin.flush()
            while True:
                said = process.stdout.readline()
                if "wrote" in said or "failed" in said or not said:
                    return said

        def qemu_io(file):
            return subprocess.Popen(["ip", "netns", "exec", self.cloud[0].namespace, "stdbuf", "-oL", "qemu-io", "-f", "raw", file], text=True,
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        one, other, careful = qemu_io(name), qemu_io(name), qemu_io(guarded)
        try:
            for offset in (0, 4096):
                self.assertIn("wrote", io(one, f"write {offset} 4k"))
                self.assertIn("wrote", io(other, f"write {offset} 4k"))
            self.assertIn("Read-only", io(careful, "write 0 4k"))
        finally:
            for process in (one, other, careful):
                process.kill()
                process.communicate()
            wait_for("the image is gone", lambda: not self.ceph.rbd("rm", f"{RBD_POOL}/bare", check=False) and
                     "bare" not in self.ceph.images(RBD_POOL))

    # -- a disk's life

    def test_a_disk_is_made_grown_and_removed(self):
        self.launch("one", ha="none")
        self.wait_running("one")
        uid = self.vms["one"]
        self.assertEqual(self.size_of(uid), 4 * MIB)
        self.assertEqual(len(self.owners_of(uid)), 1)
        self.wait_beats("one", 2)
        before = self.beats("one")
        cli(self.cloud[0], "stop", "one")
        wait_for("it has let go of its disk", lambda: not self.owners_of(uid))
        self.cloud[0].request("PATCH", "/v1/vms/one?project=default", {"spec": {"disks": [{"name": "beats", "size_mib": 8, "pool": "ceph"}]}})
        cli(self.cloud[0], "start", "one")
        self.wait_running("one")
        self.assertEqual(self.size_of(uid), 8 * MIB)
        self.wait_beats("one", 2)
        self.assertEqual(self.beats("one")[:len(before)], before, "what it wrote before is there")
        self.assertEqual(len(self.claims_of(uid)), 1, "the claims of its former starts are tidied away")
        self.remove("one")
        self.assertNotIn(uid, self.ceph.images(RBD_POOL))
        self.assertIsNone(self.claims_of(uid))
        self.settle()

    def test_a_volume_on_an_image_is_a_copy_of_it(self):
        host = self.cloud[0]
        import_disk(host, "base", 6 * MIB, self.cloud.directory)
        content = (host.directory / "data" / "blobs" / host.get("/v1/images/base")["files"][0]["sha256"]).read_bytes()
        cli(host, "volume", "create", "root", "--image", "base", "--pool", "ceph")
        uid = host.get("/v1/volumes/root")["uid"]
        self.launch("two", ha="none", disks=[{"name": "beats", "size_mib": 4, "pool": "ceph"}, {"name": "root", "volume": "root"}])
        self.wait_running("two")
        self.assertEqual(self.ceph.read(RBD_POOL, uid), content)
        self.remove("two")
        self.assertIn(uid, self.ceph.images(RBD_POOL), "a volume of its own stays")
        cli(host, "volume", "delete", "root")
        wait_for("its image is gone", lambda: uid not in self.ceph.images(RBD_POOL))
        wait_for("and its claims", lambda: self.claims_of(uid) is None)
        self.assertEqual(sorted(self.ceph.images(RBD_POOL)), sorted(self.vms.values()))
        cli(host, "image", "delete", "base")
        self.settle()

    # -- moving

    def test_power_of_a_host(self):
        host = self.host_of("ha0")
        epoch = self.place("ha0")[1]
        before = self.ceph.blocklist()
        with self.load() as load:
            host.kill()
            self.wait_moved("ha0", epoch)
            host.start().wait_ready()
        self.assertTrue(any(address.startswith(f"{host.address}:") for address in set(self.ceph.blocklist()) - set(before)))
        self.settle(load)

    def test_a_machine_that_slept_through_a_failover_writes_no_more(self):
        """The host is frozen with all that is on it, and of what wakes up the machine is the first: nothing of ours kills it in time."""
        host = self.host_of("ha1")
        epoch = self.place("ha1")[1]
        uid = self.cloud[0].vm("ha1")["uid"]
        machine = next(one for one in self.witness.look() if one.vm == "default/ha1")
        host.send_signal(signal.SIGSTOP)
        self.wait_moved("ha1", epoch)
        os.kill(machine.pid, signal.SIGCONT)
        console = host.directory / "data" / "vms" / uid / "console.log"
        # Its guest went on, and tried.
        wait_for("its writes are refused", lambda: b"I/O error" in console.read_bytes())
        self.wait_beats("ha1", 3, epoch + 1)
        self.assertTrue(machine.is_alive(), "it lived all the while")
        host.send_signal(signal.SIGCONT)
        host.wait_ready()
        wait_for("it is killed", lambda: not machine.is_alive())
        self.witness.double.clear()  # that two lived at once was the fault itself; that one wrote is what settle() looks for
        self.settle()

    def test_a_host_that_was_vouched_for_and_lives(self):
        """A VM that nothing fences, on a host that the others cannot reach but Ceph can; and an operator who is wrong about its power."""
        self.launch("three", ha="none")
        self.wait_running("three")
        self.wait_beats("three", 2)
        host = self.host_of("three")
        epoch = self.place("three")[1]
        machine = next(one for one in self.witness.look() if one.vm == "default/three")
        console = host.directory / "data" / "vms" / self.cloud[0].vm("three")["uid"] / "console.log"
        host.cut("both", but=self.ceph.address)
        other = self.others(host)[0]
        wait_for(f"{host} is taken for lost", lambda: other.members()[host.name]["state"] == "lost")
        cli(other, "node", "lost", host.name, "--i-have-cut-its-power")
        self.wait_moved("three", epoch)
        wait_for("the writes of the former one are refused", lambda: b"I/O error" in console.read_bytes())
        self.wait_beats("three", 3, epoch + 1)
        self.assertTrue(machine.is_alive())
        host.heal()
        wait_for("it is killed", lambda: not machine.is_alive())
        self.witness.double.clear()
        self.settle()
        self.remove("three")

    def test_daemon_killed_while_it_starts_a_machine(self):
        """Between the process and its first instruction lies the taking of the lock."""
        node = self.pick()
        self.launch("four", ha="none", strategy="manual", constraints={"node": node.name})
        others = set(node.pids("qemu"))
        wait_for("its process is there", lambda: set(node.pids("qemu")) - others, every=0.005)
        node.send_signal(signal.SIGKILL, "daemon")
        node.start().wait_ready()
        self.settle()
        self.remove("four")

    # -- what is refused, and what waits

    def test_what_is_wrong_is_said(self):
        for pool, said in (("nopool", 'Ceph has no pool "nothing"'), ("nouser", "Ceph does not let client.nobody in"),
                           ("reader", "client.reader lacks the right"), ("away", "no monitor of Ceph answers"), ("noconf", "there is no ")):
            with self.subTest(pool):
                self.launch("wrong", pool=pool, ha="none")
                wait_for("it says what is wrong", lambda s=said: s in self.message("wrong"))
                if pool == "away":
                    # Nobody waits with it.
                    node = self.cloud[0].vm("wrong")["placement"]["node"]
                    self.cloud[0].post("/v1/vms", {"name": "quick", "spec": {"image": "demo", "memory_mib": 96, "strategy": "manual",
                                                                             "constraints": {"node": node}}})
                    wait_for("another VM of that host runs", lambda: phase(self.cloud[0], "quick") == "running")
                    cli(self.cloud[0], "delete", "quick", "--force")
                    self.vms.pop("wrong")
                    cli(self.cloud[0], "delete", "wrong", "--force", "--no-wait")
                    log = self.cloud[int(node[1:]) - 1].log
                    wait_for("its deletion was tried", lambda: "disk not deleted" in log.read_text())
                    self.assertIsNotNone(phase(self.cloud[0], "wrong"), "its disk may be there")
                    away = self.ceph.directory / "away.conf"
                    away.write_text(self.ceph.conf.read_text())
                    wait_for("it is gone when Ceph is back", lambda: phase(self.cloud[0], "wrong") is None)
                else:
                    self.remove("wrong")
        self.settle()

    def test_a_full_pool(self):
        self.ceph.ceph("osd", "pool", "set-quota", RBD_POOL, "max_objects", "1")
        try:
            wait_for("the pool is full", lambda: "POOL_FULL" in self.ceph.ceph("health", "detail"))
            self.launch("five", ha="none")
            wait_for("it is said", lambda: "is full" in self.message("five") or "does not answer" in self.message("five"))
        finally:
            self.ceph.ceph("osd", "pool", "set-quota", RBD_POOL, "max_objects", "0")
        self.wait_running("five")
        self.remove("five")
        self.settle()

    def test_a_pool_that_was_misspelt_is_refused_at_once(self):
        done = cli(self.cloud[0], "daemon", "--data-dir", str(self.cloud.directory / "never"), "--pool", "x=rbd:vms:key=1", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("rbd:POOL[:id=USER][:conf=FILE]", done.stderr)


def load_tests(loader, tests, pattern):
    return load_tests_in_order(loader, OnCeph)


if __name__ == "__main__":
    if ceph_of_tests.missing():
        print(f"skipped: not here: {', '.join(ceph_of_tests.missing())}; install with: tools/setup.sh --ceph")
        sys.exit(0)
    unittest.main(verbosity=2)
