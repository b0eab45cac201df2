#!/usr/bin/env python3
"""skt talks over TCP with OpenBSD's nc, ncat, socat and Python, as server and as client.

Each side sends a line, sees the other's, and ends its input; each has to print
all and end by itself."""
import os
import sys
from story import Listener, Process, free_port, need, play, skt, wait_for_port

PYTHON_SERVER = """
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
conn, _ = server.accept()
conn.sendall(sys.stdin.buffer.readline())
conn.shutdown(socket.SHUT_WR)
while data := conn.recv(65536):
    sys.stdout.buffer.write(data)
"""
PYTHON_CLIENT = """
import socket, sys
conn = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
conn.sendall(sys.stdin.buffer.readline())
conn.shutdown(socket.SHUT_WR)
while data := conn.recv(65536):
    sys.stdout.buffer.write(data)
"""

# nc's -N: half-close at the end of input; socat's -t: how long the other direction may go on then.
SERVERS = [
    ("nc", "-N", "-l", "127.0.0.1", "{}"),
    ("ncat", "-l", "127.0.0.1", "{}"),
    ("socat", "-t30", "-", "TCP-LISTEN:{},bind=127.0.0.1"),
    (sys.executable, "-c", PYTHON_SERVER, "{}"),
]
CLIENTS = [
    ("nc", "-N", "127.0.0.1", "{}"),
    ("ncat", "127.0.0.1", "{}"),
    ("socat", "-t30", "-", "TCP:127.0.0.1:{}"),
    (sys.executable, "-c", PYTHON_CLIENT, "{}"),
]


def start(command, port):
    need(command[0])
    return Process(*(word.replace("{}", str(port)) for word in command))


def exchange(peer, ours):
    peer.send(b"from the peer\n")
    ours.send(b"from skt\n")
    ours.wait_out(b"from the peer\n")
    peer.end_input()
    ours.end_input()
    peer.expect(out=b"from skt\n")
    ours.expect(out=b"from the peer\n")


def with_server(command):
    port = free_port()
    server = start(command, port)
    wait_for_port(port)
    exchange(server, skt("connect", "127.0.0.1", port))


def with_client(command):
    listener = Listener("tcp://127.0.0.1:0")
    exchange(start(command, listener.port), listener)


play(*[("server " + os.path.basename(c[0]), lambda c=c: with_server(c)) for c in SERVERS],
     *[("client " + os.path.basename(c[0]), lambda c=c: with_client(c)) for c in CLIENTS])
