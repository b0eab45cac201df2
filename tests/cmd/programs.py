#!/usr/bin/env python3
"""--exec and --shell: a program has the connection as its standard input and output."""
import os
import re
import signal
import socket
from story import Listener, Process, check, check_equal, folder, need, play, skt, wait_until

here = folder()


def ask(listener, text):
    """What the program answers to a whole input."""
    caller = skt("connect", listener if isinstance(listener, str) else listener.address).send(text).end_input()
    caller.expect(err="")
    return bytes(caller.out)


def one_client():
    check_equal("the answer", ask(Listener("tcp://127.0.0.1:0", "--exec", "tr", "a-z", "A-Z"), b"hello"), b"HELLO")
    check_equal("the answer", ask(Listener("tcp://127.0.0.1:0", "--shell", "read x; echo got $x"), b"it\n"), b"got it\n")


def the_program_s_status():
    """We have become the program."""
    listener = Listener("tcp://127.0.0.1:0", "--shell", "exit 7")
    ask(listener, b"")
    listener.expect(status=7)


def who_is_talking_to_whom():
    listener = Listener("tcp://127.0.0.1:0", "--keep", "--shell", "echo $SKT_PEER $SKT_LOCAL")
    with socket.create_connection(("127.0.0.1", listener.port)) as client:
        expected = "127.0.0.1:%d 127.0.0.1:%d\n" % (client.getsockname()[1], listener.port)
        check_equal("what the program knows", client.recv(100, socket.MSG_WAITALL).decode(), expected)


def several_at_once():
    listener = Listener("--keep", "tcp://127.0.0.1:0", "--exec", "cat")
    clients = [socket.create_connection(("127.0.0.1", listener.port)) for _ in range(20)]
    for number, client in reversed(list(enumerate(clients))):
        client.sendall(b"%02d" % number)
        check_equal("the answer", client.recv(2, socket.MSG_WAITALL), b"%02d" % number)
        client.close()
    for command in (["nc", "-N", "127.0.0.1", listener.port], ["ncat", "127.0.0.1", listener.port],
                    ["socat", "-t30", "-", "TCP:127.0.0.1:%d" % listener.port]):
        need(command[0])
        Process(*command).send(b"hello").end_input().expect(out=b"hello")

    def children():
        with open("/proc/%d/task/%d/children" % (listener.popen.pid, listener.popen.pid)) as file:
            return file.read()
    wait_until(lambda: children() == "", "no program and no zombie is left")


def over_unix_sockets():
    listener = Listener("--keep", "unix:%s/x" % here, "--exec", "cat")
    for _ in range(2):
        check_equal("the answer", ask(listener, b"hello"), b"hello")
    listener.stop().expect(status=-signal.SIGTERM)
    check(not os.path.exists(here + "/x"), "the socket's file was left behind")


def a_caller_has_a_program():
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = skt("connect", "127.0.0.1", server.getsockname()[1], "--exec", "cat")
        conn, _ = server.accept()
        with conn:
            conn.sendall(b"hello")
            check_equal("the answer", conn.recv(5, socket.MSG_WAITALL), b"hello")
            conn.shutdown(socket.SHUT_WR)
            ours.expect(out=b"", err="")


def datagrams():
    """A program for each sender."""
    listener = Listener("--keep", "udp://127.0.0.1:0", "--shell", 'echo "$SKT_PEER $SKT_LOCAL"; exec cat')
    peers = [socket.socket(type=socket.SOCK_DGRAM) for _ in range(3)]
    for peer in peers:
        peer.settimeout(30)
        peer.connect(("127.0.0.1", listener.port))
        peer.send(b"hello")
        answers = {peer.recv(100), peer.recv(100)}
        check_equal("the answers", answers, {b"127.0.0.1:%d 127.0.0.1:%d\n" % (peer.getsockname()[1], listener.port),
                                                b"hello"})
    one = Listener("udp://127.0.0.1:0", "--exec", "cat")
    peer = socket.socket(type=socket.SOCK_DGRAM)
    peer.settimeout(30)
    peer.sendto(b"hello", ("127.0.0.1", one.port))
    check_equal("the answer", peer.recv(100), b"hello")


def sigpipe_is_as_it_was():
    """yes(1) ends by it when its reader has gone."""
    listener = Listener("tcp://127.0.0.1:0", "--exec", "yes")
    with socket.create_connection(("127.0.0.1", listener.port)) as client:
        client.recv(1000)
    listener.wait()
    check(listener.popen.returncode == -signal.SIGPIPE or re.search("yes: .*", listener.err.decode()),
          "yes ended with %d" % listener.popen.returncode)


def no_such_program():
    listener = Listener("tcp://127.0.0.1:0", "--exec", "no-such-program", "-x")
    ask(listener, b"")
    listener.expect(status=1, err=r".*\nskt: no-such-program cannot be run: No such file or directory\n")


play(one_client, the_program_s_status, who_is_talking_to_whom, several_at_once, over_unix_sockets, a_caller_has_a_program,
     datagrams, sigpipe_is_as_it_was, no_such_program)
