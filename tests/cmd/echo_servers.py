#!/usr/bin/env python3
"""skt echo, discard and chargen serve nc, socat and Python: streams, messages and datagrams, many at once; and no
client harms another."""
import os
import random
import signal
import socket
from measuring import Service
from story import LIMIT, Process, check, check_equal, digest, folder, need, noise, play, skt


def connect(service):
    host, _, port = service.address.rpartition("//")[2].rpartition(":")
    conn = socket.create_connection((host, int(port)), timeout=LIMIT)
    return conn


def read_all(conn, size):
    data = b""
    while len(data) < size and (part := conn.recv(65536)):
        data += part
    return data


def udp(service):
    conn = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    conn.settimeout(LIMIT)
    conn.connect(("127.0.0.1", int(service.address.rpartition(":")[2])))
    return conn


def echo_to_nc_and_socat():
    need("nc", "socat")
    service = Service("echo", "tcp://127.0.0.1:0")
    port = service.address.rpartition(":")[2]
    data = noise(300000)
    for command in [["nc", "-N", "127.0.0.1", port], ["socat", "-t30", "-", "TCP:127.0.0.1:" + port]]:
        Process(*command).send(data).end_input().expect(out=data)
    skt("connect", "127.0.0.1", port).send(data).end_input().expect(out=data)


def many_at_once_and_rude_ones():
    service = Service("echo", "tcp://127.0.0.1:0")
    clients = [connect(service) for _ in range(200)]
    for rude in clients[::10]:
        rude.sendall(noise(100000))  # and reads nothing
    for number, client in enumerate(clients[1::2]):
        client.sendall(b"%d" % number)
    for number, client in enumerate(clients[1::2]):
        check_equal("the echo", read_all(client, len(b"%d" % number)), b"%d" % number)
    for client in clients:
        client.close()
    service.stop().expect(status=0)


def stopping_does_not_wait_for_idle_clients():
    for number in (signal.SIGINT, signal.SIGTERM):
        service = Service("echo", "tcp://127.0.0.1:0")
        client = connect(service)
        client.sendall(b"x")
        read_all(client, 1)
        service.stop(number).expect(status=0)


def idle_clients_are_let_go():
    process = Process(os.environ["SKT"], "echo", "-i", "100ms", "tcp://127.0.0.1:0")
    address = process.wait_err(r"listening on (.*)\n")[1]
    client = socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=LIMIT)
    check_equal("the end", client.recv(1), b"")


def files_of_unix_sockets():
    path = folder() + "/s"
    service = Service("echo", "unix-seqpacket:" + path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.settimeout(LIMIT)
        client.connect(path)
        for message in (b"one", b"x" * 50000, b"three"):
            client.send(message)
            check_equal("the echo", digest(client.recv(65536)), digest(message))
    service.stop().wait()
    check(not os.path.exists(path), "the file is still there")


def echo_of_datagrams():
    service = Service("echo", "udp://127.0.0.1:0")
    first, second = udp(service), udp(service)
    for size in (0, 1, 1400, 65507):
        for client, seed in ((first, 1), (second, 2)):
            client.send(noise(size, seed))
        for client, seed in ((first, 1), (second, 2)):
            check_equal("the echo", digest(client.recv(65536)), digest(noise(size, seed)))


def unix_datagrams():
    place = folder()
    service = Service("echo", "unix-dgram:" + place + "/s")
    nameless, deaf, client = (socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(3))
    for s, name in ((deaf, "deaf"), (client, "client")):
        s.bind(place + "/" + name)
    for s in (nameless, deaf, client):
        s.settimeout(LIMIT)
        s.connect(place + "/s")
    nameless.send(b"nobody can answer this")
    for _ in range(100):
        deaf.send(b"and this nobody reads")
    client.send(b"hello")
    check_equal("the echo", client.recv(100), b"hello")
    deaf.close()
    service.stop().wait()


def discard():
    service = Service("discard", "tcp://127.0.0.1:0")
    client = connect(service)
    client.sendall(noise(1000000))
    client.shutdown(socket.SHUT_WR)
    check_equal("the end, and nothing before it", client.recv(1), b"")
    service = Service("discard", "udp://127.0.0.1:0")
    client = udp(service)
    for data in (b"", b"x", b"skt1", b"skt1" + b"\xff" * 28, b"skt1\0\0\0\2" + b"x" * 24, b"skt1\0\0\0\3" + b"x" * 88):
        client.send(data)
    client.send(b"skt1\0\0\0\2" + b"r" * 8 + b"\0" * 80)
    report = client.recv(65536)
    check_equal("only the question is answered", (report[:16], len(report), report[32:40]),
                (b"skt1\0\0\0\3" + b"r" * 8, 96, b"\0" * 8))


def datagrams_that_went_wrong():
    chance = random.Random(1)
    service = Service("discard", "udp://127.0.0.1:0")
    client = udp(service)
    for _ in range(3000):
        data = bytearray(b"skt1\0\0\0\1" + chance.randbytes(8) + chance.choice([b"\0" * 8, b"\xff" * 8, chance.randbytes(8)]) +
                         chance.randbytes(8 + chance.randrange(80)))
        data[chance.randrange(8)] ^= chance.choice([0, 0, 0, 3])
        client.send(data)
    client.send(b"skt1\0\0\0\2" + b"\0" * 88)
    while client.recv(65536)[8:16] != b"\0" * 8:
        pass  # some of them were questions


def lines_of(text):
    return [text[i:i + 74] for i in range(0, len(text), 74)]


def chargen():
    characters = bytes(range(32, 127))
    service = Service("chargen", "tcp://127.0.0.1:0")
    text = read_all(connect(service), 74 * 95 * 40)[:74 * 95 * 40]
    for number, line in enumerate(lines_of(text)):
        first = number % 95
        check_equal("line %d" % number, line, (characters * 2)[first:first + 72] + b"\r\n")


def chargen_sends_no_more_than_it_got():
    client = udp(Service("chargen", "udp://127.0.0.1:0"))
    for size in (0, 1, 100, 2000):
        client.send(b"x" * size)
        check_equal("the length", len(client.recv(65536)), min(size, 512))


def the_port_is_in_use():
    service = Service("echo", "tcp://127.0.0.1:0")
    skt("echo", service.address).expect(status=1, out=b"", err="skt: bind 127.0.0.1:.*: Address already in use.*\n")


play(echo_to_nc_and_socat, many_at_once_and_rude_ones, stopping_does_not_wait_for_idle_clients, idle_clients_are_let_go,
     files_of_unix_sockets, echo_of_datagrams, unix_datagrams, discard, datagrams_that_went_wrong, chargen, chargen_sends_no_more_than_it_got,
     the_port_is_in_use)
