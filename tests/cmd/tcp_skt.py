#!/usr/bin/env python3
"""Two skt talk over TCP: each prints what the other was given, and both end well."""
from story import Listener, play, skt


def two_skt_talk():
    listener = Listener("tcp://127.0.0.1:0").send(b"from the listener\n")
    caller = skt("connect", listener.address).send(b"from the caller\n")
    listener.wait_out(b"from the caller\n")
    caller.wait_out(b"from the listener\n")
    listener.end_input()
    caller.end_input()
    listener.expect(out=b"from the caller\n", err=r"skt: listening on tcp://127\.0\.0\.1:\d+\n")
    caller.expect(out=b"from the listener\n", err="")


play(two_skt_talk)
