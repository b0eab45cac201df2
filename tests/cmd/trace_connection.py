#!/usr/bin/env python3
"""A whole conversation over TCP: the handshake, data with its sizes, the close of both sides and the states that
these lead through; and it is what tcpdump sees."""
import os
import re
import socket
from story import Listener, check, check_equal, folder, play, skt, wait_until
from trace_story import Tcpdump, Traced, need_packets, seen, steps


def talk(server, ours):
    """We are asked and answer; the client ends first."""
    ours.send(b"question").end_input()
    conn, _ = server.accept()
    with conn:
        check_equal("the question", conn.recv(100, socket.MSG_WAITALL), b"question")
        conn.sendall(b"a long answer")
    ours.expect(out=b"a long answer")


def from_syn_to_time_wait(host, family):
    need_packets()
    with socket.create_server((host, 0), family=family) as server:
        port = server.getsockname()[1]
        tcpdump = Tcpdump(port)
        ours = Traced("connect", host, port)
        talk(server, ours)
        rows = ours.rows()
        there = ("[%s]:%d" if ":" in host else "%s:%d") % (host, port)
        here = next(row["from"] for row in rows if row["from"] != there)
        check_equal("what tcpdump saw", tcpdump.packets(len(rows)), seen(rows))
        check_equal("the client's states", steps(rows, here),
                    ["SYN-SENT", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT"])
        check_equal("the server's states", steps(rows, there),
                    ["LISTEN", "SYN-RECEIVED", "ESTABLISHED", "CLOSE-WAIT", "LAST-ACK", "CLOSED"])
        check_equal("the handshake", [row["what"] for row in rows[:3]], ["SYN", "SYN ACK", "ACK"])
        check_equal("what the client sent", sum(row["bytes"] for row in rows if row["from"] == here), 8)
        check_equal("what the server sent", sum(row["bytes"] for row in rows if row["from"] == there), 13)
        check_equal("the counts", (ours.counts["packets"], ours.counts["conversations"], ours.counts["dropped"]),
                    (len(rows), 1, 0))
        check_equal("the first time", rows[0]["time"], 0)
        check(all(a["time"] <= b["time"] for a, b in zip(rows, rows[1:])), "time goes backwards")


def ipv4():
    from_syn_to_time_wait("127.0.0.1", socket.AF_INET)


def ipv6():
    if not socket.has_dualstack_ipv6():
        return
    from_syn_to_time_wait("::1", socket.AF_INET6)


def as_text():
    need_packets()
    path = os.path.join(folder(), "diagram")
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = skt("trace", "--output", path, "--", "connect", "127.0.0.1", server.getsockname()[1],
                   env=dict(os.environ, LC_ALL="C"))
        talk(server, ours)
        check_equal("the status", ours.wait(), 0)
    with open(path) as file:
        lines = file.read().split("\n")
    check(all(len(line) <= 80 and line.isascii() for line in lines), "more than 80 columns, or not ASCII: %r" % lines)
    for pattern in (r"#1 TCP +127\.0\.0\.1:\d+ \(skt connect\) +127\.0\.0\.1:\d+",
                    r" 0\.000000      SYN-SENT \|-- SYN, seq 0 -+>\| \(LISTEN\)",
                    r" \d\.\d{6}   ESTABLISHED \|<- SYN ACK, seq 0, ack 1 -+\| SYN-RECEIVED",
                    r" \d\.\d{6} +\|-- ACK, ack 1 -+>\| ESTABLISHED",
                    r" \d\.\d{6} +\|-- PSH ACK, 8 bytes, seq 1, ack 1 -+>\|",
                    r" \d\.\d{6} +(FIN-WAIT-2|FIN-WAIT-1)? \|<- PSH ACK, 13 bytes, seq 1, ack \d+ -+\|"):
        check(any(re.fullmatch(pattern, line) for line in lines), "no line is %r in:\n%s" % (pattern, "\n".join(lines)))


def traced_listener():
    """The listener's packets are seen from the first on, and the other end is the one that began."""
    need_packets()
    path = os.path.join(folder(), "diagram")
    ours = skt("trace", "--output", path, "--", "listen", "tcp://127.0.0.1:0")
    port = int(ours.wait_err(r"listening on tcp://127.0.0.1:(\d+)\n")[1])
    with socket.create_connection(("127.0.0.1", port)) as conn:
        conn.sendall(b"hello")
        conn.shutdown(socket.SHUT_WR)
        ours.end_input()
        check_equal("the end", conn.recv(10), b"")
    ours.expect(out=b"hello")
    with open(path) as file:
        text = file.read()
    check(re.search(r"#1 TCP +127\.0\.0\.1:\d+ +127\.0\.0\.1:%d \(skt listen\)" % port, text), "who is who: " + text)
    check("SYN-SENT" in text and "5 bytes" in text and "LAST-ACK" in text, "not all is there: " + text)


def becomes_another_program():
    """listen --exec is that program from then on: no calls are told, but its packets are drawn to the end."""
    need_packets()
    ours = Traced("listen", "tcp://127.0.0.1:0", "--exec", "cat")
    port = int(ours.wait_err(r"listening on tcp://127.0.0.1:(\d+)\n")[1])
    with socket.create_connection(("127.0.0.1", port)) as conn:
        for text in (b"one", b"three"):
            conn.sendall(text)
            check_equal("the echo", conn.recv(len(text), socket.MSG_WAITALL), text)
            wait_until(lambda: ours.has('"bytes": %d' % len(text)), "the diagram has it while the program runs")
        conn.shutdown(socket.SHUT_WR)
        check_equal("the end", conn.recv(10), b"")
    check_equal("the status", ours.wait(), 0)
    check_equal("all bytes", sum(row["bytes"] for row in ours.rows()), 16)


def status_is_the_commands():
    need_packets()
    skt("trace", "--", "connect", "--timout", "1", "a", "1").expect(
        status=2, err=r"skt: connect has no option '--timout'; did you mean '--timeout'\?\n.*\n")


play(ipv4, ipv6, as_text, traced_listener, becomes_another_program, status_is_the_commands)
