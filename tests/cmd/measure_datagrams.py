#!/usr/bin/env python3
"""Datagrams that are lost, come twice or overtake each other are counted, one by one; in bulk skt discard tells what
has come."""
from measuring import Result, Service, check_latencies, udp_server
from story import check, check_equal, folder, free_port, play


def nothing_is_lost():
    for address in ["udp://127.0.0.1:0", "unix-dgram:" + folder() + "/s"]:
        server = Service("echo", address)
        for words in [["-d", "0.3"], ["-d", "1", "--pace", "100", "-n", "4"], ["-d", "0.2", "--size", "1200"]]:
            result = Result(*words, server.address)
            told = result["datagrams"]
            check_equal("what was sent", told["sent"], told["received"])
            check_equal("lost, reordered, twice", (told["lost"], told["reordered"], told["duplicates"]), (0, 0, 0))
            check(told["sent"] + result["unsent"] == 100 or "--pace" not in words, "sent: %s" % result.whole)
            check_latencies(result["latency"])


def network(lose=(), twice=(), hold=()):
    """Echoes, but for the numbers among each ten that it loses, sends twice, or sends after the next one."""
    held = []

    def answers(data):
        number = int.from_bytes(data[16:24], "big") % 10
        if number in hold:
            held.append(data)
            return
        if number not in lose:
            yield data
        if number in twice:
            yield data
        while held:
            yield held.pop()
    return udp_server(answers)


def check_network(lose=(), twice=(), hold=()):
    told = Result("-d", "0.5", "-t", "1", "--pace", "200", network(lose, twice, hold))["datagrams"]
    sent = told["sent"]
    check(sent > 10, "sent: %s" % told)
    lost = sum(n % 10 in lose or (n % 10 in hold and n == sent - 1) for n in range(sent))
    late = sum(n % 10 in hold for n in range(sent - 1))
    check_equal("lost, reordered, twice of %d" % sent, (told["lost"], told["reordered"], told["duplicates"]),
                (lost, late, sum(n % 10 in twice for n in range(sent))))


def what_the_network_does():
    check_network(lose=[3])
    check_network(twice=[2, 5])
    check_network(hold=[4])
    check_network(lose=[1], hold=[4], twice=[7])


def a_closed_loop_goes_on_after_a_loss():
    told = Result("-d", "2", "-t", "250ms", network(lose=[3]))["datagrams"]
    check(told["sent"] > 20, "it stopped: %s" % told)
    check(0 <= told["lost"] - told["sent"] // 10 <= 1, "lost: %s" % told)


def bulk_up_is_reported():
    server = Service("discard", "udp://127.0.0.1:0")
    result = Result("-d", "0.3", "-n", "2", "--bulk", "up", server.address)
    told = result["datagrams"]
    check(told["sent"] > 100 and told["received"] > 0, "datagrams: %s" % told)
    check_equal("sent", told["sent"], told["received"] + told["lost"])
    slow = Result("-d", "0.5", "--bulk", "up", "--pace", "400", "--size", "500", server.address)
    told = slow["datagrams"]
    check(0 < told["sent"] <= 200, "sent: %s" % told)
    check_equal("without haste", [told[name] for name in ("received", "lost", "reordered")], [told["sent"], 0, 0])
    check_equal("bytes that have arrived", round(told["delivered_per_second"] * slow["seconds"]), 500 * told["sent"])


def bulk_up_to_one_who_does_not_report():
    told = Result("-d", "0.2", "--bulk", "up", "--pace", "1000", udp_server(lambda data: ()))["datagrams"]
    check(told["sent"] > 0 and "received" not in told, "it cannot know: %s" % told)


def bulk_both():
    told = Result("-d", "0.3", "--bulk", "both", Service("echo", "udp://127.0.0.1:0").address)["datagrams"]
    check(told["received"] > 0, "nothing came back: %s" % told)


def nobody_is_there():
    port = free_port()
    Result("-d", "5", "udp://127.0.0.1:%d" % port, status=1,
           err=r"skt: (send|recv) 127.0.0.1:%d: Connection refused \(1 of 1 connections\)\n" % port)


def nobody_answers():
    server = Service("discard", "udp://127.0.0.1:0")
    Result("-d", "0.1", "-t", "50ms", server.address, status=1,
           err="skt: %s: no datagram has come back\n" % server.address)


def garbage():
    for answers in [lambda data: [b"garbage"], lambda data: [b""], lambda data: [data + b"x"], lambda data: [data[:-1]],
                    lambda data: [b"x" + data[1:]], lambda data: [data[:32] + b"x" * (len(data) - 32)]]:
        Result("-d", "5", udp_server(answers), status=1,
               err=r"skt: udp://127.0.0.1:\d+: the server's answer is not what was sent; is it no echo server\? "
                   r"\(1 of 1 connections\)\n")


def garbage_that_looks_like_a_report():
    def answers(data):
        if data[7] == 2:
            yield data[:7] + b"\x03" + data[8:16] + b"\0" * 16 + b"\xff" * 16 + b"\0" * 48
    told = Result("-d", "0.1", "--bulk", "up", "--pace", "1000", udp_server(answers))["datagrams"]
    check_equal("what cannot be is not believed", told["lost"], 0)


play(nothing_is_lost, what_the_network_does, a_closed_loop_goes_on_after_a_loss, bulk_up_is_reported,
     bulk_up_to_one_who_does_not_report, bulk_both, nobody_is_there, nobody_answers, garbage,
     garbage_that_looks_like_a_report)
