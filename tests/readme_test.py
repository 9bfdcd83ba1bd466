"""The README's tour of one host, typed word by word: each command of it must be taken, and show what the README shows.

Of a shown line its words count; its numbers, times, ids and blanks are the machine's. "…" stands for anything, and alone for any lines.
"""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

from harness import BLIXARD, GUEST, ROOT, UnixConnection, wait_until

MARK = "---end-of-command---"
UNIT = r" ?(ms|s|m|h|d)\b"  # of a time: as long as it took
MACHINES_OWN = ("blixard doctor",)  # what it says is another thing on every machine


def commands():
    """(line typed, lines shown) in the order of the page; the blocks with other hosts' prompts are not among them."""
    found = []
    for block in re.findall(r"^```\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S):
        if not block.startswith("$ "):
            continue
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


def pattern(line):
    """What a shown line may be on another machine."""
    text = re.sub(r"\s+", " ", line.strip())
    text = re.sub(r"\b[0-9a-f]{32}\b", "@", text)
    text = re.sub(rf"\d+(\.\d+)*({UNIT})?", "#", text)
    text = re.escape(text).replace(r"\ ", " ?").replace("…", ".*").replace("tcg", "(tcg|kvm)")
    return re.compile(text.replace("@", "[0-9a-f]{32}").replace(r"\#", rf"[\d.]+({UNIT})?") + "$")


def shown(text):
    return [re.sub(r"\s+", " ", line.strip()) for line in text.splitlines() if line.strip()]


def missing(expected, text):
    """The first of the lines that does not stand in the text, behind those before it; None: all do."""
    lines = shown(text)
    at = 0
    for line in expected:
        if line.strip() in ("…", ""):
            continue
        wanted = pattern(line)
        while at < len(lines) and not wanted.match(lines[at]):
            at += 1
        if at == len(lines):
            return line
        at += 1
    return None


class Shell:
    """A person's shell in a directory of its own: jobs, `kill %1`, variables that stay."""

    def __init__(self, directory):
        self.process = subprocess.Popen(["bash", "--norc"], cwd=directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, start_new_session=True)
        self.type("set -m")

    def type(self, line):
        self.process.stdin.write(f"{line}\necho; echo {MARK}\n")
        self.process.stdin.flush()
        out = ""
        for read in self.process.stdout:
            if read.strip() == MARK:
                return out
            out += read
        raise AssertionError(f"the shell ended at: {line}\n{out}")

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


class Tour(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="blixard-tour-"))
        (self.directory / "build").symlink_to(pathlib.Path(BLIXARD).resolve().parent)
        (self.directory / "var" / "tour").mkdir(parents=True)
        self.socket = self.directory / "var" / "tour" / "blixard.sock"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = str(free.getsockname()[1])
        self.shell = Shell(self.directory)

    def tearDown(self):
        self.shell.type("blixard list -o name | xargs -r blixard delete --force")
        self.shell.type("kill %?daemon; wait")
        self.shell.close()
        shutil.rmtree(self.directory)

    def ready(self):
        try:
            connection = UnixConnection(str(self.socket))
            connection.request("GET", "/v1/nodes/demo-host")
            return b'"ready":true' in connection.getresponse().read()
        except OSError:
            return False
        finally:
            connection.close()

    def run_one(self, line, expected):
        typed = line.replace("8080:80", self.port + ":80").replace("127.0.0.1:8080", "127.0.0.1:" + self.port)
        if line.endswith("&"):
            # What it writes while it runs comes whenever it comes; a file keeps the next command's lines apart.
            self.shell.type(f"{typed[:-1]} >>daemon.log 2>&1 &")
            wait_until("the daemon is ready", self.ready)
            return (self.directory / "daemon.log").read_text()
        if line == "blixard image build-demo":
            typed += f" --kernel {GUEST / 'kernel'}"  # downloaded already
        if match := re.match(r"cat (\S+\.yaml)$", line):
            text = "\n".join(expected) + "\n"
            (self.directory / match[1]).write_text(text.replace("8080", self.port))
        return self.shell.type(typed)

    def test_what_the_readme_types_shows_what_it_shows(self):
        tour = commands()
        self.assertGreater(len(tour), 25)
        for line, expected in tour:
            with self.subTest(line):
                out = self.run_one(line, expected)
                wanted = [] if line in MACHINES_OWN else expected
                # Whoever types by hand is slower than the controller, which writes down what it decided.
                reads = line.split()[1:2] in (["why"], ["list"], ["show"])
                deadline = time.monotonic() + 20
                while reads and missing(wanted, out) is not None and time.monotonic() < deadline:
                    out = self.run_one(line, expected)
                self.assertIsNone(missing(wanted, out), f"of what `{line}` should show; it showed:\n{out}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
