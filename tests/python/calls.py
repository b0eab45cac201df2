"""calls - makes many calls of `_socket` and prints what each comes to, a line of JSON for each; test_calls.py compares.

  calls.py FILE       the calls that stand in FILE, one a line: the value of the last expression counts
  calls.py strange    every function and method with too few, too many and strange arguments
  calls.py stories    the functions of stories.py

Is run in a network of its own and under a host name of its own: the calls change both.
"""
import ast
import gc
import itertools
import json
import os
import re
import signal
import struct
import sys
import warnings
from array import array
from decimal import Decimal
from fractions import Fraction

import _socket
import socket

SECONDS = 10 # for one call: against hanging
OUT, ERRORS, NULL = 200, 201, 202 # descriptors out of the way of calls that close the usual ones


class Index:
    def __init__(self, value):
        self.value = value

    def __index__(self):
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


class OnlyInt:
    def __int__(self):
        return 1


class Truth:
    def __bool__(self):
        raise KeyError("bool")


class Raising:
    """An iterable that ends with an exception."""

    def __iter__(self):
        yield b"a"
        raise KeyError("iter")


# ---- Sockets for the calls ----

def udp(timeout=0):
    s = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))
    s.settimeout(timeout)
    return s


def tcp(timeout=0, family=_socket.AF_INET):
    s = _socket.socket(family, _socket.SOCK_STREAM)
    s.settimeout(timeout)
    return s


def quiet(family, kind):
    """One that never waits."""
    return _socket.socket(family, kind | _socket.SOCK_NONBLOCK)


def closed(*args):
    s = _socket.socket(*args)
    s.close()
    return s


def detached():
    s = udp()
    os.close(s.detach())
    return s


def pair(timeout=5, kind=_socket.SOCK_STREAM):
    both = _socket.socketpair(_socket.AF_UNIX, kind)
    for s in both:
        s.settimeout(timeout)
    return both


def filled(timeout=0):
    """One of a pair, in which nothing has room any more."""
    a, b = pair(0)
    try:
        while True:
            a.send(bytes(65536))
    except BlockingIOError:
        a.settimeout(timeout)
        return a, b


def listener(timeout=5):
    s = _socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(1)
    s.settimeout(timeout)
    return s


def connected(timeout=5):
    l = listener()
    a = _socket.socket()
    a.connect(l.getsockname())
    b = _socket.socket(fileno=l._accept()[0])
    for s in (a, b):
        s.settimeout(timeout)
    return a, b


def refused():
    """An address of this machine where nobody listens."""
    s = _socket.socket()
    s.bind(("127.0.0.1", 0))
    return s.getsockname()


def events(function):
    """The audit events of a call, and what became of it."""
    global hook
    seen = []
    hook = lambda name, args: name.startswith("socket.") and seen.append((name, [type(a).__name__ if isinstance(a, _socket.socket)
                                                                                else a for a in args]))
    try:
        outcome = attempt(function)
    finally:
        hook = None
    return seen, outcome


hook = None
sys.addaudithook(lambda name, args: hook and hook(name, args))


def vetoed(name, function):
    """A call whose audit event a hook refuses."""
    global hook

    def refuse(event, args):
        if event == name:
            raise PermissionError("audited")
    hook = refuse
    try:
        return attempt(function)
    finally:
        hook = None


def warned(function):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        function()
        gc.collect()
    return [(w.category.__name__, str(w.message)) for w in seen]


def attempt(function):
    try:
        return function()
    except Exception as error:
        return told(error)


def told(error):
    """An exception as its type, arguments, errno and text; the address that ours adds as file name is no part of it."""
    filename = getattr(error, "filename", None)
    text = str(error)
    if filename is not None:
        text = text.removesuffix(": %r" % (filename,))
    return {"raises": type(error).__name__, "args": repr(error.args), "errno": getattr(error, "errno", None), "str": text}


# ---- Making calls ----

def plain(value):
    """A result as text, without what differs from run to run."""
    text = value if isinstance(value, str) else repr(value)
    for pattern, replacement in ((r"\bfd=\d+", "fd=N"), (r" at 0x[0-9a-f]+", " at X"), (r"\b%d\b" % os.getpid(), "PID"),
                                 (r"\b(3[2-9]\d{3}|[45]\d{4}|60\d{3})\b", "PORT"), (r"\b_?socket\.socket\b", "socket")):
        text = re.sub(pattern, replacement, text)
    return text


def call(text):
    tree = ast.parse(text)
    last = ast.Expression(tree.body.pop().value)
    names = dict(globals())
    exec(compile(tree, "<call>", "exec"), names)
    value = eval(compile(last, "<call>", "eval"), names)
    return value if isinstance(value, (dict, str)) else repr(value)


def hung(number, frame):
    raise SystemError("hung")


def outcome_of(function, *args):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", ResourceWarning)
        signal.signal(signal.SIGALRM, hung)
        signal.alarm(SECONDS)
        try:
            outcome = function(*args)
        except Exception as error:
            outcome = told(error)
        signal.alarm(0)
    if seen:
        outcome = [outcome, [str(w.message) for w in seen]]
    return outcome


def record(name, function, *args):
    os.write(OUT, (json.dumps([name, plain(outcome_of(function, *args))]) + "\n").encode())
    _socket.setdefaulttimeout(None)
    for fd in range(2):
        os.dup2(NULL, fd)
    os.dup2(ERRORS, 2)


# ---- Strange arguments ----

STRANGE = """None -1 0 1 2**31 -2**31-1 2**32 2**63 -2**63-1 2**64 1.5 1j True 'x' 'x\\0y' '\\udc80' b'x' bytearray(b'xy') array('i',[1])
    () [] [1] (1,2,3) ('127.0.0.1',1) {} object() Index(1) Index(-1) Index(2**70) Index(KeyError('i')) OnlyInt() Truth() Raising()
    memoryview(bytes(9))[::2] float('nan') Decimal('0.5')""".split()

# Arguments that are right, as a beginning.
METHODS = {
    "_accept": "", "bind": "('127.0.0.1',0)", "close": "", "connect": "('127.0.0.1',1)", "connect_ex": "('127.0.0.1',1)",
    "fileno": "", "getblocking": "", "getpeername": "", "getsockname": "", "getsockopt": "1 3 4", "gettimeout": "", "listen": "1",
    "recv": "1 0", "recv_into": "bytearray(4) 1 0", "recvfrom": "1 0", "recvfrom_into": "bytearray(4) 1 0", "recvmsg": "1 0 0",
    "recvmsg_into": "[bytearray(4)] 0 0", "send": "b'x' 0", "sendall": "b'x' 0", "sendto": "b'x' 0 ('127.0.0.1',9)",
    "sendmsg": "[b'x'] [] 0 ('127.0.0.1',9)", "sendmsg_afalg": "[b'x']", "setblocking": "False", "setsockopt": "1 2 1",
    "settimeout": "0", "shutdown": "2", "detach": ""}
FUNCTIONS = {
    "CMSG_LEN": "1", "CMSG_SPACE": "1", "close": "99", "dup": "99", "getaddrinfo": "'127.0.0.1' 80 0 1 0 0", "gethostbyaddr": "'127.0.0.1'",
    "gethostbyname": "'127.0.0.1'", "gethostbyname_ex": "'127.0.0.1'", "gethostname": "", "getnameinfo": "('127.0.0.1',80) 3",
    "getprotobyname": "'tcp'", "getservbyname": "'http' 'tcp'", "getservbyport": "80 'tcp'", "getdefaulttimeout": "", "htonl": "1", "htons": "1",
    "if_indextoname": "1", "if_nameindex": "", "if_nametoindex": "'lo'", "inet_aton": "'127.0.0.1'", "inet_ntoa": "b'1234'",
    "inet_ntop": "2 b'1234'", "inet_pton": "2 '127.0.0.1'", "ntohl": "1", "ntohs": "1", "setdefaulttimeout": "None", "sethostname": "'x'",
    "socketpair": "1 1 0", "socket": "2 1 0 None", "_accept": ""}
KEYWORDS = {"recv_into": "buffer nbytes flags", "recvfrom_into": "buffer nbytes flags", "getaddrinfo": "host port family type proto flags",
            "socket": "family type proto fileno", "recv": "bufsize flags", "send": "data flags", "settimeout": "timeout"}
ON = {"udp": "udp()", "tcp": "tcp()", "pair": "pair(0)[0]", "closed": "closed()", "detached": "detached()", "vsock": "quiet(40,1)", "netlink": "quiet(16,3)", "datagrams": "pair(0,2)[0]"}


def lists_of(right):
    """Lists of arguments: each count, each strange value in each place."""
    for n in range(len(right) + 1):
        yield right[:n]
    yield [*right, "0"]
    yield [*right, "0", "0", "0", "0"]
    for place, value in itertools.product(range(len(right)), STRANGE):
        yield [*right[:place], value, *right[place + 1:]]
        if place + 1 < len(right):
            yield [*right[:place], value]


def strange():
    for what, (name, right) in itertools.product(ON, METHODS.items()):
        kind = "type(%s)" if name in ("detach", "fileno") else "%s"
        seen = set()
        for words in lists_of(right.split()):
            text = "s=%s; %s" % (ON[what], kind % ("s.%s(%s)" % (name, ", ".join(words))))
            if text not in seen:
                seen.add(text)
                yield text
    for name, right in FUNCTIONS.items():
        if not hasattr(_socket, name):
            continue
        for words in lists_of(right.split()):
            kind = "type(_socket.%s(%s)).__name__" if name == "dup" else "_socket.%s(%s)"
            yield kind % (name, ", ".join(words))
    for name, names in KEYWORDS.items():
        right = (METHODS.get(name) or FUNCTIONS[name]).split()
        place = "s=udp(); s." if name in METHODS else "_socket."
        for words in ["%s=%s" % pair for pair in zip(names.split(), right)], ["%s=%s" % (names.split()[0], right[0])], ["nothing=1"]:
            yield "%s%s(%s)" % (place, name, ", ".join(words))
            yield "%s%s(%s, %s)" % (place, name, right[0], ", ".join(words))


def lines_of(path):
    with open(path) as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                yield line.strip()


def main(what):
    os.dup2(1, OUT)
    os.dup2(2, ERRORS)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, NULL)
    os.close(null)
    if what == "stories":
        import stories
        for name, function in list(vars(stories).items()):
            if callable(function) and getattr(function, "__module__", None) == "stories" and not name.startswith("_"):
                record(name, function)
        return
    for line in strange() if what == "strange" else lines_of(what):
        record(line, call, line)


if __name__ == "__main__":
    sys.modules["calls"] = sys.modules["__main__"]
    main(*sys.argv[1:])
