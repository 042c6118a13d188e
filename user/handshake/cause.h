/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The closed list of causes: ids, numbers, who can fix each, what it means and where to look.
 *
 * One list; enum, names, help, JSON, metrics and the man page come from it. Numbers are stable for ever, dense
 * and never reused: they are in recordings and dashboards.
 * Must not know: how a cause is recognised (classify.c).
 */
#ifndef TLSWHY_HANDSHAKE_CAUSE_H
#define TLSWHY_HANDSHAKE_CAUSE_H

#include <stdbool.h>

enum fixer {
	FIXER_NOBODY,  /* nothing is wrong, or nothing can be changed */
	FIXER_US,      /* nginx's configuration or host */
	FIXER_PEER,    /* whoever runs the other end of a client connection */
	FIXER_BACKEND, /* whoever runs the upstream server */
};

/*
 * X(symbol, number, id, fixer on the client side, fixer on the upstream side, meaning,
 *   what to change on the client side, what to change on the upstream side)
 */
#define CAUSES(X)                                                                                                   \
	X(OK, 0, "ok", NOBODY, NOBODY, "the handshake completed and nginx kept the connection", "", "")             \
	X(PEER_VERSION_TOO_OLD, 1, "peer_version_too_old", PEER, BACKEND,                                           \
	  "the peer's newest TLS version is below the oldest one nginx allows",                                     \
	  "ssl_protocols: allow the older version, or have these clients updated",                                  \
	  "proxy_ssl_protocols: allow the backend's version, or have the backend updated")                          \
	X(PEER_VERSION_TOO_NEW, 2, "peer_version_too_new", US, US,                                                  \
	  "the peer's oldest TLS version is above the newest one nginx allows", "ssl_protocols: add TLSv1.3",       \
	  "proxy_ssl_protocols: add TLSv1.3")                                                                       \
	X(NO_SHARED_CIPHER, 3, "no_shared_cipher", US, US, "no cipher suite in common",                             \
	  "ssl_ciphers and the type of ssl_certificate (RSA or ECDSA): compare with what these clients offer",      \
	  "proxy_ssl_ciphers: compare with what the backend accepts")                                               \
	X(NO_SHARED_GROUP, 4, "no_shared_group", US, US, "no key-exchange group in common",                         \
	  "ssl_ecdh_curve: add a group these clients offer",                                                        \
	  "proxy_ssl_conf_command Groups: add a group the backend accepts")                                         \
	X(NO_SHARED_SIGNATURE_ALGORITHM, 5, "no_shared_signature_algorithm", US, US,                                \
	  "no signature algorithm in common",                                                                       \
	  "the key type of ssl_certificate, ssl_conf_command SignatureAlgorithms",                                  \
	  "proxy_ssl_conf_command SignatureAlgorithms, or the backend's certificate")                               \
	X(NO_APPLICATION_PROTOCOL, 6, "no_application_protocol", US, US, "the ALPN offers do not meet",             \
	  "http2 on the listener, ssl_alpn in stream", "what the backend accepts by ALPN")                          \
	X(INAPPROPRIATE_FALLBACK, 7, "inappropriate_fallback", PEER, US,                                            \
	  "the peer fell back to an older version although both support a newer one",                               \
	  "find the first failure of the same client: the fallback only follows it",                                \
	  "proxy_ssl_protocols: offer the newest version the backend has")                                          \
	X(PLAIN_HTTP, 8, "plain_http", PEER, US, "the peer speaks HTTP without TLS on this connection",             \
	  "the client or load balancer must use https; error_page 497 redirects browsers",                          \
	  "proxy_pass http:// instead of https://, or the backend's port")                                          \
	X(NOT_TLS, 9, "not_tls", PEER, US, "the peer speaks something that is not TLS",                             \
	  "who connects here: a health check, a scanner, or PROXY protocol that listen does not expect",            \
	  "the port in proxy_pass: it is not a TLS port")                                                           \
	X(MALFORMED_MESSAGE, 10, "malformed_message", PEER, BACKEND, "a TLS message that cannot be parsed",         \
	  "the client's TLS library, or a middlebox in between", "the backend's TLS library")                       \
	X(UNEXPECTED_MESSAGE, 11, "unexpected_message", PEER, BACKEND, "a TLS message out of order",                \
	  "the client's TLS library, or two protocols on one port", "the backend's TLS library")                    \
	X(OUR_CERTIFICATE_UNKNOWN_CA, 12, "our_certificate_unknown_ca", US, US,                                     \
	  "the peer does not trust the issuer of our certificate",                                                  \
	  "ssl_certificate: the file must hold the whole chain; else the client's trust store",                     \
	  "proxy_ssl_certificate: the backend must trust its issuer, intermediates included")                       \
	X(OUR_CERTIFICATE_EXPIRED, 13, "our_certificate_expired", US, US,                                           \
	  "the peer says that our certificate has expired",                                                         \
	  "ssl_certificate: renew it and reload nginx; else the client's clock",                                    \
	  "proxy_ssl_certificate: renew it and reload nginx")                                                       \
	X(OUR_CERTIFICATE_REVOKED, 14, "our_certificate_revoked", US, US,                                           \
	  "the peer says that our certificate is revoked", "ssl_certificate: replace it",                           \
	  "proxy_ssl_certificate: replace it")                                                                      \
	X(OUR_CERTIFICATE_REFUSED, 15, "our_certificate_refused", US, US,                                           \
	  "the peer refuses our certificate without saying more",                                                   \
	  "ssl_certificate: name, chain and key type, for the server name the client asked for",                    \
	  "proxy_ssl_certificate: what the backend accepts as a client certificate")                                \
	X(PEER_CERTIFICATE_MISSING, 16, "peer_certificate_missing", PEER, BACKEND,                                  \
	  "nginx requires a client certificate and the client sent none",                                           \
	  "the client must send a certificate; ssl_verify_client optional lets it in without",                      \
	  "the backend must have a certificate")                                                                    \
	X(PEER_CERTIFICATE_EXPIRED, 17, "peer_certificate_expired", PEER, BACKEND,                                  \
	  "the peer's certificate has expired", "the client's certificate must be renewed",                         \
	  "the backend's certificate must be renewed; else this host's clock")                                      \
	X(PEER_CERTIFICATE_NOT_YET_VALID, 18, "peer_certificate_not_yet_valid", PEER, BACKEND,                      \
	  "the peer's certificate is not valid yet", "the clocks of this host and of the issuer",                   \
	  "the clocks of this host and of the issuer")                                                              \
	X(PEER_CERTIFICATE_UNTRUSTED, 19, "peer_certificate_untrusted", US, US,                                     \
	  "nginx does not trust the issuer of the peer's certificate",                                              \
	  "ssl_client_certificate or ssl_trusted_certificate: add the issuer",                                      \
	  "proxy_ssl_trusted_certificate: add the issuer; the backend must send its intermediates")                 \
	X(PEER_CERTIFICATE_SELF_SIGNED, 20, "peer_certificate_self_signed", US, US,                                 \
	  "the peer's certificate or its root is self-signed and not trusted",                                      \
	  "ssl_client_certificate: add the root if it is meant to be trusted",                                      \
	  "proxy_ssl_trusted_certificate: add the root if it is meant to be trusted")                               \
	X(PEER_CERTIFICATE_REVOKED, 21, "peer_certificate_revoked", PEER, BACKEND,                                  \
	  "the peer's certificate is revoked, or its revocation list is missing or stale",                          \
	  "ssl_crl: is the list there and fresh; else the client needs a new certificate",                          \
	  "proxy_ssl_crl: is the list there and fresh; else the backend needs a new certificate")                   \
	X(PEER_CERTIFICATE_WRONG_HOST, 22, "peer_certificate_wrong_host", PEER, US,                                 \
	  "the name nginx expects is not in the peer's certificate", "",                                            \
	  "proxy_ssl_name: set the name that is in the backend's certificate; proxy_ssl_server_name on")            \
	X(PEER_CERTIFICATE_WRONG_PURPOSE, 23, "peer_certificate_wrong_purpose", PEER, BACKEND,                      \
	  "the peer's certificate may not be used for this",                                                        \
	  "the client needs a certificate for client authentication",                                               \
	  "the backend needs a certificate for server authentication")                                              \
	X(PEER_CERTIFICATE_WEAK, 24, "peer_certificate_weak", PEER, BACKEND,                                        \
	  "a key or digest in the peer's chain is too weak for the security level",                                 \
	  "the client needs a stronger certificate; ssl_ciphers @SECLEVEL lowers the demand",                       \
	  "the backend needs a stronger certificate; proxy_ssl_ciphers @SECLEVEL lowers the demand")                \
	X(PEER_CERTIFICATE_INVALID, 25, "peer_certificate_invalid", PEER, BACKEND,                                  \
	  "the peer's certificate failed verification for another reason",                                          \
	  "ssl_verify_depth, or the client's chain: see the verify result",                                         \
	  "proxy_ssl_verify_depth, or the backend's chain: see the verify result")                                  \
	X(CLIENT_CERTIFICATE_REQUIRED, 26, "client_certificate_required", US, US,                                   \
	  "the backend demands a client certificate and nginx sent none", "",                                       \
	  "proxy_ssl_certificate and proxy_ssl_certificate_key")                                                    \
	X(MISSING_SNI, 27, "missing_sni", US, US, "the backend refused and nginx had sent no server name", "",      \
	  "proxy_ssl_server_name on, and proxy_ssl_name if the name differs")                                       \
	X(UNRECOGNIZED_NAME, 28, "unrecognized_name", US, US, "the server name asked for is not served",            \
	  "server_name: add the name, or ssl_reject_handshake is doing its work",                                   \
	  "proxy_ssl_name: ask for a name the backend serves")                                                      \
	X(HANDSHAKE_FAILURE, 29, "handshake_failure", PEER, BACKEND,                                                \
	  "the peer refused with handshake_failure and nothing tells more",                                         \
	  "ssl_protocols, ssl_ciphers, ssl_certificate against what the client accepts",                            \
	  "proxy_ssl_ciphers, proxy_ssl_protocols, proxy_ssl_certificate; the backend's log says why")              \
	X(PEER_CLOSED_BEFORE_HELLO, 30, "peer_closed_before_hello", PEER, BACKEND,                                  \
	  "the peer closed before its hello was complete", "health checks and scanners do this: look at the peers", \
	  "the backend closes at once: its connection limit, its listener, or a load balancer before it")           \
	X(PEER_CLOSED_MID_HANDSHAKE, 31, "peer_closed_mid_handshake", PEER, BACKEND,                                \
	  "the peer closed in the middle of the handshake",                                                         \
	  "clients that dislike our certificate or give up: look at the peers and the latency",                     \
	  "the backend's log and limits")                                                                           \
	X(PEER_RESET, 32, "peer_reset", PEER, BACKEND, "the connection was reset during the handshake",             \
	  "a firewall, load balancer or scanner in the path: look at the peers",                                    \
	  "the backend, or a firewall before it, resets: its log and limits")                                       \
	X(TIMEOUT_BEFORE_HELLO, 33, "timeout_before_hello", PEER, BACKEND,                                          \
	  "nginx gave up waiting for the peer's hello",                                                             \
	  "client_header_timeout (http), ssl_handshake_timeout (stream), timeout (mail); idle connections",         \
	  "proxy_connect_timeout; the backend accepts and does not answer: is it overloaded")                       \
	X(TIMEOUT_MID_HANDSHAKE, 34, "timeout_mid_handshake", PEER, BACKEND,                                        \
	  "nginx gave up in the middle of the handshake",                                                           \
	  "client_header_timeout (http), ssl_handshake_timeout (stream), timeout (mail); packet loss, MTU",         \
	  "proxy_connect_timeout; the backend or the path to it is slow")                                           \
	X(ABORTED_BY_NGINX, 35, "aborted_by_nginx", NOBODY, NOBODY,                                                 \
	  "nginx dropped the connection before any timeout",                                                        \
	  "a reload, an exit, or the other side of the request left",                                               \
	  "the client of the request left first: proxy_ignore_client_abort, or how slow the backend is")            \
	X(DECRYPT_ERROR, 36, "decrypt_error", PEER, BACKEND, "a record or Finished could not be verified",          \
	  "a middlebox, or a broken client", "a middlebox, or a broken backend")                                    \
	X(SESSION_RESUMPTION_FAILED, 37, "session_resumption_failed", US, US,                                       \
	  "a ticket or pre-shared key broke the handshake", "ssl_session_ticket_key: the same on every node",       \
	  "proxy_ssl_session_reuse off")                                                                            \
	X(LEGACY_RENEGOTIATION_REFUSED, 38, "legacy_renegotiation_refused", PEER, BACKEND,                          \
	  "the peer lacks secure renegotiation (RFC 5746)", "the client must be updated",                           \
	  "the backend must be updated; proxy_ssl_conf_command Options UnsafeLegacyServerConnect")                  \
	X(WEAK_DH, 39, "weak_dh", US, BACKEND, "the Diffie-Hellman key is too small",                               \
	  "ssl_dhparam: at least 2048 bits", "the backend's DH parameters; proxy_ssl_ciphers without DHE")          \
	X(LOCAL_CERTIFICATE_PROBLEM, 40, "local_certificate_problem", US, US,                                       \
	  "nginx has no usable certificate or key for this connection",                                             \
	  "ssl_certificate and ssl_certificate_key: path, permissions, match, for this server name",                \
	  "proxy_ssl_certificate and proxy_ssl_certificate_key: path, permissions, match")                          \
	X(OCSP_FAILED, 41, "ocsp_failed", US, US, "OCSP validation of the peer failed or could not be done",        \
	  "ssl_ocsp_responder, resolver, ssl_ocsp_cache; or the certificate is revoked", "")                        \
	X(RESOURCE_EXHAUSTED, 42, "resource_exhausted", US, US, "out of memory or a library limit",                 \
	  "memory limits of the nginx service", "memory limits of the nginx service")                               \
	X(INTERNAL_ERROR, 43, "internal_error", US, BACKEND, "one of the ends reports an internal error",           \
	  "the OpenSSL error below, and nginx's own log",                                                           \
	  "the backend's log; the OpenSSL error below if it is ours")                                               \
	X(OTHER_ALERT, 44, "other_alert", PEER, BACKEND, "the peer sent another alert",                             \
	  "the alert's name, in the client's TLS library", "the alert's name, in the backend's log")                \
	X(OTHER_ERROR, 45, "other_error", US, US, "OpenSSL raised another error", "the OpenSSL error below",        \
	  "the OpenSSL error below")                                                                                \
	X(UNKNOWN, 46, "unknown", NOBODY, NOBODY, "the handshake ended and nothing says why", "", "")

enum cause {
#define X(symbol, number, ...) CAUSE_##symbol = (number),
	CAUSES(X)
#undef X
		CAUSE_COUNT
};
#define X(...) +1
_Static_assert((0 CAUSES(X)) == CAUSE_COUNT, "CAUSES: gap or duplicate number");
#undef X

struct verdict;

/* The id, as CAUSES.md and every output spell it; "unknown" for a number outside the list. Static storage. */
const char *cause_id(enum cause cause);
/* One sentence in plain words, without a full stop. Static storage. */
const char *cause_meaning(enum cause cause);
/* What to look at or change, for a direction (enum direction); "" where nothing can be said. Static storage. */
const char *cause_advice(enum cause cause, unsigned int direction);
/* Who can fix it. */
enum fixer cause_fixer(enum cause cause, unsigned int direction);
/* Whether somebody stopped waiting, the peer or nginx: what a late worker or a slow path can bring about. */
bool cause_is_given_up(enum cause cause);
/* Looks an id up. Returns 0 and sets *cause, or -ENOENT with *cause untouched. */
int cause_from_id(const char *id, enum cause *cause);

#endif
