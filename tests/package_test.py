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


# Mounts of its own, which end with it: nothing of this machine's is touched. 77: no such copy can be made here.
COPY = r"""
mount -t overlay overlay -o lowerdir=/,upperdir=$1/upper,workdir=$1/work $1/root || exit 77
for name in proc dev sys; do mount --rbind /$name $1/root/$name || exit 77; done
mount -t tmpfs tmpfs $1/root/run || exit 77
cp $2 $1/root/package.deb
mkdir $1/root/guest && cp -a $3 $1/root/guest/kernel
exec chroot $1/root bash /story
"""


class Package(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="blixard-package-"))
        for name in ("upper", "work", "root"):
            (self.directory / name).mkdir()

    def tearDown(self):
        shutil.rmtree(self.directory)

    def test_it_installs_runs_keeps_what_is_the_users_and_goes(self):
        made = subprocess.run([str(ROOT / "tools/package.sh"), str(self.directory)], capture_output=True, text=True)
        self.assertEqual(made.returncode, 0, made.stdout + made.stderr)
        package = made.stdout.strip()
        self.assertRegex(package, r"/blixard_\d+\.\d+\.\d+_amd64\.deb$")
        (self.directory / "upper" / "story").write_text(STORY)
        done = subprocess.run(["unshare", "--mount", "--propagation", "private", "bash", "-c", COPY, "copy", str(self.directory),
                               package, str(GUEST / "kernel")], capture_output=True, text=True, timeout=600,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"})
        if done.returncode == 77:
            self.skipTest(f"no copy of this machine's file system can be made here: {done.stderr.strip()}")
        told = dict(re.findall(r"^== (\S+) (.*)$", done.stdout, re.M))
        log = self.directory / "upper" / "daemon.log"
        more = done.stdout + done.stderr + (log.read_text() if log.exists() else "")
        self.assertEqual(told, {
            "group": "blixard", "node": "packed", "socket": "660 blixard", "guest": "demo", "launched": "one", "completes": "1",
            "kept": "# mine", "removed": "gone blixard.toml", "purged": "gone /var/lib/blixard/store.db"}, more)
        self.assertEqual(done.returncode, 0, more)


if __name__ == "__main__":
    if os.geteuid() != 0:
        raise SystemExit("tests/package_test.py: needs root")
    unittest.main(verbosity=2)
