/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who is traced: from the current task to its row of the layouts, and what a probe hit carries.
 *
 * Invariant: nothing happens unless armed; a process is traced only if the targets map says so, or if it runs the
 * same binary as its traced parent or a known one. Must not know: what a handshake is.
 */
#ifndef TLSWHY_TARGET_BPF_H
#define TLSWHY_TARGET_BPF_H

/*
 * What every handler needs of one hit. Who is hit is known from hit_init() on, time and scratch from hit_open() on,
 * the rest where a handler asks for it.
 */
struct hit {
	__u64 object;
	__u64 now_ns;
	__u32 tgid;
	__u32 tid;
	const struct layout *layout;
	const struct sight *sight;
	struct call *call;
	__u64 http_handler; /* struct target's */
	__u32 connection_index;
	__u32 generation;
	__u32 row;
	__u32 own_master; /* 1: the process is nobody's worker */
};

static __always_inline __u32 direction_row(__u32 first, __u32 direction)
{
	return first + (direction < DIRECTION_COUNT ? direction : DIRECTION_UNKNOWN);
}

/* Reads the traced process's memory; a fault is counted and gives false with dst zeroed by the helper. */
static __always_inline bool read_user(void *dst, __u32 size, __u64 address)
{
	if (bpf_probe_read_user(dst, size, (const void *)address) == 0)
		return true;
	counter_add(COUNTER_READ_FAULTS, 1);
	return false;
}

static __always_inline void binary_of(struct task_struct *task, struct binary_key *key)
{
	struct inode *inode = BPF_CORE_READ(task, mm, exe_file, f_inode);

	key->inode = BPF_CORE_READ(inode, i_ino);
	key->device = BPF_CORE_READ(inode, i_sb, s_dev);
}

/*
 * The generation of a worker that was just forked: that of its cycle, or the next one if its master has none for it.
 * A cycle's memory may be used again for a later one, but a new worker always has its master's newest; older ones are
 * forgotten. Two workers that come at once agree: both compute the same number, and the second finds nothing older.
 */
static __always_inline __u32 target_generation(struct target *master, const struct target *worker)
{
	struct cycle_key key = { .master = worker->master }, older = { .master = worker->master };
	__u32 next = master->generation + 1, *known;

	if (!worker->cycle_address || !read_user(&key.cycle, sizeof(key.cycle), worker->cycle_address))
		return master->generation;
	known = bpf_map_lookup_elem(&cycles, &key);
	if (known && *known == master->generation)
		return *known;
	bpf_map_update_elem(&cycles, &key, &next, BPF_ANY);
	master->generation = next;
	older.cycle = master->cycle;
	master->cycle = key.cycle;
	if (older.cycle != key.cycle)
		bpf_map_delete_elem(&cycles, &older);
	return next;
}

/* A process nobody named: taken in if it is a child of a target that runs the same binary, or runs a known one. */
subprogram struct target *target_adopt(__u32 tgid)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct task_struct *parent = BPF_CORE_READ(task, group_leader, real_parent);
	__u32 parent_tgid = BPF_CORE_READ(parent, tgid);
	struct binary_key own = {}, other = {};
	struct target *from = NULL, copy;

	if (!knobs.adopt_children && !knobs.adopt_binaries)
		return NULL;
	binary_of(task, &own);
	if (knobs.adopt_children) {
		from = bpf_map_lookup_elem(&targets, &parent_tgid);
		if (from) {
			binary_of(parent, &other);
			if (other.inode != own.inode || other.device != own.device)
				from = NULL;
		}
	}
	if (!from && knobs.adopt_binaries)
		from = bpf_map_lookup_elem(&binaries, &own);
	if (!from)
		return NULL;
	copy = *from;
	copy.generation = target_generation(from, &copy);
	bpf_map_update_elem(&targets, &tgid, &copy, BPF_NOEXIST);
	emit_mark(EVENT_TARGET, tgid, 0, 0);
	return bpf_map_lookup_elem(&targets, &tgid);
}

/* By the hit's row. False where there is none. */
static __always_inline bool hit_layout(struct hit *hit)
{
	const struct layout_entry *entry = bpf_map_lookup_elem(&layouts, &hit->row);

	if (!entry)
		return false;
	hit->layout = &entry->layout;
	hit->sight = &entry->sight;
	return true;
}

/* False when there is nothing to do: not armed, not a target, no layout row. */
static __always_inline bool hit_init(struct hit *hit, __u64 object)
{
	const struct target *target;
	__u64 pid_tgid;

	if (!armed)
		return false;
	pid_tgid = bpf_get_current_pid_tgid();
	hit->tgid = pid_tgid >> 32;
	hit->tid = (__u32)pid_tgid;
	hit->object = object;
	target = bpf_map_lookup_elem(&targets, &hit->tgid);
	if (!target)
		target = target_adopt(hit->tgid);
	if (!target) {
		counter_add(COUNTER_FOREIGN_HITS, 1);
		return false;
	}
	hit->row = target->row;
	hit->http_handler = target->http_handler;
	hit->connection_index = target->connection_index;
	hit->generation = target->generation;
	hit->own_master = target->master == hit->tgid;
	return hit_layout(hit);
}

static const struct call call_empty;

/* There is something to do: when, and in which scratch. False where the thread can have none. */
static __always_inline bool hit_open(struct hit *hit)
{
	hit->now_ns = bpf_ktime_get_ns();
	hit->call = bpf_map_lookup_elem(&calls, &hit->tid);
	if (hit->call)
		return true;
	bpf_map_update_elem(&calls, &hit->tid, &call_empty, BPF_NOEXIST);
	hit->call = bpf_map_lookup_elem(&calls, &hit->tid);
	return hit->call != NULL;
}

static __always_inline void key_init(struct object_key *key, const struct hit *hit)
{
	key->object = hit->object;
	key->tgid = hit->tgid;
	key->kind = OBJECT_SSL;
}

/* How long the current task has waited for a CPU since it was born. */
static __always_inline __u64 task_run_delay_ns(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	if (!bpf_core_field_exists(task->sched_info.run_delay))
		return 0;
	return kernel_read(task, sched_info.run_delay);
}

/* A process that is gone: its entry leaves, and the user side settles what it had in flight. */
static __always_inline void target_gone(__u32 tgid)
{
	struct target *target = bpf_map_lookup_elem(&targets, &tgid);
	struct cycle_key key = { .master = tgid };

	if (!target)
		return;
	key.cycle = target->cycle;
	if (key.cycle)
		bpf_map_delete_elem(&cycles, &key);
	bpf_map_delete_elem(&targets, &tgid);
	emit_mark(EVENT_EXIT, tgid, 0, 0);
}

/* A thread ends; with the last one the process. signal->live is already counted down at this tracepoint. */
static __always_inline void target_exit(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	__u32 tid = (__u32)pid_tgid;

	if (!armed)
		return;
	bpf_map_delete_elem(&calls, &tid);
	if (BPF_CORE_READ(task, signal, live.counter) == 0)
		target_gone(pid_tgid >> 32);
}

/*
 * A target's child that runs the same binary anew is the new master of an upgrade (nginx's USR2): its workers, which
 * are no children of a target, are to be taken in. It has another address space, and cycles of its own.
 */
static __always_inline void target_upgrade(struct task_struct *task, const struct binary_key *own, __u32 tgid)
{
	struct task_struct *parent = BPF_CORE_READ(task, group_leader, real_parent);
	__u32 parent_tgid = BPF_CORE_READ(parent, tgid);
	const struct target *from = bpf_map_lookup_elem(&targets, &parent_tgid);
	struct binary_key other = {};
	struct target copy;

	if (!from)
		return;
	binary_of(parent, &other);
	if (other.inode != own->inode || other.device != own->device)
		return;
	copy = *from;
	copy.master = tgid;
	copy.cycle_address = 0;
	copy.cycle = 0;
	copy.generation++;
	bpf_map_update_elem(&targets, &tgid, &copy, BPF_ANY);
}

#define NAME5(a, b, c, d, e) ((__u64)(a) | (__u64)(b) << 8 | (__u64)(c) << 16 | (__u64)(d) << 24 | (__u64)(e) << 32)

/* nginx, angie, openresty: whoever is called so is looked for even when it is gone already. */
static __always_inline bool called_like_nginx(void)
{
	__u64 comm[2] = {}, name;

	bpf_get_current_comm(comm, sizeof(comm));
	name = comm[0] & 0xffffffffffull;
	return name == NAME5('n', 'g', 'i', 'n', 'x') || name == NAME5('a', 'n', 'g', 'i', 'e') ||
	       name == NAME5('o', 'p', 'e', 'n', 'r');
}

/* The user side reads the program's file, once a program: it may be an nginx that nobody knows yet. */
static __always_inline void exec_tell(struct task_struct *task, const struct binary_key *own, __u32 tgid)
{
	struct program_key program = { .inode = own->inode, .device = (__u32)own->device };
	const __u8 told = 1;

	program.generation = BPF_CORE_READ(task, mm, exe_file, f_inode, i_generation);
	if (!bpf_map_lookup_elem(&binaries, own) && bpf_map_lookup_elem(&programs, &program))
		return;
	bpf_map_update_elem(&programs, &program, &told, BPF_ANY);
	if (emit_exec(tgid, &program, called_like_nginx()))
		return;
	bpf_map_delete_elem(&programs, &program);
	__sync_fetch_and_add(&execs_lost, 1);
}

/* The process runs another program now. */
static __always_inline void target_exec(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct binary_key own = {};

	if (!armed)
		return;
	target_gone(tgid);
	bpf_map_delete_elem(&calls, &tgid); /* exec leaves one thread, which has the process's number */
	binary_of(task, &own);
	if (knobs.adopt_children)
		target_upgrade(task, &own, tgid);
	if (knobs.tell_execs)
		exec_tell(task, &own, tgid);
}

#endif
