#!/usr/bin/env python3
"""Answers of all kinds, sent by hand while the kernel is told not to answer: late, double, another's, damaged, short,
to no question. Only what is an answer to a question of ours counts."""
import json
import select
import signal
import socket
import struct
import time
from story import Process, check, check_equal, need_private_network, play, skt, wait_until

HEADER = 8


def checksum(packet):
    packet += b"\0" * (len(packet) % 2)
    total = sum(struct.unpack("!%dH" % (len(packet) // 2), packet))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def reply(question, kind=0, code=0, identifier=None, sequence=None, data=None, damage=0):
    theirs, number = struct.unpack("!HH", question[4:8])
    rest = struct.pack("!HH", theirs if identifier is None else identifier, number if sequence is None else sequence)
    rest += question[HEADER:] if data is None else data
    packet = struct.pack("!BBH", kind, code, 0) + rest
    return packet[:2] + struct.pack("!H", checksum(packet) ^ damage) + packet[4:]


def ignore_all(yes):
    for family in "ipv4/icmp_echo_ignore_all", "ipv6/icmp/echo_ignore_all":
        with open("/proc/sys/net/" + family, "w") as file:
            file.write(str(int(yes)))


def answered_by(answer, *words, status=0):
    """Runs skt ping, whose questions answer() answers, and returns its events and summary."""
    need_private_network()
    ignore_all(True)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            ours = skt("ping", "--json", *words, "127.0.0.1")
            while ours.running():
                if select.select([raw], [], [], 0.01)[0]:
                    question = raw.recv(70000)[20:]
                    if question[0] == 8:
                        answer(question, lambda packet: raw.sendto(packet, ("127.0.0.1", 0)))
        ours.expect(status=status, err="")
    finally:
        ignore_all(False)
    found = [json.loads(line) for line in ours.out.splitlines()]
    return found[:-1], found[-1]


def number_of(question):
    return struct.unpack("!H", question[6:8])[0]


def doubles_are_counted():
    def answer(question, send):
        for _ in range(3):
            send(reply(question))
    found, summary = answered_by(answer, "-c", "3", "--interval", "200ms")
    check_equal("answers", [(e["sequence"], e["duplicate"]) for e in found],
                [(n, double) for n in (1, 2, 3) for double in (False, True, True)][:len(found)])
    check_equal("counts", [summary[name] for name in ("sent", "answered", "lost")], [3, 3, 0])
    check(summary["duplicates"] in (4, 5, 6), "%d duplicates" % summary["duplicates"]) # of the last it waits for one


def late_ones_are_counted():
    kept = []

    def answer(question, send):
        if number_of(question) == 1:
            kept.append(question)
        else:
            send(reply(question))
        if number_of(question) == 4:
            send(reply(kept[0]))
            send(reply(kept[0]))
    found, summary = answered_by(answer, "-c", "5", "--interval", "500ms", "--timeout", "700ms")
    first = [(e["event"], e.get("late"), e.get("duplicate")) for e in found if e["sequence"] == 1]
    check_equal("what became of the first", first,
                [("lost", None, None), ("answer", True, False), ("answer", False, True)])
    check_equal("counts", [summary[name] for name in ("sent", "answered", "late", "lost", "duplicates", "loss")],
                [5, 4, 1, 0, 1, 0])
    check(summary["times"]["max"] > 1.4, "the late one is not in the times: %r" % summary["times"])


def only_a_late_one_is_success_too():
    def answer(question, send):
        if number_of(question) == 2:
            send(reply(question, sequence=1))
    found, summary = answered_by(answer, "-c", "2", "--interval", "400ms", "--timeout", "300ms")
    check_equal("counts", [summary[name] for name in ("sent", "answered", "late", "lost")], [2, 0, 1, 1])


def what_is_no_answer():
    wrong = bytes(56)
    made = [lambda q: reply(q, identifier=struct.unpack("!H", q[4:6])[0] ^ 1),
            lambda q: reply(q, data=wrong),
            lambda q: reply(q, data=q[HEADER:HEADER + 7]),
            lambda q: reply(q, data=b""),
            lambda q: reply(q, damage=1),
            lambda q: reply(q, code=1),
            lambda q: reply(q, kind=14),
            lambda q: reply(q, sequence=number_of(q) + 1000),
            lambda q: reply(q, sequence=0),
            lambda q: reply(q)[:7],
            lambda q: bytes(2)]

    def answer(question, send):
        for make in made:
            send(make(question))
    found, summary = answered_by(answer, "-c", "3", "--interval", "10ms", "--timeout", "300ms", status=1)
    check_equal("events", [(e["event"], e["sequence"]) for e in found], [("lost", n) for n in (1, 2, 3)])
    check_equal("counts", [summary[name] for name in ("answered", "late", "lost", "duplicates", "times")], [0, 0, 3, 0, {}])


def shorter_and_longer_answers():
    def answer(question, send):
        more = question[HEADER:HEADER + 20] if number_of(question) == 1 else question[HEADER:] + bytes(1000)
        send(reply(question, data=more))
    found, _ = answered_by(answer, "-c", "2", "--interval", "10ms")
    check_equal("sizes", [e["size"] for e in found], [20, 1056])


def time_in_the_socket_does_not_count():
    """What comes while we are stopped is not slow: the kernel notes when it came."""
    def answer(question, send):
        ours = Process.all[-1].stop(signal.SIGSTOP)
        wait_until(lambda: state_of(ours) == "T", "skt is stopped")
        send(reply(question))
        time.sleep(1)
        ours.stop(signal.SIGCONT)
    found, summary = answered_by(answer, "-c", "1")
    check(summary["duration"] > 1, "it was not stopped: %r" % summary["duration"])
    check(found[0]["time"] < 0.8, "the answer took %r" % found[0]["time"])


def state_of(process):
    with open("/proc/%d/stat" % process.popen.pid) as stat:
        return stat.read().rpartition(")")[2].split()[0]


play(doubles_are_counted, late_ones_are_counted, only_a_late_one_is_success_too, what_is_no_answer,
     shorter_and_longer_answers, time_in_the_socket_does_not_count)
