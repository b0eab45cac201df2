#!/usr/bin/env python3
"""--retry tries again until the peer is there, or --timeout is over."""
import socket
from story import Listener, folder, free_port, play, skt

here = folder()


def until_the_peer_is_there():
    port = free_port()
    caller = skt("connect", "--retry", "20ms", "127.0.0.1", port).send(b"hello").end_input()
    caller.wait_err(r"connect 127\.0\.0\.1.*: Connection refused; trying again\n")
    Listener("tcp://127.0.0.1:%d" % port).end_input().expect(out=b"hello")
    caller.expect(err=r"skt: .*; trying again\n")


def until_the_file_is_there():
    address = "unix:%s/late" % here
    caller = skt("connect", "--retry", "20ms", address).end_input()
    caller.wait_err(r"No such file or directory; trying again\n")
    listener = Listener(address).send(b"hello").end_input()
    caller.expect(out=b"hello")
    listener.expect()


def not_for_ever():
    skt("connect", "--retry", "20ms", "--timeout", "200ms", "127.0.0.1", free_port()).expect(
        status=1, err=r"skt: (.*: Connection refused); trying again\nskt: \1\n")


def not_what_can_never_be():
    skt("connect", "--retry", "20ms", "unix:/%zz").expect(status=2, err="skt: .*\n")
    skt("connect", "--retry", "20ms", "--source", "192.0.2.1", "127.0.0.1", free_port(socket.SOCK_STREAM)).expect(
        status=1, err=r"skt: bind .*\n")


play(until_the_peer_is_there, until_the_file_is_there, not_for_ever, not_what_can_never_be)
