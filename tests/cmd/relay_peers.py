#!/usr/bin/env python3
"""skt relay between peers of every kind: nc, socat, curl and Python as clients and servers, over TCP, Unix sockets and
standard input and output."""
import os
import signal
import socket
import sys
import threading
from story import (LIMIT, Process, Relay, Server, check, check_equal, connect, echo, folder, free_port, need, noise, play,
                   read_all, skt, wait_for_port, wait_until)

BULK = noise(8_000_000)


def exchange(port, data):
    """Sends all, ends, and returns all that comes."""
    with connect(port) as client:
        sender = threading.Thread(target=lambda: (client.sendall(data), client.shutdown(socket.SHUT_WR)))
        sender.start()
        got = read_all(client)
        sender.join(LIMIT)
    return got


def nc_through_it():
    need("nc")
    relay = Relay("tcp://127.0.0.1:0", Server(echo).target)
    Process("nc", "-N", "127.0.0.1", relay.port).send(b"hello\n").end_input().expect(out=b"hello\n")


def socat_through_it_to_socat():
    need("socat")
    port = free_port()
    server = Process("socat", "TCP-LISTEN:%d,bind=127.0.0.1" % port, "EXEC:cat")
    wait_for_port(port)
    relay = Relay("tcp://127.0.0.1:0", "127.0.0.1:%d" % port)
    client = Process("socat", "-t30", "-", "TCP:127.0.0.1:%d" % relay.port)
    client.send(BULK).end_input().expect(out=BULK)
    server.expect()


def curl_from_python():
    need("curl")
    path = folder()
    with open(os.path.join(path, "file"), "wb") as f:
        f.write(BULK)
    port = free_port()
    Process(sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "-d", path, port)
    wait_for_port(port)
    relay = Relay("tcp://127.0.0.1:0", "localhost:%d" % port)    # a name, so a look-up for each
    for _ in range(3):
        Process("curl", "-s", "http://127.0.0.1:%d/file" % relay.port).expect(out=BULK)
    wait_until(lambda: len(relay.lines()) == 3, "three lines are there")


def bulk_both_ways():
    relay = Relay("tcp://127.0.0.1:0", Server(echo).target)
    check(exchange(relay.port, BULK) == BULK, "what came back is not what was sent")
    line = wait_until(relay.lines, "its line is there")[0]
    check("7.63 MiB up, 7.63 MiB down" in line, "the line has not the bytes: " + line)
    check("upstream rtt" in line and "client rtt" in line, "the line has no TCP_INFO: " + line)


def unix_sockets():
    path = folder()
    server = Server(echo, os.path.join(path, "server"), socket.AF_UNIX)
    relay = Relay("unix:" + os.path.join(path, "relay"), "unix:" + os.path.join(path, "server"))
    second = Relay("tcp://127.0.0.1:0", "unix:" + os.path.join(path, "relay"))
    check(exchange(second.port, BULK) == BULK, "what came back is not what was sent")
    second.stop().expect()
    relay.stop().expect()
    check(not os.path.exists(os.path.join(path, "relay")), "the relay's file is still there")
    server.listener.close()


def abstract_and_messages():
    server = Server(echo, "\0skt-relay-up", socket.AF_UNIX)
    relay = Relay("unix-abstract:skt-relay", "unix-abstract:skt-relay-up")
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(LIMIT)
    client.connect("\0skt-relay")
    client.sendall(b"abstract")
    check_equal("the answer", client.recv(100), b"abstract")
    relay.stop(signal.SIGKILL)
    path = os.path.join(folder(), "up")
    server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    server.bind(path)
    server.listen()
    relay = Relay("unix-seqpacket:" + path + ".relay", "unix-seqpacket:" + path)
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.settimeout(LIMIT)
    client.connect(path + ".relay")
    up, _ = server.accept()
    up.settimeout(LIMIT)
    for message in (b"one", b"two", b"x" * 100000):
        client.send(message)
        check_equal("a message", up.recv(200000), message)
    up.close()
    check_equal("the end", client.recv(10), b"")


def standard_input_and_output():
    skt("relay", "-", Server(echo).target).send(BULK).end_input().expect(out=BULK)
    relay = Relay("tcp://127.0.0.1:0", "-").send(b"from standard input")
    relay.end_input()
    check_equal("what the client got", exchange(relay.port, b"to standard output"), b"from standard input")
    relay.expect(out=b"to standard output")


def an_inherited_connection():
    ours, theirs = socket.socketpair()
    relay = skt("relay", "fd:%d" % theirs.fileno(), Server(echo).target, pass_fds=[theirs.fileno()])
    theirs.close()
    ours.settimeout(LIMIT)
    ours.sendall(b"inherited")
    ours.shutdown(socket.SHUT_WR)
    check_equal("what came back", read_all(ours), b"inherited")
    relay.expect()


play(nc_through_it, socat_through_it_to_socat, curl_from_python, bulk_both_ways, unix_sockets, abstract_and_messages,
     standard_input_and_output, an_inherited_connection)
