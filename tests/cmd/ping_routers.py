#!/usr/bin/env python3
"""Behind a router, in namespaces of their own: an error that it sends back is told with its address, and ping of
iputils says the same; what it drops is lost, with TCP and UDP too.

    we  10.0.1.2, fd01::2 --- 10.0.1.1, fd01::1  router  10.0.2.1, fd02::1 --- 10.0.2.2, fd02::2  host
"""
import json
import subprocess
from story import Process, check, check_equal, need, need_private_network, play, skip, skt, wait_until

ROUTER = {"10.0.2.2": "10.0.1.1", "fd02::2": "fd01::1"}


def run(*words):
    subprocess.run(words, check=True)


def ip(*words):
    run("ip", *words)


class Machine(Process):
    """A network namespace, for as long as a process sleeps in it."""

    def __init__(self):
        super().__init__("unshare", "-n", "sh", "-c", "ip link set lo up; echo up; exec sleep 1000")
        self.wait_out(b"up\n")

    def run(self, *words):
        run("nsenter", "-t", str(self.popen.pid), "-n", *words)

    def ip(self, *words):
        self.run("ip", *words)

    def start(self, *words):
        return Process("nsenter", "-t", self.popen.pid, "-n", *words)

    def forward_by(self, rule):
        self.run("nft", "flush ruleset; " + ("add table inet t; add chain inet t c "
                 "{ type filter hook forward priority 0; }; add rule inet t c " + rule if rule else ""))


def link(ours, our_name, our_addresses, theirs, their_name, their_addresses):
    ip("link", "add", our_name, "type", "veth", "peer", "name", their_name)
    for machine, name, addresses in (ours, our_name, our_addresses), (theirs, their_name, their_addresses):
        if machine:
            ip("link", "set", name, "netns", str(machine.popen.pid))
        do = machine.ip if machine else ip
        for address in addresses:
            do("address", "add", address, "dev", name, *(["nodad"] if ":" in address else []))
        do("link", "set", name, "up")


def build():
    need_private_network()
    need("ip", "nft", "ping", "nsenter")
    global router, host
    router, host = Machine(), Machine()
    link(None, "we", ["10.0.1.2/24", "fd01::2/64"], router, "r1", ["10.0.1.1/24", "fd01::1/64"])
    link(router, "r2", ["10.0.2.1/24", "fd02::1/64"], host, "host", ["10.0.2.2/24", "fd02::2/64"])
    router.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1",
               "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0")
    for do, family, gateway in ((ip, "-4", "10.0.1.1"), (ip, "-6", "fd01::1"), (host.ip, "-4", "10.0.2.1"),
                                (host.ip, "-6", "fd02::1")):
        do(family, "route", "add", "default", "via", gateway)


def set_range(groups):
    """Who may have ping sockets: group 0 ("0 0") or none ("1 0"); whoever is root in a user namespace has no group 1."""
    try:
        with open("/proc/sys/net/ipv4/ping_group_range", "w") as file:
            file.write(groups)
    except OSError:
        skip("this user namespace has one group only")


def with_both_kinds_of_sockets(scene):
    def played():
        for groups in "1 0", "0 0":
            set_range(groups)
            scene()
    played.__name__ = scene.__name__
    return played


def ping(*words, status):
    ours = skt("ping", "--json", "--interval", "20ms", *words).expect(status=status, err="")
    found = [json.loads(line) for line in ours.out.splitlines()]
    return found[:-1], found[-1]


def is_there():
    """And it is two hops away; the first ones may have been lost while the links came up."""
    build()
    for address in ROUTER:
        wait_until(lambda: skt("ping", "-c", "1", "--timeout", "200ms", address).wait() == 0, address + " answers")
    check_twice()


@with_both_kinds_of_sockets
def check_twice():
    for address in ROUTER:
        found, _ = ping("-c", "2", address, status=0)
        check_equal("ttl", [e["ttl"] for e in found], [63, 63])


@with_both_kinds_of_sockets
def hops_used_up():
    for address, by in ROUTER.items():
        theirs = Process("ping", "-n", "-c", "1", "-t", "1", address).expect(status=1)
        words = b"Time to live exceeded" if ":" not in address else b"Hop limit"
        check(b"From " + by.encode() + b" icmp_seq=1 Time exceeded: Hop limit" in theirs.out or
              b"From " + by.encode() + b" icmp_seq=1 " + words in theirs.out, "ping says %r" % bytes(theirs.out))
        found, summary = ping("-c", "3", "--ttl", "1", address, status=1)
        check_equal("errors", [(e["event"], e["sequence"], e["error"], e["from"]) for e in found],
                    [("error", n, "hops used up", by) for n in (1, 2, 3)])
        check_equal("counts", [summary[name] for name in ("sent", "answered", "errors", "lost", "loss")], [3, 0, 3, 0, 1])


@with_both_kinds_of_sockets
def no_way_on():
    """A router of Linux tells this once a second at most, once it has told it some times."""
    def error(address):
        event = ping("-c", "1", "--timeout", "300ms", address, status=1)[0][0]
        return event["event"] == "error" and (event["error"], event["from"])
    for address, by, said in ("10.0.3.1", "10.0.1.1", "network unreachable"), ("fd03::1", "fd01::1", "no route"):
        check_equal("the error", wait_until(lambda: error(address), "the router complains"), (said, by))


@with_both_kinds_of_sockets
def a_filter_says_so():
    for address, by in ROUTER.items():
        router.forward_by("reject with icmpx type admin-prohibited")
        found, _ = ping("-c", "2", address, status=1)
        router.forward_by("")
        check_equal("errors", [(e["event"], e["error"], e["from"]) for e in found],
                    [("error", "prohibited by a filter", by)] * 2)


@with_both_kinds_of_sockets
def a_narrow_link():
    router.ip("link", "set", "r2", "mtu", "1300")
    try:
        for address, by in ROUTER.items():
            found, _ = ping("-c", "1", "--size", "1400", "-O", "IP_MTU_DISCOVER=probe" if ":" not in address else
                            "IPV6_MTU_DISCOVER=probe", address, status=1)
            check_equal("errors", [(e["error"], e["from"]) for e in found], [("packet too big for a link of 1300 bytes", by)])
    finally:
        router.ip("link", "set", "r2", "mtu", "1500")
        for family in "-4", "-6":
            ip(family, "route", "flush", "cache")


def some_are_lost_on_the_way():
    router.forward_by("meta l4proto icmp numgen inc mod 4 == 0 drop")
    found, summary = ping("-c", "4", "--timeout", "300ms", "10.0.2.2", status=0)
    router.forward_by("")
    check_equal("counts", [summary[name] for name in ("sent", "answered", "lost")], [4, 2, 2])


SERVER = """
import socket, threading
tcp = socket.create_server(("", 80), family=socket.AF_INET6, dualstack_ipv6=True)
udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
udp.bind(("", 7))
def echo():
    while True:
        udp.sendto(*udp.recvfrom(70000))
threading.Thread(target=echo, daemon=True).start()
print("ready", flush=True)
while True:
    tcp.accept()[0].close()
"""


def tcp_open_closed_filtered():
    host.start("python3", "-c", SERVER).wait_out(b"ready\n")
    for address, by in ROUTER.items():
        found, summary = ping("-c", "3", "--tcp", address, "80", status=0)
        check_equal("answers", [(e["event"], e["sequence"], e["address"]) for e in found],
                    [("answer", n, address) for n in (1, 2, 3)])
        check_equal("the rest", (summary["protocol"], summary["port"], summary["answered"]), ("TCP", 80, 3))
        found, _ = ping("-c", "2", "[%s]:81" % address if ":" in address else address + ":81", status=1)
        check_equal("closed", [(e["event"], e["error"], e["from"]) for e in found],
                    [("error", "Connection refused", None)] * 2)
        router.forward_by("tcp dport 80 drop")
        found, summary = ping("-c", "2", "--timeout", "200ms", address, "80", status=1)
        check_equal("dropped", [(e["event"], e["sequence"]) for e in found], [("lost", 1), ("lost", 2)])
        router.forward_by("tcp dport 80 reject with icmpx type admin-prohibited")
        found, _ = ping("-c", "1", "--tcp", "80", address, status=1)
        router.forward_by("")
        check_equal("rejected", [(e["error"], e["from"]) for e in found], [("prohibited by a filter", by)])
        found, _ = ping("-c", "1", "--ttl", "1", "--tcp", "80", address, status=1)
        check_equal("too far", [(e["error"], e["from"]) for e in found], [("hops used up", by)])


def udp_echo_and_nobody():
    for address, by in ROUTER.items():
        url = "udp://[%s]:" % address if ":" in address else "udp://%s:" % address
        found, _ = ping("-c", "2", "--size", "1000", url + "7", status=0)
        check_equal("answers", [(e["event"], e["sequence"], e["size"], e["ttl"]) for e in found],
                    [("answer", n, 1000, 63) for n in (1, 2)])
        found, _ = ping("-c", "2", url + "9", status=1)
        check_equal("nobody", [(e["event"], e["sequence"], e["error"], e["from"]) for e in found],
                    [("error", n, "port unreachable", address) for n in (1, 2)])
        found, _ = ping("-c", "1", "--ttl", "1", url + "7", status=1)
        check_equal("too far", [(e["error"], e["from"]) for e in found], [("hops used up", by)])


def for_people():
    ours = skt("ping", "-c", "1", "--ttl", "1", "10.0.2.2").expect(status=1, err="")
    check(b"\nseq 1    hops used up, says 10.0.1.1\n" in ours.out, "it printed %r" % bytes(ours.out))


play(is_there, hops_used_up, no_way_on, a_filter_says_so, a_narrow_link, some_are_lost_on_the_way,
     tcp_open_closed_filtered, udp_echo_and_nobody, for_people)
