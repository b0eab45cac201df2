#!/usr/bin/env python3
"""skt talks over AF_UNIX with nc, ncat, socat and Python: streams by path and by abstract
name, datagrams, and whole messages (SOCK_SEQPACKET)."""
import os
import sys
from story import Listener, Process, folder, need, skt, wait_for_socket

PYTHON = """
import socket, sys
role, kind, name = sys.argv[1:]
s = socket.socket(socket.AF_UNIX, getattr(socket, kind))
if role == "server":
    s.bind(name)
    s.listen()
    s = s.accept()[0]
else:
    s.connect(name)
s.sendall(sys.stdin.buffer.readline())
s.shutdown(socket.SHUT_WR)
while data := s.recv(65536):
    sys.stdout.buffer.write(data)
"""
PYTHON_DATAGRAM_SERVER = """
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
data, sender = s.recvfrom(65536)
sys.stdout.buffer.write(data)
sys.stdout.flush()
s.sendto(sys.stdin.buffer.readline(), sender)
sys.stdin.read()
"""
need("nc", "ncat", "socat")
here = folder()


def exchange(peer, ours):
    peer.send(b"from the peer\n")
    ours.send(b"from skt\n")
    ours.wait_out(b"from the peer\n")
    peer.end_input()
    ours.end_input()
    peer.expect(out=b"from skt\n")
    ours.expect(out=b"from the peer\n")


def converse(client, server, ours, peer):
    """Datagrams: the client speaks first, and the peer has to be stopped."""
    client.send(b"a question\n")
    server.wait_out(b"a question\n")
    server.send(b"an answer\n")
    client.wait_out(b"an answer\n")
    ours.end_input()
    ours.expect()
    peer.stop().wait()


SERVERS = [
    ("unix:", ("nc", "-N", "-l", "-U", "PATH")),
    ("unix:", ("ncat", "-l", "-U", "PATH")),
    ("unix:", ("socat", "-t30", "-", "UNIX-LISTEN:PATH")),
    ("unix:", (sys.executable, "-c", PYTHON, "server", "SOCK_STREAM", "PATH")),
    ("unix-seqpacket:", (sys.executable, "-c", PYTHON, "server", "SOCK_SEQPACKET", "PATH")),
    ("unix-abstract:", ("socat", "-t30", "-", "ABSTRACT-LISTEN:NAME")),
]
CLIENTS = [
    ("unix:", ("nc", "-N", "-U", "PATH")),
    ("unix:", ("ncat", "-U", "PATH")),
    ("unix:", ("socat", "-t30", "-", "UNIX-CONNECT:PATH")),
    ("unix:", (sys.executable, "-c", PYTHON, "client", "SOCK_STREAM", "PATH")),
    ("unix-seqpacket:", (sys.executable, "-c", PYTHON, "client", "SOCK_SEQPACKET", "PATH")),
    ("unix-abstract:", ("socat", "-t30", "-", "ABSTRACT-CONNECT:NAME")),
]


def names(i, scheme, command):
    """The address for skt, and the peer's command, with a name that nobody else has."""
    path, name = os.path.join(here, str(i)), "skt-story-%d-%d" % (os.getpid(), i)
    command = [word.replace("PATH", path).replace("NAME", name) for word in command]
    return scheme + (name if scheme == "unix-abstract:" else path), command


for i, (scheme, command) in enumerate(SERVERS):
    address, command = names(i, scheme, command)
    server = Process(*command)
    wait_for_socket(("@" if scheme == "unix-abstract:" else "") + address[len(scheme):])
    exchange(server, skt("connect", address))
for i, (scheme, command) in enumerate(CLIENTS, 100):
    address, command = names(i, scheme, command)
    listener = Listener(address)
    exchange(Process(*command), listener)

# Datagrams.  skt binds a name that the kernel chooses, so that answers reach it.
path = os.path.join(here, "datagram")
server = Process(sys.executable, "-c", PYTHON_DATAGRAM_SERVER, path)
wait_for_socket(path, listening=False)
ours = skt("connect", "--end", "input", "unix-dgram:" + path)
converse(ours, server, ours, server)

path = os.path.join(here, "datagram-socat")
server = Process("socat", "-", "UNIX-RECVFROM:" + path)
wait_for_socket(path, listening=False)
ours = skt("connect", "--end", "input", "unix-dgram:" + path)
converse(ours, server, ours, server)

path = os.path.join(here, "datagram-skt")
listener = Listener("--end", "input", "unix-dgram:" + path)
client = skt("connect", "unix-dgram:" + path)
converse(client, listener, listener, client)

path = os.path.join(here, "datagram-client")
listener = Listener("--end", "input", "unix-dgram:" + path)
client = Process("socat", "-", "UNIX-SENDTO:%s,bind=%s.client" % (path, path))
converse(client, listener, listener, client)
