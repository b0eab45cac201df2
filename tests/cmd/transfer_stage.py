"""transfer_stage.py - what the stories about skt send and skt receive share."""

import hashlib
import os
import re
import socket
import threading
from story import LIMIT, Process, check, check_equal, wait_until


class Waiting(Process):
    """skt receive, or skt send --listen, started and ready at address."""

    def __init__(self, *words, **options):
        super().__init__(os.environ["SKT"], *words, **options)
        self.address = self.wait_err(r"listening on (.*)\n")[1]


def receiver(*words, address="tcp://127.0.0.1:0", **options):
    return Waiting("receive", address, *words, **options)


def text(process):
    """What it said, but for where it listens."""
    return re.sub(r"skt: listening on .*\n", "", process.err.decode(errors="replace"))


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)
    return path


def read(path):
    with open(path, "rb") as f:
        return f.read()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def only(directory, *names):
    """The directory has these files and no others."""
    check_equal("what is in the directory", sorted(os.listdir(directory)), sorted(names))


def port_of(address):
    return int(address.rpartition(":")[2])


class Relay:
    """Passes connections on, one after the other, to an address of 127.0.0.1.  change(number, data) gets each piece that
    goes forward over connection `number`, from 1; what it returns is passed on, and None cuts the connection."""

    def __init__(self, port, change):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = "tcp://127.0.0.1:%d" % self.server.getsockname()[1]
        self.port, self.change, self.connections = port, change, 0
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            client = self.server.accept()[0]
            self.connections += 1
            with client, socket.create_connection(("127.0.0.1", self.port)) as server:
                back = threading.Thread(target=self.carry_back, args=(server, client), daemon=True)
                back.start()
                self.carry_forward(client, server)
                back.join(LIMIT)

    @staticmethod
    def carry_back(server, client):
        try:
            while data := server.recv(65536):
                client.sendall(data)
            client.shutdown(socket.SHUT_WR)
        except OSError:
            pass # it was cut

    def carry_forward(self, client, server):
        number = self.connections
        try:
            while data := client.recv(65536):
                data = self.change(number, data)
                if data is None:
                    client.shutdown(socket.SHUT_RDWR)
                    server.shutdown(socket.SHUT_RDWR)
                    return
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Peer:
    """Speaks the protocol by hand, over a connection."""

    def __init__(self, conn, greeting):
        conn.settimeout(LIMIT)
        self.conn, self.file = conn, conn.makefile("rb")
        self.say(greeting)

    def say(self, *lines):
        self.conn.sendall(b"".join((line if isinstance(line, bytes) else line.encode()) + b"\n" for line in lines))
        return self

    def hear(self, pattern):
        line = self.file.readline().decode()
        check(re.fullmatch(pattern + "\n", line), "it said %r, not %r" % (line, pattern))
        return self

    def close(self):
        self.file.close()
        self.conn.close()


def sender_by_hand(address):
    return Peer(socket.create_connection(("127.0.0.1", port_of(address))), "skt-send 1").hear("skt-receive 1")


def wait_for_size(path, size):
    wait_until(lambda: os.path.exists(path) and os.path.getsize(path) >= size, "%s has %d bytes" % (path, size))
