#!/usr/bin/env python3
"""skt nc as a client does what nc.openbsd does: the same status, the same bytes both ways, the same messages."""
import socket
from beside import SKT_NC, Server, both, client, plain, read_all
from story import LIMIT, Process, free_port, noise, play

A = ["127.0.0.1", "PORT"]
BIG = noise(3000000)


def greet(conn):
    conn.sendall(b"hello\n")


def answer(conn):
    got = read_all(conn)
    conn.sendall(b"bye\n")
    return got


def exchange(conn):
    conn.sendall(BIG)
    conn.shutdown(socket.SHUT_WR)
    return read_all(conn) == BIG


def twice(conn):
    conn.sendall(b"one\n")
    conn.recv(1) # an answer to the first comes when it has been printed, or the end
    return True


def telnet(conn):
    """Requests, commands and a doubled 255; the answers are all that there is to say."""
    conn.sendall(b"\xff\xfd\x01\xff\xfb\x03hello\xff\xf1x\xff\xfe\x01\xff\xfc\x02y\xff\xff")
    got = b""
    while len(got) < 12:
        got += conn.recv(100)
    return got


CLIENTS = [
    (A, greet, b""),
    (["-v"] + A, greet, b""),
    (["-nv"] + A, greet, b""),
    (["-v", "localhost", "PORT"], greet, b""),
    (["-4", "-v", "-N", "localhost", "PORT"], answer, b"abc\n"),
    (["-N"] + A, answer, b"abc\n"),
    (["-q", "0"] + A, answer, b"abc\n"),
    (["-N"] + A, exchange, BIG),
    (["-w", "1"] + A, read_all, b"abc\n"),
    (["-C", "-N"] + A, answer, b"a\nb\r\nc\n\nd\r\r\n\n"),
    (["-CN"] + A, read_all, b"x\n" * 300000),
    (["-d"] + A, greet, b"not read\n"),
    (["-dN"] + A, greet, b"not read\n"),
    (["-W", "1"] + A, twice, b""),
    (["-N", "-I", "65536", "-O", "65536", "-M", "9", "-m", "1"] + A, read_all, b"x"),
    (["-zv"] + A, read_all, b"not sent"),
    (["-z"] + A, read_all, b"not sent"),
    (["-zvn"] + A, read_all, b"not sent"),
    (["-i", "1", "-N"] + A, read_all, b"a\nb\n"),
]

# Without a server: what is said, but for the first words, where skt nc has its own.
SAME_WORDS = [
    ["-zv", "127.0.0.1", "FREE"], ["-z", "127.0.0.1", "FREE"], ["-zv", "localhost", "FREE"],
    ["-v", "127.0.0.1", "FREE"], ["-lz", "1"], ["-l", "-x", "a:1", "1"], ["-F", "-U", "/x"],
    ["-u", "-x", "a", "127.0.0.1", "1"], ["-s", "127.0.0.1", "-x", "a", "127.0.0.1", "1"], ["-k", "127.0.0.1", "1"],
    ["-zvn", "127.0.0.1", "1-3", "5"],
]
SAME_STATUS = [
    [], ["127.0.0.1"], ["-l"], ["-Q"], ["-n", "localhost", "1"], ["nosuch.invalid", "1"], ["127.0.0.1", "70000"],
    ["127.0.0.1", "no-such-service"], ["127.0.0.1", "5-abc"], ["127.0.0.1", "0"], ["-w", "abc", "127.0.0.1", "1"],
    ["-w", "-1", "127.0.0.1", "1"], ["-i", "x", "127.0.0.1", "1"], ["-T", "foo", "127.0.0.1", "1"],
    ["-V", "1", "127.0.0.1", "1"], ["-X", "7", "127.0.0.1", "1"], ["-W", "0", "127.0.0.1", "1"],
    ["-I", "x", "127.0.0.1", "1"], ["-M", "300", "127.0.0.1", "1"], ["-m", "300", "127.0.0.1", "1"],
    ["-s", "nosuch.invalid", "127.0.0.1", "1"], ["-l", "192.0.2.1", "8000"], ["-l", "1-5"], ["-lU"],
    ["-4", "::1", "1"], ["-U", "/no/such/path"], ["-uzv", "127.0.0.1", "FREE"], ["-127.0.0.1", "1"],
]


def clients():
    for words, scene, input in CLIENTS:
        both(client, words, scene, input)


def telnet_requests_are_refused():
    def talk(nc):
        server = Server(telnet)
        process = Process(*nc, "-t", "127.0.0.1", server.port)
        got = server.result()
        process.end_input()
        return process.wait(), bytes(process.out), got
    both(talk)


def from_a_source():
    def connect(nc):
        port = free_port()
        server = Server(lambda conn: conn.getpeername() + (read_all(conn),))
        process = Process(*nc, "-nN", "-s", "127.0.0.2", "-p", port, "127.0.0.1", server.port).send(b"a").end_input()
        return process.wait(), server.result() == ("127.0.0.2", port, b"a")
    both(connect)


def type_of_service():
    def send(nc, word):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind(("127.0.0.1", 0))
            server.settimeout(LIMIT)
            server.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
            server.setsockopt(socket.IPPROTO_IP, 12, 1) # IP_RECVTTL
            process = Process(*nc, "-u", "-T", word, "-M", "9", "-q", "0", *A[:1], str(server.getsockname()[1]))
            process.send(b"x").end_input()
            data, items, _, _ = server.recvmsg(10, 100)
            return process.wait(), data, items
    for word in ("lowdelay", "critical", "ef", "af11", "af43", "cs0", "cs7", "0x20", "8"):
        both(send, word)


def run(nc, words):
    port = free_port()
    process = Process(*nc, *(word.replace("FREE", str(port)) for word in words)).end_input()
    return process.wait(), plain(process.err, port), bytes(process.out)


def mistakes_and_ports_where_nobody_listens():
    for words in SAME_WORDS:
        both(run, words)
    for words in SAME_STATUS:
        both(lambda nc, w: run(nc, w)[0], words)


def one_line_for_each_mistake():
    for words in SAME_STATUS:
        status, said, out = run(SKT_NC, words)
        if said.count("\n") != 1 or not said.startswith("nc: ") or out:
            raise Exception("skt nc %s says %r" % (words, said))


def scan_of_a_range():
    def scan(nc):
        port = free_port()
        with socket.create_server(("127.0.0.1", 0)) as server:
            open_port = server.getsockname()[1]
            process = Process(*nc, "-zv", "127.0.0.1", "%d-%d" % (open_port - 1, open_port), str(port)).end_input()
            status = process.wait()
            return status, sorted(plain(process.err, open_port - 1, open_port, port).splitlines())
    both(scan)


play(clients, from_a_source, telnet_requests_are_refused, type_of_service, mistakes_and_ports_where_nobody_listens, one_line_for_each_mistake, scan_of_a_range)
