"""Sends what a file holds to an address, and leaves: `half` closes its side and reads on, `reset` resets the connection."""
import socket
import struct
import sys
import time

host, port = sys.argv[1].rsplit(":", 1)
with open(sys.argv[2], "rb") as file:
    request = file.read()
stream = socket.create_connection((host, int(port)))
stream.sendall(request)
# What was sent is on its way to the target by then.
time.sleep(0.5)
if sys.argv[3] == "half":
    stream.shutdown(socket.SHUT_WR)
    while stream.recv(4096):
        pass
else:
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
stream.close()
