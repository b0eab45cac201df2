"""py_gevent.py - gevent's socket: recvfrom and sendto in a greenlet.

Usage: py_gevent.py [PORT]; prints the port.
"""
import sys

from gevent import socket

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0))
print(server.getsockname()[1], flush=True)
while True:
    data, address = server.recvfrom(1024)
    server.sendto(data, address)
