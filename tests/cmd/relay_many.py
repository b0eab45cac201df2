#!/usr/bin/env python3
"""skt relay with many clients: a hundred at once, more than --max, more than there are descriptors for; a rate; a
listener from a service manager; a restart that refuses nobody."""
import os
import resource
import socket
import sys
import threading
import time
from story import (LIMIT, Process, Relay, Server, check, check_equal, connect, echo, folder, free_port, noise, play,
                   read_all, wait_until)


def a_hundred_at_once():
    relay = Relay("tcp://127.0.0.1:0", Server(echo).target)
    clients = [connect(relay.port) for _ in range(100)]
    got = [b""] * 100

    def talk(number):
        with clients[number] as s:
            data = noise(300_000, number)
            sender = threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR)))
            sender.start()
            got[number] = read_all(s) == data
            sender.join(LIMIT)
    threads = [threading.Thread(target=talk, args=(number,)) for number in range(100)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(2 * LIMIT)
    check_equal("clients that got back what they had sent", got.count(True), 100)
    wait_until(lambda: len(relay.lines()) == 100, "a hundred lines are there")
    check_equal("lines with all bytes", sum("293 KiB up, 293 KiB down" in line for line in relay.lines()), 100)
    relay.stop().expect()


def no_more_than_max():
    now, most = [0], [0]
    lock = threading.Lock()

    def count(s):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        echo(s)
        with lock:
            now[0] -= 1
    relay = Relay("--max", "3", "tcp://127.0.0.1:0", Server(count).target)
    clients = [connect(relay.port) for _ in range(10)]
    for s in clients:
        s.sendall(b"x")
        s.shutdown(socket.SHUT_WR)
    for s in clients:
        check_equal("an answer, in the end", read_all(s), b"x")
    check(1 <= most[0] <= 4, "%d were connected at once" % most[0])    # one may have ended unseen by the server


def few_descriptors():
    """More clients than descriptors: some wait for others, nobody is lost."""
    few = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))
    relay = Relay("tcp://127.0.0.1:0", Server(echo).target, preexec_fn=few)
    clients = [connect(relay.port) for _ in range(150)]
    for number, s in enumerate(clients):
        s.sendall(b"%d" % number)
        s.shutdown(socket.SHUT_WR)
    for number, s in enumerate(clients):
        check_equal("an answer", read_all(s), b"%d" % number)
        s.close()
    wait_until(lambda: len(relay.lines()) == 150, "all lines are there")
    check_equal("failures", [line for line in relay.lines() if "upstream: " in line], [])
    capped = Relay("--max", "5000", "tcp://127.0.0.1:0", "127.0.0.1:1", preexec_fn=few)
    check("only 2" in capped.err.decode() and "128 descriptors" in capped.err.decode(), capped.err.decode())


def no_descriptor_for_upstream():
    """Somebody else has taken the last ones; the client waits for one as long as for a connection."""
    relay = Relay("--timeout", "20", "tcp://127.0.0.1:0", Server(echo).target)
    pid = relay.popen.pid
    warm = connect(relay.port)
    warm.sendall(b"w")
    check_equal("the first answer", warm.recv(1), b"w")
    used = len(os.listdir("/proc/%d/fd" % pid))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 1, resource.prlimit(pid, resource.RLIMIT_NOFILE)[1]))
    client = connect(relay.port)    # takes the last one
    client.sendall(b"x")
    time.sleep(0.3)
    check_equal("lines while it waits", relay.lines(), [])
    warm.close()
    check_equal("the answer, once another has gone", client.recv(1), b"x")


def a_rate():
    relay = Relay("--rate", "1M", "tcp://127.0.0.1:0", Server(lambda s: s.sendall(bytes(1 << 20))).target)
    start = time.monotonic()
    with connect(relay.port) as client:
        check_equal("bytes that came", len(read_all(client)), 1 << 20)
    took = time.monotonic() - start
    check(took > 0.85, "a second's bytes came in %.3f s" % took)


STARTER = """
import os, socket, sys
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
os.dup2(s.fileno(), 3)
os.environ["LISTEN_FDS"], os.environ["LISTEN_PID"] = "1", str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""


def from_a_service_manager():
    port = free_port()
    relay = Process(sys.executable, "-c", STARTER, port, os.environ["SKT"], "relay", "tcp://127.0.0.1:%d" % port,
                    Server(echo).target)
    relay.wait_err("relaying")
    with connect(port) as client:
        client.sendall(b"x")
        check_equal("an answer", client.recv(1), b"x")
    check("socket" in os.readlink("/proc/%d/fd/3" % relay.popen.pid), "descriptor 3 is gone")
    relay.stop().expect()


def a_restart():
    """Clients come all the time; none is refused, and those who are there stay."""
    port, path = free_port(), os.path.join(folder(), "handover")
    server = Server(echo)
    words = ("--handover", path, "tcp://127.0.0.1:%d" % port, server.target)
    first = Relay(*words)
    stays = connect(port)
    stays.sendall(b"x")
    check_equal("an answer", stays.recv(1), b"x")
    failures, over, served = [], threading.Event(), [0]

    def come():
        while not over.is_set():
            try:
                with connect(port) as s:
                    s.sendall(b"y")
                    if s.recv(1) != b"y":
                        failures.append("no answer")
                served[0] += 1
            except OSError as error:
                failures.append(error)
    clients = [threading.Thread(target=come) for _ in range(4)]
    for t in clients:
        t.start()
    wait_until(lambda: served[0] > 20, "clients are served")
    second = Relay(*words)
    before = served[0]
    wait_until(lambda: served[0] > before + 20, "clients are served by the second")
    check(first.running(), "the first has ended, though a client is there")
    stays.sendall(b"z")
    check_equal("an answer from the first", stays.recv(1), b"z")
    stays.close()
    first.expect()
    over.set()
    for t in clients:
        t.join(LIMIT)
    check_equal("failures", failures, [])
    check(len(second.lines()) > 0, "the second has served nobody")
    second.stop().expect()


play(a_hundred_at_once, no_more_than_max, few_descriptors, no_descriptor_for_upstream, a_rate, from_a_service_manager,
     a_restart)
