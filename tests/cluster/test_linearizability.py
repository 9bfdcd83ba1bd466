#!/usr/bin/env python3
"""The checker accepts what can be explained and refuses what cannot."""
import itertools
import math
import random
import unittest

from linearizability import ABSENT, UNKNOWN, Operation, check, describe, explains, step


def history(*lines):
    """Each line: client, called, returned, kind, argument, result; all about one key."""
    return [Operation(client, "k", kind, argument, result, called, returned)
            for client, called, returned, kind, argument, result in lines]


class Known(unittest.TestCase):
    def accept(self, *lines):
        self.assertEqual(check(history(*lines)), {})

    def refuse(self, *lines):
        wrong = check(history(*lines))
        self.assertEqual(list(wrong), ["k"])
        self.assertIn("k has no order", describe(wrong))

    def test_nothing_and_one_after_the_other(self):
        self.accept()
        self.accept(("a", 0, 1, "create", "x", "ok"), ("b", 2, 3, "get", None, ("value", "x")),
                    ("a", 4, 5, "update", "y", "ok"), ("b", 6, 7, "get", None, ("value", "y")),
                    ("a", 8, 9, "delete", None, "ok"), ("b", 10, 11, "get", None, "absent"))

    def test_a_read_of_what_was_overwritten_is_refused(self):
        self.refuse(("a", 0, 1, "create", "x", "ok"), ("a", 2, 3, "update", "y", "ok"),
                    ("b", 4, 5, "get", None, ("value", "x")))

    def test_a_read_beside_a_write_may_see_either(self):
        for seen in ("x", "y"):
            self.accept(("a", 0, 1, "create", "x", "ok"), ("a", 2, 5, "update", "y", "ok"),
                        ("b", 3, 4, "get", None, ("value", seen)))

    def test_two_reads_beside_a_write_do_not_go_backwards(self):
        both = (("a", 0, 1, "create", "x", "ok"), ("a", 2, 9, "update", "y", "ok"))
        self.accept(*both, ("b", 3, 4, "get", None, ("value", "x")), ("c", 5, 6, "get", None, ("value", "y")))
        self.refuse(*both, ("b", 3, 4, "get", None, ("value", "y")), ("c", 5, 6, "get", None, ("value", "x")))

    def test_a_lost_acknowledged_write_is_refused(self):
        self.refuse(("a", 0, 1, "create", "x", "ok"), ("b", 2, 3, "get", None, "absent"))
        self.refuse(("a", 0, 1, "create", "x", "ok"), ("b", 2, 3, "create", "y", "ok"))

    def test_one_of_two_creates_is_refused(self):
        self.accept(("a", 0, 5, "create", "x", "ok"), ("b", 0, 5, "create", "y", "exists"),
                    ("c", 6, 7, "get", None, ("value", "x")))
        self.refuse(("a", 0, 5, "create", "x", "ok"), ("b", 0, 5, "create", "y", "ok"))
        self.refuse(("a", 0, 5, "create", "x", "exists"), ("b", 0, 5, "create", "y", "exists"))

    def test_a_refusal_is_a_read_too(self):
        self.refuse(("a", 0, 1, "create", "x", "ok"), ("a", 2, 3, "delete", None, "ok"),
                    ("b", 4, 5, "create", "y", "exists"))
        self.refuse(("a", 0, 1, "create", "x", "ok"), ("b", 2, 3, "update", "y", "absent"))

    def test_the_same_value_twice_by_one_update_is_refused(self):
        self.refuse(("a", 0, 1, "create", "x", "ok"), ("a", 2, 20, "update", "y", "ok"),
                    ("b", 3, 4, "get", None, ("value", "y")), ("b", 5, 6, "update", "z", "ok"),
                    ("b", 7, 8, "get", None, ("value", "y")))

    def test_unknown_may_have_happened_or_not_or_late(self):
        create, unknown = ("a", 0, 1, "create", "x", "ok"), ("b", 2, 3, "update", "y", UNKNOWN)
        self.accept(create, unknown, ("c", 4, 5, "get", None, ("value", "x")))
        self.accept(create, unknown, ("c", 4, 5, "get", None, ("value", "y")))
        self.accept(create, unknown, ("c", 4, 5, "get", None, ("value", "x")), ("c", 6, 7, "get", None, ("value", "y")))
        self.refuse(create, unknown, ("c", 4, 5, "get", None, ("value", "y")), ("c", 6, 7, "get", None, ("value", "x")))
        self.refuse(create, ("b", 6, 7, "update", "y", UNKNOWN), ("c", 4, 5, "get", None, ("value", "y")))

    def test_an_unknown_delete_explains_one_absence(self):
        create, unknown = ("a", 0, 1, "create", "x", "ok"), ("b", 2, 3, "delete", None, UNKNOWN)
        self.accept(create, unknown, ("c", 4, 5, "create", "y", "ok"))
        self.refuse(create, unknown, ("c", 4, 5, "create", "y", "ok"), ("c", 6, 7, "create", "z", "ok"))

    def test_keys_are_judged_one_by_one(self):
        good = Operation("a", "good", "create", "x", "ok", 0, 1)
        bad = Operation("a", "bad", "get", None, ("value", "x"), 0, 1)
        self.assertEqual(list(check([good, bad])), ["bad"])
        self.assertEqual(check([bad], initial={"bad": "x"}), {})

    def test_a_thousand_operations_of_eight_clients_are_judged(self):
        chance = random.Random(1)
        state, now, operations = ABSENT, 0.0, []
        for number in range(1000):
            kind = chance.choice(["create", "update", "delete", "get", "get"])
            argument = f"v{number}" if kind in ("create", "update") else None
            result = truth(state, kind)
            state, _ = step(state, Operation(0, "k", kind, argument, UNKNOWN, 0))
            now += 1
            known = chance.random() > 0.01 or kind == "get"
            operations.append(Operation(number % 8, "k", kind, argument, result if known else UNKNOWN,
                                        now - chance.random() * 3, now + chance.random() * 3))
        self.assertIsNone(explains(operations))
        last_value = next(i for i in range(999, 0, -1) if operations[i].kind == "get")
        operations[last_value] = Operation(9, "k", "get", None, ("value", "never written"), now, now)
        self.assertIsNotNone(explains(operations))


def truth(state, kind):
    if kind == "get":
        return "absent" if state is ABSENT else ("value", state)
    if kind == "create":
        return "ok" if state is ABSENT else "exists"
    return "absent" if state is ABSENT else "ok"


def explains_slowly(operations):
    """The definition: some order of all known ones and any of the others, that keeps to time, and gives what was seen."""
    known = [one for one in operations if one.is_known]
    unknown = [one for one in operations if not one.is_known]
    for count in range(len(unknown) + 1):
        for chosen in itertools.combinations(unknown, count):
            for order in itertools.permutations(known + list(chosen)):
                if any((order[j].returned if order[j].is_known else math.inf) < order[i].called
                       for i in range(len(order)) for j in range(i + 1, len(order))):
                    continue
                state, fine = ABSENT, True
                for one in order:
                    state, possible = step(state, one)
                    fine = fine and possible
                if fine:
                    return True
    return False


class AgainstTheDefinition(unittest.TestCase):
    def test_random_small_histories_are_judged_alike(self):
        chance = random.Random(7)
        verdicts = {True: 0, False: 0}
        for _ in range(1500):
            operations = []
            for number in range(chance.randint(1, 5)):
                kind = chance.choice(["create", "update", "delete", "get"])
                argument = f"v{number}" if kind in ("create", "update") else None
                results = {"get": ["absent", ("value", "v0"), ("value", "v1")], "create": ["ok", "ok", "exists"]}
                result = chance.choice(results.get(kind, ["ok", "absent"]) + [UNKNOWN])
                called = chance.randint(0, 8)
                operations.append(Operation(number, "k", kind, argument, result, called, called + chance.randint(1, 5)))
            expected = explains_slowly(operations)
            verdicts[expected] += 1
            self.assertEqual(explains(operations) is None, expected, [str(one) for one in operations])
        self.assertGreater(min(verdicts.values()), 200, verdicts)


if __name__ == "__main__":
    unittest.main()
