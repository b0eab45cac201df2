#!/usr/bin/env python3
"""A segment that nftables throws away is sent again, and the diagram says so, as tshark does."""
import socket
from story import Process, check, check_equal, need, play, wait_until
from trace_story import Traced, lose, lose_nothing, need_packets


def data_is_sent_again():
    need_packets()
    need("nft", "tshark")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        tshark = Process("tshark", "-i", "lo", "-l", "-f", "tcp port %d" % port, "-T", "fields", "-e", "tcp.len", "-e",
                         "tcp.analysis.retransmission")
        tshark.wait_err("Capture started")
        ours = Traced("connect", "127.0.0.1", port)
        conn, _ = server.accept()
        with conn:
            lose(port, "psh")
            ours.send(b"lost once, at least")
            wait_until(lambda: ours.has("retransmission"), "the diagram tells of a retransmission")
            lose_nothing()
            check_equal("what arrived", conn.recv(100), b"lost once, at least")
            ours.end_input()
            check_equal("the end", conn.recv(100), b"")
        ours.expect(out=b"")
    rows = ours.rows()
    again = [row for row in rows if row["kind"] == "retransmission"]
    sent = [row for row in rows if row["bytes"] == 19]
    check_equal("the first of them", sent[0]["kind"], "data")
    check(len(again) == len(sent) - 1 and all(row["seq"] == sent[0]["seq"] == 1 for row in again),
          "sent %d times, %d of them again" % (len(sent), len(again)))
    check(all(row["note"] == "retransmission" for row in again), "it is not said")
    wait_until(lambda: len(tshark.out.splitlines()) >= len(rows), "tshark has seen as many packets")
    tshark.stop().wait()
    theirs = [line.split(b"\t") for line in tshark.out.splitlines()]
    check_equal("tshark's sizes", [int(size) for size, _ in theirs], [row["bytes"] for row in rows])
    check_equal("tshark's retransmissions", [bool(mark) for _, mark in theirs],
                [row["kind"] == "retransmission" for row in rows])


def syn_is_sent_again():
    need_packets()
    need("nft")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        lose(port, "syn")
        ours = Traced("connect", "127.0.0.1", port)
        wait_until(lambda: ours.has("retransmission"), "the diagram tells of a retransmission")
        lose_nothing()
        conn, _ = server.accept()
        conn.close()
        ours.end_input().wait()
    rows = ours.rows()
    check_equal("the first two", [(row["what"], row["kind"], row["states"][0]) for row in rows[:2]],
                [("SYN", "open", "SYN-SENT"), ("SYN", "retransmission", "SYN-SENT")])


play(data_is_sent_again, syn_is_sent_again)
