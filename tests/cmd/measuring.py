"""measuring.py - what the stories about skt measure, echo, discard and chargen share."""
import json
import os
import socket
import threading
from story import Process, check, check_equal, skt


class Service(Process):
    """skt echo, discard or chargen, started and ready."""

    def __init__(self, word, address):
        super().__init__(os.environ["SKT"], word, address)
        self.address = self.wait_err(r"listening on (.*)\n")[1]


class Result:
    """What skt measure --json printed, and said."""

    def __init__(self, *words, status=0, err=""):
        process = skt("measure", "--json", *words).expect(status=status, err=err)
        lines = [json.loads(line) for line in process.out.decode().splitlines()]
        self.intervals = [line for line in lines if line["type"] == "interval"]
        self.whole = lines[-1] if lines else None
        if lines:
            check_equal("the last line", self.whole["type"], "result")

    def __getitem__(self, name):
        return self.whole[name]


def check_latencies(latencies):
    """They are in order, and not nothing."""
    names = ["min", "p50", "p90", "p99", "p99_9", "p99_99", "max"]
    values = [latencies[name] for name in names]
    check(values == sorted(values) and values[0] > 0, "the percentiles are %s" % values)
    check(values[0] <= latencies["mean"] <= values[-1], "the mean %s is outside" % latencies["mean"])


def tcp_server(talk):
    """A server of ours: talk(connection) runs in a thread for each.  Its address."""
    def serve():
        while True:
            conn, _ = server.accept()
            threading.Thread(target=run, args=(conn,), daemon=True).start()

    def run(conn):
        with conn:
            try:
                talk(conn)
            except OSError:
                pass  # the client has gone
    server = socket.create_server(("127.0.0.1", 0), backlog=128)
    threading.Thread(target=serve, daemon=True).start()
    return "127.0.0.1:%d" % server.getsockname()[1]


def udp_server(answers):
    """A server of ours that sends what answers(datagram) yields.  Its address."""
    def serve():
        while True:
            data, sender = server.recvfrom(65536)
            for answer in answers(data):
                server.sendto(answer, sender)
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    threading.Thread(target=serve, daemon=True).start()
    return "udp://127.0.0.1:%d" % server.getsockname()[1]
