# SPDX-License-Identifier: BSD-2-Clause
"""
Handshakes with backends on loopback that accept late, answer late, or answer late in the middle; and with a worker that
was stopped when the connection stood. Each moves its own part.
"""
import contextlib
import functools
import socket
import threading
import time

from lab import backends, clients, flights, raw, worker
from lab.bench import require, takes_long
from lab.moves import judge, median, scenario, shown

BACKEND_SECONDS = 0.2
FULL_SECONDS = 0.3 # after that the queue is emptied; the kernel asks again 1 s after it asked first
CONNECT_TIMES = 4


class Late:
    """A backend's handler: it says its first flight late, the second half of it, or its second flight."""

    def __init__(self, context):
        self.context = context
        self.first = self.half = self.second = self.waited = 0.0

    def __call__(self, connection):
        worker.give_precedence()
        connection.settimeout(raw.LIMIT_SECONDS)
        end = flights.End(self.context, connection, server=True)
        end.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        flight = end.flight()
        waited = flights.pause(self.first)
        end.send(flight[:len(flight) // 2])
        waited += flights.pause(self.half)
        end.send(flight[len(flight) // 2:])
        last = end.flight()
        waited += flights.pause(self.second)
        self.waited = waited
        end.send(last)
        end.read()
        end.write(backends.ANSWER)
        raw.close(connection)


class Backend(backends.Backend):
    """One whose own lateness is not this machine's."""

    def _accept(self):
        worker.give_precedence()
        super()._accept()


def request(port, host="127.0.0.1", connect=socket.create_connection):
    """Through nginx to the backend; raises where it was not answered. Returns when it was asked."""
    with connect((host, port)) as sock:
        sock.settimeout(raw.LIMIT_SECONDS)
        asked = time.monotonic()
        sock.sendall(clients.GET)
        answer = raw.drain(sock)
    require(b" 200 " in answer.split(b"\r\n", 1)[0], f"lab: no answer from the backend: {answer!r}")
    return asked


def late_backend(lab, what, version, **lateness):
    stand = lab.near
    listener, port = stand.ports["proxy"], stand.ports["backend"]
    handler = Late(flights.server_context(*lab.keys("ec"), version))

    def served(first=0.0, half=0.0, second=0.0):
        handler.first, handler.half, handler.second = first, half, second
        request(listener)
        return {"peer": handler.waited}
    with Backend(port, handler):
        bases, acts = stand.trial(port, served, functools.partial(served, **lateness))
    judge(what, bases, acts)


@scenario
def backend_answers_late(lab):
    late_backend(lab, "TLS 1.3, backend's first flight", flights.TLS13, first=BACKEND_SECONDS)
    late_backend(lab, "TLS 1.2, backend's first flight", flights.TLS12, first=BACKEND_SECONDS)


@scenario
@takes_long
def backend_is_late_in_the_middle(lab):
    late_backend(lab, "TLS 1.3, half of its flight", flights.TLS13, half=BACKEND_SECONDS)
    late_backend(lab, "TLS 1.2, backend's second flight", flights.TLS12, second=BACKEND_SECONDS)


class Queue:
    """A backend whose accept queue has room for one connection, and which may be taken by somebody else."""

    def __init__(self, port, context):
        self.listener = socket.create_server(("127.0.0.1", port), backlog=0)
        self.address, self.handler = ("127.0.0.1", port), Late(context)

    def _serve(self):
        """Accepts one connection and serves it. Returns when it came, which is when the connection stood."""
        connection, _ = self.listener.accept()
        came = time.monotonic()
        thread = threading.Thread(target=self.handler, args=(connection,), daemon=True)
        thread.start()
        return came, thread

    def _empty(self):
        time.sleep(FULL_SECONDS)
        connection, _ = self.listener.accept()
        connection.close()

    def visit(self, port, full):
        """A request through nginx's port. What is measured is from it until the connection stood."""
        with contextlib.ExitStack() as stack:
            if full:
                stack.enter_context(socket.create_connection(self.address))
            asked = []
            asker = threading.Thread(target=lambda: asked.append(request(port)), daemon=True)
            asker.start()
            if full:
                self._empty()
            came, server = self._serve()
            for thread in (asker, server):
                thread.join(raw.LIMIT_SECONDS)
        require(asked, "lab: no answer through a full queue")
        return {"connect": came - asked[0]}


@scenario
def backend_accepts_late(lab):
    """Its queue is full, so the kernel drops the SYN and nginx's asks again after a second."""
    stand = lab.near
    queue = Queue(stand.ports["backend"], flights.server_context(*lab.keys("ec")))
    queue.listener.settimeout(raw.LIMIT_SECONDS)
    with queue.listener:
        bases, acts = stand.trial(stand.ports["backend"], lambda: queue.visit(stand.ports["proxy"], False),
                                  lambda: queue.visit(stand.ports["proxy"], True), CONNECT_TIMES)
    waited = median(act.injected["connect"] for act in acts)
    require(waited > 0.9, f"lab: the connection stood after {shown(waited)} ms, not by a second SYN")
    judge("a full accept queue", bases, acts)
