"""py_threads.py - Python's socket: recvfrom and sendto.

Usage: py_threads.py [PORT]; prints the port.
"""
import socket
import sys

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0))
print(server.getsockname()[1], flush=True)
while True:
    data, address = server.recvfrom(1024)
    server.sendto(data, address)
