"""Hosts as network namespaces on a bridge, each with its own daemon, etcd and QEMU, driven through the public API.

    with Cloud(binary, hosts=3) as cloud:
        cloud.form()
        cloud[0].post("/v1/vms", {...})
        cloud[1].kill()          # everything of that host at once, with SIGKILL
        cloud[2].cut("both")     # "in" | "out" | "both"; heal() undoes it

Needs root, iproute2, nftables. Names are unique to the run; whatever happens, leaving the `with` block ends every
process in the namespaces and removes them. Only the standard library.
"""
import contextlib
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
import urllib.parse

PORT = 7420
PATIENCE = 90.0


class Problem(Exception):
    """An answer that is not a success: .status and .document."""

    def __init__(self, status, document):
        super().__init__(f"{status}: {document}")
        self.status = status
        self.document = document


def run(*arguments, check=True):
    done = subprocess.run(arguments, capture_output=True, text=True)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def wait_for(what, condition, seconds=PATIENCE, every=0.2):
    """Asks until the condition is true; what it last raised or returned is told when it never is."""
    deadline = time.monotonic() + seconds
    last = None
    while time.monotonic() < deadline:
        try:
            last = condition()
            if last:
                return last
        except (Problem, OSError, http.client.HTTPException) as error:
            last = error
        time.sleep(every)
    raise TimeoutError(f"{what}: not within {seconds} s (last: {last})")


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("blixard", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class Host:
    def __init__(self, cloud, index):
        self.cloud = cloud
        self.index = index
        self.name = f"h{index + 1}"
        self.namespace = f"{cloud.prefix}h{index + 1}"
        self.link = f"{cloud.prefix}v{index + 1}"
        self.address = f"{cloud.subnet}.{index + 1}"
        self.directory = cloud.directory / self.name
        self.socket = self.directory / "api.sock"
        self.log = self.directory / "daemon.log"
        self.daemon = None
        self.arguments = []

    # -- the network

    def plug_in(self):
        run("ip", "netns", "add", self.namespace)
        run("ip", "link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", self.namespace)
        run("ip", "link", "set", self.link, "master", self.cloud.bridge, "up")
        run("ip", "-n", self.namespace, "link", "set", "lo", "up")
        run("ip", "-n", self.namespace, "addr", "add", f"{self.address}/24", "dev", "eth0")
        run("ip", "-n", self.namespace, "link", "set", "eth0", "up")

    def unplug(self):
        run("ip", "netns", "del", self.namespace, check=False)
        run("ip", "link", "del", self.link, check=False)

    def cut(self, direction="both"):
        """Packets are dropped inside the namespace, as if the cable lost them: nobody is told."""
        rules = ["table inet cut {"]
        if direction in ("in", "both"):
            rules.append('chain in { type filter hook input priority 0; iifname "eth0" drop; }')
        if direction in ("out", "both"):
            rules.append('chain out { type filter hook output priority 0; oifname "eth0" drop; }')
        self._nft("\n".join(rules + ["}"]))

    def heal(self):
        run("ip", "netns", "exec", self.namespace, "nft", "delete", "table", "inet", "cut", check=False)
        run("ip", "-n", self.namespace, "link", "set", "eth0", "up")
        run("tc", "-n", self.namespace, "qdisc", "del", "dev", "eth0", "root", check=False)

    def disturb(self, loss_percent=0, delay_ms=0):
        """False where this kernel has no netem."""
        arguments = ["tc", "-n", self.namespace, "qdisc", "replace", "dev", "eth0", "root", "netem"]
        if loss_percent:
            arguments += ["loss", f"{loss_percent}%"]
        if delay_ms:
            arguments += ["delay", f"{delay_ms}ms"]
        return subprocess.run(arguments, capture_output=True).returncode == 0

    def _nft(self, text):
        done = subprocess.run(["ip", "netns", "exec", self.namespace, "nft", "-f", "-"], input=text, text=True,
                              capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)

    # -- processes

    def start(self, *arguments):
        self.directory.mkdir(parents=True, exist_ok=True)
        self.arguments = list(arguments) or self.arguments
        command = ["ip", "netns", "exec", self.namespace, str(self.cloud.binary), "daemon", "--data-dir",
                   str(self.directory / "data"), "--socket", str(self.socket), "--name", self.name, "--advertise",
                   f"{self.address}:{PORT}", "--accelerator", "tcg", *self.arguments]
        with open(self.log, "ab") as log:
            self.daemon = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        return self

    def pids(self, program=None):
        """The processes of this host; `program`: only those whose command is this."""
        found = []
        for pid in run("ip", "netns", "pids", self.namespace, check=False).split():
            with contextlib.suppress(OSError):
                words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                text = b" ".join(words).decode(errors="replace")
                base = os.path.basename(words[0].decode(errors="replace"))
                if program is None or base.startswith(program) or f"blixard {program}" in text:
                    found.append(int(pid))
        return found

    def send_signal(self, number, program=None):
        for pid in self.pids(program):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self):
        """As if the power went: everything at once."""
        for _ in range(50):
            self.send_signal(signal.SIGKILL)
            if self.daemon:
                self.daemon.poll()
            if not self.pids():
                break
            time.sleep(0.05)
        if self.daemon:
            self.daemon.wait()
            self.daemon = None

    def stop_daemon(self, number=signal.SIGTERM):
        if self.daemon and self.daemon.poll() is None:
            self.daemon.send_signal(number)
            self.daemon.wait(timeout=60)
        self.daemon = None

    # -- the API

    def request(self, method, path, body=None, timeout=30.0):
        connection = UnixConnection(self.socket, timeout)
        try:
            data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
            connection.request(method, path, body=data, headers={"content-type": "application/json"} if data else {})
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        is_json = "json" in (answer.getheader("content-type") or "")
        document = json.loads(text) if text and is_json else text
        if answer.status >= 400:
            raise Problem(answer.status, document)
        return document

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.request("POST", path, body if body is not None else {}, **options)

    def delete(self, path, **options):
        return self.request("DELETE", path, **options)

    def upload(self, file):
        return self.request("POST", "/v1/blobs", pathlib.Path(file).read_bytes(), timeout=120)["sha256"]

    def answers(self):
        return self.get("/v1/version")

    def wait_ready(self, seconds=PATIENCE):
        wait_for(f"{self.name} answers", self.answers, seconds)
        return self

    def is_member(self):
        return self.get("/v1/cluster")["mode"] == "member"

    def init(self, **body):
        answer = self.post("/v1/cluster/init", body, timeout=120)
        wait_for(f"{self.name} is a member", self.is_member)
        return answer

    def token(self, **body):
        return self.post("/v1/cluster/token", body)["token"]

    def join(self, token):
        answer = self.post("/v1/cluster/join", {"token": token}, timeout=120)
        wait_for(f"{self.name} is a member", self.is_member)
        return answer

    def leave(self):
        return self.post("/v1/cluster/leave", timeout=180)

    def members(self):
        return {member["name"]: member for member in self.get("/v1/cluster/members")["items"]}

    def vm(self, name, project="default"):
        return self.get(f"/v1/vms/{name}?project={project}")

    def tail(self, lines=30):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""


class Cloud:
    def __init__(self, binary, hosts=3, keep=False, arguments=()):
        self.binary = pathlib.Path(binary).resolve()
        self.prefix = f"bx{os.getpid() % 100000}"
        self.bridge = f"{self.prefix}br"
        self.subnet = f"10.{100 + os.getpid() % 100}.{os.getpid() // 100 % 250}"
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="blixard-cloud-"))
        self.keep = keep
        self.arguments = arguments
        self.hosts = [Host(self, index) for index in range(hosts)]

    def __getitem__(self, index):
        return self.hosts[index]

    def __iter__(self):
        return iter(self.hosts)

    def __enter__(self):
        try:
            run("ip", "link", "add", self.bridge, "type", "bridge")
            run("ip", "link", "set", self.bridge, "up")
            for host in self.hosts:
                host.plug_in()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind, error, trace):
        if error is not None:
            for host in self.hosts:
                print(f"--- {host.name}\n{host.tail()}")
        for host in self.hosts:
            host.kill()
            host.unplug()
        run("ip", "link", "del", self.bridge, check=False)
        if not self.keep:
            shutil.rmtree(self.directory, ignore_errors=True)
        return False

    def add_host(self):
        host = Host(self, len(self.hosts))
        self.hosts.append(host)
        host.plug_in()
        return host

    def start(self):
        for host in self.hosts:
            host.start(*self.arguments)
        for host in self.hosts:
            host.wait_ready()

    def form(self, **init):
        """Bare daemons to all ready; says how long it took."""
        self.start()
        begun = time.monotonic()
        self.hosts[0].init(**init)
        for host in self.hosts[1:]:
            host.join(self.hosts[0].token())
        self.wait_all_ready()
        return time.monotonic() - begun

    def wait_all_ready(self, seconds=PATIENCE):
        names = {host.name for host in self.hosts if host.daemon}

        def seen(host):
            members = host.members()
            return names <= {name for name, member in members.items() if member["state"] == "ready"}

        for host in self.hosts:
            if host.daemon:
                wait_for(f"{host.name} sees {sorted(names)} ready", lambda h=host: seen(h), seconds)

    def wait_voters(self, count, seconds=PATIENCE):
        """`count` etcd members that are no learners and answer."""

        def voting():
            status = self.any_voter().get("/v1/cluster")
            return len([m for m in status.get("etcd", []) if m["healthy"] and not m["learner"]]) == count

        return wait_for(f"{count} voters", voting, seconds)

    def any_voter(self):
        for host in self.hosts:
            if host.daemon and host.daemon.poll() is None:
                with contextlib.suppress(Problem, OSError):
                    if "etcd_here" in host.get("/v1/cluster"):
                        return host
        return self.hosts[0]


def query(**parameters):
    return urllib.parse.urlencode(parameters)
