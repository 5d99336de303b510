/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The cells that the programs count in.
 *
 * What seldom happens is __noinline here and in the other parts: the course that each connection takes should lie close
 * together in the cache.
 *
 * Kernel half only.
 */
#ifndef CONNSCOPE_TCP_CELLS_BPF_H
#define CONNSCOPE_TCP_CELLS_BPF_H

#include "bpf/attempt/attempt_connect.bpf.h"
#include "bpf/include/cells.bpf.h"
#include "bpf/include/latency.bpf.h"
#include "bpf/include/ledger.bpf.h"
#include "bpf/tcp/tcp_detail.bpf.h"
#include "bpf/tcp/tcp_state.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct connect_begun_key);
	__type(value, struct connect_begun);
} connect_begun SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct connect_ended_key);
	__type(value, struct connect_ended);
} connect_ended SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct tcp_duration_key);
	__type(value, struct tcp_duration);
} tcp_durations SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct tcp_closed_key);
	__type(value, struct tcp_closed);
} tcp_closed SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct tcp_role_key);
	__type(value, struct tcp_rare);
} tcp_rare SEC(".maps");

/* Written by the pass alone, which runs on one CPU at a time. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct tcp_role_key);
	__type(value, struct tcp_live);
} tcp_live SEC(".maps");

/* The audit of the agent's own network namespace, and of all others. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct tcp_audit);
} audit_here SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1024);
	__type(key, u32); /* inode number of the namespace */
	__type(value, struct tcp_audit);
} audit_elsewhere SEC(".maps");

/* Inode number of the agent's network namespace. Set before the load. */
const volatile __u32 own_netns = 0;

/* NULL: more namespaces than there is room for, which the audit then does not cover. */
static __always_inline struct tcp_audit *audit_of(struct sock *sk)
{
	u32 netns = sk->__sk_common.skc_net.net->ns.inum, zero_index = 0;

	if (netns == own_netns)
		return bpf_map_lookup_elem(&audit_here, &zero_index);
	return CELL(audit_elsewhere, &netns);
}

static __always_inline struct connect_begun *begun_cell(u64 identity, u8 family)
{
	struct connect_begun_key key = {.identity = identity, .family = family};
	struct connect_begun *cell = CELL(connect_begun, &key);

	if (!cell)
		count_loss(LOSS_CELLS_FULL);
	return cell;
}

/*
 * An attempt's end that has no cell: it is over all the same, so it must not stay in flight. Values, not the state: the
 * verifier of 7.2 loses sight of what a pointer leads to in the frame of the caller's caller.
 */
static __noinline void count_lost_end(u64 identity, u8 family)
{
	struct connect_begun *begun = begun_cell(identity, family);

	count_loss(LOSS_CELLS_FULL);
	if (begun)
		__sync_fetch_and_add(&begun->ends_lost, 1);
}

/* `sk` is the socket's address. False: the end is lost, and counted as such. */
static __always_inline bool count_end(const void *sk, struct tcp_state *attempt, enum connect_outcome outcome, u64 duration_ns,
				      u32 retransmits)
{
	struct connect_ended_key key = {
		.identity = attempt->identity,
		.bucket = latency_bucket(duration_ns),
		.family = attempt->family,
		.outcome = outcome,
	};
	struct connect_ended *cell = CELL(connect_ended, &key);
	u64 origin = origin_of_socket(sk);

	/* The cell first: whatever lives across the calls below lies on the stack, which is deep here. */
	if (cell) {
		__sync_fetch_and_add(&cell->count, 1);
		ADD(cell->sum_ns, duration_ns);
		ADD(cell->retransmits, retransmits);
	} else {
		count_lost_end(attempt->identity, attempt->family);
	}
	tell_of_connect(origin, attempt->identity, outcome, duration_ns);
	attempt_connected(&attempt->attempt_ns, attempt->attempt_thread, attempt->identity, outcome == CONNECT_OK, duration_ns,
			  origin);
	return cell;
}

/* `bucket` is BUCKET_UNKNOWN or that of `ns`. False: lost, and counted as such. */
static __always_inline bool count_in_bucket(u64 identity, enum tcp_duration_kind kind, u8 variety, u16 port, u16 bucket,
					    u64 ns)
{
	struct tcp_duration_key key = {
		.identity = identity,
		.bucket = bucket,
		.port = port,
		.kind = kind,
		.variety = variety,
	};
	struct tcp_duration *cell = CELL(tcp_durations, &key);

	if (!cell) {
		count_loss(LOSS_CELLS_FULL);
		return false;
	}
	__sync_fetch_and_add(&cell->count, 1);
	ADD(cell->sum_ns, ns);
	return true;
}

static __always_inline bool count_duration(u64 identity, enum tcp_duration_kind kind, u8 variety, u16 port, u64 ns)
{
	return count_in_bucket(identity, kind, variety, port, latency_bucket(ns), ns);
}

static __always_inline bool count_handshake(const struct tcp_state *state)
{
	return count_duration(state->identity, DURATION_HANDSHAKE, state->family, port_label(state),
			      (u64)state->handshake_us * 1000);
}

/* Its handshake is counted when it is accepted; of one that was accepted early, when it is established. */
static __always_inline bool lacks_handshake(const struct tcp_state *state)
{
	return !state->accepted || state->phase == PHASE_EARLY;
}

static __always_inline struct tcp_rare *rare_cell(u64 identity, u8 role, u16 port)
{
	struct tcp_role_key key = {.identity = identity, .role = role, .port = port};
	struct tcp_rare *cell = CELL(tcp_rare, &key);

	if (!cell)
		count_loss(LOSS_CELLS_FULL);
	return cell;
}

/* A connection's end that cannot be told: it is over all the same, so it must not stay open. */
static __noinline void count_lost_close(u64 identity, u8 role, u16 port, enum loss_cause cause)
{
	struct tcp_rare *rare = rare_cell(identity, role, port);

	count_loss(cause);
	if (rare)
		__sync_fetch_and_add(&rare->closes_lost, 1);
}

static __always_inline void count_taken_up(const struct tcp_state *state)
{
	struct tcp_rare *rare = rare_cell(state->identity, state->role, port_label(state));

	if (rare)
		__sync_fetch_and_add(&rare->taken_up, 1);
}

static __always_inline struct tcp_closed_key closed_key(const struct tcp_state *state, const struct tcp_end *end)
{
	struct tcp_closed_key key = {
		.identity = state->identity,
		.bucket = latency_bucket(end->duration_ns),
		.port = port_label(state),
		.role = state->role,
		.close = end->close,
		.failure = end->failure,
	};

	return key;
}

static __always_inline void count_close(const struct tcp_closed_key *key, const struct tcp_end *end)
{
	struct tcp_closed *cell = CELL(tcp_closed, key);

	if (!cell) {
		count_lost_close(key->identity, key->role, key->port, LOSS_CELLS_FULL);
		return;
	}
	__sync_fetch_and_add(&cell->count, 1);
	ADD(cell->sum_ns, end->duration_ns);
	ADD(cell->received, end->received);
	ADD(cell->sent, end->sent);
	ADD(cell->retransmits, end->retransmits);
	ADD(cell->resets_in, end->resets_in);
	ADD(cell->resets_out, end->resets_out);
	if (end->rtt_us)
		count_duration(key->identity, DURATION_RTT, key->role, 0, (u64)end->rtt_us * 1000);
}

/* The same of a connection whose state the caller has taken; `sk` is where its socket was. */
static __always_inline void count_end_of_taken(const void *sk, const struct tcp_state *state, const struct tcp_end *end)
{
	struct tcp_closed_key key = closed_key(state, end);

	attempt_succeeds(state->identity, attempt_duration(state->attempt_ns, state->since_ns), origin_of_socket(sk));
	count_close(&key, end);
	tell_of_life(sk, state->identity, state->role, end->failure, end->duration_ns);
}

#endif
