"""py_uvloop.py - asyncio on libuv: a datagram protocol.

Usage: py_uvloop.py [PORT]; prints the port.
"""
import asyncio
import sys

import uvloop


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.transport.sendto(data, address)


async def main():
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Echo, local_addr=("127.0.0.1", port))
    print(transport.get_extra_info("sockname")[1], flush=True)
    await asyncio.Event().wait()


uvloop.install()
asyncio.run(main())
