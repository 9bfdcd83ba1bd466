"""The Debian package, installed and removed for real: in a copy of this machine's file system that is thrown away (an overlay)."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from harness import GUEST, ROOT

# Run in the copy, as root. What it says on the way is what is judged.
STORY = r"""
set -e
export DEBIAN_FRONTEND=noninteractive BLIXARD_SOCKET=/run/blixard/blixard.sock
say() { echo "== $*"; }
dpkg -i /package.deb
say group "$(getent group blixard | cut -d: -f1)"
mkdir -p /run/blixard /var/lib/blixard
blixard daemon --config /etc/blixard/blixard.toml --name packed >/daemon.log 2>&1 &
daemon=$!
trap 'kill $daemon; wait $daemon' EXIT
for _ in $(seq 600); do blixard node list -o name 2>/dev/null | grep -q packed && break; sleep 0.1; done
say node "$(blixard node list -o name)"
say socket "$(stat -c '%a %G' $BLIXARD_SOCKET)"
say guest "$(blixard image build-demo --kernel /guest/kernel >/dev/null && blixard image list -o name)"
say launched "$(blixard launch demo one --memory 96M --stopped -o name)"
say completes "$(bash -c 'source /usr/share/bash-completion/completions/blixard && complete -p blixard' | grep -c blixard)"
echo '# mine' >>/etc/blixard/blixard.toml
dpkg -i /package.deb
say kept "$(tail -n 1 /etc/blixard/blixard.toml)"
dpkg -r blixard
say removed "$(command -v blixard || echo gone) $(ls /etc/blixard)"
dpkg -P blixard
say purged "$(ls -d /etc/blixard 2>/dev/null || echo gone) $(ls /var/lib/blixard/store.db)"
"""


class Package(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="blixard-package-"))
        self.root = self.directory / "root"
        for name in ("upper", "work", "root"):
            (self.directory / name).mkdir()
        self.mounts = []

    def tearDown(self):
        for place in reversed(self.mounts):
            subprocess.run(["umount", "--lazy", str(place)], check=True)
        shutil.rmtree(self.directory)

    def mount(self, place, *words):
        done = subprocess.run(["mount", *words, str(place)], capture_output=True, text=True)
        if done.returncode != 0:
            self.skipTest(f"no copy of this file system can be made: {done.stderr.strip()}")
        self.mounts.append(place)

    def copy_of_this_machine(self):
        layers = f"lowerdir=/,upperdir={self.directory}/upper,workdir={self.directory}/work"
        self.mount(self.root, "-t", "overlay", "overlay", "-o", layers)
        for name in ("proc", "dev", "sys"):
            self.mount(self.root / name, "--rbind", f"/{name}")
        self.mount(self.root / "run", "-t", "tmpfs", "tmpfs")

    def test_it_installs_runs_keeps_what_is_the_users_and_goes(self):
        self.copy_of_this_machine()
        made = subprocess.run([str(ROOT / "tools/package.sh"), str(self.directory)], capture_output=True, text=True)
        self.assertEqual(made.returncode, 0, made.stdout + made.stderr)
        package = pathlib.Path(made.stdout.strip())
        self.assertRegex(package.name, r"^blixard_\d+\.\d+\.\d+_amd64\.deb$")
        shutil.copy(package, self.root / "package.deb")
        (self.root / "guest").mkdir()
        shutil.copytree(GUEST / "kernel", self.root / "guest" / "kernel", symlinks=True)
        (self.root / "story").write_text(STORY)
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
        done = subprocess.run(["chroot", str(self.root), "bash", "/story"], capture_output=True, text=True, timeout=600,
                              env=environment)
        told = dict(re.findall(r"^== (\S+) (.*)$", done.stdout, re.M))
        log = self.root / "daemon.log"
        more = done.stdout + done.stderr + (log.read_text() if log.exists() else "")
        self.assertEqual(told, {
            "group": "blixard", "node": "packed", "socket": "660 blixard", "guest": "demo", "launched": "one", "completes": "1",
            "kept": "# mine", "removed": "gone blixard.toml", "purged": "gone /var/lib/blixard/store.db"}, more)
        self.assertEqual(done.returncode, 0, more)


if __name__ == "__main__":
    if os.geteuid() != 0:
        raise SystemExit("tests/package_test.py: needs root")
    unittest.main(verbosity=2)
