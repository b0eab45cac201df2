#!/usr/bin/env python3
"""fd:N is a socket that skt was started with, as by a service manager or a shell."""
import socket
from story import check, play, skt


def a_connection():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        caller = skt("connect", "fd:%d" % theirs.fileno(), pass_fds=[theirs.fileno()]).send(b"hello").end_input()
        theirs.close()
        check(ours.recv(5, socket.MSG_WAITALL) == b"hello", "hello did not arrive")
        ours.sendall(b"good bye")
        ours.shutdown(socket.SHUT_WR)
        caller.expect(out=b"good bye", err="")


def a_listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        fd, port = server.fileno(), server.getsockname()[1]
        listener = skt("listen", "fd:%d" % fd, pass_fds=[fd])
    listener.wait_err(r"listening on tcp://127\.0\.0\.1:%d\n" % port)
    caller = skt("connect", "127.0.0.1", port).send(b"hello").end_input()
    listener.end_input().expect(out=b"hello")
    caller.expect(err="")


def a_datagram_socket():
    with socket.socket(type=socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        listener = skt("listen", "-e", "input", "fd:%d" % bound.fileno(), pass_fds=[bound.fileno()])
        port = bound.getsockname()[1]
    listener.wait_err(r"listening on udp://127\.0\.0\.1:%d\n" % port)
    skt("connect", "-e", "input", "udp://127.0.0.1:%d" % port).send(b"hello").end_input().expect()
    listener.wait_out(b"hello").end_input().expect()


def what_it_cannot_be():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as fresh:
        fds = [server.fileno(), fresh.fileno()]
        skt("connect", "fd:%d" % fds[0], pass_fds=fds).expect(
            status=2, err=r"skt: 'fd:\d+': descriptor \d+ is a listener; it has no peer yet\n")
        skt("listen", "fd:%d" % fds[1], pass_fds=fds).expect(
            status=2, err=r"skt: 'fd:\d+': descriptor \d+ does not listen\n")


play(a_connection, a_listener, a_datagram_socket, what_it_cannot_be)
