#!/usr/bin/env python3
"""test_programs - what stands on socket works on skt's: asyncio, ssl, http, requests, subinterpreters, skt.create_connection.

  test_programs.py BUILD PYTHON

Each case is a program of its own, run by python3 -m skt.  (The tutorial's programs are played by ../twins.py, CPython's own
tests by compare.py.)  TAP for meson."""
import os
import subprocess
import sys
import textwrap

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import Skip, check, run_cases

BUILD, PYTHON = os.path.abspath(sys.argv[1]), sys.argv[2]
SECONDS = 120
BEGIN = """
import asyncio, os, socket, ssl, sys, threading
assert socket.socket.__mro__[1].__module__ == "_socket" and "skt" in socket._socket.__file__, socket._socket
"""
# Debian's libpython3.11-testsuite has a certificate for localhost.
TLS = """
import test
cert = os.path.join(os.path.dirname(test.__file__), "keycert.pem")
if not os.path.exists(cert):
    sys.exit("SKIP there is no " + cert)
server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server_side.load_cert_chain(cert)
client_side = ssl.create_default_context(cafile=cert)
"""


def play(program):
    def case():
        env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SKT_"))}
        done = subprocess.run([PYTHON, "-W", "error", "-m", "skt", "-c", BEGIN + textwrap.dedent(program)], capture_output=True, text=True,
                              timeout=SECONDS, stdin=subprocess.DEVNULL, env={**env, "PYTHONPATH": os.path.join(BUILD, "python")})
        if "SKIP " in done.stderr:
            raise Skip(done.stderr.strip().split("SKIP ")[1])
        check(done.returncode == 0 and not done.stderr, f"it ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return case


ASYNCIO = """
async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
    await writer.wait_closed()

async def talk(port, **tls):
    data = os.urandom(300000)
    reader, writer = await asyncio.open_connection("localhost", port, **tls)
    writer.write(data)
    assert await reader.readexactly(len(data)) == data
    writer.close()
    await writer.wait_closed()

async def main(server_side=None, **tls):
    server = await asyncio.start_server(echo, "localhost", 0, ssl=server_side)
    async with server:
        port = server.sockets[0].getsockname()[1]
        await asyncio.gather(*(talk(server.sockets[0].getsockname()[1], **tls) for _ in range(20)))
"""

HTTP = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", len(body))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

def serve(wrap=lambda s: s):
    server = http.server.ThreadingHTTPServer(("localhost", 0), Handler)
    server.socket = wrap(server.socket)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
"""

CASES = [
    ("asyncio: twenty connections echo", play(ASYNCIO + """
asyncio.run(main())
""")),
    ("asyncio over TLS", play(TLS + ASYNCIO + """
asyncio.run(main(server_side, ssl=client_side))
""")),
    ("ssl: a handshake and data in threads, with and without a timeout", play(TLS + """
for timeout in (None, 30):
    with socket.create_server(("localhost", 0)) as listener:
        def serve():
            conn, _ = listener.accept()
            conn.settimeout(timeout)
            with server_side.wrap_socket(conn, server_side=True) as s:
                s.sendall(s.recv(10).upper())
        thread = threading.Thread(target=serve)
        thread.start()
        with socket.create_connection(listener.getsockname(), timeout) as raw:
            with client_side.wrap_socket(raw, server_hostname="localhost") as s:
                assert s.version().startswith("TLS") and s.gettimeout() == timeout
                s.sendall(b"hello")
                assert s.recv(10) == b"HELLO"
        thread.join()
""")),
    ("http.server and urllib", play(HTTP + """
import urllib.request
server = serve()
body = os.urandom(1 << 20)
with urllib.request.urlopen("http://localhost:%d/" % server.server_port, body) as answer:
    assert answer.read() == body
server.shutdown()
server.server_close()
""")),
    ("requests, with TLS and a session", play("""
import warnings
warnings.simplefilter("default", DeprecationWarning) # Debian's packages have some
sys.path.append("/usr/lib/python3/dist-packages")
try:
    import requests
except ImportError:
    sys.exit("SKIP there is no requests")
""" + TLS + HTTP + """
server = serve(lambda s: server_side.wrap_socket(s, server_side=True))
with requests.Session() as session:
    session.trust_env = False
    session.verify = cert
    for n in range(3):
        body = os.urandom(100000)
        assert session.post("https://localhost:%d/" % server.server_port, body).content == body
server.shutdown()
server.server_close()
""")),
    ("skt.create_connection", play("""
import skt, time
for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    try:
        listener = socket.create_server((host, 0), family=family)
    except OSError:
        continue # no IPv6 here
    with listener:
        port = listener.getsockname()[1]
        with skt.create_connection((host, port), timeout=5) as s, listener.accept()[0] as conn:
            assert (type(s), s.family, s.gettimeout()) == (socket.socket, family, 5), s
            s.sendall(b"x")
            assert conn.recv(1) == b"x"
        with skt.create_connection((host, port)) as s:
            assert s.gettimeout() is None
        with skt.create_connection((host, port), 1, (host, 0)) as s:
            assert s.getsockname()[0] == host
try:
    skt.create_connection(("127.0.0.1", port), timeout=5)
except ConnectionRefusedError as error:
    assert str(port) in str(error), error
else:
    sys.exit("a closed port answers")
socket.setdefaulttimeout(3)
with socket.create_server(("127.0.0.1", 0)) as listener, skt.create_connection(listener.getsockname()) as s:
    assert s.gettimeout() == 3
# Somebody who never answers: all of the listener's queue is taken.
with socket.create_server(("127.0.0.1", 0), backlog=1) as listener:
    waiting = []
    begin = time.monotonic()
    try:
        while len(waiting) < 100:
            waiting.append(skt.create_connection(listener.getsockname(), timeout=0.3))
    except TimeoutError:
        assert time.monotonic() - begin >= 0.3
    else:
        sys.exit("no timeout")
    for s in waiting:
        s.close()
""")),
    ("subinterpreters have it as well", play("""
import _xxsubinterpreters as interpreters
one = interpreters.create()
interpreters.run_string(one, '''
import skt
skt.install()
import socket
a, b = socket.socketpair()
a.sendall(b"hello")
assert b.recv(5) == b"hello" and skt.info()["socket"] == "skt"
a.close(); b.close()
''')
interpreters.destroy(one)
a, b = socket.socketpair()
with a, b:
    a.sendall(b"still")
    assert b.recv(5) == b"still"
""")),
]


sys.exit(run_cases(CASES))
