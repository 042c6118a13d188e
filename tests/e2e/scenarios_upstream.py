# SPDX-License-Identifier: BSD-2-Clause
"""nginx's http module connects to a TLS backend. The client in front speaks plain HTTP, so that it adds no event."""
import threading

from lab import backends, clients, raw, wire
from lab.backends import TLS12, TLS13, after_hello, refuse, tls
from lab.scenario import BOTH_HOSTS, Before, Scenario, upstream

BOTH = "proxy_ssl_protocols TLSv1.2 TLSv1.3; "
OLDER = "proxy_ssl_protocols TLSv1.2; " # what nginx did by default until 1.23.4, but for the versions nobody has
NAME = "proxy_ssl_name lab.test; "
SNI = "proxy_ssl_server_name on; " + NAME
VERIFY = BOTH + NAME + "proxy_ssl_verify on; proxy_ssl_verify_depth 1; proxy_ssl_trusted_certificate @PKI@/ca.pem; "
SHOW = "proxy_ssl_certificate @PKI@/{0}.pem; proxy_ssl_certificate_key @PKI@/{0}.key; "
HURRY = "proxy_connect_timeout 3s; " # a backend that is to answer must have done so by then
LEVEL0 = "DEFAULT:@SECLEVEL=0"
SERVER_HELLO = wire.server_hello()
MET = threading.Event() # the client that leaves, and the backend


def proxy(name, backend, *expect, conf=BOTH, trigger=clients.get(), **options):
    return Scenario(name, "proxy", trigger, expect, conf=conf, backend=backend, **options)


def unverified(name, backend, cause, verify_result=None, conf=VERIFY, **options):
    fields = {} if verify_result is None else {"verify_result": verify_result}
    return proxy(name, backend, upstream(cause, **fields), conf=conf, hold=True, **options)


def ok(name, backend, *expect, conf=BOTH, **options):
    return proxy(name, backend, *expect, conf=conf, hold=True, **options)


def ask(target):
    """A request whose answer does not matter: the backends here speak HTTP/1 alone."""
    clients.get()(target)
    return True


def other_proxies():
    """Other modules that talk TLS to backends, each with its own directives."""
    for kind in ("grpc", "uwsgi"):
        def of_kind(name, backend, expect, conf="", kind=kind):
            directives = (BOTH + conf).replace("proxy_", kind + "_")
            return Scenario(f"{kind}_{name}", f"{kind}_proxy", ask, (expect,), conf=directives,
                            backend=backend, hold=True)
        yield of_kind("missing_sni", refuse(112), upstream("missing_sni", error=1112))
        yield of_kind("unrecognized_name", refuse(112), upstream("unrecognized_name", server_name="lab.test"), SNI)
        yield of_kind("certificate_expired", tls(cert="expired"),
                      upstream("peer_certificate_expired", verify_result=10), VERIFY)
        yield of_kind("certificate_wrong_host", tls(cert="wronghost"), upstream("peer_certificate_wrong_host"), VERIFY)
        yield of_kind("client_certificate_required", tls(client_ca="ca"), upstream("client_certificate_required"))
        yield of_kind("ok", tls(), upstream(version="TLSv1.3"), VERIFY)


OK = (
    ok("up_ok_tls13", tls(), upstream(version="TLSv1.3", resumed=False)),
    ok("up_ok_tls12_only", tls(), upstream(version="TLSv1.2"), conf=OLDER),
    ok("up_ok_resumed", tls(maximum=TLS12), upstream(resumed=False), upstream(version="TLSv1.2", resumed=True),
       trigger=clients.get(times=2), conf="proxy_ssl_session_reuse on; proxy_ssl_protocols TLSv1.2; "),
    ok("up_ok_self_signed_unverified", tls(cert="selfsigned"), upstream()),
    ok("up_ok_expired_unverified", tls(cert="expired"), upstream()),
    ok("up_ok_verified", tls(), upstream(version="TLSv1.3"), conf=VERIFY),
    ok("up_ok_sni", tls(), upstream(server_name="lab.test"), conf=BOTH + SNI),
    ok("up_ok_mtls_tls13", tls(client_ca="ca"), upstream(version="TLSv1.3"), conf=BOTH + SHOW.format("leaf")),
    ok("up_ok_mtls_tls12", tls(client_ca="ca", maximum=TLS12), upstream(version="TLSv1.2"),
       conf=BOTH + SHOW.format("leaf")),
    ok("up_ok_ipv6", tls(), upstream(peer="::1"), backend_host="[::1]"),
    ok("up_ok_hello_retry", tls(groups="secp384r1"), upstream(version="TLSv1.3")),
)

CERTIFICATE = (
    unverified("up_certificate_expired", tls(cert="expired"), "peer_certificate_expired", 10),
    unverified("up_certificate_expired_tls12", tls(cert="expired", maximum=TLS12), "peer_certificate_expired", 10),
    unverified("up_certificate_not_yet_valid", tls(cert="notyet"), "peer_certificate_not_yet_valid", 9),
    unverified("up_certificate_untrusted", tls(cert="untrusted"), "peer_certificate_untrusted"),
    unverified("up_certificate_self_signed", tls(cert="selfsigned"), "peer_certificate_self_signed", 18),
    unverified("up_certificate_revoked", tls(cert="revoked"), "peer_certificate_revoked", 23,
               conf=VERIFY + "proxy_ssl_crl @PKI@/crl.pem; "),
    unverified("up_certificate_wrong_host", tls(cert="wronghost"), "peer_certificate_wrong_host"),
    unverified("up_certificate_wrong_purpose", tls(cert="clientonly"), "peer_certificate_wrong_purpose", 26),
    unverified("up_certificate_weak", tls(cert="weak", ciphers=LEVEL0), "peer_certificate_weak", 66),
    unverified("up_certificate_bad_signature", tls(cert="badsignature"), "peer_certificate_invalid", 7),
    unverified("up_certificate_deep", tls(cert="deep"), "peer_certificate_untrusted", 20, before=Before(
        "OpenSSL had an error of its own for this", (upstream("peer_certificate_invalid", verify_result=22),),
        openssl=(3, 0, 0))),
)

REFUSED = (
    proxy("up_version_too_new", tls(minimum=TLS13), upstream("peer_version_too_new", error=1070), conf=OLDER),
    proxy("up_version_too_old_alert", tls(maximum=TLS12), upstream("peer_version_too_old", error=1070),
          conf="proxy_ssl_protocols TLSv1.3; "),
    proxy("up_version_too_old_alert_both", refuse(70), upstream("peer_version_too_old", error=1070)),
    proxy("up_version_too_old_hello", after_hello(wire.server_hello(version=wire.TLS10)),
          upstream("peer_version_too_old", error=258)),
    proxy("up_missing_sni_112", refuse(112), upstream("missing_sni", error=1112, server_name=None, version=None)),
    proxy("up_missing_sni_40", refuse(40), upstream("missing_sni", error=1040)),
    proxy("up_missing_sni_80", refuse(80), upstream("missing_sni", error=1080)),
    proxy("up_unrecognized_name", refuse(112), upstream("unrecognized_name", error=1112, server_name="lab.test"),
          conf=BOTH + SNI),
    proxy("up_handshake_failure", refuse(40), upstream("handshake_failure", error=1040), conf=BOTH + SNI),
    proxy("up_handshake_failure_cipher", tls(maximum=TLS12, ciphers="ECDHE-ECDSA-AES256-GCM-SHA384"),
          upstream("handshake_failure", error=1040),
          conf=SNI + "proxy_ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256; proxy_ssl_protocols TLSv1.2; "),
    proxy("up_internal_error", refuse(80), upstream("internal_error", error=1080), conf=BOTH + SNI),
    proxy("up_no_application_protocol", refuse(120), upstream("no_application_protocol", error=1120),
          conf=BOTH + SNI),
    proxy("up_inappropriate_fallback", refuse(86), upstream("inappropriate_fallback", error=1086), conf=BOTH + SNI),
    proxy("up_other_alert", refuse(90), upstream("other_alert", error=1090), conf=BOTH + SNI),
    proxy("up_decode_error_alert", refuse(50), upstream("malformed_message", error=1050), conf=BOTH + SNI),
    proxy("up_client_certificate_required_tls12", tls(client_ca="ca", maximum=TLS12),
          upstream("client_certificate_required", version="TLSv1.2"), conf=BOTH + SNI),
    proxy("up_client_certificate_required_tls13", tls(client_ca="ca"),
          upstream("client_certificate_required", version="TLSv1.3"), conf=BOTH + SNI, hold=True),
    proxy("up_client_certificate_required_no_sni", tls(client_ca="ca", maximum=TLS12),
          upstream("client_certificate_required")),
    proxy("up_our_certificate_unknown_ca_tls12", tls(client_ca="ca", maximum=TLS12),
          upstream("our_certificate_unknown_ca", error=1048), conf=BOTH + SHOW.format("untrusted")),
    proxy("up_our_certificate_unknown_ca_tls13", tls(client_ca="ca"),
          upstream("our_certificate_unknown_ca"), conf=BOTH + SHOW.format("untrusted"), hold=True),
    proxy("up_our_certificate_expired_tls12", tls(client_ca="ca", maximum=TLS12),
          upstream("our_certificate_expired", error=1045), conf=BOTH + SHOW.format("expired")),
    proxy("up_our_certificate_expired_tls13", tls(client_ca="ca"),
          upstream("our_certificate_expired"), conf=BOTH + SHOW.format("expired"), hold=True),
    proxy("up_our_certificate_revoked_tls13", tls(client_ca="ca", crl="crl.pem"),
          upstream("our_certificate_revoked"), conf=BOTH + SHOW.format("revoked"), hold=True),
    proxy("up_our_certificate_refused_tls13", tls(client_ca="ca"),
          upstream("our_certificate_refused"), conf=BOTH + SHOW.format("notyet"), hold=True),
)

BROKEN = (
    proxy("up_plain_http", after_hello(backends.PLAIN_ANSWER), upstream("plain_http", error=267)),
    # A banner that is there before nginx has begun is refused by nginx itself, without OpenSSL.
    proxy("up_not_tls", after_hello(backends.SSH_BANNER), upstream("not_tls", error=267)),
    proxy("up_legacy_renegotiation", after_hello(wire.server_hello(extensions=b"")),
          upstream("legacy_renegotiation_refused", error=338),
          before=Before("OpenSSL allowed it: nginx waits for more until its client goes",
                        (upstream("aborted_by_nginx"),), openssl=(3, 0, 0))),
    proxy("up_weak_dh", tls(cert="rsa", maximum=TLS12, dh="dh-weak.pem",
                            ciphers="DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0"),
          upstream("weak_dh", error=394)),
    proxy("up_malformed", after_hello(wire.record(wire.HANDSHAKE, wire.message(wire.SERVER_HELLO, b"\x03\x03short"))),
          upstream("malformed_message")),
    proxy("up_unexpected_message", after_hello(wire.record(wire.HANDSHAKE, wire.message(wire.FINISHED, bytes(12)))),
          upstream("unexpected_message", error=244)),
    proxy("up_decrypt_error", backends.tls13_rubbish(), upstream("decrypt_error", error=281)),
    proxy("up_no_shared_cipher", after_hello(wire.server_hello(cipher=0x0005)),
          upstream("no_shared_cipher", error=248)),
    proxy("up_no_shared_group", backends.key_exchange(wire.P521, b"\x04" + bytes(132), wire.ECDSA_P256),
          upstream("no_shared_group", error=378), conf=BOTH + "proxy_ssl_conf_command Groups P-256; "),
    proxy("up_no_shared_sigalg", backends.key_exchange(wire.P256, wire.P256_GENERATOR, 0x0203),
          upstream("no_shared_signature_algorithm", error=370)),
    proxy("up_bad_signature", backends.key_exchange(wire.P256, wire.P256_GENERATOR, wire.ECDSA_P256),
          upstream("decrypt_error", error=123)),
    proxy("up_other_error", after_hello(wire.server_hello(compression=1)), upstream("other_error", error=343)),
    proxy("up_closed_before_hello", after_hello(end=raw.close),
          upstream("peer_closed_before_hello", version=None, cipher=None)),
    proxy("up_closed_mid", after_hello(SERVER_HELLO, end=raw.close),
          upstream("peer_closed_mid_handshake", version="TLSv1.2")),
    proxy("up_close_notify_before_hello", after_hello(wire.alert(0, level=1), end=raw.close),
          upstream("peer_closed_before_hello")),
    proxy("up_close_notify_mid", after_hello(SERVER_HELLO, wire.alert(0, level=1), end=raw.close),
          upstream("peer_closed_mid_handshake")),
    proxy("up_reset", after_hello(end=raw.reset), upstream("peer_reset")),
    proxy("up_reset_mid", after_hello(SERVER_HELLO, raw.taken, end=raw.reset), upstream("peer_reset")),
    proxy("up_timeout_before_hello", after_hello(), upstream("timeout_before_hello"), conf=BOTH + HURRY),
    proxy("up_timeout_mid", after_hello(SERVER_HELLO), upstream("timeout_mid_handshake"), conf=BOTH + HURRY),
    proxy("up_ipv6_closed_before_hello", after_hello(end=raw.close), upstream("peer_closed_before_hello", peer="::1"),
          backend_host="[::1]"),
    proxy("up_two_addresses_fail", refuse(40), upstream("handshake_failure"), upstream("handshake_failure"),
          conf=BOTH + SNI, backend_host=BOTH_HOSTS),
    proxy("up_aborted", after_hello(lambda _: MET.set()), upstream("aborted_by_nginx"),
          trigger=clients.leave_when(MET)),
)

SCENARIOS = OK + CERTIFICATE + REFUSED + BROKEN + tuple(other_proxies())
