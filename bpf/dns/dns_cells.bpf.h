/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The cells that the dns programs count in.
 *
 * Kernel half only.
 */
#ifndef CONNSCOPE_DNS_CELLS_BPF_H
#define CONNSCOPE_DNS_CELLS_BPF_H

#include "bpf/dns/dns_detail.bpf.h"
#include "bpf/dns/dns_state.bpf.h"
#include "bpf/include/cells.bpf.h"
#include "bpf/include/latency.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct dns_begun_key);
	__type(value, struct dns_begun);
} dns_begun SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct dns_ended_key);
	__type(value, struct dns_ended);
} dns_ended SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct dns_rare_key);
	__type(value, struct dns_rare);
} dns_rare SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct dns_served_key);
	__type(value, struct dns_ended);
} dns_served SEC(".maps");

static __always_inline struct dns_begun *begun_cell(const struct query *query)
{
	struct dns_begun_key key = {
		.identity = query->identity,
		.server = query->server,
		.qtype = query->qtype,
		.transport = query->transport,
	};
	struct dns_begun *cell = CELL(dns_begun, &key);

	if (!cell)
		count_loss(LOSS_CELLS_FULL);
	return cell;
}

static __always_inline struct dns_rare *rare_cell(u64 identity)
{
	struct dns_rare_key key = {.identity = identity};
	struct dns_rare *cell = CELL(dns_rare, &key);

	if (!cell)
		count_loss(LOSS_CELLS_FULL);
	return cell;
}

/* A query's end that has no cell: it is over all the same, so it must not stay in flight. */
static __noinline void lose_query_end(const struct query *query)
{
	struct dns_begun *begun = begun_cell(query);

	count_loss(LOSS_CELLS_FULL);
	if (begun)
		__sync_fetch_and_add(&begun->ends_lost, 1);
}

/* Counts the end of a query that the caller has taken; `at` is where that was. */
static __always_inline void count_query_end(const struct query_key *at, const struct query *query, enum dns_outcome outcome,
					    u16 rcode, u64 duration_ns)
{
	struct dns_ended_key key = {
		.identity = query->identity,
		.server = query->server,
		.bucket = latency_bucket(duration_ns),
		.qtype = query->qtype,
		.rcode = rcode,
		.transport = query->transport,
		.outcome = outcome,
	};
	struct dns_ended *cell = CELL(dns_ended, &key);

	if (cell) {
		__sync_fetch_and_add(&cell->count, 1);
		ADD(cell->sum_ns, duration_ns);
	} else {
		lose_query_end(query);
	}
	tell_of_query(at, query->identity, outcome, rcode, duration_ns);
}

static __noinline void count_served(u64 identity, u16 rcode, u64 duration_ns)
{
	struct dns_served_key key = {.identity = identity, .bucket = latency_bucket(duration_ns), .rcode = rcode};
	struct dns_ended *cell = CELL(dns_served, &key);

	if (!cell) {
		count_loss(LOSS_CELLS_FULL);
		return;
	}
	__sync_fetch_and_add(&cell->count, 1);
	ADD(cell->sum_ns, duration_ns);
}

#endif
