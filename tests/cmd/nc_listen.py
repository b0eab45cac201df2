#!/usr/bin/env python3
"""skt nc -l does what nc.openbsd -l does: one client or, with -k, all who come; UDP; Unix sockets."""
import os
import signal
import socket
from beside import SKT_NC, both, plain, read_all
from story import (LIMIT, Process, check, check_equal, folder, free_port, noise, play, wait_for_port, wait_for_socket)

SHORT = b"from the server\n"


def connected(address, family):
    if family == socket.AF_INET:
        return socket.create_connection(address, LIMIT) # to any of a name's addresses
    s = socket.socket(family)
    s.settimeout(LIMIT)
    s.connect(address)
    return s


def say(address, data, family=socket.AF_INET):
    """A client that says something, ends, and hears."""
    with connected(address, family) as s:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        return read_all(s)


def file_of(data):
    """An input that has an end, without anybody who writes it."""
    path = os.path.join(folder(), "input")
    with open(path, "wb") as f:
        f.write(data)
    return open(path)


def one_client():
    def serve(nc, words):
        port = free_port()
        words = [word.replace("PORT", str(port)) for word in words]
        server = Process(*nc, *words, stdin=file_of(SHORT))
        wait_for_port(port)
        host = "localhost" if "localhost" in words else "127.0.0.1" # which may be ::1
        heard = say((host, port), b"one\n") == SHORT
        return server.wait(), bytes(server.out), heard, plain(server.err, port)
    for words in (["-lN", "PORT"], ["-lvnN", "PORT"], ["-lvnN", "127.0.0.1", "PORT"], ["-lvnNp", "PORT"],
                  ["-lvN", "localhost", "PORT"], ["-lvN", "-s", "127.0.0.1", "-p", "PORT"], ["-4lvnN", "PORT"]):
        both(serve, words)


def the_whole_input_is_sent_though_the_client_has_ended():
    port = free_port()
    server = Process(*SKT_NC, "-l", port, stdin=file_of(noise(20000000)))
    wait_for_port(port)
    check(say(("127.0.0.1", port), b"") == noise(20000000), "not all of it came")
    server.expect(status=0)


def an_idle_input_does_not_keep_a_server():
    def serve(nc):
        port = free_port()
        server = Process(*nc, "-l", port)
        wait_for_port(port)
        say(("127.0.0.1", port), b"one\n")
        return server.wait(), bytes(server.out)
    both(serve)


def clients_one_after_the_other():
    def serve(nc):
        port = free_port()
        server = Process(*nc, "-lkvn", "127.0.0.1", port).end_input()
        wait_for_port(port)
        for text in (b"one\n", b"two\n", b"three\n"):
            say(("127.0.0.1", port), text)
            server.wait_out(text)
        return server.stop().wait(), bytes(server.out), plain(server.err, port)
    both(serve)


def a_client_that_resets_does_not_end_it():
    port = free_port()
    server = Process(*SKT_NC, "-lk", "127.0.0.1", port)
    wait_for_port(port)
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    say(("127.0.0.1", port), b"still there\n")
    server.wait_out(b"still there\n").stop().expect(status=-signal.SIGTERM, out=b"still there\n", err="")


def udp():
    def serve(nc, words, texts):
        port = free_port(socket.SOCK_DGRAM)
        server = Process(*nc, *words, port).send(SHORT)
        wait_for_port(port, "udp")
        for text in texts:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.settimeout(LIMIT)
                s.connect(("127.0.0.1", port))
                s.send(text)
                answer = None if "k" in words[0] else s.recv(100)
                server.wait_out(text)
        return server.stop().wait(), bytes(server.out), answer, plain(server.err, port)
    both(serve, ["-luvn"], [b"one\n"])
    both(serve, ["-kluvn"], [b"one\n", b"two\n"])


def udp_of_a_limited_number():
    def serve(nc):
        port = free_port(socket.SOCK_DGRAM)
        server = Process(*nc, "-lu", "-W", "2", port).end_input()
        wait_for_port(port, "udp")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect(("127.0.0.1", port))
            for text in (b"one\n", b"two\n"):
                s.send(text)
                server.wait_out(text)
        return server.wait(), bytes(server.out)
    both(serve)


def an_empty_datagram_is_no_end():
    port = free_port(socket.SOCK_DGRAM)
    server = Process(*SKT_NC, "-lu", port).end_input()
    wait_for_port(port, "udp")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", port))
        for text in (b"one\n", b"", b"two\n"):
            s.send(text)
    server.wait_out(b"one\ntwo\n").stop().wait()


def a_udp_port_that_is_closed():
    port = free_port(socket.SOCK_DGRAM)
    Process(*SKT_NC, "-zuv", "127.0.0.1", port).end_input().expect(
        status=1, err=r"nc: connect to 127.0.0.1 port %d \(udp\) failed: Connection refused\n" % port)
    Process(*SKT_NC, "-u", "127.0.0.1", port).send(b"x").end_input().expect(
        status=1, err=r"nc: recv [^\n]*: Connection refused\n")


def unix_streams():
    def serve(nc, name, shown):
        server = Process(*nc, "-lvNU", name, stdin=file_of(SHORT))
        wait_for_socket(name)
        client = Process(*SKT_NC, "-NU", name).send(b"one\n").end_input()
        check_equal("the client's status", client.wait(), 0)
        return server.wait(), bytes(server.out), bytes(client.out) == SHORT, plain(server.err).replace(name, shown)
    path = os.path.join(folder(), "s")
    both(lambda nc: serve(nc, path if nc is SKT_NC else path + "2", "PATH"))
    check(not os.path.exists(path), "the socket's file is left behind")
    both(lambda nc: serve(nc, "@skt-nc-%d" % os.getpid(), "PATH"))


def unix_datagrams():
    path = os.path.join(folder(), "d")
    server = Process(*SKT_NC, "-luU", path).send(b"answer\n")
    wait_for_socket(path, listening=False)
    client = Process(*SKT_NC, "-uU", path).send(b"question\n")
    client.wait_out(b"answer\n")
    server.wait_out(b"question\n")
    for process in (client, server):
        process.stop().wait()
    check(not os.path.exists(path), "the socket's file is left behind")


def a_datagram_that_cannot_be_answered_is_printed():
    path = os.path.join(folder(), "d")
    server = Process(*SKT_NC, "-luU", path)
    wait_for_socket(path, listening=False)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.connect(path)
        s.send(b"nameless\n")
    server.wait_out(b"nameless\n").stop().wait()


def files_that_are_there_already():
    left_behind, taken, file = (os.path.join(folder(), name) for name in "ltf")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(left_behind)
    server = Process(*SKT_NC, "-lU", left_behind).end_input()
    wait_for_socket(left_behind)
    say(left_behind, b"x", socket.AF_UNIX)
    server.expect(status=0, out=b"x")
    with open(file, "w") as f:
        f.write("precious")
    Process(*SKT_NC, "-lU", file).expect(status=1, err="nc: bind [^\n]*: Address already in use[^\n]*\n")
    check_equal("what the file holds", open(file).read(), "precious")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(taken)
        s.listen()
        Process(*SKT_NC, "-lU", taken).expect(status=1, err="nc: bind [^\n]*: Address already in use[^\n]*\n")
        check(os.path.exists(taken), "another's socket was removed")


play(one_client, the_whole_input_is_sent_though_the_client_has_ended, an_idle_input_does_not_keep_a_server,
     clients_one_after_the_other, a_client_that_resets_does_not_end_it, udp, udp_of_a_limited_number,
     an_empty_datagram_is_no_end, a_udp_port_that_is_closed, unix_streams, unix_datagrams,
     a_datagram_that_cannot_be_answered_is_printed, files_that_are_there_already)
