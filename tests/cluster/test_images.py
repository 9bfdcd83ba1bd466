#!/usr/bin/env python3
"""An image that one host has is everybody's: fetched in parts, resumed, verified.

Usage: test_images.py BLIXARD [-k WORD]
"""
import sys
import unittest

from hosts import Cloud, wait_for
from parts import blob, cli, import_disk, import_guest, launch, operations, phase, wait_running

BINARY = None  # hosts.BLIXARD, unless the command line names another
MIB = 1 << 20


def fetched(host, target):
    """The fetch of this image that ended last; absent: none has ended."""
    ended = [one for one in operations(host, "image-fetch") if one["target"] == target and one["state"] != "running"]
    return max(ended, key=lambda one: one["ended_at"], default=None)


class Images(unittest.TestCase):
    def test_a_vm_starts_on_a_host_that_has_to_fetch_its_image(self):
        with Cloud(BINARY, 3) as cloud:
            cloud.form()
            first, second, third = cloud
            import_guest(first)
            files = first.get("/v1/images/demo")["files"]
            self.assertFalse(any(blob(second, file["sha256"]).exists() for file in files))
            launch(third, "vm", "demo", "h2")
            wait_running(first, "vm")
            for file in files:
                self.assertEqual(blob(second, file["sha256"]).read_bytes(), blob(first, file["sha256"]).read_bytes())
            self.assertEqual(list((second.directory / "data" / "fetches").iterdir()), [])
            operation = wait_for("the operation has ended", lambda: fetched(first, "images/demo"))
            self.assertEqual((operation["state"], operation["node"], operation["unit"]), ("done", "h2", "bytes"))
            self.assertEqual(operation["done"], operation["total"])
            self.assertEqual(operation["message"], "from h1")

    def test_an_image_is_made_on_one_host_of_files_that_were_uploaded_to_another(self):
        with Cloud(BINARY, 2) as cloud:
            cloud.form()
            import_disk(cloud[0], "there", 8 * MIB, cloud.directory)
            sha256 = cloud[0].get("/v1/images/there")["files"][0]["sha256"]
            cloud[1].post("/v1/images", {"name": "here", "files": [{"role": "disk", "sha256": sha256}]})
            self.assertTrue(blob(cloud[1], sha256).exists())
            seen = wait_for("the other host has it, too", lambda: cloud[0].get("/v1/images/here"))
            self.assertEqual(seen["files"][0]["sha256"], sha256)

    def test_a_fetch_goes_on_where_its_source_broke_off(self):
        with Cloud(BINARY, 2) as cloud:
            cloud.form(voters=1)
            first, second = cloud
            sha256 = import_disk(first, "big", 256 * MIB, cloud.directory)
            part = second.directory / "data" / "fetches" / f"{sha256}.part"
            have = second.directory / "data" / "fetches" / f"{sha256}.have"
            launch(second, "vm", "big", "h2")
            wait_for("parts have come", lambda: have.exists() and len(have.read_text().split()) > 10, every=0.005)
            first.stop_daemon(9)
            if blob(second, sha256).exists():
                self.skipTest("this machine copied 256 MiB before it could be stopped")
            wait_for("it waits for the source", lambda: "image file is fetched" in second.log.read_text())
            kept = len(have.read_text().split()) - 2
            self.assertGreater(kept, 5)
            self.assertTrue(part.exists())
            first.start().wait_ready()
            wait_running(first, "vm")
            self.assertTrue(blob(second, sha256).exists())
            self.assertFalse(part.exists())

    def test_a_fetch_goes_on_after_its_own_daemon_was_killed(self):
        with Cloud(BINARY, 2) as cloud:
            cloud.form(voters=1)
            first, second = cloud
            sha256 = import_disk(first, "big", 256 * MIB, cloud.directory)
            have = second.directory / "data" / "fetches" / f"{sha256}.have"
            launch(first, "vm", "big", "h2")
            wait_for("parts have come", lambda: have.exists() and len(have.read_text().split()) > 10, every=0.005)
            second.stop_daemon(9)
            if blob(second, sha256).exists():
                self.skipTest("this machine copied 256 MiB before it could be stopped")
            second.start().wait_ready()
            wait_running(first, "vm")
            kept = [line for line in second.log.read_text().splitlines() if "is fetched" in line]
            self.assertNotIn("bytes_kept=0", kept[-1])
            states = {one["state"] for one in operations(first, "image-fetch")}
            self.assertLessEqual(states, {"failed", "done"})

    def test_a_damaged_copy_is_refused_and_another_hosts_is_taken(self):
        with Cloud(BINARY, 3) as cloud:
            cloud.form()
            first, second, third = cloud
            sha256 = import_disk(first, "disk", 40 * MIB, cloud.directory)
            launch(first, "one", "disk", "h2")
            wait_running(first, "one")
            with open(blob(first, sha256), "r+b") as file:
                for part in range(10):  # whichever of them it is asked for
                    file.seek(part * 4 * MIB + 1000)
                    file.write(b"not what it was")
            launch(first, "two", "disk", "h3")
            wait_running(first, "two")
            self.assertEqual(blob(third, sha256).read_bytes(), blob(second, sha256).read_bytes())
            self.assertIn("fetched anew", third.log.read_text())

    def test_where_the_only_copy_is_damaged_nothing_is_run_and_the_host_is_named(self):
        with Cloud(BINARY, 2) as cloud:
            cloud.form(voters=1)
            first, second = cloud
            sha256 = import_disk(first, "disk", 12 * MIB, cloud.directory)
            with open(blob(first, sha256), "r+b") as file:
                file.write(b"not what it was")
            launch(first, "vm", "disk", "h2")
            wait_for("it is said", lambda: "h1 has a damaged copy" in first.vm("vm").get("status", {}).get("message", ""))
            self.assertNotEqual(phase(first, "vm"), "running")
            self.assertFalse(blob(second, sha256).exists())

    def test_two_vms_of_one_host_wait_for_one_fetch(self):
        with Cloud(BINARY, 2) as cloud:
            cloud.form(voters=1)
            import_guest(cloud[0])
            for name in ("a", "b", "c"):
                launch(cloud[0], name, "demo", "h2")
            for name in ("a", "b", "c"):
                wait_running(cloud[0], name)
            log = cloud[1].log.read_text()
            self.assertEqual(log.count("image file is fetched"), 2)  # the kernel, the initrd
            self.assertEqual(log.count("image file was fetched"), 2)


class Collected(unittest.TestCase):
    """Files that nothing needs any more. That one stays is believed where another, as old, has gone."""

    GRACE = ("--image-grace", "10")

    def cloud(self, hosts, **form):
        cloud = Cloud(BINARY, hosts, arguments=self.GRACE)
        self.enterContext(cloud)
        cloud.form(**form)
        cloud.wait_voters(form.get("voters", 3))
        return cloud

    @staticmethod
    def wait_named(host, sha256):
        """Until the host has seen that an image names it: what it never saw named, it keeps for a week."""
        names = host.directory / "data" / "named-images"
        wait_for(f"{host} knows of it", lambda: names.exists() and sha256 in names.read_text())

    @staticmethod
    def wait_gone(*paths):
        wait_for(f"{[str(path)[-80:] for path in paths]} are gone", lambda: not any(path.exists() for path in paths))

    def test_the_files_of_a_deleted_image_go_on_every_host_and_no_others(self):
        cloud = self.cloud(3)
        first, second, third = cloud
        spent = import_disk(first, "spent", 8 * MIB, cloud.directory)
        used = import_disk(first, "used", 4 * MIB, cloud.directory)
        for host, name, image in ((second, "a", "spent"), (third, "b", "spent"), (third, "c", "used")):
            launch(first, name, image, host.name)
            wait_running(first, name)
        for host in cloud:
            self.wait_named(host, spent)
        for name in ("a", "b"):
            cli(first, "delete", "--force", name)
        refused = cli(first, "image", "delete", "used", check=False)
        self.assertIn("is used by vm default/c", refused.stderr)
        cli(second, "image", "delete", "spent")
        self.wait_gone(*(blob(host, spent) for host in cloud))
        self.assertTrue(blob(first, used).exists() and blob(third, used).exists())
        told = wait_for("each host has told", lambda: [ended for ended in [
            [one for one in operations(first, "image-collect") if one["state"] == "done"]] if len(ended) == 3])[0]
        self.assertEqual({one["target"] for one in told}, {"nodes/h1", "nodes/h2", "nodes/h3"})
        for one in told:
            self.assertEqual((one["unit"], one["message"]), ("bytes", "1 image file that nothing needed"))
            self.assertGreaterEqual(one["done"], 8 * MIB)
        self.assertIn("8M/8M", cli(third, "operation", "list").stdout)
        self.assertIn("image file deleted", second.log.read_text())

    def test_a_disk_keeps_its_file_when_no_image_names_it_any_more(self):
        """As after `cluster leave`: the disks of the VMs that ran there are still on it."""
        cloud = self.cloud(2, voters=1)
        first, second = cloud
        kept = import_disk(second, "kept", 4 * MIB, cloud.directory)
        other = import_disk(second, "other", 4 * MIB, cloud.directory)
        launch(first, "vm", "kept", "h2")
        wait_running(first, "vm")
        self.wait_named(second, kept)
        self.wait_named(second, other)
        [disk] = (second.directory / "data" / "volumes").glob("*.qcow2")
        mine = disk.with_name("mine.qcow2")
        mine.write_bytes(disk.read_bytes())
        cli(first, "delete", "--force", "vm")
        self.wait_gone(disk)
        cli(first, "image", "delete", "kept", "other")
        self.wait_gone(blob(second, other))
        self.assertTrue(blob(second, kept).exists())
        mine.unlink()
        self.wait_gone(blob(second, kept))

    def test_a_host_that_the_store_does_not_answer_deletes_nothing(self):
        cloud = self.cloud(3)
        first, second, third = cloud
        sha256 = import_disk(first, "disk", 4 * MIB, cloud.directory)
        launch(first, "vm", "disk", "h3")
        wait_running(first, "vm")
        cli(first, "delete", "--force", "vm")
        self.wait_named(third, sha256)
        third.cut("both")
        wait_for("its loss is seen", lambda: first.members()["h3"]["state"] == "lost")
        cli(first, "image", "delete", "disk")
        self.wait_gone(blob(first, sha256))
        wait_for("it says so", lambda: "nothing needs stay for now" in third.log.read_text())
        self.assertTrue(blob(third, sha256).exists())
        third.heal()
        self.wait_gone(blob(third, sha256))

    def test_a_host_that_was_off_while_the_image_was_deleted_deletes_its_file_when_it_is_back(self):
        cloud = self.cloud(3)
        first, second, third = cloud
        sha256 = import_disk(third, "disk", 4 * MIB, cloud.directory)
        self.wait_named(third, sha256)
        third.kill()
        cli(first, "image", "delete", "disk")
        third.start().wait_ready()
        self.wait_gone(blob(third, sha256))

    def test_an_image_that_is_made_again_of_the_same_file_finds_it(self):
        cloud = self.cloud(2, voters=1)
        first, second = cloud
        again = import_disk(first, "again", 4 * MIB, cloud.directory)
        other = import_disk(first, "other", 4 * MIB, cloud.directory)
        self.wait_named(first, other)
        cli(second, "image", "delete", "again", "other")
        second.post("/v1/images", {"name": "anew", "files": [{"role": "disk", "sha256": again}]})
        self.wait_gone(blob(first, other))
        self.assertTrue(blob(first, again).exists() and blob(second, again).exists())
        launch(first, "vm", "anew", "h1")
        wait_running(first, "vm")


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)
