#!/usr/bin/env python3
"""10 MiB of noise each way at once, through streams of each kind, and with real peers on
the other side: all arrives, in order, and nobody waits for the other for ever."""
import os
from story import Listener, Process, folder, free_port, need, noise, skt, wait_for_port

need("nc", "ncat", "socat")
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


for address in ("tcp://127.0.0.1:0", "unix:" + os.path.join(here, "s"), "unix-abstract:skt-story-%d" % os.getpid()):
    listener = Listener(address)
    exchange(listener, skt("connect", listener.address))

for command in (["nc", "-N", "127.0.0.1"], ["ncat", "127.0.0.1"]):
    listener = Listener("tcp://127.0.0.1:0")
    exchange(Process(*command, listener.port), listener)
port = free_port()
server = Process("socat", "-t30", "-", "TCP-LISTEN:%d,bind=127.0.0.1" % port)
wait_for_port(port)
exchange(server, skt("connect", "127.0.0.1", port))
