#!/usr/bin/env python3
"""A cluster that grows and shrinks while clients and guests never rest.

Usage: test_growth.py [-k WORD]
"""
import unittest

from hosts import wait_for
from scene import Scene, import_guest, load_tests_in_order


class Growth(Scene):
    """Three hosts become five, all of which vote; then hosts leave, and one is removed."""
    hosts = 3
    voters = 5
    guests = 2

    def upload_guest(self, host):
        """Its own copy of the guest's files: images travel between hosts is another story."""
        from hosts import GUEST
        for file in ("vmlinuz", "initrd"):
            host.upload(GUEST / file)

    def test_three_become_five_and_three_again_under_load(self):
        cloud = self.cloud
        with self.load() as load:
            for _ in range(2):
                host = cloud.add_host()
                host.start().wait_ready()
                self.upload_guest(host)
                host.join(self.pick().token())
                load.wait_for_answers(10, host.name)
            cloud.wait_voters(5)
        self.settle(load)

        # Two of five may go at once.
        gone = self.chance.sample(cloud.members, 2)
        with self.load() as load:
            for host in gone:
                host.kill()
            load.wait_for_answers(50)
            for host in gone:
                host.start().wait_ready()
        self.settle(load)

        # One leaves in good order: its VMs are moved first.
        leaving = self.host_of("ha0")
        with self.load() as load:
            self.others(leaving)[0].post(f"/v1/nodes/{leaving.name}/drain")
            wait_for("nothing is placed on it", lambda: all(self.place(name)[0] not in ("", leaving.name) for name in self.vms))
            load.leave_out(leaving)
            leaving.leave()
            wait_for("four members", lambda: set(cloud.members[0].members()) == {host.name for host in cloud.members})
            load.wait_for_answers(20)
        self.settle(load)
        leaving.kill()

        # One is lost for good, and removed.
        lost = self.pick()
        rest = self.others(lost)
        with self.load() as load:
            lost.kill()
            lost.is_in = False
            wait_for("its loss is seen", lambda: rest[0].members()[lost.name]["state"] == "lost")
            wait_for("it is removed", lambda: rest[0].delete(f"/v1/cluster/members/{lost.name}", timeout=60) is not None)
            load.wait_for_answers(20)
        self.settle(load)


def load_tests(loader, tests, pattern):
    return load_tests_in_order(loader, Growth)


if __name__ == "__main__":
    unittest.main(verbosity=2)
