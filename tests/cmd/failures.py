#!/usr/bin/env python3
"""What the system refuses is said in one line that tells the address, with status 1."""
import os
import socket
from story import Listener, check, folder, free_port, play, skt

here = folder()


def fails(words, pattern):
    skt(*words).expect(status=1, out=b"", err="skt: " + pattern + "\n")


def connect():
    port = free_port()
    fails(["connect", "127.0.0.1", port], r"connect 127\.0\.0\.1(:%d)? ?.*: Connection refused" % port)
    fails(["connect", "tcp://localhost:%d" % port], r"connect localhost.*%d.*: Connection refused.*" % port)
    fails(["connect", "-6", "127.0.0.1", "80"], r"connect 127\.0\.0\.1: .*")
    fails(["connect", "unix:%s/none" % here], r"connect unix:\S*/none: No such file or directory")
    fails(["connect", "unix-abstract:skt-story-nobody"], "connect unix-abstract:skt-story-nobody: Connection refused")


def listen():
    fails(["listen", "203.0.113.1", "80"], r"bind 203\.0\.113\.1:80: Cannot assign requested address")
    fails(["listen", "udp://203.0.113.1:80"], r"bind 203\.0\.113\.1:80: Cannot assign requested address")
    fails(["listen", "unix:%s/none/x" % here], r"bind unix:\S*/none/x: No such file or directory")


def names():
    fails(["connect", "udp://nosuch.invalid:80"], r".*: (Name|Temporary).*")
    fails(["connect", "nosuch.invalid", "80"], r"connect nosuch\.invalid: (Name|Temporary).*")
    fails(["listen", "nosuch.invalid", "80"], r"getaddrinfo nosuch\.invalid: (Name|Temporary).*")


def nobody_comes():
    fails(["listen", "-t", "50ms", "tcp://127.0.0.1:0"],
          r"listening on tcp://127\.0\.0\.1:\d+\nskt: accept: timed out")
    fails(["listen", "-t", "50ms", "udp://127.0.0.1:0"],
          r"listening on udp://127\.0\.0\.1:\d+\nskt: recvmsg: timed out")
    fails(["listen", "-t", "50ms", "unix:%s/lonely" % here],
          r"listening on unix:\S*/lonely\nskt: accept: timed out")
    check(not os.path.exists(here + "/lonely"), "the socket's file was left behind")


def nobody_answers():
    """A full queue takes no further connection."""
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as first:
        server.bind(here + "/full")
        server.listen(0)
        first.connect(here + "/full")
        fails(["connect", "-t", "50ms", "unix:%s/full" % here], r"connect unix:\S*/full: timed out")


def in_use_and_by_whom():
    for scheme in ("tcp", "udp"):
        listener = Listener("%s://127.0.0.1:0" % scheme)
        fails(["listen", listener.address],
              r"bind 127\.0\.0\.1:%d: Address already in use \(held by \S+, process %d\)" %
              (listener.port, listener.popen.pid))


def nobody_hears_a_datagram():
    """The system tells with the next one, or while we wait."""
    port = free_port(socket.SOCK_DGRAM)
    ours = skt("connect", "udp://127.0.0.1:%d" % port).send(b"hello")
    ours.expect(status=1, err=r"skt: (recv|send\w*) 127\.0\.0\.1:%d: Connection refused\n" % port)


play(connect, listen, names, nobody_comes, nobody_answers, in_use_and_by_whom, nobody_hears_a_datagram)
