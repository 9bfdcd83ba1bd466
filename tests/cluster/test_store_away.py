#!/usr/bin/env python3
"""The store is away, full, or somebody else's.

Usage: test_store_away.py BLIXARD [-k WORD]
"""
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from hosts import Cloud, Problem, UnixConnection, wait_for
from parts import cli, import_guest, launch, phase, wait_running

BINARY = None  # hosts.BLIXARD, unless the command line names another


def headers_of(host, path):
    connection = UnixConnection(host.socket, 30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers
    finally:
        connection.close()


class Away(unittest.TestCase):
    def test_reads_go_on_marked_with_age_and_revision_and_writes_say_why_not(self):
        with Cloud(BINARY, 3) as cloud:
            cloud.form()
            cloud.wait_voters(3)
            first, second, third = cloud
            import_guest(first)
            launch(first, "plain", "demo", "h1")
            launch(first, "ha", "demo", "h1", ha="restart")
            wait_running(first, "plain")
            wait_running(first, "ha")
            pids = {name: first.vm(name)["status"]["pid"] for name in ("plain", "ha")}
            self.assertIsNone(headers_of(first, "/v1/vms")[1]["X-Blixard-Age-Ms"])
            second.kill()
            third.kill()
            age = wait_for("it says how old", lambda: headers_of(first, "/v1/vms")[1]["X-Blixard-Age-Ms"])
            self.assertGreater(int(age), 0)
            status, headers = headers_of(first, "/v1/vms/plain?project=default")
            self.assertEqual(status, 200)
            self.assertGreater(int(headers["X-Blixard-Revision"]), 0)
            listed = cli(first, "list")
            self.assertIn("plain", listed.stdout)
            self.assertIn("cannot reach the store", listed.stderr)
            with self.assertRaises(Problem) as caught:
                first.post("/v1/projects", {"name": "never"}, timeout=60)
            self.assertIn(caught.exception.status, (503, 504))
            self.assertIn("store", caught.exception.document["detail"] + caught.exception.document.get("help", ""))
            # The fenced VM is dead, the other one runs.
            alive = lambda name: pathlib.Path(f"/proc/{pids[name]}").exists() and "Z" not in pathlib.Path(
                f"/proc/{pids[name]}/stat").read_text().split(") ")[1][:1]
            wait_for("the HA VM is fenced", lambda: not alive("ha"))
            self.assertTrue(alive("plain"))
            text = cli(first, "cluster", "status").stdout
            self.assertIn("warning:", text)
            second.start()
            third.start()
            cloud.wait_all_ready()
            wait_for("writes again", lambda: first.post("/v1/projects", {"name": "again"}))
            wait_running(first, "ha")
            self.assertEqual(first.vm("plain")["status"]["pid"], pids["plain"])
            wait_for("nothing is old any more", lambda: headers_of(first, "/v1/vms")[1]["X-Blixard-Age-Ms"] is None)

    def test_a_full_quota_is_said_and_freed_by_itself(self):
        with Cloud(BINARY, 1, arguments=("--etcd-quota-mib", "16")) as cloud:
            cloud.start()
            host = cloud[0]
            host.init(voters=1)
            wait_for("a store", lambda: host.get("/v1/projects"))
            # One project, described anew again and again: only its history grows.
            host.post("/v1/projects", {"name": "p"})

            def fill():
                for i in range(100):
                    host.request("PATCH", "/v1/projects/p", {"description": "x" * 1000 + str(i), "labels": {f"l{n}": "y" * 60 for n in range(30)}})

            full = None
            deadline = time.monotonic() + 240
            while full is None and time.monotonic() < deadline:
                try:
                    fill()
                except Problem as problem:
                    full = problem
            self.assertIsNotNone(full, "16 MiB were never full")
            self.assertEqual(full.status, 507, full.document)
            said = wait_for("the status says so", lambda: [w for w in host.get("/v1/cluster").get("warnings", []) if "no-space" in w or "quota" in w])
            self.assertTrue(said)
            wait_for("room was made", lambda: host.request("PATCH", "/v1/projects/p", {"description": "small"}), 180, every=1)
            wait_for("and nothing is said any more", lambda: not [w for w in host.get("/v1/cluster").get("warnings", []) if "no-space" in w], 60)


class Foreign(unittest.TestCase):
    """--store etcd://…: an etcd that somebody else runs, with TLS of its own."""

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="blixard-etcd-"))
        self.addCleanup(subprocess.run, ["rm", "-rf", str(self.directory)])

    def openssl(self, *words, text=None):
        subprocess.run(["openssl", *words], cwd=self.directory, check=True, capture_output=True, input=text, text=True)

    def make_certificates(self, address):
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "ca.key", "-out",
                     "ca.pem", "-days", "2", "-subj", "/CN=an-authority")
        for name, use in (("server", "serverAuth,clientAuth"), ("client", "clientAuth")):
            self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key", "-out",
                         f"{name}.csr", "-subj", f"/CN={name}")
            (self.directory / "ext").write_text(f"subjectAltName=IP:{address}\nextendedKeyUsage={use}\n")
            self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                         "-out", f"{name}.pem", "-extfile", "ext")

    def test_two_hosts_share_an_etcd_over_tls(self):
        with Cloud(BINARY, 2) as cloud:
            first, second = cloud
            self.make_certificates(first.address)
            log = open(self.directory / "etcd.log", "wb")
            etcd = subprocess.Popen(
                ["ip", "netns", "exec", first.namespace, "etcd", "--data-dir", str(self.directory / "data"), "--name", "x",
                 "--listen-client-urls", f"https://{first.address}:2379", "--advertise-client-urls", f"https://{first.address}:2379",
                 "--listen-peer-urls", "http://127.0.0.1:2390", "--initial-advertise-peer-urls", "http://127.0.0.1:2390",
                 "--initial-cluster", "x=http://127.0.0.1:2390", "--client-cert-auth", "--trusted-ca-file", str(self.directory / "ca.pem"),
                 "--cert-file", str(self.directory / "server.pem"), "--key-file", str(self.directory / "server.key")],
                stdout=log, stderr=log)
            self.addCleanup(lambda: (etcd.kill(), etcd.wait(), log.close()))
            tls = ["--store-ca", str(self.directory / "ca.pem"), "--store-cert", str(self.directory / "client.pem"), "--store-key",
                   str(self.directory / "client.key")]
            for host in cloud:
                host.start("--store", f"etcd://{first.address}:2379", *tls).wait_ready()
            self.assertEqual(second.get("/v1/version")["store"], "etcd")
            wait_for("both hosts are known", lambda: {n["name"] for n in second.get("/v1/nodes")["items"] if n["ready"]} == {"h1", "h2"})
            for host in cloud:
                import_guest(host, f"demo-{host.name}")
            launch(first, "vm", "demo-h2", "h2")
            wait_running(second, "vm")
            self.assertEqual(phase(first, "vm"), "running")
            # Without the certificate there is no way in, and it is said.
            third = cloud.add_host()
            third.start("--store", f"etcd://{first.address}:2379")
            self.assertNotEqual(third.daemon.wait(120), 0)
            self.assertIn("error: the daemon did not start", third.tail())


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)
