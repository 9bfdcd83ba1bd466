#!/usr/bin/env python3
"""Forming, refusing, leaving, removing, losing and finding again: membership with real parts.

Usage: test_membership.py BLIXARD [-k WORD]
"""
import signal
import ssl
import socket
import subprocess
import sys
import time
import unittest

from hosts import PORT, Cloud, Problem, wait_for

BINARY = "build/blixard"


def put_project(host, name):
    return host.post("/v1/projects", {"name": name})


class Membership(unittest.TestCase):
    def assert_refused(self, status, words, call):
        with self.assertRaises(Problem) as caught:
            call()
        self.assertEqual(caught.exception.status, status, caught.exception.document)
        self.assertIn(words, caught.exception.document["detail"])

    def test_three_hosts_form_one_cluster_and_any_of_them_answers(self):
        with Cloud(BINARY, 3) as cloud:
            took = cloud.form()
            print(f"three hosts formed in {took:.1f} s")
            self.assertLess(took, 60)
            put_project(cloud[1], "p1")
            for host in cloud:
                wait_for("the project is everywhere", lambda h=host: h.get("/v1/projects/p1"))
            cloud.wait_voters(3)

    def test_what_the_single_host_held_is_there_after_init(self):
        with Cloud(BINARY, 1) as cloud:
            cloud.start()
            for i in range(50):
                put_project(cloud[0], f"p{i}")
            before = {p["name"]: p["uid"] for p in cloud[0].get("/v1/projects")["items"]}
            cloud[0].init(voters=1)
            wait_for("answers", lambda: cloud[0].get("/v1/projects")["items"])
            after = {p["name"]: p["uid"] for p in cloud[0].get("/v1/projects")["items"]}
            self.assertEqual(before, after)

    def test_bad_tokens_and_taken_names_are_refused_and_change_nothing(self):
        with Cloud(BINARY, 3) as cloud:
            cloud.start()
            first, second, third = cloud
            self.assert_refused(409, "stands alone", first.token)
            first.init()
            token = first.token()
            self.assert_refused(400, "no join token", lambda: second.join("hello"))
            self.assert_refused(400, "mistyped", lambda: second.join(token[:-2]))
            expiring = first.token(ttl_s=1)
            time.sleep(1.2)
            self.assert_refused(401, "expired", lambda: second.join(expiring))
            second.join(token)
            self.assert_refused(409, "was used", lambda: third.join(token))
            self.assertEqual(set(first.members()), {"h1", "h2"})
            third.stop_daemon()
            third.name = "h2"
            third.start().wait_ready()
            self.assert_refused(409, "is taken", lambda: third.join(first.token()))
            self.assertEqual(set(first.members()), {"h1", "h2"})

    def test_a_token_of_another_cluster_at_a_known_address_is_refused(self):
        with Cloud(BINARY, 3) as cloud:
            cloud.start()
            cloud[0].init()
            token = cloud[0].token()
            cloud[0].kill()
            subprocess.run(["rm", "-r", str(cloud[0].directory / "data")], check=True)
            cloud[0].start().wait_ready()
            cloud[0].init()
            self.assert_refused(401, "another", lambda: cloud[1].join(token))

    def test_a_joined_cluster_lets_no_stranger_in(self):
        with Cloud(BINARY, 1) as cloud:
            cloud.start()
            cloud[0].init()
            probe = ("import socket,ssl,sys\n"
                     "c=ssl._create_unverified_context()\n"
                     "c.set_alpn_protocols(['h2'])\n"
                     "s=socket.create_connection((sys.argv[1],int(sys.argv[2])),5)\n"
                     "s=c.wrap_socket(s)\n"
                     "s.settimeout(5)\n"
                     "s.sendall(b'GET / HTTP/1.1\\r\\n\\r\\n')\n"
                     "print(s.recv(100))\n")
            for port in (PORT + 1, PORT + 2):  # etcd's: no certificate, no word
                done = subprocess.run(["ip", "netns", "exec", cloud[0].namespace, sys.executable, "-c", probe,
                                       cloud[0].address, str(port)], capture_output=True, text=True, timeout=30)
                self.assertNotEqual(done.returncode, 0, done.stdout)
                self.assertIn("ertificate", done.stderr)

    def test_leaving_and_coming_back(self):
        with Cloud(BINARY, 3) as cloud:
            cloud.form()
            cloud.wait_voters(3)
            cloud[2].leave()
            wait_for("h3 stands alone", lambda: cloud[2].get("/v1/cluster")["mode"] == "single")
            wait_for("two members", lambda: set(cloud[0].members()) == {"h1", "h2"})
            put_project(cloud[0], "later")
            cloud[2].join(cloud[1].token())
            cloud.wait_all_ready()
            wait_for("the project came along", lambda: cloud[2].get("/v1/projects/later"))
            cloud.wait_voters(3)

    def test_a_lost_voter_is_removed_and_replaced_and_its_certificate_refused(self):
        with Cloud(BINARY, 4) as cloud:
            cloud.form()
            cloud.wait_voters(3)
            voters = [h for h in cloud if h.members()[h.name]["role"] == "voter"]
            gone, rest = voters[-1], [h for h in cloud if h is not voters[-1]]
            self.assert_refused(409, "is alive", lambda: rest[0].delete(f"/v1/cluster/members/{gone.name}"))
            gone.kill()
            wait_for("the loss is seen", lambda: rest[0].members()[gone.name]["state"] == "lost")
            rest[0].delete(f"/v1/cluster/members/{gone.name}", timeout=60)
            cloud.wait_voters(3)
            gone.start()
            wait_for("the removed host is told", lambda: "certificate" in gone.tail(400) or "removed" in gone.tail(400))
            self.assertNotIn(gone.name, rest[0].members())

    def test_writes_go_on_while_each_process_of_a_voter_is_killed(self):
        with Cloud(BINARY, 3) as cloud:
            cloud.form()
            cloud.wait_voters(3)
            for index, (host, program) in enumerate([(cloud[0], "etcd"), (cloud[1], "etcd"), (cloud[2], "daemon")]):
                host.send_signal(signal.SIGKILL, program)
                if program == "daemon":
                    host.daemon.wait()
                    host.start()
                other = cloud[(index + 1) % 3]
                wait_for("a write", lambda: put_project(other, f"k{index}"))
            cloud.wait_all_ready()
            for host in cloud:
                names = wait_for("all names", lambda h=host: {p["name"] for p in h.get("/v1/projects")["items"]})
                self.assertLessEqual({"k0", "k1", "k2"}, names)

    def test_a_host_that_is_cut_off_reads_and_refuses_writes_and_comes_back(self):
        for direction in ("both", "in", "out"):
            with self.subTest(direction), Cloud(BINARY, 3) as cloud:
                cloud.form()
                cloud.wait_voters(3)
                put_project(cloud[0], "before")
                wait_for("seen", lambda: cloud[2].get("/v1/projects/before"))
                cloud[2].cut(direction)
                wait_for("a write on the majority side", lambda: put_project(cloud[0], "during"))
                self.assertTrue(cloud[2].get("/v1/projects/before"))
                with self.assertRaises((Problem, OSError)):
                    cloud[2].request("POST", "/v1/projects", {"name": "never"}, timeout=60)
                cloud[2].heal()
                wait_for("caught up", lambda: cloud[2].get("/v1/projects/during"))
                wait_for("writes again", lambda: put_project(cloud[2], "after"))

    def test_everything_is_restarted(self):
        with Cloud(BINARY, 3) as cloud:
            cloud.form()
            cloud.wait_voters(3)
            put_project(cloud[1], "kept")
            for host in cloud:
                host.kill()
            for host in cloud:
                host.start()
            cloud.wait_all_ready()
            for host in cloud:
                wait_for("kept", lambda h=host: h.get("/v1/projects/kept"))

    def test_a_majority_is_lost_and_comes_back(self):
        with Cloud(BINARY, 3) as cloud:
            cloud.form()
            cloud.wait_voters(3)
            put_project(cloud[0], "kept")
            cloud[1].kill()
            cloud[2].kill()
            wait_for("read", lambda: cloud[0].get("/v1/projects/kept"))
            with self.assertRaises((Problem, OSError)):
                cloud[0].request("POST", "/v1/projects", {"name": "never"}, timeout=60)
            cloud[1].start()
            cloud[2].start()
            cloud.wait_all_ready()
            wait_for("a write", lambda: put_project(cloud[2], "again"))

    def test_a_daemon_and_an_etcd_leader_that_are_stopped_for_a_while(self):
        with Cloud(BINARY, 3) as cloud:
            cloud.form()
            cloud.wait_voters(3)
            status = cloud[0].get("/v1/cluster")
            leader_name = next(m["name"] for m in status["etcd"] if m.get("leader"))
            leader = next(h for h in cloud if h.name == leader_name)
            other = next(h for h in cloud if h is not leader)
            leader.send_signal(signal.SIGSTOP, "etcd")
            wait_for("a write without the leader", lambda: put_project(other, "stopped"))
            leader.send_signal(signal.SIGCONT, "etcd")
            other.send_signal(signal.SIGSTOP, "daemon")
            time.sleep(10)  # longer than any lease
            other.send_signal(signal.SIGCONT, "daemon")
            cloud.wait_all_ready()
            wait_for("a write by the one that slept", lambda: put_project(other, "awake"))

    def test_a_bad_line(self):
        with Cloud(BINARY, 3) as cloud:
            cloud.form()
            cloud.wait_voters(3)
            if not cloud[2].disturb(loss_percent=30, delay_ms=200):
                self.skipTest("this kernel has no netem")
            wait_for("a write on the good side", lambda: put_project(cloud[0], "good"))
            wait_for("the bad side sees it", lambda: cloud[2].get("/v1/projects/good"))
            cloud[2].heal()
            cloud.wait_all_ready()


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)
