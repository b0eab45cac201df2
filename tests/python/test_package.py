#!/usr/bin/env python3
"""test_package - python3 -m skt treats a program as python3 does; skt.install(), info(), children, and ways to install.

  test_package.py BUILD PYTHON      the build's folder, and the Python that it was built for

TAP for meson."""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import Skip, check, run_cases

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD, PYTHON = os.path.abspath(sys.argv[1]), sys.argv[2]
PACKAGE = os.path.join(BUILD, "python")
SECONDS = 120
WORK = tempfile.TemporaryDirectory(prefix="skt-package.")
WHICH = "import skt, json; print(json.dumps(skt.info()))"


def run(*command, path=PACKAGE, text=None, cwd=WORK.name, **env):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SKT_"))}
    return subprocess.run(command, input=text or "", capture_output=True, text=True, timeout=SECONDS, cwd=cwd,
                          env={**clean, **({"PYTHONPATH": path} if path else {}), **env})


def succeed(*command, **options):
    done = run(*command, **options)
    check(done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def write(name, text):
    path = os.path.join(WORK.name, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    return path


def same(*words, options=(), **how):
    """python3 WORDS and python3 -m skt WORDS print the same, and end in the same way."""
    plain = run(PYTHON, *options, *words, **how)
    ours = run(PYTHON, *options, "-m", "skt", *words, **how)
    for what in ("returncode", "stdout", "stderr"):
        expected, found = getattr(plain, what), getattr(ours, what)
        check(expected == found, f"{words}: {what} is\n{found}\nand not, as by {PYTHON} itself,\n{expected}")
    return plain


PROBE = """
import sys, os
print(sys.argv, repr(sys.path[0]), os.environ.get("PATH") is not None)
for name in sorted(globals()):
    value = globals()[name]
    print(name, type(value).__name__, value if isinstance(value, (str, type(None))) else "")
print(sys.modules["__main__"].__dict__ is globals(), getattr(__spec__, "name", None))
sys.exit(len(sys.argv))
"""


def where_a_program_stands():
    file = write("probe.py", PROBE)
    write("probes/__main__.py", PROBE)
    write("probes/__init__.py", "")
    write("probes/part.py", PROBE)
    os.symlink(file, os.path.join(WORK.name, "probes", "link.py"))
    shutil.make_archive(os.path.join(WORK.name, "archive"), "zip", os.path.join(WORK.name, "probes"))
    succeed(PYTHON, "-c", "import py_compile; py_compile.compile('probe.py', 'compiled.pyc')")
    for options in ([], ["-P"]):
        for words in ([file, "a", "-b"], ["probe.py"], ["./probes/link.py", "--help"], ["probes", "a"], ["archive.zip", "a"],
                      ["compiled.pyc", "a"], ["-m", "probe", "a", "-m"], ["-m", "probes", "a"], ["-mprobes.part"]):
            done = same(*words, options=options)
            check(done.returncode >= 1 and "__main__" in done.stdout or options, f"{words}: {done.stdout}{done.stderr}")
        same("-c", PROBE, "a", "-c", options=options)
        same("-", "a", "-", text=PROBE, options=options)


def failures_look_the_same():
    failing = "def inner():\n    raise ValueError('wrong')\ndef outer():\n    inner()\nouter()\n"
    write("failing.py", failing)
    for words in (["failing.py"], ["-m", "failing"], ["-c", failing]):
        check(same(*words).returncode == 1, "no failure")
    same("-", text=failing)
    write("chain.py", "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise OSError(5, 'x') from e\n")
    write("syntax.py", "x = = 1\n")
    write("latin.py", "# coding: latin-1\nprint(1)\nraise KeyError\n")
    write("hooked.py", "import sys\nsys.excepthook = lambda kind, value, trace: print(kind, trace.tb_frame.f_code.co_name)\n1 / 0\n")
    write("thread.py", "import threading\nt = threading.Thread(target=lambda: print('in a thread', t.name))\n1 / 0 if 0 else t.start()\n")
    for name in ("chain", "syntax", "latin", "hooked", "thread"):
        same(name + ".py")
        same("-m", name)
    for code in ("import sys; sys.exit()", "import sys; sys.exit(3)", "raise SystemExit('a sentence')", "import os; os._exit(7)",
                 "import atexit; atexit.register(print, 'at exit'); x", "raise KeyboardInterrupt", "import os; os.abort()"):
        same("-c", code)
    check(run(PYTHON, "-m", "skt", "-c", "raise KeyboardInterrupt").returncode == -2, "SIGINT is not what ended it")
    check(run(PYTHON, "-m", "skt", "-m", "no_such_module").returncode == same("-m", "no_such_module").returncode == 1, "no module")


def refusals():
    for words, sentence in ((["no_such.py"], r"can't open file '.*/no_such.py': \[Errno 2\] No such file or directory"),
                            (["-m"], "-m wants a module"), (["-c"], "-c wants a program"), (["-u", "x.py"], "python3 -u -m skt")):
        done = run(PYTHON, "-m", "skt", *words)
        check(done.returncode == 2 and re.search(sentence, done.stderr) and done.stderr.count("\n") == 1, f"{words}: {done}")
    for words in ([], ["--help"]):
        check("python3 -m skt program.py" in succeed(PYTHON, "-m", "skt", *words), "no examples")
    check(re.search("^socket +skt$", succeed(PYTHON, "-m", "skt", "--info"), re.M), "--info")


def info_of(*command, **options):
    return json.loads(succeed(*command, **options).splitlines()[-1])


def install_and_info():
    before = info_of(PYTHON, "-c", WHICH)
    check(before["socket"] == "cpython" and not before["loaded"], before)
    after = info_of(PYTHON, "-c", "import skt; skt.install(); import socket; skt.install(); socket.socket();" + WHICH)
    check(after["socket"] == "skt" and after["loaded"] and after["file"].startswith(PACKAGE), after)
    check(info_of(PYTHON, "-c", "import skt; skt.install();" + WHICH) == {**after, "loaded": False}, "not loaded")
    late = run(PYTHON, "-c", "import socket, skt; skt.install()")
    check(late.returncode == 1 and "RuntimeError: skt.install() comes too late: socket" in late.stderr, late)
    unused = run(PYTHON, "-c", "import socket, skt; skt.create_connection(('127.0.0.1', 1))")
    check("needs skt's sockets" in unused.stderr, unused)


def one_version():
    with open(os.path.join(ROOT, "meson.build")) as f:
        version = re.search(r"version: '([^']+)'", f.read())[1]
    text = "import skt; skt.install(); import _socket; print(skt.__version__, skt.info()['version'], _socket._skt_version)"
    check(set(succeed(PYTHON, "-c", text).split()) == {version}, f"not {version} everywhere")


def nothing_of_socket_is_loaded_for_others():
    text = "import sys, skt; print([m for m in ('socket', '_socket', 'selectors', 'typing', 'pkgutil') if m in sys.modules])"
    for words in (["-c", text], ["-m", "skt", "-c", text]):
        check(succeed(PYTHON, *words) == "[]\n", f"{words} loads more than it needs")


CHILDREN = """
import json, multiprocessing, os, subprocess, sys

WHICH = %r

def which(_=None):
    import socket, skt
    return skt.info()["socket"]

def child(*options):
    return json.loads(subprocess.run([sys.executable, *options, "-c", WHICH], check=True, capture_output=True).stdout)["socket"]

if __name__ == "__main__":
    found = {"".join(options): child(*options) for options in ([], ["-I"], ["-E"], ["-s"], ["-B", "-O"])}
    for method in ("fork", "spawn", "forkserver"):
        with multiprocessing.get_context(method).Pool(1) as pool:
            found[method] = pool.map(which, [None])[0]
    os.environ["SKT_SOCKET"] = "0"
    found["0"] = child()
    print(json.dumps(found))
""" % WHICH


def expect_children(python, path=None):
    found = json.loads(succeed(python, "-m", "skt", write("children.py", CHILDREN), path=path))
    check(found.pop("0") == "cpython", "SKT_SOCKET=0 is not heeded")
    check(set(found.values()) == {"skt"}, f"children: {found}")
    check(info_of(python, "-c", WHICH, path=path)["socket"] == "cpython", "skt.pth acts unasked")


def pip_install():
    venv = os.path.join(WORK.name, "venv with a space")
    succeed(PYTHON, "-m", "venv", venv)
    python = os.path.join(venv, "bin", "python3")
    before = {name for name in glob.glob(venv + "/**", recursive=True) if "__pycache__" not in name}
    tree = sorted(os.listdir(os.path.join(ROOT, "python")))
    succeed(python, "-m", "pip", "install", "--no-index", os.path.join(ROOT, "python"), path=None)
    check(sorted(os.listdir(os.path.join(ROOT, "python"))) == tree, "pip leaves something in the tree")
    expect_children(python)
    succeed(python, "-m", "pip", "uninstall", "-y", "skt", path=None)
    left = {name for name in glob.glob(venv + "/**", recursive=True) if "__pycache__" not in name} - before
    check(not left, f"pip uninstall leaves {left}")


def meson_install():
    place = os.path.join(WORK.name, "place")
    succeed("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", place)
    folder = os.path.dirname(glob.glob(place + "/**/skt.pth", recursive=True)[0])
    check(sorted(name for name in os.listdir(folder) if "pycache" not in name) == ["skt", "skt.pth"], os.listdir(folder))
    sites = succeed(PYTHON, "-c", "import site; print(site.getsitepackages())")
    prefix = json.loads(succeed("meson", "introspect", "--buildoptions", BUILD))
    prefix = next(option["value"] for option in prefix if option["name"] == "prefix")
    if prefix == "/usr/local":
        check(repr(folder.removeprefix(place)) in sites, f"{folder} is not where {PYTHON} looks: {sites}")
    # A virtual environment that looks there as well, without another PYTHONPATH.
    venv = os.path.join(WORK.name, "venv")
    succeed(PYTHON, "-m", "venv", "--without-pip", venv)
    site = glob.glob(venv + "/lib/python3*/site-packages")[0]
    with open(os.path.join(site, "place.pth"), "w") as f:
        f.write(f"import site; site.addsitedir({folder!r})\n")
    expect_children(os.path.join(venv, "bin", "python3"))


def the_other_kind_of_python():
    """Debian's has `_socket` built in; where it is a file of its own, the finder comes first as well."""
    version = succeed(PYTHON, "-c", "import sys; print('%d.%d' % sys.version_info[:2])").strip()
    found = [os.path.join(folder, "python" + version) for folder in os.environ["PATH"].split(":")]
    found += glob.glob(os.path.expanduser(f"~/.pyenv/versions/{version}.*/bin/python{version}"))
    for python in filter(os.path.exists, found):
        if run(python, "-c", "import sys; sys.exit('_socket' in sys.builtin_module_names)", path=None).returncode == 0:
            check(info_of(python, "-m", "skt", "-c", "import socket; socket.socket();" + WHICH)["socket"] == "skt", python)
            return
    raise Skip(f"every python{version} here has _socket built in")


CASES = [
    ("argv, path, namespace and status of a program are those that python3 gives it", where_a_program_stands),
    ("what ends a program looks as it does with python3", failures_look_the_same),
    ("mistakes get a sentence, --help shows examples", refusals),
    ("skt.install() and skt.info()", install_and_info),
    ("one version everywhere", one_version),
    ("skt loads nothing of socket by itself", nothing_of_socket_is_loaded_for_others),
    ("pip install ./python, offline; children run on skt as well; pip uninstall", pip_install),
    ("what meson installs; children run on skt as well", meson_install),
    ("a Python that has _socket in a file of its own", the_other_kind_of_python),
]


sys.exit(run_cases(CASES))
