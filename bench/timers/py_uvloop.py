"""py_uvloop.py - asyncio on libuv: a task for each timer, which sleeps.

Usage: py_uvloop.py COUNT; prints the ns of CPU time that one task has cost.
"""
import asyncio
import sys
import time

import uvloop


async def main():
    await asyncio.gather(*(asyncio.sleep(0.1 + i * 7919 % count * 0.9 / count) for i in range(count)))


count = int(sys.argv[1]) if len(sys.argv) > 1 else 100000
uvloop.install()
cpu = time.process_time_ns()
asyncio.run(main())
print((time.process_time_ns() - cpu) / count)
