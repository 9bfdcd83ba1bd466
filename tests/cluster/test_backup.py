#!/usr/bin/env python3
"""A backup is written, a new host becomes the cluster again, and what must not be restored is refused.

Usage: test_backup.py BLIXARD [-k WORD]
"""
import stat
import sys
import unittest

from hosts import Cloud, Problem, wait_for
from parts import cli, import_guest, launch, wait_running

BINARY = None  # hosts.BLIXARD, unless the command line names another


class Backups(unittest.TestCase):
    def test_a_new_host_of_one_becomes_the_cluster_again(self):
        with Cloud(BINARY, 3) as cloud:
            for host in cloud:
                host.name = f"old{host.index + 1}"
            cloud.form()
            cloud.wait_voters(3)
            first = cloud[0]
            for i in range(200):
                first.post("/v1/projects", {"name": f"p{i}", "description": "x" * 100})
            projects = {p["name"]: p["uid"] for p in first.get("/v1/projects?limit=1000")["items"]}
            import_guest(first)
            launch(first, "vm", "demo", "old2")
            wait_running(first, "vm")
            words = cloud.directory / "words"
            words.write_text("correct horse battery staple\n")
            file = cloud.directory / "cluster.backup"
            said = cli(first, "cluster", "backup", str(file), "--passphrase-file", str(words))
            self.assertIn("encrypted", said.stderr)
            self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
            self.assertEqual([n for n in (first.directory / "data" / "cluster").iterdir() if n.name.startswith("backup-")], [])
            cluster_id = first.get("/v1/cluster")["cluster_id"]
            open_token = first.token()

            fourth = cloud.add_host()
            fourth.name = "new1"
            fourth.start().wait_ready()

            # The old cluster lives: refused, and nothing has changed.
            refused = cli(fourth, "cluster", "restore", str(file), "--yes", "--passphrase-file", str(words), check=False)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("is alive", refused.stderr)
            self.assertEqual(fourth.get("/v1/cluster")["mode"], "single")

            for host in (cloud[0], cloud[1], cloud[2]):
                host.kill()

            # Without --yes, and nobody at a terminal: said, and not done. Without the passphrase: refused.
            plan = cli(fourth, "cluster", "restore", str(file), "--passphrase-file", str(words), check=False)
            self.assertNotEqual(plan.returncode, 0)
            for part in ("only member", "1 VMs", "old1, old2, old3", "nothing was done"):
                self.assertIn(part, plan.stderr)
            self.assertEqual(fourth.get("/v1/cluster")["mode"], "single")
            blind = cli(fourth, "cluster", "restore", str(file), "--yes", check=False)
            self.assertIn("no passphrase was given", blind.stderr)

            cli(fourth, "cluster", "restore", str(file), "--yes", "--passphrase-file", str(words))
            wait_for("it is a member", fourth.is_member)
            status = fourth.get("/v1/cluster")
            self.assertEqual(status["cluster_id"], cluster_id)
            self.assertEqual(set(fourth.members()), {"new1"})
            after = wait_for("the projects", lambda: {p["name"]: p["uid"] for p in fourth.get("/v1/projects?limit=1000")["items"]})
            self.assertEqual(after, projects)
            self.assertEqual(fourth.vm("vm")["placement"]["node"], "old2")
            self.assertEqual([n for n in (fourth.directory / "data" / "blobs").iterdir()], [])
            fourth.post("/v1/projects", {"name": "later"})

            # Tokens of before count no more; a new one does.
            fifth = cloud.add_host()
            fifth.start().wait_ready()
            with self.assertRaises(Problem):
                fifth.join(open_token)
            fifth.join(fourth.token())
            wait_for("the newcomer sees all", lambda: fifth.get("/v1/projects/later"))

    def test_a_host_with_vms_of_its_own_is_not_overwritten(self):
        with Cloud(BINARY, 2) as cloud:
            cloud.start()
            first, second = cloud
            first.init(voters=1)
            file = cloud.directory / "plain.backup"
            said = cli(first, "cluster", "backup", str(file))
            self.assertIn("in the clear", said.stderr)
            import_guest(second)
            refused = cli(second, "cluster", "restore", str(file), "--yes", check=False)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("of its own", refused.stderr)
            member = cli(first, "cluster", "restore", str(file), "--yes", check=False)
            self.assertIn("is a member", member.stderr)
            # The keys are not left behind among the image files.
            for host in cloud:
                for blob in (host.directory / "data" / "blobs").iterdir():
                    self.assertNotIn(b"manifest.json", blob.read_bytes()[:512], f"{host}: {blob}")
            self.assertEqual(second.get("/v1/cluster")["mode"], "single")

    def test_a_damaged_backup_is_refused(self):
        with Cloud(BINARY, 1) as cloud:
            cloud.start()
            file = cloud.directory / "not-a-backup"
            file.write_bytes(b"hello" * 1000)
            refused = cli(cloud[0], "cluster", "restore", str(file), "--yes", check=False)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("no backup of a cluster", refused.stderr)
            # A file that is none is not taken away: it may be an image's.
            import_guest(cloud[0])
            sha256 = cloud[0].get("/v1/images/demo")["files"][0]["sha256"]
            with self.assertRaises(Problem):
                cloud[0].post("/v1/cluster/restore", {"sha256": sha256}, timeout=60)
            self.assertTrue((cloud[0].directory / "data" / "blobs" / sha256).exists())

    def test_a_host_that_does_not_vote_gives_a_backup_too(self):
        with Cloud(BINARY, 4) as cloud:
            cloud.form()
            cloud.wait_voters(3)
            worker = next(host for host in cloud if cloud[0].members()[host.name]["role"] == "worker")
            file = cloud.directory / "by-worker.backup"
            cli(worker, "cluster", "backup", str(file))
            self.assertIn(b"manifest.json", file.read_bytes()[:1024])


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)
