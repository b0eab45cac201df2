#!/usr/bin/env python3
"""10 MiB of noise each way at once, through streams of each kind, and with real peers on
the other side: all arrives, in order, and nobody waits for the other for ever."""
import os
from story import Listener, Process, folder, free_port, need, noise, play, skt, wait_for_port

SIZE = 10 << 20
here = folder()
one, other = noise(SIZE, 1), noise(SIZE, 2)


def exchange(a, b):
    a.send(one)
    b.send(other)
    a.end_input()
    b.end_input()
    a.expect(out=other)
    b.expect(out=one)


def between_two_skt(address):
    listener = Listener(address)
    exchange(listener, skt("connect", listener.address))


def tcp():
    between_two_skt("tcp://127.0.0.1:0")


def unix():
    between_two_skt("unix:" + os.path.join(here, "s"))


def unix_abstract():
    between_two_skt("unix-abstract:skt-story-%d" % os.getpid())


def nc():
    need("nc")
    listener = Listener("tcp://127.0.0.1:0")
    exchange(Process("nc", "-N", "127.0.0.1", listener.port), listener)


def ncat():
    need("ncat")
    listener = Listener("tcp://127.0.0.1:0")
    exchange(Process("ncat", "127.0.0.1", listener.port), listener)


def socat():
    need("socat")
    port = free_port()
    server = Process("socat", "-t30", "-", "TCP-LISTEN:%d,bind=127.0.0.1" % port)
    wait_for_port(port)
    exchange(server, skt("connect", "127.0.0.1", port))


play(tcp, unix, unix_abstract, nc, ncat, socat)
