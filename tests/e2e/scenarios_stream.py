# SPDX-License-Identifier: BSD-2-Clause
"""The stream and mail modules. Neither looks at the first byte: whatever a client says reaches OpenSSL."""
from lab import backends, clients, raw, wire
from lab.backends import after_hello
from lab.clients import TLS12, TLS13, tls
from lab.scenario import Scenario, client, upstream
from lab.wire import client_hello

HALF_HELLO = client_hello()[:60]
VERIFY = ("proxy_ssl_verify on; proxy_ssl_trusted_certificate @PKI@/ca.pem; proxy_ssl_name lab.test; "
          "proxy_ssl_protocols TLSv1.2 TLSv1.3; ")
SNI = "proxy_ssl_server_name on; proxy_ssl_name lab.test; proxy_ssl_protocols TLSv1.2 TLSv1.3; "


def stream(name, trigger, *expect, **options):
    return Scenario(name, "stream", trigger, expect, **options)


def mail(name, trigger, *expect, **options):
    return Scenario(name, "mail", trigger, expect, **options)


def pipe(name, backend, *expect, conf="", trigger=clients.say_line(), hold=False):
    return Scenario(name, "stream_proxy", trigger, expect, conf=conf, backend=backend, hold=hold)


STREAM = (
    stream("stream_ok_tls13", tls(request=b""), client(version="TLSv1.3")),
    stream("stream_ok_tls12", tls(request=b"", maximum=TLS12), client(version="TLSv1.2")),
    stream("stream_ok_alpn", tls(request=b"", alpn=("imap",)), client(), conf="ssl_alpn imap;"),
    stream("stream_ok_proxy_protocol", tls(request=b"", before=wire.proxy_v1()), client(peer="192.0.2.7"),
           listen="127.0.0.1:@PORT@ ssl proxy_protocol"),
    stream("stream_plain_http", clients.raw(clients.GET), client("plain_http", error=156)),
    stream("stream_plain_connect", clients.raw(b"CONNECT lab.test:443 HTTP/1.1\r\n\r\n"),
           client("plain_http", error=155)),
    stream("stream_not_tls", clients.raw(b"SSH-2.0-OpenSSH_9.2\r\n"), client("not_tls", error=267)),
    stream("stream_unexpected_proxy_header", clients.raw(wire.proxy_v1()), client("not_tls", error=267)),
    stream("stream_closed_before_hello", clients.raw(end=raw.close), client("peer_closed_before_hello")),
    stream("stream_closed_mid", clients.raw(client_hello(), raw.flight, end=raw.close),
           client("peer_closed_mid_handshake")),
    stream("stream_reset_before_hello", clients.raw(raw.taken, end=raw.reset), client("peer_reset")),
    stream("stream_timeout_before_hello", clients.raw(), client("timeout_before_hello"),
           conf="ssl_handshake_timeout 1s;"),
    stream("stream_timeout_mid", clients.raw(client_hello()), client("timeout_mid_handshake"),
           conf="ssl_handshake_timeout 3s;"),
    stream("stream_no_application_protocol", tls(request=b"", alpn=("postgresql",)),
           client("no_application_protocol", error=235), conf="ssl_alpn imap;"),
    stream("stream_version_too_new", tls(request=b"", minimum=TLS13), client("peer_version_too_new", error=258),
           conf="ssl_protocols TLSv1.2;"),
    stream("stream_no_shared_cipher", tls(request=b"", maximum=TLS12, ciphers="ECDHE-RSA-AES128-GCM-SHA256"),
           client("no_shared_cipher", error=193)),
    stream("stream_alert_48", clients.refuse(48), client("our_certificate_unknown_ca", error=1048)),
    stream("stream_client_unknown_ca_tls13", tls(request=b"", ca="otherca"),
           client("our_certificate_unknown_ca", error=1048)),
)

UPSTREAM = (
    pipe("stream_up_ok", backends.tls(), upstream(), hold=True),
    pipe("stream_up_ok_verified", backends.tls(), upstream(version="TLSv1.3"), conf=VERIFY, hold=True),
    pipe("stream_up_untrusted", backends.tls(cert="untrusted"), upstream("peer_certificate_untrusted"), conf=VERIFY,
         hold=True),
    pipe("stream_up_expired", backends.tls(cert="expired"), upstream("peer_certificate_expired", verify_result=10),
         conf=VERIFY, hold=True),
    pipe("stream_up_wrong_host", backends.tls(cert="wronghost"), upstream("peer_certificate_wrong_host"),
         conf=VERIFY, hold=True),
    pipe("stream_up_plain_http", after_hello(backends.PLAIN_ANSWER), upstream("plain_http", error=267)),
    pipe("stream_up_not_tls", after_hello(b"220 mail.lab.test ESMTP\r\n"), upstream("not_tls", error=267)),
    pipe("stream_up_missing_sni", backends.refuse(112), upstream("missing_sni", error=1112)),
    pipe("stream_up_handshake_failure", backends.refuse(40), upstream("handshake_failure", error=1040), conf=SNI),
    pipe("stream_up_client_certificate_required_tls12", backends.tls(client_ca="ca", maximum=TLS12),
         upstream("client_certificate_required"), conf=SNI),
    pipe("stream_up_client_certificate_required_tls13", backends.tls(client_ca="ca"),
         upstream("client_certificate_required"), conf=SNI, hold=True),
    pipe("stream_up_closed_before_hello", after_hello(end=raw.close), upstream("peer_closed_before_hello")),
    pipe("stream_up_reset", after_hello(end=raw.reset), upstream("peer_reset")),
    pipe("stream_up_timeout", after_hello(), upstream("timeout_before_hello"), conf="proxy_connect_timeout 1s;"),
)

MAIL = (
    mail("mail_ok", clients.imap(), client(version="TLSv1.3")),
    mail("mail_ok_starttls", clients.starttls(), client(version="TLSv1.3"), listen="127.0.0.1:@PORT@",
         conf="starttls on;"),
    mail("mail_not_tls", clients.raw(b"a001 LOGIN user pass\r\n"), client("not_tls", error=267)),
    mail("mail_plain_http", clients.raw(clients.GET), client("plain_http", error=156)),
    mail("mail_closed_before_hello", clients.raw(end=raw.close), client("peer_closed_before_hello")),
    mail("mail_timeout_before_hello", clients.raw(HALF_HELLO), client("timeout_before_hello"), conf="timeout 1s;"),
    mail("mail_alert_45", clients.refuse(45), client("our_certificate_expired", error=1045)),
    mail("mail_version_too_old", clients.imap(maximum=TLS12), client("peer_version_too_old", error=258),
         conf="ssl_protocols TLSv1.3;"),
    mail("mail_starttls_closed", clients.starttls_raw(end=raw.close), client("peer_closed_before_hello"),
         listen="127.0.0.1:@PORT@", conf="starttls on;"),
    mail("mail_starttls_alert_46", clients.starttls_raw(client_hello(), raw.flight, wire.alert(46)),
         client("our_certificate_refused", error=1046), listen="127.0.0.1:@PORT@", conf="starttls on;"),
)

SCENARIOS = STREAM + UPSTREAM + MAIL
