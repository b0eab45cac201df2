#!/usr/bin/env python3
"""Datagrams: each arrives as it was sent, an empty one is no end, the largest fits, and
only the peer's count."""
import os
import socket
from story import Listener, check, check_equal, folder, noise, play, skip, skt

here = folder()
LARGEST = 65507


def receiver():
    s = socket.socket(type=socket.SOCK_DGRAM)
    s.settimeout(30)
    s.bind(("127.0.0.1", 0))
    return s, "udp://127.0.0.1:%d" % s.getsockname()[1]


def each_line_is_one():
    s, address = receiver()
    ours = skt("connect", "--end", "input", address)
    for line in (b"one\n", b"two\n", b"three\n"):
        ours.send(line)
        check_equal("the datagram", s.recv(LARGEST), line)
    ours.end_input().expect(err="")
    s.close()


def much_input_is_cut_at_the_largest():
    s, address = receiver()
    data = noise(LARGEST + 100)
    with open(os.path.join(here, "input"), "wb") as f:
        f.write(data)
    with open(os.path.join(here, "input"), "rb") as f:
        skt("connect", "--end", "input", address, stdin=f).expect(err="")
    check_equal("the first datagram's length", len(s.recv(1 << 20)), LARGEST)
    check_equal("the second datagram", s.recv(1 << 20), data[LARGEST:])
    s.close()


def an_empty_one_is_no_end():
    listener = Listener("--end", "input", "udp://127.0.0.1:0")
    with socket.socket(type=socket.SOCK_DGRAM) as s:
        for data in (b"", b"one", b"", b"two"):
            s.sendto(data, ("127.0.0.1", listener.port))
        listener.wait_out(b"onetwo")
    listener.end_input().expect(out=b"onetwo")


def only_the_peer_counts():
    """Whoever sends the first one; others are not heard, not even those who came in between."""
    listener = Listener("--end", "input", "udp://127.0.0.1:0")
    with socket.socket(type=socket.SOCK_DGRAM) as peer, socket.socket(type=socket.SOCK_DGRAM) as other:
        to = ("127.0.0.1", listener.port)
        for s, data in ((peer, b"one "), (other, b"intruder "), (peer, b"two "), (other, b"again "), (peer, b"three")):
            s.sendto(data, to)
        listener.wait_out(b"three")
        listener.send(b"to the peer").end_input().expect(out=b"one two three")
        peer.settimeout(30)
        check_equal("what the peer got", peer.recv(100), b"to the peer")
        other.setblocking(False)
        try:
            check(False, "the other got %r" % other.recv(100))
        except BlockingIOError:
            pass


def the_largest_of_a_unix_socket():
    """Larger than any of UDP."""
    path = os.path.join(here, "large")
    listener = Listener("--end", "input", "unix-dgram:" + path)
    data = noise(150000)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.connect(path)
        s.send(data)
        listener.wait_out(data)
    listener.end_input().expect(out=data)


def a_sender_without_a_name():
    """It can be heard but not answered."""
    path = os.path.join(here, "unnamed")
    listener = Listener("unix-dgram:" + path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.connect(path)
        s.send(b"one ")
        s.send(b"two")
        listener.wait_out(b"one two")
    listener.send(b"an answer")
    listener.expect(status=1, out=b"one two",
                    err="skt: listening on .*\nskt: the peer has no address that an answer could be sent to\n")


def longer_than_can_be():
    """One that the kernel was allowed to make larger than we take: said, not cut."""
    path = os.path.join(here, "huge")
    with open("/proc/sys/net/core/wmem_max") as limit:
        if int(limit.read()) < 300000:
            skip("net.core.wmem_max is too small")
    listener = Listener("unix-dgram:" + path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 600000)
        s.connect(path)
        s.send(noise(270000))
    listener.expect(status=1, out=b"", err="(?s).*longer than 256 KiB\n")


play(
    each_line_is_one,
    much_input_is_cut_at_the_largest,
    an_empty_one_is_no_end,
    only_the_peer_counts,
    the_largest_of_a_unix_socket,
    a_sender_without_a_name,
    longer_than_can_be,
)
