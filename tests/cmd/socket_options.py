#!/usr/bin/env python3
"""skt options lists a socket's options with their values and meanings, and says why where there is no value."""
import json
import os
import re
import socket
from story import check, check_equal, folder, play, skt


def rows(*words, **options):
    """Name, value and meaning of each option."""
    lines = skt("options", *words, **options).expect(err="").out.decode().splitlines()
    return {line.split()[0]: re.split(r"  +", line, maxsplit=2)[1:] for line in lines}


def values(*words, **options):
    found = json.loads(skt("options", "--json", *words, **options).expect(err="").out)
    return {row["name"]: row for row in found}


def without_an_address_it_is_tcp():
    found = rows()
    check_equal("SO_TYPE", found["SO_TYPE"], ["SOCK_STREAM", "kind of socket"])
    check_equal("SO_DOMAIN", found["SO_DOMAIN"][0], "AF_INET")
    check_equal("TCP_NODELAY", found["TCP_NODELAY"][0], "off")
    check_equal("IP_MTU", found["IP_MTU"][0], "(not connected)")
    check_equal("IP_ADD_MEMBERSHIP", found["IP_ADD_MEMBERSHIP"][0], "(write only)")
    check(not any(name.startswith(("IPV6_", "UDP_")) for name in found), "it has options of other sockets")


def values_are_the_systems():
    found = values()
    with socket.socket() as s:
        for name in "SO_RCVBUF", "SO_SNDBUF", "SO_KEEPALIVE", "TCP_KEEPIDLE", "TCP_KEEPCNT", "TCP_MAXSEG", "IP_TTL", "IP_TOS":
            level = {"SO": "SOL_SOCKET", "TC": "IPPROTO_TCP", "IP": "IPPROTO_IP"}[name[:2]]
            check_equal("the level of " + name, found[name]["level"], level)
            check_equal(name, found[name]["value"], s.getsockopt(getattr(socket, level), getattr(socket, name)))


def columns_are_aligned():
    lines = skt("options", "TCP_K").expect(err="").out.decode().splitlines()
    check(len(lines) >= 3, "only %d lines" % len(lines))
    check_equal("where values begin", {line.index(line.split()[1]) for line in lines}, {len("TCP_KEEPINTVL") + 2})


def an_address_tells_the_kind():
    check_equal("udp", rows("udp://localhost:53")["SO_TYPE"][0], "SOCK_DGRAM")
    check("UDP_SEGMENT" in rows("udp://localhost:53"), "UDP has no UDP_SEGMENT")
    check_equal("[::1]", rows("tcp://[::1]:80")["SO_DOMAIN"][0], "AF_INET6")
    check_equal("-6", rows("-6", "tcp://localhost:80")["SO_DOMAIN"][0], "AF_INET6")
    found = rows("unix:/nowhere")
    check_equal("unix", found["SO_DOMAIN"][0], "AF_UNIX")
    check("SO_PEERCRED" in found and not any(name.startswith(("TCP_", "IP_")) for name in found), "not a Unix socket's")
    check_equal("unix-seqpacket", rows("unix-seqpacket:/nowhere")["SO_TYPE"][0], "SOCK_SEQPACKET")


def a_word_is_looked_for():
    check_equal("TCP_KEEP", set(rows("tcp_keep")), {"TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT"})
    check("TCP_NODELAY" in rows("nagle"), "the meaning is not looked at")
    check("IPV6_MULTICAST_IF" in rows("udp://[::1]:53", "multicast"), "not with an address")
    skt("options", "frobnicate").expect(
        status=1, out=b"", err="skt: this socket has no option with 'frobnicate' in its name or meaning\n")


def a_connection_has_more_to_tell():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = "tcp://127.0.0.1:%d" % server.getsockname()[1]
        found = rows("--connect", address)
        check(found["TCP_INFO"][0].startswith("established"), "TCP_INFO is %s" % found["TCP_INFO"])
        check(int(found["IP_MTU"][0]) >= 1280, "IP_MTU is %s" % found["IP_MTU"])
        check_equal("SO_PEERNAME", found["SO_PEERNAME"][0], address[6:])
    skt("options", "--connect", address).expect(status=1, out=b"", err="skt: connect .*: Connection refused\n")


def who_is_at_the_other_end():
    path = os.path.join(folder(), "socket")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        check_equal("SO_PEERCRED", rows("--connect", "unix:" + path)["SO_PEERCRED"][0],
                    "pid %d, uid %d, gid %d" % (os.getpid(), os.getuid(), os.getgid()))


def a_socket_that_it_was_started_with():
    with socket.create_server(("127.0.0.1", 0)) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 17)
        found = values("fd:%d" % s.fileno(), pass_fds=[s.fileno()])
    check_equal("SO_RCVLOWAT", found["SO_RCVLOWAT"]["value"], 17)
    check_equal("SO_ACCEPTCONN", found["SO_ACCEPTCONN"]["value"], True)


def json_for_programs():
    found = values("tcp://localhost:80")
    check_equal("TCP_NODELAY", found["TCP_NODELAY"],
                {"name": "TCP_NODELAY", "level": "IPPROTO_TCP", "value": False, "trouble": None, "settable": True,
                 "meaning": "send small pieces at once (no Nagle)"})
    check_equal("IP_MTU", (found["IP_MTU"]["value"], found["IP_MTU"]["trouble"]), (None, "not connected"))
    check_equal("SO_TYPE", (found["SO_TYPE"]["value"], found["SO_TYPE"]["settable"]), ("SOCK_STREAM", False))
    check_equal("both lists", list(found), list(rows("tcp://localhost:80")))
    out = skt("options", "--json", "frobnicate").expect(status=1).out
    check_equal("nothing", json.loads(out), [])


def mistakes():
    for words, sentence in [
        (["a", "b", "c"], "options takes an ADDRESS and a word to look for, no more; see skt help options"),
        (["--connect"], "options: --connect needs an ADDRESS to connect to"),
        (["--connect", "KEEP"], "options: --connect needs an ADDRESS to connect to"),
        (["KEEP", "tcp://localhost:80"], "'KEEP' has no port; write host:port, or [address]:port"),
        (["tcp://localhost"], "'tcp://localhost' has no port; write host:port, or [address]:port"),
    ]:
        skt("options", *words).expect(status=2, out=b"", err=re.escape("skt: %s\n" % sentence))


play(without_an_address_it_is_tcp, values_are_the_systems, columns_are_aligned, an_address_tells_the_kind,
     a_word_is_looked_for, a_connection_has_more_to_tell, who_is_at_the_other_end, a_socket_that_it_was_started_with,
     json_for_programs, mistakes)
