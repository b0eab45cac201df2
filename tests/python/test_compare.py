#!/usr/bin/env python3
"""test_compare - the comparison finds what it is for: another result, and a process with the wrong `_socket`.

TAP for meson."""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import stage
from tap import Skip, check, run_cases

COMPARE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "compare.py")
MODULE = "test_socketserver"
# CPython's own module under another origin, as an extension in the package would have.
PRETENDS = """
import sys
from importlib.machinery import BuiltinImporter, PathFinder
from importlib.util import spec_from_loader

class Loader:
    def create_module(self, spec):
        real = BuiltinImporter.find_spec("_socket") or PathFinder.find_spec("_socket")
        module = real.loader.create_module(real)
        real.loader.exec_module(module)
        return module

    def exec_module(self, module):
        module.__spec__ = spec_from_loader("_socket", self, origin=__file__)
        {change}

class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return spec_from_loader(name, Loader(), origin=__file__) if name == "_socket" else None

def install():
    sys.meta_path.insert(0, Finder)
"""


def compare(text):
    if not stage.has_private():
        raise Skip(stage.NOT_PRIVATE)
    with tempfile.TemporaryDirectory(prefix="skt-compare.") as folder:
        os.mkdir(os.path.join(folder, "skt"))
        with open(os.path.join(folder, "skt", "__init__.py"), "w") as f:
            f.write(text)
        done = subprocess.run([COMPARE, folder, MODULE], capture_output=True, text=True, timeout=600)
        return done.returncode, done.stdout + done.stderr


def the_same():
    status, said = compare(PRETENDS.format(change="pass"))
    check(status == 0 and "\nok - " + MODULE in said, said)


def another_result():
    status, said = compare(PRETENDS.format(change="del module.AF_UNIX"))
    check(status == 1 and "not ok - " + MODULE in said and "test_UnixStreamServer: CPython's passed; ours skipped" in said, said)


def without_the_finder():
    status, said = compare("def install():\n    pass\n")
    check(status == 1 and "not ok - " + MODULE in said and "ours: process" in said and "CPython's:" not in
          [line.split(" process")[0].strip("# ") for line in said.splitlines() if "had the _socket" in line], said)


sys.exit(run_cases([("the same module passes", the_same), ("a test that is skipped on one side is found", another_result),
                    ("processes with CPython's _socket are found", without_the_finder)]))
