#!/usr/bin/env python3
"""skt trace -- ping: echo requests and replies are arrows, also where both ends are one address."""
import socket
from story import check_equal, play
from trace_story import Traced, need_packets


def pinged(host, name):
    need_packets()
    ours = Traced("ping", "-c", "2", "--interval", "10ms", host)
    check_equal("the status", ours.wait(), 0)
    rows = ours.rows()
    check_equal("the arrows", [(row["protocol"], row["what"], row["bytes"], row["seq"]) for row in rows],
                [("ICMP", what, 56, seq) for seq in (1, 2) for what in ("echo request", "echo reply")])
    check_equal("the ends", {(row["from"], row["to"]) for row in rows}, {(name, name)})
    check_equal("the conversations", ours.counts["conversations"], 1)


def ipv4():
    pinged("127.0.0.1", "127.0.0.1")


def ipv6():
    if socket.has_dualstack_ipv6():
        pinged("::1", "[::1]")


def others_pings_are_not_ours():
    """Nor has a port anything to do with them."""
    need_packets()
    first = Traced("ping", "-c", "3", "--interval", "50ms", "127.0.0.1")
    check_equal("the status of another", Traced("ping", "-c", "1", "127.0.0.2").wait(), 0)
    check_equal("the status", first.wait(), 0)
    check_equal("whom we asked", {row["to"] for row in first.rows()}, {"127.0.0.1"})


play(ipv4, ipv6, others_pings_are_not_ours)
