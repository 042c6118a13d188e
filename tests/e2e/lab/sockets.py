# SPDX-License-Identifier: BSD-2-Clause
"""
What the kernel says of this host's TCP connections: has the other side, which is on this host too, read what was said?

Who waits for that need not guess how long it takes. Must not know: TLS, nginx.
"""
import ipaddress
import socket
import struct

# Of the thread: those of the lab live in the network of the place that they act in.
TABLES = {socket.AF_INET: "/proc/thread-self/net/tcp", socket.AF_INET6: "/proc/thread-self/net/tcp6"}


def end(address, port, *_):
    """One end of a connection as the tables write it: the address in 32-bit words of the host's byte order."""
    packed = ipaddress.ip_address(address).packed
    words = struct.unpack(f"={len(packed) // 4}I", packed)
    return "".join(f"{word:08X}" for word in words) + f":{port:04X}"


def unread(family=socket.AF_INET):
    """{(local end, remote end): bytes that nobody has read yet} of accepted connections."""
    found = {}
    with open(TABLES[family]) as table:
        next(table)
        for line in table:
            fields = line.split()
            if fields[9] != "0": # its inode: nobody has one that is still to be accepted
                found[fields[1], fields[2]] = int(fields[4].split(":")[1], 16)
    return found


def all_read(peers):
    """Whether whoever listens has accepted all of these connections and read all that was sent on them."""
    waiting = {family: unread(family) for family in {peer.family for peer in peers}}
    return all(waiting[peer.family].get((end(*peer.getpeername()), end(*peer.getsockname()))) == 0 for peer in peers)
