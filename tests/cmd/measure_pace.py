#!/usr/bin/env python3
"""With a pace the requests have their times: a server that stops for a moment does not get fewer of them, and their
latency counts from when they were due."""
import time
from measuring import Result, Service, tcp_server
from story import check, check_equal, play


def all_requests(result):
    return sum(result[name] for name in ("requests", "answered_late", "unsent", "unanswered"))


def the_pace_is_kept():
    server = Service("echo", "tcp://127.0.0.1:0")
    result = Result("-d", "1", "-n", "7", "--pace", "490", server.address)
    check_equal("all that were due", all_requests(result), 490)


def echo_but_stop_once(conn):
    for k in range(1000000):
        data = conn.recv(65536)
        if not data:
            return
        if k == 20:
            time.sleep(1)
        conn.sendall(data)


def a_server_that_stops():
    paced = Result("-d", "2", "--pace", "100", tcp_server(echo_but_stop_once))
    check_equal("all that were due", all_requests(paced), 200)
    due, sent = paced["latency"], paced["latency_when_sent"]
    # Half of all were due while it stopped, or when it had just begun to catch up: they have waited.
    check(due["max"] >= 0.9 and sent["max"] >= 0.9, "the stop was not seen: %s, %s" % (due, sent))
    check(due["p90"] > 0.5, "those that were due meanwhile have not waited: %s" % due)
    check(sent["p90"] < due["p90"], "from when they were sent: %s" % sent)
    closed = Result("-d", "2", tcp_server(echo_but_stop_once))
    check(closed["latency"]["p90"] < 0.5 and closed["latency"]["max"] >= 0.9, "the closed loop: %s" % closed["latency"])
    check("latency_when_sent" not in closed.whole, "without a pace there is but one latency")


def never_answered(conn):
    while conn.recv(65536):
        pass


def a_server_that_does_not_come_back():
    result = Result("-d", "0.5", "-t", "100ms", "--pace", "100", tcp_server(never_answered), status=1,
                    err=r"skt: 127.0.0.1:\d+: 1 requests were not answered\n")
    check_equal("answers", result["requests"], 0)
    check_equal("the first, and those behind it", (result["unanswered"], result["unsent"]), (1, 49))
    check(result["latency"]["max"] >= 0.5, "the first has waited all the time: %s" % result["latency"])


play(the_pace_is_kept, a_server_that_stops, a_server_that_does_not_come_back)
