#!/usr/bin/env python3
"""How a socket is set: where from, by which interface, how far, how marked, how large its buffers; seen from the other end."""
import os
import re
import socket
import struct
import subprocess
from story import Listener, check, check_equal, need, play, skip, skt

TCP_SAVE_SYN, TCP_SAVED_SYN = 27, 28
IP_RECVTTL, IP_RECVTOS = 12, 13


def syn(*options, host="127.0.0.1"):
    """The IP header of the connection's first packet, and its sender."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as server:
        server.setsockopt(socket.IPPROTO_TCP, TCP_SAVE_SYN, 1)
        ours = skt("connect", *options, host, server.getsockname()[1]).end_input()
        conn, peer = server.accept()
        header = conn.getsockopt(socket.IPPROTO_TCP, TCP_SAVED_SYN, 200)
        conn.close()
        ours.expect(err="")
    return header, peer


def source():
    check_equal("the peer", syn("--source", "127.0.0.9")[1][0], "127.0.0.9")
    check_equal("the peer", syn("--source", "127.0.0.9:4567")[1], ("127.0.0.9", 4567))
    check_equal("the peer's port", syn("-s", ":4568")[1][1], 4568)
    check_equal("the peer", syn("--source", "[::1]:4569", host="::1")[1][:2], ("::1", 4569))
    skt("connect", "--source", "192.0.2.1", "127.0.0.1", 80).expect(
        status=1, err=r"skt: bind 192\.0\.2\.1:0: Cannot assign requested address\n")
    skt("connect", "--source", "127.0.0.1", "::1", 80).expect(status=1, err=r"skt: connect ::1: .*\n")


def ttl_and_dscp():
    header, _ = syn("--ttl", "7", "--dscp", "EF")
    check_equal("TTL and class", (header[8], header[1] >> 2), (7, 46))
    header, _ = syn("--ttl", "9", "--dscp", "af41", host="::1")
    check_equal("hops and class", (header[7], (struct.unpack("!H", header[:2])[0] >> 6) & 63), (9, 34))
    for name, number in (("CS1", 8), ("cs7", 56), ("AF11", 10), ("AF43", 38), ("LE", 1), ("63", 63), ("0", 0)):
        check_equal("the class " + name, syn("--dscp", name)[0][1] >> 2, number)


def datagrams_too():
    with socket.socket(type=socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        s.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
        s.setsockopt(socket.IPPROTO_IP, IP_RECVTOS, 1)
        skt("connect", "-e", "input", "--ttl", "7", "--dscp", "CS1", "-s", "127.0.0.9:4570",
            "udp://127.0.0.1:%d" % s.getsockname()[1]).send(b"hello").end_input().expect()
        data, ancillary, _, peer = s.recvmsg(100, 200)
        items = {kind: value[0] for _, kind, value in ancillary}
        check_equal("what came", (data, peer, items[socket.IP_TTL], items[socket.IP_TOS] >> 2),
                    (b"hello", ("127.0.0.9", 4570), 7, 8))


def a_listener_s_answers():
    """What is set on the listener holds for its connections."""
    need("ss")
    listener = Listener("--receive-buffer", "64k", "-O", "SO_SNDBUF=32k", "-O", "tcp_user_timeout=7000", "tcp://127.0.0.1:0")
    with socket.create_connection(("127.0.0.1", listener.port)) as client:
        client.sendall(b"x")
        listener.wait_out(b"x")
        told = subprocess.run(["ss", "-tmn", "sport = :%d" % listener.port], capture_output=True, text=True).stdout
        check(re.search(r"\brb131072,.*\btb65536,", told), "ss says " + told)


def interface():
    if os.geteuid() != 0:
        skip("SO_BINDTODEVICE needs root on older kernels")
    header, _ = syn("--interface", "lo")
    check(len(header) > 0, "nothing came by lo")
    skt("connect", "--interface", "nosuch0", "127.0.0.1", 80).expect(
        status=1, err=r"skt: --interface: there is no 'nosuch0'\n")
    skt("listen", "--interface", "nosuch0", ":0").expect(status=1, err=r"skt: --interface: there is no 'nosuch0'\n")


def what_a_socket_refuses():
    """It is said once, however many addresses a host has."""
    skt("connect", "-O", "SO_RCVBUFFORCE=1M", "-O", "TCP_CONGESTION=nosuch", "localhost", 80).expect(
        status=1, err=r"skt: cannot set TCP_CONGESTION=nosuch: .*\n")
    skt("listen", "-O", "UDP_CORK=1", "tcp://:0").expect(status=1, err=r"skt: cannot set UDP_CORK=1: .*\n")


play(source, ttl_and_dscp, datagrams_too, a_listener_s_answers, interface, what_a_socket_refuses)
