#!/usr/bin/env python3
"""Any host answers the whole API, also for VMs of the others.

Usage: test_any_host.py BLIXARD [-k WORD]
"""
import sys
import unittest

from hosts import Cloud, Problem, wait_for
from parts import READY_LINE, cli, import_guest, launch, phase, wait_running

BINARY = None  # hosts.BLIXARD, unless the command line names another


class AnyHost(unittest.TestCase):
    def test_what_only_the_host_of_a_vm_knows_is_answered_by_each(self):
        with Cloud(BINARY, 3) as cloud:
            cloud.form()
            first, second, third = cloud
            import_guest(first)
            launch(third, "vm", "demo", "h2")
            wait_running(first, "vm")
            for host in cloud:
                wait_for("the console has spoken", lambda h=host: READY_LINE in cli(h, "logs", "vm").stdout, 120)
                usage = host.get("/v1/vms/vm/usage?project=default")
                self.assertGreater(usage["cpu_seconds"], 0)
                said = cli(host, "console", "vm", text=f"echo six times seven is $((6*7)), says {host.name}\n").stdout
                self.assertIn(f"six times seven is 42, says {host.name}", said)

    def test_each_may_act_on_vms_of_the_others(self):
        with Cloud(BINARY, 3) as cloud:
            cloud.form()
            first, second, third = cloud
            import_guest(second)
            cli(first, "launch", "demo", "vm", "--memory", "96M", "--node", "h3")
            wait_running(second, "vm")
            cli(second, "pause", "vm")
            wait_for("the others see it paused", lambda: phase(third, "vm") == "paused")
            cli(first, "resume", "vm")
            cli(second, "restart", "vm", "--force") if "--force" in cli(second, "restart", "--help").stdout else None
            wait_running(first, "vm")
            cli(first, "stop", "vm", "--force")
            wait_for("the others see it stopped", lambda: phase(third, "vm") == "stopped")
            cli(second, "start", "vm")
            wait_running(third, "vm")
            cli(second, "delete", "--force", "vm")
            wait_for("it is gone everywhere", lambda: all(phase(host, "vm") is None for host in cloud))

    def test_a_vm_of_a_host_that_is_away_is_said_to_be_there(self):
        with Cloud(BINARY, 3) as cloud:
            cloud.form()
            cloud.wait_voters(3)
            first, second, third = cloud
            import_guest(third)
            launch(first, "vm", "demo", "h3")
            wait_running(first, "vm")
            third.kill()
            with self.assertRaises(Problem) as caught:
                first.get("/v1/vms/vm/log?project=default", timeout=60)
            self.assertEqual(caught.exception.status, 503)
            self.assertIn("h3", caught.exception.document["detail"])


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)
