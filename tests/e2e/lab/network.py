# SPDX-License-Identifier: BSD-2-Clause
"""
Two network namespaces, and between them a path that the test is: a thread that carries every packet from one TUN device
to the other, after a delay, and drops what it is told to. It writes down when each segment came and when it went.

nginx lives at NEAR, clients and backends at FAR. Must not know: TLS, tlswhy.
"""
import collections
import fcntl
import heapq
import os
import select
import socket
import struct
import subprocess
import threading
import time

from lab import place, worker

NEAR, FAR = "10.213.0.1", "10.213.0.2"
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
DEVICE = "path"
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10

# near: sent by nginx's side. payload: its bytes of data. came, went: monotonic seconds; went is None where dropped.
Segment = collections.namedtuple("Segment", "near source port flags sequence payload came went")


class Network(place.Host):
    """A namespace of its own. What run() calls, what start() starts and the sockets made in it stay in it."""

    def __init__(self):
        super().__init__()
        self.descriptor = place.in_thread(place.new_network)

    def enter(self):
        place.check(place.LIBC.setns(self.descriptor, place.CLONE_NEWNET), "setns")

    def run(self, function, *arguments):
        return place.in_thread(lambda: (self.enter(), function(*arguments))[1])

    def start(self, command, _directory, **streams):
        return self.run(lambda: subprocess.Popen(command, **streams))

    def command(self, *words, **options):
        return self.run(lambda: subprocess.run(words, check=True, timeout=60, **options))

    def tun(self, address, peer):
        """A TUN device of the namespace. Returns its descriptor."""
        def make():
            descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), IFF_TUN | IFF_NO_PI))
            return descriptor
        descriptor = self.run(make)
        self.command("ip", "address", "add", address, "peer", peer, "dev", DEVICE)
        self.command("ip", "link", "set", DEVICE, "up")
        return descriptor

    def connect(self, host, port):
        return self.run(lambda: socket.create_connection((host, port), timeout=30))

    def close(self):
        os.close(self.descriptor)


def read_segment(packet, near, came):
    """A TCP segment in IPv4 as a Segment that has not gone yet; None for any other packet."""
    if packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_TCP:
        return None
    header = (packet[0] & 15) * 4
    source, port, sequence = struct.unpack_from("!HHI", packet, header)
    offset, flags = packet[header + 12] >> 4, packet[header + 13]
    return Segment(near, source, port, flags, sequence, packet[header + 4 * offset:], came, None)


class Path:
    """
    The two namespaces and the path, from `with` to its end. delay: seconds each way. drops: a function of a Segment
    that tells whether it is lost. on_segment: called with each one that is about to be delivered.
    """

    def __init__(self):
        self.near, self.far = Network(), Network()
        self.delay, self.drops, self.on_segment = 0.0, lambda segment: False, lambda segment: None
        self.segments = []
        self.ends = {True: self.near.tun(NEAR, FAR), False: self.far.tun(FAR, NEAR)}
        self.stop_reader, self.stop_writer = os.pipe()
        self.due, self.order = [], 0
        self.thread = threading.Thread(target=self._carry, daemon=True)

    def _arrive(self, near):
        """A packet that one end has sent."""
        packet = os.read(self.ends[near], 65536)
        now = time.monotonic()
        segment = read_segment(packet, near, now)
        if segment and self.drops(segment):
            self.segments.append(segment)
            return
        self.order += 1
        heapq.heappush(self.due, (now + self.delay, self.order, near, packet, segment))

    def _deliver(self):
        _, _, near, packet, segment = heapq.heappop(self.due)
        if segment:
            self.on_segment(segment)
        try:
            os.write(self.ends[not near], packet)
        except OSError: # a device that is going down
            return
        if segment:
            self.segments.append(segment._replace(went=time.monotonic()))

    def _carry(self):
        worker.give_precedence()
        poll = select.poll()
        near_of = {descriptor: near for near, descriptor in self.ends.items()}
        for descriptor in (*near_of, self.stop_reader):
            poll.register(descriptor, select.POLLIN)
        while True:
            wait = 1.0 if not self.due else max(0.0, self.due[0][0] - time.monotonic())
            ready = [descriptor for descriptor, _ in poll.poll(wait * 1000)]
            if self.stop_reader in ready:
                return
            for descriptor in ready:
                self._arrive(near_of[descriptor])
            while self.due and self.due[0][0] <= time.monotonic():
                self._deliver()

    def of(self, port):
        """The segments so far of the connection with that port at one end."""
        return [segment for segment in self.segments if port in (segment.source, segment.port)]

    def turns(self, port):
        """
        Of the connection with that port at one end, for how long the path had the last segment of each turn: what one
        side said, SYN or data, until the other one did. [(near, seconds)]
        """
        turns = []
        for segment in self.of(port):
            if segment.went and (segment.payload or segment.flags & SYN):
                if turns and turns[-1][0] == segment.near:
                    turns.pop()
                turns.append((segment.near, segment.went - segment.came))
        return turns

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        os.write(self.stop_writer, b".")
        self.thread.join(10)
        for descriptor in (*self.ends.values(), self.stop_reader, self.stop_writer):
            os.close(descriptor)
        self.near.close()
        self.far.close()
