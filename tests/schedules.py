#!/usr/bin/env python3
"""schedules.py - the tests' cases in tasks, under many schedules: a seed picks which ready task goes on, and for how long.

Takes the programs of meson's suite "schedules", each with the seeds from 1 on in pieces of ten, until `last` or until
the time is up.  A failure is shown with the command that repeats it.  Prints TAP, and in
the end "N passed, N failed, N skipped".

usage: schedules.py BUILD [--last N] [--seconds N]
"""
import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import time

PIECE = 10
LIMIT = 120  # seconds for a piece


def programs(build):
    """Names and commands of the tests in the suite."""
    with open(os.path.join(build, "meson-info", "intro-tests.json")) as f:
        tests = json.load(f)
    return sorted((t["name"], t["cmd"]) for t in tests if any(s.endswith("schedules") for s in t["suite"]))


def attempt(command, seeds):
    """None, or what the program said before it failed."""
    try:
        run = subprocess.run(command, env={**os.environ, "SKT_SCHEDULE": seeds}, stdin=subprocess.DEVNULL, timeout=LIMIT,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    except subprocess.TimeoutExpired as late:
        return (late.stdout or b"").decode(errors="replace") + f"# not done after {LIMIT} seconds\n"
    return None if run.returncode == 0 else run.stdout + f"# exit status {run.returncode}\n"


def find_one(command, first, last, text):
    """A program that broke down could not tell by which seed it did."""
    if "# to repeat it: " in text:
        return text
    for seed in range(first, last + 1):
        alone = attempt(command, str(seed))
        if alone:
            return f"{alone}# to repeat it: SKT_SCHEDULE={seed} {' '.join(command)}\n"
    return f"{text}# to repeat it: SKT_SCHEDULE={first}-{last} {' '.join(command)}\n"


class Program:
    """A test, how many seeds it has run with, and what it said when it failed."""

    def __init__(self, name, command):
        self.name, self.command, self.tried, self.failure = name, command, 0, None

    def explore(self, first, last, end):
        """A piece; all pieces that begin after the first have to begin in time."""
        if self.failure or (first > 1 and time.monotonic() > end):
            return
        text = attempt(self.command, f"{first}-{last}")
        if text:
            self.failure = find_one(self.command, first, last, text)
        self.tried = max(self.tried, last)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build")
    parser.add_argument("--last", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    options = parser.parse_args()
    tests = [Program(*test) for test in programs(options.build)]
    end = time.monotonic() + options.seconds
    # They wait as much as they work: more than one for each core.
    with concurrent.futures.ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        for first in range(1, options.last + 1, PIECE):
            for test in tests:
                pool.submit(test.explore, first, min(first + PIECE - 1, options.last), end)
    print(f"1..{len(tests)}")
    for number, test in enumerate(tests, 1):
        print("not ok" if test.failure else "ok", number, "-", f"{test.name}: schedules 1 to {test.tried}")
        for line in (test.failure or "").splitlines():
            print(line if line.startswith("#") else "#   " + line)
    failed = sum(test.failure is not None for test in tests)
    passed = len(tests) - failed
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 0 if passed and not failed else 1


sys.exit(main())
