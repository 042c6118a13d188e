/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Following what comes and goes: containers, other versions, upgrades, restarts.
 *
 * /proc is not walked on a timer: on a host with 2000 processes a walk takes tens of milliseconds. The kernel side
 * tells of each program once when it is run (EVENT_EXEC); where it is an nginx, or is called so and gone already,
 * /proc is walked a few times, soon and then ever later: nginx reads its configuration for a while, forks and takes
 * its title. What is watched is asked once a second whether it is still there.
 *
 * Invariants: a target is let go only when none of its processes is left, its files a while later, so that a restart
 * finds its probes in place. A process that is being started is watched, and told only when it is clear what it is.
 * Must not know: what a target's kernel side is made of.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/examine.h"
#include "attach/watch_private.h"
#include "base/log.h"
#include "host/clock.h"
#include "host/worker.h"

#define MS_NS            1000000ull
#define SECOND_NS        1000000000ull
#define WALK_SHARE       20 /* one part of so many of a CPU's time is spent on walks at most */
#define STARTING_NS      (3 * SECOND_NS)
#define GRACE_NS         (3 * SECOND_NS)
#define GRACE_MAX_NS     (15 * SECOND_NS)
#define ASKED_PER_SECOND 50
#define GONE_MAX         128 /* targets that went and are still listed */

/* When /proc is walked, after what gave rise to it. */
static const uint64_t steps_ns[] = {
	50 * MS_NS, 250 * MS_NS, SECOND_NS, STARTING_NS + 200 * MS_NS, 10 * SECOND_NS, 30 * SECOND_NS, 90 * SECOND_NS,
};

#define STEPS       (sizeof(steps_ns) / sizeof(steps_ns[0]))
#define STEPS_SHORT 4 /* where no program was started that may take its time */
#define STEPS_SOON  3 /* within the first second */

/* Who is told of changes. */
struct listener {
	watch_change_fn *changed;
	void *context;
};

static void rescan_begin(struct watch *watch, uint64_t now_ns)
{
	struct rescan *rescan = &watch->rescan;

	/* The first step that is still due is not put off: programs that are run all the time would never let it
	 * come. */
	if (rescan->step == 0 && rescan->begin_ns)
		return;
	if (rescan->step >= rescan->steps)
		rescan->steps = STEPS_SHORT;
	rescan->begin_ns = now_ns;
	rescan->step = 0;
}

static bool is_clear(const struct watch_target *target)
{
	return target->usable && target->instance.title != NGINX_TITLE_NONE && target->instance.worker_count > 0;
}

void rescan_start(struct watch *watch, uint64_t now_ns)
{
	for (size_t i = 0; i < watch->targets.count; i++) {
		struct watch_target *target = &watch->targets.items[i];

		target->starting = !is_clear(target);
		target->came_ns = now_ns;
	}
	rescan_begin(watch, now_ns);
}

static bool is_there(pid_t pid, uint64_t start_ticks)
{
	struct worker_stat stat;

	return !worker_stat_read(pid, &stat) && stat.start_ticks == start_ticks;
}

/* Whether one of its processes is left; those of a dead master serve on. */
static bool target_is_there(const struct watch_target *target)
{
	const struct nginx_instance *instance = &target->instance;

	if (is_there(instance->master, instance->start_ticks))
		return true;
	for (size_t i = 0; i < instance->worker_count; i++)
		if (is_there(instance->workers[i].pid, instance->workers[i].start_ticks))
			return true;
	return false;
}

static void target_went(struct watch *watch, struct watch_target *target, uint64_t now_ns,
			const struct listener *listener)
{
	target->gone_ns = now_ns;
	/* Its workers may be left, born since it was looked at; or it was the process that starts the master. */
	rescan_begin(watch, now_ns);
	if (target->usable && !target->starting)
		listener->changed(listener->context, target, WATCH_GONE);
}

/* The oldest of too many that went; those that were never told are not worth a place. */
static void forget_some(struct watch_targets *targets)
{
	size_t gone = 0, kept = 0;

	for (size_t i = 0; i < targets->count; i++)
		gone += targets->items[i].gone_ns != 0;
	for (size_t i = 0; i < targets->count; i++) {
		struct watch_target *target = &targets->items[i];
		bool useless = target->starting || !target->usable || gone > GONE_MAX;

		if (target->gone_ns && !target->attached && useless) {
			gone--;
			watch_target_release(target);
		} else {
			targets->items[kept++] = *target;
		}
	}
	targets->count = kept;
}

/*
 * Whether what went for so long is to be let go now. The kernel places no probe while it takes one away, and that
 * takes a tenth of a second each: what is just coming goes first.
 */
static bool is_time_to_drop(const struct rescan *rescan, uint64_t gone_for_ns)
{
	bool coming = rescan->step < STEPS_SOON && rescan->step < rescan->steps;

	return gone_for_ns > (coming ? GRACE_MAX_NS : GRACE_NS);
}

static void check_targets(struct watch *watch, uint64_t now_ns, const struct listener *listener)
{
	if (now_ns < watch->rescan.check_ns)
		return;
	watch->rescan.check_ns = now_ns + SECOND_NS;
	for (size_t i = 0; i < watch->targets.count; i++) {
		struct watch_target *target = &watch->targets.items[i];

		if (!target->gone_ns && !target_is_there(target))
			target_went(watch, target, now_ns, listener);
		if (target->attached && target->gone_ns && is_time_to_drop(&watch->rescan, now_ns - target->gone_ns))
			attachment_drop(watch, target);
	}
	forget_some(&watch->targets);
}

static bool has_worker(const struct watch_target *target, const struct nginx_instance *found)
{
	for (size_t i = 0; i < target->instance.worker_count; i++)
		if (target->instance.workers[i].pid == found->master &&
		    target->instance.workers[i].start_ticks == found->start_ticks)
			return true;
	return false;
}

/* A worker whose master died is found as an instance of its own. */
static struct watch_target *known_target(struct watch *watch, const struct nginx_instance *found)
{
	for (size_t i = 0; i < watch->targets.count; i++) {
		struct watch_target *target = &watch->targets.items[i];

		if (target->gone_ns)
			continue;
		if (target->instance.master == found->master && target->instance.start_ticks == found->start_ticks)
			return target;
		if (found->single && found->title != NGINX_TITLE_NONE && has_worker(target, found))
			return target;
	}
	return NULL;
}

/* Whether what is known of a target can be other by now. */
static bool may_have_changed(const struct watch_target *target, const struct nginx_instance *found, uint64_t now_ns)
{
	return target->starting &&
	       (!target->usable || target->instance.title != found->title ||
		target->instance.worker_count != found->worker_count || now_ns - target->came_ns >= STARTING_NS);
}

static void tell(const struct watch_target *target, const struct listener *listener)
{
	if (!target->starting)
		listener->changed(listener->context, target, target->usable ? WATCH_CAME : WATCH_REFUSED);
}

/*
 * Examines what was found, anew where it is the target at a place of the list, and attaches it. Takes the instance
 * over. Returns 0 or -ENOMEM.
 */
static int take_in(struct watch *watch, struct watch_target *known, struct nginx_instance *found, uint64_t now_ns,
		   const struct listener *listener)
{
	struct watch_target fresh = { .instance = *found, .came_ns = known ? known->came_ns : now_ns };
	struct watch_target *place = known;
	int error = examine_target(&fresh);

	*found = (struct nginx_instance){ 0 };
	if (!error && !place) {
		struct nginx_instance none = { 0 };

		error = watch_targets_add(&watch->targets, &none);
		place = &watch->targets.items[watch->targets.count - 1];
	}
	if (error) {
		watch_target_release(&fresh);
		return error;
	}
	if (place->attached && !fresh.usable)
		attachment_drop(watch, place);
	fresh.attached = place->attached;
	if (fresh.usable)
		watch_targets_assign_row(&watch->targets, &fresh);
	watch_target_release(place);
	*place = fresh;
	if (place->usable && attachment_make(watch, place, &place->problem))
		place->usable = false;
	place->starting = !is_clear(place) && now_ns - place->came_ns < STARTING_NS;
	tell(place, listener);
	return 0;
}

static int walk(struct watch *watch, uint64_t now_ns, const struct listener *listener)
{
	uint64_t spent_ns = clock_thread_cpu_ns();
	struct nginx_list list = { 0 };
	int error = nginx_find(&list);

	/* Attaching costs more, but once. */
	spent_ns = clock_thread_cpu_ns() - spent_ns;
	watch->rescan.earliest_ns = clock_monotonic_ns() + spent_ns * WALK_SHARE;
	log_debug("looked for nginx: %.1f ms", (double)spent_ns / MS_NS);
	for (size_t i = 0; i < list.count && !error; i++) {
		struct watch_target *known = known_target(watch, &list.items[i]);

		if (!known || may_have_changed(known, &list.items[i], now_ns))
			error = take_in(watch, known, &list.items[i], now_ns, listener);
	}
	nginx_list_release(&list);
	return error;
}

static void walk_if_due(struct watch *watch, uint64_t now_ns, const struct listener *listener)
{
	struct rescan *rescan = &watch->rescan;
	int error;

	if (!rescan->begin_ns || rescan->step >= rescan->steps ||
	    now_ns < rescan->begin_ns + steps_ns[rescan->step] || now_ns < rescan->earliest_ns)
		return;
	while (rescan->step < rescan->steps && now_ns >= rescan->begin_ns + steps_ns[rescan->step])
		rescan->step++;
	error = walk(watch, now_ns, listener);
	if (error)
		log_debug("looking for nginx: %s", strerror(-error));
}

void watch_tick(struct watch *watch, uint64_t now_ns, watch_change_fn *changed, void *context)
{
	const struct listener listener = { .changed = changed, .context = context };
	uint64_t lost;

	refine_tick(watch);
	if (!watch->follows)
		return;
	lost = tracer_execs_lost(watch->tracer);
	if (lost != watch->rescan.execs_lost)
		rescan_begin(watch, now_ns);
	watch->rescan.execs_lost = lost;
	check_targets(watch, now_ns, &listener);
	walk_if_due(watch, now_ns, &listener);
}

/* Whether one more program of this second may be asked: a build runs a new one every few milliseconds. */
static bool may_ask(struct rescan *rescan, uint64_t now_ns)
{
	if (now_ns - rescan->second_ns >= SECOND_NS) {
		rescan->second_ns = now_ns;
		rescan->asked = 0;
	}
	return rescan->asked++ < ASKED_PER_SECOND;
}

void watch_saw_exec(struct watch *watch, const struct event *mark, uint64_t now_ns)
{
	const struct program_key program = { .inode = mark->object,
					     .device = (uint32_t)mark->begin_ns,
					     .generation = (uint32_t)(mark->begin_ns >> 32) };
	enum nginx_answer answer = NGINX_ANSWER_NO;
	int error = -EAGAIN;

	if (!watch->follows)
		return;
	if (mark->header.answer || may_ask(&watch->rescan, now_ns))
		error = nginx_ask((pid_t)mark->header.tgid, &answer);
	if (!error && answer == NGINX_ANSWER_NO)
		return;
	tracer_forget_program(watch->tracer, &program);
	if (answer == NGINX_ANSWER_YES || (error && mark->header.answer)) {
		rescan_begin(watch, now_ns);
		watch->rescan.steps = STEPS;
	}
}

/* Room for one more worker: that of one that ended, or new. NULL when memory is short. */
static struct nginx_worker *worker_room(struct watch_target *target, size_t *index)
{
	struct nginx_instance *instance = &target->instance;
	struct nginx_worker *workers;
	uint32_t *generations;

	for (*index = 0; *index < instance->worker_count; ++*index) {
		struct nginx_worker *worker = &instance->workers[*index];

		if (!is_there(worker->pid, worker->start_ticks))
			return worker;
	}
	workers = reallocarray(instance->workers, instance->worker_count + 1, sizeof(*workers));
	if (!workers)
		return NULL;
	instance->workers = workers;
	generations = reallocarray(target->worker_generations, instance->worker_count + 1, sizeof(*generations));
	if (!generations)
		return NULL;
	target->worker_generations = generations;
	return &workers[instance->worker_count++];
}

void watch_saw_target(struct watch *watch, pid_t pid, uint64_t now_ns)
{
	struct worker_stat stat;

	if (!watch->follows || worker_stat_read(pid, &stat))
		return;
	for (size_t i = 0; i < watch->targets.count; i++) {
		struct watch_target *target = &watch->targets.items[i];
		struct nginx_worker *worker;
		size_t index;

		if (target->gone_ns || target->instance.master != stat.parent)
			continue;
		worker = worker_room(target, &index);
		if (!worker)
			return;
		*worker = (struct nginx_worker){ .pid = pid, .start_ticks = stat.start_ticks };
		target->worker_generations[index] = 0; /* its records say it */
		return;
	}
	/* Of a binary that is known, and of a master that is not. */
	rescan_begin(watch, now_ns);
}
