/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Passive opens: born with the last segment of the handshake, in softirq context, where no process is known; owned by the
 * process that takes them by accept. Until then their handshake is not counted either, so that all of a connection counts for
 * the process that serves it, be its listener inherited, passed on or activated by a socket unit. One that ends before it is
 * accepted keeps its end in its state, for whoever accepts it yet (a connection that was reset stays in the queue), or for
 * the pass that finds it gone: then it is its listener's owner's.
 *
 * The return of accept and the end of the connection may run at the same time. Each says so in the state by an atomic
 * addition, which is a full barrier too, before it looks for the other's word: at least one sees both, and of two that do,
 * whoever deletes the state counts the end.
 *
 * Kernel half only.
 */
#ifndef CONNSCOPE_TCP_ACCEPT_BPF_H
#define CONNSCOPE_TCP_ACCEPT_BPF_H

#include "bpf/tcp/tcp_connect.bpf.h"
#include "bpf/tcp/tcp_life.bpf.h"
#include "bpf/tcp/tcp_listen.bpf.h"

/* When the agent loaded its programs, on the monotonic clock. Set before the load. */
const volatile __u64 loaded_us = 0;

/* The kernel's first time-out of a SYN-ACK, doubled for each repetition (include/net/tcp.h: TCP_TIMEOUT_INIT). */
#define SYNACK_TIMEOUT_US 1000000U

/*
 * From the SYN-ACK to its acknowledgement, which the kernel has just measured; the SYN came microseconds before. After a
 * repetition it measures nothing: then the time-outs that have passed are the least that it took.
 */
static __always_inline u32 handshake_us_of(const struct tcp_sock *tcp)
{
	u32 repetitions = tcp->total_retrans;

	if (!repetitions || tcp->srtt_us)
		return tcp->srtt_us >> 3;
	return ((1U << (repetitions & 7)) - 1) * SYNACK_TIMEOUT_US;
}

/*
 * The handshake of a connection that is in the map already has ended: by simultaneous open, or accepted early. False: the entry
 * is another socket's.
 */
static __noinline bool establish_known(struct sock *sk, struct tcp_state *state, const struct tcp_state *fresh)
{
	if (state->peer_port != fresh->peer_port)
		return false;
	if (state->phase == PHASE_CONNECTING) {
		succeed(sk);
		return true;
	}
	if (state->phase != PHASE_EARLY)
		return false;
	state->handshake_us = fresh->handshake_us;
	state->since_ns = fresh->since_ns;
	state->phase = PHASE_OPEN;
	if (!count_handshake(state))
		drop_state(sk);
	return true;
}

/* SYN_RECV → ESTABLISHED. */
static __noinline void passive_open(struct sock *sk)
{
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);
	struct tcp_state fresh = {}, *known;

	if (!tcp || joins_mptcp(tcp))
		return;
	if (has_ignored_owners && owner_of(sk) == IDENTITY_IGNORED)
		return;
	fresh.identity = IDENTITY_UNKNOWN;
	fresh.role = TCP_SERVER;
	fresh.phase = PHASE_OPEN;
	fresh.family = is_ipv6_sock(sk) ? TCP_IPV6 : TCP_IPV4;
	fresh.peer_port = sk->__sk_common.skc_dport;
	fresh.local_port = sk->__sk_common.skc_num;
	fresh.handshake_us = handshake_us_of(tcp);
	fresh.since_ns = bpf_ktime_get_ns();
	if (insert_state(sk, &fresh))
		return;
	known = find_state(sk);
	if (!known || !establish_known(sk, known, &fresh))
		replace(sk, &fresh);
}

/* `state` is of a connection that has just got its owner. */
static __always_inline void own(const struct sock *sk, struct tcp_state *state, u64 identity)
{
	state->identity = identity;
	if (!count_handshake(state)) {
		drop_state(sk); /* its end would not add up */
		return;
	}
	__sync_fetch_and_add(&state->accepted, 1);
	if (*(volatile u32 *)&state->ended)
		finish(sk);
}

/* The same where it seldom happens: the stack is deep there. */
static __noinline void own_rarely(const struct sock *sk, struct tcp_state *state, u64 identity)
{
	own(sk, state, identity);
}

/* Whether the last that was heard of a connection was before the agent. */
static __always_inline bool is_older_than_agent(const struct sock *sk)
{
	return BPF_CORE_READ((const struct tcp_sock *)sk, tcp_mstamp) < loaded_us;
}

/* Counts a connection whose handshake no program was run for: what it took is near to the smoothed round-trip time. */
static __noinline void establish_late(const struct sock *sk, struct tcp_state *state, u64 identity)
{
	struct tcp_state *kept;

	state->handshake_us = BPF_CORE_READ((const struct tcp_sock *)sk, srtt_us) >> 3;
	if (!insert_state(sk, state))
		return; /* nor had it room when it was established, which was counted */
	kept = find_state(sk);
	if (!kept)
		return;
	count_loss(LOSS_END_SKIPPED);
	own_rarely(sk, kept, identity);
}

/*
 * A connection without state is taken by accept: early, before the handshake's end was told (TCP Fast Open, or another CPU that
 * has put it into the queue and not come to that yet); one that was established before the agent came; one whose handshake was
 * skipped; or one that had no room.
 */
static __noinline void accept_unknown(struct sock *sk, u64 identity, u8 tcp_state_before)
{
	struct tcp_state *known, state = {
		.since_ns = bpf_ktime_get_ns(),
		.identity = identity,
		.role = TCP_SERVER,
		.family = is_ipv6_peer(sk) ? TCP_IPV6 : TCP_IPV4,
		.peer_port = BPF_CORE_READ(sk, __sk_common.skc_dport),
		.local_port = BPF_CORE_READ(sk, __sk_common.skc_num),
	};

	if (tcp_state_before == TCP_SYN_RECV) {
		state.phase = PHASE_EARLY;
		state.accepted = 1;
		count_duration(identity, DURATION_ACCEPT_WAIT, state.family, port_label(&state), 0);
		if (!insert_state(sk, &state) && (known = find_state(sk)))
			own_rarely(sk, known, identity); /* the handshake has ended just now */
		return;
	}
	count_in_bucket(identity, DURATION_ACCEPT_WAIT, state.family, port_label(&state), BUCKET_UNKNOWN, 0);
	set_owner(sk, identity);
	if (tcp_state_before == TCP_CLOSE)
		return;
	state.phase = PHASE_OPEN;
	state.grafted = 1;
	if (is_older_than_agent(sk)) {
		state.accepted = 1;
		take_up(sk, &state); /* without room its loss was counted when it was established */
	} else {
		establish_late(sk, &state, identity);
	}
}

/* accept gives `sk`, whose entry is `state`, to the process that runs now. */
static __always_inline void accept_known(struct sock *sk, struct tcp_state *state, const struct process_place *place,
					 u64 identity)
{
	if (state->accepted)
		return; /* the pass has found it before us */
	hand_over(sk, state->local_port, place, identity);
	if (identity == IDENTITY_IGNORED)
		drop_state(sk);
	else if (count_duration(identity, DURATION_ACCEPT_WAIT, state->family, port_label(state),
				bpf_ktime_get_ns() - state->since_ns))
		own(sk, state, identity);
	else
		drop_state(sk);
}

/* accept gives `sk` to the process that runs now. */
static __always_inline void accepted(struct sock *sk)
{
	struct process_place place = current_place();
	struct tcp_state *state = find_state(sk);
	u64 identity = identity_at(&place);
	u8 tcp_state_before;

	if (somebody_listens())
		meet_socket(number_of(sk), place.tgid, 0);
	if (!state) {
		/*
		 * Looked up once more, after its state is read: programs are run before a state is stored, so what is
		 * established and has no entry then was never told to them.
		 */
		tcp_state_before = BPF_CORE_READ(sk, __sk_common.skc_state);
		state = find_state(sk);
		if (!state) {
			if (identity != IDENTITY_IGNORED)
				accept_unknown(sk, identity, tcp_state_before);
			return;
		}
	}
	accept_known(sk, state, &place, identity);
}

/* A socket that a process has had since before the agent; its role is told by who listens on its port. */
static __always_inline void take_up_open(const struct sock *sk, u64 identity)
{
	struct owner_key key = owner_key_of(sk);
	struct tcp_state state = {
		.since_ns = bpf_ktime_get_ns(),
		.identity = identity,
		.accepted = 1,
		.phase = PHASE_OPEN,
		.grafted = 1,
		.family = is_ipv6_peer(sk) ? TCP_IPV6 : TCP_IPV4,
		.peer_port = BPF_CORE_READ(sk, __sk_common.skc_dport),
		.local_port = BPF_CORE_READ(sk, __sk_common.skc_num),
	};

	switch (BPF_CORE_READ(sk, __sk_common.skc_state)) {
	case TCP_SYN_SENT:
		state.phase = PHASE_CONNECTING;
		break;
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
		state.closed_here = 1;
		break;
	case TCP_ESTABLISHED:
	case TCP_CLOSE_WAIT:
		break;
	default:
		return;
	}
	if (state.phase == PHASE_OPEN && find_owner(&key))
		state.role = TCP_SERVER;
	if (!take_up(sk, &state))
		count_loss(LOSS_STATE_FULL);
}

#endif
