# SPDX-License-Identifier: BSD-2-Clause
"""nginx asks its clients for a certificate. OpenSSL completes all of these; nginx refuses afterwards."""
from lab import clients
from lab.clients import TLS12, tls
from lab.scenario import Before, Scenario, client

ASK = "ssl_verify_client on; ssl_client_certificate @PKI@/ca.pem; "
OPTIONAL = "ssl_verify_client optional; ssl_client_certificate @PKI@/ca.pem; "
CRL = ASK + "ssl_crl @PKI@/crl.pem; "


def mtls(name, trigger, *expect, module="http", conf=ASK, before=None):
    return Scenario(name, module, trigger, expect, conf=conf, hold=True, before=before)


def bad(name, cause, verify_result, conf=ASK, before=None, **options):
    return mtls(f"mtls_{name}", tls(cert=name, **options), client(cause, verify_result=verify_result), conf=conf,
                before=before)


ACCEPTED = (
    mtls("mtls_ok_tls13", tls(cert="leaf"), client(version="TLSv1.3")),
    mtls("mtls_ok_tls12", tls(cert="leaf", maximum=TLS12), client(version="TLSv1.2")),
    mtls("mtls_ok_resumed", tls(cert="leaf", times=2), client(resumed=False), client(resumed=True)),
    mtls("mtls_ok_crl", tls(cert="leaf"), client(), conf=CRL),
    mtls("mtls_ok_optional_without", tls(), client(), conf=OPTIONAL),
    mtls("mtls_ok_optional_no_ca", tls(cert="untrusted"), client(),
         conf="ssl_verify_client optional_no_ca; ssl_client_certificate @PKI@/ca.pem;"),
    mtls("mtls_ok_left_without_request", clients.tls_then_leave(maximum=TLS12), client()),
)

REFUSED = (
    mtls("mtls_missing_tls13", tls(), client("peer_certificate_missing", version="TLSv1.3")),
    mtls("mtls_missing_tls12", tls(maximum=TLS12), client("peer_certificate_missing", version="TLSv1.2")),
    mtls("mtls_missing_late_request", tls(pause_seconds=1.5), client("peer_certificate_missing")),
    mtls("mtls_untrusted_tls12", tls(cert="untrusted", maximum=TLS12),
         client("peer_certificate_untrusted", verify_result=21)),
    mtls("mtls_missing_early_data_on", tls(), client("peer_certificate_missing"), conf=ASK + "ssl_early_data on;"),
    bad("expired", "peer_certificate_expired", 10),
    bad("notyet", "peer_certificate_not_yet_valid", 9),
    bad("untrusted", "peer_certificate_untrusted", 21),
    bad("selfsigned", "peer_certificate_self_signed", 18),
    bad("serveronly", "peer_certificate_wrong_purpose", 26),
    bad("weak", "peer_certificate_weak", 66, ciphers="DEFAULT:@SECLEVEL=0"),
    bad("badsignature", "peer_certificate_invalid", 7),
    bad("revoked", "peer_certificate_revoked", 23, conf=CRL),
    bad("deep", "peer_certificate_untrusted", 20, before=Before(
        "OpenSSL had an error of its own for this", (client("peer_certificate_invalid", verify_result=22),),
        openssl=(3, 0, 0))),
    mtls("mtls_crl_stale", tls(cert="leaf"), client("peer_certificate_revoked", verify_result=12),
         conf=ASK + "ssl_crl @PKI@/crl-stale.pem;"),
    mtls("mtls_crl_missing", tls(cert="leaf"), client("peer_certificate_revoked", verify_result=3),
         conf=ASK + "ssl_crl @PKI@/crl-other.pem;"),
    mtls("mtls_optional_expired", tls(cert="expired"), client("peer_certificate_expired", verify_result=10),
         conf=OPTIONAL),
    mtls("mtls_ocsp_responder_down", tls(cert="leaf"), client("ocsp_failed"),
         conf=ASK + "ssl_ocsp leaf; ssl_ocsp_responder http://127.0.0.1:1/;"),
)

OTHER_MODULES = (
    mtls("stream_mtls_ok", tls(cert="leaf", request=b""), client(), module="stream"),
    mtls("stream_mtls_missing", tls(request=b""), client("peer_certificate_missing"), module="stream"),
    mtls("stream_mtls_expired", tls(cert="expired", request=b""),
         client("peer_certificate_expired", verify_result=10), module="stream"),
    mtls("stream_mtls_untrusted", tls(cert="untrusted", request=b"", maximum=TLS12),
         client("peer_certificate_untrusted", verify_result=21), module="stream"),
    mtls("mail_mtls_ok", clients.imap(cert="leaf"), client(), module="mail"),
    mtls("mail_mtls_missing", clients.imap(), client("peer_certificate_missing"), module="mail"),
    mtls("mail_mtls_expired", clients.imap(cert="expired"), client("peer_certificate_expired", verify_result=10),
         module="mail"),
)

SCENARIOS = ACCEPTED + REFUSED + OTHER_MODULES
