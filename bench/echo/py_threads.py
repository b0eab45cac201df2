"""py_threads.py - the interface that skt takes over, as its users know it: Python's socket,
a thread for each connection.

Usage: py_threads.py [PORT]; prints the port.
"""
import socket
import sys
import threading


def echo(connection):
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while data := connection.recv(1024):
            connection.sendall(data)


port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
server = socket.create_server(("127.0.0.1", port), backlog=1024)
print(server.getsockname()[1], flush=True)
while True:
    threading.Thread(target=echo, args=(server.accept()[0],), daemon=True).start()
