#!/usr/bin/env python3
"""Real guests: QEMU as one starts it by hand beside the same guest through Blixard, by turns.

    bench/guests.py [--rounds N] [--guest DIR] [--blixard PROGRAM] [--json FILE]

Measures from the start (exec of QEMU; POST /v1/vms) to the first line of the guest's kernel and to its user space, the memory
of the QEMU process (proportional set size) with the guest idle, and direct writes to a disk inside the guest.
"""
import argparse
import http.client
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

MEMORY_MIB = 96
DISK_MIB = 512
KERNEL_LINE = b"Linux version"  # not the first line of all: where a machine has no display, its firmware speaks on the console
WRITE_MIB = 448  # a pass takes a second or more: the guest's clock shows hundredths
PATIENCE_S = 180
SETTLE_S = 3
DISK_INIT = f"""#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t devtmpfs devtmpfs /dev
for module in /modules/*.ko; do insmod "$module" 2>/dev/null; done
exec 0</dev/console 1>/dev/console 2>&1
for pass in 1 2 3; do
    read begin idle </proc/uptime
    dd if=/dev/zero of=/dev/vda bs=1M count={WRITE_MIB} oflag=direct conv=fsync 2>/dev/null || continue
    read end idle </proc/uptime
    echo "pass $pass: from $begin to $end s"
done
echo "disk passes done"
while :; do sleep 60; done
"""


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Daemon:
    """A Blixard daemon with a directory of its own."""

    def __init__(self, blixard, directory):
        self.blixard = blixard
        self.socket = f"{directory}/socket"
        self.log = open(f"{directory}/daemon.log", "wb")
        self.process = subprocess.Popen([blixard, "daemon", "--data-dir", f"{directory}/data", "--socket", self.socket],
                                        stdout=self.log, stderr=self.log)
        self.connection = UnixConnection(self.socket)
        until("the daemon is ready", self.is_ready)

    def is_ready(self):
        try:
            return self.ask("GET", "/readyz", fine=(200, 503))[0] == 200
        except OSError:
            return False

    def ask(self, method, path, body=None, fine=(200, 201, 202)):
        try:
            self.connection.request(method, path, None if body is None else json.dumps(body))
            answer = self.connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise
        if answer.status not in fine:
            raise RuntimeError(f"{method} {path}: {answer.status} {text.decode(errors='replace')}")
        return answer.status, text

    def console(self, name):
        return self.ask("GET", f"/v1/vms/{name}/log?bytes=65536", fine=(200, 404, 409))

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()


def until(what, holds, step_s=0.002):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if holds():
            return
        time.sleep(step_s)
    raise RuntimeError(f"after {PATIENCE_S} s: not so that {what}")


def pss_mib(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return int(re.search(r"^Pss:\s+(\d+)", file.read(), re.M).group(1)) / 1024


def passes_of(console):
    """MB/s of each pass."""
    found = re.findall(r"pass (\d): from ([0-9.]+) to ([0-9.]+) s", console)
    if len(found) != 3:
        raise RuntimeError("the guest could not write to its disk; its console says: " + console[-1000:])
    return {int(number): WRITE_MIB * 1.048576 / (float(end) - float(begin)) for number, begin, end in found}


class ByHand:
    """QEMU with no more than a person would type: the machine, the kernel, a serial line, a disk."""

    def __init__(self, kernel, initrd, command_line, disk=None, memory_mib=MEMORY_MIB):
        arguments = ["qemu-system-x86_64", "-machine", "q35", "-accel", accelerator(), "-smp", "1", "-m", str(memory_mib),
                     "-nodefaults", "-display", "none", "-serial", "stdio", "-kernel", kernel, "-initrd", initrd,
                     "-append", command_line]
        if disk:
            arguments += ["-drive", f"file={disk},format=qcow2,if=virtio"]
        self.begin = time.monotonic()
        self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.console = b""

    def wait_for(self, text):
        """Seconds since the start."""
        while text not in self.console:
            some = os.read(self.process.stdout.fileno(), 65536)
            if not some:
                raise RuntimeError("QEMU has ended: " + self.console.decode(errors="replace")[-500:])
            self.console += some
        return time.monotonic() - self.begin

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Through:
    """The same guest as a VM of Blixard's."""

    def __init__(self, daemon, name, spec):
        self.daemon, self.name = daemon, name
        self.begin = time.monotonic()
        daemon.ask("POST", "/v1/vms", {"name": name, "spec": spec})

    def wait_for(self, text, step_s=0.002):
        """Seconds since the start. Asking is work beside the guest's, on the same CPUs: no more often than it has to be exact."""
        until(f"the console of {self.name} says {text!r}", lambda: self.has(text), step_s)
        return time.monotonic() - self.begin

    def has(self, text):
        status, log = self.daemon.console(self.name)
        return status == 200 and text in log

    def pid(self):
        return json.loads(self.daemon.ask("GET", f"/v1/vms/{self.name}")[1])["status"]["pid"]

    def text(self):
        return self.daemon.console(self.name)[1].decode(errors="replace")

    def close(self):
        self.daemon.ask("DELETE", f"/v1/vms/{self.name}?force=true&wait=deleted&timeout=60")


def accelerator():
    return "kvm" if re.search(r"\b(vmx|svm)\b", open("/proc/cpuinfo").read()) else "tcg"


def command_line_of(pid):
    arguments = open(f"/proc/{pid}/cmdline", "rb").read().split(b"\0")
    return arguments[arguments.index(b"-append") + 1].decode()


def disk_initrd(guest, directory):
    """The guest's initial file system with another first program behind it."""
    os.makedirs(f"{directory}/extra")
    with open(f"{directory}/extra/bench-init", "w") as file:
        file.write(DISK_INIT)
    os.chmod(f"{directory}/extra/bench-init", 0o755)
    cpio = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], input=b"bench-init\n", cwd=f"{directory}/extra",
                          stdout=subprocess.PIPE, check=True).stdout
    packed = subprocess.run(["gzip", "-1n"], input=cpio, stdout=subprocess.PIPE, check=True).stdout
    path = f"{directory}/disk-initrd"
    with open(path, "wb") as file:
        file.write(open(f"{guest}/initrd", "rb").read() + packed)
    return path


def measure_starts(daemon, guest, rounds):
    rows = {key: [] for key in ("hand_line_s", "ours_line_s", "hand_ready_s", "ours_ready_s", "hand_mib", "ours_mib")}
    command_line = None
    for number in range(rounds + 1):  # the first one warms the caches, and shows the kernel's command line
        ours = Through(daemon, f"start-{number}", {"image": "bench", "cpus": 1, "memory_mib": MEMORY_MIB})
        line, ready = ours.wait_for(KERNEL_LINE), ours.wait_for(b" ready", 0.01)
        command_line = command_line or command_line_of(ours.pid())
        time.sleep(SETTLE_S)
        mib = pss_mib(ours.pid())
        ours.close()
        hand = ByHand(f"{guest}/vmlinuz", f"{guest}/initrd", command_line)
        hand_line, hand_ready = hand.wait_for(KERNEL_LINE), hand.wait_for(b" ready")
        time.sleep(SETTLE_S)
        hand_mib = pss_mib(hand.process.pid)
        hand.close()
        if number == 0:
            continue
        for key, value in zip(rows, (hand_line, line, hand_ready, ready, hand_mib, mib)):
            rows[key].append(value)
        print(f"round {number}: kernel's first line by hand {hand_line:.3f} s, through Blixard {line:.3f} s; user space "
              f"{hand_ready:.3f} s, {ready:.3f} s; {hand_mib:.0f} MiB, {mib:.0f} MiB", flush=True)
    return {key: statistics.median(values) for key, values in rows.items()}


def measure_disks(daemon, guest, initrd, directory, rounds):
    speeds = {"hand": {}, "ours": {}}
    append = "console=ttyS0 quiet rdinit=/bench-init"
    for number in range(rounds):
        ours = Through(daemon, f"disk-{number}", {
            "image": "bench-disk", "cpus": 1, "memory_mib": MEMORY_MIB, "command_line": "rdinit=/bench-init",
            "disks": [{"name": "data", "size_mib": DISK_MIB}]})
        ours.wait_for(b"disk passes done", 0.2)  # the guest takes the time itself
        append = command_line_of(ours.pid())
        found = {"ours": passes_of(ours.text())}
        ours.close()
        disk = f"{directory}/by-hand.qcow2"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", disk, f"{DISK_MIB}M"], check=True)
        hand = ByHand(f"{guest}/vmlinuz", initrd, append, disk)
        hand.wait_for(b"disk passes done")
        found["hand"] = passes_of(hand.console.decode(errors="replace"))
        hand.close()
        os.unlink(disk)
        for who, passes in found.items():
            for which, speed in passes.items():
                speeds[who].setdefault(which, []).append(speed)
        print(f"round {number + 1}: MB/s by hand {found['hand']}, through Blixard {found['ours']}", flush=True)
    # The first pass allocates the file's clusters, the others write over them.
    return {f"{who}_{name}": statistics.median(sum((speeds[who][which] for which in wanted), []))
            for who in speeds for name, wanted in (("first", (1,)), ("again", (2, 3)))}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--guest", default="build/guest")
    parser.add_argument("--blixard", default="build/blixard")
    parser.add_argument("--json")
    options = parser.parse_args()
    guest, blixard = os.path.abspath(options.guest), os.path.abspath(options.blixard)
    directory = tempfile.mkdtemp(prefix="blixard-bench-")
    daemon = None
    try:
        daemon = Daemon(blixard, directory)
        initrd = disk_initrd(guest, directory)
        for name, file in (("bench", f"{guest}/initrd"), ("bench-disk", initrd)):
            subprocess.run([blixard, "--socket", daemon.socket, "image", "import", "--kernel", f"{guest}/vmlinuz",
                            "--initrd", file, "--command-line", "console=ttyS0", name], check=True, stdout=subprocess.DEVNULL)
        starts = measure_starts(daemon, guest, options.rounds)
        disks = measure_disks(daemon, guest, initrd, directory, options.rounds)
        daemon_mib = pss_mib(daemon.process.pid)
    finally:
        if daemon:
            daemon.close()
        shutil.rmtree(directory, ignore_errors=True)
    rows = [
        {"name": "guest: start to its kernel's first line, by hand", "p50_ms": 1000 * starts["hand_line_s"]},
        {"name": "guest: start to its kernel's first line, Blixard", "p50_ms": 1000 * starts["ours_line_s"]},
        {"name": "guest: start to user space, by hand", "p50_ms": 1000 * starts["hand_ready_s"]},
        {"name": "guest: start to user space, Blixard", "p50_ms": 1000 * starts["ours_ready_s"]},
        {"name": f"guest of {MEMORY_MIB} MiB, idle, by hand", "pss_mib": starts["hand_mib"]},
        {"name": f"guest of {MEMORY_MIB} MiB, idle, Blixard", "pss_mib": starts["ours_mib"]},
        {"name": "the daemon beside it", "pss_mib": daemon_mib},
        {"name": "guest: direct writes, allocating, by hand", "mb_per_s": disks["hand_first"]},
        {"name": "guest: direct writes, allocating, Blixard", "mb_per_s": disks["ours_first"]},
        {"name": "guest: direct writes, again, by hand", "mb_per_s": disks["hand_again"]},
        {"name": "guest: direct writes, again, Blixard", "mb_per_s": disks["ours_again"]},
    ]
    for row in rows:
        name, key = row["name"], list(row)[1]
        print(f"{name:<52} {row[key]:10.1f} {key}")
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"rows": rows}, file, indent=1)


if __name__ == "__main__":
    main()
