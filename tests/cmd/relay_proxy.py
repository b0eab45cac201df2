#!/usr/bin/env python3
"""PROXY headers: to and from HAProxy in both versions, to nginx, from one skt relay to another; and peers that send half a
header, none, or rubbish."""
import os
import re
import socket
import struct
import time
from story import (LIMIT, Process, Relay, Server, check, check_equal, connect, echo, folder, free_port, need, play, read_all,
                   skt, wait_for_port, wait_until)

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
os.environ["PATH"] += ":/usr/sbin"


def line_of(relay, number=1):
    return wait_until(lambda: len(relay.lines()) >= number and relay.lines()[number - 1], "its line is there")


def haproxy(text):
    need("haproxy")
    path = os.path.join(folder(), "haproxy.cfg")
    with open(path, "w") as f:
        f.write("global\n    maxconn 100\ndefaults\n    mode tcp\n    timeout connect 10s\n    timeout client 60s\n"
                "    timeout server 60s\n" + text)
    return Process("haproxy", "-db", "-f", path)


def ask(port, data=b"ping"):
    """Sends and ends; what came, and our own address."""
    with connect(port) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        return read_all(client), "%s:%d" % client.getsockname()


def from_haproxy(version):
    relay = Relay("--accept-proxy", "tcp://127.0.0.1:0", Server(echo).target)
    port = free_port()
    haproxy("listen l\n    bind 127.0.0.1:%d\n    server s 127.0.0.1:%d send-proxy%s\n" % (port, relay.port, version))
    wait_for_port(port)
    got, address = ask(port)
    check_equal("the answer", got, b"ping")
    check(" %s -> " % address in line_of(relay), "the line has not %s: %s" % (address, line_of(relay)))


def to_haproxy(version):
    """Its log tells whom it takes for the client; and it passes the header on."""
    headers = []
    target = Server(lambda s: headers.append(read_all(s)))
    port = free_port()
    haproxy("listen l\n    bind 127.0.0.1:%d accept-proxy\n    server s 127.0.0.1:%d send-proxy\n" % (port, target.port))
    wait_for_port(port)
    relay = Relay("--send-proxy", version, "tcp://127.0.0.1:0", "127.0.0.1:%d" % port)
    got, address = ask(relay.port)
    wait_until(lambda: headers, "the server has been reached")
    host, number = address.split(":")
    check_equal("what HAProxy passes on", headers[0], b"PROXY TCP4 %s 127.0.0.1 %s %d\r\nping" %
                (host.encode(), number.encode(), relay.port))


def to_nginx(version):
    need("nginx")
    path, port = folder(), free_port()
    os.chmod(path, 0o755)
    with open(os.path.join(path, "conf"), "w") as f:
        f.write("daemon off; master_process off; pid %s/pid; error_log %s/error; events {}\n"
                "http { log_format who '$proxy_protocol_addr:$proxy_protocol_port $request'; access_log %s/access who;\n"
                "  client_body_temp_path %s/b; proxy_temp_path %s/p; fastcgi_temp_path %s/f; uwsgi_temp_path %s/u;\n"
                "  scgi_temp_path %s/s;\n"
                "  server { listen 127.0.0.1:%d proxy_protocol; return 200 'from nginx'; } }\n" % ((path,) * 8 + (port,)))
    Process("nginx", "-c", os.path.join(path, "conf"), "-e", os.path.join(path, "error"))
    wait_for_port(port)
    relay = Relay("--send-proxy", version, "tcp://127.0.0.1:0", "127.0.0.1:%d" % port)
    got, address = ask(relay.port, b"GET /who HTTP/1.0\r\n\r\n")
    check(got.endswith(b"from nginx"), "nginx said %r" % got)

    def logged():
        with open(os.path.join(path, "access")) as f:
            return f.read()
    check_equal("what nginx wrote down", wait_until(logged, "nginx has written its log"),
                address + " GET /who HTTP/1.0\n")


def through_two_relays():
    """The second knows the client of the first, and a third gets to know it too, over IPv6 and a Unix socket."""
    path = os.path.join(folder(), "middle")
    third = []
    target = Server(lambda s: third.append(read_all(s)))
    last = Relay("--accept-proxy", "--send-proxy", "v1", "unix:" + path, target.target)
    first = Relay("--send-proxy", "v2", "tcp://[::1]:0", "unix:" + path)
    with socket.create_connection(("::1", first.port)) as client:
        client.sendall(b"x")
        host, port = client.getsockname()[:2]
    wait_until(lambda: third, "the target has all")
    check_equal("what came last", third[0], b"PROXY TCP6 ::1 ::1 %d %d\r\nx" % (port, first.port))
    check("[::1]:%d -> " % port in line_of(last), line_of(last))


def mapped_addresses():
    """A listener of both families sees IPv4 as IPv6; the server is to see IPv4."""
    got = []
    relay = Relay("--send-proxy", "v1", "tcp://:0", Server(lambda s: got.append(read_all(s))).target)
    _, address = ask(relay.port)
    wait_until(lambda: got, "the target has all")
    check_equal("the header", got[0], b"PROXY TCP4 127.0.0.1 127.0.0.1 %s %d\r\nping" %
                (address.split(":")[1].encode(), relay.port))


def unix_clients():
    got = []
    path = os.path.join(folder(), "relay")
    for version in ("v1", "v2"):
        relay = Relay("--send-proxy", version, "unix:" + path, Server(lambda s: got.append(read_all(s))).target)
        client = socket.socket(socket.AF_UNIX)
        client.connect(path)
        client.close()
        wait_until(lambda: len(got) == (1 if version == "v1" else 2), "the target has all")
        relay.stop().expect()
    check_equal("version 1", got[0], b"PROXY UNKNOWN\r\n")
    check_equal("the beginning of version 2", got[1][:16], SIGNATURE + b"\x21\x31\x00\xd8")
    check(path.encode() in got[1] and len(got[1]) == 16 + 216, "version 2 has not the path: %r" % got[1])


def headers_in_pieces():
    """Byte by byte, and with the data behind it in one piece; nothing of the data is lost."""
    relay = Relay("--accept-proxy", "tcp://127.0.0.1:0", Server(echo).target)
    v2 = SIGNATURE + b"\x21\x11\x00\x13" + bytes([192, 0, 2, 7, 192, 0, 2, 8]) + struct.pack(">HH", 1234, 80) + b"\4\0\4tlvs"
    for number, header in enumerate((b"PROXY TCP4 192.0.2.7 192.0.2.8 1234 80\r\n", v2), 1):
        with connect(relay.port) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in header[:-1]:
                client.send(bytes([byte]))
            time.sleep(0.05)
            client.sendall(header[-1:] + b"data")
            client.shutdown(socket.SHUT_WR)
            check_equal("the answer", read_all(client), b"data")
        check(" 192.0.2.7:1234 -> " in line_of(relay, number), line_of(relay, number))
    got, address = ask(relay.port, SIGNATURE + b"\x20\x00\x00\x00" + b"local")    # a health check
    check_equal("the answer", got, b"local")
    check(" %s -> " % address in line_of(relay, 3), line_of(relay, 3))


def half_a_header():
    """It holds up nobody else, and is closed in time."""
    relay = Relay("--accept-proxy", "--timeout", "400ms", "tcp://127.0.0.1:0", Server(echo).target)
    slow = [connect(relay.port) for _ in range(20)]
    for s, piece in zip(slow, (b"", b"P", b"PROXY TCP4 1", SIGNATURE, SIGNATURE + b"\x21\x11\x00\x0c123") * 4):
        s.sendall(piece)
    check_equal("the answer to one who is right", ask(relay.port, b"PROXY UNKNOWN\r\nhello")[0], b"hello")
    for s in slow:
        check_equal("what the slow ones see", s.recv(1), b"")
    wait_until(lambda: len(relay.lines()) == 21, "all lines are there")
    check_equal("lines that tell it", relay.err.decode().count("no PROXY header has come in 0.4 seconds"), 20)


def an_end_in_a_header():
    relay = Relay("--accept-proxy", "tcp://127.0.0.1:0", Server(echo).target)
    with connect(relay.port) as client:
        client.sendall(b"PROXY TC")
        client.shutdown(socket.SHUT_WR)
        check_equal("what it sees", client.recv(1), b"")
    check("it ended before there was a PROXY header" in line_of(relay), line_of(relay))


def rubbish():
    reached = []
    relay = Relay("--accept-proxy", "tcp://127.0.0.1:0", Server(reached.append).target)
    for number, wrong in enumerate((b"GET / HTTP/1.0\r\n\r\n", b"PROXY TCP4 1.2.3.4\r\n", b"PROXY " + b"x" * 200,
                                    SIGNATURE + b"\x31\x11\x00\x00", SIGNATURE + b"\x21\x11\xff\xff",
                                    SIGNATURE + b"\x21\x11\x00\x04abcd"), 1):
        with connect(relay.port) as client:
            client.sendall(wrong)
            try:
                check_equal("what it sees", client.recv(1), b"")
            except ConnectionResetError:
                pass    # since more was there than was read
        check("this is no PROXY header: " in line_of(relay, number), line_of(relay, number))
    check_equal("how often the server was reached", len(reached), 0)


play(*[("from HAProxy, version %d" % (1 + bool(v)), lambda v=v: from_haproxy(v)) for v in ("", "-v2")],
     *[("to HAProxy, %s" % v, lambda v=v: to_haproxy(v)) for v in ("v1", "v2")],
     *[("to nginx, %s" % v, lambda v=v: to_nginx(v)) for v in ("v1", "v2")],
     through_two_relays, mapped_addresses, unix_clients, headers_in_pieces, half_a_header, an_end_in_a_header, rubbish)
