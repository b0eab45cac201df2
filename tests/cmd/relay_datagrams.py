#!/usr/bin/env python3
"""Datagrams through skt relay: a socket for each client, its idle time, and datagrams to streams and back."""
import os
import socket
import threading
import time
from story import (LIMIT, Relay, Server, check, check_equal, connect, echo, folder, free_port, play, read_all, skt, wait_until)


class Upstream:
    """A UDP server that answers with who asks and what; it remembers who."""

    def __init__(self, family=socket.AF_INET, address=("127.0.0.1", 0)):
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.target = "udp://127.0.0.1:%d" % self.socket.getsockname()[1] if family == socket.AF_INET else address
        self.seen = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            data, who = self.socket.recvfrom(65536)
            if who not in self.seen:
                self.seen.append(who)
            if data:
                self.socket.sendto(b"%d:" % self.seen.index(who) + data, who)


def client(port, host="127.0.0.1"):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(LIMIT)
    s.connect((host, port))
    return s


def a_socket_for_each_client():
    upstream = Upstream()
    relay = Relay("udp://127.0.0.1:0", upstream.target)
    clients = [client(relay.port) for _ in range(50)]
    names = set()
    for turn in (b"first", b"second"):
        for s in clients:
            s.send(turn)
        for number, s in enumerate(clients):
            name, word = s.recv(100).split(b":")
            check_equal("the answer", word, turn)
            names.add((number, name))
    check_equal("pairs of a client and its socket upstream", len(names), 50)
    check_equal("sockets upstream", len(upstream.seen), 50)
    relay.stop().expect()
    check_equal("lines", len(relay.lines()), 50)


def silence_ends_it():
    upstream = Upstream()
    relay = Relay("--idle", "1s", "udp://127.0.0.1:0", upstream.target)
    with client(relay.port) as s:
        for _ in range(4):
            s.send(b"a")
            check_equal("the answer", s.recv(100), b"0:a")
            time.sleep(0.3)
        wait_until(lambda: len(relay.lines()) == 1, "the client is forgotten")
        check("4 B up, 12 B down" in relay.lines()[0], relay.lines()[0])
        s.send(b"b")    # and is a new one
        check_equal("the answer", s.recv(100), b"1:b")


def every_size():
    relay = Relay("udp://127.0.0.1:0", Upstream().target)
    with client(relay.port) as s:
        for size in (1, 100, 1472, 9000, 65000):
            s.send(b"x" * size)
            check_equal("the length of the answer", len(s.recv(70000)), size + 2)
        s.send(b"")
        s.send(b"after nothing")
        check_equal("the answer after an empty datagram", s.recv(100), b"0:after nothing")


def from_the_address_that_was_asked():
    relay = Relay("udp://:0", Upstream().target)
    for host in ("127.0.0.1", "127.0.0.2", "127.7.7.7"):
        with client(relay.port, host) as s:    # connected: takes answers from that address only
            s.send(b"x")
            check(s.recv(100).endswith(b":x"), "the answer is wrong")


def nobody_upstream():
    port = free_port(socket.SOCK_DGRAM)
    relay = Relay("udp://127.0.0.1:0", "udp://127.0.0.1:%d" % port)
    with client(relay.port) as s:
        s.send(b"x")
        wait_until(relay.lines, "its line is there")
        check("Connection refused" in relay.lines()[0], relay.lines()[0])


def to_a_stream():
    relay = Relay("udp://127.0.0.1:0", Server(echo).target)
    with client(relay.port) as one, client(relay.port) as two:
        for word in (b"one", b"two"):
            one.send(b"1" + word)
            two.send(b"2" + word)
            check_equal("the answer", one.recv(100), b"1" + word)
            check_equal("the answer", two.recv(100), b"2" + word)


def to_a_stream_that_ends():
    relay = Relay("udp://127.0.0.1:0", Server(lambda s: s.sendall(s.recv(100) + b" and goodbye")).target)
    with client(relay.port) as s:
        s.send(b"hello")
        check_equal("the answer", s.recv(100), b"hello and goodbye")
        wait_until(relay.lines, "its line is there")
        s.send(b"again")
        check_equal("the answer", s.recv(100), b"again and goodbye")


def from_a_stream():
    relay = Relay("tcp://127.0.0.1:0", Upstream().target)
    with connect(relay.port) as s:
        s.sendall(b"question")
        s.shutdown(socket.SHUT_WR)
        check_equal("the answer, and the end once it is silent", read_all(s), b"0:question")


def unix_datagrams():
    path = folder()
    up = Upstream(socket.AF_UNIX, os.path.join(path, "up"))
    relay = Relay("unix-dgram:" + os.path.join(path, "relay"), "unix-dgram:" + up.target)
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(os.path.join(path, "client"))
    s.settimeout(LIMIT)
    s.sendto(b"x", os.path.join(path, "relay"))
    check_equal("the answer", s.recv(100), b"0:x")
    nameless = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)    # cannot be answered
    nameless.sendto(b"y", os.path.join(path, "relay"))
    s.sendto(b"z", os.path.join(path, "relay"))
    check_equal("the answer", s.recv(100), b"0:z")
    relay.stop().expect()
    check(not os.path.exists(os.path.join(path, "relay")), "the relay's file is still there")


def no_more_than_max():
    relay = Relay("--max", "1", "--idle", "300ms", "udp://127.0.0.1:0", Upstream().target)
    with client(relay.port) as one, client(relay.port) as two:
        one.send(b"x")
        check_equal("the answer", one.recv(100), b"0:x")
        two.settimeout(0.1)

        def answered():
            two.send(b"x")    # until the first has been silent for long enough
            try:
                return two.recv(100)
            except TimeoutError:
                return b""
        check_equal("the answer to the second", wait_until(answered, "the second is served"), b"1:x")


def standard_input_and_output():
    upstream = Upstream()
    skt("relay", "-", upstream.target).send(b"hello").end_input().expect(out=b"0:hello")


play(a_socket_for_each_client, silence_ends_it, every_size, from_the_address_that_was_asked, nobody_upstream, to_a_stream,
     to_a_stream_that_ends, from_a_stream, unix_datagrams, no_more_than_max, standard_input_and_output)
