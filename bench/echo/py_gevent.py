"""py_gevent.py - Python's straight-line answer: greenlets over libev, the idea that skt
brings to C.

Usage: py_gevent.py [PORT]; prints the port.
"""
import socket
import sys

from gevent.server import StreamServer


def echo(connection, _address):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while data := connection.recv(1024):
        connection.sendall(data)


port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
server = StreamServer(("127.0.0.1", port), echo, backlog=1024)
server.start()
print(server.server_port, flush=True)
server.serve_forever()
