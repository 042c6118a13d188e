/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decoding of records. Contract: decode.h.
 */
#include <errno.h>
#include <string.h>

#include "handshake/classify.h"
#include "handshake/decode.h"

#define CLIENT_HELLO_MAX 0xffffffu /* a handshake message's length has 24 bits */

/* How much of the fixed part a kind cannot do without; 0 is no kind. */
static size_t least_fixed_bytes(uint8_t kind)
{
	switch (kind) {
	case EVENT_SETTLED:
	case EVENT_AMENDED:
		return sizeof(struct event);
	case EVENT_FINAL:
	case EVENT_EXEC:
		return offsetof(struct event, object) + sizeof(__u64);
	case EVENT_ANSWERED:
		return offsetof(struct event, connection) + sizeof(__u64);
	case EVENT_EXIT:
	case EVENT_TARGET:
		return offsetof(struct event, time_ns) + sizeof(__u64);
	}
	return 0;
}

static bool is_mark(uint8_t kind)
{
	return kind != EVENT_SETTLED && kind != EVENT_AMENDED;
}

static int check_tail(const struct event_header *header)
{
	switch (header->tail_kind) {
	case TAIL_NONE:
		return header->tail_bytes ? -EBADMSG : 0;
	case TAIL_CLIENT_HELLO:
		if (header->tail_true_bytes > CLIENT_HELLO_MAX)
			return -EBADMSG;
		break;
	case TAIL_SERVER_NAME:
		if (header->tail_true_bytes > CLIENTHELLO_SNI_BYTES)
			return -EBADMSG;
		break;
	default: /* foreign bytes, not an enum yet */
		return -EBADMSG;
	}
	if (is_mark(header->kind) || header->tail_bytes > header->tail_true_bytes)
		return -EBADMSG;
	return 0;
}

static int check_header(const struct event_header *header, size_t size)
{
	size_t least;

	if (header->version != EVENT_VERSION)
		return -EPROTONOSUPPORT;
	least = least_fixed_bytes(header->kind);
	if (!least)
		return -EBADMSG;
	if (header->size < least || header->size > size)
		return -EMSGSIZE;
	if (header->tail_bytes > size - header->size)
		return -EBADMSG;
	return check_tail(header);
}

static int check_verdict(const struct verdict *verdict)
{
	if (verdict->direction >= DIRECTION_COUNT || verdict->outcome > OUTCOME_REJECTED ||
	    verdict->stage > STAGE_DONE || verdict->rejection > REJECTION_UPSTREAM_ALERT ||
	    verdict->version_class > VERSION_CLASS_OUR_OLDER || verdict->first_record > FIRST_RECORD_OTHER ||
	    verdict->library > LIBRARY_BORINGSSL)
		return -EBADMSG;
	return 0;
}

static int check_event(const struct event *event)
{
	if (event->error_count > EVENT_ERRORS || event->proxy_bytes > EVENT_PROXY_BYTES)
		return -EBADMSG;
	if (event->sni_bytes > EVENT_SNI_BYTES && !(event->flags & EVENT_SNI_CUT))
		return -EBADMSG;
	return check_verdict(&event->verdict);
}

/* The longest one wins: the others are its beginning. */
static void offer_name(struct observation *out, const void *name, size_t bytes)
{
	if (bytes <= out->sni_bytes || bytes >= sizeof(out->sni))
		return;
	memcpy(out->sni, name, bytes);
	out->sni_bytes = (uint16_t)bytes;
}

static void read_tail(struct observation *out, const uint8_t *tail)
{
	const struct event_header *header = &out->event.header;

	if (header->tail_kind == TAIL_SERVER_NAME)
		offer_name(out, tail, header->tail_bytes);
	if (header->tail_kind != TAIL_CLIENT_HELLO)
		return;
	/* A hello that makes no sense is a finding and not a reason to lose the record. */
	clienthello_parse(&out->hello, tail, header->tail_bytes, header->tail_true_bytes);
	out->has_hello = true;
	if (out->hello.sni_present)
		offer_name(out, out->hello.sni, out->hello.sni_bytes);
}

int decode_record(const void *bytes, size_t size, struct observation *out)
{
	struct event event = { 0 };
	size_t known;
	int err;

	if (size < sizeof(event.header))
		return -EMSGSIZE;
	memcpy(&event.header, bytes, sizeof(event.header));
	err = check_header(&event.header, size);
	if (err)
		return err;
	known = event.header.size < sizeof(event) ? event.header.size : sizeof(event);
	memcpy(&event, bytes, known);
	err = check_event(&event);
	if (err)
		return err;

	memset(out, 0, sizeof(*out));
	if (event.sni_bytes > EVENT_SNI_BYTES)
		event.sni_bytes = EVENT_SNI_BYTES;
	out->event = event;
	offer_name(out, event.sni, event.sni_bytes);
	read_tail(out, (const uint8_t *)bytes + event.header.size);
	if (!is_mark(event.header.kind))
		out->cause = classify(&out->event.verdict);
	return 0;
}
