#!/usr/bin/env python3
"""Hosts are upgraded one by one: what a newer version has written is kept by all that others write, and nobody waits.

The newer host is etcdctl, which puts members into the records of which this build knows nothing; in long mode a second build, too,
whose VMs have a field "next" (made here, into build/next-version: a quarter of an hour on 2 cores).

Usage: test_versions.py [-k WORD]
"""
import base64
import json
import os
import subprocess
import unittest

from hosts import PORT, ROOT, Problem
from scene import MODE, Scene, load_tests_in_order

NEW = {"a": [1, {"b": None}]}


class Versions(Scene):
    guests = 1

    def etcdctl(self, *words):
        host = self.cloud[0]
        files = host.directory / "data" / "cluster"
        done = subprocess.run(
            ["ip", "netns", "exec", host.namespace, "etcdctl", f"--endpoints=https://{host.address}:{PORT + 1}",
             f"--cacert={files / 'ca.pem'}", f"--cert={files / 'host.pem'}", f"--key={files / 'host.key'}", *words],
            env={**os.environ, "ETCDCTL_API": "3"}, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def records(self):
        """{key: document} of everything that people and the controller write."""
        def text(field):
            return base64.b64decode(field).decode()

        found = json.loads(self.etcdctl("get", "", "--from-key", "-w", "json"))["kvs"]
        return {text(one["key"]): json.loads(text(one["value"])) for one in found
                if text(one["key"]).startswith(("vms/", "volumes/", "images/", "projects/")) and not text(one["key"]).endswith("/status")}

    def write_as_a_newer_version(self):
        keys = []
        for key, document in self.records().items():
            document["next"] = NEW
            if "spec" in document:
                document["spec"]["next"] = NEW
            self.etcdctl("put", key, json.dumps(document, separators=(",", ":")))
            keys.append(key)
        return keys

    def test_an_upgrade_host_by_host_blocks_nobody_and_loses_no_member(self):
        self.cloud[0].post("/v1/projects", {"name": "lab"})
        keys = self.write_as_a_newer_version()
        for part in ("vms/default/ha0/spec", "vms/default/ha0/placement", "images/", "volumes/", "projects/"):
            self.assertTrue(any(key.startswith(part) for key in keys), f"{part} in {keys}")
        with self.load() as load:
            for host in self.cloud:
                host.stop_daemon()
                load.wait_for_answers(20)  # of the others
                host.start().wait_ready()
                load.wait_for_answers(5, host.name)
                host.request("PATCH", "/v1/vms/ha0", {"spec": {"labels": {"through": host.name}}})
                host.request("PATCH", "/v1/projects/lab", {"description": host.name})
            # The controller writes, too.
            host, epoch = self.host_of("ha0"), self.place("ha0")[1]
            host.post(f"/v1/nodes/{host.name}/drain")
            self.wait_moved("ha0", epoch)
            host.post(f"/v1/nodes/{host.name}/uncordon")
        self.settle(load)
        records = self.records()
        self.assertEqual(records["vms/default/ha0/spec"]["spec"]["labels"], {"through": self.cloud[2].name})
        for key in keys:
            self.assertEqual(records[key].get("next"), NEW, key)
            if "spec" in records[key]:
                self.assertEqual(records[key]["spec"].get("next"), NEW, key)


@unittest.skipUnless(MODE == "long", "a second build takes a quarter of an hour: BLIXARD_TEST_MODE=long")
class TwoBuilds(Scene):
    guests = 1

    @classmethod
    def prepare(cls):
        subprocess.run([ROOT / "tools" / "build.sh", "blixard", "blixard-daemon"], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "BLIXARD_BUILD": "build/next-version", "CXXFLAGS": "-DBLIXARD_NEXT_VERSION"})

    def replace(self, host, load, binary):
        """Its daemon by that of another build; its guests run on."""
        host.stop_daemon()
        load.wait_for_answers(20)  # of the others
        host.binary = binary
        host.start().wait_ready()
        load.wait_for_answers(5, host.name)

    def next_of(self, vm, host):
        return host.get(f"/v1/vms/{vm}")["spec"].get("next")

    def test_a_field_of_the_next_version_is_kept_by_this_one_there_and_back(self):
        newer = ROOT / "build" / "next-version" / "blixard"
        first, second, third = self.cloud
        with self.load() as load:
            with self.assertRaises(Problem) as refused:  # before there is anyone who knows it
                first.request("PATCH", "/v1/vms/ha0", {"spec": {"next": "known"}})
            self.assertEqual(refused.exception.status, 400)
            self.replace(first, load, newer)
            first.request("PATCH", "/v1/vms/ha0", {"spec": {"next": "known"}})
            for host in (second, third, first):  # each writes the record, and the new field stays
                host.request("PATCH", "/v1/vms/ha0", {"spec": {"labels": {"through": host.name}}})
                self.assertEqual(self.next_of("ha0", first), "known", f"after a change through {host}")
            host, epoch = self.host_of("ha0"), self.place("ha0")[1]
            host.post(f"/v1/nodes/{host.name}/drain")
            self.wait_moved("ha0", epoch)
            host.post(f"/v1/nodes/{host.name}/uncordon")
            for host in (second, third):
                self.replace(host, load, newer)
            self.assertEqual(self.next_of("ha0", third), "known")
            for host in self.cloud:  # and back
                self.replace(host, load, None)
            second.request("PATCH", "/v1/vms/ha0", {"spec": {"labels": {"back": "yes"}}})
            self.replace(third, load, newer)
            self.assertEqual(self.next_of("ha0", third), "known")
        self.settle(load)


def load_tests(loader, tests, pattern):
    return load_tests_in_order(loader, Versions, TwoBuilds)


if __name__ == "__main__":
    unittest.main(verbosity=2)
