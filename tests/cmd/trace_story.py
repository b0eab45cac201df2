"""trace_story.py - what the stories about skt trace share: a traced talk, as JSON, and what tcpdump saw of it."""
import json
import os
import re
import socket
import struct
import subprocess
from story import Process, check, folder, is_private, need, skip, wait_until

FLAGS = {"S": "SYN", "F": "FIN", "R": "RST", "U": "URG", "P": "PSH", "E": "ECE", "W": "CWR", ".": "ACK"}
ORDER = ["SYN", "FIN", "RST", "URG", "PSH", "ECE", "CWR", "ACK"]


def need_packets():
    """Packets may be seen in a network namespace of our own."""
    if not is_private():
        skip("no network namespace can be had")
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0).close()
    except OSError as error:
        skip("packets may not be seen: %s" % error)


def lines_of(text):
    """JSON's lines: the arrows, and the last, which counts."""
    rows = [json.loads(line) for line in text.splitlines()]
    check(rows and "conversations" in rows[-1], "the counts are missing after %d rows" % len(rows))
    return rows[:-1], rows[-1]


class Traced(Process):
    """skt trace --json, with the command's words; its rows when it has ended."""

    def __init__(self, *words, options=(), **more):
        self.path = os.path.join(folder(), "rows")
        super().__init__(os.environ["SKT"], "trace", "--json", "--output", self.path, *options, "--", *words, **more)

    def has(self, text):
        """Whether it stands in the rows so far, while it runs."""
        if not os.path.exists(self.path): # it has just been started
            return False
        with open(self.path) as file:
            return text in file.read()

    def rows(self):
        with open(self.path) as file:
            rows, self.counts = lines_of(file.read())
        return rows


class Tcpdump(Process):
    """tcpdump on an interface; packets() is a list of (flags, bytes)."""

    def __init__(self, port, interface="lo"):
        need("tcpdump")
        super().__init__("tcpdump", "-i", interface, "-nn", "-l", "--immediate-mode", "tcp", "port", port)
        self.wait_err("listening on " + interface)

    def packets(self, count):
        """Once there are so many."""
        pattern = rb"Flags \[([^]]*)\].* length (\d+)"
        wait_until(lambda: len(re.findall(pattern, bytes(self.out))) >= count, "tcpdump has seen %d packets" % count)
        self.stop().wait()
        return [(words(flags.decode()), int(size)) for flags, size in re.findall(pattern, bytes(self.out))]


def words(flags):
    named = [FLAGS[flag] for flag in flags]
    return " ".join(sorted(named, key=ORDER.index))


def seen(rows):
    return [(row["what"], row["bytes"]) for row in rows]


def steps(rows, side):
    """The states of one end, by its address, as they follow one another."""
    states = []
    for row in rows:
        state = row["states"][0 if row["from"] == side else 1]
        if not states or states[-1] != state:
            states.append(state)
    return states


def reset_on_close(conn):
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


# ---- Loss ----

RULES = """
table inet loss {
    chain input {
        type filter hook input priority 0;
        tcp dport %d tcp flags & (syn|psh) == %s drop
    }
}
"""


def lose(port, flag):
    """From now on segments to the port with this flag (syn or psh) do not arrive."""
    subprocess.run(["nft", "-f", "-"], input=(RULES % (port, flag)).encode(), check=True)


def lose_nothing():
    subprocess.run(["nft", "flush", "ruleset"], check=True)
