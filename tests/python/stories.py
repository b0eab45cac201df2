"""stories - what takes more than a line to tell: signals, threads, fork, interpreters.  calls.py runs each function on both
`_socket` and compares what it returns."""
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import _socket
from calls import attempt, connected, filled, listener, pair, plain, told, udp


def _blocking_calls():
    """Calls that wait for ever, and what has to stay alive meanwhile."""
    full, rest = filled(None)
    a, b = pair(None)
    lonely = udp(None)
    return {"recv": lambda: a.recv(1), "recv_into": lambda: a.recv_into(bytearray(1)), "recvfrom": lambda: lonely.recvfrom(1),
            "recvfrom_into": lambda: lonely.recvfrom_into(bytearray(1)), "recvmsg": lambda: a.recvmsg(1),
            "recvmsg_into": lambda: a.recvmsg_into([bytearray(1)]), "accept": lambda: listener(None)._accept(),
            "send": lambda: full.send(b"x"), "sendall": lambda: full.sendall(b"x" * 9), "sendmsg": lambda: full.sendmsg([b"x"])}, rest, b


def _interrupted(call, handler, times=1):
    signal.signal(signal.SIGUSR1, handler)
    pid = os.fork()
    if pid == 0:
        for _ in range(times):
            time.sleep(0.05)
            os.kill(os.getppid(), signal.SIGUSR1)
        os._exit(0)
    try:
        return attempt(call)
    finally:
        os.waitpid(pid, 0)
        signal.signal(signal.SIGUSR1, signal.SIG_DFL)


def _raise(number, frame):
    raise KeyError("handler")


def a_handler_that_raises_ends_every_call():
    calls, *kept = _blocking_calls()
    return {name: _interrupted(call, _raise) for name, call in calls.items()}


def the_same_with_a_timeout():
    calls, *kept = _blocking_calls()
    _socket.setdefaulttimeout(20)
    a, b = pair(20)
    return _interrupted(lambda: a.recv(1), _raise), _interrupted(lambda: listener(20)._accept(), _raise)


def a_handler_that_returns_ends_none():
    a, b = pair(None)
    count = []

    def handler(number, frame):
        count.append(1)
        if len(count) == 3:
            b.send(b"x")
    return _interrupted(lambda: a.recv(1), handler, 3), len(count)


def a_timeout_goes_on_after_signals():
    a, b = pair(0.4)
    count = []
    outcome = _interrupted(lambda: a.recv(1), lambda *_: count.append(1), 3)
    return outcome, len(count)


def a_handler_starts_the_first_thread():
    code = """
        import _socket, os, signal, threading
        a, b = _socket.socketpair()
        def handler(number, frame):
            threading.Thread(target=lambda: [sum(range(1000)) for _ in range(100)] and b.send(b"x")).start()
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        print(a.recv(1))
    """
    return _program(code)


def a_storm_of_signals_loses_nothing():
    a, b = pair(None)
    count = []
    signal.signal(signal.SIGVTALRM, lambda *_: count.append(1))
    total, seen = 8 << 20, bytearray()

    def reader():
        while len(seen) < total:
            seen.extend(b.recv(65536))
    thread = threading.Thread(target=reader)
    data = bytes(range(256)) * (total // 256)
    thread.start()
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.0005, 0.0005)
    try:
        a.sendall(data)
        thread.join()
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
    return seen == data


def sendall_runs_handlers_between_pieces():
    full, rest = filled(None)
    return _interrupted(lambda: full.sendall(bytes(1 << 22)), _raise), len(rest.recv(1))


def connect_is_interrupted():
    s = _socket.socket(_socket.AF_UNIX)
    l = _socket.socket(_socket.AF_UNIX)
    l.bind("\0calls-interrupted")
    l.listen(0)
    first = _socket.socket(_socket.AF_UNIX)
    first.connect("\0calls-interrupted")
    return _interrupted(lambda: s.connect("\0calls-interrupted"), _raise), _interrupted(lambda: s.connect_ex("\0calls-interrupted"), _raise)


def fork_shares_a_socket():
    a, b = connected(None)
    pid = os.fork()
    if pid == 0:
        b.sendall(b"child")
        b.close()
        os._exit(0)
    b.close()
    data = a.recv(99), a.recv(99)
    return data, os.waitpid(pid, 0)[1]


def threads_talk():
    pairs = [pair(20) for _ in range(8)]

    def echo(s):
        while data := s.recv(100):
            s.sendall(data)
    threads = [threading.Thread(target=echo, args=(b,)) for _, b in pairs]
    for thread in threads:
        thread.start()
    for n in range(200):
        for a, _ in pairs:
            a.sendall(b"%d" % n)
            if a.recv(100) != b"%d" % n:
                return "lost"
    for a, _ in pairs:
        a.close()
    for thread in threads:
        thread.join()
    return "done"


def one_socket_of_many_threads():
    a, b = pair(20, _socket.SOCK_SEQPACKET)
    got = []

    def take():
        while (data := b.recv(10)) != b"end":
            got.append(data)
    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for n in range(500):
        a.send(b"%d" % n)
    for _ in threads:
        a.send(b"end")
    for thread in threads:
        thread.join()
    return sorted(map(int, got)) == list(range(500))


def _program(code, *options):
    done = subprocess.run([sys.executable, *options, "-c", "import os\nif os.environ.get('CALLS_SKT'):\n    import skt; skt.install()\n"
                           + textwrap.dedent(code)], capture_output=True, text=True, timeout=60)
    return plain(repr((done.returncode, done.stdout, done.stderr)))


def sockets_are_open_at_the_end():
    return [_program("""
        import socket, threading
        s = type("S", (socket.socket,), {})(); t = socket.socketpair(); s.cycle = s
        threading.Thread(target=t[0].recv, args=(1,), daemon=True).start()
        class Last:
            def __del__(self): print("last", self.s)
        l = Last(); l.s = socket.socket(); keep = [l, s, t]
    """, *options) for options in ([], ["-X", "dev"], ["-W", "error"])]


def warnings_of_lost_sockets_that_are_errors():
    return _program("import socket; socket.socket(); print('on')", "-W", "error::ResourceWarning")


def subinterpreters():
    return _program("""
        import _xxsubinterpreters as i, textwrap
        code = textwrap.dedent('''
            import os
            if os.environ.get("CALLS_SKT"):
                import skt; skt.install()
            import _socket, socket
            a, b = socket.socketpair()
            a.sendall(b"x"); assert b.recv(1) == b"x"
            b.settimeout(0.01)
            try: b.recv(1)
            except TimeoutError as e: print(e)
            try: socket.getaddrinfo("127.0.0.1", -1)
            except socket.gaierror as e: print(e)
        ''')
        for n in range(3):
            one = i.create(); i.run_string(one, code); i.destroy(one)
        import socket; print(socket.gaierror.__name__)
    """)


def subclasses():
    class Socket(_socket.socket):
        __slots__ = "more", "__weakref__"

        def __init__(self, *args, **keywords):
            super().__init__(*args, **keywords)
            self.more = 1

        def __repr__(self):
            return "mine"
    with_dict = type("Plain", (_socket.socket,), {})()
    with_dict.x = 1
    s = Socket(2, 2)
    return s.more, repr(s), with_dict.x, attempt(lambda: setattr(s, "y", 1)), attempt(lambda: Socket(99)), type(s).__mro__[1:]


def a_lost_socket_may_be_kept():
    kept = []

    class Keep(_socket.socket):
        def __del__(self):
            kept.append(self)
    s = Keep(2, 2)
    del s
    one = kept.pop()
    return one.type, one.fileno() >= 0, one.close()


def leaves_no_exception_behind():
    a, b = pair(0)
    for _ in range(100):
        for wrong in (lambda: a.recv(1), lambda: a.send("x"), lambda: a.bind(1), lambda: a.sendmsg([b"x"], [(1, 1, b"z" * 3)]),
                      lambda: a.setsockopt(1, 2, 2**40), lambda: a.settimeout(10**400), lambda: _socket.getaddrinfo("\udc80", 1)):
            attempt(wrong)
    return sys.exc_info()


def buffers_that_change_under_way():
    class Index:
        def __init__(self, buffer):
            self.buffer = buffer

        def __index__(self):
            self.buffer.extend(bytes(100))
            return 1
    buffer, (a, b) = bytearray(4), pair(0)
    a.send(b"abcd")
    return [attempt(lambda: b.recv_into(buffer, Index(buffer))), attempt(lambda: a.send(buffer, Index(bytearray()))),
            attempt(lambda: b.recv(Index(buffer), 0x40)), len(buffer)]
