#!/usr/bin/env python3
"""Forming, refusing, leaving, removing, losing and finding again: membership with real parts.

Usage: test_membership.py [-k WORD]
"""
import subprocess
import sys
import time
import unittest

from hosts import PORT, Cloud, Problem, wait_for
from parts import cli


def put_project(host, name):
    return host.post("/v1/projects", {"name": name})


class Membership(unittest.TestCase):
    def assert_refused(self, status, words, call):
        with self.assertRaises(Problem) as caught:
            call()
        self.assertEqual(caught.exception.status, status, caught.exception.document)
        self.assertIn(words, caught.exception.document["detail"])

    def test_three_hosts_form_one_cluster_and_any_of_them_answers(self):
        with Cloud(hosts=3) as cloud:
            took = cloud.form()
            print(f"three hosts formed in {took:.1f} s")
            put_project(cloud[1], "p1")
            for host in cloud:
                wait_for("the project is everywhere", lambda h=host: h.get("/v1/projects/p1"))
            cloud.wait_voters(3)

    def test_what_the_single_host_held_is_there_after_init(self):
        with Cloud(hosts=1) as cloud:
            cloud.start()
            for i in range(50):
                put_project(cloud[0], f"p{i}")
            before = {p["name"]: p["uid"] for p in cloud[0].get("/v1/projects")["items"]}
            cloud[0].init(voters=1)
            wait_for("answers", lambda: cloud[0].get("/v1/projects")["items"])
            after = {p["name"]: p["uid"] for p in cloud[0].get("/v1/projects")["items"]}
            self.assertEqual(before, after)

    def test_bad_tokens_and_taken_names_are_refused_and_change_nothing(self):
        with Cloud(hosts=3) as cloud:
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
        with Cloud(hosts=3) as cloud:
            cloud.start()
            cloud[0].init()
            token = cloud[0].token()
            cloud[0].kill()
            subprocess.run(["rm", "-r", str(cloud[0].directory / "data")], check=True)
            cloud[0].start().wait_ready()
            cloud[0].init()
            self.assert_refused(401, "another", lambda: cloud[1].join(token))

    def test_a_clock_that_is_off_by_more_than_the_margin_is_refused(self):
        with Cloud(hosts=2) as cloud:
            cloud[1].fake_clock()
            cloud.start()
            cloud[0].init()
            token = cloud[0].token()
            for offset in (120, -120):
                cloud[1].set_clock(offset)
                self.assert_refused(409, "clock", lambda: cloud[1].join(token))
            self.assertEqual(set(cloud[0].members()), {"h1"})
            cloud[1].set_clock(0)
            cloud[1].join(token)

    def test_a_joined_cluster_lets_no_stranger_in(self):
        with Cloud(hosts=1) as cloud, Cloud(hosts=1) as another:
            for one in (cloud, another):
                one.start()
                one[0].init(voters=1)
            probe = ("import socket,ssl,sys\n"
                     "s=socket.create_connection((sys.argv[1],int(sys.argv[2])),5)\n"
                     "s.settimeout(5)\n"
                     "if len(sys.argv)>3:\n"
                     " c=ssl._create_unverified_context()\n"
                     " c.set_alpn_protocols(['h2'])\n"
                     " if len(sys.argv)>4: c.load_cert_chain(sys.argv[3],sys.argv[4])\n"
                     " s=c.wrap_socket(s)\n"
                     "s.sendall(b'GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')\n"
                     "print(s.recv(100))\n")

            def ask(port, *words):
                return subprocess.run(["ip", "netns", "exec", cloud[0].namespace, sys.executable, "-c", probe,
                                       cloud[0].address, str(port), *map(str, words)], capture_output=True, text=True, timeout=60)

            foreign = another[0].directory / "data" / "cluster"
            for port in (PORT, PORT + 1, PORT + 2):  # the hosts' own; etcd's two
                plain = ask(port)
                self.assertNotIn("200", plain.stdout, f"plain TCP at {port}")
                stranger = ask(port, foreign / "host.pem", foreign / "host.key")
                # Refused after the client's part of the handshake: an alert, or a connection that is closed without a word.
                self.assertIn(stranger.stdout.strip(), ("", "b''"), f"a certificate of another cluster at {port}")
            for port in (PORT + 1, PORT + 2):
                bare = ask(port, "tls")
                self.assertIn(bare.stdout.strip(), ("", "b''"), f"TLS without a certificate at {port}")

    def test_leaving_and_coming_back(self):
        with Cloud(hosts=3) as cloud:
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
        with Cloud(hosts=4) as cloud:
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
            self.assert_tells_removal(gone)
            self.assertNotIn(gone.name, rest[0].members())
            # What it says helps.
            cli(gone, "cluster", "leave")
            gone.wait_ready()
            self.assertFalse(gone.is_member())
            gone.join(rest[0].token())
            cloud.wait_all_ready()

    def test_a_worker_that_was_removed_while_it_was_cut_off_is_told(self):
        with Cloud(hosts=4) as cloud:
            cloud.form()
            cloud.wait_voters(3)
            gone = next(h for h in cloud if cloud[0].members()[h.name]["role"] != "voter")
            rest = [h for h in cloud if h is not gone]
            gone.cut()
            wait_for("the loss is seen", lambda: rest[0].members()[gone.name]["state"] == "lost")
            rest[0].delete(f"/v1/cluster/members/{gone.name}", timeout=60)
            gone.heal()
            self.assert_tells_removal(gone)

    def test_a_member_that_starts_without_a_majority_says_so_and_can_be_told_to_leave(self):
        with Cloud(hosts=3) as cloud:
            cloud.form()
            cloud.wait_voters(3)
            put_project(cloud[0], "kept")
            for host in cloud:
                host.kill()
            alone = cloud[0]
            alone.start()
            status = wait_for("it says what is the matter",
                              lambda: (lambda s: s["standing"] == "store-silent" and s)(alone.get("/v1/cluster")))
            self.assertIn("bring back a majority", " ".join(status["warnings"]))
            with self.assertRaises(Problem) as refused:
                alone.get("/v1/vms")
            self.assertEqual(refused.exception.status, 503)
            self.assertIn("has not answered", refused.exception.document["detail"])
            # The majority returns, and it goes on by itself.
            cloud[1].start()
            alone.wait_ready()
            wait_for("it has the state", lambda: alone.get("/v1/projects/kept"))
            # And again, for good.
            for host in cloud:
                host.kill()
            alone.start()
            wait_for("it says what is the matter", lambda: alone.get("/v1/cluster")["standing"] == "store-silent")
            cli(alone, "cluster", "leave", "--abandon")
            wait_for("it stands alone", lambda: not alone.is_member())
            alone.wait_ready()
            put_project(alone, "new")

    def assert_tells_removal(self, host):
        status = wait_for("it says that it was removed", lambda: (lambda s: s["standing"] == "removed" and s)(host.get("/v1/cluster")))
        self.assertIn("removed from its cluster", status["warnings"][0])
        self.assertIn("blixard cluster leave", status["warnings"][0])
        with self.assertRaises(Problem) as refused:
            host.get("/v1/vms")
        self.assertEqual(refused.exception.status, 403)
        self.assertIn("removed from its cluster", refused.exception.document["detail"])
        self.assertIn("REMOVED", cli(host, "cluster", "status").stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
