#!/usr/bin/env python3
"""skt measure counts requests and answers over every kind of connection, against our echo, socat's and redis."""
import math
from measuring import Result, Service, check_latencies
from story import Process, check, check_equal, folder, free_port, need, play, skt, wait_for_port


def check_result(result, size=64, connections=1):
    requests = result["requests"]
    check(requests > 0, "no requests")
    check_equal("the connections", (result["connections"], result["failed_connections"]), (connections, 0))
    check_equal("the trouble", result["trouble"], None)
    check_equal("requests of all intervals", sum(i["requests"] for i in result.intervals), requests)
    check(abs(result["bytes_in"] - requests * size) <= connections * size, "bytes in: %d" % result["bytes_in"])
    check(math.isclose(result["requests_per_second"] * result["seconds"], requests, rel_tol=1e-6), "the rate is wrong")
    check_latencies(result["latency"])


def our_echo():
    server = Service("echo", "tcp://127.0.0.1:0")
    check_result(Result("-d", "0.3", server.address))
    check_result(Result("-d", "0.3", "-n", "50", "--threads", "2", server.address), connections=50)
    check_result(Result("-d", "0.3", "--size", "1", server.address), size=1)
    server.stop().expect(status=0)


def a_request_larger_than_all_buffers():
    server = Service("echo", "tcp://127.0.0.1:0")
    check_result(Result("-d", "0.5", "-n", "2", "--size", "20M", server.address), size=20 << 20, connections=2)


def unix_sockets():
    path = folder() + "/s"
    for address in ["unix:" + path, "unix-seqpacket:" + path + "2", "unix-abstract:skt-measure"]:
        server = Service("echo", address)
        check_result(Result("-d", "0.2", "-n", "4", server.address), connections=4)
        server.stop().wait()


def socats_echo():
    need("socat")
    port = free_port()
    Process("socat", "TCP-LISTEN:%d,fork" % port, "PIPE")
    wait_for_port(port)
    check_result(Result("-d", "0.3", "-n", "3", "127.0.0.1", port), connections=3)


def redis_answers_by_a_line():
    need("redis-server")
    port = free_port()
    Process("redis-server", "--port", port, "--save", "", "--bind", "127.0.0.1", "--dir", folder())
    wait_for_port(port)
    result = Result("-d", "0.3", "-n", "5", "--request", r"PING\r\n", "127.0.0.1", port)
    check_result(result, size=len("+PONG\r\n"), connections=5)
    check_equal("bytes of a request", result["bytes_out"] // 6 // result["requests"], 1)


def the_intervals_are_as_long_as_asked():
    server = Service("echo", "tcp://127.0.0.1:0")
    result = Result("-d", "500ms", "--every", "200ms", server.address)
    check_equal("the ends", [round(i["end"], 3) for i in result.intervals], [0.2, 0.4, 0.5])
    check(all(i["tcp"]["rtt"] > 0 and i["tcp"]["cwnd"] > 0 for i in result.intervals), "no TCP_INFO")


def text_for_people():
    server = Service("echo", "tcp://127.0.0.1:0")
    out = skt("measure", "-d", "300ms", "--every", "100ms", server.address).expect(err="").out.decode()
    lines = out.splitlines()
    check_equal("the head", lines[0].split(), "time requests/s in 50 % 99 % greatest rtt cwnd retransmits".split())
    check_equal("the times", [line.split()[0] for line in lines[1:4]], ["100", "200", "300"])
    for words in ["requests/s, ", "  99.99 % ", "  TCP: rtt ", "our own CPU time: "]:
        check(words in out, "there is no %r in %r" % (words, out))
    check("\033" not in out and all(line == line.rstrip() for line in lines), "colours or blanks in %r" % out)


play(our_echo, a_request_larger_than_all_buffers, unix_sockets, socats_echo, redis_answers_by_a_line,
     the_intervals_are_as_long_as_asked, text_for_people)
