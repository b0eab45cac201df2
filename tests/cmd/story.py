"""story.py - what the stories about the command skt share.

A story is a program that plays scenes with skt and real peers, and prints a line of TAP for
each; the first that fails ends it.  SKT tells where the command is.  Each story plays in a network namespace of its own
where the system allows that, so that its ports collide with nobody's.  Nothing
sleeps: wait_until looks for a condition, and gives up after LIMIT seconds.
"""

import atexit
import fcntl
import hashlib
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

LIMIT = 30


def for_another_user():
    """What another user's process needs in its environment: a build that measures coverage writes counts as it ends, and would
    say on standard error that it cannot."""
    folder = tempfile.mkdtemp(prefix="skt-counts.")
    os.chmod(folder, 0o777)
    atexit.register(shutil.rmtree, folder, True)
    return {"GCOV_PREFIX": folder}


class Failed(Exception):
    pass


class Skipped(Exception):
    pass


def fail(sentence):
    raise Failed(sentence)


def skip(sentence):
    raise Skipped(sentence)


def play(*scenes):
    """Plays functions, or pairs of a name and a function."""
    print("1..%d" % len(scenes))
    for number, scene in enumerate(scenes, 1):
        name, function = scene if isinstance(scene, tuple) else (scene.__name__.replace("_", " "), scene)
        try:
            function()
        except Skipped as reason:
            print("ok %d - %s # SKIP %s" % (number, name, reason), flush=True)
        except Exception as failure:
            if not isinstance(failure, Failed):
                traceback.print_exc()
            print("not ok %d - %s\n# %s" % (number, name, failure))
            for process in Process.all[-3:]:
                print(process.describe())
            sys.exit(1)
        else:
            print("ok %d - %s" % (number, name), flush=True)


def check(condition, sentence):
    if not condition:
        fail(sentence)


def check_equal(what, actual, expected):
    if actual != expected:
        fail("%s is %.300r, not %.300r" % (what, actual, expected))


def wait_until(condition, sentence):
    """Returns what condition() returned, once that is true."""
    end = time.monotonic() + LIMIT
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            fail("waited %d seconds until %s" % (LIMIT, sentence))
        time.sleep(0.005)


# ---- The stage ----

def is_private():
    return os.environ.get("SKT_STORY_NETWORK") == "private"


def lo_up():
    SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16xH14x", fcntl.ioctl(s, SIOCGIFFLAGS, request))[0]
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def enter_private_network():
    """Starts this program again in a network namespace, if that can be had."""
    if is_private():
        lo_up()
        return
    command = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
    if shutil.which("unshare") and subprocess.run(command + ["true"], stderr=subprocess.DEVNULL).returncode == 0:
        os.environ["SKT_STORY_NETWORK"] = "private"
        os.execvp(command[0], command + [sys.executable] + sys.argv)


def need(*tools):
    for tool in tools:
        if not shutil.which(tool):
            skip("there is no %s here" % tool)


def need_private_network():
    if not is_private():
        skip("no network namespace can be had")


def free_port(kind=socket.SOCK_STREAM):
    """A port for peers that cannot be asked for the one they got."""
    with socket.socket(socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET, kind) as s:
        s.bind(("", 0))
        return s.getsockname()[1]


def bound_ports(table, listening):
    for name in (table, table + "6"):
        with open("/proc/self/net/" + name) as lines:
            next(lines)
            for line in lines:
                fields = line.split()
                if not listening or fields[3] == "0A":
                    yield int(fields[1].rpartition(":")[2], 16)


def wait_for_port(port, table="tcp"):
    """Until somebody has bound it; looks only, since a connection would be served."""
    wait_until(lambda: port in bound_ports(table, table == "tcp"), "somebody listens on port %d" % port)


def wait_for_socket(path, listening=True):
    """The same for an AF_UNIX socket; an abstract name begins with @."""
    def is_there():
        with open("/proc/self/net/unix") as lines:
            return any(line.split()[7:] == [path] and (not listening or line.split()[3] == "00010000")
                       for line in lines)
    wait_until(is_there, "somebody listens at " + path)


def folder():
    """A new folder, removed at the end."""
    path = tempfile.mkdtemp(prefix="skt-story.")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def noise(size, seed=1):
    return random.Random(seed).randbytes(size)


def digest(data):
    return "%d bytes, sha256 %s" % (len(data), hashlib.sha256(data).hexdigest())


# ---- The players ----

class Process:
    """A program whose input we write and whose output we collect.

    send() and end_input() belong to the input if that is a pipe, which it is unless
    stdin says something else; out and err are what has come so far."""

    all = []

    def __init__(self, *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options):
        self.command = [str(word) for word in command]
        self.out, self.err = bytearray(), bytearray()
        self.popen = subprocess.Popen(self.command, stdin=stdin, stdout=stdout, stderr=stderr, bufsize=0,
                                      **options)
        self.readers = [threading.Thread(target=self._collect, args=pair, daemon=True)
                        for pair in ((self.popen.stdout, self.out), (self.popen.stderr, self.err)) if pair[0]]
        for reader in self.readers:
            reader.start()
        Process.all.append(self)

    @staticmethod
    def _collect(pipe, into):
        while True:
            part = pipe.read(65536)
            if not part:
                return
            into += part

    def describe(self):
        return "# %s\n#     status %s, output %.200r, errors %.400r" % (
            " ".join(self.command), self.popen.poll(), bytes(self.out), self.err.decode(errors="replace"))

    def send(self, data):
        """All of it, without waiting for it to be read."""
        def write():
            try:
                while data_left:
                    del data_left[:self.popen.stdin.write(data_left[:65536])]
                if self.ends:
                    self.popen.stdin.close()
            except OSError:
                pass # it has ended; its status tells
        data_left = bytearray(data)
        self.ends = False
        self.writer = threading.Thread(target=write, daemon=True)
        self.writer.start()
        return self

    def end_input(self):
        self.ends = True
        if hasattr(self, "writer"):
            self.writer.join(LIMIT)
            check(not self.writer.is_alive(), "the input of %s is not read" % self.command[0])
        if not self.popen.stdin.closed:
            self.popen.stdin.close()
        return self

    def wait_out(self, data):
        wait_until(lambda: data in self.out, "%s printed %r" % (self.command[0], data))
        return self

    def wait_err(self, pattern):
        return wait_until(lambda: re.search(pattern, self.err.decode(errors="replace")),
                          "%s said %r" % (self.command[0], pattern))

    def wait_err_times(self, word, times):
        wait_until(lambda: self.err.count(word) >= times, "%s said %r %d times" % (self.command[0], word, times))

    def running(self):
        return self.popen.poll() is None

    def stop(self, number=signal.SIGTERM):
        self.popen.send_signal(number)
        return self

    def wait(self):
        """Its status, once it has ended and all of its output is here."""
        try:
            status = self.popen.wait(LIMIT)
        except subprocess.TimeoutExpired:
            fail("%s has not ended after %d seconds" % (" ".join(self.command), LIMIT))
        for reader in self.readers:
            reader.join(LIMIT)
        return status

    def expect(self, status=0, out=None, err=None):
        """It ends with this status; err is a pattern for all that it said on standard error."""
        check_equal("the status of " + " ".join(self.command), self.wait(), status)
        if out is not None and bytes(self.out) != out:
            fail("the output of %s is not what was sent: %s, not %s" %
                 (self.command[0], digest(bytes(self.out)), digest(out)))
        if err is not None:
            said = self.err.decode(errors="replace")
            check(re.fullmatch(err, said), "%s said %r, which is not %r" % (self.command[0], said, err))
        return self


def skt(*words, **options):
    return Process(os.environ["SKT"], *words, **options)


class Listener(Process):
    """skt listen, started and ready; address is what it said that it listens on."""

    def __init__(self, *words, **options):
        super().__init__(os.environ["SKT"], "listen", *words, **options)
        self.address = self.wait_err(r"listening on (.*)\n")[1]
        self.port = int(self.address.rpartition(":")[2]) if self.address[-1].isdigit() and "//" in self.address else 0


class Relay(Process):
    """skt relay, started and ready; port and address are where clients come to."""

    def __init__(self, *words, **options):
        super().__init__(os.environ["SKT"], "relay", *words, **options)
        self.address = self.wait_err(r"relaying (.*) to .*\n")[1]
        self.port = int(self.address.rpartition(":")[2]) if self.address[-1].isdigit() and "//" in self.address else 0

    def lines(self):
        """The lines of connections so far."""
        return [line for line in self.err.decode().splitlines() if " -> " in line]


class Server:
    """A TCP server of this program: serve(connection) runs in a thread for each client."""

    def __init__(self, serve, address=("127.0.0.1", 0), family=socket.AF_INET):
        self.listener = socket.socket(family)
        self.listener.bind(address)
        self.listener.listen(1024)
        self.port = self.listener.getsockname()[1] if family != socket.AF_UNIX else 0
        self.target = "127.0.0.1:%s" % self.port
        threading.Thread(target=self._accept, args=(serve,), daemon=True).start()

    def _accept(self, serve):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(serve, connection), daemon=True).start()

    @staticmethod
    def _serve(serve, connection):
        with connection:
            try:
                serve(connection)
            except OSError:
                pass # the scene looks at what its client sees


def echo(connection):
    while data := connection.recv(65536):
        connection.sendall(data)


def connect(port):
    s = socket.create_connection(("127.0.0.1", port))
    s.settimeout(LIMIT)
    return s


def read_all(connection):
    return b"".join(iter(lambda: connection.recv(65536), b""))


def end():
    for process in Process.all:
        if process.running():
            process.popen.kill()
        process.popen.wait()


if "SKT" not in os.environ:
    sys.exit("SKT has to say where the command is")
enter_private_network()
atexit.register(end)
