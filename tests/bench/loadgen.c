/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Load generator: options and the event loop. One process, one thread, epoll.
 *
 * Invariant: no more than --concurrency connections at a time, none is started after --seconds, a signal or
 * --count, and the process ends at most GRACE_NS after that.
 * Exit status: 0 whatever the connections met (the counts tell), 1 when it could not run, 2 usage.
 */
#include "loadgen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_AT_ONCE  256
#define NS_PER_S        1000000000ull
#define GRACE_NS        (60 * NS_PER_S)
#define CONCURRENCY_MAX 20000

struct options {
	const char *address;
	unsigned long port, port_mtls, count, concurrency, rate, seconds, sources;
};

struct pool {
	struct connection *slots;
	struct connection **unused;
	size_t unused_count, size;
};

static volatile sig_atomic_t stop_asked;

static void ask_stop(int number)
{
	(void)number;
	stop_asked = 1;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static int usage(void)
{
	(void)fputs(
		"usage: loadgen --port N [--port-mtls N] [--address 127.0.0.1] [--count N] [--concurrency N]\n"
		"               [--rate N] [--seconds N] [--sources N] [--key any|ecdsa|rsa] --mix kind=weight,...\n"
		"kinds: ok13 ok12 resumed13 resumed12 no_shared_cipher version unknown_ca mtls_missing\n"
		"       close_early close_mid reset garbage plain_http request held13\n"
		"--count 0 means until --seconds or a signal, --rate 0 as fast as possible, --sources 0 no bind.\n"
		"--key is what the server is to sign with. held13 stays until --seconds or a signal.\n",
		stderr);
	return 2;
}

/* Returns false unless text is a number from 0 to limit. */
static bool parse_number(const char *text, unsigned long limit, unsigned long *number)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value > limit)
		return false;
	*number = value;
	return true;
}

static bool parse_mix(struct load *load, const char *mix)
{
	while (*mix != '\0') {
		size_t name_bytes = strcspn(mix, "=");
		struct kind_state *state = load_find_kind(load, mix, name_bytes);
		char *end;

		if (state == NULL || mix[name_bytes] != '=')
			return false;
		state->weight = (unsigned int)strtoul(mix + name_bytes + 1, &end, 10);
		if (*end != '\0' && *end != ',')
			return false;
		mix = *end == ',' ? end + 1 : end;
	}
	return true;
}

static bool parse_key(enum key_type *key, const char *name)
{
	static const char *const names[] = { [KEY_ANY] = "any", [KEY_ECDSA] = "ecdsa", [KEY_RSA] = "rsa" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0) {
			*key = (enum key_type)i;
			return true;
		}
	}
	return false;
}

static bool parse_option(struct options *options, struct load *load, int option, const char *value)
{
	switch (option) {
	case 'a':
		options->address = value;
		return true;
	case 'p':
		return parse_number(value, 65535, &options->port);
	case 'm':
		return parse_number(value, 65535, &options->port_mtls);
	case 'n':
		return parse_number(value, ~0ul, &options->count);
	case 'c':
		return parse_number(value, CONCURRENCY_MAX, &options->concurrency) && options->concurrency > 0;
	case 'r':
		return parse_number(value, 1000000, &options->rate);
	case 's':
		return parse_number(value, 86400, &options->seconds);
	case 'S':
		return parse_number(value, 250, &options->sources);
	case 'k':
		return parse_key(&load->key, value);
	case 'x':
		return parse_mix(load, value);
	default:
		return false;
	}
}

/* Some kind has a weight, and every such kind has a port to go to. */
static bool ports_given(const struct options *options, const struct load *load)
{
	bool any = false;

	for (size_t i = 0; i < KIND_COUNT; i++) {
		bool mtls = load->kinds[i].kind->port_mtls;

		if (load->kinds[i].weight == 0)
			continue;
		any = true;
		if ((mtls ? options->port_mtls : options->port) == 0)
			return false;
	}
	return any;
}

static bool parse_options(struct options *options, struct load *load, int argc, char **argv)
{
	static const struct option names[] = {
		{ "address", required_argument, NULL, 'a' },
		{ "port", required_argument, NULL, 'p' },
		{ "port-mtls", required_argument, NULL, 'm' },
		{ "count", required_argument, NULL, 'n' },
		{ "concurrency", required_argument, NULL, 'c' },
		{ "rate", required_argument, NULL, 'r' },
		{ "seconds", required_argument, NULL, 's' },
		{ "sources", required_argument, NULL, 'S' },
		{ "mix", required_argument, NULL, 'x' },
		{ "key", required_argument, NULL, 'k' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1)
		if (!parse_option(options, load, option, optarg))
			return false;
	load->server.sin_family = load->server_mtls.sin_family = AF_INET;
	load->server.sin_port = htons((uint16_t)options->port);
	load->server_mtls.sin_port = htons((uint16_t)options->port_mtls);
	load->sources = (unsigned int)options->sources;
	if (optind != argc || inet_pton(AF_INET, options->address, &load->server.sin_addr) != 1)
		return false;
	load->server_mtls.sin_addr = load->server.sin_addr;
	if ((ntohl(load->server.sin_addr.s_addr) >> 24) != IN_LOOPBACKNET)
		load->sources = 0;
	return options->seconds > 0 && ports_given(options, load);
}

static void set_signals(void)
{
	struct sigaction stop = { .sa_handler = ask_stop }, ignore = { .sa_handler = SIG_IGN };

	(void)sigaction(SIGINT, &stop, NULL);
	(void)sigaction(SIGTERM, &stop, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
}

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int pool_init(struct pool *pool, size_t size)
{
	pool->slots = calloc(size, sizeof(*pool->slots));
	pool->unused = calloc(size, sizeof(struct connection *));
	if (pool->slots == NULL || pool->unused == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < size; i++) {
		pool->slots[i].fd = -1;
		pool->unused[i] = &pool->slots[i];
	}
	pool->unused_count = pool->size = size;
	return 0;
}

static void pool_release(struct pool *pool)
{
	free(pool->unused);
	free(pool->slots);
}

/* Waits for events once and goes on with each connection they name. */
static void pool_turn(struct pool *pool, struct load *load, int timeout_ms)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int count = epoll_wait(load->epoll, events, EVENTS_AT_ONCE, timeout_ms);

	for (int i = 0; i < count; i++) {
		struct connection *connection = events[i].data.ptr;

		if (connection_continue(connection, load))
			pool->unused[pool->unused_count++] = connection;
	}
}

static bool pool_start(struct pool *pool, struct load *load, struct kind_state *state, struct kind_state *learner)
{
	struct connection *connection = pool->unused[pool->unused_count - 1];

	if (!connection_start(connection, load, state, learner))
		return false;
	pool->unused_count--;
	return true;
}

static void pool_abandon(struct pool *pool)
{
	for (size_t i = 0; i < pool->size; i++)
		if (pool->slots[i].step != STEP_FREE)
			connection_abandon(&pool->slots[i]);
}

/* What is held is let go of when the load is stopped. */
static void pool_let_go(struct pool *pool, const struct load *load)
{
	for (size_t i = 0; i < pool->size; i++)
		if (connection_let_go(&pool->slots[i], load))
			pool->unused[pool->unused_count++] = &pool->slots[i];
}

static bool any_holds(const struct load *load)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (load->kinds[i].weight != 0 && load->kinds[i].kind->holds)
			return true;
	return false;
}

/* One full handshake for each kind that resumes; on top of --count, it counts as one of kind "request". */
static void learn_sessions(struct pool *pool, struct load *load, uint64_t deadline_ns)
{
	struct kind_state *state = load_find_kind(load, "request", strlen("request"));

	for (size_t i = 0; i < KIND_COUNT; i++) {
		struct kind_state *learner = &load->kinds[i];

		if (learner->weight == 0 || !learner->kind->resumes)
			continue;
		(void)pool_start(pool, load, state, learner);
		while (pool->unused_count < pool->size && !stop_asked && now_ns() < deadline_ns)
			pool_turn(pool, load, 10);
	}
}

/* How many connections may have been started by now. */
static unsigned long allowed(const struct options *options, unsigned long count, uint64_t elapsed_ns)
{
	double paced = (double)elapsed_ns * (double)options->rate / (double)NS_PER_S + 1;

	return options->rate != 0 && paced < (double)count ? (unsigned long)paced : count;
}

static void run(struct pool *pool, struct load *load, const struct options *options)
{
	uint64_t start_ns = now_ns(), now = start_ns, deadline_ns = start_ns + options->seconds * NS_PER_S;
	unsigned long count = options->count == 0 ? ~0ul : options->count;
	unsigned long started = 0;
	bool stopping = false, holds = any_holds(load);

	learn_sessions(pool, load, deadline_ns);
	for (;;) {
		now = now_ns();
		if (!stopping && (stop_asked || now >= deadline_ns || (started >= count && !holds))) {
			stopping = true;
			deadline_ns = now + GRACE_NS;
		}
		if (stopping && (pool->unused_count == pool->size || now >= deadline_ns))
			break;
		if (stopping && holds)
			pool_let_go(pool, load);
		/* A refused connect counts as started: otherwise a dead server would keep this loop from ending. */
		for (unsigned long limit = allowed(options, count, now - start_ns);
		     !stopping && pool->unused_count > 0 && started < limit; started++)
			if (!pool_start(pool, load, load_pick_kind(load), NULL))
				limit = 0;
		pool_turn(pool, load, options->rate != 0 ? 1 : 50);
	}
	pool_abandon(pool);
	load_print(load, (double)(now - start_ns) / (double)NS_PER_S, stdout);
}

int main(int argc, char **argv)
{
	struct options options = { .address = "127.0.0.1", .concurrency = 64, .seconds = 60, .sources = 17 };
	struct load load = { .epoll = -1 };
	struct pool pool = { 0 };
	int status = 1;

	load_init_kinds(&load);
	if (!parse_options(&options, &load, argc, argv))
		return usage();
	set_signals();
	raise_descriptor_limit();
	load.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (load.epoll >= 0 && pool_init(&pool, options.concurrency) == 0 && load_prepare(&load) == 0) {
		run(&pool, &load, &options);
		status = 0;
	} else {
		(void)fputs("loadgen: cannot set up\n", stderr);
	}
	pool_release(&pool);
	load_release(&load);
	if (load.epoll >= 0)
		(void)close(load.epoll);
	return status;
}
