"""Who ran where: two witnesses that know nothing of the product's own records.

`Beats` reads what guests have written to their shared disks: each writes its epoch, its boot's id and a count once a second.
`Witness` looks at the machine's processes all the time, and says when two QEMUs of one VM live at once: QEMU's lock on
the disk would hide that from the first.
"""
import collections
import dataclasses
import os
import pathlib
import re
import threading
import time

from hosts import process_state

BLOCK = 512
YOUTH = 10.0  # s after which a process has become what it is going to be


@dataclasses.dataclass(frozen=True)
class Beat:
    vm: str
    epoch: int
    boot: str
    count: int


def read_beats(path):
    """All beats on a raw disk, in order. ValueError: a block that is not one."""
    data = pathlib.Path(path).read_bytes()
    head = data[:BLOCK].strip(b"\0 \n").decode()
    last = int(head) if head else 0
    beats = []
    # Block `last + 1` may be there already: a beat is written before its number.
    for number in range(1, last + 2):
        text = data[number * BLOCK:(number + 1) * BLOCK].strip(b"\0 \n").decode()
        if not text and number == last + 1:
            break
        vm, epoch, boot, count = text.split()
        beats.append(Beat(vm, int(epoch), boot, int(count)))
    return beats


def doubts(beats):
    """What is wrong with them: nothing, if the guest ran once at a time and no beat was lost."""
    wrong = []
    for index, beat in enumerate(beats):
        if beat.count != index + 1:
            wrong.append(f"block {index + 1} holds beat {beat.count}: two wrote at once, or one was lost")
    boots = [beat.boot for index, beat in enumerate(beats) if index == 0 or beats[index - 1].boot != beat.boot]
    for boot, times in collections.Counter(boots).items():
        if times > 1:
            wrong.append(f"boot {boot} wrote, then another, then it again")
    for before, after in zip(beats, beats[1:]):
        if after.epoch < before.epoch:
            wrong.append(f"epoch {after.epoch} wrote behind epoch {before.epoch}")
    return wrong


@dataclasses.dataclass(frozen=True)
class Machine:
    """A QEMU process: of which VM, on which host, in which epoch."""
    pid: int
    start: str
    uid: str
    vm: str
    host: str
    epoch: int

    def is_alive(self):
        """A process that is stopped counts as alive, one that is dead and not reaped yet does not."""
        state = process_state(self.pid)
        return state is not None and state[1] == self.start and state[0] not in "ZX"


class Witness:
    """Looks at /proc some thirty times a second, from start() to stop(), for the machines of one cloud."""

    def __init__(self, directory):
        # Where a machine works: <directory>/<host>/data/vms/<uid>
        self._path = re.compile(re.escape(str(directory)) + r"/([^/]+)/data/vms/([^/]+)$")
        self._machines = {}  # pid -> Machine
        self._young = {}  # pid -> when it was first seen: a child becomes QEMU only some time after its birth
        self._others = set()  # pids that are no machine and will not become one
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.double = []  # pairs of machines that were seen alive at once
        self.seen = set()
        self.error = None
        self.looks = 0

    def start(self):
        self._thread.start()
        return self

    def stop(self):
        self._over.set()
        self._thread.join()

    def _watch(self):
        try:
            while not self._over.wait(0.03):
                self.look()
        except Exception as error:  # told by complaints(): a witness that looked away is no witness
            self.error = error

    def _machine(self, pid):
        state = process_state(pid)
        try:
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
            path = self._path.match(os.readlink(f"/proc/{pid}/cwd"))
        except OSError:
            return None
        if state is None or not os.path.basename(words[0]).startswith("qemu-system"):
            return None
        text = " ".join(words)
        epoch = re.search(r"opt/blixard/epoch,string=(\d+)", text)
        name = re.search(r"guest=([^, ]+)", text)
        if not path or not epoch or not name:
            return None
        return Machine(pid, state[1], path[2], name[1], path[1], int(epoch[1]))

    def alive(self):
        """The machines that live now."""
        pids = {int(entry) for entry in os.listdir("/proc") if entry.isdigit()}
        now = time.monotonic()
        self._others &= pids
        self._young = {pid: self._young.get(pid, now) for pid in pids - self._others - self._machines.keys()}
        for pid, since in list(self._young.items()):
            machine = self._machine(pid)
            if machine is not None:
                self._machines[pid] = machine
            elif now - since > YOUTH:
                self._others.add(pid)
        self._machines = {pid: machine for pid, machine in self._machines.items() if machine.is_alive()}
        return list(self._machines.values())

    def look(self):
        with self._lock:
            alive = self.alive()
            self._judge(alive)
        return alive

    def _judge(self, alive):
        self.looks += 1
        self.seen.update(alive)
        by_uid = {}
        for machine in alive:
            by_uid.setdefault(machine.uid, []).append(machine)
        for machines in by_uid.values():
            # One may have died while the list was read: only who lives now, after all were seen alive, has lived beside another.
            if len(machines) > 1:
                still = [machine for machine in machines if machine.is_alive()]
                if len(still) > 1 and still not in self.double:
                    self.double.append(still)

    def complaints(self):
        wrong = [f"lived at once: {' and '.join(str(machine) for machine in pair)}" for pair in self.double]
        if self.error is not None:
            wrong.append(f"the witness stumbled: {self.error!r}")
        return wrong
