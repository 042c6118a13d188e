/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One watch from attach to the end: see session.h.
 *
 * Invariant: after session_run() nothing runs in the kernel any more and every record has been observed.
 */
#include "command/session.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "attach/privileges.h"
#include "base/log.h"
#include "handshake/decode.h"
#include "host/clock.h"

#define TICK_NS       100000000ull
#define TICK_QUIET_NS 190000000ull /* with what else it takes less than 200 ms until a record is told */
#define QUIET_NS      2000000000ull
#define BTF_VMLINUX   "/sys/kernel/btf/vmlinux"

int session_tell(const struct watch_problem *problem)
{
	log_error("%s", problem->sentence[0] ? problem->sentence : "cannot attach");
	if (problem->hint[0])
		log_hint("%s", problem->hint);
	switch (problem->fault) {
	case WATCH_FAULT_USAGE:
		return EXIT_USAGE;
	case WATCH_FAULT_REQUIREMENT:
		return EXIT_REQUIREMENT;
	case WATCH_FAULT_NONE:
	case WATCH_FAULT_RUNTIME:
		break;
	}
	return EXIT_RUNTIME;
}

bool session_color(const struct options *options, FILE *stream)
{
	const char *no_color = getenv("NO_COLOR");

	if (options->color != COLOR_AUTO)
		return options->color == COLOR_ALWAYS;
	return isatty(fileno(stream)) && (!no_color || !no_color[0]);
}

static int requirements_met(void)
{
	struct privileges privileges;

	if (privileges_missing(&privileges) > 0) {
		log_error("%s", privileges.sentence);
		log_hint("run tlswhy as root, for example with sudo");
		return EXIT_REQUIREMENT;
	}
	if (access(BTF_VMLINUX, R_OK) != 0) {
		log_error("cannot read '%s': %s", BTF_VMLINUX, strerror(errno));
		log_hint(
			"boot a kernel with BTF (CONFIG_DEBUG_INFO_BTF=y), as distributions' kernels since 2020 have");
		return EXIT_REQUIREMENT;
	}
	return EXIT_FINE;
}

/* Signals are read from a descriptor: the watch ends at a defined point. */
static int open_descriptors(struct session *session)
{
	sigset_t signals, blocked;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	blocked = signals;
	sigaddset(&blocked, SIGPIPE); /* a reader that left is an error of the write */
	if (sigprocmask(SIG_BLOCK, &blocked, NULL))
		return -errno;
	session->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	session->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	session->poll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (session->signal_fd < 0 || session->timer_fd < 0 || session->poll_fd < 0)
		return -errno;
	return 0;
}

/*
 * While it is quiet a tick comes half as often: what it looks for can wait for so long, and so can the first record,
 * which wakes nobody by itself.
 */
static int set_ticks(struct session *session, uint64_t period_ns)
{
	const struct itimerspec tick = { .it_interval.tv_nsec = (long)period_ns,
					 .it_value.tv_nsec = (long)period_ns };

	if (session->tick_ns == period_ns)
		return 0;
	session->tick_ns = period_ns;
	return timerfd_settime(session->timer_fd, 0, &tick, NULL) ? -errno : 0;
}

static void tell_refused(const struct watch_target *target)
{
	log_info("not watched: nginx (master %d): %s", (int)target->instance.master, target->problem.sentence);
}

static void tell_unusable(const struct watch_targets *targets)
{
	for (size_t i = 0; i < targets->count; i++)
		if (!targets->items[i].usable && !targets->items[i].starting)
			tell_refused(&targets->items[i]);
}

static void on_change(void *context, const struct watch_target *target, enum watch_change change)
{
	const struct session *session = context;

	switch (change) {
	case WATCH_CAME:
		log_info("watched now: nginx (master %d)", (int)target->instance.master);
		break;
	case WATCH_GONE:
		log_info("ended: nginx (master %d)", (int)target->instance.master);
		break;
	case WATCH_REFUSED:
		tell_refused(target);
		break;
	}
	if (session->handlers->changed)
		session->handlers->changed(session->context, target, change);
}

int session_open(struct session *session, const struct options *options, bool final_marks, struct backlog *backlog)
{
	struct watch_options watch = {
		.pids = options->pids,
		.pid_count = options->pid_count,
		.tracer = { .ring_bytes = options->ring_bytes,
			    .spill_entries = options->spill_entries,
			    .final_marks = final_marks },
	};
	struct watch_problem problem;
	int code = requirements_met();

	*session = (struct session){ .signal_fd = -1, .timer_fd = -1, .poll_fd = -1, .wake_fd = -1 };
	session->foreign.limit_percent = options->foreign_percent;
	if (code)
		return code;
	if (open_descriptors(session)) {
		log_error("cannot set up signals and timers: %s", strerror(errno));
		return EXIT_RUNTIME;
	}
	if (watch_open(&watch, &session->watch, &problem))
		return session_tell(&problem);
	session->start_ns = clock_monotonic_ns();
	session->unix_offset_ns = clock_unix_offset_ns();
	if (backlog)
		backlog_open(backlog, watch_targets(session->watch));
	if (privileges_drop(watch_follows(session->watch)))
		log_debug("not all capabilities could be dropped");
	tell_unusable(watch_targets(session->watch));
	fprintf(stderr, "tlswhy: attached to %zu nginx\n", watch_usable(session->watch));
	return EXIT_FINE;
}

void session_release(struct session *session)
{
	watch_free(session->watch);
	if (session->signal_fd >= 0)
		close(session->signal_fd);
	if (session->timer_fd >= 0)
		close(session->timer_fd);
	if (session->poll_fd >= 0)
		close(session->poll_fd);
}

/* Every record comes by here: what is not meant is not copied. */
static bool is_exec(const void *bytes, size_t size)
{
	struct event_header header;

	if (size < offsetof(struct event, object) + sizeof(__u64))
		return false;
	memcpy(&header, bytes, sizeof(header));
	return header.kind == EVENT_EXEC;
}

/* Marks that are for the watch alone. */
static void take_exec(const struct session *session, const void *bytes)
{
	struct event mark = { 0 };

	memcpy(&mark, bytes, offsetof(struct event, object) + sizeof(__u64));
	watch_saw_exec(session->watch, &mark, clock_monotonic_ns());
}

static void on_record(void *context, const void *bytes, size_t size)
{
	struct session *session = context;
	struct observation observation;

	if (is_exec(bytes, size)) {
		take_exec(session, bytes);
		return;
	}
	if (session->handlers->raw)
		bytes = session->handlers->raw(session->context, bytes, &size);
	if (!bytes || decode_record(bytes, size, &observation)) {
		session->undecodable++;
		return;
	}
	if (observation.event.header.kind == EVENT_EXIT)
		tracer_evict(watch_tracer(session->watch), observation.event.header.tgid, session->evicted);
	if (observation.event.header.kind == EVENT_TARGET)
		watch_saw_target(session->watch, (pid_t)observation.event.header.tgid, clock_monotonic_ns());
	session->handlers->observe(session->context, &observation);
}

static int add_descriptor(const struct session *session, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(session->poll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

/* Sleeps until a batch waits, a tick is due or a signal came. Returns 1 when it is time to end. */
static int wait_for_work(const struct session *session)
{
	struct epoll_event events[4];
	struct signalfd_siginfo signal;
	uint64_t ticks;
	int end = 0, ready = epoll_wait(session->poll_fd, events, 4, 1000);

	if (ready < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < ready; i++) {
		if (events[i].data.fd == session->timer_fd && read(session->timer_fd, &ticks, sizeof(ticks)) < 0 &&
		    errno != EAGAIN)
			return -errno;
		if (events[i].data.fd == session->signal_fd)
			end = read(session->signal_fd, &signal, sizeof(signal)) == sizeof(signal);
	}
	return end;
}

static int watch_until_end(struct session *session, const struct options *options)
{
	uint64_t deadline_ns = ~0ull, next_tick_ns = 0, busy_ns = session->start_ns;
	int end = set_ticks(session, TICK_NS);

	if (options->duration_s > 0)
		deadline_ns = session->start_ns + (uint64_t)(options->duration_s * 1e9);
	while (end == 0) {
		uint64_t now_ns;
		int drained;

		end = wait_for_work(session);
		drained = tracer_drain(watch_tracer(session->watch), on_record, session);
		if (drained < 0)
			return drained;
		now_ns = clock_monotonic_ns();
		if (drained)
			busy_ns = now_ns;
		if (end == 0)
			end = set_ticks(session, now_ns - busy_ns > QUIET_NS ? TICK_QUIET_NS : TICK_NS);
		watch_tick(session->watch, now_ns, on_change, session);
		answer_budget_check(&session->answers, watch_tracer(session->watch), now_ns);
		if (session->handlers->tick && now_ns >= next_tick_ns) {
			session->handlers->tick(session->context, now_ns);
			next_tick_ns = now_ns + TICK_NS / 2;
		}
		if (session->handlers->wake)
			session->handlers->wake(session->context);
		if (now_ns >= deadline_ns ||
		    foreign_budget_check(&session->foreign, watch_tracer(session->watch), now_ns))
			end = 1;
	}
	return end < 0 ? end : 0;
}

static bool process_alive(uint32_t tgid)
{
	char path[64];
	struct stat status;

	snprintf(path, sizeof(path), "/proc/%u/stat", tgid);
	return stat(path, &status) == 0;
}

int session_run(struct session *session, const struct options *options, const struct session_handlers *handlers,
		void *context)
{
	struct tracer *tracer = watch_tracer(session->watch);
	int error, drained;

	session->handlers = handlers;
	session->context = context;
	error = add_descriptor(session, tracer_fd(tracer));
	if (!error)
		error = add_descriptor(session, session->timer_fd);
	if (!error)
		error = add_descriptor(session, session->signal_fd);
	if (!error && session->wake_fd >= 0)
		error = add_descriptor(session, session->wake_fd);
	if (!error)
		error = watch_until_end(session, options);
	tracer_disarm(tracer);
	session->end_ns = clock_monotonic_ns();
	drained = tracer_drain(tracer, on_record, session);
	if (!error && drained < 0)
		error = drained;
	if (!error)
		error = tracer_evict_dead(tracer, process_alive, session->evicted);
	return error;
}

static void totals_from_rows(const uint64_t rows[COUNTER_ROWS], unsigned int direction, struct totals *totals)
{
	uint64_t amended = rows[COUNTER_AMENDED + direction];

	totals->begun = rows[COUNTER_BEGUN + direction];
	totals->ok = rows[COUNTER_OK + direction] - amended;
	totals->failed = rows[COUNTER_FAILED + direction] + amended;
	totals->joined = rows[COUNTER_JOINED + direction];
	totals->resumed = rows[COUNTER_RESUMED + direction];
	totals->unmatched = rows[COUNTER_UNMATCHED + direction];
}

int session_totals(const struct session *session, struct totals totals[SNAPSHOT_DIRECTIONS], struct losses *losses)
{
	const struct tracer *tracer = watch_tracer(session->watch);
	uint64_t rows[COUNTER_ROWS], open[DIRECTION_COUNT];
	int error = tracer_counters(tracer, rows);

	if (!error)
		error = tracer_open_handshakes(tracer, open);
	if (error)
		return error;
	*losses = (struct losses){
		.ring_full = rows[COUNTER_RING_FULL],
		.spill_full = rows[COUNTER_SPILL_FULL],
		.state_full = rows[COUNTER_STATE_FULL],
		.settled_full = rows[COUNTER_SETTLED_FULL],
		.read_faults = rows[COUNTER_READ_FAULTS],
		.undecodable = session->undecodable,
	};
	for (unsigned int direction = 0; direction < DIRECTION_COUNT; direction++) {
		totals_from_rows(rows, direction, &totals[direction]);
		totals[direction].open = open[direction];
		totals[direction].evicted = session->evicted[direction];
		losses->evicted += session->evicted[direction];
		losses->unmatched += totals[direction].unmatched;
	}
	return 0;
}

bool session_requests_incomplete(const struct session *session)
{
	uint64_t rows[COUNTER_ROWS];

	return session->answers.off_ns || tracer_counters(watch_tracer(session->watch), rows) ||
	       rows[COUNTER_LOST_ANSWERS] > 0;
}

bool session_answers_off(const struct session *session)
{
	return session->answers.off_ns != 0;
}
