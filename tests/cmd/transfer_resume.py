#!/usr/bin/env python3
"""What came over a broken connection is not sent again, and is trusted only after it was compared."""
import json
import os
import signal
import socket
from story import check, check_equal, folder, noise, play, skt
from transfer_stage import Peer, Relay, Waiting, only, port_of, read, receiver, sender_by_hand, sha256, text, \
    wait_for_size, write

DATA = noise(8 << 20)


def cut_after(size, cuts):
    """For Relay: the first `cuts` connections are cut after so many bytes."""
    passed = {}

    def change(number, data):
        passed[number] = passed.get(number, 0) + len(data)
        return None if number <= cuts and passed[number] > size else data
    change.passed = passed
    return change


def a_connection_that_breaks_several_times():
    here, there = folder(), folder()
    path = write(here + "/disk.img", DATA)
    ours = receiver("--retry", "20ms", "--json", there)
    change = cut_after(2 << 20, 3)
    relay = Relay(port_of(ours.address), change)
    theirs = skt("send", "--retry", "20ms", path, relay.address).expect()
    ours.expect()
    check_equal("connections", relay.connections, 4)
    check(read(there + "/disk.img") == DATA, "the file is another")
    only(there, "disk.img")
    said = json.loads(ours.out)
    check(4 << 20 < said["resumed_from"] < len(DATA), "it was resumed from %d" % said["resumed_from"])
    check(change.passed[4] < len(DATA) - (4 << 20), "what was there was sent again")
    for process in (ours, theirs):
        lines = text(process).splitlines()
        check(len(lines) == 3 and all(line.endswith("; trying again") for line in lines), "it said %r" % lines)


def without_retry_both_end_and_it_goes_on_by_hand():
    here, there = folder(), folder()
    path = write(here + "/a", DATA)
    ours = receiver(there)
    relay = Relay(port_of(ours.address), cut_after(2 << 20, 1))
    skt("send", path, relay.address).expect(status=1, err="skt: [^\n]*\n")
    ours.expect(status=1)
    check(text(ours).endswith(" of 8.00 MiB, which are in a.skt-part, to be resumed\n"), "it said " + text(ours))
    only(there, "a.skt-part")
    size = os.path.getsize(there + "/a.skt-part")
    ours = receiver("--json", there)
    skt("send", path, ours.address).expect()
    ours.expect()
    check_equal("resumed_from", json.loads(ours.out)["resumed_from"], size)
    check(read(there + "/a") == DATA, "the file is another")
    only(there, "a")


def a_part_of_another_file():
    """Of the same name: it is thrown away."""
    here, there = folder(), folder()
    path = write(here + "/a", DATA)
    for part in (DATA[:1 << 20] + b"x" + DATA[:1 << 20], DATA + b"more", b"y"):
        write(there + "/a.skt-part", part)
        ours = receiver("--json", "--replace", there)
        skt("send", path, ours.address).expect()
        ours.expect()
        check_equal("resumed_from", json.loads(ours.out)["resumed_from"], 0)
        check(read(there + "/a") == DATA, "the file is another")
        os.remove(there + "/a")
        only(there)


def a_part_that_is_all_of_it():
    here, there = folder(), folder()
    path = write(here + "/a", DATA)
    write(there + "/a.skt-part", DATA)
    ours = receiver(there)
    skt("send", path, ours.address).expect()
    ours.expect()
    only(there, "a")
    check(read(there + "/a") == DATA, "the file is another")


def interrupted():
    """Each side by a signal, as its parent sees; the other says that the connection broke."""
    here, there = folder(), folder()
    path = write(here + "/a", DATA)
    ours = receiver(there)
    peer = sender_by_hand(ours.address)
    peer.say("file %d 644 - a" % len(DATA)).hear("have 0 .*").say("from 0", "data 262144", DATA[:262143])
    wait_for_size(there + "/a.skt-part", 262144)
    ours.stop(signal.SIGINT).expect(status=-signal.SIGINT)
    check_equal("it said", text(ours), "skt: interrupted; what has come is in a.skt-part, to be resumed\n")
    peer.close()
    only(there, "a.skt-part")
    with socket.create_server(("127.0.0.1", 0)) as server:
        theirs = skt("send", path, "tcp://127.0.0.1:%d" % server.getsockname()[1])
        peer = Peer(server.accept()[0], "skt-receive 1").hear("skt-send 1").hear("file .*")
        theirs.stop(signal.SIGINT).expect(status=-signal.SIGINT, err="skt: interrupted\n")
        peer.close()


def interrupted_while_a_pipe_comes():
    """Nothing could go on with its part, so none stays."""
    there = folder()
    ours = receiver(there + "/a")
    peer = sender_by_hand(ours.address)
    peer.say("file - 666 - ").hear("have 0 .*").say("from 0", "data 5", b"hell")
    wait_for_size(there + "/a.skt-part", 5)
    ours.stop(signal.SIGTERM).expect(status=-signal.SIGTERM)
    check_equal("it said", text(ours), "skt: interrupted; nothing of a is kept\n")
    only(there)
    peer.close()


def a_pipe_that_breaks():
    there = folder()
    ours = receiver("--retry", "20ms", there + "/a")
    relay = Relay(port_of(ours.address), cut_after(1 << 20, 1))
    theirs = skt("send", "--retry", "20ms", "-", relay.address).send(DATA).end_input()
    theirs.expect(status=1, err=r"skt: .*; trying again\nskt: standard input cannot be read a second time.*\n")
    ours.wait_err("trying again\n")
    only(there)
    ours.stop()


def our_answer_was_lost():
    """The file has its name, and the sender does not know it yet: it asks again, and nothing is sent twice."""
    here, there = folder(), folder()
    path = write(here + "/a", b"hello")
    with socket.create_server(("127.0.0.1", 0)) as server:
        theirs = skt("send", "--retry", "20ms", path, "tcp://127.0.0.1:%d" % server.getsockname()[1])
        peer = Peer(server.accept()[0], "skt-receive 1").hear("skt-send 1").hear("file 5 .* a")
        peer.say("have 0 " + sha256(b"")).hear("from 0").hear("data 5")
        check_equal("the data", peer.file.read(5), b"hello")
        peer.hear("end " + sha256(b"hello")).close()
        peer = Peer(server.accept()[0], "skt-receive 1").hear("skt-send 1").hear("file 5 .* a")
        peer.say("have 5 " + sha256(b"hello")).hear("from 5").hear("end " + sha256(b"hello")).say("ok").hear("bye")
        peer.close()
        theirs.expect(status=0)


def several_files():
    """Those that are done are not sent again."""
    here, there = folder(), folder()
    paths = [write("%s/%d" % (here, i), DATA[i << 20:(i + 3) << 20]) for i in range(4)]
    ours = receiver("--retry", "20ms", there)
    relay = Relay(port_of(ours.address), cut_after(5 << 20, 2))
    skt("send", "--retry", "20ms", *paths, relay.address).expect()
    ours.expect()
    only(there, "0", "1", "2", "3")
    for path in paths:
        check(read(path) == read(there + path[len(here):]), path + " is another")


def the_sender_listens():
    here, there = folder(), folder()
    path = write(here + "/a", DATA)
    theirs = Waiting("send", "--listen", "--retry", "20ms", path, "tcp://127.0.0.1:0")
    peer = Peer(socket.create_connection(("127.0.0.1", port_of(theirs.address))), "skt-receive 1").hear("skt-send 1")
    peer.hear("file .*").close()
    skt("receive", "--connect", "--retry", "20ms", theirs.address, there).expect()
    theirs.expect()
    check(read(there + "/a") == DATA, "the file is another")


def two_at_once():
    """The second one is told, and the first is not disturbed."""
    here, there = folder(), folder()
    path = write(here + "/a", DATA)
    ours = receiver(there)
    peer = sender_by_hand(ours.address)
    peer.say("file 5 644 - a").hear("have 0 .*").say("from 0", "data 5", b"hell")
    wait_for_size(there + "/a.skt-part", 5)
    second = receiver(there)
    skt("send", path, second.address).expect(status=1, err=".*refuses: a.skt-part: another skt is receiving it\n")
    second.expect(status=1)
    peer.say("end " + sha256(b"hell\n")).hear("ok").say("bye")
    ours.expect()
    peer.close()
    check_equal("the first one's file", read(there + "/a"), b"hell\n")


play(
    a_connection_that_breaks_several_times,
    without_retry_both_end_and_it_goes_on_by_hand,
    a_part_of_another_file,
    a_part_that_is_all_of_it,
    interrupted,
    interrupted_while_a_pipe_comes,
    a_pipe_that_breaks,
    our_answer_was_lost,
    several_files,
    the_sender_listens,
    two_at_once,
)
