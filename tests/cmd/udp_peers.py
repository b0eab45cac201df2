#!/usr/bin/env python3
"""skt talks over UDP with OpenBSD's nc, ncat, socat, Python and itself, as server and as client.

The client speaks first, the server answers. With --end input, skt ends once its
input has ended and is sent; the peers know no end and are stopped."""
import os
import socket
import sys
from story import Listener, Process, free_port, need, play, skt, wait_for_port

PYTHON_SERVER = """
import socket, sys
s = socket.socket(type=socket.SOCK_DGRAM)
s.bind(("127.0.0.1", int(sys.argv[1])))
data, sender = s.recvfrom(65536)
sys.stdout.buffer.write(data)
sys.stdout.flush()
s.sendto(sys.stdin.buffer.readline(), sender)
sys.stdin.read()
"""
PYTHON_CLIENT = """
import socket, sys
s = socket.socket(type=socket.SOCK_DGRAM)
s.sendto(sys.stdin.buffer.readline(), ("127.0.0.1", int(sys.argv[1])))
sys.stdout.buffer.write(s.recv(65536))
sys.stdout.flush()
sys.stdin.read()
"""

SERVERS = [
    ("nc", "-u", "-l", "127.0.0.1", "{}"),
    ("ncat", "-u", "-l", "127.0.0.1", "{}"),
    ("socat", "-", "UDP-LISTEN:{},bind=127.0.0.1"),
    (sys.executable, "-c", PYTHON_SERVER, "{}"),
]
CLIENTS = [
    ("nc", "-u", "127.0.0.1", "{}"),
    ("ncat", "-u", "127.0.0.1", "{}"),
    ("socat", "-", "UDP:127.0.0.1:{}"),
    (sys.executable, "-c", PYTHON_CLIENT, "{}"),
    (os.environ["SKT"], "connect", "udp://127.0.0.1:{}"),
]


def start(command, port):
    need(command[0])
    return Process(*(word.replace("{}", str(port)) for word in command))


def exchange(client, server, ours, peer):
    client.send(b"a question\n")
    server.wait_out(b"a question\n")
    server.send(b"an answer\n")
    client.wait_out(b"an answer\n")
    ours.end_input()
    ours.expect()
    peer.stop().wait()


def with_server(command):
    port = free_port(socket.SOCK_DGRAM)
    server = start(command, port)
    wait_for_port(port, "udp")
    ours = skt("connect", "--end", "input", "udp://127.0.0.1:%d" % port)
    exchange(ours, server, ours, server)


def with_client(command):
    listener = Listener("--end", "input", "udp://127.0.0.1:0")
    peer = start(command, listener.port)
    exchange(peer, listener, listener, peer)


play(*[("server " + os.path.basename(c[0]), lambda c=c: with_server(c)) for c in SERVERS],
     *[("client " + os.path.basename(c[0]), lambda c=c: with_client(c)) for c in CLIENTS])
