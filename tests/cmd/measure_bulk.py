#!/usr/bin/env python3
"""skt measure --bulk moves all that goes through: up to skt discard, down from skt chargen, both ways through skt echo;
and up to a Python program that counts."""
from measuring import Result, Service, tcp_server
from story import check, folder, play

counted = []


def count(conn):
    total = 0
    try:
        while data := conn.recv(1 << 20):
            total += len(data)
    finally:
        counted.append(total)


def up():
    for address in ["tcp://127.0.0.1:0", "unix:" + folder() + "/s"]:
        result = Result("-d", "0.3", "-n", "2", "--bulk", "up", Service("discard", address).address)
        check(result["bytes_out"] > 1 << 20 and result["bytes_in"] == 0, "bytes: %s" % result.whole)


def up_to_one_who_counts():
    result = Result("-d", "0.3", "--bulk", "up", tcp_server(count))
    check(0 < counted[0] - result["bytes_out"] + (1 << 20) <= 1 << 21, "%d have come: %s" % (counted[0], result.whole))


def down():
    result = Result("-d", "0.3", "-n", "2", "--bulk", "down", Service("chargen", "tcp://127.0.0.1:0").address)
    check(result["bytes_in"] > 1 << 20 and result["bytes_out"] == 0, "bytes: %s" % result.whole)


def both():
    result = Result("-d", "0.3", "--bulk", "both", "--threads", "2", "-n", "3", Service("echo", "tcp://127.0.0.1:0").address)
    check(result["bytes_in"] > 1 << 20 and result["bytes_out"] >= result["bytes_in"] * 0.5, "bytes: %s" % result.whole)
    check("latency" not in result.whole, "there are no requests")


def with_a_pace():
    result = Result("-d", "1", "--bulk", "up", "--size", "1000", "--pace", "200",
                    Service("discard", "tcp://127.0.0.1:0").address)
    check(0 < result["bytes_out"] <= 200000 and result["bytes_out"] % 1000 == 0, "bytes: %s" % result.whole)


play(up, up_to_one_who_counts, down, both, with_a_pace)
