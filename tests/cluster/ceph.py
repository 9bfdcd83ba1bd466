"""A Ceph of the smallest kind, out of Debian's packages: one monitor, one manager, one OSD that keeps everything in memory.

    with Ceph(directory, address) as ceph:                # on this machine's own network, or
    with Ceph.beside(cloud) as ceph:                      # in a network namespace on a cloud's bridge, where its hosts reach it
        ceph.make_pool("vms")
        ceph.make_user("blixard", pool="vms")             # with `profile rbd`, as people make one
        ceph.rbd("ls", "vms")
        pool = f"rbd:vms:id=blixard:conf={ceph.conf}"

Ports are free ones at `address`. Leaving the `with` block ends the three processes that were started, by their ids, and fails if one
stays. Only the standard library; programs of the packages ceph-mon, ceph-mgr, ceph-osd and ceph-common.
"""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import uuid

from hosts import Opened, run, wait_for

PROGRAMS = {"ceph-mon": "ceph-mon", "ceph-mgr": "ceph-mgr", "ceph-osd": "ceph-osd", "ceph": "ceph-common", "rbd": "ceph-common",
            "rados": "ceph-common"}
PACKAGES = ["ceph-mon", "ceph-mgr", "ceph-osd", "ceph-common", "qemu-block-extra"]
QEMU_DRIVER = "/usr/lib/x86_64-linux-gnu/qemu/block-rbd.so"
OSD_BYTES = 512 << 20
NETWORK_HOST = 200  # the last number of its address beside a cloud


def missing():
    """The packages that are not here."""
    found = {package for program, package in PROGRAMS.items() if not shutil.which(program)}
    if not os.path.exists(QEMU_DRIVER):
        found.add("qemu-block-extra")
    return sorted(found)


class Ceph(Opened):
    def __init__(self, directory, address, namespace=None):
        self.directory = pathlib.Path(directory)
        self.address = address
        self.namespace = namespace
        self.conf = self.directory / "ceph.conf"
        self.processes = {}  # mon, mgr, osd
        self.fsid = str(uuid.uuid4())
        self._link = self._bridge = None  # of a namespace of its own

    @classmethod
    def beside(cls, cloud):
        ceph = cls(cloud.directory / "ceph", f"{cloud.subnet}.{NETWORK_HOST}", f"{cloud.prefix}h{NETWORK_HOST}")
        ceph._link, ceph._bridge = f"{cloud.prefix}v{NETWORK_HOST}", cloud.bridge
        return ceph

    def open(self):
        try:
            self._plug_in()
            self.directory.mkdir(parents=True)
            self._write_conf()
            self._start_monitor()
            self._start_manager()
            self._start_osd()
        except BaseException:
            self.tell()
            self.close()
            raise
        return self

    def close(self):
        for name, process in self.processes.items():
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
        self.processes = {}
        if self._link:
            run("ip", "netns", "del", self.namespace, check=False)
            run("ip", "link", "del", self._link, check=False)

    def tell(self):
        for log in sorted(self.directory.glob("*.log")):
            lines = log.read_text(errors="replace").splitlines()[-15:]
            print(f"--- {log.name}\n" + "\n".join(lines), flush=True)

    # -- what a test asks of it

    def ceph(self, *words, check=True):
        return self._ask("ceph", "--connect-timeout", "30", *words, check=check)

    def rbd(self, *words, check=True):
        return self._ask("rbd", *words, check=check)

    def rados(self, *words, check=True):
        return self._ask("rados", *words, check=check)

    def make_pool(self, name):
        self.ceph("osd", "pool", "create", name, "8")
        self.ceph("osd", "pool", "set", name, "size", "1", "--yes-i-really-mean-it")
        self.ceph("osd", "pool", "application", "enable", name, "rbd")
        wait_for(f"pool {name} takes objects", lambda: self.rados("-p", name, "put", "probe", str(self.conf)) == "")
        self.rados("-p", name, "rm", "probe")

    def make_user(self, name, pool, mon="profile rbd", osd=None):
        """Its key stands in the keyring that `conf` names."""
        text = self.ceph("auth", "get-or-create", f"client.{name}", "mon", mon, "osd", osd or f"profile rbd pool={pool}")
        with open(self.directory / "keyring", "a") as file:
            file.write(text)

    def images(self, pool):
        return json.loads(self.rbd("ls", pool, "--format", "json"))

    def blocklist(self):
        """Addresses of clients that are shut out."""
        return [line.split()[0] for line in self.ceph("osd", "blocklist", "ls").splitlines() if ":" in line]

    def read(self, pool, image):
        """The whole image, as bytes."""
        path = self.directory / f"read.{time.monotonic_ns()}"
        try:
            self.rbd("export", "--no-progress", f"{pool}/{image}", str(path))
            return path.read_bytes()
        finally:
            path.unlink(missing_ok=True)

    def cut(self):
        """Nobody reaches it; nobody is told. heal() undoes it."""
        text = "table inet cut { chain in { type filter hook input priority 0; iifname \"eth0\" drop; } }"
        subprocess.run(["ip", "netns", "exec", self.namespace, "nft", "-f", "-"], input=text, text=True, check=True)

    def heal(self):
        run("ip", "netns", "exec", self.namespace, "nft", "delete", "table", "inet", "cut", check=False)

    # -- making it

    def _plug_in(self):
        if not self._link:
            return
        run("ip", "netns", "add", self.namespace)
        run("ip", "link", "add", self._link, "type", "veth", "peer", "name", "eth0", "netns", self.namespace)
        run("ip", "link", "set", self._link, "master", self._bridge, "up")
        run("ip", "-n", self.namespace, "link", "set", "lo", "up")
        run("ip", "-n", self.namespace, "addr", "add", f"{self.address}/24", "dev", "eth0")
        run("ip", "-n", self.namespace, "link", "set", "eth0", "up")

    def _inside(self):
        return ["ip", "netns", "exec", self.namespace] if self.namespace else []

    def _ask(self, program, *words, check=True):
        done = subprocess.run([*self._inside(), program, "-c", str(self.conf), *words], capture_output=True, text=True, timeout=120)
        if check and done.returncode != 0:
            raise RuntimeError(f"{program} {' '.join(words)}: {done.returncode}\n{done.stderr.strip()}")
        return done.stdout

    def _free_ports(self):
        """Two of them at its address: in a namespace of its own the usual ones."""
        if self.namespace:
            return 3300, 6789
        with contextlib.ExitStack() as stack:
            sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
            for one in sockets:
                one.bind((self.address, 0))
            return tuple(one.getsockname()[1] for one in sockets)

    def _write_conf(self):
        v2, v1 = self._free_ports()
        here = self.directory
        self.monitors = f"[v2:{self.address}:{v2},v1:{self.address}:{v1}]"
        self.conf.write_text(f"""\
[global]
fsid = {self.fsid}
mon host = {self.monitors}
public addr = {self.address}
keyring = {here}/keyring
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
auth allow insecure global id reclaim = false
osd pool default size = 1
osd pool default min size = 1
osd crush chooseleaf type = 0
run dir = {here}
admin socket =
log to stderr = false
pid file =

[mon]
mon data = {here}/mon
log file = {here}/mon.log
mon allow pool size one = true
mon allow pool delete = true
mon warn on pool no redundancy = false
mon data avail crit = 1

[mgr]
mgr data = {here}/mgr
log file = {here}/mgr.log
mgr initial modules =
mgr stats period = 2

[osd]
osd data = {here}/osd
log file = {here}/osd.log
osd objectstore = memstore
memstore device bytes = {OSD_BYTES}
osd memory target = 939524096
osd class update on start = false
""")

    def _start(self, name, program, *words):
        log = open(self.directory / f"{name}.out.log", "ab")
        with log:
            self.processes[name] = subprocess.Popen([*self._inside(), program, "-f", "-c", str(self.conf), *words], stdout=log, stderr=log,
                                                    stdin=subprocess.DEVNULL)

    def _keys(self, name, caps, path):
        words = [word for service, what in caps.items() for word in ("--cap", service, what)]
        run("ceph-authtool", "-C", str(path), "--gen-key", "-n", name, *words)
        return path

    def _start_monitor(self):
        here = self.directory
        (here / "mon").mkdir()
        first = self._keys("mon.", {"mon": "allow *"}, here / "mon.keyring")
        admin = self._keys("client.admin", {"mon": "allow *", "osd": "allow *", "mgr": "allow *"}, here / "keyring")
        run("ceph-authtool", str(first), "--import-keyring", str(admin))
        run("monmaptool", "--create", "--fsid", self.fsid, "--addv", "a", self.monitors, str(here / "monmap"))
        run("ceph-mon", "-c", str(self.conf), "--mkfs", "-i", "a", "--monmap", str(here / "monmap"), "--keyring", str(first))
        self._start("mon", "ceph-mon", "-i", "a")
        self.ceph("mon", "stat")
        self.ceph("config", "set", "mon", "auth_allow_insecure_global_id_reclaim", "false")

    def _start_manager(self):
        (self.directory / "mgr").mkdir()
        text = self.ceph("auth", "get-or-create", "mgr.a", "mon", "allow profile mgr", "osd", "allow *", "mds", "allow *")
        (self.directory / "mgr" / "keyring").write_text(text)
        self._start("mgr", "ceph-mgr", "-i", "a", "--keyring", str(self.directory / "mgr" / "keyring"))

    def _start_osd(self):
        place = self.directory / "osd"
        place.mkdir()
        text = self.ceph("auth", "get-or-create", "osd.0", "mon", "allow profile osd", "mgr", "allow profile osd", "osd", "allow *")
        (place / "keyring").write_text(text)
        identity = str(uuid.uuid4())
        self.ceph("osd", "new", identity)
        keys = ["--keyring", str(place / "keyring")]
        run(*self._inside(), "timeout", "60", "ceph-osd", "-c", str(self.conf), "-i", "0", "--mkfs", "--osd-uuid", identity, *keys)
        self.ceph("osd", "crush", "add", "osd.0", "1.0", "root=default", "host=one")
        self._start("osd", "ceph-osd", "-i", "0", *keys)
        wait_for("the OSD is up", lambda: json.loads(self.ceph("osd", "stat", "--format", "json"))["num_up_osds"] == 1)
