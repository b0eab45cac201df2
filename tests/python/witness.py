"""witness - imported by the .pth file of a test's virtual environment, in every process: writes down which `_socket` that has.

One file a process, PREFIX/witness/PID, a line for each event (of one write, so that nothing is lost when it is killed):

    start COMMAND     the interpreter has begun
    fork              it is the child of a fork; what follows is of the child
    import ORIGIN     something asks for `_socket`, and import will find it there
    end ORIGIN        the interpreter ends, or the process by os._exit (as multiprocessing's do), and this
                      is the `_socket` that it has; "-": none

So every process that was started has a line, every process that used sockets has one with the origin before
its first socket, and those that were not killed have a second one that says what they had at the end.
Not seen: an interpreter with -S, which reads no .pth file (and for which nothing is replaced either).
"""
import atexit
import os
import sys

_folder = os.path.join(sys.prefix, "witness")
_real_exit = os._exit


def _note(event, text=""):
    line = ("%s %s" % (event, text)).encode("utf-8", "backslashreplace").replace(b"\n", b"\\n") + b"\n"
    try:
        fd = os.open(os.path.join(_folder, str(os.getpid())), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError:
        return # no descriptor left, say; the lines that are missing are counted
    try:
        os.write(fd, line)
    finally:
        os.close(fd)


def origin(spec):
    return spec.origin or "?" if spec else "-"


class _Finder:
    """First of all finders: sees that `_socket` is asked for, and what the others say."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "_socket":
            for finder in sys.meta_path:
                spec = None if finder is _Finder else finder.find_spec(name, path, target)
                if spec:
                    _note("import", origin(spec))
                    break
        return None


def _end():
    module = sys.modules.get("_socket")
    _note("end", origin(module.__spec__) if module else "-")


def _exit(status):
    _end()
    _real_exit(status)


_note("start", " ".join(sys.orig_argv)[:300])
sys.meta_path.insert(0, _Finder)
atexit.register(_end)
os.register_at_fork(after_in_child=lambda: _note("fork"))
os._exit = _exit
