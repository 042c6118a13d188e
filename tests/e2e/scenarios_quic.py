# SPDX-License-Identifier: BSD-2-Clause
"""
Somebody connects to nginx's HTTP/3 over QUIC. error is an OpenSSL reason of the SSL library.

nginx keeps the socket of a listener for everybody, so whom it was is asked for too: every client has an address.
Workers must have a socket each (reuseport), or the datagrams of one client are divided between them.
"""
import dataclasses
import itertools

from lab import quic as peer
from lab.scenario import Scenario, client

ASK = "ssl_verify_client on; ssl_client_certificate @PKI@/ca.pem; "
DYNAMIC = "ssl_certificate @PKI@/$ssl_server_name.pem; ssl_certificate_key @PKI@/otherca.key; "
HURRY = "client_header_timeout 3s;" # nginx's limit for a QUIC handshake as well
SMALL = ("-groups", "X25519")       # a ClientHello in one datagram
LARGE = ("-groups", "X25519MLKEM768:X25519")
NUMBERS = itertools.count(1)


def quic(name, act, *expect, **options):
    """act(target, source) does what a client of that address does."""
    source = f"127.0.7.{next(NUMBERS)}"
    told = {"transport": "quic", "peer": source, "port": peer.PORT}
    expect = tuple(dataclasses.replace(one, fields={**told, **one.fields}) for one in expect)
    return Scenario("quic_" + name, "http", lambda target: act(target, source), expect,
                    listen="127.0.0.1:@PORT@ quic reuseport", **options)


OK = (
    quic("ok", peer.asks(), client(version="TLSv1.3", server_name="lab.test", resumed=False)),
    quic("ok_no_sni", peer.greets(sni=None), client(version="TLSv1.3", server_name=None)),
    quic("ok_hello_retry", peer.greets("-groups", "X25519:P-256"), client(version="TLSv1.3"),
         conf="ssl_ecdh_curve prime256v1;"),
    quic("ok_resumed", peer.resumes(), client(resumed=False), client(version="TLSv1.3", resumed=True)),
    quic("ok_early_data_on", peer.greets(), client(version="TLSv1.3"), conf="ssl_early_data on;"),
    quic("ok_retry", peer.greets(), client(version="TLSv1.3"), conf="quic_retry on;"),
    quic("ok_trusts_us", peer.trusts("ca"), client(version="TLSv1.3")),
    quic("mtls_ok", peer.asks("leaf"), client(version="TLSv1.3"), conf=ASK, hold=True),
)

REFUSED = (
    quic("no_application_protocol", peer.greets(alpn="foo"), client("no_application_protocol")),
    quic("no_shared_cipher", peer.greets("-ciphersuites", "TLS_AES_128_GCM_SHA256"), client("no_shared_cipher"),
         conf="ssl_conf_command Ciphersuites TLS_AES_256_GCM_SHA384;"),
    quic("no_shared_group", peer.greets("-groups", "X448"), client("no_shared_group"),
         conf="ssl_ecdh_curve prime256v1;"),
    quic("no_shared_sigalg", peer.greets("-sigalgs", "rsa_pss_rsae_sha256"), client("no_shared_signature_algorithm")),
    quic("unrecognized_name", peer.greets(sni="nobody.test"), client("unrecognized_name", server_name="nobody.test"),
         conf="ssl_reject_handshake on;", certificate=""),
    quic("unrecognized_name_no_sni", peer.greets(sni=None), client("unrecognized_name", server_name=None),
         conf="ssl_reject_handshake on;", certificate=""),
    quic("local_certificate_missing", peer.greets(), client("local_certificate_problem"), conf=DYNAMIC,
         certificate=""),
    quic("mtls_missing", peer.asks(), client("peer_certificate_missing"), conf=ASK, hold=True),
    quic("mtls_untrusted", peer.asks("untrusted"), client("peer_certificate_untrusted", verify_result=21),
         conf=ASK, hold=True),
)

# What the client says when it refuses is in a frame of QUIC: it only shows that it left.
LEFT = (
    quic("client_unknown_ca", peer.trusts("otherca"), client("peer_closed_mid_handshake", alert_received=None)),
    quic("client_expired", peer.trusts("ca"), client("peer_closed_mid_handshake", alert_received=None),
         certificate="expired"),
    quic("timeout_before_hello", peer.lost_after(1, *LARGE), client("timeout_before_hello"), conf=HURRY),
    quic("timeout_mid", peer.lost_after(1, *SMALL), client("timeout_mid_handshake", server_name="lab.test"),
         conf=HURRY),
)

SCENARIOS = OK + REFUSED + LEFT
