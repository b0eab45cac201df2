#!/usr/bin/env python3
"""A peer that has gone altogether ends the conversation, though the input is open and
idle: at once where the system tells, by probes where only an answer can."""
import os
import socket
import struct
from story import check_equal, folder, is_private, noise, play, skip, skt

here = folder()


def connected_pair(family, name, address):
    with socket.socket(family) as server:
        server.bind(name)
        server.listen()
        ours = skt("connect", address(server.getsockname()))
        return ours, server.accept()[0]


def tcp_pair():
    return connected_pair(socket.AF_INET, ("127.0.0.1", 0), lambda name: "tcp://%s:%d" % name)


def unix_pair(file):
    return connected_pair(socket.AF_UNIX, os.path.join(here, file), lambda name: "unix:" + name)


def unix_peer_closes():
    ours, conn = unix_pair("closes")
    conn.sendall(b"good bye")
    conn.close()
    ours.expect(out=b"good bye", err="")


def unix_peer_only_half_closes():
    ours, conn = unix_pair("half")
    conn.shutdown(socket.SHUT_WR)
    ours.send(b"still here").end_input()
    check_equal("what came after", conn.recv(100, socket.MSG_WAITALL), b"still here")
    conn.close()
    ours.expect(err="")


def unix_peer_stops_reading():
    """It says so, prints what the peer still sends, and ends with the peer."""
    ours, conn = unix_pair("deaf")
    conn.shutdown(socket.SHUT_RD)
    ours.send(b"nobody reads this")
    ours.wait_err("Broken pipe")
    conn.sendall(b"but I talk on")
    conn.close()
    ours.expect(status=1, out=b"but I talk on", err="skt: sendall.*: Broken pipe\n")


def tcp_peer_resets():
    ours, conn = tcp_pair()
    conn.sendall(b"good bye")
    ours.wait_out(b"good bye")
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()
    ours.expect(status=1, out=b"good bye", err=r"skt: recv 127\.0\.0\.1:\d+: Connection reset by peer\n")


def tcp_peer_has_closed_and_we_send():
    """The first thing that is sent tells that nobody reads it."""
    ours, conn = tcp_pair()
    conn.sendall(b"good bye")
    conn.close()
    ours.wait_out(b"good bye")
    ours.send(noise(1 << 20))
    ours.expect(status=1, out=b"good bye", err="skt: .*: (Broken pipe|Connection reset by peer)\n")


def server_answers_early_and_closes():
    """Its answer is printed although the rest of the input cannot be sent."""
    ours, conn = tcp_pair()
    ours.send(noise(8 << 20))
    conn.recv(1000)
    conn.sendall(b"413 too large\n")
    conn.close()
    status = ours.wait()
    check_equal("status", status, 1)
    check_equal("what the server answered", bytes(ours.out), b"413 too large\n")


def tcp_peer_has_closed_and_input_is_idle():
    """The kernel of the peer forgets a closed connection after tcp_fin_timeout, and answers a
    probe with a reset then."""
    if not is_private():
        skip("tcp_fin_timeout can be set in a network namespace only")
    with open("/proc/sys/net/ipv4/tcp_fin_timeout", "w") as timeout:
        timeout.write("1")
    ours, conn = tcp_pair()
    conn.sendall(b"good bye")
    conn.close()
    ours.expect(status=1, out=b"good bye", err="skt: the peer takes no more input: .*\n")


play(
    unix_peer_closes,
    unix_peer_only_half_closes,
    unix_peer_stops_reading,
    tcp_peer_resets,
    tcp_peer_has_closed_and_we_send,
    server_answers_early_and_closes,
    tcp_peer_has_closed_and_input_is_idle,
)
