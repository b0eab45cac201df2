#!/usr/bin/env python3
"""The file of an AF_UNIX listener: ours is removed however we end, nobody else's ever."""
import os
import signal
import socket
from story import Listener, check, check_equal, folder, play, skt

here = folder()


def path(name):
    return os.path.join(here, name)


def removed_once_there_is_a_peer():
    """Nobody can connect to it any more; a datagram listener needs it up to its end."""
    listener = Listener("unix:" + path("stream"))
    caller = skt("connect", "unix:" + path("stream")).send(b"hello")
    listener.wait_out(b"hello")
    check(not os.path.exists(path("stream")), "the file is still there")
    caller.end_input()
    listener.end_input().expect()
    caller.expect()

    listener = Listener("--end", "input", "unix-dgram:" + path("dgram"))
    skt("connect", "--end", "input", "unix-dgram:" + path("dgram")).send(b"hello").end_input().expect()
    listener.wait_out(b"hello")
    check(os.path.exists(path("dgram")), "the file is gone too early")
    listener.end_input().expect()
    check(not os.path.exists(path("dgram")), "the file is still there")


def removed_on_signals():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        listener = Listener("unix:" + path("signal")).stop(number)
        listener.expect(status=-number) # it has ended by the signal, as its parent can see
        check(not os.path.exists(path("signal")), "the file was left after signal %d" % number)


def nohup():
    """A signal that was ignored stays ignored."""
    listener = Listener("unix:" + path("nohup"), preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    listener.stop(signal.SIGHUP)
    skt("connect", "unix:" + path("nohup")).send(b"alive").end_input()
    listener.wait_out(b"alive")
    listener.end_input().expect()


def left_behind_by_somebody():
    """Not removed, but the way out is told."""
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(path("stale"))
    skt("listen", "unix:" + path("stale")).expect(
        status=1, err=r"skt: bind unix:\S*/stale: Address already in use \(.*file.* left behind.*remove.*\)\n")
    check(os.path.exists(path("stale")), "somebody else's file was removed")


def in_use():
    listener = Listener("unix:" + path("used"))
    skt("listen", "unix:" + path("used")).expect(
        status=1, err=r"skt: bind unix:\S*/used: Address already in use \(held by \S+, process %d\)\n" %
        listener.popen.pid)
    skt("connect", "unix:" + path("used")).send(b"hello").end_input()
    listener.wait_out(b"hello").end_input().expect()


def no_socket():
    with open(path("file"), "w") as f:
        f.write("precious")
    skt("listen", "unix:" + path("file")).expect(
        status=1, err=r"skt: bind unix:\S*/file: there is a file of this name that is no socket\n")
    with open(path("file")) as f:
        check_equal("the file", f.read(), "precious")


def replaced_by_another():
    """Our file was removed and somebody made one of the same name: that one stays."""
    listener = Listener("unix:" + path("mine"))
    os.rename(path("mine"), path("moved"))
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(path("mine"))
        listener.stop(signal.SIGTERM).expect(status=-signal.SIGTERM)
        check(os.path.exists(path("mine")), "another's file was removed")


play(
    removed_once_there_is_a_peer,
    removed_on_signals,
    nohup,
    left_behind_by_somebody,
    in_use,
    no_socket,
    replaced_by_another,
)
