#!/usr/bin/env python3
"""test_own - what ours has and CPython's `_socket` lacks: batches of datagrams, skt.create_connection, errors that tell the
address, calls that a close wakes, look-ups within a timeout.

  test_own.py BUILD PYTHON      the build's folder, and the Python that it was built for

TAP for meson."""
import os
import sys

if len(sys.argv) == 3: # once more, on skt
    os.environ.update(PYTHONPATH=os.path.join(os.path.abspath(sys.argv[1]), "python"), PYTHONDONTWRITEBYTECODE="1")
    os.execv(sys.argv[2], [sys.argv[2], "-m", "skt", os.path.abspath(__file__)])

import array
import contextlib
import socket
import threading
import time

import skt

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import Skip, check, run_cases

UDP_GRO = 104


def equal(found, expected):
    check(found == expected, f"{found!r} and not {expected!r}")


def raises(kind, function, *words, **more):
    """The exception of a call; each word stands in its text."""
    try:
        value = function()
    except kind as error:
        check(type(error) is kind or more.get("or_below"), f"{type(error)}")
        for word in words:
            check(word in str(error), f"{error} does not say {word!r}")
        return error
    raise AssertionError(f"{kind.__name__} is not raised, the value is {value!r}")


def udp(host="127.0.0.1", timeout=20):
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((host, 0))
    s.settimeout(timeout)
    return s


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def unused(host="127.0.0.1"):
    """An address where nobody listens: its port is taken by a socket that does not."""
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    s.bind((host, 0))
    return s, s.getsockname()


# ---- Batches ----

def batches_go_and_come():
    with udp() as a, udp() as b, udp() as c:
        to = b.getsockname()
        equal(a.sendmmsg([(b"1", to), (bytearray(b"22"), to), (memoryview(b"333"), to)]), 3)
        equal(c.sendmmsg(iter([(b"4", to)])), 1)
        got = []
        while len(got) < 4:
            got += b.recvmmsg(3, 100)
        equal(got, [(b"1", a.getsockname()), (b"22", a.getsockname()), (b"333", a.getsockname()), (b"4", c.getsockname())])
        check(got[0][1] is got[1][1], "datagrams of one sender do not share its address")
        a.connect(to)
        equal(a.sendmmsg([b"x", b"", b"yy"]), 3)
        got = []
        while len(got) < 3:
            got += b.recvmmsg(10, 1)
        equal([data for data, _ in got], [b"x", b"", b"y"])
        equal(a.sendmmsg([]), 0)


def batches_of_other_families():
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with a, b:
        equal(a.sendmmsg([b"1", b"22"]), 2)
        equal(b.recvmmsg(9, 9), [(b"1", None), (b"22", None)])
        b.close()
        raises(ConnectionRefusedError, lambda: a.sendmmsg([b"1"]))
    with udp("::1") as a, udp("::1") as b:
        equal(a.sendmmsg([(b"x", b.getsockname()), (b"y", b.getsockname()[:2])]), 2)
        equal(b.recvmmsg(1, 9), [(b"x", a.getsockname())])


def bad_arguments():
    with udp() as s:
        for count, size in ((0, 1), (1, 0), (-1, 1), (1, -1), (2**31, 1), (2**20, 2**20), (2**62, 2**62)):
            raises(ValueError, lambda: s.recvmmsg(count, size), "at least 1")
        for args in ((), (1,), (1, 1, 0, 0), ("1", 1), (1, None), (1, 1, "0")):
            raises(TypeError, lambda: s.recvmmsg(*args))
        raises(OverflowError, lambda: s.recvmmsg(2**70, 1))
        to, buffer = s.getsockname(), bytearray(3)
        for items in (1, None, ["x"], [1], [(b"x",)], [(b"x", to, 0)], [(b"x", "y")], [(1, to)], [(buffer, to), (buffer, to, 1)]):
            raises(TypeError, lambda: s.sendmmsg(items))
        buffer.append(1) # nobody holds it
        raises(OverflowError, lambda: s.sendmmsg([(b"x", ("127.0.0.1", 70000))]), "sendmmsg(): port must be 0-65535.")
        raises(TypeError, s.sendmmsg)
        s.close()
        equal(raises(OSError, lambda: s.recvmmsg(1, 1)).errno, 9)
        equal(raises(OSError, lambda: s.sendmmsg([b"x"])).errno, 9)


def a_list_that_changes_while_it_is_read():
    class Port:
        def __index__(self):
            items.clear()
            return 9

    with udp() as s:
        items = [(b"x", ("127.0.0.1", Port()))] * 100
        equal(s.sendmmsg(items), 100)


def batches_and_time():
    with udp(timeout=0) as s:
        raises(BlockingIOError, lambda: s.recvmmsg(1, 1))
        s.settimeout(0.05)
        begin = time.monotonic()
        error = raises(TimeoutError, lambda: s.recvmmsg(5, 5))
        check(str(error) == "timed out" and time.monotonic() - begin >= 0.05, error)
        s.settimeout(20)
        s.sendto(b"x", s.getsockname())
        equal(s.recvmmsg(100, 5), [(b"x", s.getsockname())]) # and does not wait for 99 more


def part_of_a_batch():
    """The count tells what was sent; what could not be is the next call's error."""
    with udp() as a, udp() as b:
        to = b.getsockname()
        items = [(b"ok", to), (bytes(70000), to), (b"never", to)]
        equal(a.sendmmsg(items), 1)
        equal(raises(OSError, lambda: a.sendmmsg(items[1:])).errno, 90)
        equal(b.recvmmsg(9, 9), [(b"ok", a.getsockname())])


def joined_and_cut():
    with udp() as a, udp() as b:
        try:
            b.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
        except OSError:
            raise Skip("this kernel has no UDP_GRO")
        equal(raises(OSError, lambda: b.recvmmsg(64, 65535)).errno, 22) # too small for what the kernel may join
        data = [b"%03d" % n * 100 for n in range(50)] + [b"end"]
        equal(a.sendmmsg([(d, b.getsockname()) for d in data]), 51)
        got = []
        while len(got) < 51:
            got += b.recvmmsg(128, 1000)
        equal(got, [(d, a.getsockname()) for d in data])


def descriptors_in_batches_do_not_leak():
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with a, b:
        before = descriptors()
        for _ in range(5):
            a.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 0]))])
        equal(b.recvmmsg(5, 9), [(b"x", None)] * 5)
        equal(descriptors(), before)


# ---- skt.create_connection ----

def connects():
    for host in ("127.0.0.1", "::1", "localhost"):
        with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as l:
            with skt.create_connection((host, l.getsockname()[1]), timeout=20) as s, l.accept()[0] as t:
                equal((type(s), s.gettimeout(), os.get_blocking(s.fileno()), os.get_inheritable(s.fileno())), (socket.socket, 20, False, False))
                s.sendall(b"hello")
                equal(t.recv(9), b"hello")
            with skt.create_connection((host, l.getsockname()[1])) as s:
                equal((s.gettimeout(), os.get_blocking(s.fileno())), (None, True))


def connects_from():
    with socket.create_server(("127.0.0.1", 0)) as l:
        with skt.create_connection(l.getsockname(), 20, ("127.0.0.9", 0)) as s:
            equal(s.getsockname()[0], "127.0.0.9")
        raises(OSError, lambda: skt.create_connection(l.getsockname(), 20, ("192.0.2.9", 0)), "Cannot assign")
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as l:
        with skt.create_connection(l.getsockname(), 20, ("::1", 0)) as s:
            equal(s.getsockname()[0], "::1")


def the_default_timeout_counts():
    with socket.create_server(("127.0.0.1", 0)) as l:
        socket.setdefaulttimeout(7)
        try:
            with skt.create_connection(l.getsockname()) as s, skt.create_connection(l.getsockname(), None) as t:
                equal((s.gettimeout(), t.gettimeout(), os.get_blocking(t.fileno())), (7, None, True))
        finally:
            socket.setdefaulttimeout(None)


def connections_that_fail():
    kept, address = unused()
    before = descriptors()
    raises(ConnectionRefusedError, lambda: skt.create_connection(address, 20), "127.0.0.1:%d" % address[1])
    raises(ConnectionRefusedError, lambda: skt.create_connection(("localhost", address[1])), "localhost")
    raises(socket.gaierror, lambda: skt.create_connection(("no such name", 1), 20))
    raises(TypeError, lambda: skt.create_connection((None, 1)))
    raises(TypeError, lambda: skt.create_connection(("a\0b", 1)), "null character")
    raises(TypeError, lambda: skt.create_connection(("127.0.0.1", "1")))
    raises(ValueError, lambda: skt.create_connection(("127.0.0.1", 1), -1))
    raises(OSError, lambda: skt.create_connection(("127.0.0.1", 70000)), or_below=True)
    equal(descriptors(), before)


def one_deadline():
    """A listener whose queue is full answers nobody: the timeout ends the whole call."""
    with socket.socket() as l:
        l.bind(("127.0.0.1", 0))
        l.listen(0)
        full = [socket.socket() for _ in range(8)]
        for s in full:
            s.setblocking(False)
            s.connect_ex(l.getsockname())
        begin = time.monotonic()
        raises(TimeoutError, lambda: skt.create_connection(l.getsockname(), 0.2), "timed out")
        check(0.2 <= time.monotonic() - begin < 15, "the deadline is not kept")
        for s in full:
            s.close()


# ---- Errors ----

def errors_tell_the_address():
    kept, address = unused()
    with socket.socket() as s:
        error = raises(ConnectionRefusedError, lambda: s.connect(address), "'127.0.0.1:%d'" % address[1])
        equal((error.args, error.filename), ((111, "Connection refused"), "127.0.0.1:%d" % address[1]))
    with socket.socket() as s:
        raises(OSError, lambda: s.bind(("192.0.2.1", 5)), "'192.0.2.1:5'")
    with socket.socket(socket.AF_UNIX) as s:
        raises(FileNotFoundError, lambda: s.connect("/no/such/\udcff"), "/no/such/")
        equal(raises(FileNotFoundError, lambda: s.bind("/no/such/x")).args, (2, "No such file or directory"))
    a, b = socket.socketpair()
    with a, b:
        a.settimeout(0.01)
        error = raises(TimeoutError, lambda: a.recv(1))
        equal((str(error), error.errno, error.args), ("timed out", None, ("timed out",)))
        check("recv" in error.__notes__[0], error.__notes__)


@contextlib.contextmanager
def full_listener():
    """The port of a listener that lets a connection wait for ever: its queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as l, contextlib.ExitStack() as queue:
        for _ in range(3):
            s = queue.enter_context(socket.socket())
            s.setblocking(False)
            s.connect_ex(l.getsockname())
        yield l.getsockname()[1]


def names_and_timeouts():
    """A timeout of 0 does not keep a name from being looked up; a positive one holds over the look-up too."""
    with socket.create_server(("127.0.0.1", 0)) as l:
        for timeout in (0, 20, None):
            with socket.socket() as s:
                s.settimeout(timeout)
                check(s.connect_ex(("localhost", l.getsockname()[1])) in (0, 115), timeout)
            with udp(timeout=timeout) as s:
                equal(s.sendto(b"x", ("localhost", 9)), 1)
                equal(s.sendmmsg([(b"x", ("localhost", 9))]), 1)
    with full_listener() as port, socket.socket() as s:
        s.settimeout(1e-9)
        raises(TimeoutError, lambda: s.connect(("localhost", port)), or_below=True)


# ---- Threads ----

def a_close_wakes(call, close):
    outcome = []

    def wait():
        try:
            outcome.append(call())
        except OSError as error:
            outcome.append(error.errno)
    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.1)
    close()
    thread.join(20)
    check(not thread.is_alive(), "the call goes on")
    equal(outcome, [9])


def closing_wakes_every_call():
    for timeout in (None, 60):
        for name, args in (("recv", (1,)), ("recv_into", (bytearray(1),)), ("recvfrom", (1,)), ("recvmsg", (1,)), ("recvmmsg", (1, 1))):
            a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
            with a, b:
                a.settimeout(timeout)
                a_close_wakes(lambda: getattr(a, name)(*args), a.close)
        with socket.create_server(("127.0.0.1", 0)) as l:
            l.settimeout(timeout)
            a_close_wakes(l.accept, l.close)


def close_and_use_race():
    """Threads that use a socket which others close and detach: an error or a value, no descriptor lost or closed twice."""
    before = descriptors()
    for n in range(300):
        a, b = socket.socketpair()
        a.setblocking(False)
        gate = threading.Barrier(3)

        def use():
            gate.wait()
            for call in (lambda: a.recv(1), lambda: a.send(b"x"), a.getsockname, lambda: a.settimeout(0), lambda: a.getsockopt(1, 3)) * 5:
                try:
                    call()
                except OSError as error:
                    check(error.errno in (9, 11), error)
        threads = [threading.Thread(target=use) for _ in range(2)]
        for thread in threads:
            thread.start()
        gate.wait()
        a.close() if n % 2 else os.close(a.detach())
        for thread in threads:
            thread.join()
        b.close()
    equal(descriptors(), before)


CASES = [
    ("batches of datagrams, with and without addresses", batches_go_and_come),
    ("batches of AF_UNIX and AF_INET6", batches_of_other_families),
    ("batches: bad arguments", bad_arguments),
    ("batches: a list that changes while it is read", a_list_that_changes_while_it_is_read),
    ("batches within a timeout", batches_and_time),
    ("batches: a datagram that cannot be sent", part_of_a_batch),
    ("batches: joined by UDP_GRO, apart again", joined_and_cut),
    ("batches: descriptors that nobody asked for are closed", descriptors_in_batches_do_not_leak),
    ("skt.create_connection, both families and a name", connects),
    ("skt.create_connection from a source address", connects_from),
    ("skt.create_connection and the default timeout", the_default_timeout_counts),
    ("skt.create_connection: errors, and no descriptor left", connections_that_fail),
    ("skt.create_connection: one deadline", one_deadline),
    ("errors tell the address, and what timed out", errors_tell_the_address),
    ("names, with timeouts of 0 and more", names_and_timeouts),
    ("closing wakes every call that waits", closing_wakes_every_call),
    ("closing and using at the same time", close_and_use_race),
]

sys.exit(run_cases(CASES))
