#!/usr/bin/env python3
"""Descriptors are passed over Unix sockets with the first bytes, and shown where they arrive."""
import os
import socket
import sys
from story import Listener, check, check_equal, folder, play, skt

here = folder()
with open(here + "/secret", "w") as made:
    made.write("what is in the file")


def sent():
    path = here + "/sent"
    with socket.socket(socket.AF_UNIX) as server, open(here + "/secret") as file:
        server.bind(path)
        server.listen()
        caller = skt("connect", "--send-fd", file.fileno(), "unix:" + path, pass_fds=[file.fileno()]).send(b"take this")
        conn, _ = server.accept()
        with conn:
            data, fds, _, _ = socket.recv_fds(conn, 100, 10)
            check_equal("the bytes beside it", data, b"take this")
            check_equal("descriptors", len(fds), 1)
            with open(fds[0]) as passed:
                check_equal("what it reads", passed.read(), "what is in the file")
        caller.end_input().wait()


def shown():
    listener = Listener("unix:%s/shown" % here)
    with socket.socket(socket.AF_UNIX) as client, open(here + "/secret") as file:
        client.connect(here + "/shown")
        socket.send_fds(client, [b"take this"], [file.fileno(), file.fileno()])
        listener.wait_out(b"take this")
        listener.wait_err(r"(?s)(skt: the peer has passed a descriptor: \S+/secret\n){2}")
        left = [os.readlink("/proc/%d/fd/%s" % (listener.popen.pid, fd))
                for fd in os.listdir("/proc/%d/fd" % listener.popen.pid)]
        check(not any(target.endswith("/secret") for target in left), "it was kept: %s" % left)
    listener.end_input().expect(out=b"take this")


def between_two_skt():
    listener = Listener("unix-seqpacket:%s/both" % here)
    with open(here + "/secret") as file:
        skt("connect", "--send-fd", file.fileno(), "unix-seqpacket:%s/both" % here,
            pass_fds=[file.fileno()]).send(b"x").end_input()
    listener.wait_err(r"descriptor: \S+/secret\n")
    listener.end_input().expect(out=b"x")


def a_program_receives_it():
    program = "import os, socket; s = socket.socket(fileno=0); os.write(2, os.read(socket.recv_fds(s, 9, 1)[1][0], 99))"
    listener = Listener("unix:%s/program" % here, "--exec", sys.executable, "-c", program)
    with socket.socket(socket.AF_UNIX) as client, open(here + "/secret") as file:
        client.connect(here + "/program")
        socket.send_fds(client, [b"x"], [file.fileno()])
        listener.wait_err("what is in the file")


def nothing_to_go_with():
    listener = Listener("unix:%s/nothing" % here)
    skt("connect", "--send-fd", "0", "unix:%s/nothing" % here).end_input().expect(
        status=1, err="skt: --send-fd: the input ended before there was a byte for descriptors to go with\n")
    listener.end_input().expect()


play(sent, shown, between_two_skt, a_program_receives_it, nothing_to_go_with)
