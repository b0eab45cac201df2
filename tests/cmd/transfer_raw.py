#!/usr/bin/env python3
"""--raw: just the bytes, to and from nc, socat and Python."""
import json
import os
import signal
import socket
import struct
from story import Process, check, check_equal, folder, free_port, need, noise, play, skt, wait_for_port
from transfer_stage import Waiting, only, port_of, read, receiver, text, wait_for_size, write

DATA = noise(3 << 20)


def path_of_data():
    return write(folder() + "/a", DATA)


def to_netcat():
    need("nc.openbsd")
    port = free_port()
    peer = Process("nc.openbsd", "-l", "-N", str(port), stdin=open(os.devnull))
    wait_for_port(port)
    skt("send", "--raw", path_of_data(), "localhost", str(port)).expect(out=b"", err="")
    peer.expect(out=DATA)


def to_netcat_that_stays():
    """It has its own input open and does not close when we have: what it has taken is enough."""
    need("nc.openbsd")
    port = free_port()
    peer = Process("nc.openbsd", "-l", str(port))
    wait_for_port(port)
    skt("send", "--raw", path_of_data(), "localhost", str(port)).expect(err="")
    peer.wait_out(DATA[-100:])
    check(bytes(peer.out) == DATA, "something else came")


def from_netcat():
    need("nc.openbsd")
    there = folder()
    ours = receiver("--raw", there + "/b", address="tcp://:0")
    Process("nc.openbsd", "-N", "localhost", str(port_of(ours.address))).send(DATA).end_input()
    ours.expect()
    check_equal("what we said", text(ours), "")
    only(there, "b")
    check(read(there + "/b") == DATA, "the file is another")


def to_and_from_socat():
    need("socat")
    here = folder()
    peer = Process("socat", "-u", "UNIX-LISTEN:%s/socket" % here, "-")
    skt("send", "--raw", "--retry", "20ms", path_of_data(), "unix:%s/socket" % here).expect()
    peer.expect(out=DATA)
    ours = receiver("--raw", address="unix:%s/ours" % here) # to standard output
    Process("socat", "-u", "-", "UNIX-CONNECT:%s/ours" % here).send(DATA).end_input()
    ours.expect(out=DATA)


def a_pipe_to_python():
    with socket.create_server(("127.0.0.1", 0)) as server:
        theirs = skt("send", "--raw", "-", "tcp://127.0.0.1:%d" % server.getsockname()[1]).send(DATA).end_input()
        conn = server.accept()[0]
        conn.sendall(b"what nobody reads")
        got = b""
        while data := conn.recv(1 << 20):
            got += data
        check(got == DATA, "something else came")
        theirs.expect(err="")
        conn.close()


def skt_to_skt_the_other_way_round():
    here = folder()
    ours = Waiting("send", "--raw", "--listen", "--json", path_of_data(), "tcp://127.0.0.1:0")
    skt("receive", "--raw", "--connect", ours.address, here + "/b").expect()
    ours.expect()
    check(read(here + "/b") == DATA, "the file is another")
    check_equal("size", json.loads(ours.out)["size"], len(DATA))
    check_equal("sha256", json.loads(ours.out)["sha256"], None)


def a_connection_that_is_reset():
    """A reset is not the end of the file."""
    there = folder()
    ours = receiver("--raw", there + "/b")
    with socket.create_connection(("127.0.0.1", port_of(ours.address))) as conn:
        conn.sendall(b"hello")
        wait_for_size(there + "/b.skt-part", 5)
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    ours.expect(status=1)
    check_equal("what we said", text(ours).split(": ")[-1], "Connection reset by peer\n")
    only(there)


def a_receiver_that_leaves():
    """What has not been taken is not sent."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        theirs = skt("send", "--raw", path_of_data(), "tcp://127.0.0.1:%d" % server.getsockname()[1])
        conn = server.accept()[0]
        conn.recv(1000)
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        conn.close()
        theirs.expect(status=1, err="skt: [^\n]*(Connection reset by peer|Broken pipe)\n")


def interrupted_and_silent():
    there = folder()
    ours = receiver("--raw", there + "/b")
    with socket.create_connection(("127.0.0.1", port_of(ours.address))) as conn:
        conn.sendall(b"hello")
        wait_for_size(there + "/b.skt-part", 5)
        ours.stop(signal.SIGINT).expect(status=-signal.SIGINT)
        check_equal("what we said", text(ours), "skt: interrupted; nothing of b is kept\n")
        only(there)
    ours = receiver("--raw", "--idle", "100ms", there + "/b")
    with socket.create_connection(("127.0.0.1", port_of(ours.address))) as conn:
        conn.sendall(b"hello")
        ours.expect(status=1)
        check_equal("what we said", text(ours), "skt: nothing has come or gone for 0.1 seconds\n")
        only(there)


play(
    to_netcat,
    to_netcat_that_stays,
    from_netcat,
    to_and_from_socat,
    a_pipe_to_python,
    skt_to_skt_the_other_way_round,
    a_connection_that_is_reset,
    a_receiver_that_leaves,
    interrupted_and_silent,
)
