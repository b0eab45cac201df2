#!/usr/bin/env python3
"""--record writes down what goes each way, with times, in hexadecimal and as text."""
import os
import re
import socket
from story import Listener, check, check_equal, folder, play, skt

here = folder()
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} "


def talk(*options):
    listener = Listener("tcp://127.0.0.1:0")
    caller = skt("connect", *options, listener.address).send(b"A question, 20 bytes")
    listener.wait_out(b"A question, 20 bytes").send(b"\0\xffyes\n")
    caller.wait_out(b"yes")
    caller.end_input()
    listener.end_input().expect()
    return caller, listener.port


def expected(port):
    return (TIME + r"> 127\.0\.0\.1:%d: 20 bytes\n" % port +
            r"00000000  41 20 71 75 65 73 74 69  6f 6e 2c 20 32 30 20 62  A question, 20 b\n"
            r"00000010  79 74 65 73                                       ytes\n" +
            TIME + r"< 127\.0\.0\.1:%d: 6 bytes\n" % port +
            r"00000000  00 ff 79 65 73 0a                                 \.\.yes\.\n")


def into_a_file():
    caller, port = talk("--record", here + "/log")
    caller.expect(err="", out=b"\0\xffyes\n")
    with open(here + "/log") as file:
        written = file.read()
    check(re.fullmatch(expected(port), written), "the record is %s" % written)


def to_standard_error():
    caller, port = talk("--record", "-")
    caller.expect(err=expected(port))


def of_many_clients():
    listener = Listener("--keep", "--record", here + "/many", "tcp://127.0.0.1:0")
    ports = []
    for text in (b"one", b"two"):
        with socket.create_connection(("127.0.0.1", listener.port)) as client:
            client.sendall(text)
            listener.wait_out(text)
            ports.append(client.getsockname()[1])
    with open(here + "/many") as file:
        heads = re.findall(r"< 127\.0\.0\.1:(\d+): 3 bytes", file.read())
    check_equal("who said it", [int(port) for port in heads], ports)


def where_it_cannot_be_written():
    skt("connect", "--record", here + "/none/log", "127.0.0.1", 80).expect(
        status=1, err=r"skt: --record: \S+/none/log: No such file or directory\n")
    if os.path.exists("/dev/full"):
        caller, _ = talk("--record", "/dev/full")
        caller.expect(status=1, out=b"\0\xffyes\n", err=r"skt: --record: .*: No space left on device\n")


play(into_a_file, to_standard_error, of_many_clients, where_it_cannot_be_written)
