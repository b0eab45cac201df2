#!/usr/bin/env python3
"""compare - CPython's own tests on skt's `_socket` and on CPython's, side by side; every difference counts.

  compare.py [--uml] PACKAGE MODULE ...

PACKAGE is the folder that has skt in it (build/python).  Each module of CPython's test-suite runs once on either side, at
the same time, in a network of its own (--uml: in user-mode-linux, which has more families).  A case is a module: the same
tests, each with the same result, and every process with the `_socket` that it was to have (witness.py says
what that covers).  Nothing is left out.  Only when CPython's own side has a failure both sides run a second time, which
then counts; the output says so.

Prints TAP.  SKT_PYTHON: another Python than /usr/bin/python3.
"""
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import stage
import uml as kernel

PYTHON = os.environ.get("SKT_PYTHON", "/usr/bin/python3")


def run_both(sides, module, uml):
    """Each side's results."""
    if uml:
        with ThreadPoolExecutor() as pool:
            return list(pool.map(lambda side: side.results(kernel.run(side, side.command(module))), sides))
    running = [side.start(stage.PRIVATE + side.command(module)) for side in sides]
    return [side.results(stage.finish(process)) for side, process in zip(sides, running)]


def differences(theirs, ours):
    for name in sorted({**theirs, **ours}):
        # One id may have run several times, in no order.
        pair = [sorted(results.get(name, ["did not run"])) for results in (theirs, ours)]
        sentence = "%s: CPython's %s; ours %s" % (name, *map(" | ".join, pair))
        if kinds(pair[0]) != kinds(pair[1]):
            yield sentence
        elif pair[0] != pair[1]:
            print("# the same, in other words:", sentence)


def kinds(results):
    """Without the reason of a skip, which may quote an error: ours name the address too."""
    return [result.split(":")[0] for result in results]


def failed(results):
    return results["(exit status)"] != ["0"]


def counts(results):
    cases = [result for name, of_name in results.items() if not name.startswith("(") for result in of_name]
    skipped = sum(result.startswith("skipped") for result in cases)
    passed = sum(result in ("passed", "expected failure") for result in cases)
    return len(cases), passed, skipped


def proofs(sides):
    used = []
    for side in sides:
        wrong, seen = side.proof()
        print("# %s: %s" % (side.name, ", ".join("%d %s" % (n, what) for what, n in seen.items())))
        used.append(seen["with _socket"] > 0)
        yield from ("%s: %s" % (side.name, sentence) for sentence in wrong)
    if used[0] != used[1]: # some modules need none
        yield "_socket was in use on one side only"


def compare(sides, module, uml, totals):
    """Whether the module did the same on both; says what it did."""
    begin = time.monotonic()
    theirs, ours = run_both(sides, module, uml)
    if failed(theirs):
        print("# %s: CPython's own side failed, so both run once more:" % module)
        for line in [name + ": " + " | ".join(results) for name, results in theirs.items()
                     if any(r.startswith(("failure", "error")) for r in results)]:
            print("#    ", line)
        theirs, ours = run_both(sides, module, uml)
    wrong = list(proofs(sides)) + list(differences(theirs, ours))
    if failed(theirs):
        wrong.append("CPython's own side failed again")
    of_both = [counts(results) for results in (theirs, ours)]
    for side, (run, passed, skipped) in zip(sides, of_both):
        print("# %s: %d run, %d passed, %d skipped" % (side.name, run, passed, skipped))
        totals[side.name] = [a + b for a, b in zip(totals[side.name], (run, passed, skipped))]
    for sentence in wrong:
        print("#    ", sentence)
    if wrong:
        for side in (side for side, results in zip(sides, (theirs, ours)) if failed(results)):
            print("# the end of what %s wrote:" % side.name, *stage.tail(side.log), sep="\n#     ")
    print("%s - %s%s: the same on both, %d tests, in %d s" %
          ("not ok" if wrong else "ok", module, " in user-mode-linux" if uml else "", of_both[1][0], time.monotonic() - begin), flush=True)
    return not wrong


def compare_all(package, modules, uml=False):
    """How many modules passed."""
    with tempfile.TemporaryDirectory(prefix="skt-compare.") as folder:
        sides = [stage.Side(folder, "CPython's", PYTHON), stage.Side(folder, "ours", PYTHON, package)]
        totals = {side.name: [0, 0, 0] for side in sides}
        passed = sum([compare(sides, module, uml, totals) for module in modules])
    for name, (run, ok, skipped) in totals.items():
        print("# %s in all: %d run, %d passed, %d skipped" % (name, run, ok, skipped))
    return passed


def main(words):
    uml = words[:1] == ["--uml"]
    package, *modules = words[uml:]
    if not stage.has_private():
        print("1..0 # SKIP", stage.NOT_PRIVATE)
        return 0
    print("1..%d" % len(modules), flush=True)
    return 0 if compare_all(package, modules, uml) == len(modules) else 1


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
