#!/usr/bin/env python3
"""The witnesses see what they are there to see."""
import os
import pathlib
import subprocess
import tempfile
import unittest

from guests import BLOCK, Beat, Witness, doubts, read_beats
from hosts import wait_for


def disk(*records, last=None):
    blocks = [str(len(records) if last is None else last), *records]
    return b"".join(f"{block:<511}\n".encode() for block in blocks) + b"\0" * BLOCK * 4


class Beats(unittest.TestCase):
    def read(self, data):
        with tempfile.NamedTemporaryFile() as file:
            pathlib.Path(file.name).write_bytes(data)
            return read_beats(file.name)

    def test_an_empty_disk_holds_none(self):
        self.assertEqual(self.read(b"\0" * BLOCK * 8), [])

    def test_what_was_written_is_read_also_the_one_whose_number_is_not_written_yet(self):
        expected = [Beat("web", 1, "b1", 1), Beat("web", 1, "b1", 2)]
        self.assertEqual(self.read(disk("web 1 b1 1", "web 1 b1 2")), expected)
        self.assertEqual(self.read(disk("web 1 b1 1", "web 1 b1 2", last=1)), expected)

    def test_one_at_a_time_leaves_no_doubt(self):
        self.assertEqual(doubts([Beat("w", 1, "a", 1), Beat("w", 1, "b", 2), Beat("w", 3, "c", 3)]), [])

    def test_two_at_once_leave_traces(self):
        self.assertEqual(len(doubts([Beat("w", 1, "a", 1), Beat("w", 2, "b", 2), Beat("w", 1, "a", 3)])), 2)
        self.assertEqual(len(doubts([Beat("w", 1, "a", 1), Beat("w", 1, "a", 3)])), 1)
        self.assertEqual(len(doubts([Beat("w", 2, "a", 1), Beat("w", 1, "b", 2)])), 1)


class Processes(unittest.TestCase):
    """Processes that call themselves QEMU."""

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.witness = Witness(self.directory.name)

    def machine(self, host, uid, epoch):
        home = pathlib.Path(self.directory.name, host, "data", "vms", uid)
        home.mkdir(parents=True, exist_ok=True)
        process = subprocess.Popen(["qemu-system-pretended", "-c", "read x", "guest=default/web,x",
                                    f"name=opt/blixard/epoch,string={epoch}"], executable="/bin/sh", cwd=home,
                                   stdin=subprocess.PIPE)
        self.addCleanup(process.wait)
        self.addCleanup(process.stdin.close)
        self.addCleanup(process.kill)
        # exec closes what Popen waits for before its words can be read.
        words = pathlib.Path(f"/proc/{process.pid}/cmdline")
        wait_for("it calls itself QEMU", lambda: b"qemu-system" in words.read_bytes())
        return process

    def test_two_of_one_vm_are_seen_and_one_behind_the_other_is_fine(self):
        first = self.machine("h1", "u1", 1)
        self.machine("h2", "u2", 1)
        self.witness.look()
        self.assertEqual(self.witness.complaints(), [])
        self.assertEqual({(m.host, m.uid, m.epoch) for m in self.witness.seen}, {("h1", "u1", 1), ("h2", "u2", 1)})
        first.kill()
        os.waitid(os.P_PID, first.pid, os.WEXITED | os.WNOWAIT)  # dead, not reaped
        self.machine("h3", "u1", 2)
        self.witness.look()
        self.assertEqual(self.witness.complaints(), [])
        self.machine("h2", "u1", 3)
        self.witness.look()
        self.assertEqual(len(self.witness.complaints()), 1, self.witness.complaints())


if __name__ == "__main__":
    unittest.main()
