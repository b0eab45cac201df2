#!/usr/bin/env python3
"""What skt relay writes: a line for each connection, as text or as JSON, and on a terminal a live line."""
import json
import os
import pty
import re
import socket
import subprocess
import threading
from story import (LIMIT, Relay, Server, check, check_equal, connect, echo, folder, free_port, play, read_all,
                   wait_for_port, wait_until)

LINE = (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z 127\.0\.0\.1:\d+ -> 127\.0\.0\.1:\d+: [\d.]+ [mun]?s, connected in [\d.]+ "
        r"[mun]?s, 5 B up, 5 B down, client rtt [\d.]+ ms, upstream rtt [\d.]+ ms\n")


def ask(port):
    with connect(port) as client:
        client.sendall(b"hello")
        client.shutdown(socket.SHUT_WR)
        check_equal("the answer", read_all(client), b"hello")


def text():
    relay = Relay("tcp://127.0.0.1:0", Server(echo).target)
    ask(relay.port)
    relay.wait_err(LINE)
    relay.stop().expect(out=b"", err="skt: relaying .*\n" + LINE)


def to_a_file():
    path = os.path.join(folder(), "log")
    with open(path, "w") as f:
        f.write("before\n")
    relay = Relay("--log", path, "tcp://127.0.0.1:0", Server(echo).target)
    ask(relay.port)
    relay.stop().expect(err="skt: relaying .*\n")
    with open(path) as f:
        check(re.fullmatch("before\n" + LINE, f.read()), "the file has not what it should")


def as_json():
    port = free_port()
    relay = Relay("--json", "tcp://127.0.0.1:0", "127.0.0.1:%d" % port)
    with connect(relay.port) as client:
        client.recv(1)
        name = "%s:%d" % client.getsockname()
    wait_until(lambda: relay.out.endswith(b"\n"), "a line is there")
    failed = json.loads(relay.out)
    check_equal("client", failed["client"], name)
    check_equal("connect_seconds", failed["connect_seconds"], None)
    check(failed["error"].endswith("(127.0.0.1:%d): Connection refused" % port), failed["error"])
    relay.stop().expect()
    relay = Relay("--json", "tcp://127.0.0.1:0", Server(echo).target)
    ask(relay.port)
    relay.stop().expect()
    one = json.loads(relay.out)
    check_equal("bytes", (one["bytes_up"], one["bytes_down"]), (5, 5))
    check_equal("error", one["error"], None)
    check_equal("listener", one["listener"], "127.0.0.1:%d" % relay.port)
    check(0 < one["connect_seconds"] <= one["seconds"], "times make no sense: %r" % one)
    for side in ("client_tcp", "upstream_tcp"):
        check(one[side]["rtt"] > 0 and one[side]["segment_size"] > 0, "%s makes no sense: %r" % (side, one))


def a_live_line():
    """What a terminal shows while a client is there; lines of connections stand on lines of their own."""
    master, slave = pty.openpty()
    seen = bytearray()

    def collect():
        try:
            while data := os.read(master, 4096):
                seen.extend(data)
        except OSError:
            pass    # the other side is closed
    threading.Thread(target=collect, daemon=True).start()
    port = free_port()
    relay = subprocess.Popen([os.environ["SKT"], "relay", "tcp://127.0.0.1:%d" % port, Server(echo).target], stderr=slave,
                             env={**os.environ, "TERM": "xterm"})
    os.close(slave)
    try:
        wait_for_port(port)
        with connect(port) as client:
            client.sendall(b"x" * 3000)
            wait_until(lambda: b"\r1 open, 1 in all, 0 failed | up " in seen and b"2.93 KiB" in seen, "the live line is there")
            client.shutdown(socket.SHUT_WR)
            read_all(client)
        wait_until(lambda: b"2.93 KiB up" in seen, "the line of the connection is there")
        check(re.search(rb"\r\x1b\[K\d{4}-", seen), "the line does not begin on a cleared line: %r" % bytes(seen))
        wait_until(lambda: b"\r0 open, 1 in all" in seen, "the live line tells of the end")
        relay.terminate()
        check_equal("the status", relay.wait(LIMIT), 0)
        wait_until(lambda: seen.endswith(b"\r\x1b[K"), "the live line is cleared at the end")
    finally:
        relay.kill()
        relay.wait()


play(text, to_a_file, as_json, a_live_line)
