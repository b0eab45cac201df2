#!/usr/bin/env python3
"""Where skt nc has rules of its own: what cannot be printed is a failure, neither direction waits for the other, -F, -q,
-r, and being called nc."""
import array
import os
import socket
import subprocess
import time
from beside import SKT_NC, Server, client, read_all
from story import LIMIT, Process, check, check_equal, folder, need, noise, play, skip

BIG = noise(5000000)
A = ["127.0.0.1", "PORT"]


def output_that_fails():
    def greet(conn):
        conn.sendall(b"hello\n")
        return read_all(conn)
    server = Server(greet)
    with open("/dev/full", "w") as full:
        Process(*SKT_NC, "127.0.0.1", server.port, stdout=full).expect(
            status=1, err="nc: standard output: No space left on device\n")
    check_equal("what came", server.result(), b"")
    server = Server(greet)
    read_end, write_end = os.pipe()
    os.close(read_end)
    Process(*SKT_NC, "127.0.0.1", server.port, stdout=write_end).expect(
        status=1, err="nc: standard output: Broken pipe\n")
    os.close(write_end)
    server.result()


def a_full_output_does_not_stop_the_input(*around):
    """The server sends more than anybody reads, and wants all of ours first.  (Over a Unix socket: TCP, with all
    its windows full, has stalled in two of some 650 runs, for a reason that was not found.)"""
    def greedy(conn):
        conn.setblocking(False)
        sent = 0
        try:
            while True:
                sent += conn.send(BIG[sent:sent + 65536])
        except BlockingIOError:
            conn.setblocking(True)
        got = b""
        while len(got) < len(BIG):
            got += conn.recv(1000000) or b"the end, too early" * len(BIG)
        conn.sendall(BIG[sent:])
        return got
    path = os.path.join(folder(), "s")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    server = Server(greedy, listener)
    read_end, write_end = os.pipe()
    env = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"} # which strace would not let it do
    process = Process(*around, *SKT_NC, "-U", path, stdout=write_end, env=env).send(BIG)
    os.close(write_end)
    process.writer.join(LIMIT)
    check(not process.writer.is_alive(), "the input is not taken while the output is full")
    process.end_input()
    with open(read_end, "rb") as output:
        check(output.read() == BIG, "not all was printed")
    process.expect(status=0)
    check(server.result() == BIG, "not all arrived")


def nor_where_the_kernel_cannot_write_without_waiting():
    need("strace")
    trace = ["strace", "-f", "-o", "/dev/null", "-e", "inject=pwritev2:error=EOPNOTSUPP"]
    if subprocess.run(trace + ["true"], capture_output=True).returncode != 0:
        skip("strace may not trace here")
    a_full_output_does_not_stop_the_input(*trace, "-e", "trace=pwritev2")


def the_descriptor_is_passed():
    server = Server(lambda conn: (conn.sendall(b"hello\n"), read_all(conn)))
    ours, its = socket.socketpair()
    process = Process(*SKT_NC, "-F", "127.0.0.1", server.port, stdout=its)
    its.close()
    data, items, _, _ = ours.recvmsg(10, 100)
    process.expect(status=0, err="")
    fd = array.array("i", items[0][2])[0]
    with socket.socket(fileno=fd) as conn:
        conn.settimeout(LIMIT)
        check_equal("what it hears", conn.recv(100), b"hello\n")
        conn.sendall(b"from who got it")
    check_equal("what the server got", server.result()[1], b"from who got it")
    check_equal("the byte that it came with", data, b"\0")
    Process(*SKT_NC, "-F", "127.0.0.1", Server(read_all).port).expect(
        status=1, err="nc: -F: standard output: [^\n]*Socket operation on non-socket[^\n]*\n")


def ssh_takes_the_descriptor():
    need("ssh")
    def greet(conn):
        conn.sendall(b"SSH-2.0-story\r\n")
        return conn.recv(8)
    server = Server(greet)
    Process("ssh", "-F", "none", "-o", "ProxyUseFdpass=yes", "-o",
            "ProxyCommand=%s nc -F 127.0.0.1 %d" % (SKT_NC[0], server.port), "nobody@story.invalid").wait()
    check_equal("what the server hears", server.result(), b"SSH-2.0-")


def q_waits_so_long_after_the_input():
    def silent(conn):
        got = read_all(conn)
        read_all(conn)
        while True:
            try:
                conn.send(b"x") # until it has gone
            except OSError:
                return got
            if time.monotonic() > end:
                return "it does not go"
            time.sleep(0.2)
    end = time.monotonic() + LIMIT
    did = client(SKT_NC, ["-q", "50ms"] + A, silent, b"abc")
    check_equal("status", did["status"], 0)
    check_equal("received", did["received"], b"abc")


def q_0_of_datagrams():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        s.settimeout(LIMIT)
        Process(*SKT_NC, "-uv", "-q", "0", "127.0.0.1", s.getsockname()[1]).send(b"one\n").end_input().expect(
            status=0, err=r"Connection to 127.0.0.1 \d+ port \[udp/\*\] succeeded!\n")
        check_equal("the first that comes", s.recv(100), b"one\n")


def ports_in_any_order():
    """Forty ports that are closed, in the order in which failures are told."""
    words = ["-zvrn", "127.0.0.1", "1-40"]
    orders = set()
    for _ in range(5):
        process = Process(*SKT_NC, *words).end_input()
        check_equal("status", process.wait(), 1)
        order = [int(line.split()[5]) for line in process.err.decode().splitlines()]
        check_equal("the ports", sorted(order), list(range(1, 41)))
        orders.add(tuple(order))
    check(tuple(range(1, 41)) not in orders, "they are in order")


def a_timeout_is_told():
    """A listener whose queue is full does not answer."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        others = []
        for _ in range(4):
            other = socket.socket()
            other.setblocking(False)
            other.connect_ex(("127.0.0.1", port))
            others.append(other)
        Process(*SKT_NC, "-w", "300ms", "-v", "127.0.0.1", port).expect(
            status=1, err=r"nc: connect to 127.0.0.1 port %d \(tcp\) timed out\n" % port)
        for other in others:
            other.close()


def called_nc():
    link = os.path.join(folder(), "nc")
    os.symlink(os.environ["SKT"], link)
    server = Server(read_all)
    Process(link, "-N", "127.0.0.1", server.port).send(b"hello").end_input().expect(status=0, err="")
    check_equal("what came", server.result(), b"hello")
    Process(link, "-zv", "127.0.0.1", "1").expect(status=1, err="nc: connect to 127.0.0.1 port 1 .*\n")


def help_on_one_screen():
    for words in (["nc", "-h"], ["help", "nc"]):
        text = subprocess.run([os.environ["SKT"], *words], capture_output=True, text=True, check=True).stdout
        check(text.startswith("skt nc: "), "help begins with %.40r" % text)
        check(len(text.splitlines()) <= 24 and max(map(len, text.splitlines())) <= 79, "it is larger than a screen")


play(output_that_fails, a_full_output_does_not_stop_the_input, nor_where_the_kernel_cannot_write_without_waiting,
     the_descriptor_is_passed, ssh_takes_the_descriptor,
     q_waits_so_long_after_the_input, q_0_of_datagrams, ports_in_any_order, a_timeout_is_told, called_nc,
     help_on_one_screen)
