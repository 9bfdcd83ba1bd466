"""Hosts as network namespaces on a bridge, each with its own daemon, etcd and QEMU, driven through the public API.

    with Cloud(binary, hosts=3) as cloud:
        cloud.form()
        cloud[0].post("/v1/vms", {...})
        cloud[1].kill()          # everything of that host at once, with SIGKILL
        cloud[2].cut("both")     # "in" | "out" | "both"; heal() undoes it

Needs root, iproute2, nftables. Names are unique to the run, so that runs beside each other do not meet; whatever happens,
leaving the `with` block ends every process in the namespaces and removes them, and fails if something is left. What a run
that was itself killed has left is swept away by the next one. Only the standard library.
"""
import contextlib
import http.client
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BLIXARD = os.environ.get("BLIXARD", str(ROOT / "build" / "blixard"))
GUEST = pathlib.Path(os.environ.get("BLIXARD_GUEST", ROOT / "build" / "guest"))
PORT = 7420
PATIENCE = 180.0  # for a machine with many others on it; nothing is asserted about speed
POOL = "shared"

# Link names have at most 15 characters: "blx", the process's id in base 36, the number of its cloud, "v" and the host.
PREFIX = re.compile(r"^blx([0-9a-z]{5})([0-9a-z])(h[0-9]+|v[0-9]+|b[0-9a-z]*|t[0-9a-z]*)$")
_clouds = itertools.count()


class Problem(Exception):
    """An answer that is not a success: .status and .document."""

    def __init__(self, status, document):
        super().__init__(f"{status}: {document}")
        self.status = status
        self.document = document


def base36(number, width):
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    text = ""
    for _ in range(width):
        number, digit = divmod(number, 36)
        text = digits[digit] + text
    return text


def sweep():
    """Removes what runs have left whose process is there no more."""
    namespaces = [line.split()[0] for line in run("ip", "netns", "list").splitlines() if line.strip()]
    links = [line.split(":")[1].split("@")[0].strip() for line in run("ip", "-o", "link").splitlines()]
    for name in namespaces + links:
        match = PREFIX.match(name)
        if not match or os.path.exists(f"/proc/{int(match[1], 36)}"):
            continue
        if name in namespaces:
            for pid in run("ip", "netns", "pids", name, check=False).split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            run("ip", "netns", "del", name, check=False)
        else:
            run("ip", "link", "del", name, check=False)
    for directory in pathlib.Path(tempfile.gettempdir()).glob("blixard-cloud-*-*"):
        pid = directory.name.split("-")[2]
        if pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
            for mount in mounts_under(directory):
                run("umount", "-l", mount, check=False)
            shutil.rmtree(directory, ignore_errors=True)


def mounts_under(directory):
    words = (line.split() for line in pathlib.Path("/proc/mounts").read_text().splitlines())
    return [word[1] for word in words if word[1].startswith(f"{directory}/")]


def process_state(pid):
    """(state letter, start time) of a process, or None where there is none."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return fields[0], fields[19]
    except (OSError, IndexError):
        return None


def run(*arguments, check=True):
    done = subprocess.run(arguments, capture_output=True, text=True)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def wait_for(what, condition, seconds=PATIENCE, every=0.1):
    """Asks until the condition is true; what it last raised or returned is told when it never is. What a product that is not
    there (yet) raises, is waited out."""
    deadline = time.monotonic() + seconds
    last = None
    while time.monotonic() < deadline:
        try:
            last = condition()
            if last:
                return last
        except (Problem, OSError, http.client.HTTPException) as error:
            if isinstance(error, Problem) and error.status in (400, 401, 403):
                raise
            last = f"{type(error).__name__}: {error}"
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
        self.binary = None  # its own; None: the cloud's
        self.environment = {}
        self.line = None  # the process that is its bad line
        self.is_in = False  # a member: who asks it, asks the cluster

    def __repr__(self):
        return self.name

    # -- the network

    def plug_in(self):
        run("ip", "netns", "add", self.namespace)
        run("ip", "link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", self.namespace)
        run("ip", "link", "set", self.link, "master", self.cloud.bridge, "up")
        run("ip", "-n", self.namespace, "link", "set", "lo", "up")
        run("ip", "-n", self.namespace, "addr", "add", f"{self.address}/24", "dev", "eth0")
        run("ip", "-n", self.namespace, "link", "set", "eth0", "up")

    def unplug(self):
        self._end_line()
        run("ip", "netns", "del", self.namespace, check=False)
        run("ip", "link", "del", self.link, check=False)

    def cut(self, direction="both", but=None):
        """Packets are dropped inside the namespace, as if the cable lost them: nobody is told. `but`: an address that stays in reach."""
        rules = ["table inet cut {"]
        if direction in ("in", "both"):
            spared = f"ip saddr != {but} " if but else ""
            rules.append(f'chain in {{ type filter hook input priority 0; iifname "eth0" {spared}drop; }}')
        if direction in ("out", "both"):
            spared = f"ip daddr != {but} " if but else ""
            rules.append(f'chain out {{ type filter hook output priority 0; oifname "eth0" {spared}drop; }}')
        self._nft("\n".join(rules + ["}"]))

    def heal(self):
        """Ends cut() and disturb()."""
        run("ip", "netns", "exec", self.namespace, "nft", "delete", "table", "inet", "cut", check=False)
        self._end_line()

    def disturb(self, loss_percent=0, delay_ms=0, seed=0):
        """Puts a bad line between the host and the bridge, each way: line.py, which needs nothing of the kernel but taps
        (netem is not everywhere)."""
        assert self.line is None
        self.line_bridge = f"{self.cloud.prefix}b{self.index + 1}"
        near, far = f"{self.cloud.prefix}t{self.index + 1}n", f"{self.cloud.prefix}t{self.index + 1}f"
        run("ip", "link", "add", self.line_bridge, "type", "bridge")
        run("ip", "link", "set", self.line_bridge, "up")
        self.line = subprocess.Popen([sys.executable, str(pathlib.Path(__file__).with_name("line.py")), near, far,
                                      str(loss_percent), str(delay_ms), str(seed)], stdin=subprocess.DEVNULL,
                                     stdout=subprocess.PIPE)
        self.line.stdout.readline()  # both taps are there
        run("ip", "link", "set", near, "master", self.line_bridge, "up")
        run("ip", "link", "set", far, "master", self.cloud.bridge, "up")
        run("ip", "link", "set", self.link, "master", self.line_bridge)

    def _end_line(self):
        if self.line is None:
            return
        run("ip", "link", "set", self.link, "master", self.cloud.bridge, check=False)
        self.line.kill()
        self.line.wait()
        self.line.stdout.close()
        self.line = None
        run("ip", "link", "del", self.line_bridge, check=False)

    # -- the clock

    def fake_clock(self):
        """From its next start on, its daemon and watchdog (not its etcd, which asks the kernel itself) take the time of day from
        set_clock(); the monotonic clocks stay true: clock.c."""
        self.directory.mkdir(parents=True, exist_ok=True)
        library = self.cloud.directory / "clock.so"
        run("cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(pathlib.Path(__file__).with_name("clock.c")))
        self.set_clock(0)
        self.environment = {"LD_PRELOAD": str(library), "BLIXARD_TEST_CLOCK": str(self.directory / "clock")}

    def set_clock(self, offset_s):
        """So many seconds fast."""
        path = self.directory / "clock"
        with open(path, "r+b" if path.exists() else "wb") as file:
            file.write(offset_s.to_bytes(8, sys.byteorder, signed=True))

    def _nft(self, text):
        done = subprocess.run(["ip", "netns", "exec", self.namespace, "nft", "-f", "-"], input=text, text=True,
                              capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)

    # -- processes

    def start(self, *arguments):
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "data").mkdir(exist_ok=True, mode=0o700)
        self.arguments = list(arguments) or self.arguments
        command = ["ip", "netns", "exec", self.namespace, str(self.binary or self.cloud.binary), "daemon", "--data-dir",
                   str(self.directory / "data"), "--socket", str(self.socket), "--name", self.name, "--advertise",
                   f"{self.address}:{PORT}", "--accelerator", "tcg", "--pool",
                   f"{POOL}={self.cloud.pool}", *self.arguments]
        with open(self.log, "ab") as log:
            self.daemon = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                           env={**os.environ, **self.environment})
        return self

    def limit_disk(self, mib):
        """Its data directory becomes a small file system of its own. Before start()."""
        data = self.directory / "data"
        data.mkdir(parents=True, exist_ok=True)
        run("mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=700", "blixard-test", str(data))

    PROGRAMS = {"daemon": "blixard daemon", "watchdog": "blixard watchdog", "etcd": "etcd --", "qemu": "qemu-system"}

    def pids(self, program=None):
        """The living processes of this host; `program`: daemon, watchdog, etcd or qemu."""
        found = []
        for pid in run("ip", "netns", "pids", self.namespace, check=False).split():
            with contextlib.suppress(OSError):
                words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
                text = " ".join([os.path.basename(words[0]), *words[1:]]).replace("blixard-daemon", "blixard", 1)
                state = process_state(pid)
                if state and state[0] not in "ZX" and (program is None or text.startswith(self.PROGRAMS[program])):
                    found.append(int(pid))
        return found

    def send_signal(self, number, program=None):
        """How many processes it was sent to."""
        pids = self.pids(program)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if number == signal.SIGKILL and program in (None, "daemon") and self.daemon:
            self.daemon.wait()
            self.daemon = None
        return len(pids)

    def kill(self):
        """As if the power went: everything at once."""
        deadline = time.monotonic() + 60
        while True:
            self.send_signal(signal.SIGKILL)
            if not self.pids():
                break
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name}: processes {self.pids()} do not die")
            time.sleep(0.02)
        if self.daemon:
            self.daemon.kill()
            self.daemon.wait()
            self.daemon = None

    @property
    def is_up(self):
        return self.daemon is not None and self.daemon.poll() is None

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
        return self.get("/readyz")  # it knows the state

    def wait_ready(self, seconds=PATIENCE):
        wait_for(f"{self.name} answers", self.answers, seconds)
        return self

    def is_member(self):
        return self.get("/v1/cluster")["mode"] == "member"

    def init(self, **body):
        def founded():
            try:
                return self.post("/v1/cluster/init", body, timeout=120)
            except Problem as problem:
                if problem.status == 503:  # its etcd took too long to come up: nothing was changed, and it may be asked again
                    return None
                raise

        answer = wait_for(f"{self.name} founds a cluster", founded)
        wait_for(f"{self.name} is a member", self.is_member)
        self.is_in = True
        return answer

    def token(self, **body):
        return self.post("/v1/cluster/token", body)["token"]

    def join(self, token):
        answer = self.post("/v1/cluster/join", {"token": token}, timeout=120)
        wait_for(f"{self.name} is a member", self.is_member)
        self.is_in = True
        return answer

    def leave(self):
        self.is_in = False
        answer = self.post("/v1/cluster/leave", timeout=180)
        wait_for(f"{self.name} stands alone", lambda: not self.is_member())
        return answer

    def members(self):
        return {member["name"]: member for member in self.get("/v1/cluster/members")["items"]}

    def vm(self, name, project="default"):
        return self.get(f"/v1/vms/{name}?project={project}")

    def tail(self, lines=30):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""


class Opened:
    """In a `with` block: open(), and close() at its end; if it failed, tell() before."""

    def __enter__(self):
        return self.open()

    def __exit__(self, kind, error, trace):
        if error is not None:
            self.tell()
        self.close()
        return False


class Cloud(Opened):
    def __init__(self, binary=None, hosts=3, keep=False, arguments=()):
        self.binary = pathlib.Path(binary or BLIXARD).resolve()
        self.prefix = f"blx{base36(os.getpid(), 5)}{base36(next(_clouds) % 36, 1)}"
        self.bridge = f"{self.prefix}br"
        self.subnet = "10.77.0"  # bridges do not know of each other: all clouds have the same
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix=f"blixard-cloud-{os.getpid()}-"))
        self.pool = self.directory / "pool"
        self.pool.mkdir()
        self.keep = keep or "BLIXARD_TEST_KEEP" in os.environ
        self.arguments = arguments
        self.hosts = [Host(self, index) for index in range(hosts)]

    def __getitem__(self, index):
        return self.hosts[index]

    def __iter__(self):
        return iter(self.hosts)

    def open(self):
        sweep()
        try:
            run("ip", "link", "add", self.bridge, "type", "bridge")
            run("ip", "link", "set", self.bridge, "up")
            for host in self.hosts:
                host.plug_in()
        except BaseException:
            self.close()
            raise
        return self

    def tell(self):
        """What the daemons said last, for a test that has failed."""
        for host in self.hosts:
            print(f"--- {host.name}\n{host.tail()}", file=sys.stderr)

    def close(self):
        for host in self.hosts:
            host.kill()
            host.unplug()
        run("ip", "link", "del", self.bridge, check=False)
        for mount in mounts_under(self.directory):
            run("umount", "-l", mount, check=False)
        if not self.keep:
            shutil.rmtree(self.directory, ignore_errors=True)
        left = self.leftovers()
        if left:
            raise AssertionError(f"left behind: {left}")

    def leftovers(self):
        """What is still there of this cloud: processes, namespaces, links, mounts."""
        left = [line.split()[0] for line in run("ip", "netns", "list").splitlines() if line.startswith(self.prefix)]
        left += [line.split(":")[1].strip() for line in run("ip", "-o", "link").splitlines() if f" {self.prefix}" in line]
        left += mounts_under(self.directory)
        for entry in os.listdir("/proc"):
            with contextlib.suppress(OSError):
                if entry.isdigit() and str(self.directory).encode() in pathlib.Path(f"/proc/{entry}/cmdline").read_bytes():
                    state = process_state(entry)
                    if state and state[0] not in "ZX":
                        left.append(f"process {entry}")
        return left

    def add_host(self):
        host = Host(self, len(self.hosts))
        host.plug_in()
        self.hosts.append(host)
        return host

    @property
    def members(self):
        return [host for host in self.hosts if host.is_in]

    def start(self):
        for host in self.hosts:
            host.start(*self.arguments)
        for host in self.hosts:
            host.wait_ready()

    def form(self, **init):
        """Bare daemons to all ready; says how long it took."""
        self.start()
        begun = time.monotonic()
        self.found(**init)
        return time.monotonic() - begun

    def found(self, **init):
        self.hosts[0].init(**init)
        for host in self.hosts[1:]:
            host.join(self.hosts[0].token())
        self.wait_all_ready()

    def wait_all_ready(self, seconds=PATIENCE):
        members = [host for host in self.hosts if host.is_up and host.is_in]
        names = {host.name for host in members}

        def seen(host):
            members = host.members()
            return names <= {name for name, member in members.items() if member["state"] == "ready"}

        for host in members:
            wait_for(f"{host.name} sees {sorted(names)} ready", lambda h=host: seen(h), seconds)

    def wait_voters(self, count, seconds=PATIENCE):
        """`count` etcd members that are no learners and answer."""

        def voting():
            status = self.any_voter().get("/v1/cluster")
            return len([m for m in status.get("etcd", []) if m["healthy"] and not m["learner"]]) == count

        return wait_for(f"{count} voters", voting, seconds)

    def any_voter(self):
        for host in self.hosts:
            if host.is_up:
                with contextlib.suppress(Problem, OSError, http.client.HTTPException):
                    if "etcd_here" in host.get("/v1/cluster"):
                        return host
        return self.hosts[0]


def query(**parameters):
    return urllib.parse.urlencode(parameters)
