#!/usr/bin/env python3
"""At a terminal, skt ends when the peer has, without waiting for a key; what was typed
before has gone over.  Ctrl-D ends the input and the answer is still printed."""
import os
import pty
import socket
from story import Listener, check_equal, play, skt


def at_terminal(scene):
    """scene gets our end of the keyboard, and what skt takes for a terminal."""
    def played():
        keyboard, terminal = pty.openpty()
        try:
            scene(keyboard, terminal)
        finally:
            os.close(keyboard)
            os.close(terminal)
    played.__name__ = scene.__name__
    return played


@at_terminal
def the_server_closes(keyboard, terminal):
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = skt("connect", "127.0.0.1", server.getsockname()[1], stdin=terminal)
        conn, _ = server.accept()
        with conn:
            os.write(keyboard, b"typed\n")
            check_equal("what was typed", conn.recv(6, socket.MSG_WAITALL), b"typed\n")
            conn.sendall(b"good bye\n")
        ours.expect(out=b"good bye\n", err="")


@at_terminal
def the_client_closes(keyboard, terminal):
    listener = Listener("tcp://127.0.0.1:0", stdin=terminal)
    with socket.create_connection(("127.0.0.1", listener.port)) as conn:
        conn.sendall(b"good bye\n")
    listener.expect(out=b"good bye\n")


@at_terminal
def ctrl_d(keyboard, terminal):
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = skt("connect", "127.0.0.1", server.getsockname()[1], stdin=terminal)
        conn, _ = server.accept()
        with conn:
            os.write(keyboard, b"typed\n\x04")
            check_equal("what was typed", conn.recv(100, socket.MSG_WAITALL), b"typed\n")
            conn.sendall(b"an answer\n")
        ours.expect(out=b"an answer\n", err="")


play(the_server_closes, the_client_closes, ctrl_d)
