"""Three hosts on one machine, each with its own daemon, etcd and real QEMU guests: forming a cluster, and losing a host."""
import os
import pathlib
import socket
import unittest

from harness import Daemon, wait_until


bases = iter(range(21000, 31000, 10))  # each is given once: a daemon opens its ports only when it founds or joins


def free_ports(count):
    """The first of `count` neighbouring ports that are free now: the daemon's and its etcd's two."""
    for base in bases:
        sockets = []
        try:
            for port in range(base, base + count):
                one = socket.socket()
                sockets.append(one)
                one.bind(("127.0.0.1", port))
            return base
        except OSError:
            continue
        finally:
            for one in sockets:
                one.close()
    raise AssertionError("no free ports")


class Cluster(unittest.TestCase):
    def setUp(self):
        self.hosts = []
        for i in range(1, 4):
            host = Daemon(f"h{i}", ["--advertise", f"127.0.0.1:{free_ports(3)}"])
            self.addCleanup(host.close)
            self.hosts.append(host.start())
        first = self.hosts[0]
        first.cli("cluster", "init")
        for host in self.hosts[1:]:
            token = first.cli("cluster", "token").stdout.strip().splitlines()[-1]
            host.cli("cluster", "join", token)
        wait_until("all hosts vote", lambda: self.voters() == 3)

    def voters(self):
        members = self.hosts[0].request("GET", "/v1/cluster/members")[1]
        return sum(member.get("role") == "voter" for member in members.get("items", members.get("members", [])))

    def test_a_used_token_lets_nobody_in(self):
        first = self.hosts[0]
        stranger = Daemon("h9", ["--advertise", f"127.0.0.1:{free_ports(3)}"])
        self.addCleanup(stranger.close)
        stranger.start()
        token = first.cli("cluster", "token").stdout.strip().splitlines()[-1]
        spoiled = token[:-1] + ("0" if token[-1] != "0" else "1")
        self.assertNotEqual(stranger.cli("cluster", "join", spoiled, check=False).returncode, 0)
        self.assertEqual(stranger.request("GET", "/v1/version")[1]["store"], "sqlite")
        stranger.cli("cluster", "join", token)
        self.assertNotEqual(self.hosts[1].cli("cluster", "join", token, check=False).returncode, 0)

    def test_an_ha_vm_of_a_killed_host_runs_elsewhere_with_a_proof(self):
        first = self.hosts[0]
        for host in self.hosts:
            # Each host has the files; the record is made once.
            host.import_guest(f"demo-{host.name}")
        for i in range(3):
            first.cli("launch", "demo-h1", f"ha{i}", "--memory", "96M", "--ha", "restart", "--strategy", "spread")
        nodes = {f"ha{i}": first.vm(f"ha{i}")["placement"]["node"] for i in range(3)}
        self.assertEqual(sorted(nodes.values()), ["h1", "h2", "h3"])
        victim = next(vm for vm, node in nodes.items() if node == "h3")
        lost = self.hosts[2]
        qemu = lost.pid(victim)
        lost.kill()
        lost.end_leftovers()  # etcd, watchdog and, with it, the fenced QEMU: all of the host at once
        wait_until("the lost host's VM is gone", lambda: not os.path.exists(f"/proc/{qemu}") or
                   pathlib.Path(f"/proc/{qemu}/stat").read_text().split(") ")[1][0] == "Z")
        wait_until("it runs elsewhere", lambda: first.phase(victim) == "running" and first.vm(victim)["placement"]["node"] != "h3")
        failovers = first.request("GET", "/v1/failovers")[1]["items"]
        self.assertEqual([(f["vm"], f["from_node"], f["proof"], f["new_epoch"]) for f in failovers], [(victim, "h3", "lease-ended", 2)])
        # Any host answers, the others have not moved.
        self.assertEqual(self.hosts[1].phase(victim), "running")
        for vm, node in nodes.items():
            if vm != victim:
                self.assertEqual(first.vm(vm)["placement"]["node"], node)


if __name__ == "__main__":
    unittest.main(verbosity=2)
