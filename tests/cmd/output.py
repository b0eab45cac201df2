#!/usr/bin/env python3
"""Standard output: slow, non-blocking, full, closed, or left by its reader.  Nothing that
can be written is lost, and what cannot be written is said and gives status 1."""
import fcntl
import os
import socket
from story import check, check_equal, noise, play, skt

MUCH = noise(4 << 20)


def accepted(**options):
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = skt("connect", "127.0.0.1", server.getsockname()[1], **options)
        return ours, server.accept()[0]


def failing(stdout, sentence, **options):
    ours, conn = accepted(stdout=stdout, **options)
    conn.sendall(b"hello")
    ours.expect(status=1, err=sentence)
    conn.close()


def full_disk():
    with open("/dev/full", "wb") as full:
        failing(full, "skt: standard output: No space left on device\n")


def reader_has_left():
    reader, writer = os.pipe()
    os.close(reader)
    failing(writer, "skt: standard output: Broken pipe\n")
    os.close(writer)


def closed():
    failing(None, "skt: standard output: Bad file descriptor\n", preexec_fn=lambda: os.close(1))


def help_into_a_full_disk():
    with open("/dev/full", "wb") as full:
        skt("help", stdout=full).expect(status=1, err="skt: standard output: No space left on device\n")


def input_goes_on_while_output_is_full():
    """The reader of our output wants to see an effect of our input first."""
    reader, writer = os.pipe()
    ours, conn = accepted(stdout=writer)
    os.close(writer)
    conn.setblocking(False)
    sent = 0
    try:
        while sent < len(MUCH):
            sent += conn.send(MUCH[sent:sent + 65536])
    except BlockingIOError:
        pass # what lies between us and the reader is full
    conn.setblocking(True)
    ours.send(b"x" * (1 << 20)).end_input()
    check_equal("what came past the full output", len(conn.recv(1 << 20, socket.MSG_WAITALL)), 1 << 20)
    conn.shutdown(socket.SHUT_WR)
    got = b""
    while data := os.read(reader, 65536):
        got += data
    check(got == MUCH[:sent], "the output is not what was sent")
    ours.expect(err="")
    conn.close()
    os.close(reader)


def non_blocking():
    """Another process may have made our descriptors non-blocking: they are shared."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETFL, os.O_NONBLOCK)
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    from_us, to_skt = os.pipe()
    fcntl.fcntl(from_us, fcntl.F_SETFL, os.O_NONBLOCK)
    ours, conn = accepted(stdout=writer, stdin=from_us)
    os.close(writer)
    os.close(from_us)
    os.write(to_skt, b"hello")
    check_equal("what came", conn.recv(5, socket.MSG_WAITALL), b"hello")
    os.write(to_skt, b"again")
    check_equal("what came", conn.recv(5, socket.MSG_WAITALL), b"again")
    conn.sendall(MUCH[:1 << 18])
    conn.shutdown(socket.SHUT_WR)
    got = b""
    while len(got) < 1 << 18 and (data := os.read(reader, 65536)):
        got += data
    check(got == MUCH[:1 << 18], "the output is not what was sent")
    os.close(to_skt)
    ours.expect(err="")
    conn.close()
    os.close(reader)


def input_that_cannot_be_read():
    here = os.open("/", os.O_RDONLY)
    ours, conn = accepted(stdin=here)
    ours.expect(status=1, err="skt: standard input: Is a directory\n")
    conn.close()
    os.close(here)


play(
    full_disk,
    reader_has_left,
    closed,
    help_into_a_full_disk,
    input_goes_on_while_output_is_full,
    non_blocking,
    input_that_cannot_be_read,
)
