"""One formed cluster with guests on it, which many tests disturb one after the other; and what must hold after each.

    class Faults(Scene):
        hosts, guests = 3, 2
        def test_something(self):
            with self.load() as load:
                ...
            self.settle(load)

Forming takes longer than most faults, so the tests of a class share a cluster; a test that fails takes it down, and the next
one forms another. BLIXARD_TEST_SEED (default 1) fixes the order of the tests, the hosts that are hit, and the timings.
"""
import http.client
import os
import random
import sys
import time
import unittest

from guests import Witness, doubts, read_beats
from hosts import GUEST, POOL, Cloud, Problem, wait_for
from load import Load

SEED = int(os.environ.get("BLIXARD_TEST_SEED", "1"))
MODE = os.environ.get("BLIXARD_TEST_MODE", "full")
COMMAND_LINE = "console=ttyS0 panic=-1 quiet tsc_early_khz=2000000"


def import_guest(cloud, name="demo"):
    """Each host gets the files; the record is made once."""
    sums = {role: [host.upload(GUEST / file) for host in cloud][0] for role, file in (("kernel", "vmlinuz"), ("initrd", "initrd"))}
    cloud[0].post("/v1/images", {"name": name, "command_line": COMMAND_LINE,
                                 "files": [{"role": role, "sha256": sha256} for role, sha256 in sums.items()]})


class Scene(unittest.TestCase):
    hosts = 3
    voters = 3
    guests = 2
    cloud = None
    witness = None

    @classmethod
    def order(cls, names):
        """The tests of this class in the seed's order."""
        names = sorted(names)
        random.Random(SEED).shuffle(names)
        return names

    @classmethod
    def raise_cloud(cls):
        cls.cloud = Cloud(hosts=cls.hosts)
        cls.cloud.open()
        cls.prepare()
        took = cls.cloud.form(voters=cls.voters)
        cls.note(f"{cls.hosts} hosts formed in {took:.1f} s")
        cls.cloud.wait_voters(min(cls.hosts, cls.voters))
        cls.witness = Witness(cls.cloud.directory).start()
        cls.vms = {}
        if cls.guests:
            import_guest(cls.cloud)
            for number in range(cls.guests):
                cls.launch(f"ha{number}")
            for name in cls.vms:
                cls.wait_beats(name, 1)

    @classmethod
    def prepare(cls):
        """Before the daemons start."""

    @classmethod
    def take_down(cls):
        if cls.witness:
            cls.witness.stop()
        cls.witness = None
        cloud, cls.cloud = cls.cloud, None
        if cloud:
            cloud.close()

    @classmethod
    def tearDownClass(cls):
        cls.take_down()

    @staticmethod
    def note(text):
        print(f"  {text}", flush=True)

    def setUp(self):
        self.chance = random.Random(f"{SEED} {self.id().rsplit('.', 1)[1]}")
        if type(self).cloud is None:
            try:
                self.raise_cloud()
            except BaseException:
                if self.cloud:
                    self.cloud.tell()
                self.take_down()
                raise

    def run(self, result=None):
        result = result or self.defaultTestResult()
        before = len(result.failures), len(result.errors)
        begun = time.monotonic()
        super().run(result)
        self.note(f"{self.id().rsplit('.', 1)[1]}: {time.monotonic() - begun:.0f} s")
        new = result.failures[before[0]:] + result.errors[before[1]:]
        for _, what in new:  # now, beside the daemons' last words; a run that is ended early still tells
            print(what, file=sys.stderr, flush=True)
        if new and self.cloud:
            self.cloud.tell()
            type(self).take_down()
        return result

    # -- guests

    @classmethod
    def launch(cls, name, host=None):
        """A VM with HA whose guest beats on a shared disk."""
        (host or cls.cloud[0]).post("/v1/vms", {"name": name, "spec": {
            "image": "demo", "cpus": 1, "memory_mib": 96, "ha": "restart", "strategy": "spread",
            "command_line": f"blixard.beat={name}",
            "disks": [{"name": "beats", "size_mib": 4, "pool": POOL, "format": "raw"}]}})
        uid = wait_for("its volume", lambda: (host or cls.cloud[0]).get(f"/v1/volumes/{name}-beats")["uid"])
        cls.vms[name] = cls.cloud.pool / f"{uid}.raw"

    @classmethod
    def beats(cls, name):
        path = cls.vms[name]
        return read_beats(path) if path.exists() else []

    @classmethod
    def wait_beats(cls, name, more, epoch=0):
        """Until its guest has written so many more beats (in this epoch or a later one)."""
        before = len(cls.beats(name))
        return wait_for(f"{name} beats", lambda: [beat for beat in cls.beats(name)[before:] if beat.epoch >= epoch][more - 1:])

    def place(self, name):
        """(host, epoch) of a VM, as the host says that knows the newest: one that is cut off answers with what it knew."""
        newest = ("", 0)
        for host in self.cloud.members:
            if host.is_up:
                try:
                    placement = host.vm(name).get("placement", {})
                except (Problem, OSError, http.client.HTTPException):
                    continue
                if placement.get("epoch", 0) >= newest[1]:
                    newest = placement.get("node", ""), placement.get("epoch", 0)
        return newest

    def host_of(self, name):
        node = wait_for(f"{name} has a place", lambda: self.place(name)[0])
        return next(host for host in self.cloud if host.name == node)

    def wait_moved(self, name, epoch):
        """Until it runs with a higher epoch than this, and its guest says so."""
        def moved():
            return self.place(name)[1] > epoch and self.place(name)[0]
        wait_for(f"{name} is placed anew", moved)
        return wait_for(f"{name} beats in a new epoch", lambda: [b for b in self.beats(name)[-3:] if b.epoch > epoch])

    # -- hosts

    def pick(self, among=None):
        return self.chance.choice(list(among or self.cloud.members))

    def others(self, *hosts):
        return [host for host in self.cloud.members if host not in hosts]

    def leader(self):
        """The host whose etcd leads."""
        def found():
            for host in self.cloud.members:
                if host.is_up:
                    try:
                        names = [m["name"] for m in host.get("/v1/cluster").get("etcd", []) if m.get("leader")]
                        if names:
                            return next(h for h in self.cloud if h.name == names[0])
                    except (Problem, OSError, http.client.HTTPException):
                        continue
        return wait_for("etcd has a leader", found)

    def load(self, **options):
        return Load(self.cloud, seed=self.chance.randrange(10**6), **options)

    # -- what must hold

    def settle(self, load=None):
        """All is well again, by itself; nothing that was acknowledged is lost; no VM ran twice."""
        begun = time.monotonic()
        self.cloud.wait_all_ready()
        self.cloud.wait_voters(min(len(self.cloud.members), self.voters))
        for name in self.vms:
            self.wait_running(name)
        self.wait_alike()
        if load is not None:
            self.assertEqual(load.verdict(), [], "\n" + "\n".join(str(one) for one in load.verdict()))
            self.note(f"{len(load.history)} operations, {len(load.kept)} kept, {sum(load.refusals.values())} refused; "
                      f"settled in {time.monotonic() - begun:.1f} s")
        for name in self.vms:
            self.assertEqual(doubts(self.beats(name)), [], name)
        self.assertEqual(self.witness.complaints(), [])
        self.assert_one_machine_each()

    def wait_running(self, name):
        def running():
            vm = next(host for host in self.cloud.members if host.is_up).vm(name)
            return vm["phase"] == "running" and vm.get("status", {}).get("epoch") == vm.get("placement", {}).get("epoch")
        wait_for(f"{name} runs", running)
        self.wait_beats(name, 1, epoch=self.place(name)[1])

    def wait_alike(self):
        """All hosts show the same."""
        def alike():
            seen = []
            for host in self.cloud.members:
                if host.is_up:
                    seen.append([[(item.get("name") or item["id"], item["revision"]) for item in host.get(f"/v1/{kind}?limit=10000")["items"]]
                                 for kind in ("vms", "projects", "volumes", "images", "failovers")])
            return seen[1:] == seen[:-1]
        wait_for("all hosts show the same", alike)

    def assert_one_machine_each(self):
        def as_placed():
            alive = sorted((machine.vm, machine.host, machine.epoch) for machine in self.witness.look())
            placed = sorted((f"default/{name}", *self.place(name)) for name in self.vms)
            return alive == placed
        wait_for("each VM has one machine, where it is placed", as_placed)


def load_tests_in_order(loader, *cases):
    suite = unittest.TestSuite()
    for case in cases:
        suite.addTests([unittest.TestSuite(map(case, case.order(loader.getTestCaseNames(case))))])
    return suite
