#!/usr/bin/env python3
"""skt ping and ping of iputils ask the same host, by raw sockets and by the kernel's ping sockets, and find the
same; what an nftables rule drops is lost to both."""
import json
import os
import re
import subprocess
from story import Process, check, check_equal, need, need_private_network, play, skip, skt

ADDRESSES = "127.0.0.1", "::1"


def events(*words, status=0):
    ours = skt("ping", "--json", *words).expect(status=status, err="")
    found = [json.loads(line) for line in ours.out.splitlines()]
    check_equal("the last event", (found[-1]["event"], found[-1]["final"]), ("summary", True))
    return found[:-1], found[-1]


def by_raw_sockets(scene):
    def played():
        need_private_network()
        set_range("1 0")
        scene()
    return scene.__name__.replace("_", " ") + ", by raw sockets", played


def by_ping_sockets(scene):
    def played():
        need_private_network()
        set_range("0 0")
        try:
            scene()
        finally:
            set_range("1 0")
    return scene.__name__.replace("_", " ") + ", by ping sockets", played


def set_range(groups):
    """Who may have ping sockets: group 0 ("0 0") or none ("1 0"); whoever is root in a user namespace has no group 1."""
    try:
        with open("/proc/sys/net/ipv4/ping_group_range", "w") as file:
            file.write(groups)
    except OSError:
        skip("this user namespace has one group only")


def both_see_the_same():
    need("ping")
    for address in ADDRESSES:
        theirs = Process("ping", "-n", "-c", "3", "-i", "0.01", "-s", "100", "-t", "33", address).expect(err="")
        pattern = r"108 bytes from %s: icmp_seq=(\d) ttl=(\d+) " % re.escape(address)
        ours, summary = events("-c", "3", "--interval", "10ms", "--size", "100", "--ttl", "33", address)
        check_equal("sequence and ttl", [(str(e["sequence"]), str(e["ttl"])) for e in ours],
                    re.findall(pattern, theirs.out.decode()))
        check_equal("the answers", [(e["event"], e["size"], e["address"]) for e in ours], [("answer", 100, address)] * 3)
        check(all(0 < e["time"] < 10 for e in ours), "times are %r" % [e["time"] for e in ours])
        times = sorted(e["time"] for e in ours)
        check_equal("min and max", (summary["times"]["min"], summary["times"]["max"]), (times[0], times[-1]))
        check(abs(summary["times"]["p50"] / times[1] - 1) < 0.02, "the median of %r is %r" % (times, summary["times"]))
        check_equal("counts", [summary[name] for name in ("sent", "answered", "lost", "late", "errors", "waiting")],
                    [3, 3, 0, 0, 0, 0])


def nft(rules):
    subprocess.run(["nft", "-f", "-"], input="flush ruleset\n" + rules, text=True, check=True)


def every_third_is_dropped():
    need("nft", "ping")
    try:
        for address, match in zip(ADDRESSES, ("icmp type echo-request", "icmpv6 type echo-request")):
            rule = "table inet t { chain c { type filter hook input priority 0; %s numgen inc mod 3 == 1 drop; }; }" % match
            nft(rule)
            theirs = Process("ping", "-n", "-c", "6", "-i", "0.01", "-W", "0.2", address).expect(err="")
            check(b"6 packets transmitted, 4 received" in theirs.out, "ping says %r" % bytes(theirs.out))
            nft(rule)
            ours, summary = events("-c", "6", "--interval", "10ms", "--timeout", "200ms", address)
            check_equal("the lost ones", [e["sequence"] for e in ours if e["event"] == "lost"], [2, 5])
            check_equal("the answered ones", [e["sequence"] for e in ours if e["event"] == "answer"], [1, 3, 4, 6])
            check_equal("counts", [summary[name] for name in ("sent", "answered", "lost")], [6, 4, 2])
            check(abs(summary["loss"] - 1 / 3) < 1e-6, "the loss is %r" % summary["loss"])
    finally:
        nft("")


def any_size():
    for address in ADDRESSES:
        for size in 0, 1, 7, 11, 12, 13, 1473, 65000:
            ours, _ = events("-c", "1", "--size", str(size), address)
            check_equal("the size", [e["size"] for e in ours], [size])


def other_programs_ask_too():
    need("ping")
    others = [Process("ping", "-n", "-i", "0.002", "-c", "200", address) for address in ADDRESSES]
    others += [skt("ping", "--interval", "2ms", "-c", "200", address) for address in ADDRESSES]
    for address in ADDRESSES:
        ours, summary = events("--interval", "1ms", "-c", "300", address)
        check_equal("sequences", [e["sequence"] for e in ours], list(range(1, 301)))
        check_equal("duplicates", summary["duplicates"], 0)
    for other in others:
        other.expect(err="")


def more_than_a_sequence_has_numbers():
    _, summary = events("-c", "66000", "--interval", "0", "127.0.0.1")
    check_equal("counts", [summary[name] for name in ("sent", "answered", "late", "lost", "duplicates")],
                [66000, 66000, 0, 0, 0])


def for_people():
    ours = skt("ping", "-c", "2", "--interval", "1ms", "localhost", "-4").expect(err="")
    time = r"[0-9.]+ [a-z]+"
    check(re.fullmatch(r"localhost \(127\.0\.0\.1\): ICMP, 56 bytes of data\n"
                       r"seq 1    56 bytes from 127\.0\.0\.1  ttl 64  TIME\n"
                       r"seq 2    56 bytes from 127\.0\.0\.1  ttl 64  TIME\n\n"
                       r"localhost \(127\.0\.0\.1\): 2 sent, 2 answered, 0 % lost, in TIME\n"
                       r"min TIME  50 % TIME  90 % TIME  99 % TIME  max TIME  mean TIME\n".replace("TIME", time),
                       ours.out.decode()), "it printed %r" % bytes(ours.out))


def without_any_right():
    need_private_network()
    need("setpriv")
    set_range("1 0")
    drop = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", os.environ["SKT"]]
    Process(*drop, "ping", "-c", "1", "127.0.0.1").expect(
        status=1, out=b"", err=r"skt: ping: neither ping sockets \(net\.ipv4\.ping_group_range\) nor raw ones "
        r"\(CAP_NET_RAW\) can be had: Operation not permitted; --tcp needs no rights\n")


play(*[how(scene) for scene in (both_see_the_same, every_third_is_dropped, any_size, other_programs_ask_too)
       for how in (by_raw_sockets, by_ping_sockets)],
     by_raw_sockets(more_than_a_sequence_has_numbers), by_ping_sockets(for_people), without_any_right)
