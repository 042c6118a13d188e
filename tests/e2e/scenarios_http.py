# SPDX-License-Identifier: BSD-2-Clause
"""Somebody connects to nginx's http module with TLS. error is an OpenSSL reason of the SSL library."""
from lab import clients, raw, wire
from lab.clients import TLS12, TLS13, tls
from lab.scenario import Before, Scenario, client
from lab.wire import client_hello

HALF_HELLO = client_hello()[:60]
HELLO13 = client_hello(versions=(wire.TLS13,))
TLS10_HELLO = client_hello(legacy=wire.TLS10, ciphers=(wire.ECDHE_RSA_AES128_SHA, 0x002F), sigalgs=())
BAD_LENGTH = client_hello(extra=b"\x00\x2a\xff\xff\x00")
NO_COMPRESSION = client_hello(compression=b"\x01")
SERVER_HELLO_FIRST = wire.server_hello()
RUBBISH_RECORD = wire.record(wire.APPLICATION_DATA, bytes(64))
HURRY = "client_header_timeout 3s;" # what is sent before must have been read by then
CHANGE_CIPHER_SPEC = wire.record(20, b"\x01")


def http(name, trigger, *expect, **options):
    return Scenario(name, "http", trigger, expect, **options)


OK = (
    http("http_ok_tls12", tls(maximum=TLS12), client(version="TLSv1.2", resumed=False)),
    http("http_ok_tls13", tls(), client(version="TLSv1.3", resumed=False, server_name="lab.test", peer="127.0.0.1")),
    http("http_ok_rsa", tls(), client(version="TLSv1.3"), certificate="rsa"),
    http("http_ok_no_sni", tls(sni=None), client(version="TLSv1.3", server_name=None)),
    http("http_ok_resumed_tls12", tls(maximum=TLS12, times=2), client(resumed=False),
         client(version="TLSv1.2", resumed=True)),
    http("http_ok_resumed_tls13", tls(times=3), client(resumed=False), client(version="TLSv1.3", resumed=True),
         client(version="TLSv1.3", resumed=True)),
    http("http_ok_early_data_on", tls(), client(version="TLSv1.3"), conf="ssl_early_data on;"),
    http("http_ok_zero_rtt", clients.zero_rtt(), client(resumed=False), client(version="TLSv1.3", resumed=True),
         conf="ssl_early_data on;"),
    http("http_ok_http2", clients.http2(), client(version="TLSv1.3"), listen="127.0.0.1:@PORT@ ssl http2"),
    http("http_ok_ipv6", tls(), client(peer="::1"), listen="[::1]:@PORT@ ssl"),
    http("http_ok_mapped", tls(), client(peer="127.0.0.1"), listen="[::]:@PORT@ ssl ipv6only=off"),
    http("http_ok_unix_socket", tls(), client(transport="unix", version="TLSv1.3", local_port=None),
         listen="unix:@PKI@/listener.socket ssl"),
    http("http_ok_proxy_protocol", tls(before=wire.proxy_v1()), client(version="TLSv1.3", peer="192.0.2.7"),
         listen="127.0.0.1:@PORT@ ssl proxy_protocol"),
    http("http_ok_hello_retry", clients.s_client("-groups", "P-521:P-256"), client(version="TLSv1.3"),
         conf="ssl_ecdh_curve prime256v1;"),
    http("http_ok_slow_client", tls(pause_seconds=0.6), client()),
)

DYNAMIC = "ssl_certificate @PKI@/$ssl_server_name.pem; ssl_certificate_key {}; "

NEGOTIATION = (
    http("http_version_too_old", tls(maximum=TLS12),
         client("peer_version_too_old", error=258, server_name="lab.test", alert_sent="protocol_version",
                version=None),
         conf="ssl_protocols TLSv1.3;"),
    http("http_version_too_old_tls10", clients.raw(TLS10_HELLO), client("peer_version_too_old", error=258),
         conf="ssl_protocols TLSv1.2 TLSv1.3;"),
    http("http_version_too_old_sslv2", clients.raw(wire.sslv2_hello()),
         client("peer_version_too_old", error=252, version=None)),
    http("http_version_too_new", tls(minimum=TLS13), client("peer_version_too_new", error=258),
         conf="ssl_protocols TLSv1.2;"),
    http("http_no_shared_cipher_tls12", tls(maximum=TLS12, ciphers="ECDHE-ECDSA-AES256-GCM-SHA384"),
         client("no_shared_cipher", error=193), conf="ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256;"),
    http("http_no_shared_cipher_key_type", tls(maximum=TLS12, ciphers="ECDHE-RSA-AES128-GCM-SHA256"),
         client("no_shared_cipher", error=193)),
    http("http_no_shared_cipher_tls13", clients.raw(client_hello(
        versions=(wire.TLS13,), ciphers=(wire.AES128_GCM,))), client("no_shared_cipher", error=193),
        conf="ssl_conf_command Ciphersuites TLS_AES_256_GCM_SHA384;"),
    http("http_no_shared_group", clients.raw(client_hello(versions=(wire.TLS13,), groups=(wire.X25519,))),
         client("no_shared_group", error=101), conf="ssl_ecdh_curve secp384r1;"),
    http("http_no_shared_sigalg_tls13", clients.raw(client_hello(
        versions=(wire.TLS13,), sigalgs=(wire.ECDSA_P256,))), client("no_shared_signature_algorithm", error=118),
        certificate="rsa"),
    http("http_no_shared_sigalg_tls12", clients.raw(client_hello(sigalgs=(0x0840,))),
         client("no_shared_signature_algorithm", error=376)),
    http("http_no_application_protocol", tls(alpn=("postgresql",)),
         client("no_application_protocol", error=235, alert_sent="no_application_protocol"),
         listen="127.0.0.1:@PORT@ ssl http2",
         before=Before("nginx took an unknown protocol for none", (client(),), nginx=(1, 21, 4))),
    http("http_inappropriate_fallback", clients.raw(client_hello(
        ciphers=(wire.ECDHE_ECDSA_AES128, wire.FALLBACK_SCSV))), client("inappropriate_fallback", error=373)),
    http("http_unrecognized_name", tls(sni="nobody.test"),
         client("unrecognized_name", server_name="nobody.test"),
         conf="ssl_reject_handshake on;", certificate=""),
    http("http_unrecognized_name_no_sni", tls(sni=None), client("unrecognized_name", server_name=None),
         conf="ssl_reject_handshake on;", certificate=""),
    http("http_local_certificate_missing", tls(), client("local_certificate_problem"),
         conf=DYNAMIC.format("@PKI@/rsa.key"), certificate=""),
    http("http_local_certificate_key_mismatch", tls(sni="leaf"), client("local_certificate_problem", error=377),
         conf=DYNAMIC.format("@PKI@/otherca.key"), certificate=""),
    # OpenSSL keeps a key of another type beside the certificate and then finds nothing to sign with.
    http("http_local_certificate_key_type_mismatch", tls(sni="leaf"),
         client("no_shared_signature_algorithm", error=118), conf=DYNAMIC.format("@PKI@/rsa.key"), certificate=""),
    http("http_local_certificate_unreadable_key", tls(sni="leaf"), client("local_certificate_problem"),
         conf=DYNAMIC.format("@PKI@/secret.key"), certificate=""),
    http("http_local_certificate_too_weak", tls(sni="weak"), client("local_certificate_problem"),
         conf=DYNAMIC.format("@PKI@/weak.key"), certificate=""),
    http("http_ok_dynamic_certificate", tls(sni="leaf"), client(server_name="leaf"),
         conf=DYNAMIC.format("@PKI@/leaf.key"), certificate=""),
)

BROKEN = (
    http("http_not_tls_high_bit", clients.raw(b"\xff\xfe\xfd\xfc garbage that is no record\r\n"),
         client("not_tls", error=267)),
    http("http_malformed_extension", clients.raw(BAD_LENGTH), client("malformed_message")),
    http("http_malformed_record_length", clients.raw(b"\x16\x03\x01\xff\xff" + bytes(64)),
         client("malformed_message", error=(198, 146))), # since 3.2 DATA_LENGTH_TOO_LONG
    http("http_unexpected_message", clients.raw(SERVER_HELLO_FIRST), client("unexpected_message", error=244)),
    http("http_other_error_compression", clients.raw(NO_COMPRESSION), client("other_error", error=(187, 342))),
    http("http_bad_record_tls13", clients.raw(HELLO13, raw.flight, RUBBISH_RECORD),
         client("decrypt_error", error=281)),
    http("http_bad_binder", clients.bad_binder(), client(), client("session_resumption_failed", error=253)),
    http("http_closed_before_hello", clients.raw(HALF_HELLO, end=raw.close),
         client("peer_closed_before_hello", version=None, server_name=None)),
    http("http_closed_mid_tls12", clients.raw(client_hello(), raw.flight, end=raw.close),
         client("peer_closed_mid_handshake", server_name="lab.test")),
    http("http_closed_mid_tls13", clients.raw(HELLO13, raw.flight, end=raw.close),
         client("peer_closed_mid_handshake", server_name="lab.test")),
    http("http_closed_mid_split_hello", clients.raw(
        HELLO13[:7], raw.taken, HELLO13[7:], raw.flight, end=raw.close),
        client("peer_closed_mid_handshake", server_name="lab.test")),
    http("http_reset_before_hello", clients.raw(HALF_HELLO, raw.taken, end=raw.reset), client("peer_reset")),
    http("http_reset_mid", clients.raw(client_hello(), raw.flight, end=raw.reset),
         client("peer_reset", errno="ECONNRESET")),
    http("http_timeout_before_hello", clients.raw(HALF_HELLO), client("timeout_before_hello"),
         conf=HURRY),
    http("http_timeout_mid_tls12", clients.raw(client_hello()), client("timeout_mid_handshake"),
         conf=HURRY),
    http("http_timeout_mid_tls13", clients.raw(HELLO13), client("timeout_mid_handshake"),
         conf=HURRY),
    http("http_early_data_on_closed", clients.raw(HELLO13, raw.flight, end=raw.close),
         client("peer_closed_mid_handshake"), conf="ssl_early_data on;"),
    http("http_early_data_on_no_shared_cipher", tls(maximum=TLS12, ciphers="ECDHE-RSA-AES128-GCM-SHA256"),
         client("no_shared_cipher", error=193), conf="ssl_early_data on;"),
    http("http_ipv6_closed_before_hello", clients.raw(HALF_HELLO, end=raw.close),
         client("peer_closed_before_hello", peer="::1"), listen="[::1]:@PORT@ ssl"),
    http("http_mapped_reset", clients.raw(client_hello(), raw.flight, end=raw.reset),
         client("peer_reset", peer="127.0.0.1"), listen="[::]:@PORT@ ssl ipv6only=off"),
    http("http_proxy_protocol_alert", clients.raw(wire.proxy_v1(), client_hello(), raw.flight, wire.alert(48)),
         client("our_certificate_unknown_ca", peer="192.0.2.7"), listen="127.0.0.1:@PORT@ ssl proxy_protocol"),
)

ALERT_CAUSES = (
    (10, "unexpected_message", "unexpected_message"), (20, "bad_record_mac", "decrypt_error"),
    (40, "handshake_failure", "handshake_failure"), (42, "bad_certificate", "our_certificate_refused"),
    (43, "unsupported_certificate", "our_certificate_refused"),
    (44, "certificate_revoked", "our_certificate_revoked"), (45, "certificate_expired", "our_certificate_expired"),
    (46, "certificate_unknown", "our_certificate_refused"), (47, "illegal_parameter", "malformed_message"),
    (48, "unknown_ca", "our_certificate_unknown_ca"), (49, "access_denied", "other_alert"),
    (50, "decode_error", "malformed_message"), (51, "decrypt_error", "decrypt_error"),
    (80, "internal_error", "internal_error"), (90, "user_canceled", "other_alert"),
)
ALERTS = tuple(
    http(f"http_alert_{number}", clients.refuse(number),
         client(cause, error=1000 + number, alert_received=name, alert_sent=None, server_name="lab.test",
                version="TLSv1.2"))
    for number, name, cause in ALERT_CAUSES)

TRUST = (
    http("http_client_unknown_ca_tls13", tls(ca="otherca"), client("our_certificate_unknown_ca", error=1048)),
    http("http_client_unknown_ca_tls12", tls(ca="otherca", maximum=TLS12),
         client("our_certificate_unknown_ca", error=1048)),
    http("http_client_expired_tls13", tls(ca="ca"), client("our_certificate_expired", error=1045),
         certificate="expired"),
    http("http_client_revoked_tls13", tls(ca="ca", crl="crl.pem"), client("our_certificate_revoked", error=1044),
         certificate="revoked"),
    http("http_client_wrong_host_tls13", tls(ca="ca", check_host=True),
         client("our_certificate_refused", error=1042), certificate="wronghost"),
    http("http_client_trusts_us", tls(ca="ca", check_host=True), client()),
)

LONG_NAME = ".".join(("a" * 60, "b" * 60, "c" * 60, "test"))
GREASE = 0x0A0A
ONLY_TLS13 = wire.extension(wire.EXT_VERSIONS, b"\x02\x03\x04")
PADDING = wire.extension(21, bytes(3000))
MANY = b"".join(wire.extension(0xFE00 + number, b"") for number in range(25))

SHAPES = (
    http("http_ok_long_name", tls(sni=LONG_NAME), client(server_name=LONG_NAME)),
    http("http_long_name_closed_mid", clients.raw(client_hello(sni=LONG_NAME), raw.flight, end=raw.close),
         client("peer_closed_mid_handshake", server_name=LONG_NAME)),
    http("http_long_name_no_shared_cipher", clients.raw(client_hello(sni=LONG_NAME, ciphers=(0x0005,))),
         client("no_shared_cipher", error=193, server_name=LONG_NAME)),
    http("http_large_hello_no_shared_cipher", clients.raw(client_hello(ciphers=(0x0005,), extra=PADDING)),
         client("no_shared_cipher", error=193, server_name="lab.test")),
    http("http_version_too_new_grease", clients.raw(client_hello(versions=(GREASE, wire.TLS13))),
         client("peer_version_too_new", error=258), conf="ssl_protocols TLSv1.2;"),
    http("http_version_too_new_large_hello", clients.raw(client_hello(extra=PADDING + ONLY_TLS13)),
         client("peer_version_too_new", error=258), conf="ssl_protocols TLSv1.2;"),
    http("http_version_too_new_many_extensions", clients.raw(client_hello(extra=MANY + ONLY_TLS13)),
         client("peer_version_too_new", error=258), conf="ssl_protocols TLSv1.2;"),
    http("http_fragmented_hello_closed_mid", clients.raw(*wire.fragments(HELLO13, 50), raw.flight, end=raw.close),
         client("peer_closed_mid_handshake", server_name="lab.test")),
    http("http_fragmented_hello_no_shared_cipher", clients.raw(*wire.fragments(client_hello(ciphers=(0x0005,)), 50)),
         client("no_shared_cipher", error=193, server_name="lab.test")),
    http("http_close_notify_mid", clients.raw(client_hello(), raw.flight, wire.alert(0, level=1), end=raw.close),
         client("peer_closed_mid_handshake", server_name="lab.test")),
    http("http_user_canceled_mid", clients.raw(client_hello(), raw.flight, wire.alert(90, level=1),
                                               wire.alert(0, level=1), end=raw.close),
         client("peer_closed_mid_handshake", server_name="lab.test")),
)

SCENARIOS = OK + NEGOTIATION + BROKEN + ALERTS + TRUST + SHAPES
