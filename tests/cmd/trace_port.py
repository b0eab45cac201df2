#!/usr/bin/env python3
"""Other programs' packets by their port: on lo, over a bridge where each passes two interfaces, and with VLAN tags."""
import os
import re
import signal
import socket
import struct
import subprocess
from story import Process, check, check_equal, free_port, need, play, skt, wait_until
from trace_story import Tcpdump, lines_of, need_packets, seen


CLOSED = rb'"states": \["(TIME-WAIT|CLOSED)", "(TIME-WAIT|CLOSED)"\]' # the last packet of a connection


class Watched(Process):
    """skt trace --port, when it has begun."""

    def __init__(self, port, *options):
        need_packets()
        super().__init__(os.environ["SKT"], "trace", "--json", "--port", port, *options)
        self.wait_err("waiting for packets of port %d" % port)

    def rows(self, count, end=signal.SIGINT, what=b"\n"):
        """Once there are so many, or as many with this in them, and a signal has ended it."""
        wait_until(lambda: len(re.findall(what, bytes(self.out))) >= count, "%d lines with %s are there" % (count, what))
        self.stop(end).expect(err="[^\n]*\n")
        rows, self.counts = lines_of(self.out.decode())
        return rows


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def talk(server, address):
    with socket.create_connection(address) as client:
        conn, _ = server.accept()
        client.sendall(b"hello")
        conn.recv(5, socket.MSG_WAITALL)
        conn.close()
        client.recv(1)


def two_conversations_on_lo():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        watched, tcpdump = Watched(port), Tcpdump(port)
        with socket.create_server(("127.0.0.1", 0)) as other:
            talk(other, other.getsockname()) # nobody asked for these
        talk(server, server.getsockname())
        talk(server, server.getsockname())
        rows = watched.rows(2, what=CLOSED)
    check_equal("what tcpdump saw", tcpdump.packets(len(rows)), seen(rows))
    check_equal("the conversations", sorted({row["conversation"] for row in rows}), [1, 2])
    check_equal("the counts", watched.counts, {"packets": len(rows), "conversations": 2, "dropped": 0})
    check(all(row["interface"] == "lo" for row in rows), "another interface than lo")


def from_the_middle_on():
    """Who comes late supposes that the connection stands."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        conn, _ = server.accept()
        with conn:
            watched = Watched(server.getsockname()[1])
            client.sendall(b"hello")
            conn.recv(5, socket.MSG_WAITALL)
            rows = watched.rows(2, signal.SIGTERM)
    check_equal("the first", [rows[0][name] for name in ("what", "bytes", "seq", "ack", "states")],
                ["PSH ACK", 5, 1, 1, ["ESTABLISHED", "ESTABLISHED"]])


def same_ends_again():
    """The same ports for the next connection: a new conversation, not a strange old one."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        watched = Watched(server.getsockname()[1])
        mine = free_port()
        for _ in range(2):
            with socket.socket() as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.bind(("127.0.0.1", mine))
                client.connect(server.getsockname())
                server.accept()[0].close()
        rows = watched.rows(10)
    check_equal("the SYNs' conversations", [row["conversation"] for row in rows if row["what"] == "SYN"], [1, 2])
    check(all(row["kind"] != "retransmission" for row in rows), "a new connection is taken for an old one's repetition")


def idle_ends_it():
    need_packets()
    port = free_port()
    ours = skt("trace", "--port", port, "--idle", "200ms", "--interface", "lo")
    ours.expect(out=b"", err="skt: waiting for packets of port %d on lo; Ctrl-C ends\n"
                             "skt: 0 packets, 0 conversations; the kernel dropped none\n" % port)


def once_over_a_bridge():
    """Each packet passes the bridge and its port, and is one arrow."""
    need_packets()
    need("ip", "nsenter")
    other = Process("unshare", "-n", "cat")
    wait_until(lambda: os.readlink("/proc/%d/ns/net" % other.popen.pid) != os.readlink("/proc/self/ns/net"),
               "there is another network")
    pid = str(other.popen.pid)
    ip("link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns", pid)
    ip("link", "add", "b0", "type", "bridge")
    ip("link", "set", "v0", "master", "b0", "up")
    ip("link", "set", "b0", "up")
    ip("addr", "add", "10.9.0.1/24", "dev", "b0")
    subprocess.run(["nsenter", "-t", pid, "-n", "sh", "-c", "ip addr add 10.9.0.2/24 dev v1; ip link set v1 up"],
                   check=True)
    with socket.create_server(("10.9.0.1", 0)) as server:
        port = server.getsockname()[1]
        watched, tcpdump = Watched(port), Tcpdump(port, "b0")
        client = Process("nsenter", "-t", pid, "-n", os.environ["SKT"], "connect", "10.9.0.1", port)
        conn, _ = server.accept()
        client.send(b"hello").end_input()
        check_equal("what was sent", conn.recv(5, socket.MSG_WAITALL), b"hello")
        conn.close()
        client.expect(out=b"")
        rows = watched.rows(1, what=CLOSED)
    check_equal("what tcpdump saw on the bridge", tcpdump.packets(len(rows)), seen(rows))
    check_equal("interfaces for each direction", len({(row["from"], row["interface"]) for row in rows}), 2)
    other.end_input().wait()


def frame(tags, port, data):
    """An Ethernet frame: a UDP datagram to the port, behind VLAN tags."""
    udp = struct.pack(">HHHH", 1000, port, 8 + len(data), 0) + data
    ip4 = bytearray(struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, b"\x0a\x08\x00\x01",
                                b"\x0a\x08\x00\x02"))
    total = sum(struct.unpack(">10H", ip4))
    struct.pack_into(">H", ip4, 10, ~(total + (total >> 16)) & 0xffff)
    return b"\xff" * 6 + b"\x02\0\0\0\0\1" + b"".join(struct.pack(">HH", *tag) for tag in tags) + b"\x08\0" + ip4 + udp


def vlan_tags():
    """None, one, two; where they are sent and where they come to."""
    need_packets()
    need("ip")
    ip("link", "add", "w0", "type", "veth", "peer", "name", "w1")
    ip("link", "set", "w0", "up")
    ip("link", "set", "w1", "up")
    for interface in ("w0", "w1"):
        watched = Watched(2000, "--interface", interface)
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as raw:
            raw.bind(("w0", 0))
            for i, tags in enumerate(([], [(0x8100, 5)], [(0x88a8, 5), (0x8100, 6)], [(0x8100, 0xe005)])):
                raw.send(frame(tags, 2000, b"x" * (i + 1)))
        rows = watched.rows(4)
        check_equal("the datagrams on " + interface, [(row["from"], row["to"], row["bytes"]) for row in rows],
                    [("10.8.0.1:1000", "10.8.0.2:2000", n) for n in (1, 2, 3, 4)])


def garbage():
    """Frames of any bytes do no harm, and the next good one is seen."""
    need_packets()
    watched = Watched(2000, "--interface", "w1")
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as raw:
        raw.bind(("w0", 0))
        for size in range(15, 200):
            raw.send(frame([], 2000, b"")[:14] + os.urandom(size - 14))
            raw.send(frame([(0x8100, 5)], 2000, b"x" * 200)[:size])
        raw.send(frame([], 2000, b"good"))
    wait_until(lambda: b'"bytes": 4' in watched.out, "the good one is seen")
    watched.stop().expect()


play(two_conversations_on_lo, from_the_middle_on, same_ends_again, idle_ends_it, once_over_a_bridge, vlan_tags, garbage)
