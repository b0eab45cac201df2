#!/usr/bin/env python3
"""The picture is SVG that others can draw, with an arrow for each packet; and at a terminal the text has colours and
its width."""
import fcntl
import os
import pty
import re
import socket
import struct
import subprocess
import termios
import xml.etree.ElementTree as xml
from story import check, check_equal, folder, need, play, skt
from trace_story import Traced, need_packets

SVG = "{http://www.w3.org/2000/svg}"


def talk(ours, server):
    ours.send(b"question").end_input()
    conn, _ = server.accept()
    with conn:
        check_equal("the question", conn.recv(100, socket.MSG_WAITALL), b"question")
    check_equal("the status", ours.wait(), 0)


def an_arrow_a_packet():
    need_packets()
    path = os.path.join(folder(), "talk.svg")
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = Traced("connect", "127.0.0.1", server.getsockname()[1], options=["--svg", path])
        talk(ours, server)
    rows = ours.rows()
    picture = xml.parse(path).getroot()
    _, _, width, height = map(float, picture.get("viewBox").split())
    texts = ["".join(text.itertext()) for text in picture.iter(SVG + "text")]
    labels = [text for text in picture.iter(SVG + "text") if text.get("class") == "label"]
    check_equal("the arrows", [re.match("[A-Z ]*[A-Z]", "".join(text.itertext()))[0] for text in labels],
                [row["what"] for row in rows])
    for name in ("SYN-SENT", "LISTEN", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1", "CLOSE-WAIT", "LAST-ACK", "TIME-WAIT",
                 "CLOSED", "PSH ACK, 8 bytes, seq 1, ack 1"):
        check(name in texts, "the picture does not say " + name)
    for line in picture.iter(SVG + "line"):
        check(all(0 <= float(line.get(x)) <= width for x in ("x1", "x2")) and
              all(0 <= float(line.get(y)) <= height for y in ("y1", "y2")), "a line leads out of the picture")
    tails = [float(line.get("y1")) for line in picture.iter(SVG + "line") if line.get("x1") != line.get("x2")]
    check(sorted(tails[:len(rows)]) == tails[:len(rows)], "time does not run downwards")
    need("rsvg-convert")
    drawn = subprocess.run(["rsvg-convert", path], capture_output=True, check=True).stdout
    check(drawn.startswith(b"\x89PNG") and len(drawn) > 10000, "it cannot be drawn")


def any_name():
    """Names of files may have any bytes: the picture is XML all the same."""
    need_packets()
    where = folder()
    path = os.path.join(os.fsencode(where), b"<&\"'\xff\n]]>")
    picture = os.path.join(where, "picture.svg")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        name = b"unix:" + b"".join(b"%%%02x" % byte for byte in path)
        ours = skt("trace", "--svg", picture, "--", "connect", name.decode())
        talk(ours, server)
    texts = ["".join(text.itertext()) for text in xml.parse(picture).getroot().iter(SVG + "text")]
    check(any("<&\"'" in text for text in texts), "the name is missing in %r" % texts)


def files_that_cannot_be():
    need_packets()
    for option in ("--svg", "--output"):
        skt("trace", option, "/nowhere/x", "--", "connect", "127.0.0.1", "1").expect(
            status=1, out=b"", err="skt: /nowhere/x: No such file or directory\n")
        with socket.create_server(("127.0.0.1", 0)) as server:
            ours = skt("trace", option, "/dev/full", "--", "connect", "-e", "peer", "127.0.0.1",
                       server.getsockname()[1])
            server.accept()[0].close()
            check_equal("the status", ours.wait(), 1)
            check("skt: /dev/full: No space left on device\n" in ours.err.decode(), "it is not said")
    check(os.path.exists("/dev/full"), "a device was removed")


def at_a_terminal(colours, columns):
    need_packets()
    keyboard, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    env = dict(os.environ, TERM="xterm", LC_ALL="C.UTF-8")
    env.pop("NO_COLOR", None)
    if not colours:
        env["NO_COLOR"] = "1"
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = subprocess.Popen([os.environ["SKT"], "trace", "--", "connect", "-e", "peer", "127.0.0.1",
                                 str(server.getsockname()[1])], stderr=terminal, env=env, stdin=subprocess.DEVNULL)
        server.accept()[0].close()
        check_equal("the status", ours.wait(30), 0)
    os.close(terminal)
    shown = b""
    try:
        while True:
            shown += os.read(keyboard, 65536)
    except OSError: # all is read
        os.close(keyboard)
    text = shown.decode()
    check_equal("whether there are colours", "\033[32m" in text, colours)
    plain = re.sub(r"\033\[\d*m", "", text).split("\r\n")
    check("▶│" in "".join(plain) and "│◀" in "".join(plain), "no arrows in %r" % text)
    rights = {line.rindex("│") for line in plain if "▶" in line or "◀" in line}
    check_equal("where the right lane is", rights, {columns - 15})
    check(all(len(line) <= columns for line in plain), "lines are too wide")


def colours():
    at_a_terminal(True, 80)


def no_colours_in_a_wider_one():
    at_a_terminal(False, 100)


play(an_arrow_a_packet, any_name, files_that_cannot_be, colours, no_colours_in_a_wider_one)
