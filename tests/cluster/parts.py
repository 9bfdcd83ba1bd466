"""What several of these tests need beside hosts.py: the command line, images, VMs."""
import os
import pathlib
import subprocess

from hosts import Problem, wait_for

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
GUEST = pathlib.Path(os.environ.get("BLIXARD_GUEST", ROOT / "build" / "guest"))
COMMAND_LINE = "console=ttyS0 panic=-1 quiet tsc_early_khz=2000000"
READY_LINE = "blixard demo guest"


def cli(host, *words, check=True, text=None):
    """The command line of one host's daemon."""
    done = subprocess.run([str(host.cloud.binary), *words], capture_output=True, text=True, timeout=300, input=text,
                          env={**os.environ, "BLIXARD_SOCKET": str(host.socket), "NO_COLOR": "1"})
    if check and done.returncode != 0:
        raise AssertionError(f"blixard {' '.join(words)} gave {done.returncode}\n{done.stdout}{done.stderr}\n{host.tail()}")
    return done


def import_guest(host, name="demo"):
    """The demo guest: on this host alone, until others fetch it."""
    cli(host, "image", "import", name, "--kernel", str(GUEST / "vmlinuz"), "--initrd", str(GUEST / "initrd"), "--command-line",
        COMMAND_LINE)


def import_disk(host, name, size, directory):
    """A raw disk of random bytes: nothing about it can be guessed or left out."""
    path = pathlib.Path(directory) / f"{name}.raw"
    with open(path, "wb") as file:
        for _ in range(size >> 20):
            file.write(os.urandom(1 << 20))
        file.seek(510)
        file.write(b"\x55\xaa")  # a boot sector: else it is no disk
    cli(host, "image", "import", str(path), name)
    path.unlink()
    return host.get(f"/v1/images/{name}")["files"][0]["sha256"]


def blob(host, sha256):
    return host.directory / "data" / "blobs" / sha256


def launch(host, name, image, node, **spec):
    body = {"name": name, "spec": {"image": image, "memory_mib": 96, "strategy": "manual", "constraints": {"node": node}, **spec}}
    return host.post("/v1/vms", body)


def phase(host, name):
    try:
        return host.vm(name)["phase"]
    except Problem:
        return None


def wait_running(host, name, seconds=180):
    return wait_for(f"{name} runs", lambda: phase(host, name) == "running", seconds)


def operations(host, kind):
    return [one for one in host.get("/v1/operations")["items"] if one["operation"] == kind]
