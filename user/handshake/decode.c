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

/* What lies beyond the known bytes of a struct event is zero, as *to is before. */
static void read_member(void *to, size_t count, const uint8_t *bytes, size_t known, size_t offset)
{
	if (offset < known)
		memcpy(to, bytes + offset, count < known - offset ? count : known - offset);
}
#define READ_MEMBER(to, bytes, known, member) \
	read_member(&(to), sizeof(to), bytes, known, offsetof(struct event, member))

/* In place: a whole copy that is only looked at would take as long as all else that is done with most records. */
static int check_event(const uint8_t *bytes, size_t known)
{
	uint8_t error_count = 0, proxy_bytes = 0, sni_bytes = 0;
	struct verdict verdict = { 0 };
	uint32_t flags = 0;

	READ_MEMBER(verdict, bytes, known, verdict);
	READ_MEMBER(flags, bytes, known, flags);
	READ_MEMBER(error_count, bytes, known, error_count);
	READ_MEMBER(proxy_bytes, bytes, known, proxy_bytes);
	READ_MEMBER(sni_bytes, bytes, known, sni_bytes);
	if (error_count > EVENT_ERRORS || proxy_bytes > EVENT_PROXY_BYTES)
		return -EBADMSG;
	if (sni_bytes > EVENT_SNI_BYTES && !(flags & EVENT_SNI_CUT))
		return -EBADMSG;
	return check_verdict(&verdict);
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
	struct event_header header;
	struct event *event = &out->event;
	size_t known;
	int err;

	if (size < sizeof(header))
		return -EMSGSIZE;
	memcpy(&header, bytes, sizeof(header));
	err = check_header(&header, size);
	if (err)
		return err;
	known = header.size < sizeof(*event) ? header.size : sizeof(*event);
	err = check_event(bytes, known);
	if (err)
		return err;

	/* sni[] and hello are large, and meant only as far as they are told to be. */
	memcpy(event, bytes, known);
	memset((uint8_t *)event + known, 0, sizeof(*event) - known);
	out->cause = CAUSE_UNKNOWN;
	out->sni_bytes = 0;
	out->has_hello = false;
	if (event->sni_bytes > EVENT_SNI_BYTES)
		event->sni_bytes = EVENT_SNI_BYTES;
	offer_name(out, event->sni, event->sni_bytes);
	read_tail(out, (const uint8_t *)bytes + header.size);
	if (!is_mark(header.kind))
		out->cause = classify(&event->verdict);
	return 0;
}
