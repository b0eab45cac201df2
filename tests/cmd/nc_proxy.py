#!/usr/bin/env python3
"""skt nc -x goes through real proxies: microsocks (SOCKS 5), Dante (SOCKS 4, 4A and 5), tinyproxy (HTTP CONNECT)."""
import os
import pty
import socket
import threading
from beside import SKT_NC, Server
from story import Process, check, check_equal, folder, free_port, need, noise, play, wait_for_port, wait_until

BIG = noise(1000000)
DANTE = """logoutput: %(folder)s/log
internal: 127.0.0.1 port = %(port)d
external: lo
clientmethod: none
socksmethod: none
client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
"""
TINYPROXY = """Port %(port)d
Listen 127.0.0.1
Timeout 60
LogFile "%(folder)s/log"
%(more)s
"""


def exchange(conn):
    """Not every proxy passes on that one direction has ended: the length tells."""
    got = b""
    while len(got) < len(BIG):
        part = conn.recv(1000000)
        if not part:
            break
        got += part
    conn.sendall(BIG)
    return got


def microsocks(*words):
    need("microsocks")
    port = free_port()
    Process("microsocks", "-i", "127.0.0.1", "-p", port, *words)
    wait_for_port(port)
    return port


def configured(template, program, *options, **values):
    """A proxy that reads its settings from a file, whose name follows the options."""
    need(program)
    port, place = free_port(), folder()
    with open(place + "/conf", "w") as f:
        f.write(template % dict(values, port=port, folder=place))
    Process(program, *options, place + "/conf")
    wait_for_port(port)
    return port


def nc(port, protocol, *words, password=None, **options):
    env = {k: v for k, v in os.environ.items() if k != "SKT_PROXY_PASSWORD"}
    if password is not None:
        env["SKT_PROXY_PASSWORD"] = password
    return Process(*SKT_NC, "-w", "20", "-X", protocol, "-x", "127.0.0.1:%d" % port, *words, env=env, **options)


def server_at(host, scene):
    """localhost may be 127.0.0.1 to the proxy, or ::1."""
    if host == "localhost" and socket.has_dualstack_ipv6():
        return Server(scene, socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True))
    return Server(scene)


def talk(port, protocol, *words, host="127.0.0.1", **options):
    """All of it arrives, both ways."""
    server = server_at(host, exchange)
    process = nc(port, protocol, *words, host, str(server.port), **options).send(BIG).end_input()
    process.expect(status=0, out=BIG, err="")
    check(server.result() == BIG, "not all arrived at the server")


def refused(port, protocol, *words, why, target=None, **options):
    target = target or free_port()
    nc(port, protocol, *words, "127.0.0.1", str(target), **options).end_input().expect(
        status=1, out=b"", err=r"nc: proxy 127.0.0.1 port %d, asked for 127.0.0.1 port %d: %s\n" % (port, target, why))


def scan(port, protocol):
    server = server_at("localhost", lambda conn: None)
    nc(port, protocol, "-zv", "localhost", str(server.port)).end_input().expect(
        status=0, err=r"Connection to localhost %d port \[tcp/\*\] succeeded!\n" % server.port)
    server.result()


def socks_5():
    port = microsocks()
    talk(port, "5")
    talk(port, "5", host="localhost")
    scan(port, "5")
    refused(port, "5", why="SOCKS 5: Connection refused")
    nc(port, "5", "-z", "127.0.0.1", free_port()).end_input().expect(status=1, err="") # a scan is silent


def socks_5_with_a_password():
    port = microsocks("-u", "joe", "-P", "secret")
    talk(port, "5", "-P", "joe", password="secret")
    refused(port, "5", "-P", "joe", password="wrong", why="SOCKS 5: .*")
    refused(port, "5", why="SOCKS 5: it wants a user and a password")


def dante():
    port = configured(DANTE, "/usr/sbin/danted", "-f")
    for protocol in ("4", "4A", "5"):
        talk(port, protocol)
        if protocol != "4A": # Dante does not know that a name follows
            talk(port, protocol, host="localhost")
        refused(port, protocol, why="SOCKS 5: .*" if protocol == "5" else "SOCKS 4: request rejected or failed")


def http_connect():
    port = configured(TINYPROXY, "tinyproxy", "-d", "-c", more="")
    talk(port, "connect")
    talk(port, "connect", host="localhost")
    scan(port, "connect")
    refused(port, "connect", why="HTTP status 5[0-9][0-9] [^\n]+")


def http_connect_with_a_password():
    port = configured(TINYPROXY, "tinyproxy", "-d", "-c", more="BasicAuth joe secret")
    talk(port, "connect", "-P", "joe", password="secret")
    refused(port, "connect", "-P", "joe", password="wrong", why="HTTP status 40[17].*")
    refused(port, "connect", why="HTTP status 407: it wants a user and a password")


def a_password_from_the_terminal():
    port = microsocks("-u", "joe", "-P", "secret")
    server = Server(exchange)
    shown = bytearray()
    env = {k: v for k, v in os.environ.items() if k != "SKT_PROXY_PASSWORD"}
    pid, terminal = pty.fork()
    if pid == 0:
        words = SKT_NC + ["-d", "-z", "-P", "joe", "-x", "127.0.0.1:%d" % port, "127.0.0.1", str(server.port)]
        os.execve(words[0], words, env)

    def collect():
        try:
            while True:
                shown.extend(os.read(terminal, 1000))
        except OSError:
            pass # it has ended
    threading.Thread(target=collect, daemon=True).start()
    wait_until(lambda: b"Proxy password for joe@127.0.0.1: " in shown, "it asks")
    os.write(terminal, b"secret\n")
    check_equal("its status", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
    check(b"secret" not in shown, "the password was shown")


def no_proxy_there():
    port = free_port()
    nc(port, "5", "127.0.0.1", "80").end_input().expect(
        status=1, err=r"nc: proxy: connect 127.0.0.1 \(127.0.0.1:%d\): Connection refused\n" % port)


play(socks_5, socks_5_with_a_password, dante, http_connect, http_connect_with_a_password,
     a_password_from_the_terminal, no_proxy_there)
