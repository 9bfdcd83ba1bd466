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
            self.assertEqual(cloud[0].get("/v1/images/here")["files"][0]["sha256"], sha256)

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
            wait_for("it waits for the source", lambda: "blobs" in second.tail() or "fetched" in second.tail())
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
            self.assertIn("fetched anew", third.tail(2000))

    def test_where_the_only_copy_is_damaged_nothing_is_run_and_the_host_is_named(self):
        with Cloud(BINARY, 2) as cloud:
            cloud.form(voters=1)
            first, second = cloud
            sha256 = import_disk(first, "disk", 12 * MIB, cloud.directory)
            with open(blob(first, sha256), "r+b") as file:
                file.write(b"not what it was")
            launch(first, "vm", "disk", "h2")
            said = wait_for("it is said", lambda: first.vm("vm").get("status", {}).get("message"))
            self.assertIn("h1 has a damaged copy", said)
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


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)
