# SPDX-License-Identifier: BSD-2-Clause
"""
Backends. Each factory returns a function of the Pki that returns a handler: what one accepted connection gets.

A Backend is up from `with` to its end, one thread a connection. Must not know: nginx, scenarios.
"""
import socket
import ssl
import threading

from lab import raw as peer, wire

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"
SSH_BANNER = b"SSH-2.0-OpenSSH_9.2p1\r\n"
PLAIN_ANSWER = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"


class Backend:
    """Listens on a port and hands every connection to handler(socket)."""

    def __init__(self, port, handler, host="127.0.0.1"):
        self.handler = handler
        self.listener = socket.create_server((host, port), backlog=64,
                                             family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.thread = threading.Thread(target=self._accept, daemon=True)

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            self.handler(connection)
        except OSError:
            connection.close()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(30)


def raw(*steps, end=peer.wait):
    """A server that plays steps whatever it is asked."""
    return lambda pki: lambda connection: peer.play(connection, steps, end)


def after_hello(*steps, end=peer.wait):
    """The same, once the ClientHello has come."""
    return raw(peer.flight, *steps, end=end)


def refuse(number):
    """The first thing it says is a fatal alert."""
    return after_hello(wire.alert(number))


def tls13_rubbish():
    """A correct TLS 1.3 ServerHello, then a record that no key decrypts."""
    def handler(connection):
        hello = wire.server_hello_tls13(peer.read_flight(connection))
        peer.play(connection, (hello, wire.record(wire.APPLICATION_DATA, bytes(64))), peer.wait)
    return lambda pki: handler


def key_exchange(group, point, sigalg):
    """A TLS 1.2 server up to its key exchange: that group, that point, that signature algorithm."""
    def factory(pki):
        steps = (wire.server_hello(), wire.certificate(pki.der("leaf")),
                 wire.server_key_exchange(group, point, sigalg))
        return after_hello(*steps)(pki)
    return factory


def server_context(pki, cert, minimum, maximum, ciphers, client_ca, dh, groups, crl):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if ciphers:
        made.set_ciphers(ciphers)
    made.load_cert_chain(pki.cert(cert), pki.key(cert))
    made.minimum_version, made.maximum_version = minimum, maximum
    if client_ca:
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_verify_locations(pki.cert(client_ca))
    if crl:
        made.load_verify_locations(pki.path(crl))
        made.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    if dh:
        made.load_dh_params(pki.path(dh))
    if groups:
        made.set_ecdh_curve(groups)
    return made


def tls(cert="leaf", minimum=TLS12, maximum=TLS13, ciphers=None, client_ca=None, dh=None, groups=None, crl=None):
    """A TLS server that answers one request. Whom it refuses still gets to read the alert: no RST follows."""
    def factory(pki):
        made = server_context(pki, cert, minimum, maximum, ciphers, client_ca, dh, groups, crl)

        def handler(connection):
            plain = connection.dup()
            secure = made.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            secure.settimeout(peer.LIMIT_SECONDS)
            try:
                secure.do_handshake()
                if secure.recv(65536):
                    secure.sendall(ANSWER)
                    secure.unwrap()
            except OSError:
                pass
            peer.close(plain)
            secure.close()
        return handler
    return factory
