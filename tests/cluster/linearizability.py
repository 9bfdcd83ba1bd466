"""Whether what clients saw can be explained by one order of operations on one copy of the data. Pure.

The algorithm is that of Wing and Gong ("Testing and Verifying Concurrent Objects", 1993) with Lowe's cache of visited
configurations ("Testing for Linearizability", 2017), one key at a time: linearizability is a local property, so a history is
linearizable if its part about each key is.

An object is absent or has a value. Operations and the results that they may have:

    create(value)  "ok"  "exists"        update(value)  "ok"  "absent"
    delete         "ok"  "absent"        get            ("value", text)  "absent"

An operation whose outcome nobody knows (a time-out, a lost connection) has the result UNKNOWN: it may have taken effect at any
time after its call, also after its client gave up, or never.
"""
import dataclasses
import math
from typing import Any, Hashable

UNKNOWN = "unknown"
ABSENT = None


@dataclasses.dataclass(frozen=True)
class Operation:
    client: Hashable
    key: str
    kind: str  # create | update | delete | get
    argument: Any  # create, update: the value
    result: Any
    called: float  # on one clock for all clients
    returned: float = math.inf  # not looked at where the result is UNKNOWN

    @property
    def is_known(self):
        return self.result != UNKNOWN

    def __str__(self):
        end = f"{self.returned:.3f}" if self.is_known else "?"
        argument = f" {self.argument}" if self.argument is not None else ""
        return f"[{self.called:.3f} .. {end}] {self.client}: {self.kind} {self.key}{argument} -> {self.result}"


def step(state, operation):
    """(the state after it, whether its result is what this state gives). State: ABSENT or the value."""
    kind, result, known = operation.kind, operation.result, operation.is_known
    there = state is not ABSENT
    if kind == "create":
        return (state, not known or result == "exists") if there else (operation.argument, not known or result == "ok")
    if kind == "update":
        return (operation.argument, not known or result == "ok") if there else (state, not known or result == "absent")
    if kind == "delete":
        return (ABSENT, not known or result == "ok") if there else (state, not known or result == "absent")
    if kind == "get":
        return state, not known or result == (("value", state) if there else "absent")
    raise ValueError(f"no operation is called {kind}")


class _Entry:
    """The call or the return of an operation in the list of what has not been put in order yet."""
    __slots__ = ("operation", "number", "answer", "before", "after")

    def __init__(self, operation, number, answer=None):
        self.operation = operation
        self.number = number
        self.answer = answer  # of a call: its return's entry; of a return: None
        self.before = self.after = None

    def lift(self):
        """Takes a call and its return out of the list; put_back() undoes it, in the opposite order."""
        for entry in (self, self.answer):
            entry.before.after = entry.after
            if entry.after:
                entry.after.before = entry.before

    def put_back(self):
        for entry in (self.answer, self):
            entry.before.after = entry
            if entry.after:
                entry.after.before = entry


def _linked(operations):
    """The list's head (an empty entry). Calls come before returns of the same moment: those two overlap."""
    moments = []
    for number, operation in enumerate(operations):
        answer = _Entry(operation, number)
        moments.append((operation.called, 0, number, _Entry(operation, number, answer)))
        moments.append((operation.returned if operation.is_known else math.inf, 1, number, answer))
    moments.sort(key=lambda moment: moment[:3])
    head = last = _Entry(None, -1)
    for *_, entry in moments:
        last.after, entry.before = entry, last
        last = entry
    return head


def explains(operations, initial=ABSENT):
    """None where the operations (of one key) have an order; else those that came furthest and what is stuck behind them."""
    operations = [one for one in operations if one.is_known or one.kind != "get"]
    head = _linked(operations)
    known = sum(1 << i for i, one in enumerate(operations) if one.is_known)
    state, done = initial, 0
    seen = {(0, initial)}
    order = []  # (entry, state before it)
    furthest = []
    entry = head.after
    while done & known != known:
        if entry is not None and entry.answer is not None:  # a call: may it go next?
            after, possible = step(state, entry.operation)
            useless = not entry.operation.is_known and after == state  # as good as never happened
            now = (done | 1 << entry.number, after)
            if possible and not useless and now not in seen:
                seen.add(now)
                order.append((entry, state))
                done, state = now
                entry.lift()
                if len(order) > len(furthest):
                    furthest = [one.operation for one, _ in order]
                entry = head.after
            else:
                entry = entry.after
            continue
        # A return whose call has not gone yet: what was chosen so far cannot be.
        if not order:
            stuck = [one for one in operations if one not in furthest]
            return furthest, sorted(stuck, key=lambda one: one.called)
        entry, state = order.pop()
        done &= ~(1 << entry.number)
        entry.put_back()
        entry = entry.after
    return None


def check(history, initial=None):
    """{key: (furthest, stuck)} for the keys whose operations have no order; empty: the history is linearizable.
    `initial`: values of keys that were there before."""
    keys = {}
    for operation in history:
        keys.setdefault(operation.key, []).append(operation)
    wrong = {}
    for key, operations in keys.items():
        verdict = explains(operations, (initial or {}).get(key, ABSENT))
        if verdict is not None:
            wrong[key] = verdict
    return wrong


def describe(wrong):
    """The verdict of check() for people."""
    lines = []
    for key, (furthest, stuck) in wrong.items():
        lines.append(f"{key} has no order. The longest that was found:")
        lines += [f"    {one}" for one in furthest]
        lines.append("  and behind it nothing of:")
        lines += [f"    {one}" for one in stuck]
    return "\n".join(lines)
