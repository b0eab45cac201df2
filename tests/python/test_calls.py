#!/usr/bin/env python3
"""test_calls - many calls of CPython's `_socket` and of ours come to the same: values, exceptions, texts, audit events, warnings.

  test_calls.py BUILD PYTHON      the build's folder, and the Python that it was built for

calls.py makes the calls.  What differs and is meant to is in a table here, with the reason; a row that no difference needs
any more fails too.  TAP for meson."""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import stage
from tap import Skip, check, run_cases

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD, PYTHON = os.path.abspath(sys.argv[1]), sys.argv[2]
SECONDS = 240 # for a table: against hanging

# A pattern of calls, and why they may differ.
WANTED = [
    (r"^sorted\(n for n in vars", "the type is one of those that modules make, as in newer Pythons: __module__, no __getattribute__"),
    (r"__new__\(_socket\.socket\); s\.(getsockname|_accept)\(\)$", "an object that was never begun is a closed socket"),
    (r"fileno=2\*\*40|(socket\(2, 1, 0, |close\(|dup\()-?2\*\*3[12](-1)?\)|indextoname\(2\*\*32",
     "a number that is too large is not cut to another that fits"),
    (r"getaddrinfo\('127.0.0.1', -?2\*\*|getaddrinfo\(\"127.0.0.1\", \"?(99999|65536)", "a port is not cut to 16 bits"),
    (r"family=99, fileno", "a family that nobody knows has an address all the same"),
    (r"^s = closed\(\); attempt\(lambda: s\.settimeout\(3\)\)", "what failed changes nothing"),
    (r"^closed\(\)\.connect(_ex)?\(\(\"no-such", "nothing is looked up for a socket that is closed"),
    (r"b\"\\xff\\xfe\"", "the library knows international names and says what is wrong with one"),
    (r"bind\(\(\"fe80::1%", "a zone in the host counts"),
    (r"<broadcast>|gethostbyaddr\(\"\"\)", "a place-holder that fits no such call is a name that is not known"),
    (r"quiet\(40, ?1\); s\.[gs]etsockopt\(", "a vsock's options of other levels are those of all sockets, and may be bytes"),
    (r"^listener\(0.1\)\.recv|recvmsg_into\(\[bytearray\(1\)\] \* 1025\)", "a call is tried first, and waits only for what can come"),
    (r"^s=(closed|detached)\(\); s\.(recvmsg|recvmsg_into|sendmsg)\(.*-1", "a closed socket is told first"),
    (r"^s=quiet\(16,3\); s\.shutdown\(.*-1", "that `how` is none is seen before the kernel says that the family has no shutdown"),
    (r"s\.setblocking\(", "any object that is true or not, as in newer Pythons"),
]
# CPython's parser of arguments has words of its own, which differ from version to version: there, types are compared.
PARSER = re.compile(r"takes|argument|must be|required|expected|an integer|convert|null (byte|char)|greater than max|less than min|index-sized")


def outcomes(table, *skt):
    """[[call, outcome], ...]"""
    # MALLOC_PERTURB_, meson's, would have the C library write gigabytes, where recv is given a huge size.
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SKT_", "MALLOC_PERTURB_"))}
    extra = {"CALLS_SKT": "1"} if skt else {}
    done = subprocess.run([*stage.PRIVATE, PYTHON, *skt, os.path.join(HERE, "calls.py"), table], capture_output=True, text=True,
                          timeout=SECONDS, cwd=tempfile.mkdtemp(dir=WORK.name),
                          env={**clean, **extra, "PYTHONPATH": os.path.join(BUILD, "python"), "PYTHONDONTWRITEBYTECODE": "1"})
    found = [json.loads(line) for line in done.stdout.splitlines()]
    check(done.returncode == 0, f"{table} {skt} ended with {done.returncode} after {found[-1:]}:\n{done.stderr}")
    return found


def same(expected, found):
    if expected == found:
        return True
    kinds = [re.match(r"\{'raises': '(\w+)'.*'str': (.*)\}$", text) for text in (expected, found)]
    return (all(kinds) and kinds[0][1] == kinds[1][1] in ("TypeError", "OverflowError") and
            all(PARSER.search(kind[2]) for kind in kinds))


def compare(table):
    if not stage.has_private():
        raise Skip(stage.NOT_PRIVATE)
    expected, found = outcomes(table), outcomes(table, "-m", "skt")
    check([call for call, _ in expected] == [call for call, _ in found], "not the same calls")
    wrong = []
    for (call, theirs), (_, ours) in zip(expected, found):
        if "hung" in theirs + ours:
            wrong.append(f"{call}\n   hung: {theirs}, {ours}")
        elif not same(theirs, ours):
            reasons = [pattern for pattern, _ in WANTED if re.search(pattern, call)]
            USED.update(reasons)
            if not reasons:
                wrong.append(f"{call}\n   CPython: {theirs}\n   skt:     {ours}")
    COMPARED.append(table)
    check(not wrong, "\n".join([f"{len(wrong)} of {len(found)} calls differ:", *wrong[:50]]))
    print(f"# {len(found)} calls")


def nothing_is_wanted_in_vain():
    if len(COMPARED) < 3:
        raise Skip("not all of the calls were made")
    unused = [reason for pattern, reason in WANTED if pattern not in USED]
    check(not unused, f"no difference needs these any more: {unused}")


USED, COMPARED = set(), []
WORK = tempfile.TemporaryDirectory(prefix="skt-calls.")
CASES = [
    ("a table of calls", lambda: compare(os.path.join(HERE, "calls.txt"))),
    ("every method and function with strange arguments, and too few and too many", lambda: compare("strange")),
    ("signals, threads, fork, interpreters, the end", lambda: compare("stories")),
    ("every difference that is allowed is there", nothing_is_wanted_in_vain),
]

sys.exit(run_cases(CASES))
