"""A device of the host, given to a VM by VFIO. The host is itself a VM here, with an emulated IOMMU and a device to give
away, so that it works on any machine; everything in it is emulated twice and slow, so `./test.sh` runs it with --long only."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("BLIXARD_BUILD", ROOT / "build"))
GUEST = pathlib.Path(os.environ.get("BLIXARD_GUEST", BUILD / "guest"))
LIMIT_SECONDS = 1500
MODULES = ("irqbypass", "vfio", "vfio_virqfd", "vfio_iommu_type1", "vfio-pci-core", "vfio-pci")
FIRMWARE = ("bios-256k.bin", "kvmvapic.bin", "linuxboot_dma.bin", "pvh.bin")
DEVICE = "1234:11e8"  # QEMU's "edu"

# What runs as the host's init, after the demo guest's modules and VFIO's are loaded and /dev/vda is mounted on /mnt.
SESSION = r"""
device=$(grep -l 0x11e8 /sys/bus/pci/devices/*/device | cut -d/ -f6)
echo "step device $device"
export PATH=/usr/bin:/bin HOME=/root NO_COLOR=1
mkdir -p /root /tmp /run /data
blixard() { /usr/bin/blixard --socket /run/b.sock "$@"; }
run_daemon() {
    /usr/bin/blixard daemon --data-dir /data --socket /run/b.sock --name inner >/data/log 2>&1 &
    daemon=$!
    until blixard node list >/dev/null 2>&1; do sleep 1; done
}
echo vfio-pci > /sys/bus/pci/devices/$device/driver_override
echo $device > /sys/bus/pci/drivers_probe
run_daemon
blixard doctor | grep devices
blixard node show inner
blixard image import --kernel /guest/vmlinuz --initrd /guest/initrd demo >/dev/null 2>&1
echo "step launch"
blixard launch demo first --memory 64M --device pci=1234:11e8 --timeout 600s
echo "first: $(blixard list | grep first)"
echo "first has: $(blixard show first | grep Devices)"
echo "vfio files: $(ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c 'vfio/[0-9]')"
echo "step daemon"
kill -9 $daemon
run_daemon
blixard launch demo second --memory 64M --device pci=1234:11e8 --no-wait
blixard why second
blixard stop first --force
echo "step freed"
until blixard list | grep second | grep -q running; do sleep 2; done
echo "second: $(blixard list | grep second)"
echo "session ends"
"""

INIT = r"""#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in /modules/*.ko; do insmod "$module"; done
mount -t ext4 /dev/vda /mnt || echo "no root"
for dir in proc sys dev; do mount -o bind /$dir /mnt/$dir; done
ip link set lo up
chroot /mnt /bin/busybox sh /session </dev/console >/dev/console 2>&1
echo "init ends"
poweroff -f
"""


def libraries(program):
    found = set(re.findall(r"(/\S+) \(0x", subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout))
    return found


def put(root, path):
    target = root / str(path).lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        shutil.copy2(path, target, follow_symlinks=True)


class Passthrough(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory(prefix="blixard-passthrough-")
        self.addCleanup(self.dir.cleanup)
        self.path = pathlib.Path(self.dir.name)

    def make_root(self):
        root = self.path / "root"
        for name in ("proc", "sys", "dev", "data", "run", "tmp", "bin", "usr/bin", "guest", "root"):
            (root / name).mkdir(parents=True, exist_ok=True)
        qemu = shutil.which("qemu-system-x86_64")
        for program, name in ((qemu, "qemu-system-x86_64"), (shutil.which("qemu-img"), "qemu-img"), (BUILD / "blixard", "blixard"),
                              (BUILD / "blixard-daemon", "blixard-daemon")):
            shutil.copy2(program, root / "usr/bin" / name)
            subprocess.run(["strip", str(root / "usr/bin" / name)], check=True)
            for library in libraries(program):
                put(root, library)
        for module in pathlib.Path("/usr/lib/x86_64-linux-gnu/qemu").glob("accel-tcg*.so"):
            put(root, module)
        for name in FIRMWARE:
            found = next(p / name for p in (pathlib.Path("/usr/share/qemu"), pathlib.Path("/usr/share/seabios")) if (p / name).exists())
            target = root / "usr/share/qemu" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(found, target, follow_symlinks=True)
        shutil.copy2(shutil.which("busybox"), root / "bin/busybox")
        for applet in ("sh", "grep", "ls", "sleep", "cut", "mkdir", "kill", "cat"):
            (root / "bin" / applet).symlink_to("busybox")
        for name in ("vmlinuz", "initrd"):
            shutil.copy2(GUEST / name, root / "guest" / name)
        (root / "session").write_text(SESSION)
        disk = self.path / "root.ext4"
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", str(root), str(disk), "1200M"], check=True)
        shutil.rmtree(root)
        return disk

    def make_initrd(self):
        """The demo guest's, with VFIO's modules and another init."""
        root = self.path / "initrd"
        root.mkdir()
        data = subprocess.run(["sh", "-c", '(gzip -dc "$1" 2>/dev/null || cat "$1")', "sh", str(GUEST / "initrd")], capture_output=True, check=True).stdout
        subprocess.run(["cpio", "-id", "--quiet"], input=data, cwd=root, check=True)
        for at, name in enumerate(MODULES):
            for file in (GUEST / "kernel").rglob(name + ".ko"):
                shutil.copy2(file, root / "modules" / f"{80 + at}-{name}.ko")
        (root / "init").write_text(INIT)
        (root / "init").chmod(0o755)
        names = "\n".join(str(p.relative_to(root)) for p in sorted(root.rglob("*"))) + "\n"
        out = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], input=names.encode(), cwd=root, capture_output=True, check=True).stdout
        (self.path / "initrd.cpio").write_bytes(out)
        return self.path / "initrd.cpio"

    def test_a_vm_has_it_alone_a_later_daemon_knows_and_it_goes_on_to_the_next(self):
        disk, initrd = self.make_root(), self.make_initrd()
        log = self.path / "console"
        machine = subprocess.Popen(
            ["qemu-system-x86_64", "-nodefaults", "-display", "none", "-machine", "q35", "-accel", "tcg,tb-size=512", "-cpu", "max,erms=off,fsrm=off",
             "-smp", "2", "-m", "2G", "-kernel", str(GUEST / "vmlinuz"), "-initrd", str(initrd),
             "-append", "console=ttyS0 intel_iommu=on no_timer_check panic=-1", "-no-reboot",
             "-device", "intel-iommu,intremap=on,caching-mode=on", "-device", "edu",
             "-drive", f"file={disk},format=raw,if=none,id=root", "-device", "virtio-blk-pci,drive=root",
             "-serial", f"file:{log}"])
        try:
            machine.wait(timeout=LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:
            machine.kill()
            machine.wait()
        said = log.read_text(errors="replace")
        end = said[-6000:]
        for pattern in ("session ends", r"ok +devices +for VMs: pci " + DEVICE, r"first: first +running", r"first has: Devices:? +0000:", r"vfio files: [1-9]",
                        f"needs 1 of device {DEVICE}, 0 free", r"second: second +running"):
            self.assertTrue(re.search(pattern, said), f"{pattern} is not in what the host said:\n{end}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
