#!/usr/bin/env python3
"""skt talks over AF_UNIX with nc, ncat, socat and Python: streams by path and by abstract
name, datagrams, and whole messages (SOCK_SEQPACKET)."""
import os
import sys
from story import Listener, Process, folder, need, play, skt, wait_for_socket

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


def named(i, scheme, command):
    """The address for skt, and the peer's command, with a name that nobody else has."""
    need(command[0])
    path, name = os.path.join(here, i), "skt-story-%d-%s" % (os.getpid(), i)
    command = [word.replace("PATH", path).replace("NAME", name) for word in command]
    return scheme + (name if scheme == "unix-abstract:" else path), command


def with_server(i, scheme, command):
    address, command = named(i, scheme, command)
    server = Process(*command)
    wait_for_socket(("@" if scheme == "unix-abstract:" else "") + address[len(scheme):])
    exchange(server, skt("connect", address))


def with_client(i, scheme, command):
    address, command = named(i, scheme, command)
    listener = Listener(address)
    exchange(Process(*command), listener)


def with_datagram_server(name, *command):
    """skt binds a name that the kernel chooses, so that answers reach it."""
    need(command[0])
    path = os.path.join(here, name)
    server = Process(*(word.replace("PATH", path) for word in command))
    wait_for_socket(path, listening=False)
    ours = skt("connect", "--end", "input", "unix-dgram:" + path)
    converse(ours, server, ours, server)


def datagrams_to_python():
    with_datagram_server("python", sys.executable, "-c", PYTHON_DATAGRAM_SERVER, "PATH")


def datagrams_to_socat():
    with_datagram_server("socat", "socat", "-", "UNIX-RECVFROM:PATH")


def datagrams_from_socat():
    need("socat")
    path = os.path.join(here, "listener")
    listener = Listener("--end", "input", "unix-dgram:" + path)
    client = Process("socat", "-", "UNIX-SENDTO:%s,bind=%s.client" % (path, path))
    converse(client, listener, listener, client)


def datagrams_between_two_skt():
    path = os.path.join(here, "two")
    listener = Listener("--end", "input", "unix-dgram:" + path)
    client = skt("connect", "unix-dgram:" + path)
    converse(client, listener, listener, client)


def scenes(role, play_it, table):
    return [("%s %s %s" % (role, os.path.basename(command[0]), scheme),
             lambda i=i, scheme=scheme, command=command: play_it("%s%d" % (role, i), scheme, command))
            for i, (scheme, command) in enumerate(table)]


play(*scenes("server", with_server, SERVERS), *scenes("client", with_client, CLIENTS),
     datagrams_to_python, datagrams_to_socat, datagrams_from_socat, datagrams_between_two_skt)
