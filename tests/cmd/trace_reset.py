#!/usr/bin/env python3
"""Connections that end by a reset: refused, or broken off by SO_LINGER 0."""
import socket
from story import check, check_equal, free_port, play, wait_until
from trace_story import Tcpdump, Traced, need_packets, reset_on_close, seen, steps


def refused():
    need_packets()
    port = free_port()
    tcpdump = Tcpdump(port)
    ours = Traced("connect", "127.0.0.1", port)
    ours.expect(status=1, out=b"", err="skt: connect 127.0.0.1 [^\n]*: Connection refused\n")
    rows = ours.rows()
    check_equal("the packets", seen(rows), [("SYN", 0), ("RST ACK", 0)])
    check_equal("what tcpdump saw", tcpdump.packets(2), seen(rows))
    check_equal("the kinds", [row["kind"] for row in rows], ["open", "reset"])
    check_equal("our states", steps(rows, rows[0]["from"]), ["SYN-SENT", "CLOSED"])


def refused_by_every_address():
    """An attempt each, and a conversation each."""
    need_packets()
    port = free_port()
    ours = Traced("connect", "localhost", port)
    check_equal("the status", ours.wait(), 1)
    rows = ours.rows()
    check_equal("SYNs and resets", len(rows), 2 * ours.counts["conversations"])
    check(ours.counts["conversations"] >= 1, "no conversation")


def broken_off_by_linger():
    need_packets()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        tcpdump = Tcpdump(port)
        ours = Traced("connect", "127.0.0.1", port)
        ours.send(b"hello")
        conn, _ = server.accept()
        check_equal("what was sent", conn.recv(5, socket.MSG_WAITALL), b"hello")
        reset_on_close(conn)
        conn.close()
        check_equal("the status", ours.wait(), 1)
    rows = ours.rows()
    check_equal("what tcpdump saw", tcpdump.packets(len(rows)), seen(rows))
    check_equal("the last", (rows[-1]["what"], rows[-1]["kind"], rows[-1]["states"]),
                ("RST ACK", "reset", ["CLOSED", "CLOSED"]))
    check_equal("their states", steps(rows, rows[-1]["from"]), ["LISTEN", "SYN-RECEIVED", "ESTABLISHED", "CLOSED"])


def a_signal_ends_both():
    """SIGTERM is passed on to the command, the diagram is finished, and the parent sees the signal."""
    need_packets()
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = Traced("connect", "127.0.0.1", server.getsockname()[1])
        conn, _ = server.accept()
        with conn:
            wait_until(lambda: ours.has("ESTABLISHED"), "the handshake is in the diagram")
            ours.stop()
            check_equal("the end", conn.recv(10), b"")
        check_equal("the status", ours.wait(), -15)
    rows = ours.rows()
    check("FIN ACK" in [row["what"] for row in rows], "the close is missing")


play(refused, refused_by_every_address, broken_off_by_linger, a_signal_ends_both)
