#!/usr/bin/env python3
"""Signals, a terminal, an output that nobody reads, and mistakes: how skt ping is held, and how it ends."""
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
from story import Process, check, check_equal, need, need_private_network, play, skt, wait_until

RUNNING = "--interval", "10ms", "127.0.0.1"


def a_signal_ends_it_with_the_summary():
    ours = skt("ping", *RUNNING)
    ours.wait_out(b"seq 3 ")
    ours.stop(signal.SIGINT).expect(err="")
    check(re.search(rb"\n\n127\.0\.0\.1 \(127\.0\.0\.1\): \d+ sent, \d+ answered, 0 % lost, in .*\nmin .*\n$", ours.out),
          "it printed %r" % bytes(ours.out[-300:]))


def a_signal_while_it_waits_for_an_answer():
    need_private_network()
    need("nft")
    subprocess.run(["nft", "add table inet t; add chain inet t c { type filter hook input priority 0; }; "
                    "add rule inet t c tcp dport 1 drop"], check=True)
    ours = skt("ping", "-c", "1", "--timeout", "1h", "--json", "127.0.0.1:1")
    wait_until(lambda: any("signalfd" in name for name in links(ours)), "it asks")
    wait_until(lambda: any("socket:" in name for name in links(ours)), "it connects")
    ours.stop(signal.SIGINT).expect(status=1, err="")
    summary = json.loads(ours.out)
    check_equal("counts", [summary[name] for name in ("sent", "waiting", "lost", "loss")], [1, 1, 0, 0])


def links(process):
    folder = "/proc/%d/fd" % process.popen.pid
    for name in os.listdir(folder):
        try:
            yield os.readlink(os.path.join(folder, name))
        except FileNotFoundError:
            pass


def another_signal_tells_what_came_so_far():
    ours = skt("ping", "--json", *RUNNING)
    for n in 1, 2:
        wait_until(lambda: ours.out.count(b'"answer"') > 5 * n, "answers come")
        ours.stop(signal.SIGQUIT)
        wait_until(lambda: ours.out.count(b'"final": false') == n, "there is a summary")
    ours.stop(signal.SIGINT).expect(err="")
    summaries = [e for e in map(json.loads, ours.out.splitlines()) if e["event"] == "summary"]
    check_equal("which is final", [e["final"] for e in summaries], [False, False, True])
    sent = [e["sent"] for e in summaries]
    check(5 < sent[0] < sent[1] <= sent[2], "the numbers are %r" % sent)


def nobody_reads():
    reader = Process("head", "-n", "2", stdin=subprocess.PIPE)
    ours = skt("ping", *RUNNING, stdout=reader.popen.stdin)
    reader.popen.stdin.close()
    reader.expect(err="")
    ours.expect(status=1, err=r"skt: standard output: Broken pipe\n")


def see(columns, words, environment, end):
    """What skt ping shows at a terminal."""
    ours, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen([os.environ["SKT"], "ping", *words], stdin=terminal, stdout=terminal, stderr=terminal,
                               env={**os.environ, **environment}, start_new_session=True,
                               preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(terminal)
    seen = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError: # the terminal's last user has gone
            break
        if not part:
            break
        seen += part
        if end and b"seq 20 " in seen:
            os.write(ours, end)
            end = None
    os.close(ours)
    check_equal("the status", process.wait(), 0)
    return seen.decode()


UTF8 = {"LC_ALL": "C.UTF-8", "TERM": "xterm", "NO_COLOR": ""}


def a_line_that_lives():
    seen = see(70, RUNNING, UTF8, b"\x03")
    lines = re.findall(r"\r(\d+ sent, [^\r\x1b]*)\x1b\[K", seen)
    check(len(lines) >= 20, "only %d live lines" % len(lines))
    check(all(len(line) < 70 for line in lines), "a line is too long: %r" % max(lines, key=len))
    check(re.fullmatch(r"\d+ sent, 0 % lost  50 % \S+ \S+  99 % \S+ \S+  [▁-█ ]+", lines[-1]), "it shows %r" % lines[-1])
    end = seen[seen.rindex("127.0.0.1 (127.0.0.1)"):]
    check(re.search("\r\nmin .*\r\n[▁-█]{19,}\r\n$", end), "it ends with %r" % end)


def ctrl_backslash():
    seen = see(80, ("-c", "25", *RUNNING), UTF8, b"\x1c")
    check_equal("summaries", len(re.findall("127.0.0.1 .127.0.0.1.: .* answered", seen)), 2)


def colours_only_where_they_are_wanted():
    few = "-c", "20", "--interval", "1ms", "--timeout", "100ms", "127.0.0.1"
    check("\x1b" in see(80, few, UTF8, None), "there is no live line")
    check("\x1b" not in see(80, few, {**UTF8, "TERM": "dumb"}, None), "a dumb terminal got escapes")
    plain = see(80, few, {**UTF8, "NO_COLOR": "1"}, None)
    check("\x1b[K" in plain and not re.search("\x1b\\[[0-9]*m", plain), "NO_COLOR is not obeyed: %r" % plain)
    ascii_only = see(80, few, {**UTF8, "LC_ALL": "C"}, None)
    check(ascii_only.isascii() and re.search(r"\n[_.=#-]{20}\r\n$", ascii_only), "it ends with %r" % ascii_only[-200:])


def mistakes():
    for words, sentence in [
        ([], "a HOST is missing, such as example.org or tcp://example.org:80"),
        (["a", "1", "b"], "too many arguments: one ADDRESS, or a host and a port; see skt help address"),
        (["unix:/x"], "'unix:/x' is no host; write example.org, tcp://example.org:80 or udp://example.org:7"),
        (["fd:0"], "'fd:0': descriptor 0 is no socket"),
        ([":80"], "':80' names no host"),
        ([""], "'' names no host"),
        (["localhost:0"], "'localhost:0': a port above 0 is needed"),
        (["localhost:70000"], "'localhost:70000': a port is 0 to 65535, not 70000"),
        (["--tcp", "localhost"], "ping: --tcp needs a port, as in skt ping --tcp localhost 80"),
        (["--tcp", "udp://localhost:7"], "'udp://localhost:7': --tcp and udp:// exclude each other"),
        (["--size", "65508", "localhost"], "ping: --size is at most 65507"),
        (["--size", "11", "udp://localhost:7"], "ping: --size is at least 12 with UDP"),
        (["--size", "64", "localhost:80"], "ping: --size is of ICMP and UDP; a connection of TCP has none"),
        (["--timeout", "0", "localhost"], "ping: with --timeout 0 nothing could be answered"),
        (["-c", "0", "localhost"], "--count: '0' is no number from 1 to 1000000000"),
        (["--intervall", "1", "localhost"], "ping has no option '--intervall'; did you mean '--interval'?"),
        (["x" * 300], "the host '%.40s...' is too long" % ("x" * 300)),
    ]:
        skt("ping", *words).expect(status=2, out=b"", err=re.escape("skt: %s\n" % sentence))
    skt("ping", "nosuch.invalid").expect(status=1, out=b"", err="skt: getaddrinfo nosuch.invalid: .*\n")
    skt("ping", "203.0.113.1").expect(status=1, out=b"", err="skt: connect 203.0.113.1:0: Network is unreachable\n")
    skt("ping", "-6", "127.0.0.1").expect(status=1, out=b"", err="skt: getaddrinfo 127.0.0.1: .*\n")


play(a_signal_ends_it_with_the_summary, a_signal_while_it_waits_for_an_answer, another_signal_tells_what_came_so_far,
     nobody_reads, a_line_that_lives, ctrl_backslash, colours_only_where_they_are_wanted, mistakes)
