/* SPDX-License-Identifier: BSD-2-Clause */
/* Scripts: handshakes that OpenSSL completed, and what nginx or the peer make of them afterwards. */
#include <inttypes.h>

#include "fake_layout.h"
#include "scenarios.h"

/* A completed handshake with a client whose certificate is asked for. Returns where its session is. */
static struct made checked_client(struct victim *victim, unsigned int id, long verify_result, bool has_certificate)
{
	struct made made = make(victim, id, "server");

	say(victim, "set %u verify_mode 1", id);
	say(victim, "set %u verify_result %ld", id, verify_result);
	if (has_certificate)
		say(victim, "set %u session.peer self", id);
	succeed(victim, id);
	return made;
}

static void client_without_certificate(struct victim *victim)
{
	struct made made = checked_client(victim, 0, 0, false);

	say(victim, "remove_session %" PRIu64, made.session);
	say(victim, "free 0");
}

static void client_certificate_expired(struct victim *victim)
{
	struct made made = checked_client(victim, 0, 10, true);

	say(victim, "remove_session %" PRIu64, made.session);
	say(victim, "free 0");
}

static void client_certificate_ocsp(struct victim *victim)
{
	struct made made = checked_client(victim, 0, 0, true);

	say(victim, "remove_session %" PRIu64, made.session);
	say(victim, "free 0");
}

/* The request that is refused comes after other connections have had their handshakes. */
static void client_refused_later(struct victim *victim)
{
	struct made made = checked_client(victim, 0, 10, true);

	checked_client(victim, 1, 0, true);
	make(victim, 2, "server");
	wait_in(victim, 2, STATE_READ_CH);
	say(victim, "remove_session %" PRIu64, made.session);
	succeed(victim, 2);
	for (unsigned int id = 0; id < 3; id++)
		say(victim, "free %u", id);
}

/* A refusal comes with each request of a connection. */
static void client_refused_twice(struct victim *victim)
{
	struct made made = checked_client(victim, 0, 10, true);

	for (int i = 0; i < 3; i++)
		say(victim, "remove_session %" PRIu64, made.session);
	say(victim, "free 0");
	say(victim, "remove_session %" PRIu64, made.session);
}

static void unknown_session(struct victim *victim)
{
	checked_client(victim, 0, 10, true);
	say(victim, "remove_session 0x1234560");
	say(victim, "remove_session 0");
	say(victim, "free 0");
}

/* A session is an object's only as long as it lives: its address may be another's next. */
static void session_of_the_dead(struct victim *victim)
{
	struct made made = checked_client(victim, 0, 10, true);

	say(victim, "free 0");
	say(victim, "remove_session %" PRIu64, made.session);
}

/* The object has begun again without SSL_free, and has another session now. */
static void session_of_an_earlier_life(struct victim *victim)
{
	struct made made = checked_client(victim, 0, 10, true);

	say(victim, "set 0 flow_state %u", FLOW_UNINITED);
	say(victim, "set 0 hand_state %u", STATE_BEFORE);
	say(victim, "set 0 in_init 1");
	say(victim, "set 0 session %" PRIu64, made.object + 4096);
	succeed(victim, 0);
	say(victim, "remove_session %" PRIu64, made.session);
	say(victim, "free 0");
}

static void session_without_check(struct victim *victim)
{
	struct made made = make(victim, 0, "server");

	succeed(victim, 0);
	say(victim, "remove_session %" PRIu64, made.session);
	say(victim, "free 0");
}

static void verified_upstream(struct victim *victim, long verify_result)
{
	make(victim, 0, "client");
	wait_in(victim, 0, STATE_WROTE_CH);
	say(victim, "during 0 verify_result %ld", verify_result);
	succeed(victim, 0);
}

static void upstream_refused(struct victim *victim)
{
	verified_upstream(victim, 10);
	say(victim, "verify_error 10");
	say(victim, "free 0");
}

static void upstream_refused_after_a_byte(struct victim *victim)
{
	verified_upstream(victim, 10);
	say(victim, "write 0 1");
	say(victim, "verify_error 10");
	say(victim, "check_host -1");
	say(victim, "free 0");
}

/* Neither another result nor none, nor the string for a client's certificate. */
static void upstream_other_results(struct victim *victim)
{
	verified_upstream(victim, 10);
	say(victim, "verify_error 0");
	say(victim, "verify_error 18");
	say(victim, "check_host 0");
	make(victim, 1, "client"); /* now it is not the thread's last handshake any more */
	wait_in(victim, 1, STATE_WROTE_CH);
	say(victim, "verify_error 10");
	say(victim, "check_host -1");
	succeed(victim, 1);
	say(victim, "free 0");
	say(victim, "free 1");
}

static void upstream_name(struct victim *victim)
{
	verified_upstream(victim, 0);
	say(victim, "check_host -1");
	say(victim, "free 0");
}

static void client_is_not_upstream(struct victim *victim)
{
	checked_client(victim, 0, 10, true);
	say(victim, "verify_error 10");
	say(victim, "check_host -1");
	say(victim, "free 0");
}

static void late_alert(struct victim *victim, int asked, unsigned int alert, unsigned int received)
{
	make(victim, 0, "client");
	wait_in(victim, 0, STATE_WROTE_CH);
	if (asked)
		say(victim, "set 0 cert_req %d", asked);
	succeed(victim, 0);
	say(victim, "write 0 100"); /* the request */
	say(victim, "peer_write 0 %u", received);
	say(victim, "set 0 fatal_alert %u", alert);
	say(victim, "free 0");
}

static void alert_after_completion(struct victim *victim)
{
	late_alert(victim, 2, 116, 24);
}

static void alert_refuses_ours(struct victim *victim)
{
	late_alert(victim, 1, 48, 24);
}

static void alert_after_data(struct victim *victim)
{
	late_alert(victim, 2, 116, 65);
}

static void alert_not_asked(struct victim *victim)
{
	late_alert(victim, 0, 116, 24);
}

static void alert_of_another_kind(struct victim *victim)
{
	late_alert(victim, 2, 80, 24);
}

#define KEPT(name_, direction_, count_)                                                               \
	{                                                                                             \
		.name = #name_, .run = name_, .direction = DIRECTION_##direction_, .cause = CAUSE_OK, \
		.begun = (count_), .ok = (count_)                                                     \
	}
#define REFUSED(name_, direction_, cause_, count_)                                                          \
	{                                                                                                   \
		.name = #name_, .run = name_, .direction = DIRECTION_##direction_, .cause = CAUSE_##cause_, \
		.begun = (count_), .ok = (count_), .amended = 1                                             \
	}

const struct scenario refusals[] = {
	REFUSED(client_without_certificate, CLIENT, PEER_CERTIFICATE_MISSING, 1),
	REFUSED(client_certificate_expired, CLIENT, PEER_CERTIFICATE_EXPIRED, 1),
	REFUSED(client_certificate_ocsp, CLIENT, OCSP_FAILED, 1),
	REFUSED(client_refused_later, CLIENT, PEER_CERTIFICATE_EXPIRED, 3),
	REFUSED(client_refused_twice, CLIENT, PEER_CERTIFICATE_EXPIRED, 1),
	KEPT(unknown_session, CLIENT, 1),
	KEPT(session_of_the_dead, CLIENT, 1),
	KEPT(session_of_an_earlier_life, CLIENT, 2),
	KEPT(session_without_check, CLIENT, 1),
	REFUSED(upstream_refused, UPSTREAM, PEER_CERTIFICATE_EXPIRED, 1),
	KEPT(upstream_refused_after_a_byte, UPSTREAM, 1),
	KEPT(upstream_other_results, UPSTREAM, 2),
	REFUSED(upstream_name, UPSTREAM, PEER_CERTIFICATE_WRONG_HOST, 1),
	KEPT(client_is_not_upstream, CLIENT, 1),
	REFUSED(alert_after_completion, UPSTREAM, CLIENT_CERTIFICATE_REQUIRED, 1),
	REFUSED(alert_refuses_ours, UPSTREAM, OUR_CERTIFICATE_UNKNOWN_CA, 1),
	KEPT(alert_after_data, UPSTREAM, 1),
	KEPT(alert_not_asked, UPSTREAM, 1),
	KEPT(alert_of_another_kind, UPSTREAM, 1),
};
const size_t refusal_count = sizeof(refusals) / sizeof(refusals[0]);
