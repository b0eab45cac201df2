#!/usr/bin/env python3
"""skt measure asks nginx, Python's http.server, and servers that answer in every way that HTTP/1 has and some that it
has not."""
import itertools
import random
import sys
from measuring import Result, check_latencies, tcp_server
from story import Process, check, check_equal, folder, free_port, need, play, skt, wait_for_port

NGINX = """
daemon off; master_process off; pid %(folder)s/pid; error_log %(folder)s/error.log;
events { worker_connections 256; }
http {
    access_log off; client_body_temp_path %(folder)s/b; proxy_temp_path %(folder)s/p; fastcgi_temp_path %(folder)s/f;
    uwsgi_temp_path %(folder)s/u; scgi_temp_path %(folder)s/s;
    keepalive_requests 10;
    server { listen 127.0.0.1:%(port)d; root %(folder)s; }
}
"""


def nginx_keeps_connections_for_some_requests():
    need("nginx")
    place, port = folder(), free_port()
    with open(place + "/nginx.conf", "w") as f:
        f.write(NGINX % {"folder": place, "port": port})
    with open(place + "/index.html", "wb") as f:
        f.write(b"x" * 100000)
    Process("nginx", "-e", place + "/error.log", "-c", place + "/nginx.conf")
    wait_for_port(port)
    result = Result("-d", "0.5", "-n", "4", "http://127.0.0.1:%d/index.html" % port)
    check_equal("errors", result["http_errors"], 0)
    check(result["bytes_in"] > result["requests"] * 100000 * 0.9, "the bodies were not read")
    check(result["requests"] / 10 - 5 <= result["reconnects"] <= result["requests"] / 10 + 5,
          "%d connections for %d requests, 10 each" % (result["reconnects"], result["requests"]))
    check_latencies(result["latency"])
    result = Result("-d", "0.2", "http://127.0.0.1:%d/nothing" % port, status=1,
                    err=r"skt: http://127.0.0.1:\d+/nothing: \d+ answers had a status of 400 or more\n")
    check(abs(result["http_errors"] - result["requests"]) <= 1, "the errors are %d" % result["http_errors"])


def pythons_server_closes_after_each():
    port = free_port()
    Process(sys.executable, "-m", "http.server", "-b", "127.0.0.1", "-d", folder(), port)
    wait_for_port(port)
    result = Result("-d", "0.5", "-n", "2", "http://127.0.0.1:%d" % port)
    check(result["requests"] > 0, "no requests")
    check(abs(result["reconnects"] - result["requests"]) <= 2, "it closes after each: %s" % result.whole)


def server_of(*answers):
    """Sends its answers to the requests, in turn, in two pieces cut anywhere."""
    begun = itertools.count()

    def talk(conn):
        for k in itertools.count(next(begun)):
            request = b""
            while b"\r\n\r\n" not in request:
                data = conn.recv(65536)
                if not data:
                    return
                request += data
            check(request.startswith(b"GET /x HTTP/1.1\r\nHost: 127.0.0.1:"), "the request is %r" % request)
            answer = answers[k % len(answers)]
            cut = k * 7 % len(answer)
            conn.sendall(answer[:cut])
            conn.sendall(answer[cut:])
            if b"\r\nX-End: yes" in answer:
                return
    return "http://%s/x" % tcp_server(talk)


GOOD = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\ncontent-length:5\n\nhello",
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 204 Nothing\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrailer: x\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
]
ENDING = [
    b"HTTP/1.1 200 OK\r\nX-End: yes\r\n\r\nuntil the end",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\nX-End: yes\r\n\r\nok",
    b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nX-End: yes\r\n\r\nok",
]
BAD = [
    (b"hello\r\n\r\n", "the server's answer is no HTTP: it does not begin with HTTP/1.1 and a status"),
    (b"HTTP/1.1 2\r\n\r\n", "the server's answer is no HTTP: it does not begin with HTTP/1.1 and a status"),
    (b"HTTP/1.1 200 OK\r\nhello\r\n\r\n", "the server's answer is no HTTP: a header without a colon"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
     "the server's answer is no HTTP: a Content-Length that is no number"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
     "the server's answer is no HTTP: a Content-Length that is no number"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, world", "the server's answer is no HTTP: more follows than it says"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n",
     "the server's answer is no HTTP: a chunk without a length"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n",
     "the server's answer is no HTTP: a chunk that is longer than it says"),
    (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 10000 + b"\r\n\r\n",
     "the server's answer is no HTTP: a line of more than 8191 bytes"),
    (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 300 + b"\r\n", "the server's answer is no HTTP: a head of more than 200 lines"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\nX-End: yes\r\n\r\nhello",
     "the server closed a connection after 0 answers"),
]


def all_forms_of_an_answer():
    result = Result("-d", "0.5", "-n", "3", server_of(*GOOD))
    check(result["requests"] > len(GOOD) and result["reconnects"] == 0, "not all were answered: %s" % result.whole)
    for answer in ENDING:
        result = Result("-d", "0.2", server_of(answer))
        check(result["requests"] > 0 and result["reconnects"] > 0, "%r: %s" % (answer, result.whole))


def no_answers():
    for answer, sentence in BAD:
        result = Result("-d", "10", server_of(answer), status=1,
                        err=r"skt: http://127.0.0.1:\d+/x: %s \(1 of 1 connections\)\n" % sentence)
        check_equal("answers", result["requests"], 0)


def mutated(chance, answer):
    data = bytearray(answer)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        data[at:at + chance.randint(0, 3)] = chance.choice([b"", b"\r\n", b"0", b":", b"\0", bytes([chance.randrange(256)])])
    return bytes(data) + b"X"


def answers_that_went_wrong():
    """Whatever it makes of them, it ends in time and says no more than a line."""
    chance = random.Random(1)
    broken = server_of(*(mutated(chance, chance.choice(GOOD + ENDING)) for _ in range(500)))
    for _ in range(5):
        process = skt("measure", "-d", "0.2", "-t", "100ms", "-n", "60", broken)
        check(process.wait() in (0, 1) and process.err.count(b"\n") <= 1, "it ended with %s" % process.describe())


play(nginx_keeps_connections_for_some_requests, pythons_server_closes_after_each, all_forms_of_an_answer, no_answers,
     answers_that_went_wrong)
