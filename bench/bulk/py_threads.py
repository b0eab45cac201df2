"""py_threads.py - Python's socket: sendall, recv_into and sendfile.  The requests are those
of raw.c.

Usage: py_threads.py PORT FILE; prints the port.
"""
import os
import socket
import sys

chunk = bytearray(b"x" * 131072)


def send_bytes(connection, left):
    while left > 0:
        connection.sendall(memoryview(chunk)[:left])
        left -= len(chunk)


def send_file(connection, left):
    with open(sys.argv[2], "rb") as file:
        size = os.fstat(file.fileno()).st_size
        while left > 0:
            left -= connection.sendfile(file, count=min(left, size))


def receive_bytes(connection, left):
    while left > 0:
        left -= connection.recv_into(chunk)


server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print(server.getsockname()[1], flush=True)
while True:
    connection = server.accept()[0]
    with connection:
        request = connection.recv(16, socket.MSG_WAITALL)
        serve = {b"s": send_bytes, b"f": send_file}.get(request[:1], receive_bytes)
        serve(connection, int(request[1:]))
