/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The pass over all queries at each collect: ends those that no answer will end, without a packet to tell of it. When that was,
 * is known exactly: the socket's entry has the moments of its close and of its last error.
 *
 * Kernel half only.
 */
#ifndef CONNSCOPE_DNS_PASS_BPF_H
#define CONNSCOPE_DNS_PASS_BPF_H

#include "bpf/dns/dns_client.bpf.h"

/* How long a query waits for its answer after it was last sent. Set before the load. */
const volatile __u64 timeout_ns = 5000000000ULL;

/* How many entries the pass has seen. */
__u64 visited_queries = 0;
__u64 visited_askers = 0;

/* The time is up: counted, and remembered for a late answer. */
static __noinline void time_out(const struct query_key *key, const struct asker *asker)
{
	struct query query;

	if (!take_query(key, &query))
		return;
	end_unanswered(key, &query, asker, QUERY_TIMEOUT, query.sent_ns + timeout_ns);
	bpf_map_update_elem(&timed_out, key, &query.identity, BPF_ANY);
}

static __noinline void end_now(const struct query_key *key, const struct asker *asker, enum dns_outcome outcome, u64 until_ns)
{
	struct query query;

	if (take_query(key, &query))
		end_unanswered(key, &query, asker, outcome, until_ns);
}

/*
 * Nobody asked over TCP. Either the answer with TC was enough, or the query was given up when that came for another one: that is
 * no time-out, unless the program went on waiting.
 */
static __always_inline void end_truncated(const struct query_key *key, const struct asker *asker, const struct query *query,
					  u64 closed_ns)
{
	if (query->has_answer)
		end_now(key, NULL, QUERY_ANSWERED, query->truncated_ns);
	else
		end_now(key, asker, given_up_after(closed_ns - query->truncated_ns),
			closed_ns);
}

/* One step of the pass. Nothing is read from the element but its key: it may be recycled at any moment. */
static __always_inline void visit_query(const struct query_key *key)
{
	const struct query *query = bpf_map_lookup_elem(&queries, key);
	const struct asker *asker = find_asker(key->cookie);
	u64 now = bpf_ktime_get_ns(), closed_ns = asker ? asker->closed_ns : 0;

	if (!query)
		return;
	visited_queries++;
	if (query->truncated_ns && (query->has_answer || closed_ns)) {
		if (now > query->truncated_ns + timeout_ns)
			end_truncated(key, asker, query, closed_ns);
	} else if (asker && asker->failed_ns >= query->sent_ns) {
		end_now(key, asker, QUERY_BADSRV, asker->failed_ns);
	} else if (closed_ns) {
		end_now(key, asker, given_up_after(closed_ns - query->begun_ns),
			closed_ns);
	} else if (now > query->sent_ns + timeout_ns) {
		time_out(key, asker);
	}
}

/* After the queries: a socket that is closed has none any more. */
static __always_inline void visit_asker(u64 cookie)
{
	const struct asker *asker = find_asker(cookie);

	if (!asker)
		return;
	visited_askers++;
	if (asker->closed_ns && asker->open <= 0)
		bpf_map_delete_elem(&askers, &cookie);
}

#endif
