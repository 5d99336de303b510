/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * current_identity: the id of the process that runs now, for programs in process context.
 *
 * A process is interned at its first use and kept in a cache by thread group; exec and fork drop the cache's entry
 * (process/identity.bpf.c), and a changed user, cgroup, network namespace or epoch makes it worthless. So a process that lives for 2 ms has its
 * own name, and one that never touches the network costs nothing.
 *
 * All objects share these maps: process/identity.bpf.c owns them, the others are given its descriptors at load.
 *
 * Kernel half only.
 */
#ifndef CONNSCOPE_IDENTITY_BPF_H
#define CONNSCOPE_IDENTITY_BPF_H

#include "bpf/include/fnv.h"
#include "bpf/include/kernel_types.h"
#include "bpf/include/ledger.bpf.h"
#include "bpf/process/identity.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define IDENTITIES 4096
#define NAME_BYTES 128
#define PATH_DEPTH 16
#define IDENTITY_NOT_CACHED (~0ULL)

/* Where a task's identity is asked for: in its own context, or in an iterator's. */
enum asked_by { ASKED_BY_HOOK = 0, ASKED_BY_ITERATOR };

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, IDENTITIES);
	__type(key, struct identity_key);
	__type(value, struct identity);
} identities SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, IDENTITIES);
	__type(key, u64);
	__type(value, struct identity_info);
} identity_infos SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u32); /* tgid */
	__type(value, struct identity_cached);
} identity_cache SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct identity_control);
} identity_control SEC(".maps");

/* What interpreters run, by thread group: from exec on, through forks, to the exit (process/identity.bpf.c). */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, u32); /* tgid */
	__type(value, struct identity_program);
} identity_programs SEC(".maps");

/* How many processes were left out, each when it was first looked at after an exec. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LEFT_OUT_WAYS);
	__type(key, u32); /* enum left_out_by */
	__type(value, u64);
} identity_left_out SEC(".maps");

/* Ids that are new, so that userspace can apply the rules at once. A lost one is found at the next collect. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} identity_news SEC(".maps");

/*
 * Identities that are being put together, which are larger than the stack. By task, not by CPU: on kernels that preempt, several may
 * be in the middle of it on one CPU.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, u64); /* the task's address; with the lowest bit set in an iterator */
	__type(value, struct identity_info);
} identity_drafts SEC(".maps");

static const struct identity_info no_info = {};

/* Appends one name of a path; returns the new length, or 0 when there is no room for it. */
static __always_inline u32 append_name(char *path, u32 length, const void *name)
{
	long n;

	if (length > IDENTITY_PATH_BYTES - NAME_BYTES)
		return 0;
	n = bpf_probe_read_kernel_str(path + length, NAME_BYTES, name);
	return n > 0 ? length + n : 0;
}

/* The executable's path across mounts, from the process's own root: that of its container, or of its chroot. */
static __always_inline void read_exe(struct identity_info *info, struct file *exe, struct task_struct *task)
{
	struct dentry *dentry = BPF_CORE_READ(exe, f_path.dentry), *root = BPF_CORE_READ(task, fs, root.dentry);
	struct vfsmount *mnt = BPF_CORE_READ(exe, f_path.mnt), *root_mnt = BPF_CORE_READ(task, fs, root.mnt);
	u32 length = 0;

	for (int i = 0; i < PATH_DEPTH; i++) {
		struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
		u32 longer;

		if (dentry == root && mnt == root_mnt)
			goto whole;
		if (dentry == BPF_CORE_READ(mnt, mnt_root)) {
			struct mount *mount = (void *)mnt - bpf_core_field_offset(struct mount, mnt);
			struct mount *above = BPF_CORE_READ(mount, mnt_parent);

			if (above == mount)
				goto whole;
			dentry = BPF_CORE_READ(mount, mnt_mountpoint);
			mnt = (void *)above + bpf_core_field_offset(struct mount, mnt);
			continue;
		}
		if (parent == dentry)
			goto whole;
		longer = append_name(info->exe, length, BPF_CORE_READ(dentry, d_name.name));
		if (!longer)
			break;
		length = longer;
		dentry = parent;
	}
	info->exe_cut = 1;
whole:
	info->exe_bytes = length;
	info->key.exe_hash = fnv1a(info->exe, length, sizeof(info->exe));
}

static __always_inline struct kernfs_node *kernfs_parent(struct kernfs_node *node)
{
	if (bpf_core_field_exists(node->__parent))
		return BPF_CORE_READ(node, __parent);
	return (void *)BPF_CORE_READ((struct kernfs_node___before_6_15 *)node, parent);
}

/* The path in the cgroup v2 hierarchy, below its root. */
static __always_inline void read_cgroup(struct identity_info *info, struct task_struct *task)
{
	struct kernfs_node *node = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn);
	u32 length = 0;

	for (int i = 0; i < PATH_DEPTH; i++) {
		struct kernfs_node *parent = kernfs_parent(node);
		u32 longer;

		if (!parent)
			goto whole;
		longer = append_name(info->cgroup, length, BPF_CORE_READ(node, name));
		if (!longer)
			break;
		length = longer;
		node = parent;
	}
	info->cgroup_cut = 1;
whole:
	info->cgroup_bytes = length;
}

/* The command line, and its hash for the key. */
static __always_inline void read_args(struct identity_info *info, struct mm_struct *mm)
{
	unsigned long start = BPF_CORE_READ(mm, arg_start);
	u64 bytes = BPF_CORE_READ(mm, arg_end) - start;

	if (bytes > IDENTITY_ARGS_BYTES)
		bytes = IDENTITY_ARGS_BYTES;
	if (bpf_probe_read_user(info->args, bytes, (const void *)start))
		return;
	info->args_bytes = bytes;
	info->key.args_hash = fnv1a(info->args, bytes, sizeof(info->args));
}

/* Kernel threads are one identity: their names change with the CPU and the work they do. */
static __always_inline void read_kernel_thread(struct identity_info *info)
{
	const char name[8] = "kernel";

	__builtin_memcpy(info->exe, name, sizeof(name));
	__builtin_memcpy(info->key.comm, name, sizeof(name));
	info->exe_bytes = __builtin_strlen(name) + 1;
}

static __always_inline void read_program(struct identity_info *info, struct task_struct *leader, struct mm_struct *mm,
					 bool wants_args)
{
	struct file *exe = BPF_CORE_READ(mm, exe_file);

	bpf_probe_read_kernel_str(info->key.comm, sizeof(info->key.comm), &leader->comm);
	if (wants_args)
		read_args(info, mm);
	if (exe)
		read_exe(info, exe, leader);
}

/* Gives the draft an id that no other identity has had. 0: the table is full. */
static __always_inline u64 publish_info(struct identity_info *draft)
{
	u64 id = bpf_ktime_get_ns();

	/* Two CPUs may read the same nanosecond. */
	for (int i = 0; i < 4; i++, id++)
		if (!bpf_map_update_elem(&identity_infos, &id, draft, BPF_NOEXIST))
			return id;
	return 0;
}

/* Counts the draft's process, unless it is known to be left out. The keys are read where they are, for the stack is short. */
static __always_inline void count_left_out(const struct identity_info *draft, const struct identity *known)
{
	const struct identity_cached *cached = bpf_map_lookup_elem(&identity_cache, &draft->pid);
	u64 *count = bpf_map_lookup_elem(&identity_left_out, &known->left_out_by);

	if (count && (!cached || cached->id != IDENTITY_IGNORED))
		__sync_fetch_and_add(count, 1);
}

/* The draft's identity: the known one, or a new one under the draft's key. */
static __always_inline u64 intern(struct identity_info *draft)
{
	struct identity *known = bpf_map_lookup_elem(&identities, &draft->key);
	struct identity fresh = {};

	if (known && known->left_out_by) {
		count_left_out(draft, known);
		return IDENTITY_IGNORED;
	}
	if (known)
		return known->id;
	fresh.id = publish_info(draft);
	if (!fresh.id)
		return IDENTITY_UNKNOWN;
	if (!bpf_map_update_elem(&identities, &draft->key, &fresh, BPF_NOEXIST)) {
		bpf_ringbuf_output(&identity_news, &fresh.id, sizeof(fresh.id), 0);
		return fresh.id;
	}
	/* Another CPU was first, or there is no room. */
	bpf_map_delete_elem(&identity_infos, &fresh.id);
	known = bpf_map_lookup_elem(&identities, &draft->key);
	return known ? known->id : IDENTITY_UNKNOWN;
}

/* What tells processes apart beside what they execute; what a cached identity is checked against. */
struct process_place {
	u64 cgroup_id;
	u32 tgid;
	u32 uid;
	u32 netns;
};

/* Of any process, by reads of kernel memory. */
static __always_inline struct process_place place_of(struct task_struct *task)
{
	struct process_place place = {
		.cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id),
		.tgid = BPF_CORE_READ(task, tgid),
		.uid = BPF_CORE_READ(task, cred, uid.val),
		.netns = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum),
	};

	return place;
}

/* Of the one that runs now. Since 5.11 the task can be read as it is, which costs a tenth. */
static __always_inline struct process_place current_place(void)
{
	struct process_place place = {};
	struct task_struct *task;

	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf))
		return place_of((void *)bpf_get_current_task());
	task = (void *)bpf_get_current_task_btf();
	place.tgid = task->tgid;
	place.uid = task->cred->uid.val;
	place.cgroup_id = task->cgroups->dfl_cgrp->kn->id;
	place.netns = task->nsproxy->net_ns->ns.inum;
	return place;
}

/* What the process runs, if it is an interpreter that the config asks for. */
static __always_inline void read_interpreted(struct identity_info *info, const struct identity_control *control)
{
	const struct identity_program *program;

	if (!control->interpreters)
		return;
	program = bpf_map_lookup_elem(&identity_programs, &info->pid);
	if (!program || !(control->interpreters >> (program->interpreter & 31) & 1))
		return;
	info->key.program_hash = program->hash;
	__builtin_memcpy(info->program, program->name, sizeof(info->program));
}

/* Puts the identity of `task`, which is at `place`, into the draft. Arguments can be read of the running process alone. */
static __always_inline void write_draft(struct identity_info *draft, struct task_struct *task,
					const struct process_place *place, const struct identity_control *control,
					bool with_args)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	draft->pid = place->tgid;
	draft->key.uid = place->uid;
	draft->key.cgroup_id = place->cgroup_id;
	draft->key.netns = place->netns;
	if (!mm || BPF_CORE_READ(task, flags) & PF_KTHREAD)
		read_kernel_thread(draft);
	else
		read_program(draft, BPF_CORE_READ(task, group_leader), mm, with_args);
	read_interpreted(draft, control);
	read_cgroup(draft, task);
}

/*
 * Looks a task up, or gives it a new identity. A global function, so that the verifier walks through it once, and not on every path
 * that leads here; those take numbers only.
 */
__noinline u64 intern_task(u64 task_address, u32 asked_by)
{
	struct process_place place = place_of((struct task_struct *)task_address);
	bool by_hook = asked_by == ASKED_BY_HOOK;
	u64 draft_key = task_address | !by_hook;
	u32 zero = 0;
	struct identity_control *control = bpf_map_lookup_elem(&identity_control, &zero);
	struct identity_cached cached = {.uid = place.uid, .cgroup_id = place.cgroup_id, .netns = place.netns};
	struct identity_info *draft = NULL;

	if (!control)
		return IDENTITY_UNKNOWN;
	if (!bpf_map_update_elem(&identity_drafts, &draft_key, &no_info, BPF_NOEXIST))
		draft = bpf_map_lookup_elem(&identity_drafts, &draft_key);
	if (!draft) {
		count_loss(LOSS_IDENTITIES_FULL);
		return IDENTITY_UNKNOWN;
	}
	cached.epoch = control->epoch;
	write_draft(draft, (struct task_struct *)task_address, &place, control, by_hook && control->wants_args);
	cached.id = intern(draft);
	bpf_map_delete_elem(&identity_drafts, &draft_key);
	if (cached.id == IDENTITY_UNKNOWN)
		count_loss(LOSS_IDENTITIES_FULL);
	else if (by_hook || !control->wants_args)
		bpf_map_update_elem(&identity_cache, &place.tgid, &cached, BPF_ANY);
	return cached.id;
}

static __always_inline u64 cached_identity(const struct process_place *place)
{
	u32 zero = 0;
	struct identity_control *control = bpf_map_lookup_elem(&identity_control, &zero);
	struct identity_cached *cached = bpf_map_lookup_elem(&identity_cache, &place->tgid);
	u32 epoch = control ? control->epoch : 0;

	if (cached && cached->epoch == epoch && cached->uid == place->uid && cached->cgroup_id == place->cgroup_id &&
	    cached->netns == place->netns)
		return cached->id;
	return IDENTITY_NOT_CACHED;
}

/* `place` is the running process's. */
static __always_inline u64 identity_at(const struct process_place *place)
{
	u64 id = cached_identity(place);

	return id == IDENTITY_NOT_CACHED ? intern_task(bpf_get_current_task(), ASKED_BY_HOOK) : id;
}

static __always_inline u64 current_identity(void)
{
	struct process_place place = current_place();

	return identity_at(&place);
}

/* The same of any process, for iterators. Its address comes as a number, which is all that a global function takes. */
static __always_inline u64 identity_of_task(u64 task_address)
{
	struct process_place place = place_of((struct task_struct *)task_address);
	u64 id = cached_identity(&place);

	return id == IDENTITY_NOT_CACHED ? intern_task(task_address, ASKED_BY_ITERATOR) : id;
}

#endif
