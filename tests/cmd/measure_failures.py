#!/usr/bin/env python3
"""Whatever goes wrong with skt measure is told in one line, with its status: nobody there, early ends, strange answers,
silence, wrong words, a picture that cannot be written; and Ctrl-C prints what has been measured."""
import os
import re
import resource
import signal
import socket
import struct
from measuring import Result, Service, tcp_server
from story import check, check_equal, folder, free_port, play, skt


def nobody_is_there():
    port = free_port()
    process = skt("measure", "-n", "100", "127.0.0.1", port)
    process.expect(status=1, out=b"", err="skt: connect 127.0.0.1 \\(127.0.0.1:%d\\): Connection refused\n" % port)


def close_after(answers):
    def talk(conn):
        for _ in range(answers):
            conn.sendall(conn.recv(65536))
        conn.recv(65536)
    return tcp_server(talk)


def early_ends():
    result = Result("-d", "60", "-n", "2", close_after(3), status=1,
                    err=r"skt: 127.0.0.1:\d+: the server closed a connection after 3 answers \(2 of 2 connections\)\n")
    check_equal("answers", (result["requests"], result["failed_connections"]), (6, 2))
    check(result["seconds"] < 50, "it has waited for nothing")


def reset(conn):
    conn.recv(65536)
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def a_reset():
    Result("-d", "60", tcp_server(reset), status=1,
           err=r"skt: recv 127.0.0.1:\d+: Connection reset by peer \(1 of 1 connections\)\n")


def strange_answers():
    def answer(text):
        def talk(conn):
            conn.recv(65536)
            conn.sendall(text)
            conn.recv(65536)
        return tcp_server(talk)
    tail = r" \(1 of 1 connections\)\n"
    head = r"skt: 127.0.0.1:\d+: the server's answer "
    Result("-d", "60", answer(b"x" * 64), status=1, err=head + r"is not what was sent; is it no echo server\?" + tail)
    Result("-d", "60", answer(b"x" * 65), status=1,
           err=head + r"is longer than the request; is it no echo server\?" + tail)
    Result("-d", "60", "--request", "x", answer(b"a\nb"), status=1, err=head + "has more than a line" + tail)
    Result("-d", "60", "--request", "x", answer(b"a" * 70000), status=1,
           err=head + "has no end of line in 65536 bytes" + tail)


def one_of_many():
    """The others go on."""
    served = []

    def talk(conn):
        served.append(conn)
        if len(served) == 1:
            return
        while data := conn.recv(65536):
            conn.sendall(data)
    result = Result("-d", "0.3", "-n", "5", tcp_server(talk), status=1, err=r"skt: .*\(1 of 5 connections\)\n")
    check(result["requests"] > 4, "the others have stopped, too")


def silence():
    def talk(conn):
        conn.recv(65536)
        conn.recv(65536)
    result = Result("-d", "0.1", "-t", "100ms", "-n", "3", tcp_server(talk), status=1,
                    err=r"skt: 127.0.0.1:\d+: 3 requests were not answered\n")
    check_equal("unanswered", result["unanswered"], 3)


def interrupted():
    server = Service("echo", "tcp://127.0.0.1:0")
    process = skt("measure", "-d", "100", "--every", "50ms", server.address)
    process.wait_out(b"100 ms")
    process.stop(signal.SIGINT).expect(status=0, err="")
    check(b" 99.99 % " in process.out, "there is no result")


MISTAKES = [
    (["localhost:7", "--bulk", "sideways"], "--bulk: 'sideways' is none of up, down, both"),
    (["localhost:7", "--size", "2G"], "--size: 2147483648 bytes cannot be; it is 1 to 1073741824 here"),
    (["udp://localhost:7", "--size", "10"], "--size: 10 bytes cannot be; it is 32 to 65507 here"),
    (["udp://localhost:7", "--bulk", "down"],
     "--bulk down is not for datagrams: nobody can be made to send more of them than he was sent; use --bulk both with skt echo"),
    (["udp://localhost:7", "--request", "x"],
     "--request and --answer are for connections; datagrams carry numbers, and are echoed"),
    (["http://localhost/", "--bulk", "up"], "--bulk, --request and --size are not for http://; it asks for '/'"),
    (["http:///x"], "'http:///x': write http://host:port/path"),
    (["http://localhost?x"], "'http://localhost?x': a / has to follow the host"),
    (["http://localhost/a b"], "'http://localhost/a b': there is no space in a URL"),
    (["http://localhost:x/"], "'tcp://localhost:x': 'x' is neither a port nor a tcp service"),
    (["localhost:7", "--bulk", "up", "--request", "x"], "--bulk has neither requests nor answers"),
    (["localhost:7", "--bulk", "down", "--pace", "1"], "--pace is for what we send, not for --bulk down"),
    (["localhost:7", "--request", "x", "--size", "1"], "--request and --size exclude each other"),
    (["localhost:7", "--request", r"a\q"], r"--request: '\q' is no escape; there are \r \n \t \0 \\ and \x41"),
    (["localhost:7", "--request", "\\"], r"--request: '\' is no escape; there are \r \n \t \0 \\ and \x41"),
    (["localhost:7", "--request", ""], "--request: there is nothing to be sent"),
    (["localhost:7", "--answer", "line"], "--answer line and http need a --request that is answered so"),
    (["http://localhost", "--answer", "line"], "--answer: http:// is answered by http"),
    (["localhost:7", "-d", "0"], "--duration: more than no time is needed, and at most 10000000 seconds"),
    (["localhost:7", "--every", "0"], "--every: at least 1 ms is needed, and at most a million lines"),
    (["localhost:7", "-n", "0"], "--connections: '0' is no number from 1 to 1000000"),
    (["localhost:7", "--pace", "fast"], "--pace: 'fast' is no number from 1 to 100000000"),
]


def wrong_words():
    for words, sentence in MISTAKES:
        skt("measure", *words).expect(status=2, out=b"", err=re.escape("skt: %s\n" % sentence))


def as_many_as_descriptors_allow():
    server = Service("echo", "tcp://127.0.0.1:0")
    limit = lambda soft, hard: lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    skt("measure", "-d", "0.1", "-n", "400", server.address, preexec_fn=limit(64, 512)).expect(err="")
    skt("measure", "-n", "400", server.address, preexec_fn=limit(64, 256)).expect(
        status=2, out=b"", err=r"skt: --connections: 400 are more than the 156 that can be had \(ulimit -Hn\)\n")


def a_picture_that_cannot_be_written():
    place = folder()
    server = Service("echo", "tcp://127.0.0.1:0")
    skt("measure", "--plot", place + "/no/such", server.address).expect(
        status=1, out=b"", err="skt: --plot: %s/no/such: No such file or directory\n" % place)
    skt("measure", "--plot", place + "/left", "127.0.0.1", free_port()).expect(status=1, out=b"")
    check_equal("what is left", os.listdir(place), [])
    if os.path.exists("/dev/full"):
        skt("measure", "-d", "0.1", "--plot", "/dev/full", server.address).expect(
            status=1, err="skt: --plot: /dev/full: No space left on device\n")


play(nobody_is_there, early_ends, a_reset, strange_answers, one_of_many, silence, interrupted, wrong_words,
     as_many_as_descriptors_allow, a_picture_that_cannot_be_written)
