"""relays.py - what bench/run needs to measure relays: each between the load and a server of raw C.

A relay's CPU time is the kernel's account of it at its end, with that of the processes it has made (socat
forks for each connection), less what it had used before the load began."""
import os
import signal
import socket
import subprocess
import tempfile
import time

SECONDS = 10    # for a relay to begin, and to see that its connections have ended

HAPROXY = """global
    nbthread 1
    maxconn 4000
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    {more}
listen relay
    bind 127.0.0.1:{port}
    server target 127.0.0.1:{target}
"""


def skt(build, folder, port, target, variant):
    log = os.path.join(folder, "log") if variant else "/dev/null"    # the others write none
    return [os.path.join(build, "cmd", "skt"), "relay", "--log", log, f"127.0.0.1:{port}",
            f"127.0.0.1:{target}"]


def haproxy(_, folder, port, target, variant):
    path = os.path.join(folder, "haproxy.cfg")
    with open(path, "w") as f:
        f.write(HAPROXY.format(port=port, target=target, more="option splice-auto" if variant else ""))
    return ["haproxy", "-db", "-q", "-f", path]


def socat(_, _folder, port, target, variant):
    size = ["-b", "131072"] if variant else []
    return ["socat", *size, f"TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr,backlog=4096", f"TCP:127.0.0.1:{target}"]


COMMANDS = {"skt": skt, "haproxy": haproxy, "socat": socat}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def listens(port):
    with open("/proc/net/tcp") as lines, open("/proc/net/tcp6") as more:
        return any(f":{port:04X} " in line.split(" 0A ")[0] and " 0A " in line for line in [*lines, *more])


def wait_until(condition):
    end = time.monotonic() + SECONDS
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


class Relay:
    """A contestant's relay to a port of this machine, while it runs: port, pid, and at its end cpu, in seconds."""

    def __init__(self, contestant, build, prefix, target):
        name, *variant = contestant.split()
        self.folder = tempfile.TemporaryDirectory(prefix="skt-bench.")
        self.port = free_port()
        command = COMMANDS[name](build, self.folder.name, self.port, target, variant)
        self.process = subprocess.Popen([*prefix, *command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        self.pid = self.process.pid
        self.ready = wait_until(lambda: listens(self.port))
        self.before = time.clock_gettime(~self.pid << 3 | 2) if self.ready else 0    # its own CPU clock

    def has_children(self):
        with open(f"/proc/{self.pid}/task/{self.pid}/children") as f:
            return bool(f.read().strip())

    def stop(self):
        if not self.ready:
            self.process.kill()
            self.process.wait()
            self.folder.cleanup()
            return
        wait_until(lambda: not self.has_children())
        os.kill(self.pid, signal.SIGTERM)
        _, _, usage = os.wait4(self.pid, 0)
        self.process.returncode = 0
        self.cpu = usage.ru_utime + usage.ru_stime - self.before
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()
