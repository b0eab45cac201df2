"""skt - Python's sockets made of libskt.

    python3 -m skt program.py            any program, unchanged, on skt's sockets

    import skt                           or from within, before anything imports socket
    skt.install()

    skt.info()                           which _socket this process uses
    skt.create_connection(("example.org", 80), timeout=5)

The one thing that is replaced is the module `_socket`; socket.py and everything above it stay
CPython's own.  This file is imported whenever an interpreter starts on skt, so it imports nothing large,
and nothing that imports socket.
"""

import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec, spec_from_file_location

__all__ = ["install", "info", "create_connection"]
__version__ = "0.1.0"

_folder = os.path.dirname(os.path.abspath(__file__))


def _extension():
    """The file of our `_socket`; a debug build of Python prefers its own kind."""
    for suffix in EXTENSION_SUFFIXES:
        path = os.path.join(_folder, "_socket" + suffix)
        if os.path.exists(path):
            return path
    raise ImportError("skt: %s has no _socket for Python %d.%d; it has to be built by the Python that uses it"
                      % (_folder, *sys.version_info[:2]), name="_socket")


class _Finder:
    """Stands at the head of sys.meta_path, where it comes before a `_socket` that is built into the interpreter too."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        return spec_from_file_location(name, _extension()) if name == "_socket" else None


def _loaded():
    """The `_socket` of this process; None if there is none so far."""
    return sys.modules.get("_socket") or getattr(sys.modules.get("socket"), "_socket", None)


def _is_ours(spec):
    return spec is not None and spec.origin is not None and os.path.dirname(os.path.abspath(spec.origin)) == _folder


def install():
    """From now on `import socket` gets skt's; does nothing if that is so already.

    RuntimeError if another `_socket` is in use: objects made of it would not fit those made of ours."""
    module = _loaded()
    if module is not None and not _is_ours(module.__spec__):
        raise RuntimeError("skt.install() comes too late: socket has been imported already, with the _socket of %s; "
                           "call it first, or run the program by python3 -m skt" % _origin(module.__spec__))
    _extension()
    if not any(finder is _Finder for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder)


def _origin(spec):
    return "this interpreter" if spec is None or spec.origin in (None, "built-in") else spec.origin


def info():
    """Which `_socket` this process uses, or would use, as nothing has imported it so far: a dict with

    socket   "skt" or "cpython"
    file     where that is; "built-in" if it is part of the interpreter
    loaded   whether it has been imported
    version  skt's
    """
    module = _loaded()
    spec = module.__spec__ if module else find_spec("_socket")
    return {"socket": "skt" if _is_ours(spec) else "cpython", "file": spec.origin if spec else None,
            "loaded": module is not None, "version": __version__}


_DEFAULT = object()


def create_connection(address, timeout=_DEFAULT, source_address=None):
    """A socket connected to (host, port), as socket.create_connection, and sooner.

    All of the host's addresses are tried as RFC 8305 says (Happy Eyeballs: both families in turns, the next after
    250 ms without an answer, the first that answers wins).  The timeout holds over everything: the name and every address.
    It is the socket's timeout afterwards."""
    import socket
    connect = getattr(socket._socket, "_skt_create_connection", None)
    if connect is None:
        raise RuntimeError("skt.create_connection() needs skt's sockets: call skt.install() before socket is imported, "
                           "or run the program by python3 -m skt")
    if timeout is _DEFAULT:
        timeout = socket.getdefaulttimeout()
    host, port = address[:2]
    source_host, source_port = source_address[:2] if source_address else (None, 0)
    sock = socket.socket(fileno=connect(host, port, timeout, source_host, source_port))
    sock.settimeout(timeout)
    return sock
