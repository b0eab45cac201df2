#!/usr/bin/env python3
"""test_install - what others build with: the header in C++, the names that the library exports, the
pkg-config files of an install and of the build tree, and the README's server made with them.

  test_install.py BUILD COMPILER [FLAG ...]

TAP for meson."""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from tap import Skip, check, run_cases

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD, COMPILER = os.path.abspath(sys.argv[1]), sys.argv[2:]
SECONDS = 60


def output_of(*command, **env):
    """What a command prints; it has to succeed."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, env={**os.environ, **env})
    check(done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def read(*path):
    with open(os.path.join(*path)) as f:
        return f.read()


def the_header_in_other_languages():
    for compiler, standards in (("g++", ("c++98", "c++11", "c++20")), ("clang++", ("c++98", "c++20")),
                                ("gcc", ("c11", "c2x")), ("clang", ("c11",))):
        if not shutil.which(compiler):
            raise Skip(f"there is no {compiler}")
        for standard in standards:
            output_of(compiler, "-std=" + standard, "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-x",
                      "c++" if "+" in compiler else "c", os.path.join(ROOT, "include", "skt.h"))


def only_ours_is_exported():
    library = os.path.join(BUILD, "src", "libskt.so")
    names = {line.split()[7].split("@")[0] for line in output_of("readelf", "-W", "--dyn-syms", library).splitlines()
             if re.search(r"(GLOBAL|WEAK)\s+DEFAULT\s+(\d+|ABS)\s+\S", line)}
    header = set(re.findall(r"\b(skt_[a-z0-9_]+)\(", re.sub(r"/\*.*?\*/", "", read(ROOT, "include", "skt.h"), flags=re.S)))
    check(names - {"SKT_0"} == header, f"exported and not declared, or the other way about: {names ^ header}")
    check("Library soname: [libskt.so.0]" in output_of("readelf", "-d", library), "no soname libskt.so.0")


def load_late(before):
    """Loads the library into a program with threads, which has done something before, and fails in each of them."""
    library = os.path.join(BUILD, "src", "libskt.so")
    with open(library, "rb") as f:
        if re.search(rb"__[at]san_init", f.read()):
            raise Skip("a sanitizer's runtime has to come first")
    text = output_of(sys.executable, "-c", f"""if True:
        import ctypes, threading
        c = ctypes.CDLL(None)
        c.pthread_getspecific.restype = ctypes.c_void_p
        {before}
        skt = ctypes.CDLL({library!r}, use_errno=True)
        skt.skt_strerror.restype = ctypes.c_char_p
        said = []
        def fail():
            others = c.pthread_getspecific(0)
            skt.skt_fromfd(-1)
            said.append(skt.skt_strerror().decode())
            assert c.pthread_getspecific(0) == others, "somebody else's data was replaced"
        threads = [threading.Thread(target=fail) for _ in range(3)]
        for t in threads: t.start()
        for t in threads: t.join()
        fail()
        print(said)""")
    check(text == f"{4 * ['fromfd: negative file descriptor: -1']}\n", text)


def loaded_late():
    """A library that uses too much thread-local data of the fast kind cannot be."""
    load_late("")


def loaded_without_keys():
    """Then nobody else's may be taken for ours: the first, say."""
    load_late("[None for _ in iter(lambda: c.pthread_key_create(ctypes.byref(ctypes.c_uint()), None), 11)]")


def say_hello(folder, pkg_config_path, libraries, *static, **env):
    """Makes the README's server with pkg-config and one cc, and is its client."""
    env["PKG_CONFIG_PATH"] = pkg_config_path
    flags = output_of("pkg-config", *(["--static"] if static else []), "--cflags", "--libs", "skt", **env).split()
    source = re.search(r"^```c\n(.*?)^```", read(ROOT, "README.md"), re.M | re.S)[1]
    check("8080" in source, "the README's server has another port")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    with open(os.path.join(folder, "server.c"), "w") as f:
        f.write(source.replace("8080", str(port)))
    program = os.path.join(folder, "server")
    output_of(*COMPILER, *static, "-o", program, os.path.join(folder, "server.c"), *flags)
    with subprocess.Popen([program], env={**os.environ, "LD_LIBRARY_PATH": libraries}) as server:
        try:
            while server.poll() is None:
                try:
                    with socket.create_connection(("127.0.0.1", port)) as s:
                        check(s.makefile().read() == "hello\n", "another answer")
                        return
                except ConnectionRefusedError:
                    pass
            check(False, f"the server ended with {server.returncode}")
        finally:
            server.kill()


def sanitized():
    return any(flag.startswith("-fsanitize") for flag in COMPILER)


def from_the_build_tree():
    with tempfile.TemporaryDirectory() as folder:
        say_hello(folder, os.path.join(BUILD, "meson-uninstalled"), os.path.join(BUILD, "src"))
        if not sanitized():
            say_hello(folder, os.path.join(BUILD, "meson-uninstalled"), "", "-static")


def from_an_install():
    with tempfile.TemporaryDirectory() as folder:
        place = os.path.join(folder, "place")
        output_of("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", place)
        files = [os.path.join(at, name) for at, _, names in os.walk(place) for name in names]
        for wanted in ("include/skt.h", "bin/skt", "libskt.a", "libskt.so", "libskt.so.0", "pkgconfig/skt.pc",
                       "man1/skt.1", "man3/skt_recv.3", "man3/skt_sendall.3"):
            check(any(f.endswith("/" + wanted) for f in files), f"{wanted} is not installed")
        check(output_of(next(f for f in files if f.endswith("bin/skt")), "--version").startswith("skt "), "skt --version")
        pc = next(f for f in files if f.endswith("/skt.pc"))
        libraries = os.path.dirname(os.path.dirname(pc))
        say_hello(folder, os.path.dirname(pc), libraries, PKG_CONFIG_SYSROOT_DIR=place)
        if not sanitized():
            say_hello(folder, os.path.dirname(pc), "", "-static", PKG_CONFIG_SYSROOT_DIR=place)


def echo_server_serves_and_ends():
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    with subprocess.Popen([os.path.join(BUILD, "examples", "echo_server"), str(port)]) as server:
        try:
            answer = None
            while answer is None:
                check(server.poll() is None, f"it ended with {server.returncode}")
                try:
                    with socket.create_connection(("127.0.0.1", port)) as s:
                        s.sendall(b"hello")
                        answer = s.recv(5, socket.MSG_WAITALL)
                except ConnectionRefusedError:
                    pass
            check(answer == b"hello", f"another answer: {answer}")
            server.terminate()
            check(server.wait(SECONDS) == 0, f"SIGTERM ended it with {server.returncode}")
        finally:
            server.kill()


CASES = [
    ("skt.h is C11, C++98 and later without a warning", the_header_in_other_languages),
    ("the library exports what skt.h declares, and nothing else", only_ours_is_exported),
    ("the library can be loaded late, into a program with threads", loaded_late),
    ("also where no key for a thread's own data is left", loaded_without_keys),
    ("the README's server from the build tree, shared and static", from_the_build_tree),
    ("the README's server from an install, shared and static", from_an_install),
    ("examples/echo_server echoes, and ends gracefully on SIGTERM", echo_server_serves_and_ends),
]


sys.exit(run_cases(CASES))
