#!/usr/bin/env python3
"""Whatever a proxy answers, skt nc -x says what was wrong, in a line, and ends; what follows a good answer is the
connection's, however the two are cut."""
import re
import struct
import socket
import time
from beside import SKT_NC, Server, read_all
from story import Process, check, check_equal, noise, play

ENDED = "it ended the connection in the midst of its answer"
NOTHING = "it ended the connection without an answer"
ANSWERS = [
    ("4", b"", NOTHING),
    ("4", b"\0\x5a\0\0\0\0\0", ENDED),
    ("4", b"\0\x5b\0\0\0\0\0\0", "SOCKS 4: request rejected or failed"),
    ("4", b"\0\x63\0\0\0\0\0\0", "SOCKS 4: unknown answer 99"),
    ("4", b"HTTP/1.0 400 Bad Request\r\n\r\n", "its answer is not SOCKS 4's"),
    ("5", b"", NOTHING),
    ("5", b"\5", ENDED),
    ("5", b"\5\0\5\0\0", ENDED),
    ("5", b"\5\0\5\0\0\3\xffabc", ENDED),
    ("5", b"\5\0\5\0\0\7" + b"\0" * 30, "SOCKS 5: it answers with an unknown kind of address, 7"),
    ("5", b"\5\0\5\6\0\1\0\0\0\0\0\0", "SOCKS 5: TTL expired"),
    ("5", b"\5\0\5\xc8\0\1\0\0\0\0\0\0", "SOCKS 5: unknown answer 200"),
    ("5", b"\5\x09", "SOCKS 5: it chose a method that was not offered, 9"),
    ("5", b"\5\2", "SOCKS 5: it chose a method that was not offered, 2"),
    ("5", b"\5\xff", "SOCKS 5: it wants a user and a password"),
    ("5", b"SSH-2.0-OpenSSH_9.2\r\n", "its answer is not SOCKS 5's"),
    ("connect", b"", NOTHING),
    ("connect", b"HTTP/1.1 200 OK\r\nA: b", ENDED),
    ("connect", b"HTTP/1.1 403 No\x1b[31m\r\n\r\n", "HTTP status 403 No?[31m"),
    ("connect", b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "its answer is not HTTP's"),
    ("connect", b"HTTP/1.1 2\r\n\r\n", "its answer is not HTTP's"),
    ("connect", b"\0" * 1000 + b"\n", "its answer is not HTTP's"),
    ("connect", b"x" * 100000, "its answer does not end"),
    ("connect", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 20000, "its answer does not end"),
]
GOOD = [
    ("4", b"\0\x5a\0\0\0\0\0\0"),
    ("5", b"\5\0\5\0\0\1\x7f\0\0\1\0\x50"),
    ("5", b"\5\0\5\0\0\4" + b"\0" * 18),
    ("5", b"\5\0\5\0\0\3\4name\0\x50"),
    ("connect", b"HTTP/1.1 200 Connection established\r\nA: " + b"b" * 1000 + b"\r\n\r\n"),
    ("connect", b"HTTP/1.0 200\n\n"),
]
BIG = noise(300000)


def nc(server, protocol, *words):
    return Process(*SKT_NC, *words, "-X", protocol, "-x", "127.0.0.1:%d" % server.port, "192.0.2.1", "80")


def answers_that_are_none():
    for protocol, answer, why in ANSWERS:
        def scene(conn):
            conn.recv(1)
            conn.sendall(answer)
            conn.shutdown(socket.SHUT_WR)
            read_all(conn)
        server = Server(scene)
        nc(server, protocol, "-v").end_input().expect(status=1, out=b"", err=re.escape(
            "nc: proxy 127.0.0.1 port %d, asked for 192.0.2.1 port 80: %s\n" % (server.port, why)))
        server.result()


def noise_of_many_kinds():
    for seed in range(60):
        def scene(conn):
            conn.recv(1)
            conn.sendall((b"", b"\5\0\5\0", b"\0\x5a", b"HTTP/1.1 200")[seed % 4] + noise(seed * 7, seed))
        server = Server(scene)
        process = nc(server, ("4", "5", "connect")[seed % 3]).end_input()
        check(process.wait() in (0, 1), "status %s" % process.popen.returncode)
        server.result()


def good_answers_byte_by_byte_and_with_data_behind():
    for protocol, answer in GOOD:
        def finish(conn):
            conn.sendall(BIG)
            conn.shutdown(socket.SHUT_WR)
            return read_all(conn)[-4:]

        def at_once(conn):
            conn.recv(1)
            conn.sendall(answer)
            return finish(conn)

        def slowly(conn):
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            conn.recv(1)
            for i in range(len(answer)):
                conn.sendall(answer[i:i + 1])
                time.sleep(0.001 if i < 40 else 0)
            return finish(conn)
        for scene in (at_once, slowly):
            server = Server(scene)
            nc(server, protocol, "-N").send(b"tail").end_input().expect(status=0, out=BIG, err="")
            check_equal("what came last", server.result(), b"tail")


def what_is_asked():
    request = b"CONNECT %s:80 HTTP/1.1\r\nHost: %s:80\r\n\r\n"
    asked = [
        ("4", "192.0.2.1", b"", b"\4\1\0\x50\xc0\0\2\1\0"),
        ("4A", "192.0.2.1", b"", b"\4\1\0\x50\xc0\0\2\1\0"),
        ("4A", "name.example", b"", b"\4\1\0\x50\0\0\0\1\0name.example\0"),
        ("5", "192.0.2.1", b"\5\0", b"\5\1\0\5\1\0\1\xc0\0\2\1\0\x50"),
        ("5", "2001:db8::1", b"\5\0", b"\5\1\0\5\1\0\4\x20\1\x0d\xb8" + b"\0" * 11 + b"\1\0\x50"),
        ("5", "name.example", b"\5\0", b"\5\1\0\5\1\0\3\x0cname.example\0\x50"),
        ("connect", "name.example", b"", request % (b"name.example", b"name.example")),
        ("connect", "2001:db8::1", b"", request % (b"[2001:db8::1]", b"[2001:db8::1]")),
    ]
    for protocol, host, answer, expected in asked:
        def scene(conn):
            conn.sendall(answer)
            conn.shutdown(socket.SHUT_WR)
            return read_all(conn)
        server = Server(scene)
        Process(*SKT_NC, "-X", protocol, "-x", "127.0.0.1:%d" % server.port, host, "80").end_input().expect(status=1)
        check_equal("the request", server.result(), expected)


def silence_ends_after_w():
    for protocol in ("4", "5", "connect"):
        for begin in (b"", b"\5", b"HTTP/1.1 200 OK\r\n"):
            def scene(conn):
                conn.sendall(begin)
                return read_all(conn)
            server = Server(scene)
            nc(server, protocol, "-w", "300ms").end_input().expect(
                status=1, out=b"", err=r"nc: proxy [^\n]*(timed out|not SOCKS .'s)\n")
            server.result()


def a_reset_is_told():
    def scene(conn):
        conn.recv(1)
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server = Server(scene)
    nc(server, "5").end_input().expect(status=1, err="nc: proxy [^\n]*Connection reset by peer\n")


def a_host_that_is_none():
    server = Server(read_all)
    Process(*SKT_NC, "-X", "connect", "-x", "127.0.0.1:%d" % server.port, "a b", "80").end_input().expect(
        status=1, err="nc: proxy [^\n]*\n")
    check_equal("what was sent", server.result(), b"")


play(answers_that_are_none, noise_of_many_kinds, good_answers_byte_by_byte_and_with_data_behind, what_is_asked,
     silence_ends_after_w, a_reset_is_told, a_host_that_is_none)
