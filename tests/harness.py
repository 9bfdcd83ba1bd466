"""One daemon with a directory of its own, driven through its public API and its command line. Everything is ended after a test."""
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
BLIXARD = os.environ.get("BLIXARD", str(ROOT / "build" / "blixard"))
GUEST = pathlib.Path(os.environ.get("BLIXARD_GUEST", ROOT / "build" / "guest"))
READY_LINE = "blixard demo guest"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=120):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def wait_until(what, done, seconds=120):
    """Polls the product's own state; the patience is generous and asserts no speed."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = done()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds} s")


class Daemon:
    def __init__(self, name="h1", options=()):
        self.directory = tempfile.mkdtemp(prefix="blixard-test-")
        self.socket = os.path.join(self.directory, "api.sock")
        self.name = name
        self.options = list(options)
        self.process = None
        self.log_path = os.path.join(self.directory, "daemon.log")

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [BLIXARD, "daemon", "--data-dir", os.path.join(self.directory, "data"), "--socket", self.socket,
                 "--name", self.name, *self.options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until("the daemon is ready", self.ready)
        return self

    def ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the daemon ended with {self.process.returncode}:\n{self.log()}")
        try:
            return self.request("GET", "/readyz")[0] == 200 and self.request("GET", f"/v1/nodes/{self.name}")[1].get("ready")
        except OSError:
            return False

    def log(self):
        return pathlib.Path(self.log_path).read_text(errors="replace")[-4000:]

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def request(self, method, path, body=None, headers=None, timeout=120):
        """(status, decoded JSON or text, headers)"""
        connection = UnixConnection(self.socket, timeout)
        try:
            data = body if isinstance(body, (bytes, str)) or body is None else json.dumps(body)
            connection.request(method, path, data, headers or {})
            response = connection.getresponse()
            raw = response.read()
            kind = response.headers.get("Content-Type", "")
            value = json.loads(raw) if "json" in kind and raw else raw.decode(errors="replace")
            return response.status, value, dict(response.headers)
        finally:
            connection.close()

    def cli(self, *words, check=True, env=None):
        done = subprocess.run([BLIXARD, *words], capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL,
                              env={**os.environ, "BLIXARD_SOCKET": self.socket, "NO_COLOR": "1", **(env or {})})
        if check and done.returncode != 0:
            raise AssertionError(f"blixard {' '.join(words)} gave {done.returncode}\n{done.stdout}{done.stderr}\n{self.log()}")
        return done

    def import_guest(self, name="demo"):
        self.cli("image", "import", name, "--kernel", str(GUEST / "vmlinuz"), "--initrd", str(GUEST / "initrd"),
                 "--command-line", "console=ttyS0 panic=-1 quiet tsc_early_khz=2000000")

    def vm(self, name, project="default"):
        status, document, _ = self.request("GET", f"/v1/vms/{name}?project={urllib.parse.quote(project)}")
        return document if status == 200 else None

    def phase(self, name):
        vm = self.vm(name)
        return vm["phase"] if vm else None

    def pid(self, name):
        return (self.vm(name) or {}).get("status", {}).get("pid", 0)

    def close(self):
        """Ends what this test started, also after a failure: VMs, daemon, watchdog, directory."""
        try:
            if self.process and self.process.poll() is None:
                for vm in self.request("GET", "/v1/vms?project=*&limit=10000")[1].get("items", []):
                    self.request("DELETE", f"/v1/vms/{vm['name']}?project={vm['project']}&force=true&wait=deleted&timeout=60")
        except (OSError, ValueError, AttributeError):
            pass
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.end_leftovers()
        shutil.rmtree(self.directory, ignore_errors=True)

    def end_leftovers(self):
        """Processes that carry this test's own directory in their arguments or work in it."""
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                words = pathlib.Path(f"/proc/{entry}/cmdline").read_bytes().decode(errors="replace")
                cwd = os.readlink(f"/proc/{entry}/cwd")
            except OSError:
                continue
            if int(entry) != os.getpid() and (self.directory in words or cwd.startswith(self.directory)):
                try:
                    os.kill(int(entry), signal.SIGKILL)
                except ProcessLookupError:
                    pass


class HostTest(unittest.TestCase):
    options = ()

    def setUp(self):
        self.daemon = Daemon(options=self.options)
        self.addCleanup(self.daemon.close)
        self.daemon.start()

    def launch(self, name, *words):
        self.daemon.cli("launch", "demo", name, "--memory", "96M", *words)
