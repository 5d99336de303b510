/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the tcp probe tells of an attempt: that a connect begins, how it has ended, and that the connection was put to use without
 * TLS.
 *
 * A connect that fails ends an attempt without a look-up at once. Where there was one, the next address may be tried: the pass
 * in attempt.bpf.c finds those that nothing has followed. One that succeeds ends it too, but for the TLS handshake that may come
 * first thing: it is counted when the first payload was none of TLS, or when the connection ends.
 *
 * Kernel half only.
 */
#ifndef CONNSCOPE_ATTEMPT_CONNECT_BPF_H
#define CONNSCOPE_ATTEMPT_CONNECT_BPF_H

#include "bpf/attempt/attempt_state.bpf.h"

/* A connect's part in the attempt that a look-up began. False: it has none, and is an attempt of its own. */
static __always_inline bool join(const struct attempt_key *key, u64 looked_up_ns, u64 identity, u64 now)
{
	struct attempt *known = bpf_map_lookup_elem(&attempts, key);
	struct attempt fresh = {.identity = identity, .last_ns = now, .tries = 1};

	if (known) {
		if (known->is_done || (!known->tries && now - known->last_ns > ATTEMPT_PAUSE_NS))
			return false;
		__sync_fetch_and_add(&known->tries, 1);
		return true;
	}
	if (now - looked_up_ns > ATTEMPT_PAUSE_NS)
		return false;
	if (!bpf_map_update_elem(&attempts, key, &fresh, BPF_NOEXIST))
		return true;
	count_loss(LOSS_STATE_FULL);
	return false;
}

/* Takes the answer that a connect goes to, and makes `begun_ns` the moment when it was asked for. Returns who has; 0: nobody. */
static __noinline u32 take_answer(const struct answer_key *address, u64 identity, u64 *begun_ns)
{
	struct answer *answer = bpf_map_lookup_elem(&attempt_answers, address);
	u64 looked_up_ns, now = bpf_ktime_get_ns();
	struct attempt_key key = {};

	if (!answer)
		return 0;
	looked_up_ns = answer->ended_ns;
	key.begun_ns = answer->begun_ns;
	key.thread = answer->thread;
	if (bpf_map_delete_elem(&attempt_answers, address) || !join(&key, looked_up_ns, identity, now))
		return 0;
	*begun_ns = key.begun_ns;
	return key.thread;
}

/*
 * The running process connects. `begun_ns` is the moment of that, and becomes that of the attempt, which may have begun with a look-up:
 * returns the thread that has made it; 0: none has.
 */
static __always_inline u32 attempt_connects(const struct answer_key *address, u64 identity, u64 *begun_ns)
{
	const u8 *may_have_one = has_answers(address->tgid);

	return may_have_one && *may_have_one ? take_answer(address, identity, begun_ns) : 0;
}

/* The first connection wins: it stays marked, so that answers which are left begin no second attempt. */
static __always_inline bool win(const struct attempt_key *key, const struct attempt *attempt, u64 now)
{
	struct attempt done = {.identity = attempt->identity, .last_ns = now, .is_done = 1};

	if (attempt->is_done || bpf_map_delete_elem(&attempts, key))
		return false;
	bpf_map_update_elem(&attempts, key, &done, BPF_ANY);
	return true;
}

/* A connect after a look-up has ended. True: its connection is what the attempt has come to. */
static __noinline bool end_try(u64 begun_ns, u32 thread, bool is_ok)
{
	struct attempt_key key = {.begun_ns = begun_ns, .thread = thread};
	struct attempt *attempt = bpf_map_lookup_elem(&attempts, &key);
	u64 now = bpf_ktime_get_ns();

	if (!attempt)
		return false;
	if (is_ok)
		return win(&key, attempt, now);
	attempt->last_ns = now;
	__sync_fetch_and_add(&attempt->tries, -1);
	return false;
}

/* What is known of a try that has failed is what is known of its attempt when no other follows. */
__noinline int keep_failed_try(u64 begun_ns, u64 origin_key)
{
	const struct detail_origin *origin = find_origin(origin_key);
	u64 key = origin_of_lookup(begun_ns);

	return origin ? (int)bpf_map_update_elem(&detail_origins, &key, origin, BPF_ANY) : 0;
}

/*
 * A connect has ended; it took `duration_ns`, and `origin` is the key of what is known of it. `begun_ns` becomes 0 where that is
 * all of its attempt, or it is none any more.
 */
static __always_inline void attempt_connected(u64 *begun_ns, u32 thread, u64 identity, bool is_ok, u64 duration_ns, u64 origin)
{
	if (!follows_attempts || !*begun_ns)
		return;
	if (thread) {
		if (!is_ok && somebody_listens())
			keep_failed_try(*begun_ns, origin);
		if (!end_try(*begun_ns, thread, is_ok))
			*begun_ns = 0;
	} else if (!is_ok) {
		count_attempt(identity, ATTEMPT_FAILED_TCP, duration_ns, origin);
		*begun_ns = 0;
	}
}

/* What an attempt has taken that was fulfilled by the connection alone; 0: there is none to count. */
static __always_inline u64 attempt_duration(u64 begun_ns, u64 established_ns)
{
	return follows_attempts && begun_ns ? established_ns - begun_ns : 0;
}

static __always_inline void attempt_succeeds(u64 identity, u64 duration_ns, u64 origin)
{
	if (duration_ns)
		count_attempt(identity, ATTEMPT_OK, duration_ns, origin);
}

#endif
