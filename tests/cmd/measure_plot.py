#!/usr/bin/env python3
"""The picture of skt measure is SVG that says what was measured; on a terminal there are colours and a sparkline, and
with NO_COLOR none of the first."""
import os
import pty
import re
import subprocess
import xml.etree.ElementTree as xml
from measuring import Result, Service
from story import check, check_equal, folder, play

SVG = "{http://www.w3.org/2000/svg}"


def draw(*words):
    path = folder() + "/picture.svg"
    Result("--plot", path, *words)
    root = xml.parse(path).getroot()
    check_equal("the root", root.tag, SVG + "svg")
    texts = [element.text for element in root.iter(SVG + "text")]
    lines = [element.get("d") for element in root.iter(SVG + "path") if element.get("fill") == "none"]
    for line in lines:
        for x, y in re.findall(r"(-?[\d.]+|nan) (-?[\d.]+|nan)", line):
            check(0 <= float(x) <= 860 and 0 <= float(y) <= 900, "outside of the picture: %s %s" % (x, y))
    return texts, lines


def requests():
    server = Service("echo", "tcp://127.0.0.1:0")
    texts, lines = draw("-d", "0.5", "--every", "50ms", "--pace", "500", "-n", "2", server.address)
    for title in ["Requests per second over time", "Latency over time", "Latency by percentile", "99.99 %",
                  "skt measure " + server.address]:
        check(title in texts, "%r is not in %r" % (title, texts))
    check_equal("rate; median, 99 %, greatest; due and sent", len(lines), 6)
    check_equal("points of the rate", len(re.findall("[ML]", lines[0])), 10)


def one_interval():
    texts, lines = draw("-d", "0.1", Service("echo", "tcp://127.0.0.1:0").address)
    check(len(lines) == 5 and all(lines), "lines: %r" % lines)


def bulk():
    texts, lines = draw("-d", "0.3", "--every", "50ms", "--bulk", "both", Service("echo", "tcp://127.0.0.1:0").address)
    check("Throughput over time" in texts and any("iB/s" in text for text in texts), "the texts are %r" % texts)
    check_equal("up, down, rtt", len(lines), 3)


def names_are_escaped():
    texts, _ = draw("-d", "0.1", Service("echo", "unix:" + folder() + "/a<b>&\"c").address)
    check(any(text.endswith("/a<b>&\"c") for text in texts), "the texts are %r" % texts)


def at_a_terminal(**environment):
    server = Service("echo", "tcp://127.0.0.1:0")
    master, slave = pty.openpty()
    with subprocess.Popen([os.environ["SKT"], "measure", "-d", "0.3", "--every", "100ms", server.address], stdout=slave,
                          env={**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", **environment}) as process:
        os.close(slave)
        out = b""
        try:
            while data := os.read(master, 65536):
                out += data
        except OSError:
            pass  # the terminal's other end has been closed
        check_equal("the status", process.wait(), 0)
    os.close(master)
    return out.decode()


def terminals():
    check("\033[1m" in at_a_terminal(NO_COLOR=""), "no bold head")
    out = at_a_terminal(NO_COLOR="1")
    check("\033" not in out, "colours in spite of NO_COLOR: %r" % out)
    check(re.search("requests/s [▁▂▃▄▅▆▇█]{3}\r\n", out), "no sparkline in %r" % out)


play(requests, one_interval, bulk, names_are_escaped, terminals)
