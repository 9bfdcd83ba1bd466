"""Clients that create, change, delete and read projects through all hosts while something happens to them, and remember all
that they were told.

    with Load(cloud, seed=7) as load:
        ...                       # the fault
    load.verdict()                # [] if one order of operations on one copy explains every answer, and nothing is lost
"""
import collections
import contextlib
import http.client
import random
import threading
import time

from hosts import Problem, wait_for
from linearizability import UNKNOWN, Operation, check, describe

KEYS = 4  # at a time: few, so that clients meet
OPERATIONS_PER_KEY = 150  # then the next generation of keys: short histories are judged fast
UNKNOWN_PER_KEY = 6  # likewise: each may have happened at any later time
PATIENCE = 8.0  # of a client, s


class Load:
    def __init__(self, cloud, seed, clients=5, pause=0.03):
        self.cloud = cloud
        self.name = f"s{seed}-{time.monotonic_ns() % 10**9}"  # the same cloud sees several loads
        self.history = []
        self.kept = set()  # names that were created, acknowledged, and never deleted
        self.answers = collections.Counter()
        self.refusals = collections.Counter()
        self.ended = 0  # requests, whatever came of them
        self._pause = pause
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._asking = collections.Counter()  # how many requests are on their way to a host
        self._left_out = set()
        self._generation = 0
        self._in_generation = collections.Counter()
        self._threads = [threading.Thread(target=self._run, args=(number, random.Random(seed * 1000 + number)), daemon=True)
                         for number in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def wait_for_answers(self, count, host=None):
        """Until `count` more requests were answered with success (by this host)."""
        aim = self.answers[host] + count
        wait_for(f"{count} answers of {host or 'any host'}", lambda: self.answers[host] >= aim)

    def wait_for_asked(self, count):
        """Until `count` more requests have ended, however: where no host may answer with success."""
        aim = self.ended + count
        wait_for(f"{count} requests have ended", lambda: self.ended >= aim)

    def leave_out(self, host):
        """Asks this host no more; no request to it is on its way when this returns."""
        self._left_out.add(host.name)
        wait_for(f"no request to {host} is on its way", lambda: self._asking[host.name] == 0)

    # -- one client

    def _run(self, number, chance):
        count = 0
        while not self._over.wait(self._pause):
            count += 1
            host = chance.choice(self.cloud.members)
            with self._lock:
                if host.name in self._left_out:
                    continue
                self._asking[host.name] += 1
            kind = chance.choices(["create", "update", "delete", "get", "keep"], [3, 3, 2, 4, 1])[0]
            if kind == "keep":
                self._keep(host, f"{self.name}-kept-{number}-{count}")
            else:
                key = f"{self.name}-{self._generation}-{chance.randrange(KEYS)}"
                argument = f"{number}.{count}" if kind in ("create", "update") else None
                self._do(f"c{number}@{host.name}", host, key, kind, argument)
            with self._lock:
                self._asking[host.name] -= 1
                self.ended += 1

    def _keep(self, host, name):
        with contextlib.suppress(Problem, OSError, http.client.HTTPException):
            host.post("/v1/projects", {"name": name}, timeout=PATIENCE)
            with self._lock:
                self.kept.add(name)

    def _do(self, client, host, key, kind, argument):
        called = time.monotonic()
        result = self._ask(host, key, kind, argument)
        returned = time.monotonic()
        if result is None:
            return
        with self._lock:
            self.history.append(Operation(client, key, kind, argument, result, called, returned))
            if result != UNKNOWN:
                self.answers[None] += 1
                self.answers[host.name] += 1
            self._in_generation[key] += 1
            self._in_generation[key, UNKNOWN] += result == UNKNOWN
            if (self._in_generation[key] >= OPERATIONS_PER_KEY or self._in_generation[key, UNKNOWN] >= UNKNOWN_PER_KEY) and \
                    key.startswith(f"{self.name}-{self._generation}-"):
                self._generation += 1

    def _ask(self, host, key, kind, argument):
        """The result; UNKNOWN; None: it is certain that nothing happened, and nothing was learnt."""
        try:
            if kind == "create":
                host.post("/v1/projects", {"name": key, "description": argument}, timeout=PATIENCE)
            elif kind == "update":
                host.request("PATCH", f"/v1/projects/{key}", {"description": argument}, timeout=PATIENCE)
            elif kind == "delete":
                host.delete(f"/v1/projects/{key}", timeout=PATIENCE)
            else:
                found = host.get(f"/v1/projects/{key}?consistent=true", timeout=PATIENCE)
                return "value", found["description"]
            return "ok"
        except Problem as problem:
            code = problem.document.get("code") if isinstance(problem.document, dict) else None
            if problem.status == 404:
                return "absent"
            if problem.status == 409 and code == "already-exists":
                return "exists"
            self.refusals[f"{kind} {problem.status} {code}"] += 1
            if problem.status < 500:
                return None
            return None if kind == "get" else UNKNOWN
        except (ConnectionRefusedError, FileNotFoundError):
            return None
        except (OSError, http.client.HTTPException, ValueError):
            return None if kind == "get" else UNKNOWN

    # -- afterwards

    def read_all(self, hosts):
        """Reads every key once more through every host: an acknowledged write that is lost shows."""
        for key in sorted({operation.key for operation in self.history}):
            for host in hosts:
                self._do(f"reader@{host.name}", host, key, "get", None)

    def verdict(self, hosts=None):
        hosts = [host for host in hosts or self.cloud.members if host.is_up]
        self.read_all(hosts)
        wrong = check(self.history)
        complaints = [describe(wrong)] if wrong else []
        for host in hosts:
            names = {item["name"] for item in host.get("/v1/projects?consistent=true&limit=10000")["items"]}
            if self.kept - names:
                complaints.append(f"{host.name} has lost acknowledged {sorted(self.kept - names)[:5]} ({len(self.kept - names)})")
        return complaints
