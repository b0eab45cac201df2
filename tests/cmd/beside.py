"""beside.py - plays a scene with skt nc and with nc.openbsd, and tells what each of them did."""

import os
import re
import socket
import threading
from story import LIMIT, Process, check_equal, need

SKT_NC = [os.environ["SKT"], "nc"]
OPENBSD = ["/bin/nc.openbsd"]


def plain(text, *ports):
    """What was said, without what differs from one run to the next."""
    text = bytes(text).decode(errors="replace").replace("nc.openbsd: ", "nc: ")
    for port in ports:
        text = re.sub(r"\b%d\b" % port, "PORT", text)
    return re.sub(r"(received on \S+) \d+", r"\1 PORT", text)


def read_all(conn):
    parts = []
    while True:
        part = conn.recv(65536)
        if not part:
            return b"".join(parts)
        parts.append(part)


class Server:
    """Listens, on a free port of 127.0.0.1 unless it gets a listener, and plays scene(conn) with the first who comes;
    what it returns is got, or the failure."""

    def __init__(self, scene=read_all, listener=None):
        self.listener = listener or socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(LIMIT)
        self.port = 0 if self.listener.family == socket.AF_UNIX else self.listener.getsockname()[1]
        self.scene, self.got = scene, None
        self.thread = threading.Thread(target=self.play, daemon=True)
        self.thread.start()

    def play(self):
        try:
            conn, _ = self.listener.accept()
            with conn:
                conn.settimeout(LIMIT)
                self.got = self.scene(conn)
        except OSError as failure:
            self.got = failure

    def result(self):
        self.thread.join(LIMIT)
        self.listener.close()
        return self.got


def client(nc, words, scene, input=b"", keep_input=False):
    """Runs nc against a server: its status, output and messages, and what the server got."""
    server = Server(scene)
    process = Process(*nc, *(word.replace("PORT", str(server.port)) for word in words)).send(input)
    if not keep_input:
        process.end_input()
    status = process.wait()
    return {"status": status, "output": bytes(process.out), "messages": plain(process.err, server.port),
            "received": server.result()}


def both(play, *words):
    """play(nc, ...) with each of the two has to come to the same."""
    need(OPENBSD[0])
    expected = play(OPENBSD, *words)
    actual = play(SKT_NC, *words)
    check_equal("with %r what skt nc did" % (words[:1],), actual, expected)
