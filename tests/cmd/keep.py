#!/usr/bin/env python3
"""skt listen --keep goes on after a client and serves several at once: what each sends is printed, what we say goes to all."""
import os
import signal
import socket
import sys
import threading
from story import Listener, Process, check, check_equal, folder, need, play, skt, wait_until

here = folder()


def one_after_the_other():
    """Real peers of every kind; each has all of its text printed."""
    listener = Listener("--keep", "tcp://127.0.0.1:0")
    clients = [["nc", "-N", "127.0.0.1", listener.port], ["ncat", "--send-only", "127.0.0.1", listener.port],
               ["socat", "-u", "-", "TCP:127.0.0.1:%d" % listener.port],
               [os.environ["SKT"], "connect", "-e", "input", "127.0.0.1", listener.port],
               [sys.executable, "-c", "import socket; socket.create_connection(('127.0.0.1', %d)).sendall(b'x')" %
                listener.port]]
    for number, command in enumerate(clients):
        need(command[0])
        text = b"client %d\n" % number if number < 4 else b"x"
        Process(*command).send(text).end_input().expect()
        listener.wait_out(text)
    listener.stop().expect(status=-signal.SIGTERM)


def several_at_once():
    listener = Listener("--keep", "-v", "tcp://127.0.0.1:0")
    clients = [socket.create_connection(("127.0.0.1", listener.port)) for _ in range(50)]
    listener.wait_err_times(b"has come", 50)
    listener.send(b"to all of you\n")
    for client in clients:
        check_equal("what a client got", client.recv(14, socket.MSG_WAITALL), b"to all of you\n")
    for number, client in enumerate(reversed(clients)):
        client.sendall(b"%d\n" % number)
        listener.wait_out(b"%d\n" % number)
        client.close()
    listener.wait_err_times(b"has gone", 50)
    check(listener.running(), "it did not go on")


def the_end_of_our_input():
    """It is passed on, to those who are there and to those who come later; they may still talk."""
    listener = Listener("--keep", "tcp://127.0.0.1:0")
    first = socket.create_connection(("127.0.0.1", listener.port))
    listener.send(b"good bye").end_input()
    check_equal("what the first got", first.recv(100, socket.MSG_WAITALL), b"good bye")
    first.sendall(b"one")
    listener.wait_out(b"one")
    with socket.create_connection(("127.0.0.1", listener.port)) as second:
        check_equal("what the second got", second.recv(100), b"")
        second.sendall(b"two")
        listener.wait_out(b"two")
    first.close()


def ended_by_our_input():
    """--end input: all is sent before it ends, to the slowest too."""
    much = b"x" * (1 << 23)
    listener = Listener("--keep", "--end", "input", "tcp://127.0.0.1:0")
    clients = [socket.create_connection(("127.0.0.1", listener.port)) for _ in range(3)]
    for client in clients:
        client.sendall(b".")
    listener.wait_out(b"...")
    listener.send(much)
    came = []
    readers = [threading.Thread(target=lambda c=c: came.append(c.recv(len(much), socket.MSG_WAITALL))) for c in clients]
    for reader in readers:
        reader.start()
    listener.end_input().expect(out=b"...")
    for reader in readers:
        reader.join()
    check(came == [much] * 3, "not all came")


def silent_clients():
    """--idle is for each of them."""
    listener = Listener("--keep", "--idle", "200ms", "-v", "tcp://127.0.0.1:0")
    with socket.create_connection(("127.0.0.1", listener.port)) as client:
        check_equal("what it got", client.recv(100), b"")
    listener.wait_err("has gone")
    check(listener.running(), "it did not go on")


def nobody_comes():
    Listener("--keep", "--timeout", "50ms", "tcp://127.0.0.1:0").expect(status=1, err=r".*\nskt: accept: timed out\n")


def datagrams():
    """Each sender is a peer; an answer goes to all of them, from the address that each wrote to."""
    listener = Listener("--keep", "udp://:0")
    hosts = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
    peers = [socket.socket(type=socket.SOCK_DGRAM) for _ in hosts]
    for host, peer in zip(hosts, peers):
        peer.settimeout(30)
        peer.sendto(host.encode(), (host, listener.port))
        listener.wait_out(host.encode())
    listener.send(b"an answer")
    for host, peer in zip(hosts, peers):
        check_equal("the answer", peer.recvfrom(100), (b"an answer", (host, listener.port)))
        peer.close()


def whole_messages():
    path = here + "/messages"
    listener = Listener("--keep", "unix-seqpacket:" + path)
    clients = [socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(2)]
    for client in clients:
        client.connect(path)
        client.send(b"m" * 100000)
    wait_until(lambda: len(listener.out) == 200000, "both messages are printed")
    listener.send(b"one")
    for client in clients:
        check_equal("the message", client.recv(100), b"one")
        client.close()
    listener.stop().expect(status=-signal.SIGTERM)
    check(not os.path.exists(path), "the socket's file was left behind")


def a_reset_is_no_end():
    """A client that breaks off takes nobody with it."""
    listener = Listener("--keep", "-v", "tcp://127.0.0.1:0")
    with socket.create_connection(("127.0.0.1", listener.port)) as client:
        client.sendall(b"half a w")
        listener.wait_out(b"half a w")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    listener.wait_err("has gone")
    skt("connect", "-e", "input", listener.address).send(b"hello").end_input().expect()
    listener.wait_out(b"hello")


play(one_after_the_other, several_at_once, the_end_of_our_input, ended_by_our_input, silent_clients, nobody_comes,
     datagrams, whole_messages, a_reset_is_no_end)
