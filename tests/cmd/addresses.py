#!/usr/bin/env python3
"""The forms of an address: all mean what they say."""
import os
import re
import socket
from story import Listener, check, check_equal, is_private, play, skip, skt


def hello(listener, *words):
    caller = skt("connect", *words).send(b"hello").end_input()
    listener.end_input().expect(out=b"hello")
    caller.expect(err="")


def every_address():
    """:PORT and *:PORT are all addresses, of IPv4 and of IPv6."""
    for address in ("tcp://:0", "tcp://*:0", ":0", "*:0"):
        for host in ("127.0.0.1", "::1"):
            listener = Listener(address)
            hello(listener, host, listener.port)


def only_one_family():
    hello_to = {"-4": "127.0.0.1", "-6": "::1"}
    for option, host in hello_to.items():
        other = hello_to["-6" if option == "-4" else "-4"]
        listener = Listener(option, "tcp://:0")
        skt("connect", other, listener.port).expect(status=1, err=".*Connection refused\n")
        hello(listener, host, listener.port)

        datagrams = Listener("-e", "input", option, "udp://:0")
        skt("connect", "udp://[%s]:%d" % (other, datagrams.port)).send(b"hello").expect(status=1, err=".*Connection refused\n")
        datagrams.end_input()
        skt("connect", "-e", "input", "udp://[%s]:%d" % (host, datagrams.port)).send(b"hello").end_input().expect()
        datagrams.expect(out=b"hello")


def by_name():
    listener = Listener("localhost", "0")
    hello(listener, "localhost", listener.port)
    listener = Listener("-4", "localhost:0")
    hello(listener, "-4", "tcp://localhost:%d" % listener.port)


def brackets():
    listener = Listener("tcp://[::1]:0")
    check(re.fullmatch(r"tcp://\[::1\]:\d+", listener.address), listener.address)
    hello(listener, listener.address)
    listener = Listener("::1", "0")
    hello(listener, "[::1]", listener.port)
    listener = Listener("[::1]:0")
    hello(listener, "[::1]:%d" % listener.port)


def a_service_s_name():
    if not is_private() or os.geteuid() != 0:
        skip("a port below 1024 needs root and a network namespace")
    listener = Listener("127.0.0.1", "http")
    check_equal("the port of http", listener.port, 80)
    hello(listener, "tcp://127.0.0.1:http")


def percent():
    """In the names of AF_UNIX, %41 stands for a byte."""
    name = "skt-story-%d" % os.getpid()
    listener = Listener("unix-abstract:" + name + "%00%41")
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(b"\0" + name.encode() + b"\0A")
        s.sendall(b"hello")
    listener.end_input().expect(out=b"hello")


def answers_come_from_the_address_that_was_asked():
    """A datagram listener on all addresses: its client would not know another."""
    for options, host in (([], "127.0.0.1"), ([], "127.0.0.2"), ([], "[::1]"), (["-4"], "127.0.0.2"), (["-6"], "[::1]")):
        listener = Listener("--end", "input", *options, "udp://:0")
        caller = skt("connect", "--end", "input", "udp://%s:%d" % (host, listener.port)).send(b"a question")
        listener.wait_out(b"a question")
        listener.send(b"an answer")
        caller.wait_out(b"an answer")
        listener.end_input().expect()
        caller.end_input().expect()


def a_broadcast_is_answered():
    """Not from the broadcast address, of course."""
    for options in ([], ["-4"]):
        listener = Listener("--end", "input", *options, "udp://:0")
        with socket.socket(type=socket.SOCK_DGRAM) as s:
            s.settimeout(30)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            s.sendto(b"who is there?", ("127.255.255.255", listener.port))
            listener.wait_out(b"who is there?")
            listener.send(b"me").end_input().expect()
            check_equal("the answer", s.recvfrom(100), (b"me", ("127.0.0.1", listener.port)))


def verbose():
    listener = Listener("-v", "tcp://127.0.0.1:0")
    caller = skt("connect", "-v", "localhost", listener.port).end_input()
    listener.end_input()
    caller.expect(err=r"skt: connected to 127\.0\.0\.1:%d\n" % listener.port)
    listener.expect(err=r"skt: listening on \S+\nskt: the peer is 127\.0\.0\.1:\d+\n")


play(
    every_address,
    only_one_family,
    by_name,
    brackets,
    a_service_s_name,
    percent,
    answers_come_from_the_address_that_was_asked,
    a_broadcast_is_answered,
    verbose,
)
