#!/usr/bin/env python3
"""The end of the input is passed on, and the other direction goes on for as long as it
likes: whichever side ends first, all that is sent later still arrives."""
import socket
from story import Listener, check_equal, noise, play, skt

MUCH = noise(1 << 20)


def read_all(conn):
    data = b""
    while part := conn.recv(65536):
        data += part
    return data


def we_end_first():
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = skt("connect", "127.0.0.1", server.getsockname()[1]).send(b"all that we say").end_input()
        conn, _ = server.accept()
        with conn:
            check_equal("what the server read up to the end", read_all(conn), b"all that we say")
            conn.sendall(MUCH)
        ours.expect(out=MUCH, err="")


def the_peer_ends_first():
    """A server that has nothing to say, and reads on: a slow producer is not cut off."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = skt("connect", "127.0.0.1", server.getsockname()[1]).send(b"first, ")
        conn, _ = server.accept()
        with conn:
            conn.shutdown(socket.SHUT_WR)
            check_equal("what came before", conn.recv(7, socket.MSG_WAITALL), b"first, ")
            ours.send(MUCH).end_input()
            check_equal("what came after the server's end", read_all(conn), MUCH)
        ours.expect(out=b"", err="")


def a_listener_without_input():
    """As in a script's background: standard input is /dev/null, so its end comes at once."""
    with open("/dev/null") as nothing:
        listener = Listener("tcp://127.0.0.1:0", stdin=nothing)
    caller = skt("connect", listener.address).send(b"first, ")
    listener.wait_out(b"first, ")
    caller.send(MUCH).end_input().expect(out=b"", err="")
    listener.expect(out=b"first, " + MUCH)


def a_closed_input():
    """`<&-` is no input, and the connection must not take its number."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = skt("connect", "127.0.0.1", server.getsockname()[1], preexec_fn=lambda: __import__("os").close(0))
        conn, _ = server.accept()
        with conn:
            check_equal("what the server read", read_all(conn), b"")
            conn.sendall(b"an answer")
        ours.expect(out=b"an answer", err="")


play(we_end_first, the_peer_ends_first, a_listener_without_input, a_closed_input)
