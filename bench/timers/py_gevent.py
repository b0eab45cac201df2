"""py_gevent.py - gevent: a greenlet for each timer, which sleeps.

Usage: py_gevent.py COUNT; prints the ns of CPU time that one greenlet has cost.
"""
import sys
import time

import gevent


def sleeper(i):
    gevent.sleep(0.1 + i * 7919 % count * 0.9 / count)


count = int(sys.argv[1]) if len(sys.argv) > 1 else 100000
cpu = time.process_time_ns()
gevent.joinall([gevent.spawn(sleeper, i) for i in range(count)])
print((time.process_time_ns() - cpu) / count)
