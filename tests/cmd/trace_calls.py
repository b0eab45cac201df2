#!/usr/bin/env python3
"""Where packets may not be seen, or where there are none, the diagram is drawn from the command's calls and TCP_INFO,
and says so."""
import os
import re
import socket
import subprocess
from story import Process, check, check_equal, folder, for_another_user, free_port, need, play, skip, skt, wait_until
from trace_story import Traced, lose, lose_nothing, need_packets

PLAIN = dict(os.environ, LC_ALL="C")
SAID = r"skt: packets may not be seen \(Operation not permitted; that takes CAP_NET_RAW\): this is drawn from [^\n]*\n"


def without_rights(*words):
    """skt, as somebody who may not see packets."""
    if os.geteuid() == 0:
        need("setpriv")
        return Process("setpriv", "--bounding-set", "-all", "--inh-caps", "-all", "--ambient-caps", "-all", "--reuid",
                       "65534", "--clear-groups", os.environ["SKT"], *words, env={**PLAIN, **for_another_user()})
    return skt(*words, env=PLAIN)


def expect_lines(text, *patterns):
    """Each is a line, and they come in this order."""
    rest = text
    for pattern in patterns:
        match = re.search("^" + pattern + "$", rest, re.M)
        check(match, "no line %r in its place:\n%s" % (pattern, text))
        rest = rest[match.end():]


def a_talk():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ours = without_rights("trace", "--", "connect", "127.0.0.1", port)
        ours.send(b"question").end_input()
        conn, _ = server.accept()
        with conn:
            check_equal("the question", conn.recv(100, socket.MSG_WAITALL), b"question")
            conn.sendall(b"a long answer")
            ours.wait_err("FIN-WAIT-")
        ours.expect(out=b"a long answer")
    text = ours.err.decode()
    check(re.match(SAID, text), "it is not said: " + text)
    expect_lines(text, r"#1 TCP +descriptor \d+ \(skt connect\) +127\.0\.0\.1:%d" % port,
                 r" 0\.000000 +ESTABLISHED \|-- connect -+>\|", r" .* \|-- send, 8 bytes -+>\|", r".* \|<- recv, 13 bytes -+\|",
                 r".* \|<- recv, the end -+\|")
    check("ESTABLISHED |" in text and re.search(r"FIN-WAIT-[12] \|", text), "the states are missing: " + text)
    check(all(len(line) <= 80 and line.isascii() for line in text.split("\n")[1:]), "too wide, or not ASCII: " + text)


def refused():
    port = free_port()
    ours = without_rights("trace", "--json", "--", "connect", "127.0.0.1", port)
    check_equal("the status", ours.wait(), 1)
    text = ours.err.decode()
    check('"calls": 3, "conversations": 1, ' in text, "the counts are wrong: " + text)
    check('"not connected"' in text and '"Connection refused"' in text, "the failure is not told: " + text)


def ports_take_rights():
    ours = without_rights("trace", "--port", "80")
    ours.expect(status=1, out=b"", err=r"skt: packets may not be seen \(Operation not permitted\): [^\n]+\n")


def unix_sockets_have_no_packets():
    need_packets()
    path = os.path.join(folder(), "socket")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        ours = Traced("connect", "unix:" + path)
        ours.send(b"hello").end_input()
        conn, _ = server.accept()
        with conn:
            check_equal("what was sent", conn.recv(5, socket.MSG_WAITALL), b"hello")
        ours.expect(out=b"", err="")
    rows = ours.rows()
    check_equal("the first", (rows[0]["what"], rows[0]["protocol"]), ("connect", None))
    check(("send", 5) in [(row["what"], row.get("bytes")) for row in rows], "what was sent is missing: %r" % rows)
    check_equal("where to", rows[0]["to"], "unix:" + path)


def what_is_sent_again():
    """TCP_INFO tells of it at the next call."""
    need_packets()
    need("nft", "ss")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ours = Traced("connect", "127.0.0.1", port, options=["--calls"])
        conn, _ = server.accept()
        with conn:
            lose(port, "psh")
            ours.send(b"lost")
            wait_until(lambda: re.search(r" retrans:\d", info(port)), "the kernel has sent it again")
            lose_nothing()
            check_equal("what arrived", conn.recv(100), b"lost")
            conn.sendall(b"thanks")
            ours.wait_out(b"thanks")
            ours.end_input()
        ours.wait()
    again = [row for row in ours.rows() if row["kind"] == "retransmission"]
    check(again and re.fullmatch(r"\d+ retransmitted", again[0]["note"]), "it is not told: %r" % ours.rows())


def info(port):
    return subprocess.run(["ss", "-tinH", "dport = :%d" % port], capture_output=True, check=True).stdout.decode()


play(a_talk, refused, ports_take_rights, unix_sockets_have_no_packets, what_is_sent_again)
