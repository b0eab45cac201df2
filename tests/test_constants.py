#!/usr/bin/env python3
"""test_constants - data/constants.txt has what Python has, with the same values.

    test_constants.py PRINT_CONSTANTS PYTHON...

PYTHON are interpreters whose own _socket is compared; those that are not there are skipped.
"""
import json
import os
import re
import subprocess
import sys
from tap import Skip, check, run_cases

LIST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "constants.txt")
DUMP = """import _socket, json
print(json.dumps({name: value for name, value in vars(_socket).items() if type(value) is int}))"""


def ours():
    output = subprocess.run([sys.argv[1]], capture_output=True, text=True, check=True).stdout
    return {name: int(value) for name, value in map(str.split, output.splitlines())}


def like(python):
    if not os.path.exists(python):
        raise Skip(f"there is no {python}")
    theirs = json.loads(subprocess.run([python, "-I", "-c", DUMP], capture_output=True, text=True, check=True).stdout)
    check(len(theirs) > 300, f"{python} has only {len(theirs)} constants")
    constants = ours()
    wrong = [f"{name} is {constants.get(name)}, not {value}" for name, value in theirs.items() if constants.get(name) != value]
    check(not wrong, "\n".join(wrong))


def all_there():
    with open(LIST) as text:
        names = re.findall(r"^\w+", text.read(), re.M)
    check(names == list(ours()), f"left out here: {sorted(set(names) - set(ours()))}")


def enums_keep_their_names():
    """Of equal values Python's enums take the name that comes first in the alphabet."""
    constants = ours()
    for prefix in "AF_", "SOCK_", "MSG_", "AI_":
        first = {}
        for name in sorted(name for name in constants if name.startswith(prefix)):
            other = first.setdefault(constants[name], name)
            check(other == name or (other, name) == ("AF_NETLINK", "AF_ROUTE"), f"{name} would be shown as {other}")


def main():
    pythons = [(f"what {python} has", lambda python=python: like(python)) for python in sys.argv[2:]]
    return run_cases([("every name of the list is a constant of C", all_there),
                      ("no name hides another in an enum", enums_keep_their_names), *pythons])


sys.exit(main())
