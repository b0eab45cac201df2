#!/usr/bin/env python3
"""How a relayed connection ends: half-close in both directions, resets, silence, no upstream side, and SIGTERM."""
import os
import signal
import socket
import struct
import time
from story import (LIMIT, Relay, Server, check, check_equal, connect, echo, fail, folder, free_port, need_private_network,
                   play, read_all, skip, skt, wait_until)


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def expect_reset(s):
    s.settimeout(LIMIT)
    try:
        got = s.recv(1)
    except ConnectionResetError:
        return
    fail("there was no reset, but %r" % got)


def line_of(relay, number=1):
    return wait_until(lambda: len(relay.lines()) >= number and relay.lines()[number - 1], "its line is there")


def the_client_ends_first():
    def server(s):
        check_equal("what the server got until the end", read_all(s), b"question")
        s.sendall(b"answer after the end")
    relay = Relay("tcp://127.0.0.1:0", Server(server).target)
    with connect(relay.port) as client:
        client.sendall(b"question")
        client.shutdown(socket.SHUT_WR)
        check_equal("the answer", read_all(client), b"answer after the end")


def the_server_ends_first():
    got = []

    def server(s):
        s.sendall(b"greeting")
        s.shutdown(socket.SHUT_WR)
        got.append(read_all(s))
    relay = Relay("tcp://127.0.0.1:0", Server(server).target)
    with connect(relay.port) as client:
        check_equal("the greeting", read_all(client), b"greeting")
        client.sendall(b"words after the end")
        client.shutdown(socket.SHUT_WR)
        wait_until(lambda: got, "the server has all")
    check_equal("what came after the end", got[0], b"words after the end")


def resets_are_passed_on():
    servers = []
    upstream = Server(lambda s: servers.append(s.dup()))
    relay = Relay("tcp://127.0.0.1:0", upstream.target)
    client = connect(relay.port)
    wait_until(lambda: len(servers) == 1, "the server is reached")
    reset(client)
    expect_reset(servers[0])
    check("client: recv" in line_of(relay) and "reset" in line_of(relay), "the line does not tell: " + line_of(relay))
    client = connect(relay.port)
    wait_until(lambda: len(servers) == 2, "the server is reached again")
    client.sendall(b"x")
    time.sleep(0.05)    # a reset is a reset also where it comes after data
    servers[1].recv(1)
    reset(servers[1])
    expect_reset(client)
    check("upstream: recv" in line_of(relay, 2), "the line does not tell: " + line_of(relay, 2))


def a_full_direction_is_reset_too():
    """The client takes nothing, so the relay is stuck in sending to it when it goes."""
    def server(s):
        try:
            while True:
                s.sendall(bytes(1 << 20))
        except OSError as error:
            seen.append(error)
    seen = []
    relay = Relay("tcp://127.0.0.1:0", Server(server).target)
    client = connect(relay.port)
    client.recv(1)
    time.sleep(0.2)
    reset(client)
    wait_until(lambda: seen, "the server sees that the client is gone")
    line_of(relay)


def gone_after_the_end():
    """Who has ended and then gone altogether is found out, though the other side is silent.

    The kernel answers for a closed TCP socket as long as tcp_fin_timeout says."""
    need_private_network()
    try:
        with open("/proc/sys/net/ipv4/tcp_fin_timeout", "w") as f:
            f.write("1")
    except OSError as reason:
        skip(str(reason))
    servers = []
    upstream = Server(lambda s: servers.append(s.dup()))
    path = os.path.join(folder(), "relay")
    relays = Relay("tcp://127.0.0.1:0", upstream.target), Relay("unix:" + path, upstream.target)
    clients = connect(relays[0].port), socket.socket(socket.AF_UNIX)
    clients[1].connect(path)
    wait_until(lambda: len(servers) == 2, "the servers are reached")
    for s in clients:
        s.close()
    for s in servers:
        s.settimeout(LIMIT)
        check_equal("the end", s.recv(1), b"")
    for relay in relays:
        check("client: is gone" in line_of(relay), line_of(relay))


def nobody_upstream():
    port = free_port()
    relay = Relay("tcp://127.0.0.1:0", "127.0.0.1:%d" % port)
    with connect(relay.port) as client:
        check_equal("what the client sees", client.recv(10), b"")
    line = line_of(relay)
    check("upstream: connect 127.0.0.1" in line and line.endswith("(127.0.0.1:%d): Connection refused" % port), line)
    unix = Relay("tcp://127.0.0.1:0", "unix:/nowhere/at/all")
    with connect(unix.port) as client:
        check_equal("what the client sees", client.recv(10), b"")
    check("connect unix:/nowhere/at/all: No such file or directory" in line_of(unix), line_of(unix))


def an_upstream_side_that_does_not_answer():
    full = socket.socket()    # its queue has no room: who connects gets no answer
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    fillers = [socket.socket() for _ in range(4)]
    for s in fillers:
        s.setblocking(False)
        s.connect_ex(full.getsockname())
    relay = Relay("--timeout", "300ms", "tcp://127.0.0.1:0", "127.0.0.1:%d" % full.getsockname()[1])
    with connect(relay.port) as client:
        check_equal("what the client sees", client.recv(10), b"")
    check("timed out" in line_of(relay), line_of(relay))


def silence():
    relay = Relay("--idle", "1s", "tcp://127.0.0.1:0", Server(echo).target)
    with connect(relay.port) as client:
        for _ in range(4):    # longer in all than the time of silence
            client.sendall(b"x")
            check_equal("an answer", client.recv(1), b"x")
            time.sleep(0.3)
        start = time.monotonic()
        check_equal("the end", client.recv(1), b"")
        check(time.monotonic() - start > 0.1, "it ended too early")
    check("nothing has come or gone for 1 seconds" in line_of(relay), line_of(relay))


def sigterm_lets_them_finish():
    relay = Relay("--grace", "30", "tcp://127.0.0.1:0", Server(echo).target)
    with connect(relay.port) as client:
        client.sendall(b"before")
        check_equal("an answer", client.recv(10), b"before")
        relay.stop()
        time.sleep(0.2)
        client.sendall(b"after")
        check_equal("an answer after SIGTERM", client.recv(10), b"after")
        check(relay.running(), "the relay has ended, though a client is there")
    relay.expect()


def the_grace_ends():
    relay = Relay("--grace", "200ms", "tcp://127.0.0.1:0", Server(echo).target)
    client = connect(relay.port)
    client.sendall(b"x")
    client.recv(1)
    relay.stop()
    expect_reset(client)
    relay.expect()
    check("it was still open when the relay stopped" in line_of(relay), line_of(relay))


def sigint_twice():
    relay = Relay("tcp://127.0.0.1:0", Server(echo).target)
    client = connect(relay.port)
    client.sendall(b"x")
    client.recv(1)
    relay.stop(signal.SIGINT)
    time.sleep(0.2)
    check(relay.running(), "the relay did not wait for its client")
    relay.stop(signal.SIGINT)
    relay.expect()
    expect_reset(client)


def wrong_calls():
    for words, said in ((("a:1",), "two addresses"), (("-", "-"), "not both"), ((":1", ":2"), "a host and a port"),
                        (("--send-proxy", "v3", ":1", "a:2"), "none of v1, v2"),
                        (("--send-proxy", "v1", ":1", "udp://a:2"), "no stream"),
                        (("--accept-proxy", "udp://:1", "a:2"), "no streams"),
                        (("--rate", "fast", ":1", "a:2"), "no size"), (("--max", "0", ":1", "a:2"), "no number"),
                        (("--handover", "/tmp/x", "udp://:1", "a:2"), "no address of streams")):
        relay = skt("relay", *words).expect(status=2)
        check(said in relay.err.decode(), "%r: %s" % (words, relay.err.decode()))
    skt("relay", "--log", "/nowhere/log", ":0", "a:1").expect(status=1, err="skt: --log /nowhere/log: .*\n")


play(the_client_ends_first, the_server_ends_first, resets_are_passed_on, a_full_direction_is_reset_too, gone_after_the_end,
     nobody_upstream,
     an_upstream_side_that_does_not_answer, silence, sigterm_lets_them_finish, the_grace_ends, sigint_twice, wrong_calls)
