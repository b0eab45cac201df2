"""python3 -m skt - runs a program as python3 does, on skt's sockets.

What python3 sees to for its program is seen to here in the same way: sys.argv, sys.path[0], the
namespace __main__, and the exit status are the program's; tracebacks begin with its frames.
"""

import builtins
import os
import runpy
import sys
import types
from importlib.machinery import BuiltinImporter, SourceFileLoader, SourcelessFileLoader

import skt

HELP = """\
python3 -m skt runs a Python program, unchanged, on skt's sockets:

    python3 -m skt program.py ARGUMENT ...
    python3 -m skt -m http.server 8080
    python3 -m skt -c 'import socket; print(socket._socket)'
    python3 -m skt - <program.py

    python3 -m skt --info        which sockets such a program gets

Python's own options stand before the first -m: python3 -W error -m skt program.py
The program's children that are Python run on skt as well if skt is installed for them
(SKT_SOCKET=1 in the environment says so to the interpreter; SKT_SOCKET=0 does not)."""


def new_main(**names):
    """A fresh namespace __main__, as that of an interpreter that begins."""
    module = types.ModuleType("__main__")
    vars(module).update({"__builtins__": builtins, "__annotations__": {}, "__loader__": BuiltinImporter, **names})
    sys.modules["__main__"] = module
    return vars(module)


def path_begins_with(folder):
    """Where python3 puts the program's folder; it put the working directory there for -m skt, unless told not to (-P, -I)."""
    if not sys.flags.safe_path:
        sys.path[0] = folder


def is_container(path):
    """Whether modules can be imported from it: a folder, a zip file."""
    for hook in sys.path_hooks:
        try:
            hook(path)
            return True
        except ImportError:
            pass
    return False


def run_container(path):
    if sys.flags.safe_path:
        sys.path.insert(0, path) # also then
    else:
        sys.path[0] = path
    new_main()
    runpy._run_module_as_main("__main__", alter_argv=False)


def run_file(path):
    full = os.path.join(os.getcwd(), path) # not tidied up, as python3 does not
    if is_container(full):
        run_container(full)
        return
    try:
        with open(full, "rb"):
            pass
    except OSError as error:
        refuse("can't open file %r: [Errno %d] %s" % (full, error.errno, error.strerror))
    path_begins_with(os.path.dirname(os.path.realpath(path)))
    loader = (SourcelessFileLoader if path.endswith(".pyc") else SourceFileLoader)("__main__", full)
    # Not get_code(), which would look for the program in __pycache__, and leave it there.
    code = loader.get_code("__main__") if path.endswith(".pyc") else compiled(loader.get_data(full), full)
    exec(code, new_main(__file__=full, __cached__=None, __loader__=loader))


def run_module(name):
    new_main()
    runpy._run_module_as_main(name)


def run_text(text, name, **names):
    path_begins_with("")
    code = compiled(text, name)
    exec(code, new_main(**names))


def run_input():
    if sys.stdin.isatty():
        path_begins_with("")
        import code
        code.interact(local=new_main())
    else:
        run_text(sys.stdin.buffer.read(), "<stdin>", __file__="<stdin>", __cached__=None)


def compiled(text, name):
    return compile(text, name, "exec", dont_inherit=True)


def refuse(sentence):
    print("python3 -m skt:", sentence, file=sys.stderr)
    sys.exit(2)


def print_info():
    for name, value in skt.info().items():
        print("%-8s %s" % (name, value))


def run(words):
    """Does what the words after `python3 -m skt` say.  Each function is given the word that says what to run."""
    first = words[0] if words else "--help"
    if first in ("-h", "--help", "--info"):
        print(HELP) if first != "--info" else print_info()
        return
    if first[:2] in ("-m", "-c"):
        if len(first) == 2 and len(words) == 1:
            refuse("%s wants %s; python3 -m skt --help shows examples" % (first, "a module" if first == "-m" else "a program"))
        value, rest = (first[2:], words[1:]) if len(first) > 2 else (words[1], words[2:])
        sys.argv[:] = [first[:2], *rest]
        run_module(value) if first[:2] == "-m" else run_text(value, "<string>")
    elif first == "-":
        sys.argv[:] = words
        run_input()
    elif first.startswith("-"):
        refuse("there is no option %s here; Python's own stand before the first -m: python3 %s -m skt ..." % (first, first))
    else:
        sys.argv[:] = words
        run_file(first)


def begin_traceback_at_program(error):
    """Lets the interpreter print an exception that ended the program without the frames that led to it: runpy's and ours."""
    trace = error.__traceback__
    while trace and trace.tb_frame.f_globals is globals():
        trace = trace.tb_next
    hook = sys.excepthook
    sys.excepthook = lambda kind, value, _: hook(kind, value.with_traceback(trace), trace)


def main():
    try:
        skt.install()
    except (RuntimeError, ImportError) as error:
        refuse(error)
    os.environ["SKT_SOCKET"] = "1"
    try:
        run(sys.argv[1:])
    except SystemExit:
        raise
    except BaseException as error:
        begin_traceback_at_program(error)
        raise


if __name__ == "__main__":
    main()
