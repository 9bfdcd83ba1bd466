#!/usr/bin/env python3
"""Partitions of every kind, one on the heels of the other, under clients that ask all hosts all the time: is there one order of
operations that explains all that they were told?

What test_faults.py does to one host at a time and lets settle, this does without a rest: also to two at once (no majority),
and to whoever leads.

Usage: test_partitions.py       BLIXARD_TEST_PARTITIONS: how many (6; 60 in long mode); BLIXARD_TEST_SEED: which
"""
import os
import unittest

from scene import MODE, Scene, load_tests_in_order

PARTITIONS = int(os.environ.get("BLIXARD_TEST_PARTITIONS", "60" if MODE == "long" else "6"))
PER_HISTORY = 10  # then all must be well again: short histories are judged fast


class Partitions(Scene):
    guests = 1

    def partition(self, load):
        """One or two hosts are cut off, for as long as it takes the others (if they are the majority) to answer some requests."""
        first = self.leader() if self.chance.random() < 0.4 else self.pick()
        cut = [first] + ([self.pick(self.others(first))] if self.chance.random() < 0.25 else [])
        ways = [self.chance.choice(["both", "in", "out"]) for _ in cut]
        for host, way in zip(cut, ways):
            host.cut(way)
        if len(cut) == 1:
            load.wait_for_answers(self.chance.randrange(5, 60), self.chance.choice(self.others(first)).name)
        else:
            load.wait_for_asked(self.chance.randrange(10, 40))
        for host in cut:
            host.heal()
        # Sometimes the next one comes before this one is over.
        if self.chance.random() < 0.6:
            load.wait_for_answers(self.chance.randrange(1, 30), first.name)
        return "+".join(f"{host}:{way}" for host, way in zip(cut, ways))

    def test_partitions_in_a_row(self):
        done = 0
        while done < PARTITIONS:
            said = []
            with self.load(clients=8) as load:
                for _ in range(min(PER_HISTORY, PARTITIONS - done)):
                    said.append(self.partition(load))
                    done += 1
            self.note(f"{done}: {' '.join(said)}")
            self.settle(load)


def load_tests(loader, tests, pattern):
    return load_tests_in_order(loader, Partitions)


if __name__ == "__main__":
    unittest.main(verbosity=2)
