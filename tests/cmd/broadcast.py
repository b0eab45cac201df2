#!/usr/bin/env python3
"""skt listen --broadcast is a room: what one says, the others hear; who does not listen holds up nobody for long."""
import socket
from story import Listener, check, check_equal, noise, play, skt, wait_until


def enter(listener, many):
    clients = [socket.create_connection(("127.0.0.1", listener.port)) for _ in range(many)]
    listener.wait_err_times(b"has come", many)
    for client in clients:
        client.settimeout(30)
    return clients


def a_room():
    listener = Listener("--broadcast", "-v", "tcp://127.0.0.1:0")
    clients = enter(listener, 5)
    for number, client in enumerate(clients):
        text = b"I am number %d\n" % number
        client.sendall(text)
        for other in clients:
            if other is not client:
                check_equal("what another heard", other.recv(len(text), socket.MSG_WAITALL), text)
        listener.wait_out(text)
    clients[0].settimeout(0.1)
    try:
        check(False, "the first heard itself: %r" % clients[0].recv(100))
    except TimeoutError:
        pass


def skt_among_them():
    listener = Listener("--broadcast", "-v", "tcp://127.0.0.1:0")
    first, second = (skt("connect", "127.0.0.1", listener.port) for _ in range(2))
    listener.wait_err_times(b"has come", 2)
    first.send(b"hello\n")
    second.wait_out(b"hello\n")
    second.send(b"good day\n")
    first.wait_out(b"good day\n")
    listener.send(b"quiet, please\n")
    for caller in (first, second):
        caller.wait_out(b"quiet, please\n")


def who_does_not_listen():
    """It is waited for as long as --idle says; the others get all that was said."""
    much = noise(1 << 24)
    listener = Listener("--broadcast", "--idle", "1s", "-v", "tcp://127.0.0.1:0")
    deaf, speaker = enter(listener, 2)
    hearer = skt("connect", "127.0.0.1", listener.port)
    listener.wait_err_times(b"has come", 3)
    speaker.sendall(much)
    wait_until(lambda: len(hearer.out) == len(much), "all is heard")
    check(bytes(hearer.out) == much, "what was heard is not what was said")
    listener.wait_err(r"127\.0\.0\.1:%d (has gone|takes nothing more)" % deaf.getsockname()[1])
    deaf.close()
    speaker.close()


def by_datagrams():
    listener = Listener("--broadcast", "udp://127.0.0.1:0")
    peers = [socket.socket(type=socket.SOCK_DGRAM) for _ in range(3)]
    for number, peer in enumerate(peers):
        peer.settimeout(30)
        peer.connect(("127.0.0.1", listener.port))
        peer.send(b"hello from %d" % number)
        listener.wait_out(b"hello from %d" % number)
        for other in peers[:number]:
            check_equal("what another heard", other.recv(100), b"hello from %d" % number)


play(a_room, skt_among_them, who_does_not_listen, by_datagrams)
