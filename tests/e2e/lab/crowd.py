# SPDX-License-Identifier: BSD-2-Clause
"""
Many impatient clients at a time, in one thread: each shakes hands, and leaves when it is done or has waited so long.

Must not know: nginx, tlswhy.
"""
import collections
import contextlib
import selectors
import socket
import time

from lab import flights


class Visitor:
    """One client. step() goes on when its socket is ready; how: None, "served", "refused"."""

    def __init__(self, context, port):
        self.sock = socket.socket()
        self.sock.setblocking(False)
        self.sock.connect_ex(("127.0.0.1", port))
        self.end = flights.End(context, self.sock)
        self.started = time.monotonic()
        self.how = None
        self.has_said = False

    def step(self):
        try:
            if self.has_said:
                self.end.receive()
            said = self.end.take()
            if said:
                self.sock.sendall(said)
            self.has_said = True
            if self.end.is_done:
                self.how = "served"
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            self.how = "refused"


class Crowd:
    """The clients of a port, each with the given patience in seconds."""

    def __init__(self, port, patience):
        self.port, self.patience = port, patience
        self.context = flights.client_context()
        self.counts = collections.Counter()
        self.selector = selectors.DefaultSelector()
        self.waiting = collections.deque() # the first one has waited longest

    def _come(self):
        visitor = Visitor(self.context, self.port)
        self.selector.register(visitor.sock, selectors.EVENT_WRITE, visitor)
        self.waiting.append(visitor)

    def _leave(self, visitor, how):
        visitor.how = how
        self.counts[how] += 1
        self.selector.unregister(visitor.sock)
        visitor.sock.close()

    def _step(self, visitor):
        visitor.step()
        if visitor.how:
            self._leave(visitor, visitor.how)
        elif visitor.has_said:
            self.selector.modify(visitor.sock, selectors.EVENT_READ, visitor)

    def visit(self, at_once, seconds):
        """Keeps so many there for so long, and waits until the last one has left. {how: clients}"""
        end = time.monotonic() + seconds
        with contextlib.closing(self.selector):
            while time.monotonic() < end or self.waiting:
                while time.monotonic() < end and len(self.selector.get_map()) < at_once:
                    self._come()
                for key, _ in self.selector.select(0.02):
                    self._step(key.data)
                while self.waiting and (self.waiting[0].how or
                                        self.waiting[0].started + self.patience < time.monotonic()):
                    visitor = self.waiting.popleft()
                    if not visitor.how:
                        self._leave(visitor, "gave up")
        return dict(self.counts)
