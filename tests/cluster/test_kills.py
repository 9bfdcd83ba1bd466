#!/usr/bin/env python3
"""Many kills in a row: any process of any host, or all of a host.

Usage: test_kills.py       BLIXARD_TEST_KILLS: how many (20; 200 in long mode); BLIXARD_TEST_SEED: which
"""
import os
import signal
import unittest

from hosts import wait_for
from scene import MODE, Scene, load_tests_in_order

KILLS = int(os.environ.get("BLIXARD_TEST_KILLS", "200" if MODE == "long" else "20"))
ROUND = 10  # kills, after which all must be well again


class Kills(Scene):
    guests = 2

    def kill_something(self):
        host = self.pick()
        what = self.chance.choice(["daemon", "watchdog", "etcd", "qemu", None])
        host.send_signal(signal.SIGKILL, what) if what else host.kill()
        return host, what or "all"

    def test_kills_in_a_row(self):
        done = 0
        while done < KILLS:
            said = []
            with self.load(clients=4) as load:
                for _ in range(min(ROUND, KILLS - done)):
                    host, what = self.kill_something()
                    said.append(f"{host}:{what}")
                    done += 1
                    # Sometimes the next one follows at once, sometimes when it is back.
                    if not host.is_up:
                        load.wait_for_answers(self.chance.randrange(20), self.others(host)[0].name if host.is_in else None)
                        host.start()
                        if self.chance.random() < 0.7:
                            host.wait_ready()
                    else:
                        load.wait_for_answers(self.chance.randrange(30))
                for host in self.cloud:
                    if not host.is_up:
                        host.start()
            self.note(f"{done}: {' '.join(said)}")
            self.settle(load)


def load_tests(loader, tests, pattern):
    return load_tests_in_order(loader, Kills)


if __name__ == "__main__":
    unittest.main(verbosity=2)
