# SPDX-License-Identifier: BSD-2-Clause
"""
A TCP peer that plays steps: send these bytes, wait for an answer, and go away in a given manner.

Serves as broken client and as broken backend alike. Must not know: TLS, who the other side is.
"""
import socket
import struct

from lab import nginx, sockets

QUIET_SECONDS = 0.08 # nothing new for so long: the other side has said what it had to say
LIMIT_SECONDS = 30   # no lab peer waits longer


def read_flight(sock):
    """Reads until the peer pauses or ends. Returns the bytes."""
    data = b""
    sock.settimeout(LIMIT_SECONDS)
    try:
        while True:
            chunk = sock.recv(65536)
            data += chunk
            if not chunk:
                return data
            sock.settimeout(QUIET_SECONDS)
    except TimeoutError:
        return data


def drain(sock, seconds=LIMIT_SECONDS):
    """Reads until the peer ends the connection. Returns the bytes."""
    data = b""
    sock.settimeout(seconds)
    try:
        while chunk := sock.recv(65536):
            data += chunk
    except OSError:
        pass
    return data


def close(sock):
    """FIN, never RST: what the peer still sends is read before the socket goes."""
    try:
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    drain(sock)
    sock.close()


def reset(sock):
    """RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def wait(sock):
    """Stays until the peer goes."""
    drain(sock)
    sock.close()


def flight(sock):
    """Step: wait for the peer's next flight."""
    read_flight(sock)


def taken(sock):
    """Step: wait until the peer, on this host, has accepted the connection and read everything."""
    nginx.wait_until(lambda: sockets.all_read([sock]), LIMIT_SECONDS, "all read")


def play(sock, steps, end):
    """Runs steps (bytes to send, or callables on the socket), then end(sock), which closes it."""
    try:
        for step in steps:
            if isinstance(step, bytes):
                sock.sendall(step)
            else:
                step(sock)
    except OSError:
        pass
    end(sock)
