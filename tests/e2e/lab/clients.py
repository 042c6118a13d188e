# SPDX-License-Identifier: BSD-2-Clause
"""
Clients. Each factory returns a trigger: a function of a Target that does one thing to it and tells whether it
was served, which only scenarios that must succeed look at.

raw() says byte by byte what a correct library would never say, tls() is Python's ssl module, s_client() is the
openssl program for what Python cannot set. Must not know: what is expected of tlswhy.
"""
import contextlib
import http.client
import os
import re
import socket
import ssl
import subprocess
import tempfile
import time

from lab import pki, raw as peer, wire

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
GET = b"GET / HTTP/1.0\r\nHost: lab.test\r\n\r\n"
LINE = b"hello\r\n"


def connect(target):
    if target.host.startswith("/"):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(peer.LIMIT_SECONDS)
        sock.connect(target.host)
        return sock
    return socket.create_connection((target.host, target.port), timeout=peer.LIMIT_SECONDS,
                                    source_address=(target.source, 0) if target.source else None)


def raw(*steps, end=peer.wait):
    def trigger(target):
        peer.play(connect(target), steps, end)
    return trigger


def refuse(number, hello=None):
    """A TLS 1.2 client that answers the server's first flight with a fatal alert, in the clear."""
    return raw(hello or wire.client_hello(), peer.flight, wire.alert(number))


def context(target, minimum=TLS12, maximum=TLS13, ciphers=None, cert=None, ca=None, alpn=(), check_host=False,
            crl=None):
    """A client context. Without ca the server's certificate is not checked."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = check_host
    made.verify_mode = ssl.CERT_REQUIRED if ca else ssl.CERT_NONE
    if ciphers:
        made.set_ciphers(ciphers)
    made.minimum_version, made.maximum_version = minimum, maximum
    if cert:
        made.load_cert_chain(target.pki.cert(cert), target.pki.key(cert))
    if ca:
        made.load_verify_locations(target.pki.cert(ca))
    if crl:
        made.load_verify_locations(target.pki.path(crl))
        made.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    if alpn:
        made.set_alpn_protocols(list(alpn))
    return made


def converse(secure, request):
    """Sends a request and reads the answer. True where something good came back."""
    if request:
        secure.sendall(request)
    data = b""
    try:
        while chunk := secure.recv(65536):
            data += chunk
    except OSError:
        pass
    return b"ok" in data.lower()


def tls(request=GET, before=b"", times=1, pause_seconds=0.0, sni=pki.HOST, **options):
    """times connections, each resuming the session of the one before; before is sent in the clear."""
    def trigger(target):
        made = context(target, **options)
        session, served = None, True
        for _ in range(times):
            sock = connect(target)
            sock.sendall(before)
            with made.wrap_socket(sock, server_hostname=sni, session=session) as secure:
                time.sleep(pause_seconds)
                served = converse(secure, request) and served
                session = secure.session
        return served
    return trigger


def tls_then_leave(**options):
    """Completes the handshake and goes without a request."""
    def trigger(target):
        with context(target, **options).wrap_socket(connect(target), server_hostname=pki.HOST):
            pass
    return trigger


def http2():
    """ALPN h2, connection preface, first frame of the server."""
    def trigger(target):
        made = context(target, alpn=("h2",))
        with made.wrap_socket(connect(target), server_hostname=pki.HOST) as secure:
            secure.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5))
            return secure.selected_alpn_protocol() == "h2" and secure.recv(9)[3:4] == b"\x04"
    return trigger


def imap(request=b"a LOGOUT\r\n", **options):
    return tls(request=request, **options)


def after_starttls(trigger_on_socket):
    """Runs trigger_on_socket(target, sock) behind an IMAP STARTTLS exchange."""
    def trigger(target):
        sock = connect(target)
        sock.recv(4096)
        sock.sendall(b"a STARTTLS\r\n")
        sock.recv(4096)
        return trigger_on_socket(target, sock)
    return trigger


def starttls(**options):
    def secure_session(target, sock):
        with context(target, **options).wrap_socket(sock, server_hostname=pki.HOST) as secure:
            return converse(secure, b"a LOGOUT\r\n")
    return after_starttls(secure_session)


def starttls_raw(*steps, end=peer.wait):
    return after_starttls(lambda target, sock: peer.play(sock, steps, end))


def get(times=1):
    """
    Plain HTTP requests on one connection (so that one worker has them all), for listeners in front of a TLS
    backend. True where all were answered with 200.
    """
    def trigger(target):
        with contextlib.closing(http.client.HTTPConnection(target.host, target.port, timeout=peer.LIMIT_SECONDS,
                                                           source_address=(target.source, 0))) as connection:
            return all([get_one(connection) for _ in range(times)])
    return trigger


def get_one(connection):
    connection.request("GET", "/")
    answer = connection.getresponse()
    answer.read()
    return answer.status == 200


def say_line():
    """One line to a plain stream listener; True where the backend answered."""
    def trigger(target):
        with connect(target) as sock:
            sock.sendall(GET)
            return b"ok" in peer.drain(sock)
    return trigger


def leave_when(came):
    """Asks for something and goes once the event is set, which whoever has to answer does."""
    def trigger(target):
        came.clear()
        peer.play(connect(target), (GET, lambda _: came.wait(peer.LIMIT_SECONDS)), peer.reset)
    return trigger


def run_s_client(target, *options, request=GET):
    command = ["openssl", "s_client", "-connect", f"{target.host}:{target.port}", "-servername", pki.HOST,
               "-ign_eof", *options]
    done = subprocess.run(command, input=request, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,
                          timeout=peer.LIMIT_SECONDS)
    return done.stdout


def s_client(*options):
    def trigger(target):
        return b"ok" in run_s_client(target, *options).rsplit(b"\r\n\r\n", 1)[-1]
    return trigger


def zero_rtt():
    """A first visit, then one that sends its request as early data."""
    def trigger(target):
        with tempfile.TemporaryDirectory() as directory:
            session, early = os.path.join(directory, "session"), os.path.join(directory, "early")
            with open(early, "wb") as file:
                file.write(GET)
            run_s_client(target, "-tls1_3", "-sess_out", session)
            output = run_s_client(target, "-tls1_3", "-sess_in", session, "-early_data", early, request=b"")
            return b"Early data was accepted" in output
    return trigger


def ticket_of(target):
    """A TLS 1.3 ticket that nginx made for a client of ours, with TLS_AES_128_GCM_SHA256."""
    with tempfile.NamedTemporaryFile() as session:
        run_s_client(target, "-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256", "-sess_out", session.name)
        text = subprocess.run(["openssl", "sess_id", "-in", session.name, "-noout", "-text"], check=True,
                              capture_output=True, text=True, timeout=peer.LIMIT_SECONDS).stdout
    rows = re.findall(r"^ +[0-9a-f]{4} - ((?:[0-9a-f]{2}[ -]){1,16})", text, re.MULTILINE)
    return bytes.fromhex("".join(rows).replace("-", " "))


def bad_binder():
    """Offers a good ticket of an earlier visit with a PSK binder that does not verify."""
    def trigger(target):
        extra = wire.pre_shared_key(ticket_of(target), bytes(32))
        hello = wire.client_hello(versions=(wire.TLS13,), ciphers=(wire.AES128_GCM,), extra=extra)
        peer.play(connect(target), (hello,), peer.wait)
    return trigger
