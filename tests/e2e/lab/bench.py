# SPDX-License-Identifier: BSD-2-Clause
"""
The program under test beside an nginx with one TLS listener: runs it, watches with it, talks to nginx meanwhile.

Must not know: what is expected of the program.
"""
import contextlib
import functools
import json
import os
import subprocess
import tempfile

from lab import clients, nginx, raw, tracer, watch
from lab.results import Skip

TESTS = []
LONG = set()


def test(function):
    """Registers a function of a Bench as a test; its name is the test's name."""
    TESTS.append(function)
    return function


def takes_long(function):
    """Leaves a test to --long, below test(): what a change is checked by each time is to stay short."""
    LONG.add(function.__name__)
    return function


def offer_choice(parser):
    parser.add_argument("--only", action="append", default=[], help="a test's name or its beginning")
    parser.add_argument("--long", action="store_true", help="those that take long instead of the others")
    parser.add_argument("--list", action="store_true", help="names only")


def chosen(arguments):
    """The tests that these arguments ask for, in the order they were registered in."""
    if arguments.only:
        return [function for function in TESTS
                if any(function.__name__.startswith(start) for start in arguments.only)]
    return [function for function in TESTS if (function.__name__ in LONG) == arguments.long]


def require(condition, complaint):
    if not condition:
        raise AssertionError(complaint)


class Bench:
    """The program under test and an nginx with one TLS listener."""

    def __init__(self, tlswhy, stand):
        self.tlswhy = os.path.abspath(tlswhy)
        self.rig = stand
        self.target = stand.targets[0]

    def run(self, *arguments, seconds=120, prefix=()):
        return subprocess.run([*prefix, self.tlswhy, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, errors="replace", timeout=seconds, check=False)

    @property
    def pid(self):
        return str(self.rig.nginx.pid)

    @contextlib.contextmanager
    def watching(self, command, *options):
        """A tlswhy that is attached; ended, if the test does not, at the end. said(): its standard error so far."""
        with tempfile.TemporaryFile("w+") as stderr:
            with subprocess.Popen([self.tlswhy, command, *tracer.NO_BUDGET, *options, "-p", self.pid],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, text=True,
                                  errors="replace") as process:
                process.said = functools.partial(watch.read_all, stderr)
                try:
                    nginx.wait_until(lambda: is_attached(process), 60, "attached")
                    yield process
                finally:
                    if process.poll() is None:
                        process.kill()

    @contextlib.contextmanager
    def watching_all(self, command, *options):
        """The same with every nginx of the host; and a function that gives what it has said on stderr."""
        with tempfile.TemporaryFile("w+") as stderr:
            with subprocess.Popen([self.tlswhy, command, *tracer.NO_BUDGET, *options],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, text=True,
                                  errors="replace") as process:
                process.said = functools.partial(watch.read_all, stderr)
                try:
                    nginx.wait_until(lambda: is_attached(process), 60, "attached")
                    yield process, process.said
                finally:
                    if process.poll() is None:
                        process.kill()

    @contextlib.contextmanager
    def tracing(self, pid=0, *options):
        """An attached Tracer: of the bench's nginx (0), of another pid, or (None) of every nginx."""
        path = os.path.join(self.rig.dir, "cli.err")
        with tracer.Tracer(self.tlswhy, self.rig.nginx.pid if pid == 0 else pid, path,
                           options) as traced:
            traced.wait_ready()
            yield traced

    def visit(self):
        require(clients.tls()(self.target), "nginx does not serve")

    def hold(self, data):
        """A connection that has said data and waits; nginx has read it, inside of SSL_do_handshake."""
        sock = clients.connect(self.target)
        sock.sendall(data)
        raw.taken(sock)
        return sock


def is_attached(process):
    ended = process.poll() is not None # before it is asked what was said: a short watch may be over already
    attached = tracer.READY in process.said()
    require(attached or not ended, f"tlswhy ended with {process.returncode}: {process.said()}")
    return attached


def report_of(process, seconds=60):
    """The report a watching process prints when it ends."""
    output, _ = process.communicate(timeout=seconds)
    require(process.returncode == 0, f"exit code {process.returncode}")
    return json.loads(output)


def balanced(totals):
    return totals["begun"] == totals["ok"] + totals["failed"] + totals["open"] + totals["evicted"]


def require_offer(bench, word, *command):
    """Skips a test of what this build's own help does not offer."""
    if word not in bench.run(*command, "--help").stdout:
        raise Skip(f"{' '.join(['tlswhy', *command])} does not offer {word} yet")
