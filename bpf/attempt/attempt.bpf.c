// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Owner of the attempts' maps. Its one program is the pass at each collect, which finds the attempts that nothing has followed: all
 * their connects have failed, and no other address was tried.
 */
#include "bpf/attempt/attempt_state.bpf.h"

#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The kernel gives a connect up long before; its end was not seen. */
#define SURELY_ENDED_NS 600000000000ULL

/* How many entries the pass has seen. */
__u64 visited = 0;

/* Takes an attempt out of the map; false: there is none, or it has succeeded meanwhile. */
static __always_inline bool take_attempt(const struct attempt_key *key, struct attempt *attempt)
{
	const struct attempt *kept = bpf_map_lookup_elem(&attempts, key);

	if (!kept)
		return false;
	*attempt = *kept;
	return !bpf_map_delete_elem(&attempts, key);
}

static __always_inline void visit_attempt(const struct attempt_key *key)
{
	const struct attempt *kept = bpf_map_lookup_elem(&attempts, key);
	u64 now = bpf_ktime_get_ns();
	struct attempt attempt;

	if (!kept)
		return;
	visited++;
	if (now - kept->last_ns <= (kept->tries ? SURELY_ENDED_NS : ATTEMPT_PAUSE_NS) || !take_attempt(key, &attempt) ||
	    attempt.is_done)
		return;
	if (attempt.tries)
		count_loss(LOSS_END_MISSED);
	count_attempt(attempt.identity, ATTEMPT_FAILED_TCP, attempt.last_ns - key->begun_ns,
		      origin_of_lookup(key->begun_ns));
}

/* The element may be recycled at any moment, so nothing is read from it but the key. */
SEC("iter/bpf_map_elem")
int visit_attempts(struct bpf_iter__bpf_map_elem *ctx)
{
	const struct attempt_key *element = ctx->key;
	struct attempt_key key;

	if (!element)
		return 0;
	key = *element;
	visit_attempt(&key);
	return 0;
}
