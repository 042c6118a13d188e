# SPDX-License-Identifier: BSD-2-Clause
"""
Clients of HTTP/3, programs of the place, for no Python here speaks QUIC: curl where a request is made, openssl (3.5 on)
for what curl cannot set. One that shall be cut off talks through a relay, which passes a few datagrams and then loses
everything.

A client comes from an address of its own, so that whoever watches is asked for exactly that. Must not know: what is
expected of tlswhy.
"""
import contextlib
import os
import select
import socket
import subprocess
import tempfile
import threading
import time

from lab import nginx, pki

PORT = 50443 # of every client; their addresses differ
LIMIT_SECONDS = 60


class Relay:
    """Between a client and the target: passes the client's first datagrams on, and nothing else either way."""

    def __init__(self, target, source, datagrams):
        self.inside, self.outside = socket.socket(type=socket.SOCK_DGRAM), socket.socket(type=socket.SOCK_DGRAM)
        self.inside.bind(("127.0.0.1", 0))
        self.outside.bind((source, PORT))
        self.outside.connect((target.host, target.port))
        self.left = datagrams
        self.passed, self.stopping = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._pass_on)

    @property
    def address(self):
        return "%s:%d" % self.inside.getsockname()

    def _pass_on(self):
        while not self.stopping.is_set():
            if not select.select([self.inside], [], [], 0.05)[0]:
                continue
            data = self.inside.recv(65536)
            if self.left > 0:
                self.outside.send(data)
                self.left -= 1
            if self.left == 0:
                self.passed.set()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()
        self.inside.close()
        self.outside.close()


@contextlib.contextmanager
def running(target, *command):
    """A program of the place, its standard input and output ours; killed at the end if it still runs."""
    with target.place.start(command, target.shared, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def s_client(address, *options):
    return "/usr/bin/openssl", "s_client", "-quic", "-connect", address, "-brief", "-no_ign_eof", *options


def read_until(process, mark):
    """What a program says until the mark comes or it has ended."""
    said, end = b"", time.monotonic() + LIMIT_SECONDS
    while mark not in said:
        if time.monotonic() > end:
            raise TimeoutError(f"the client only said {said!r}")
        if select.select([process.stdout], [], [], 0.2)[0]:
            chunk = os.read(process.stdout.fileno(), 65536)
            if not chunk:
                break
            said += chunk
    return said


def greet(target, source, *options, sni=pki.HOST, alpn="h3", until=lambda: True):
    """A handshake and nothing more; until: what else must be true before it leaves. True where it completed."""
    named = ["-servername", sni] if sni else ["-noservername"]
    command = s_client(f"{target.host}:{target.port}", "-bind", f"{source}:{PORT}", "-alpn", alpn, *named, *options)
    with running(target, *command) as process:
        completed = b"ESTABLISHED" in read_until(process, b"CONNECTION ESTABLISHED")
        if completed:
            nginx.wait_until(until, LIMIT_SECONDS, "what the client waits for")
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        process.stdout.read()
        process.wait(LIMIT_SECONDS)
    return completed


def ask(target, source, *options):
    """A request. True where it was served."""
    with running(target, "/usr/bin/curl", "--silent", "--insecure", "--http3-only", "--max-time", str(LIMIT_SECONDS),
                 "--interface", source, "--local-port", str(PORT),
                 "--resolve", f"{pki.HOST}:{target.port}:{target.host}", *options,
                 f"https://{pki.HOST}:{target.port}/") as process:
        return process.stdout.read() == b"ok\n"


def greets(*options, **named):
    return lambda target, source: greet(target, source, *options, **named)


def trusts(ca):
    """A client that checks the server's certificate."""
    return lambda target, source: greet(target, source, "-verify_return_error", "-CAfile", target.pki.cert(ca))


def asks(cert=None):
    """A request, with a client certificate."""
    def act(target, source):
        shown = ["--cert", target.pki.cert(cert), "--key", target.pki.key(cert)] if cert else []
        return ask(target, source, *shown)
    return act


def resumes():
    """Two visits, the second with the session of the first."""
    def act(target, source):
        with tempfile.TemporaryDirectory(dir=target.shared) as directory:
            session = os.path.join(directory, "session")
            first = greet(target, source, "-sess_out", session,
                          until=lambda: os.path.exists(session) and os.path.getsize(session) > 0)
            return greet(target, source, "-sess_in", session) and first
    return act


def lost_after(datagrams, *options):
    """A client of which only the first datagrams arrive, and which hears nothing."""
    def act(target, source):
        with Relay(target, source, datagrams) as relay:
            command = s_client(relay.address, "-alpn", "h3", "-servername", pki.HOST, *options)
            with running(target, *command):
                if not relay.passed.wait(LIMIT_SECONDS):
                    raise TimeoutError("the client has not spoken")
    return act
