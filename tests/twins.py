#!/usr/bin/env python3
"""twins.py - the tutorial's four programs in C against their twins in Python.

The Python programs are taken out of the tutorial itself, ../shared/seed/ beside the
repository (or SKT_SEED), as they stand there.  Server and client are then played in
all combinations: C and Python, Python and C, C and C, and as the model Python and Python.  Each
program has to print the same in all of them.

usage: twins.py FOLDER-OF-THE-C-PROGRAMS [PYTHON PACKAGE]
With a Python and the folder of its package skt, Python's programs are played on skt's sockets as well, and C's less.
Prints TAP.  Without the tutorial there is nothing to compare with, and it says so.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

LIMIT = 30
TIME_WAIT = 90 # it lasts 60 seconds
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NAMES = ["tcp_server", "tcp_client", "udp_server", "udp_client"]
MODEL = ("Python", "Python")
COMBINATIONS = [MODEL, ("C", "Python"), ("C", "C"), ("Python", "C")]
PYTHON = None # the one that runs on skt
# How /proc/net shows that the server waits: the table, 127.0.0.1 and the port, the state.
PAIRS = {"tcp": ("tcp", "0100007F:1F90", "0A"), "udp": ("udp", "0100007F:1F9A", "07")}


def skip(reason):
    print("1..0 # SKIP", reason)
    sys.exit(0)


def seed_texts():
    folder = os.environ.get("SKT_SEED", os.path.join(ROOT, "..", "shared", "seed"))
    texts = []
    for path in sorted(glob.glob(os.path.join(folder, "*.txt"))):
        with open(path, encoding="utf-8") as f:
            texts.append(f.read())
    if not texts:
        skip("the tutorial is not at " + os.path.normpath(folder))
    return texts


def extract(texts, folder):
    """Writes each program: the code block that follows a line with nothing but its name."""
    for name in NAMES:
        blocks = [m[1] for text in texts
                  for m in re.finditer(r"^%s\.py\s*\n+```python\n(.*?)^```" % name, text, re.M | re.S)]
        if len(blocks) != 1:
            sys.exit("Bail out! %s.py is %d times in the tutorial" % (name, len(blocks)))
        with open(os.path.join(folder, name + ".py"), "w", encoding="utf-8") as f:
            f.write(blocks[0])


def private_network():
    """The words before a command that give it a network of its own, or None.  The tutorial's
    ports are fixed; there they are free, and no TIME_WAIT is in the way of the next server."""
    command = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
    if shutil.which("unshare") and subprocess.run(command + ["true"], stderr=subprocess.DEVNULL).returncode == 0:
        return command
    return None


def entries(table, address):
    """The states of the sockets that have this local address."""
    with open("/proc/net/" + table) as lines:
        return [fields[3] for fields in map(str.split, lines) if fields[1] == address]


def until(condition, limit):
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def start(program):
    return subprocess.Popen(program, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def finish(process):
    """What it printed, and the status."""
    try:
        out, _ = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        out, _ = process.communicate()
        return [out.decode(errors="replace"), "still running after %d seconds" % LIMIT]
    return [out.decode(errors="replace"), process.returncode]


def converse(pair, server, client):
    """What the server and the client printed, and their statuses: [[output, status], [output, status]]"""
    table, address, state = PAIRS[pair]
    # The tutorial's Python server does not set SO_REUSEADDR: until its TIME_WAIT is over, nobody can have the port.
    if not until(lambda: not entries(table, address), TIME_WAIT):
        return "the port %s is not free" % address
    waiting = start(server)
    if not until(lambda: state in entries(table, address) or waiting.poll() is not None, LIMIT):
        waiting.kill()
    calling = start(client) if waiting.poll() is None else None
    return [finish(waiting), finish(calling) if calling else None]


def converse_privately(network, *scene):
    """The same in a network of its own, by another process of this program."""
    command = network + [sys.executable, os.path.abspath(__file__), "--play", json.dumps(scene)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def play(scene):
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    print(json.dumps(converse(*json.loads(scene))))


def program(language, name, built, extracted):
    if language == "C":
        return [os.path.join(built, name)]
    # Unbuffered, or what it printed would be lost with a failure.
    on_skt = [PYTHON, "-u", "-m", "skt"] if language == "Python on skt" else [sys.executable, "-u"]
    return on_skt + [os.path.join(extracted, name + ".py")]


def is_right(result, model):
    """The tutorial's words, no failure, and the same as between the Python programs."""
    return (result == model and isinstance(result, list) and None not in result and
            [status for _, status in result] == [0, 0] and "I'm Lyon" in result[0][0])


def compare(pair, built, extracted, network):
    """Yields what is compared, and None or what went wrong."""
    model = None
    for languages in COMBINATIONS:
        scene = [pair, program(languages[0], pair + "_server", built, extracted),
                 program(languages[1], pair + "_client", built, extracted)]
        result = converse_privately(network, *scene) if network else converse(*scene)
        model = model or result
        yield "%s: server in %s, client in %s" % (pair, *languages), None if is_right(result, model) else result


def main(built):
    texts = seed_texts()
    failed = number = 0
    with tempfile.TemporaryDirectory(prefix="skt-twins.") as extracted:
        extract(texts, extracted)
        network = private_network()
        print("1..%d" % (len(PAIRS) * len(COMBINATIONS)), flush=True)
        for pair in PAIRS:
            for what, wrong in compare(pair, built, extracted, network):
                number += 1
                failed += wrong is not None
                print("ok" if wrong is None else "not ok", number, "-", what, flush=True)
                if wrong is not None:
                    print("#    ", repr(wrong), flush=True)
    return failed > 0


if len(sys.argv) == 3 and sys.argv[1] == "--play":
    play(sys.argv[2])
elif len(sys.argv) == 2:
    sys.exit(main(sys.argv[1]))
elif len(sys.argv) == 4:
    PYTHON, os.environ["PYTHONPATH"] = sys.argv[2:]
    ON_SKT = "Python on skt"
    COMBINATIONS = [MODEL, (ON_SKT, ON_SKT), (ON_SKT, "Python"), ("Python", ON_SKT), (ON_SKT, "C"), ("C", ON_SKT)]
    sys.exit(main(sys.argv[1]))
else:
    sys.exit(__doc__)
