/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kinds: each row is one prescribed way to succeed or to fail against an nginx with ssl_protocols TLSv1.2
 * TLSv1.3 and an ECDSA certificate.
 *
 * Invariant: a kind fails for one reason only, so that its cause is known.
 * Must not know: sockets.
 */
#include "loadgen.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>

static const struct kind kinds[KIND_COUNT] = {
	{ .name = "ok13", .min_version = TLS1_3_VERSION, .max_version = TLS1_3_VERSION, .completes = true },
	{ .name = "ok12", .min_version = TLS1_2_VERSION, .max_version = TLS1_2_VERSION, .completes = true },
	{ .name = "resumed13",
	  .min_version = TLS1_3_VERSION,
	  .max_version = TLS1_3_VERSION,
	  .completes = true,
	  .resumes = true },
	{ .name = "resumed12",
	  .min_version = TLS1_2_VERSION,
	  .max_version = TLS1_2_VERSION,
	  .completes = true,
	  .resumes = true },
	{ .name = "no_shared_cipher",
	  .min_version = TLS1_2_VERSION,
	  .max_version = TLS1_2_VERSION,
	  .ciphers = "ECDHE-RSA-AES128-GCM-SHA256",
	  .alert_received = SSL_AD_HANDSHAKE_FAILURE },
	{ .name = "version",
	  .min_version = TLS1_VERSION,
	  .max_version = TLS1_1_VERSION,
	  .ciphers = "DEFAULT@SECLEVEL=0",
	  .alert_received = SSL_AD_PROTOCOL_VERSION },
	{ .name = "unknown_ca",
	  .min_version = TLS1_2_VERSION,
	  .max_version = TLS1_3_VERSION,
	  .verifies = true,
	  .alert_sent = SSL_AD_UNKNOWN_CA },
	{ .name = "mtls_missing",
	  .min_version = TLS1_2_VERSION,
	  .max_version = TLS1_3_VERSION,
	  .completes = true,
	  .port_mtls = true,
	  .status = "HTTP/1.1 400" },
	{ .name = "close_early", .payload = PAYLOAD_HALF_HELLO },
	{ .name = "close_mid", .payload = PAYLOAD_HELLO, .awaits_hello = true },
	{ .name = "reset", .payload = PAYLOAD_HELLO, .awaits_hello = true, .resets = true },
	{ .name = "garbage", .payload = PAYLOAD_GARBAGE },
	{ .name = "plain_http", .payload = PAYLOAD_HTTP },
	{ .name = "request",
	  .min_version = TLS1_2_VERSION,
	  .max_version = TLS1_3_VERSION,
	  .completes = true,
	  .status = "HTTP/1.1 200" },
	{ .name = "held13",
	  .min_version = TLS1_3_VERSION,
	  .max_version = TLS1_3_VERSION,
	  .completes = true,
	  .holds = true },
};

/* What a client may ask for; NULL: the library's. A kind with ciphers of its own prescribes the key by them. */
static const char *const signatures[] = {
	[KEY_ECDSA] = "ECDSA+SHA256:ECDSA+SHA384",
	[KEY_RSA] = "RSA-PSS+SHA256:RSA+SHA256",
};

void load_init_kinds(struct load *load)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		load->kinds[i].kind = &kinds[i];
}

struct kind_state *load_find_kind(struct load *load, const char *name, size_t name_bytes)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (strlen(kinds[i].name) == name_bytes && memcmp(kinds[i].name, name, name_bytes) == 0)
			return &load->kinds[i];
	return NULL;
}

struct kind_state *load_pick_kind(struct load *load)
{
	struct kind_state *best = NULL;
	long sum = 0;

	for (size_t i = 0; i < KIND_COUNT; i++) {
		struct kind_state *state = &load->kinds[i];

		if (state->weight == 0)
			continue;
		sum += state->weight;
		state->credit += state->weight;
		if (best == NULL || state->credit > best->credit)
			best = state;
	}
	if (best != NULL)
		best->credit -= sum;
	return best;
}

static void note_alert(const SSL *ssl, int where, int value)
{
	struct connection *connection = SSL_get_app_data(ssl);

	if ((where & SSL_CB_ALERT) == 0 || value >> 8 != SSL3_AL_FATAL)
		return;
	if (where & SSL_CB_READ)
		connection->alert_received = value & 0xff;
	else
		connection->alert_sent = value & 0xff;
}

static SSL_CTX *make_context(const struct kind *kind, enum key_type key)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (context == NULL)
		return NULL;
	SSL_CTX_set_info_callback(context, note_alert);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(context, kind->verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	if (SSL_CTX_set_min_proto_version(context, kind->min_version) != 1 ||
	    SSL_CTX_set_max_proto_version(context, kind->max_version) != 1 ||
	    (kind->ciphers == NULL && signatures[key] != NULL &&
	     SSL_CTX_set1_sigalgs_list(context, signatures[key]) != 1) ||
	    (kind->ciphers != NULL && SSL_CTX_set_cipher_list(context, kind->ciphers) != 1)) {
		SSL_CTX_free(context);
		return NULL;
	}
	return context;
}

/* The ClientHello, record header included, that libssl would send; the kinds without libssl replay it. */
static int make_hello(struct load *load)
{
	static const struct kind any = { .min_version = TLS1_2_VERSION, .max_version = TLS1_3_VERSION };
	struct connection sink = { 0 };
	SSL_CTX *context = make_context(&any, load->key);
	SSL *ssl = context == NULL ? NULL : SSL_new(context);
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	int written = 0;

	if (ssl != NULL && in != NULL && out != NULL) {
		SSL_set_app_data(ssl, &sink);
		SSL_set_bio(ssl, in, out); /* takes both over */
		(void)SSL_connect(ssl);
		written = BIO_read(out, load->hello, sizeof(load->hello));
		ERR_clear_error();
	} else {
		BIO_free(in);
		BIO_free(out);
	}
	SSL_free(ssl);
	SSL_CTX_free(context);
	load->hello_bytes = written > 0 ? (size_t)written : 0;
	return written > 0 ? 0 : -EIO;
}

int load_prepare(struct load *load)
{
	for (size_t i = 0; i < KIND_COUNT; i++) {
		struct kind_state *state = &load->kinds[i];

		if (state->weight == 0 || state->kind->payload != PAYLOAD_NONE)
			continue;
		state->context = make_context(state->kind, load->key);
		if (state->context == NULL) {
			ERR_print_errors_fp(stderr);
			return -EIO;
		}
	}
	return make_hello(load);
}

void load_release(struct load *load)
{
	for (size_t i = 0; i < KIND_COUNT; i++) {
		SSL_SESSION_free(load->kinds[i].session);
		SSL_CTX_free(load->kinds[i].context);
	}
}
