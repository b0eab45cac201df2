"""py_gevent.py - gevent: what a switch costs, and a greenlet from spawn to its end.

Usage: py_gevent.py; prints the ns of a switch and the ns of a greenlet.
"""
import time

import gevent

SWITCHES = 200000
GREENLETS = 100000
BATCH = 100


def yields():
    for _ in range(SWITCHES // 2):
        gevent.sleep(0)


def nothing():
    pass


start = time.monotonic_ns()
gevent.joinall([gevent.spawn(yields), gevent.spawn(yields)])
switches = time.monotonic_ns() - start

start = time.monotonic_ns()
for _ in range(GREENLETS // BATCH):
    gevent.joinall([gevent.spawn(nothing) for _ in range(BATCH)])
greenlets = time.monotonic_ns() - start
print(switches / SWITCHES, greenlets / GREENLETS)
