/* SPDX-License-Identifier: BSD-2-Clause */
/* From a snapshot to findings. Rules and contract: diagnose.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <linux/types.h>

#include "diagnose/accept_queue.h"
#include "diagnose/diagnose.h"
#include "diagnose/resumption.h"
#include "diagnose/saturation.h"
#include "handshake/names.h"

#define INFO_CAUSES    3 /* causes below a warning that are worth a finding */
#define EVIDENCE_NAMES 3 /* peers and server names quoted in a line */
#define NO_CAUSES      6 /* findings that are no cause: there is room for them, whatever fails */

/* How to see for oneself, where a command shows it. A direction a row; others have the general line only. */
static const struct {
	unsigned int direction;
	enum cause cause;
	const char *command;
} proofs[] = {
	{ .direction = DIRECTION_CLIENT,
	  .cause = CAUSE_PEER_VERSION_TOO_OLD,
	  .command =
		  "openssl s_client -connect HOST:PORT -tls1_1 (-tls1_2): connects with the version clients offer" },
	{ .direction = DIRECTION_CLIENT,
	  .cause = CAUSE_NO_SHARED_CIPHER,
	  .command = "openssl s_client -connect HOST:PORT -cipher LIST: connects with what the clients offer" },
	{ .direction = DIRECTION_CLIENT,
	  .cause = CAUSE_OUR_CERTIFICATE_UNKNOWN_CA,
	  .command = "openssl s_client -connect HOST:PORT -servername NAME -showcerts: the whole chain is sent" },
	{ .direction = DIRECTION_CLIENT,
	  .cause = CAUSE_OUR_CERTIFICATE_EXPIRED,
	  .command = "openssl s_client -connect HOST:PORT -servername NAME | openssl x509 -noout -dates" },
	{ .direction = DIRECTION_UPSTREAM,
	  .cause = CAUSE_PEER_CERTIFICATE_EXPIRED,
	  .command = "openssl s_client -connect BACKEND:PORT -servername NAME | openssl x509 -noout -dates" },
	{ .direction = DIRECTION_UPSTREAM,
	  .cause = CAUSE_PEER_CERTIFICATE_UNTRUSTED,
	  .command = "openssl s_client -connect BACKEND:PORT -CAfile FILE: says 'Verify return code: 0 (ok)'" },
	{ .direction = DIRECTION_UPSTREAM,
	  .cause = CAUSE_PEER_CERTIFICATE_WRONG_HOST,
	  .command = "openssl s_client -connect BACKEND:PORT -servername NAME -verify_hostname NAME" },
	{ .direction = DIRECTION_UPSTREAM,
	  .cause = CAUSE_MISSING_SNI,
	  .command = "openssl s_client -connect BACKEND:PORT: -noservername fails and -servername NAME connects" },
	{ .direction = DIRECTION_UPSTREAM,
	  .cause = CAUSE_PLAIN_HTTP,
	  .command = "curl -v http://BACKEND:PORT/: answers without TLS" },
	{ .direction = DIRECTION_UPSTREAM,
	  .cause = CAUSE_CLIENT_CERTIFICATE_REQUIRED,
	  .command = "openssl s_client -connect BACKEND:PORT -cert FILE -key FILE: connects" },
};

uint64_t diagnose_settled(const struct snapshot *snapshot, unsigned int direction)
{
	const struct totals *totals = &snapshot->totals[direction < SNAPSHOT_DIRECTIONS ? direction : 0];
	uint64_t unsettled = totals->open + totals->evicted;

	return totals->begun > unsettled ? totals->begun - unsettled : 0;
}

static enum severity severity_by_numbers(uint64_t count, double share)
{
	if ((count >= 20 && share >= 0.1) || (count >= 5 && share >= 0.5))
		return SEVERITY_CRITICAL;
	if ((count >= 10 && share >= 0.01) || (count >= 3 && share >= 0.1))
		return SEVERITY_WARNING;
	return SEVERITY_INFO;
}

/* Peers are listed, and none of them was also seen to succeed. The number is an estimate. */
static bool never_worked(const struct cause_row *row)
{
	return row->count > row->without_identity && row->peers_distinct > 0 && row->peers_returning >= 0 &&
	       row->peers_returning < 0.5;
}

enum severity diagnose_severity(const struct cause_row *row)
{
	enum severity severity = severity_by_numbers(row->count, row->share);
	enum fixer fixer = cause_fixer(row->cause, row->direction);
	bool lowered = fixer == FIXER_NOBODY || (fixer == FIXER_PEER && never_worked(row));

	if (cause_is_of_workers(row))
		return severity;
	return lowered && severity > SEVERITY_INFO ? (enum severity)(severity - 1) : severity;
}

const struct cause_row *diagnose_leading_cause(const struct snapshot *snapshot)
{
	const struct cause_row *leading = NULL;

	for (size_t i = 0; i < snapshot->cause_count; i++) {
		const struct cause_row *row = &snapshot->causes[i];

		if (!leading || diagnose_severity(row) > diagnose_severity(leading) ||
		    (diagnose_severity(row) == diagnose_severity(leading) && row->count > leading->count))
			leading = row;
	}
	return leading;
}

/* "a (3), b (2)", as many as are worth it and fit. */
static void name_some(const struct named_counts *names, char *buffer, size_t size)
{
	size_t used = 0;

	buffer[0] = '\0';
	for (size_t i = 0; i < names->count && i < EVIDENCE_NAMES; i++) {
		const struct named_count *name = &names->items[i];
		int length = snprintf(buffer + used, size - used, "%s%.*s (%" PRIu64 ")", i ? ", " : "",
				      (int)(name->name_bytes < 64 ? name->name_bytes : 64), name->name, name->count);

		if (length < 0 || (size_t)length >= size - used) {
			buffer[used] = '\0';
			return;
		}
		used += (size_t)length;
	}
}

static void add_peer_evidence(struct finding *finding, const struct cause_row *row)
{
	char names[FINDING_TEXT_BYTES / 2];

	if (row->peers_distinct > 0) {
		name_some(&row->peers, names, sizeof(names));
		if (row->peers_returning < 0)
			finding_evidence(finding, "about %.0f distinct peers; most: %s", row->peers_distinct, names);
		else
			finding_evidence(
				finding,
				"about %.0f distinct peers, about %.0f of them were also ok while watched; most: %s",
				row->peers_distinct, row->peers_returning, names);
	}
	if (row->server_names.count) {
		name_some(&row->server_names, names, sizeof(names));
		finding_evidence(finding, "server names, most: %s", names);
	}
}

const char *diagnose_quic_hides(enum cause cause)
{
	if (cause != CAUSE_PEER_CLOSED_BEFORE_HELLO && cause != CAUSE_PEER_CLOSED_MID_HANDSHAKE)
		return "";
	return "; why these left is in their CONNECTION_CLOSE, which tlswhy does not see";
}

static void add_cause_evidence(struct finding *finding, const struct snapshot *snapshot, const struct cause_row *row)
{
	char text[NAME_BYTES];

	finding_evidence(finding, "%" PRIu64 " of %" PRIu64 " settled %s handshakes, %.2f %%", row->count,
			 diagnose_settled(snapshot, row->direction), direction_name(row->direction),
			 row->share * 100);
	add_peer_evidence(finding, row);
	if (snapshot_over_quic(row))
		finding_evidence(finding, "%" PRIu64 " of them over QUIC%s", snapshot_over_quic(row),
				 diagnose_quic_hides(row->cause));
	if (cause_is_given_up(row->cause) && row->waited_for_worker)
		finding_evidence(finding, "%" PRIu64 " of them waited longer for nginx's worker than for the peer",
				 row->waited_for_worker);
	if (row->error_count)
		finding_evidence(finding, "library error %08X, %s: %" PRIu64 " times", row->errors[0].code,
				 error_text(row->errors[0].code, row->errors[0].family, text), row->errors[0].count);
	if (snapshot->start_ns && row->first_ns >= snapshot->start_ns && row->last_ns >= row->first_ns)
		finding_evidence(finding, "seen first %.1f s and last %.1f s into the watch",
				 (double)(row->first_ns - snapshot->start_ns) / 1e9,
				 (double)(row->last_ns - snapshot->start_ns) / 1e9);
}

static void add_proof(struct finding *finding, const struct cause_row *row)
{
	for (size_t i = 0; i < sizeof(proofs) / sizeof(proofs[0]); i++) {
		if (proofs[i].direction == row->direction && proofs[i].cause == row->cause)
			finding_verify(finding, "%s", proofs[i].command);
	}
	finding_verify(finding, "after the change, tlswhy report -d 30: no more %s on the %s side",
		       cause_id(row->cause), direction_name(row->direction));
}

const char *diagnose_advice(const struct snapshot *snapshot, const struct cause_row *row)
{
	return cause_is_of_workers(row) ? workers_advice(snapshot) : cause_advice(row->cause, row->direction);
}

static void add_cause(struct findings *findings, const struct snapshot *snapshot, const struct cause_row *row)
{
	const char *advice = diagnose_advice(snapshot, row);
	char id[FINDING_ID_BYTES];
	struct finding *finding;

	snprintf(id, sizeof(id), "%s.%s", direction_name(row->direction), cause_id(row->cause));
	finding = findings_add(findings, id, diagnose_severity(row));
	finding_title(finding, "%.1f %% of %s handshakes: %s", row->share * 100, direction_name(row->direction),
		      cause_meaning(row->cause));
	add_cause_evidence(finding, snapshot, row);
	if (advice[0])
		finding_change(finding, "%s", advice);
	add_proof(finding, row);
}

static void diagnose_causes(const struct snapshot *snapshot, struct findings *findings)
{
	size_t infos = 0;

	for (size_t i = 0; i < snapshot->cause_count; i++) {
		const struct cause_row *row = &snapshot->causes[i];

		if (diagnose_severity(row) == SEVERITY_INFO && infos++ >= INFO_CAUSES)
			continue;
		if (findings->count < FINDINGS_MAX - NO_CAUSES)
			add_cause(findings, snapshot, row);
	}
}

static void diagnose_measurement(const struct snapshot *snapshot, struct findings *findings)
{
	struct finding *finding;

	if (!snapshot->exact && snapshot->inexact_reason) {
		finding = findings_add(findings, "counts_inexact", SEVERITY_INFO);
		finding_title(finding, "the counts are not exact");
		finding_evidence(finding, "%s", snapshot->inexact_reason);
	}
	for (size_t i = 0; i < snapshot->cause_count; i++) {
		if (!snapshot->causes[i].incomplete)
			continue;
		finding = findings_add(findings, "evidence_incomplete", SEVERITY_INFO);
		finding_title(finding, "a probe was switched off for a while, to spare nginx");
		finding_evidence(finding, "%s may have been counted under another cause, or not at all",
				 cause_id(snapshot->causes[i].cause));
		return;
	}
}

void diagnose(const struct snapshot *snapshot, struct findings *findings)
{
	bool workers_short;

	memset(findings, 0, sizeof(*findings));
	diagnose_causes(snapshot, findings);
	workers_short = diagnose_saturation(snapshot, findings);
	diagnose_accept_queue(snapshot, workers_short, findings);
	diagnose_resumption(snapshot, findings);
	diagnose_measurement(snapshot, findings);
	findings_sort(findings);
}
