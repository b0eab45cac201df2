#!/usr/bin/env python3
"""An interrupted skt ends by the signal, as its parent expects."""
import signal
from story import Listener, play, skt

def interrupted():
    for number in (signal.SIGINT, signal.SIGTERM):
        listener = Listener("tcp://127.0.0.1:0")
        caller = skt("connect", listener.address).send(b"hello")
        listener.wait_out(b"hello")
        caller.stop(number).expect(status=-number, err="")
        listener.end_input().expect(out=b"hello")


def interrupted_before_there_is_a_peer():
    for number in (signal.SIGINT, signal.SIGTERM):
        Listener("tcp://127.0.0.1:0").stop(number).expect(status=-number)


play(interrupted, interrupted_before_there_is_a_peer)
