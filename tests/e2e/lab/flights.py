# SPDX-License-Identifier: BSD-2-Clause
"""
One end of a TLS connection whose flights leave when the test says so: the library writes into memory, and what it
said is the test's to hold back, to cut or to send. Must not know: nginx, tlswhy.
"""
import ssl
import time

from lab import pki

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


def client_context(version=TLS13):
    """A client that checks nothing."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    made.minimum_version = made.maximum_version = version
    return made


def server_context(cert, key, version=TLS13):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(cert, key)
    made.minimum_version = made.maximum_version = version
    return made


class End:
    """Client or server on a connected socket. flight() gives what it says next; nothing leaves by itself."""

    def __init__(self, context, sock, server=False):
        self.sock = sock
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=server,
                                    server_hostname=None if server else pki.HOST)
        self.is_done = False

    def take(self):
        """One step with what has come so far. What the library says to it, b"" for nothing."""
        try:
            self.tls.do_handshake()
            self.is_done = True
        except ssl.SSLWantReadError:
            pass
        return self.outgoing.read()

    def receive(self):
        """Reads what comes next; raises where the other end has left."""
        data = self.sock.recv(65536)
        if not data:
            raise ConnectionError("the other end has left")
        self.incoming.write(data)

    def flight(self):
        """The next flight: reads until the library has something to say, or nothing more to ask for."""
        said = self.take()
        while not said and not self.is_done:
            self.receive()
            said = self.take()
        return said

    def send(self, data):
        """Returns the moment at which the bytes are on their way."""
        self.sock.sendall(data)
        return time.monotonic()

    def finish(self):
        """The rest of a client's handshake, without a pause, until the server is done too: it has sent its tickets."""
        while not self.is_done:
            self.sock.sendall(self.flight())
        if self.tls.version() == "TLSv1.3":
            self.receive()

    def read(self):
        """Application data."""
        while True:
            try:
                return self.tls.read(65536)
            except ssl.SSLWantReadError:
                self.receive()

    def write(self, data):
        self.tls.write(data)
        self.sock.sendall(self.outgoing.read())


def pause(seconds):
    """Sleeps. Returns for how long it was."""
    start = time.monotonic()
    if seconds:
        time.sleep(seconds)
    return time.monotonic() - start
