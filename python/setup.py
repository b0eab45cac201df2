"""setup - pip's way to build skt for Python: pip install ./python, offline, with nothing but a compiler and setuptools.

libskt's sources are compiled straight into the extension.  (make does without this file; meson.build is its like.)
"""
import atexit
import glob
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)

# What is made on the way, in a folder of its own: the tree stays as it is, whoever runs pip.
WORK = tempfile.mkdtemp(prefix="skt-setup.")
atexit.register(shutil.rmtree, WORK, ignore_errors=True)


def version():
    with open(os.path.join(TOP, "meson.build")) as f:
        return re.search(r"^ *version: '([^']+)'", f.read(), re.M)[1]


def sources():
    """The module's, the library's, and the change of stacks for this processor."""
    library = [f for f in glob.glob(os.path.join(TOP, "src", "*.c")) if not os.path.basename(f).startswith("context_")]
    assembly = os.path.join(TOP, "src", "context_%s.S" % platform.machine())
    context = assembly if os.path.exists(assembly) else os.path.join(TOP, "src", "context_ucontext.c")
    return sorted(glob.glob(os.path.join(HERE, "*.c"))) + sorted(library) + [context]


class BuildExtension(build_ext):
    def build_extensions(self):
        self.compiler.src_extensions.append(".S")
        constants = os.path.join(WORK, "constants.inc")
        subprocess.run([sys.executable, os.path.join(TOP, "data", "generate.py"), "constants", constants], check=True)
        super().build_extensions()


class BuildPackage(build_py):
    """Adds skt.pth, which has to lie beside the package."""

    def run(self):
        super().run()
        self.copy_file(os.path.join(HERE, "skt.pth"), os.path.join(self.build_lib, "skt.pth"))

    def get_outputs(self, include_bytecode=True):
        return super().get_outputs(include_bytecode) + [os.path.join(self.build_lib, "skt.pth")]


os.chdir(HERE)
setup(
    name="skt",
    version=version(),
    description="Python's sockets made of libskt",
    python_requires=">=3.11",
    packages=["skt"],
    ext_modules=[Extension(
        "skt._socket", sources(),
        include_dirs=[HERE, os.path.join(TOP, "include"), os.path.join(TOP, "data"), WORK],
        define_macros=[("_GNU_SOURCE", None)],
        extra_compile_args=["-std=gnu11", "-fvisibility=hidden", "-pthread"],
        extra_link_args=["-pthread", "-Wl,--version-script," + os.path.join(HERE, "_socket.map")])],
    cmdclass={"build_ext": BuildExtension, "build_py": BuildPackage},
    options={"build": {"build_base": os.path.join(WORK, "build")}, "egg_info": {"egg_base": WORK}},
    zip_safe=False)
