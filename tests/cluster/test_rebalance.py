#!/usr/bin/env python3
"""Rebalancing on real hosts: two small VMs keep a large one out of two hosts; one of them moves, and the large one runs.

Usage: test_rebalance.py BLIXARD [-k WORD]
"""
import sys
import unittest

from hosts import Cloud, wait_for
from parts import cli, import_guest, phase, wait_running

BINARY = None  # hosts.BLIXARD, unless the command line names another


def node_of(host, name):
    return host.get(f"/v1/vms/{name}?project=default")["status"].get("node", "")


class Rebalance(unittest.TestCase):
    def test_a_move_makes_room_for_what_waits(self):
        with Cloud(BINARY, 3) as cloud:
            cloud.form()
            first, second, third = cloud
            import_guest(first)
            cpus = first.get("/v1/nodes/h1")["status"]["cpus"]
            for name in ("h1", "h2"):
                cli(first, "node", "set", name, "--overcommit", "none")
            cli(first, "node", "cordon", "h3")
            for name, node in (("small-1", "h1"), ("small-2", "h2")):
                cli(second, "launch", "demo", name, "--memory", "96M", "--cpus", "1", "--node", node, "--no-wait")
                wait_running(first, name)
                first.request("PATCH", f"/v1/vms/{name}?project=default", {"spec": {"constraints": {"node": ""}, "strategy": ""}})
            cli(third, "launch", "demo", "large", "--memory", "96M", "--cpus", str(cpus), "--no-wait")
            wait_for("the large one waits, and why is known",
                     lambda: all(phase(host, "large") == "pending" and "cpu" in cli(host, "why", "large").stdout for host in cloud))

            planned = cli(second, "rebalance", "--dry-run")
            self.assertIn("nothing has been changed", planned.stderr)
            self.assertIn("small-", planned.stdout)
            self.assertEqual({node_of(first, "small-1"), node_of(first, "small-2")}, {"h1", "h2"})
            refused = cli(second, "rebalance", check=False)
            self.assertNotEqual(refused.returncode, 0, "running VMs are not restarted unasked")

            cli(second, "rebalance", "--restart-vms")
            wait_running(first, "small-1")
            wait_running(first, "small-2")
            self.assertEqual(node_of(first, "small-1"), node_of(first, "small-2"))
            wait_running(first, "large")


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)
