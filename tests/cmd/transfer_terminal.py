#!/usr/bin/env python3
"""A bar while somebody looks, and nowhere else."""
import fcntl
import os
import pty
import re
import signal
import socket
import struct
import termios
import threading
import time
from story import check, check_equal, folder, noise, play, skt, wait_until
from transfer_stage import Relay, port_of, receiver, text, write

DATA = noise(8 << 20)


class Terminal:
    """What is drawn on it; screen() is its last line as somebody sees it."""

    def __init__(self, columns):
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.drawn = b""
        threading.Thread(target=self.collect, daemon=True).start()

    def collect(self):
        try:
            while data := os.read(self.master, 65536):
                self.drawn += data
        except OSError:
            pass # the last one who had it open has closed it

    def pictures(self):
        return [p.decode() for p in re.findall(rb"\r([^\r\n\x1b]+)\x1b\[K", self.drawn)]

    def lines(self):
        return [line.rpartition("\x1b[K")[2] for line in self.drawn.decode().split("\r\n")]


def slowly(number, data):
    time.sleep(0.008)
    return data


def sent_to(terminal, source, **environment):
    ours = receiver(folder() + "/b")
    relay = Relay(port_of(ours.address), slowly)
    path = write(folder() + "/photo.jpg", DATA)
    words = ["send", "--send-buffer", "64k", path if source == "file" else "-", relay.address]
    theirs = skt(*words, stderr=terminal.slave, env={**os.environ, "TERM": "xterm", **environment})
    if source == "pipe":
        theirs.send(DATA).end_input()
    theirs.expect()
    ours.expect()
    check_equal("what the other side said, into a file", text(ours), "")
    wait_until(lambda: b"sha256" in terminal.drawn, "the report is there")


def a_file_at_a_terminal():
    terminal = Terminal(200)
    sent_to(terminal, "file", LC_ALL="C.UTF-8")
    pictures = terminal.pictures()
    check(len(pictures) >= 2, "only %d pictures" % len(pictures))
    for picture in pictures:
        check(re.fullmatch(r" *\d+% \[[ ▏▎▍▌▋▊▉█]{24}\] [\d.]+ [KM]iB of 8\.00 MiB  [\d.]+ [KMG]iB/s  \S.* left  .*/photo\.jpg",
                           picture), "a picture is %r" % picture)
    shares = [int(picture.partition("%")[0]) for picture in pictures]
    check(shares == sorted(shares) and shares[0] < shares[-1], "it does not grow: %r" % shares)
    check(re.fullmatch(r"skt: sent .*/photo\.jpg: 8\.00 MiB in .*, .*B/s, sha256 [0-9a-f]{64}", terminal.lines()[0]),
          "the report is %r" % terminal.lines())


def without_utf8_and_narrow():
    terminal = Terminal(40)
    sent_to(terminal, "file", LC_ALL="C")
    for picture in terminal.pictures():
        check(re.match(r" *\d+% \[[#-]{24}\]", picture) and len(picture) <= 39, "a picture is %r" % picture)


def a_pipe_has_no_end_in_sight():
    terminal = Terminal(200)
    sent_to(terminal, "pipe", LC_ALL="C.UTF-8")
    pictures = terminal.pictures()
    check(pictures, "no pictures")
    for picture in pictures:
        check(re.fullmatch(r"standard input  [\d.]+ [KM]iB  [\d.]+ [KMG]iB/s", picture), "a picture is %r" % picture)


def a_terminal_that_cannot():
    terminal = Terminal(80)
    path = write(folder() + "/a", DATA)
    ours = receiver(folder() + "/b")
    relay = Relay(port_of(ours.address), slowly)
    skt("send", path, relay.address, stderr=terminal.slave, env={**os.environ, "TERM": "dumb"}).expect()
    ours.expect()
    check_equal("what was drawn", terminal.drawn, b"")


def interrupted():
    """The picture is cleared, and then it is said."""
    terminal = Terminal(80)
    path = write(folder() + "/a", DATA)
    with socket.create_server(("127.0.0.1", 0)) as server:
        theirs = skt("send", "--raw", path, "tcp://127.0.0.1:%d" % server.getsockname()[1], stderr=terminal.slave,
                     env={**os.environ, "TERM": "xterm"})
        conn = server.accept()[0]
        conn.recv(1 << 20)
        theirs.stop(signal.SIGINT).expect(status=-signal.SIGINT)
        conn.close()
    wait_until(lambda: terminal.drawn.endswith(b"\r\x1b[Kskt: interrupted\r\n"), "it says so, and nothing else")


play(a_file_at_a_terminal, without_utf8_and_narrow, a_pipe_has_no_end_in_sight, a_terminal_that_cannot, interrupted)
