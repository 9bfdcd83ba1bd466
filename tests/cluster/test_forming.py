#!/usr/bin/env python3
"""From one host with running guests to many: init, settings of the cluster, who is let in and who is not.

Usage: test_forming.py BLIXARD [-k WORD]
"""
import ctypes
import itertools
import os
import socket
import ssl
import sys
import unittest

from hosts import PORT, Cloud, Problem, run, wait_for
from parts import READY_LINE, cli, import_guest, launch, wait_running

BINARY = None  # hosts.BLIXARD, unless the command line names another


def keys_of(host):
    """Everything that the API shows of this host's state, but what is about the host itself."""
    shown = {}
    for kind in ("projects", "images", "volumes", "vms"):
        for one in host.get(f"/v1/{kind}?limit=1000&project=*" if kind in ("volumes", "vms") else f"/v1/{kind}?limit=1000")["items"]:
            shown[kind, one.get("project"), one["name"]] = one["uid"]
    return shown


class Forming(unittest.TestCase):
    def test_init_keeps_every_record_and_every_running_guest(self):
        with Cloud(BINARY, 3) as cloud:
            cloud.start()
            first, second, third = cloud
            import_guest(first)
            for i in range(150):
                first.post("/v1/projects", {"name": f"p{i}", "description": "x" * 1000})
            first.post("/v1/volumes", {"name": "data", "size_mib": 16})
            launch(first, "plain", "demo", "h1")
            launch(first, "ha", "demo", "h1", ha="restart", restart="always")
            for name in ("plain", "ha"):
                wait_running(first, name)
                wait_for("it has booted", lambda n=name: READY_LINE in cli(first, "logs", n).stdout, 120)
            before = keys_of(first)
            pid = first.vm("plain")["status"]["pid"]
            said = cli(first, "cluster", "init").stdout
            self.assertIn("kills its HA VMs 3.5 s after", said)
            self.assertEqual(keys_of(first), before)
            for host in (second, third):
                host.join(first.token())
            cloud.wait_all_ready()
            cloud.wait_voters(3)
            wait_running(first, "plain")
            wait_running(first, "ha")
            # (The fenced one may have been killed and started again, where this machine was so slow that the lease ran out.)
            self.assertEqual(first.vm("plain")["status"]["pid"], pid)
            self.assertEqual(keys_of(second), before)
            self.assertIn("42", cli(third, "console", "plain", text="echo $((6*7))\n").stdout)

    def test_the_lease_is_the_clusters_and_bounded(self):
        with Cloud(BINARY, 2) as cloud:
            cloud.start()
            first, second = cloud
            for ttl in (1999, 60001):
                with self.assertRaises(Problem) as caught:
                    first.post("/v1/cluster/init", {"lease_ttl_ms": ttl}, timeout=60)
                self.assertIn("2 s to 60 s", caught.exception.document["help"])
            with self.assertRaises(Problem) as caught:
                first.post("/v1/cluster/init", {"lease_tll_ms": 4000})
            self.assertIn("lease_tll_ms", caught.exception.document["detail"])
            self.assertEqual(first.get("/v1/cluster")["mode"], "single")
            answer = first.init(lease_ttl_ms=10000, voters=1)
            self.assertIn("8.75 s", answer["consequence"])
            second.join(first.token())
            for host in cloud:
                status = wait_for("the status", lambda h=host: h.get("/v1/cluster"))
                self.assertEqual(status["lease_ttl_ms"], 10000)
                lease = wait_for("its lease", lambda h=host: h.get(f"/v1/nodes/{h.name}").get("ready"))
                self.assertTrue(lease)

    def test_five_hosts_vote_where_that_is_wanted(self):
        with Cloud(BINARY, 6) as cloud:
            cloud.form(voters=5)
            cloud.wait_voters(5, 180)
            roles = [member["role"] for member in cloud[5].members().values()]
            self.assertEqual(sorted(roles), ["voter"] * 5 + ["worker"])
            text = wait_for("the status says so", lambda: (lambda out: out if "2 more may be lost" in out else None)(
                cli(cloud[5], "cluster", "status").stdout))
            self.assertIn("5 of 5 healthy, 5 wanted", text)

    def test_a_voter_that_leaves_is_replaced(self):
        with Cloud(BINARY, 4) as cloud:
            cloud.form()
            cloud.wait_voters(3)
            worker = next(host for host in cloud if cloud[0].members()[host.name]["role"] == "worker")
            leaving = next(host for host in cloud.hosts[1:] if host is not worker)
            leaving.leave()
            wait_for("another votes", lambda: cloud[0].members()[worker.name]["role"] == "voter")
            wait_for("three of the rest vote", lambda: len([m for m in cloud[0].get("/v1/cluster")["etcd"]
                                                             if m["healthy"] and not m["learner"]]) == 3, 120)
            cloud[0].post("/v1/projects", {"name": "after"})

    def test_the_host_whose_etcd_leads_leaves_and_then_the_next(self):
        """Its last write is one of the others', while they elect a leader."""
        with Cloud(BINARY, 3) as cloud:
            cloud.form()
            for count in (3, 2):
                cloud.wait_voters(count)
                members = [host for host in cloud if host.is_in]
                leading = members[0].get("/v1/cluster")["leader"]
                leaving = next(host for host in members if host.name == leading)
                said = cli(leaving, "cluster", "leave").stdout
                self.assertIn("has left the cluster and stands alone", said)
                leaving.is_in = False
                rest = [host for host in members if host is not leaving]
                wait_for("the others know", lambda r=rest: set(r[0].members()) == {host.name for host in r})
                wait_for("and can write", lambda r=rest, c=count: r[0].post("/v1/projects", {"name": f"after-{c}"}))
                self.assertFalse(leaving.is_member())

    def test_a_host_that_was_removed_while_it_was_cut_off_does_not_keep_its_open_connections(self):
        with Cloud(BINARY, 4) as cloud:
            cloud.form()
            cloud.wait_voters(3)
            gone = next(host for host in cloud if cloud[0].members()[host.name]["role"] == "worker")
            rest = [host for host in cloud if host is not gone]
            gone.cut("both")
            wait_for("its loss is seen", lambda: rest[0].members()[gone.name]["state"] == "lost")
            rest[0].delete(f"/v1/cluster/members/{gone.name}", timeout=60)
            gone.heal()
            wait_for("a voter cuts it off", lambda: any("still connected to it" in host.tail(500) for host in rest))
            attempts = itertools.count()

            def refused():
                try:
                    gone.post("/v1/projects", {"name": f"attempt{next(attempts)}"}, timeout=60)
                    return False
                except (Problem, OSError):
                    return True

            wait_for("it cannot write any more", refused, every=1)
            cloud.wait_voters(3)
            rest[1].post("/v1/projects", {"name": "after"})

    def test_short_certificates_are_renewed_in_time(self):
        with Cloud(BINARY, 2) as cloud:
            cloud.start()
            first, second = cloud
            first.init(voters=1, certificate_life_ms=60000)
            second.join(first.token())
            serials = {host.name: {first.members()[host.name]["certificate_serial"]} for host in cloud}

            def renewed_twice():
                for name, member in first.members().items():
                    serials[name].add(member["certificate_serial"])
                return all(len(seen) >= 3 for seen in serials.values())

            wait_for("both hosts have had three certificates", renewed_twice, 240, every=1)

            def write():  # between two of its starts: each new certificate takes one
                try:
                    return second.post("/v1/projects", {"name": "still-in"})
                except Problem as problem:
                    if problem.status == 409:
                        return True
                    raise

            wait_for("it can still write", write)
            wait_for("the other sees it", lambda: first.get("/v1/projects/still-in"))


class Strangers(unittest.TestCase):
    """Every port that hosts speak on: the daemons' and etcd's two."""

    PORTS = (PORT, PORT + 1, PORT + 2)

    def connect(self, host, port, context=None, ask=None):
        """What a program in that host's network hears to what it asks (greet()), b"" where it is hung up on."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                namespace = os.open(f"/run/netns/{host.namespace}", os.O_RDONLY)
                if ctypes.CDLL(None, use_errno=True).setns(namespace, 0) != 0:
                    raise OSError("setns")
                heard = self.talk(host.address, port, context, ask or self.greet)
            except Exception as error:  # whatever it is, the parent is told
                heard = f"refused: {type(error).__name__}: {error}".encode()
            os.write(writer, heard[:4000])
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            heard = pipe.read()
        os.waitpid(child, 0)
        return heard

    @staticmethod
    def talk(address, port, context, ask):
        with socket.create_connection((address, port), 10) as plain:
            plain.settimeout(10)
            stream = context.wrap_socket(plain) if context else plain
            with stream:
                return ask(stream)

    @staticmethod
    def greet(stream):
        """HTTP/2's preface and empty SETTINGS: a server that speaks to us answers with its own."""
        stream.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
        return stream.recv(1000)

    @staticmethod
    def tls(certificate=None, key=None):
        context = ssl._create_unverified_context()
        context.set_alpn_protocols(["h2"])
        if certificate:
            context.load_cert_chain(str(certificate), str(key))
        return context

    # HTTP/2 frames of a gRPC call; RFC 9113, 6.1 and 6.2, and RFC 7541, 6.2.2 (each header as itself, nothing indexed).
    @staticmethod
    def frame(kind, flags, stream, payload):
        return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload

    @classmethod
    def grpc_call(cls, method, authority):
        headers = b""
        for name, value in ((":method", "POST"), (":scheme", "https"), (":path", method), (":authority", authority),
                            ("te", "trailers"), ("content-type", "application/grpc")):
            headers += b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
        return (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + cls.frame(4, 0, 0, b"") + cls.frame(1, 4, 1, headers)
                + cls.frame(0, 1, 1, b"\0\0\0\0\0"))  # an empty message, and no more

    @classmethod
    def trailers(cls, stream):
        """The header blocks of all answers until the call is over, as bytes."""
        buffer, blocks = b"", b""
        while True:
            more = stream.recv(65536)
            if not more:
                return blocks
            buffer += more
            while len(buffer) >= 9 and len(buffer) >= 9 + int.from_bytes(buffer[:3], "big"):
                size, kind, flags = int.from_bytes(buffer[:3], "big"), buffer[3], buffer[4]
                if kind == 1:
                    blocks += buffer[9:9 + size]
                if kind in (1, 3) and (flags & 1 or kind == 3):
                    return blocks
                buffer = buffer[9 + size:]

    def ask_without_certificate(self, host, rpc):
        def ask(stream):
            stream.sendall(self.grpc_call(f"/blixard.peer.v1.Peer/{rpc}", host.address))
            return self.trailers(stream)
        return self.connect(host, PORT, self.tls(), ask)

    def test_who_has_no_certificate_can_say_hello_and_join_and_nothing_more(self):
        with Cloud(BINARY, 1) as cloud:
            cloud.start()
            [host] = cloud
            host.init(voters=1)
            greeted = self.ask_without_certificate(host, "Hello")
            self.assertIn(b"grpc-status", greeted)
            self.assertNotIn(b"certificate", greeted)
            for rpc in ("Renew", "GetVoterKey", "Forward", "FetchBlob"):
                with self.subTest(rpc=rpc):
                    self.assertIn(b"this call needs a certificate of this cluster", self.ask_without_certificate(host, rpc))
            self.assertIn(b"token", self.ask_without_certificate(host, "Join"))

    def test_hosts_hear_on_three_ports_and_the_api_on_none_that_others_reach(self):
        with Cloud(BINARY, 1, arguments=("--listen", "127.0.0.1:7777")) as cloud:
            cloud.start()
            [host] = cloud
            host.init(voters=1)
            tables = run("ip", "netns", "exec", host.namespace, "cat", "/proc/net/tcp", "/proc/net/tcp6")
            listening = {tuple(line.split()[1].split(":")) for line in tables.splitlines() if line.split()[3] == "0A"}
            ports = {int(port, 16) for address, port in listening if address not in ("0100007F", "0" * 24 + "01000000")}
            self.assertEqual(ports, set(self.PORTS))
            self.assertIn(7777, {int(port, 16) for _, port in listening})
            self.assertTrue(self.connect(host, 7777).startswith(b"refused: ConnectionRefusedError"))

    def test_plain_tcp_no_certificate_and_a_foreign_one_are_refused(self):
        with Cloud(BINARY, 2) as cloud:
            cloud.start()
            first, other = cloud
            first.init(voters=1)
            other.init(voters=1)  # another cluster, with an authority of its own
            foreign = other.directory / "data" / "cluster"
            own = first.directory / "data" / "cluster"
            for port in self.PORTS:
                with self.subTest(port=port):
                    heard = self.connect(first, port)
                    # A TLS alert at most; no HTTP/2 frame.
                    self.assertTrue(heard == b"" or heard.startswith((b"refused", b"\x15\x03", b"HTTP/1.0 400")), heard)
                    heard = self.connect(first, port, self.tls(foreign / "host.pem", foreign / "host.key"))
                    self.assertTrue(heard == b"" or heard.startswith(b"refused"), heard)
                    heard = self.connect(first, port, self.tls(own / "host.pem", own / "host.key"))
                    self.assertFalse(heard.startswith(b"refused"), heard)
                    if port != PORT + 2:  # etcd's members do not speak HTTP/2
                        self.assertTrue(heard, "a member is answered")
            for port in self.PORTS[1:]:
                heard = self.connect(first, port, self.tls())
                self.assertTrue(heard == b"" or heard.startswith(b"refused"), heard)


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)
