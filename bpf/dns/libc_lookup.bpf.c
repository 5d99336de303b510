// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Look-ups of names and addresses as a program waits for them, in each C library that is mapped: one program at the entry of
 * each function, and one that they all return to. The functions call each other, in glibc (getnameinfo calls
 * gethostbyaddr_r) and in musl (gethostbyname_r calls gethostbyname2_r), and those that have no program of their own, such as
 * gethostbyname, do their work in one that has: what counts is the outermost call of a thread, which is told by the place
 * on the stack that it returns to.
 *
 * Sources: the prototypes of <netdb.h>, and the System V ABI for x86-64, where the seventh argument and those after it lie on
 * the stack above the address that the function returns to.
 */
#include "bpf/attempt/attempt_lookup.bpf.h"
#include "bpf/dns/lookup_detail.bpf.h"
#include "bpf/dns/lookups.bpf.h"
#include "bpf/include/cells.bpf.h"
#include "bpf/include/identity.bpf.h"
#include "bpf/include/latency.bpf.h"
#include "bpf/include/ledger.bpf.h"
#include "bpf/include/own_stack.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* <netdb.h>, in glibc and in musl alike */
#define NI_NUMERICHOST 1
#define HOST_NOT_FOUND 1
#define TRY_AGAIN 2
#define NO_RECOVERY 3
#define NO_DATA 4

/* A caller whose buffer was too small asks again at once. */
#define SURELY_GIVEN_UP_NS 1000000000ULL

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct lookup_ended_key);
	__type(value, struct lookup_ended);
} lookup_ended SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct lookup_queries_key);
	__type(value, struct lookup_queries);
} lookup_queries SEC(".maps");

/* --- the thread that runs now ---------------------------------------------------------------------------------------- */

static __always_inline u32 current_thread(void)
{
	return (u32)bpf_get_current_pid_tgid();
}

/* What its number is checked against: when it began, and the memory of its program. */
static __always_inline void read_thread(struct lookup *lookup)
{
	struct task_struct *task;

	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)) {
		task = (void *)bpf_get_current_task_btf(); /* read as it is, which costs a tenth */
		lookup->thread_began_ns = task->start_boottime;
		lookup->memory = (u64)task->mm;
	} else {
		task = (void *)bpf_get_current_task();
		lookup->thread_began_ns = BPF_CORE_READ(task, start_boottime);
		lookup->memory = (u64)BPF_CORE_READ(task, mm);
	}
}

/* The argument of that number, from 7 on, at the entry of a function. */
static __always_inline u64 argument_on_stack(struct pt_regs *registers, int number)
{
	u64 value = 0;

	bpf_probe_read_user(&value, sizeof(value), (void *)(registers->sp + 8 * (number - 6)));
	return value;
}

/* --- begin ----------------------------------------------------------------------------------------------------------- */

enum call { CALL_BEGINS, CALL_IS_NESTED, CALL_GOES_ON };

/* What a call is beside what is known of the thread. */
static __always_inline enum call judge_call(const struct lookup *known, const struct lookup *call)
{
	if (known->thread_began_ns != call->thread_began_ns || known->memory != call->memory)
		return CALL_BEGINS;
	if (known->paused_ns)
		return known->function == call->function && known->name == call->name &&
				       call->since_ns - known->paused_ns < SURELY_GIVEN_UP_NS ?
			       CALL_GOES_ON :
			       CALL_BEGINS;
	/* A call that the program has jumped out of (longjmp) leaves its state behind, and the next one is not below it. */
	return call->stack < known->stack ? CALL_IS_NESTED : CALL_BEGINS;
}

static __always_inline void keep(u32 thread, struct lookup *call)
{
	call->identity = current_identity();
	if (call->identity == IDENTITY_IGNORED)
		bpf_map_delete_elem(&lookups, &thread);
	else if (bpf_map_update_elem(&lookups, &thread, call, BPF_ANY))
		count_loss(LOSS_STATE_FULL);
}

static __always_inline int enter(struct lookup *call, struct pt_regs *registers, enum lookup_function function)
{
	u32 thread = current_thread();
	struct lookup *known = bpf_map_lookup_elem(&lookups, &thread);

	call->since_ns = bpf_ktime_get_ns();
	call->name = registers->di;
	call->stack = registers->sp;
	call->function = function;
	read_thread(call);
	switch (known ? judge_call(known, call) : CALL_BEGINS) {
	case CALL_IS_NESTED:
		break;
	case CALL_GOES_ON:
		known->stack = call->stack;
		known->result = call->result;
		known->error = call->error;
		known->paused_ns = 0;
		break;
	case CALL_BEGINS:
		keep(thread, call);
		break;
	}
	return 0;
}

/* getaddrinfo(node, service, hints, result). Without a node nothing is looked up. */
SEC("uprobe/getaddrinfo")
int on_getaddrinfo(struct pt_regs *ctx)
{
	struct lookup call = {.result = ctx->cx};

	want_own_stack(ctx);
	return ctx->di ? enter(&call, ctx, LOOKUP_GETADDRINFO) : 0;
}

/* getnameinfo(address, length, host, host_length, service, service_length, flags) */
SEC("uprobe/getnameinfo")
int on_getnameinfo(struct pt_regs *ctx)
{
	struct lookup call = {};
	bool wants_host = ctx->dx && (u32)ctx->cx;

	want_own_stack(ctx);
	return wants_host && !(argument_on_stack(ctx, 7) & NI_NUMERICHOST) ? enter(&call, ctx, LOOKUP_GETNAMEINFO) : 0;
}

/* gethostbyname_r(name, entry, buffer, length, result, h_errnop) */
SEC("uprobe/gethostbyname_r")
int on_gethostbyname(struct pt_regs *ctx)
{
	struct lookup call = {.result = ctx->r8, .error = ctx->r9};

	want_own_stack(ctx);
	return enter(&call, ctx, LOOKUP_GETHOSTBYNAME);
}

/* gethostbyname2_r(name, family, entry, buffer, length, result, h_errnop) */
SEC("uprobe/gethostbyname2_r")
int on_gethostbyname2(struct pt_regs *ctx)
{
	struct lookup call = {.result = ctx->r9, .error = argument_on_stack(ctx, 7)};

	want_own_stack(ctx);
	return enter(&call, ctx, LOOKUP_GETHOSTBYNAME2);
}

/* gethostbyaddr_r(address, address_length, family, entry, buffer, length, result, h_errnop) */
SEC("uprobe/gethostbyaddr_r")
int on_gethostbyaddr(struct pt_regs *ctx)
{
	struct lookup call = {.result = argument_on_stack(ctx, 7), .error = argument_on_stack(ctx, 8)};

	want_own_stack(ctx);
	return enter(&call, ctx, LOOKUP_GETHOSTBYADDR);
}

/* --- end ------------------------------------------------------------------------------------------------------------- */

static __always_inline enum lookup_outcome outcome_of_eai(int code)
{
	return code <= 0 && code > -LOOKUP_OTHER ? -code : LOOKUP_OTHER;
}

static __always_inline enum lookup_outcome outcome_of_entry(const struct lookup *lookup)
{
	u64 entry = 0;
	int error = 0;

	bpf_probe_read_user(&entry, sizeof(entry), (void *)lookup->result);
	if (entry)
		return LOOKUP_OK;
	bpf_probe_read_user(&error, sizeof(error), (void *)lookup->error);
	switch (error) {
	case HOST_NOT_FOUND:
		return LOOKUP_NONAME;
	case TRY_AGAIN:
		return LOOKUP_AGAIN;
	case NO_RECOVERY:
		return LOOKUP_FAIL;
	case NO_DATA:
		return LOOKUP_NODATA;
	default: /* NETDB_INTERNAL: see errno */
		return LOOKUP_SYSTEM;
	}
}

static __always_inline u64 bucket_of_queries(u64 queries)
{
	const u32 bounds[] = {QUERY_BOUNDS};
	u64 bucket = 0;

#pragma unroll
	for (int i = 0; i < QUERY_BUCKETS - 1; i++)
		bucket += queries > bounds[i];
	return bucket;
}

static __always_inline void count_queries(u64 identity, u64 queries)
{
	struct lookup_queries_key key = {.identity = identity, .bucket = bucket_of_queries(queries)};
	struct lookup_queries *cell = CELL(lookup_queries, &key);

	if (!cell) {
		count_loss(LOSS_CELLS_FULL);
		return;
	}
	__sync_fetch_and_add(&cell->count, 1);
	ADD(cell->sum, queries);
}

static __always_inline void count_end(const struct lookup *lookup, enum lookup_outcome outcome)
{
	u64 duration_ns = bpf_ktime_get_ns() - lookup->since_ns;
	struct lookup_ended_key key = {
		.identity = lookup->identity,
		.bucket = latency_bucket(duration_ns),
		.outcome = outcome,
		.asked = lookup->queries > 0,
	};
	struct lookup_ended *cell = CELL(lookup_ended, &key);

	keep_lookup_origin(lookup, outcome, duration_ns);
	attempt_looked_up(lookup, outcome == LOOKUP_OK);
	tell_of_lookup(lookup, outcome, duration_ns);
	if (!cell) {
		count_loss(LOSS_CELLS_FULL);
		return;
	}
	__sync_fetch_and_add(&cell->count, 1);
	ADD(cell->sum_ns, duration_ns);
	count_queries(lookup->identity, lookup->queries);
}

/* A return that belongs to no entry is of a nested call, of a process that is excluded, or of one that began too early. */
SEC("uretprobe/libc_lookup")
int on_return(struct pt_regs *ctx)
{
	u32 thread = current_thread();
	struct lookup *lookup = bpf_map_lookup_elem(&lookups, &thread);
	int result = (int)ctx->ax;

	want_own_stack(ctx);
	/* By now the address to return to has been taken off the stack. */
	if (!lookup || lookup->paused_ns || lookup->stack != ctx->sp - 8)
		return 0;
	if (lookup->function == LOOKUP_GETADDRINFO || lookup->function == LOOKUP_GETNAMEINFO) {
		count_end(lookup, outcome_of_eai(result));
	} else if (result == ERANGE) {
		lookup->paused_ns = bpf_ktime_get_ns();
		return 0;
	} else {
		count_end(lookup, outcome_of_entry(lookup));
	}
	bpf_map_delete_elem(&lookups, &thread);
	return 0;
}
