"""One host with real QEMU guests: what a person does on the first day, and what goes wrong on the second."""
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import unittest

from harness import BLIXARD, READY_LINE, Daemon, HostTest, wait_until

GUESTS = {"quick": 4, "long": 50}.get(os.environ.get("BLIXARD_TEST_MODE", ""), 8)


class Life(HostTest):
    def test_launch_speak_stop_start_restart_pause_delete(self):
        d = self.daemon
        d.import_guest()
        self.launch("web", "--port", "0:80", "--console-pattern", READY_LINE)
        self.assertEqual(d.phase("web"), "running")
        self.assertIn(READY_LINE, d.cli("logs", "web").stdout)

        stopped = d.cli("stop", "web")
        self.assertIn("guest", stopped.stdout)
        self.assertEqual(d.vm("web")["status"]["stopped_by"], "guest")

        d.cli("start", "web")
        first = d.pid("web")
        d.cli("restart", "web", "--force") if "--force" in d.cli("restart", "--help").stdout else d.cli("restart", "web")
        wait_until("a new process", lambda: d.pid("web") not in (0, first) and d.phase("web") == "running")
        d.cli("pause", "web")
        self.assertEqual(d.phase("web"), "paused")
        d.cli("resume", "web")
        self.assertEqual(d.phase("web"), "running")
        self.assertEqual(d.cli("delete", "web", check=False).returncode, 4)
        d.cli("delete", "web", "--force")
        self.assertIsNone(d.vm("web"))

    def test_a_guest_that_does_not_listen_is_ended_and_the_answer_says_how(self):
        d = self.daemon
        d.import_guest()
        # It has not loaded its button driver yet: it cannot hear.
        self.launch("deaf", "--stop-timeout", "1s")
        stopped = d.cli("stop", "deaf")
        self.assertIn("killed", stopped.stdout)
        self.assertEqual(d.vm("deaf")["status"]["stopped_by"], "killed")

    def test_a_process_that_is_killed_is_noticed_and_started_again(self):
        d = self.daemon
        d.import_guest()
        self.launch("web")
        first = d.pid("web")
        os.kill(first, signal.SIGKILL)
        wait_until("failed or started again", lambda: d.vm("web")["status"]["restarts"] == 1)
        wait_until("running again", lambda: d.phase("web") == "running" and d.pid("web") not in (0, first))

    def test_vms_survive_kill_9_of_the_daemon(self):
        d = self.daemon
        d.import_guest()
        names = [f"v{i}" for i in range(GUESTS)]
        for name in names:
            d.cli("launch", "demo", name, "--memory", "96M", "--no-wait")
        for name in names:
            wait_until(f"{name} runs", lambda: d.phase(name) == "running", 600)
        pids = {name: d.pid(name) for name in names}
        for _ in range(3):
            d.kill()
            for pid in pids.values():
                os.kill(pid, 0)
            d.start()
            for name in names:
                wait_until(f"{name} runs", lambda: d.phase(name) == "running")
        self.assertEqual({name: d.pid(name) for name in names}, pids)
        # One that dies while nobody watches is noticed.
        d.kill()
        os.kill(pids["v0"], signal.SIGKILL)
        d.start()
        wait_until("v0 is started again", lambda: d.phase("v0") == "running" and d.pid("v0") != pids["v0"])
        self.assertEqual(d.pid("v1"), pids["v1"])

    def test_a_daemon_that_is_killed_while_vms_start_leaves_each_running_once(self):
        d = self.daemon
        d.import_guest()
        names = [f"v{i}" for i in range(4)]
        for round_number in range(3):
            for name in names:
                d.cli("launch", "demo", name, "--memory", "96M", "--no-wait")
            d.kill()  # somewhere between the first record and the last start
            d.start()
            for name in names:
                wait_until(f"{name} runs", lambda: d.phase(name) == "running", 300)
            running = [line for line in subprocess.run(["pgrep", "-af", "qemu-system"], capture_output=True, text=True).stdout.splitlines()
                       if d.directory in line or any(str(d.pid(name)) == line.split()[0] for name in names)]
            self.assertEqual(len(running), len(names), running)
            for name in names:
                d.cli("delete", "--force", name)


class Record(HostTest):
    def replay(self, path):
        return subprocess.run([BLIXARD, "sim", "--recorded", path], capture_output=True, text=True, timeout=300)

    def test_what_a_daemon_recorded_over_kill_9_and_restart_is_decided_again_in_the_same_way(self):
        d = self.daemon
        d.import_guest()
        secret = "hunter2-of-the-test"
        user_data = os.path.join(d.directory, "user-data")
        pathlib.Path(user_data).write_text(f"#cloud-config\npassword: {secret}\n")
        self.launch("web", "--cloud-init", user_data)
        d.cli("stop", "web")
        d.cli("start", "web")
        os.kill(d.pid("web"), signal.SIGKILL)
        wait_until("it is noticed", lambda: d.vm("web")["status"]["restarts"] == 1)
        d.cli("launch", "demo", "second", "--memory", "96M", "--no-wait")
        d.kill()
        killed = self.replay(os.path.join(d.directory, "data", "record"))
        self.assertEqual(killed.returncode, 0, killed.stdout + killed.stderr)
        d.start()
        wait_until("both run", lambda: d.phase("web") == "running" and d.phase("second") == "running", 300)
        d.cli("delete", "--force", "web")
        d.cli("delete", "--force", "second")

        record = os.path.join(d.directory, "host.record")
        d.cli("debug", "record", record)
        self.assertEqual(os.stat(record).st_mode & 0o777, 0o600)
        self.assertNotIn(secret.encode(), pathlib.Path(record).read_bytes())
        self.assertIn(b"POST /v1/vms", pathlib.Path(record).read_bytes())
        played = self.replay(record)
        self.assertEqual(played.returncode, 0, played.stdout + played.stderr)
        last = played.stdout.splitlines()[-1]
        self.assertIn("stretches=2", last)
        self.assertIn("divergences=0 SAME", last)

        damaged = bytearray(pathlib.Path(record).read_bytes())
        damaged[len(damaged) // 2] ^= 1
        pathlib.Path(record).write_bytes(damaged)
        refused = self.replay(record)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("the record is damaged at byte", refused.stderr)


class SmallRecord(HostTest):
    options = ["--record-mib", "1"]

    def test_a_full_record_loses_its_beginning_and_is_played_from_a_checkpoint(self):
        d = self.daemon
        directory = os.path.join(d.directory, "data", "record")
        first = sorted(os.listdir(directory))[0]
        n = 0
        while first in os.listdir(directory):
            self.assertLess(n, 40, "nothing is ever dropped")
            for _ in range(50):  # what the loops are told of it is some 1.5 KiB each
                d.request("POST", "/v1/projects", {"name": f"p{n}"})
                d.request("PATCH", f"/v1/projects/p{n}", {"description": "x" * 1000})
            n += 1
        sizes = [os.path.getsize(os.path.join(directory, name)) for name in os.listdir(directory)]
        self.assertLess(sum(sizes), 1.1 * 2**20)
        record = os.path.join(d.directory, "host.record")
        d.cli("debug", "record", record)
        played = subprocess.run([BLIXARD, "sim", "--recorded", record], capture_output=True, text=True, timeout=300)
        self.assertEqual(played.returncode, 0, played.stdout + played.stderr)


class NoRecord(HostTest):
    options = ["--record-mib", "0"]

    def test_switched_off_there_is_none_and_that_is_said(self):
        refused = self.daemon.cli("debug", "record", "-", check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("record_mib = 0", refused.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.daemon.directory, "data", "record")))


class Disks(HostTest):
    def test_a_disk_image_becomes_a_root_disk_that_is_deleted_with_its_vm(self):
        d = self.daemon
        d.import_guest()
        with tempfile.TemporaryDirectory() as directory:
            disk = os.path.join(directory, "disk.qcow2")
            subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", disk, "64M"], check=True)
            d.cli("image", "import", disk, "blank")
        d.cli("launch", "blank", "diskvm", "--memory", "64M")
        self.assertEqual(d.phase("diskvm"), "running")
        self.assertIn("diskvm-root", d.cli("volume", "list").stdout)
        # Its disk has a record; one that a forgotten volume has left has none, and stays.
        volumes = os.path.join(d.directory, "data", "volumes")
        self.assertEqual(len(os.listdir(volumes)), 1)
        stray = os.path.join(volumes, "0123456789abcdef0123456789abcdef.raw")
        with open(stray, "w") as file:
            file.write("somebody's data")
        self.assertEqual(d.cli("node", "strays", d.name, "-o", "name").stdout, stray + "\n")
        self.assertIn("Stray disks:", d.cli("node", "show", d.name).stdout)
        self.assertEqual(d.cli("image", "delete", "blank", check=False).returncode, 4)
        d.cli("delete", "--force", "diskvm")
        self.assertNotIn("diskvm-root", d.cli("volume", "list").stdout)
        self.assertEqual(os.listdir(volumes), [os.path.basename(stray)])
        d.cli("image", "delete", "blank")

    def test_what_is_no_image_is_refused(self):
        d = self.daemon
        with tempfile.TemporaryDirectory() as directory:
            picture = os.path.join(directory, "picture.qcow2")
            pathlib.Path(picture).write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 4096)
            refused = d.cli("image", "import", picture, check=False)
            self.assertEqual(refused.returncode, 4)
            self.assertIn("PNG", refused.stderr)
            outside = os.path.join(directory, "outside.qcow2")
            subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-u", "-b", "/etc/shadow", "-F", "raw", outside, "64M"], check=True)
            self.assertEqual(d.cli("image", "import", outside, check=False).returncode, 4)
        self.assertEqual(d.request("GET", "/v1/images")[1]["items"], [])


class BadInput(HostTest):
    def test_each_gets_a_clear_refusal_and_nothing_changes(self):
        d = self.daemon
        d.import_guest()
        post = lambda body: d.request("POST", "/v1/vms", body)
        for body, field in [
            ({"name": "a", "spec": {"image": "demo", "cpsu": 1}}, "spec.cpsu"),
            ({"name": "a", "spec": {"image": "demo", "cpus": "two"}}, "spec.cpus"),
            ({"name": "../a", "spec": {"image": "demo"}}, "name"),
            ({"name": "a" * 200, "spec": {"image": "demo"}}, "name"),
            ({"name": "a", "spec": {"image": "demo", "cpus": 0}}, "spec.cpus"),
            ({"name": "a", "spec": {"image": "demo", "memory_mib": 5}}, "spec.memory_mib"),
            ({"name": "a", "spec": {"image": "demo", "memory_mib": 9 << 20}}, "spec.memory_mib"),
            ({"name": "a", "spec": {"image": "absent"}}, "spec.image"),
        ]:
            status, problem, headers = post(body)
            self.assertEqual((status, problem.get("field")), (400, field), problem)
            self.assertIn("application/problem+json", headers["Content-Type"])
        self.assertEqual(post(b'{"name": "a", "spec": {"image":')[0], 400)
        self.assertEqual(post(b"[" * 200 + b"]" * 200)[0], 400)
        self.assertEqual(post(b'{"name": "a\\u0000", "spec": {"image": "demo"}}')[0], 400)
        self.assertEqual(post(b'{"name": "\xff\xfe", "spec": {"image": "demo"}}')[0], 400)
        self.assertEqual(post(b" " * (10 << 20))[0], 413)
        self.assertEqual(d.request("GET", "/v1/vms")[1]["items"], [])
        self.assertEqual(post({"name": "a", "spec": {"image": "demo", "run": "stopped"}})[0], 201)
        self.assertEqual(post({"name": "a", "spec": {"image": "demo", "run": "stopped"}})[0], 409)

    def test_paths_that_climb_are_refused(self):
        for path in ["/v1/../../etc/passwd", "/v1/vms/%2e%2e/%2e%2e", "/v1/vms/a%00b", "/v1//vms"]:
            self.assertIn(self.daemon.request("GET", path)[0], (400, 404), path)


class Watching(HostTest):
    def test_events_resume_without_loss_or_repetition(self):
        d = self.daemon
        d.import_guest()
        start = d.request("GET", "/v1/vms")[1]["revision"]
        for i in range(20):
            d.request("POST", "/v1/vms", {"name": f"v{i}", "spec": {"image": "demo", "run": "stopped"}})
        end = d.request("GET", "/v1/vms")[1]["revision"]

        def read(after):
            """Events until `end`, as (revision, name), in pieces: the connection is dropped after every seventh."""
            import http.client
            from harness import UnixConnection
            seen = []
            while not seen or seen[-1][0] < end:
                connection = UnixConnection(d.socket, 30)
                connection.request("GET", "/v1/events?type=vm", headers={"Last-Event-ID": str(seen[-1][0] if seen else after)})
                response = connection.getresponse()
                here = 0
                revision = 0
                while here < 7 and (not seen or seen[-1][0] < end):
                    line = response.readline().decode().strip()
                    if line.startswith("id:"):
                        revision = int(line[3:])
                    elif line.startswith("data:"):
                        seen.append((revision, json.loads(line[5:])["name"]))
                        here += 1
                connection.close()
            return seen

        seen = read(start)
        created = [name for _, name in seen]
        self.assertEqual([name for name in dict.fromkeys(created)], [f"v{i}" for i in range(20)])
        self.assertEqual(len(seen), len(set(seen)), "an event came twice")

    def test_metrics_tell_what_is_measured(self):
        text = self.daemon.request("GET", "/metrics")[1]
        self.assertIn('blixard_vms{phase="running"} 0', text)
        self.assertIn("blixard_store_commit_seconds_count", text)
        self.assertNotIn("blixard_vm_cpu_seconds_total", text)


class TwoDaemons(HostTest):
    def test_a_data_directory_belongs_to_one_daemon(self):
        d = self.daemon
        second = subprocess.run([BLIXARD, "daemon", "--data-dir", os.path.join(d.directory, "data"), "--socket",
                                 os.path.join(d.directory, "other.sock"), "--name", "h2"], capture_output=True, text=True, timeout=60)
        self.assertEqual(second.returncode, 1)
        self.assertIn("in use by another daemon", second.stderr)


class Stopping(HostTest):
    def test_a_daemon_that_waits_for_its_store_ends_when_it_is_told_to(self):
        self.daemon.kill()
        log = os.path.join(self.daemon.directory, "waiting.log")
        with open(log, "wb") as file:
            waiting = subprocess.Popen([BLIXARD, "daemon", "--data-dir", os.path.join(self.daemon.directory, "other"), "--socket",
                                        self.daemon.socket, "--name", "h2", "--store", "etcd://127.0.0.1:1"],
                                       stdin=subprocess.DEVNULL, stdout=file, stderr=file)
        try:
            wait_until("it says what it waits for", lambda: "state not read yet" in pathlib.Path(log).read_text())
            waiting.terminate()
            self.assertEqual(waiting.wait(30), 0)  # it would give up by itself after 60 s, with an error
        finally:
            waiting.kill()
            waiting.wait()


class Documents(HostTest):
    def test_what_is_listed_as_yaml_or_json_is_applied_again_and_nothing_changes(self):
        d = self.daemon
        d.import_guest()
        d.cli("volume", "create", "data", "--size", "10M", "--label", "a=b")
        d.cli("project", "create", "shop", "--vms", "3")
        d.cli("launch", "demo", "stopped", "--stopped", "--port", "0:80", "--health", "http:80/", "--disk", "root:10M", "--volume",
              "data", "--feature", "kvm", "--device", "gpu", "--affinity", "a=b")
        self.launch("running")
        path = os.path.join(d.directory, "all")
        for noun in ((), ("volume",), ("project",), ("image",), ("node",)):
            for form in ("yaml", "json"):
                pathlib.Path(path).write_text(d.cli(*noun, "list", "-o", form).stdout)
                for line in d.cli("apply", "-f", path).stdout.splitlines():
                    self.assertIn(": unchanged", line)

    def test_what_a_file_leaves_out_goes(self):
        d = self.daemon
        apply = lambda text: subprocess.run([BLIXARD, "--socket", d.socket, "apply", "-f", "-"], input=text, capture_output=True,
                                            text=True, timeout=60)
        both = "kind: project\nname: shop\nlabels: {a: x, b: y}\nquota: {vms: 3, cpus: 4}\n"
        one = "kind: project\nname: shop\nlabels: {a: x}\nquota: {vms: 3}\n"
        self.assertEqual(apply(both).stdout, "project shop: created\n")
        self.assertEqual(apply(one).stdout, "project shop: changed\n")
        self.assertEqual(apply(one).stdout, "project shop: unchanged\n")
        project = d.request("GET", "/v1/projects/shop")[1]
        self.assertEqual((project["labels"], project["quota"].get("cpus", 0)), ({"a": "x"}, 0))

    def test_output_that_cannot_be_written_is_no_success(self):
        d = self.daemon
        with open("/dev/full", "w") as full:
            done = subprocess.run([BLIXARD, "--socket", d.socket, "node", "list", "-o", "json"], stdout=full,
                                  stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("the output cannot be written: No space left on device", done.stderr)

    def test_a_pipe_is_no_image_and_keeps_nobody_waiting(self):
        pipe = os.path.join(self.daemon.directory, "pipe")
        os.mkfifo(pipe)
        done = self.daemon.cli("image", "import", pipe, check=False)
        self.assertIn("is no regular file", done.stderr)

    def test_a_daemon_without_standard_files_does_not_log_into_its_store(self):
        d = self.daemon
        d.kill()
        d.process = subprocess.Popen(
            ["sh", "-c", 'exec "$@" 0<&- 1>&- 2>&-', "sh", BLIXARD, "daemon", "--data-dir", os.path.join(d.directory, "data"),
             "--socket", d.socket, "--name", "h1"])
        wait_until("the daemon is ready", d.ready)
        for descriptor in (0, 1, 2):
            self.assertEqual(os.readlink(f"/proc/{d.process.pid}/fd/{descriptor}"), "/dev/null")


class Names(HostTest):
    def start_as(self, *words):
        """What a daemon says that does not start."""
        d = self.daemon
        done = subprocess.run([BLIXARD, "daemon", "--data-dir", os.path.join(d.directory, "data"), "--socket", d.socket, *words],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1, done.stderr)
        return done.stderr

    def vm_without_a_daemon(self):
        """The process of VM "a", which runs on while nobody manages it."""
        self.daemon.import_guest()
        self.launch("a")
        pid = self.daemon.pid("a")
        self.daemon.kill()
        return pid

    def finds_it_again(self, pid):
        self.daemon.start()
        wait_until("the VM is found", lambda: self.daemon.phase("a") == "running")
        self.assertEqual(self.daemon.pid("a"), pid)

    def test_a_renamed_machine_does_not_end_its_vms(self):
        pid = self.vm_without_a_daemon()
        said = self.start_as("--name", "renamed")
        self.assertIn('is of host "h1", and the daemon is started as "renamed"', said)
        self.assertIn("start it with --name h1", said)
        self.finds_it_again(pid)

    def test_a_lost_store_does_not_take_the_vms_with_it(self):
        d = self.daemon
        pid = self.vm_without_a_daemon()
        store = os.path.join(d.directory, "data", "store.db")
        files = [store + companion for companion in ("", "-wal", "-shm")]
        kept = [name for name in files if os.path.exists(name)]
        for name in kept:
            os.rename(name, name + ".kept")
        open(store, "w").close()
        said = self.start_as("--name", "h1")
        self.assertIn("is empty, and there are files of 1 VM in", said)
        self.assertIn("put store.db back from a copy", said)
        for name in files:
            pathlib.Path(name).unlink(missing_ok=True)
        for name in kept:
            os.rename(name + ".kept", name)
        self.finds_it_again(pid)

    def test_a_port_alone_is_no_address_for_others(self):
        self.daemon.kill()
        for wrong in ("7420", "10.0.0", "10.0.0.300"):
            self.assertIn(f'"{wrong}" is no address', self.start_as("--name", "h1", "--advertise", wrong))


if __name__ == "__main__":
    unittest.main(verbosity=2)
