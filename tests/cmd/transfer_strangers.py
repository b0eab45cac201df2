#!/usr/bin/env python3
"""Peers that are something else, say too much, too little or nothing, or want to write where they must not."""
import os
import re
import socket
import time
from story import Process, check, check_equal, folder, free_port, need, noise, play, skt, wait_for_port
from transfer_stage import Peer, Relay, only, port_of, read, receiver, sender_by_hand, sha256, text, wait_for_size, write

DATA = noise(2 << 20)
EMPTY = sha256(b"")


def one_line(process, pattern):
    process.expect(status=1)
    check(re.fullmatch("skt: [^\n]*%s\n" % pattern, text(process)), "it said %r, not %r" % (text(process), pattern))


def called(data):
    """What a receiver does with a peer that only says this."""
    there = folder()
    ours = receiver(there)
    with socket.create_connection(("127.0.0.1", port_of(ours.address))) as conn:
        conn.sendall(data)
        conn.shutdown(socket.SHUT_WR)
        ours.wait()
    only(there)
    return ours


def something_else():
    for data, shown in ((b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", r"GET / HTTP/1.1\?"), (b"\x16\x03\x01\x02\x00\x01", r"\?\?\?\?"),
                        (b"x" * 100000, "x{60}"), (b"\x1b[31m\n", r"\?\[31m"), (b"\n", ""), (noise(100), ".*")):
        one_line(called(data), "the peer does not speak as skt send and receive do, but says '%s'" % shown)
    one_line(called(b""), "the peer has closed the connection")
    one_line(called(b"skt-send 1"), "the peer has closed the connection")
    one_line(called(b"skt-send 1\n"), "the peer has closed the connection")
    one_line(called(b"skt-send 2\n"), "the peer speaks version '2' of the protocol, and we 1")
    one_line(called(b"skt-receive 1\n"), "the peer is another skt receive; one side has to send, one to receive")


def two_senders():
    here = folder()
    path = write(here + "/a", DATA)
    ours = Process(os.environ["SKT"], "send", "--listen", path, "unix:%s/socket" % here)
    ours.wait_err("listening")
    one_line(skt("send", path, "unix:%s/socket" % here), "the peer is another skt send; .*")
    one_line(ours, "the peer is another skt send; .*")


def a_stranger_does_not_end_the_wait():
    """With --retry the listener waits on for the sender."""
    here, there = folder(), folder()
    path = write(here + "/a", DATA)
    ours = receiver("--retry", "20ms", there)
    with socket.create_connection(("127.0.0.1", port_of(ours.address))) as conn:
        conn.sendall(b"SSH-2.0-x\r\n")
        ours.wait_err("trying again")
    skt("send", path, ours.address).expect()
    ours.expect()
    check(read(there + "/a") == DATA, "the file is another")


def names_that_lead_elsewhere():
    for name in ("../x", "/tmp/x", "a/b", "/", "..", ".", "", ".bashrc", "a\tb", "a\x1b[2J", "a\x7f", "a\u0085", "n" * 256,
                 "a.skt-part"):
        ours = called(b"skt-send 1\nfile 5 644 - " + name.encode() + b"\nfrom 0\ndata 5\nhello\nend " +
                      sha256(b"hello").encode() + b"\nbye\n")
        one_line(ours, ".*(name|is for what is not whole|does not speak|or with a name).*")


def a_part_that_leads_elsewhere():
    """Somebody has put a link, or another thing, in the part's place."""
    here, there = folder(), folder()
    path = write(here + "/a", DATA)
    precious = write(here + "/precious", b"precious")
    for make in (lambda part: os.symlink(precious, part), lambda part: os.symlink(here + "/new", part), lambda part: os.link(precious, part),
                 os.mkdir, os.mkfifo):
        make(there + "/a.skt-part")
        ours = receiver(there)
        skt("send", path, ours.address).expect(status=1)
        one_line(ours, "a.skt-part: .*")
        only(there, "a.skt-part")
        check_equal("the precious file", read(precious), b"precious")
        only(here, "a", "precious")
        os.rmdir(there + "/a.skt-part") if os.path.isdir(there + "/a.skt-part") else os.remove(there + "/a.skt-part")


def announcements_that_cannot_be():
    for line in ("", "5", "5 644", "5 644 -", "-1 644 - a", "+5 644 - a", " 5 644 - a", "5x 644 - a", "0x5 644 - a",
                 "9223372036854775808 644 - a", "99999999999999999999999999 644 - a", "5 7777 - a", "5 9 - a", "5 888 - a",
                 "5 644 1 a", "5 644 1.5 a", "5 644 1.1234567890 a", "5 644 99999999999999999999.000000000 a", "5 644 x a"):
        one_line(called(b"skt-send 1\nfile %s\n" % line.encode()), "the sender announces a file in a way, .*")
    one_line(called(b"skt-send 1\nfile 9223372036854775807 644 - a\n"), "8.00 EiB are to come, and .*")


def what_follows(*lines, size="5"):
    """Behind a good announcement."""
    there = folder()
    ours = receiver(there)
    peer = sender_by_hand(ours.address).say("file %s 644 - a" % size).hear("have 0 " + EMPTY).say(*lines)
    peer.conn.shutdown(socket.SHUT_WR)
    ours.wait()
    said = peer.file.readline()
    check(said.startswith(b"refuse "), "the sender was told %r" % said)
    peer.close()
    only(there)
    return ours


def data_that_does_not_keep_to_the_announcement():
    more, early = "the sender sends more than it has announced", "the sender has ended too early"
    one_line(what_follows("from 0", "data 6"), more)
    one_line(what_follows("from 0", "data 0"), more)
    one_line(what_follows("from 0", "data -1"), more)
    one_line(what_follows("from 0", "data 99999999999999999999"), more)
    one_line(what_follows("from 0", "data 262145", size="-"), more)
    one_line(what_follows("from 0", "end " + EMPTY), early)
    one_line(what_follows("from 0", b"data 4\nhellend " + EMPTY.encode()), early)
    one_line(what_follows("from 0", b"data 5\nhelloend " + EMPTY.encode()), r"a: what came is not what was sent \(wrong SHA-256\)")
    one_line(what_follows("from 0", b"data 5\nhellodata 1"), more)
    for lines in (["from 1"], ["from -1"], ["from"], ["from 0", "from 0"], ["data 5"], ["from 0", "end"], ["from 0", "bye"],
                  ["from 0", "end " + "X" * 64], ["from 0", "end " + EMPTY + "0"], ["from 0", "frobnicate"]):
        one_line(what_follows(*lines), "the sender does not keep to the protocol, but says '.*'")
    one_line(called(b"skt-send 1\nbye\n"), "the sender does not keep to the protocol, but says 'bye'")


def a_second_file_where_one_is_expected():
    here = folder()
    paths = [write(here + "/" + name, DATA) for name in "ab"]
    ours = receiver(here + "/c")
    one_line(skt("send", *paths, ours.address), "refuses: one file is expected here, and the sender sends another")
    one_line(ours, "one file is expected here, and the sender sends another")
    only(here, "a", "b", "c")


def a_sender_and_its_strangers():
    """What a receiver may say wrongly."""
    path = write(folder() + "/a", DATA)
    for answers, pattern in (
            (["have 5"], "does not keep to the protocol.*"), (["have 5 xyz"], "does not keep to the protocol.*"),
            (["have -5 " + EMPTY], "does not keep to the protocol.*"), (["ok"], "does not keep to the protocol.*"),
            (["refuse \xc2\x9b31m no"], r"the receiver refuses: \?\?31m no"), (["x" * 600], "the peer does not speak.*"),
            (["have 0 " + EMPTY, "ok"], "does not keep to the protocol.*")):
        with socket.create_server(("127.0.0.1", 0)) as server:
            theirs = skt("send", path, "tcp://127.0.0.1:%d" % server.getsockname()[1])
            peer = Peer(server.accept()[0], "skt-receive 1").hear("skt-send 1").hear("file .*")
            peer.say(*(answer.encode("latin-1") for answer in answers))
            one_line(theirs, pattern)
            peer.close()


def parts_that_a_receiver_makes_up():
    """They are compared: all is sent."""
    path = write(folder() + "/a", b"hello")
    for have in ("have 5 " + EMPTY, "have 6 " + EMPTY, "have 9223372036854775807 " + EMPTY):
        with socket.create_server(("127.0.0.1", 0)) as server:
            theirs = skt("send", path, "tcp://127.0.0.1:%d" % server.getsockname()[1])
            peer = Peer(server.accept()[0], "skt-receive 1").hear("skt-send 1").hear("file .*").say(have)
            peer.hear("from 0").hear("data 5").hear("helloend .*").say("ok").hear("bye")
            theirs.expect()
            peer.close()


def a_relay_that_corrupts():
    here, there = folder(), folder()
    path = write(here + "/a", DATA)
    ours = receiver(there)
    passed = bytearray()

    def change(number, data):
        begin, data = len(passed), bytearray(data)
        passed.extend(data)
        if begin <= 1000000 < begin + len(data):
            data[1000000 - begin] ^= 1
        return data
    relay = Relay(port_of(ours.address), change)
    wrong = r"a: what came is not what was sent \(wrong SHA-256\)"
    one_line(skt("send", path, relay.address), "the receiver refuses: " + wrong)
    one_line(ours, wrong)
    only(there)


def a_refusal_is_heard():
    """Whatever is on its way meanwhile: the receiver reads on for a while, and the sender looks for a reason when it
    cannot send."""
    there = folder()
    ours = receiver(there)
    peer = sender_by_hand(ours.address).say("frobnicate").hear("refuse .*")
    peer.conn.sendall(bytes(8 << 20)) # would be answered with a reset, sooner or later
    peer.close()
    one_line(ours, "but says 'frobnicate'")
    path = write(folder() + "/a", DATA)
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        server.bind(("127.0.0.1", 0))
        server.listen()
        theirs = skt("send", "--send-buffer", "16k", path, "tcp://127.0.0.1:%d" % server.getsockname()[1])
        peer = Peer(server.accept()[0], "skt-receive 1").hear("skt-send 1").hear("file .*").say("have 0 " + EMPTY)
        peer.hear("from 0").hear("data 262144").say("refuse no room").close() # with data unread: a reset
        one_line(theirs, "the receiver refuses: no room")


def silence():
    """Before the greeting it is --timeout that counts, later --idle."""
    here, there = folder(), folder()
    path = write(here + "/a", DATA)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = "tcp://127.0.0.1:%d" % server.getsockname()[1]
        one_line(skt("send", "-t", "100ms", path, address), "nothing has come or gone for 0.1 seconds")
        theirs = skt("send", "-i", "100ms", path, address)
        server.accept()[0].close()
        conn = server.accept()[0]
        peer = Peer(conn, "skt-receive 1").hear("skt-send 1").hear("file .*").say("have 0 " + EMPTY)
        one_line(theirs, "nothing has come or gone for 0.1 seconds") # it cannot send on, or has and hears no answer
        peer.close()
    ours = receiver("-i", "100ms", there)
    peer = sender_by_hand(ours.address).say("file 5 644 - a").hear("have .*").say("from 0", "data 5", b"hell")
    one_line(ours, "nothing has come or gone for 0.1 seconds after 5 B of 5 B, which are in a.skt-part, to be resumed")
    peer.close()


def work_is_not_silence():
    """A sender whose pipe is quiet says that it is there."""
    there = folder()
    ours = receiver("-i", "3s", there + "/a")
    theirs = skt("send", "-", ours.address).send(b"one")
    wait_for_size(there + "/a.skt-part", 3)
    time.sleep(4) # this is the scene: it takes longer than the silence that is allowed
    theirs.send(b"two").end_input().expect()
    ours.expect()
    check_equal("the file", read(there + "/a"), b"onetwo")


def real_strangers():
    need("socat", "nc.openbsd")
    path = write(folder() + "/a", DATA)
    port = free_port()
    nc = Process("nc.openbsd", "-l", "127.0.0.1", str(port))
    nc.send(b"hello\n")
    wait_for_port(port)
    one_line(skt("send", path, "tcp://127.0.0.1:%d" % port), ".*but says 'hello'")
    nc.end_input().wait()
    ours = receiver("-")
    Process("socat", "-u", "-", "TCP:127.0.0.1:%d" % port_of(ours.address)).send(b"hello\n").end_input().wait()
    one_line(ours, "but says 'hello'")


play(
    something_else,
    two_senders,
    a_stranger_does_not_end_the_wait,
    names_that_lead_elsewhere,
    a_part_that_leads_elsewhere,
    announcements_that_cannot_be,
    data_that_does_not_keep_to_the_announcement,
    a_second_file_where_one_is_expected,
    a_sender_and_its_strangers,
    parts_that_a_receiver_makes_up,
    a_relay_that_corrupts,
    a_refusal_is_heard,
    silence,
    work_is_not_silence,
    real_strangers,
)
