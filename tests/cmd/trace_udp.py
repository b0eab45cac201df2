#!/usr/bin/env python3
"""Datagrams are arrows with their sizes, and so is the ICMP error that says that nobody is there."""
import socket
from story import check_equal, free_port, play
from trace_story import Traced, need_packets


def question_and_answer():
    need_packets()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        there = "127.0.0.1:%d" % peer.getsockname()[1]
        ours = Traced("connect", "--idle", "300ms", "udp://" + there)
        ours.send(b"question").end_input()
        _, sender = peer.recvfrom(100)
        peer.sendto(b"a long answer", sender)
        ours.expect(out=b"a long answer")
    here = "127.0.0.1:%d" % sender[1]
    check_equal("the arrows", [(row["protocol"], row["from"], row["to"], row["bytes"]) for row in ours.rows()],
                [("UDP", here, there, 8), ("UDP", there, here, 13)])


def nobody_there(host, scheme):
    need_packets()
    port = free_port(socket.SOCK_DGRAM)
    ours = Traced("connect", "--idle", "5", scheme % port)
    ours.send(b"hello?")
    check_equal("the status", ours.wait(), 1)
    rows = ours.rows()
    there = scheme.replace("udp://", "") % port
    check_equal("the arrows", [(row["what"], row["to"] == there, row["kind"], row.get("bytes")) for row in rows],
                [("UDP", True, "data", 6), ("ICMP port unreachable", False, "error", None)])
    check_equal("which comes from where the datagram went", rows[1]["from"], there)


def icmp():
    nobody_there("127.0.0.1", "udp://127.0.0.1:%d")


def icmpv6():
    if socket.has_dualstack_ipv6():
        nobody_there("::1", "udp://[::1]:%d")


def large_datagrams():
    """Larger than an interface takes at once: fragments of one datagram are one arrow."""
    need_packets()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        ours = Traced("connect", "--end", "input", "udp://127.0.0.1:%d" % peer.getsockname()[1])
        ours.send(b"x" * 60000).end_input()
        check_equal("what arrived", len(peer.recv(65536)), 60000)
        ours.expect()
    check_equal("the arrows", [row["bytes"] for row in ours.rows()], [60000])


play(question_and_answer, icmp, icmpv6, large_datagrams)
