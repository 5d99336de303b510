// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Owner of the identity maps that all objects share, and keeper of their cache: a thread group that executes another file,
 * or a new one whose number was another's before, must be looked at again.
 *
 * And of what interpreters run. That is read from the command line at exec, while it is as it was given: programs write over it later.
 * Children without an exec of their own have it from their parent (agent/decisions/0024-what-interpreters-run.md).
 */
#include "bpf/include/identity.bpf.h"
#include "bpf/process/command_line.h"

#include <bpf/bpf_tracing.h>

/* Pieces of a command line that are looked at, ARGUMENT_WINDOW each: a Java class path alone may have ten thousand bytes. */
#define COMMAND_LINE_PIECES 256

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct interpreter_name);
	__type(value, u32); /* enum interpreter */
} interpreters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 512);
	__type(key, struct option_key);
	__type(value, u32); /* enum option_meaning */
} options SEC(".maps");

/* A command line that is being read. */
struct command_walk {
	struct command_line line;
	u64 argument;   /* where the present one begins */
	u64 terminator; /* and where it ends; 0 until that is known */
	struct identity_program program;
};

/* By task, not by CPU: on kernels that preempt, several may be in the middle of it on one CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, u64); /* the task's address */
	__type(value, struct command_walk);
} command_walks SEC(".maps");

static const struct command_walk no_walk = {};

COMMAND_LINE_INLINE __u32 option_meaning(const struct option_key *key)
{
	const u32 *meaning = bpf_map_lookup_elem(&options, key);

	return meaning ? *meaning : OPTION_UNKNOWN;
}

/* Takes the piece of the command line at `address`; where the next one is, 0 when all is known. A global function, see intern_task. */
__noinline u64 take_piece(u64 walk_key, u64 address)
{
	struct command_walk *walk = bpf_map_lookup_elem(&command_walks, &walk_key);
	long n;

	if (!walk)
		return 0;
	n = bpf_probe_read_user_str(walk->line.text, sizeof(walk->line.text), (const void *)address);
	if (n <= 0)
		return 0;
	if (!walk->argument) {
		walk->argument = address;
		walk->terminator = 0;
		command_line_take(&walk->line);
	}
	if (n == sizeof(walk->line.text))
		return address + n - 1;
	walk->terminator = address + n - 1;
	if (walk->line.expects == EXPECTS_NOTHING)
		return 0;
	walk->argument = 0;
	return address + n;
}

/* Keeps the program that was found, by its name in the last bytes of its argument. */
__noinline int keep_program(u64 walk_key, u32 tgid)
{
	struct command_walk *walk = bpf_map_lookup_elem(&command_walks, &walk_key);
	u64 from;
	long n;

	if (!walk || !walk->line.is_found || !walk->terminator || !walk->argument)
		return 0;
	from = walk->argument + walk->line.program_at;
	if (walk->terminator - from > ARGUMENT_WINDOW - 1)
		from = walk->terminator - (ARGUMENT_WINDOW - 1);
	if (bpf_probe_read_user_str(walk->line.text, sizeof(walk->line.text), (const void *)from) <= 1)
		return 0;
	command_line_name(&walk->line);
	n = bpf_probe_read_user_str(walk->program.name, sizeof(walk->program.name), (const void *)(from + walk->line.name_at));
	if (n <= 1)
		return 0;
	walk->program.hash = fnv1a(walk->program.name, n, sizeof(walk->program.name));
	walk->program.interpreter = walk->line.interpreter;
	if (bpf_map_update_elem(&identity_programs, &tgid, &walk->program, BPF_ANY))
		count_loss(LOSS_PROGRAMS_FULL);
	return 0;
}

static __always_inline void read_command_line(struct task_struct *task, u32 tgid, u32 interpreter)
{
	u64 walk_key = bpf_get_current_task(), address = task->mm->arg_start, end = task->mm->arg_end;
	struct command_walk *walk = NULL;

	if (!bpf_map_update_elem(&command_walks, &walk_key, &no_walk, BPF_NOEXIST))
		walk = bpf_map_lookup_elem(&command_walks, &walk_key);
	if (!walk) {
		count_loss(LOSS_PROGRAMS_FULL);
		return;
	}
	walk->line.interpreter = interpreter;
	for (u32 i = 0; i < COMMAND_LINE_PIECES; i++) {
		if (!address || address >= end)
			break;
		address = take_piece(walk_key, address);
	}
	keep_program(walk_key, tgid);
	bpf_map_delete_elem(&command_walks, &walk_key);
}

/* Which interpreter's executable this is, among those that the config asks for. */
static __always_inline u32 executed_interpreter(struct task_struct *task)
{
	char executable[INTERPRETER_BYTES] = {};
	struct interpreter_name name = {};
	u32 zero = 0;
	const struct identity_control *control = bpf_map_lookup_elem(&identity_control, &zero);
	const u32 *interpreter;

	if (!control || !control->interpreters)
		return INTERPRETER_NONE;
	bpf_probe_read_kernel_str(executable, sizeof(executable), task->mm->exe_file->f_path.dentry->d_name.name);
	interpreter_stem(executable, &name);
	interpreter = bpf_map_lookup_elem(&interpreters, &name);
	return interpreter && control->interpreters >> (*interpreter & 31) & 1 ? *interpreter : INTERPRETER_NONE;
}

/*
 * Processes that have executed a file, for those who look for libraries. Nobody is woken for each: once is enough for all that come
 * until the reader has looked. One that finds no room is found later, by a look at all processes.
 */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16384);
} exec_news SEC(".maps");

__u32 is_exec_awaited = 0;

static __always_inline void tell_exec(u32 tgid)
{
	u64 flags = is_exec_awaited ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;

	is_exec_awaited = 0;
	bpf_ringbuf_output(&exec_news, &tgid, sizeof(tgid), flags);
}

static __always_inline void forget(u32 tgid)
{
	bpf_map_delete_elem(&identity_cache, &tgid);
	bpf_map_delete_elem(&identity_programs, &tgid);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task)
{
	u32 tgid = task->tgid, interpreter = executed_interpreter(task);

	forget(tgid);
	if (interpreter != INTERPRETER_NONE)
		read_command_line(task, tgid, interpreter);
	tell_exec(tgid);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	const struct identity_program *program;
	u32 tgid = child->tgid, parent_tgid = parent->tgid;

	if (child->pid != child->tgid)
		return 0;
	forget(tgid);
	program = bpf_map_lookup_elem(&identity_programs, &parent_tgid);
	if (program && bpf_map_update_elem(&identity_programs, &tgid, program, BPF_ANY))
		count_loss(LOSS_PROGRAMS_FULL);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	u32 tgid = task->tgid;

	/* The last thread, which need not be the leader. What is cached stays: its sockets are closed after this. */
	if (!task->signal->live.counter)
		bpf_map_delete_elem(&identity_programs, &tgid);
	return 0;
}
