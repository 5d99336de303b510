/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The pass over all states, at each collect: adds up what the open connections have carried so far, and finds those whose
 * course no program has seen, because the kernel skipped it or has no hook for it.
 *
 * The kernel stores a socket's state after the tracepoint, so what is read here of a change was already told to the programs,
 * if they were run. The memory of a socket that is gone stays that of a TCP socket (SLAB_TYPESAFE_BY_RCU): it can be read, and
 * its reference count and ports say whether it is still the same.
 *
 * Kernel half only.
 */
#ifndef CONNSCOPE_TCP_PASS_BPF_H
#define CONNSCOPE_TCP_PASS_BPF_H

#include "bpf/tcp/tcp_accept.bpf.h"

/* The number of the pass, from 1 on; written by the user half before it. */
__u32 pass = 0;

/* How many entries the pass has seen, and how many ends and accepts all passes have found. */
__u64 visited = 0;
__u64 settled = 0;

static __always_inline struct tcp_live *live_cell(const struct tcp_state *state)
{
	struct tcp_role_key key = {.identity = state->identity, .role = state->role, .port = port_label(state)};
	struct tcp_live *cell = CELL(tcp_live, &key);

	if (cell && cell->pass != pass) {
		__builtin_memset(cell, 0, sizeof(*cell));
		cell->pass = pass;
	}
	return cell;
}

/* Nothing is lost without a cell: what a connection has carried is counted when it closes. */
static __noinline void report_open(const struct sock *sk, struct tcp_state *state)
{
	struct tcp_figures figures;
	struct tcp_live *cell;

	/* The walk over a bucket that changes may come to an entry twice. */
	if (state->pass == pass)
		return;
	state->pass = pass;
	cell = live_cell(state);
	if (!cell)
		return;
	figures = figures_read(sk);
	state->end.received = payload_received(&figures) - state->received_before;
	state->end.sent = payload_sent(&figures) - state->sent_before;
	state->end.retransmits = figures.total_retrans - state->retransmits_before;
	cell->received += state->end.received;
	cell->sent += state->end.sent;
	cell->retransmits += state->end.retransmits;
	if (figures.srtt_us)
		count_duration(state->identity, DURATION_RTT, state->role, 0, (u64)(figures.srtt_us >> 3) * 1000);
}

/* Why an attempt failed whose end is past. The program may have fetched the error, or given up. */
static __always_inline enum connect_outcome outcome_of_what_is_left(const struct sock *sk)
{
	int error = BPF_CORE_READ(sk, sk_err);

	if (error)
		return outcome_of_errno(error);
	return BPF_CORE_READ((struct tcp_sock *)sk, total_retrans) ? CONNECT_TIMEOUT : CONNECT_ABORTED;
}

/* An attempt whose socket has gone on was skipped. */
static __noinline void settle_attempt(struct sock *sk, u8 tcp_state_before)
{
	u64 now = bpf_ktime_get_ns();
	struct tcp_state attempt;

	/* A closed socket whose SYN was acknowledged came about before. */
	if (tcp_state_before != TCP_CLOSE || BPF_CORE_READ((struct tcp_sock *)sk, bytes_acked)) {
		settled++;
		succeed_late(sk);
		return;
	}
	if (!take_state(sk, &attempt) || attempt.taken_up)
		return;
	settled++;
	count_loss(LOSS_END_SKIPPED);
	count_end(sk, &attempt, outcome_of_what_is_left(sk), now - attempt.since_ns,
		  BPF_CORE_READ((struct tcp_sock *)sk, total_retrans));
}

/* It has ended without being accepted, and its socket, which could have waited for that still, is gone. */
static __noinline void settle_unaccepted(struct sock *sk)
{
	struct tcp_state copy;

	if (!take_state(sk, &copy))
		return;
	settled++;
	if (copy.grafted) {
		if (!count_unseen_accept(sk, &copy))
			return;
	} else {
		copy.identity = owner_of(sk);
		if (!count_handshake(&copy))
			return;
	}
	count_end_of_taken(sk, &copy, &copy.end);
}

/* It has a descriptor, so somebody has accepted it. */
static __noinline void settle_accept(struct sock *sk)
{
	struct tcp_state copy;

	if (!take_state(sk, &copy))
		return;
	settled++;
	if (!count_unseen_accept(sk, &copy))
		return;
	copy.accepted = 1;
	if (!insert_state(sk, &copy))
		count_lost_close(copy.identity, TCP_SERVER, port_label(&copy), LOSS_STATE_FULL);
}

/* Its end was not told. The socket's memory has it still. */
static __noinline void settle_end(struct sock *sk)
{
	struct tcp_figures figures = figures_read(sk);
	int old_state, error = BPF_CORE_READ(sk, sk_err);
	struct tcp_state copy;
	struct tcp_end end;

	if (!take_state(sk, &copy))
		return;
	settled++;
	count_loss(LOSS_END_SKIPPED);
	old_state = copy.closed_here ? TCP_FIN_WAIT2 : figures.flags & (1UL << SOCK_DONE) ? TCP_LAST_ACK : TCP_ESTABLISHED;
	end = judge_end(&copy, &figures, old_state);
	/* By now both directions are shut, whoever did it; a timer that had run out is the better witness. */
	if (!error)
		error = copy.error ?: BPF_CORE_READ((struct tcp_sock *)sk, inet_conn.icsk_retransmits) ? ETIMEDOUT : 0;
	if (error)
		judge_error(sk, &copy, error, old_state, &end);
	if (!copy.accepted ? !count_unseen_accept(sk, &copy) : lacks_handshake(&copy) && !count_handshake(&copy))
		return;
	count_end_of_taken(sk, &copy, &end);
}

/* Another socket has its memory. */
static __noinline void settle_stale(struct sock *sk)
{
	struct tcp_state copy;

	if (!take_state(sk, &copy))
		return;
	settled++;
	bury(sk, &copy);
}

/*
 * Whether the first payload has come by, so that whoever looks for a TLS handshake in it has seen that. What was sent has surely
 * when it was acknowledged, beside the SYN.
 */
static __always_inline bool is_put_to_use(const struct sock *sk)
{
	const struct tcp_sock *tcp = (const struct tcp_sock *)sk;

	return BPF_CORE_READ(tcp, bytes_received) || BPF_CORE_READ(tcp, bytes_acked) > 1;
}

/* The attempt has come to this connection, and to no TLS. */
static __noinline void settle_use(const struct sock *sk)
{
	struct tcp_state copy;

	if (!take_state(sk, &copy))
		return;
	attempt_succeeds(copy.identity, attempt_duration(copy.attempt_ns, copy.since_ns),
			 origin_of_socket(sk));
	copy.attempt_ns = 0;
	if (!insert_state(sk, &copy))
		count_lost_close(copy.identity, copy.role, port_label(&copy), LOSS_STATE_FULL);
}

/*
 * The socket is read before its entry is looked up, by address: then an entry that contradicts what was read is either older,
 * and its program was skipped, or of a new socket there, and too young to be judged. The element that the iterator stands at
 * may be recycled for another socket at any moment, so nothing is read from it but the address.
 */
static __always_inline void visit_socket(u64 address)
{
	struct sock *sk = (struct sock *)address;
	u8 tcp_state_before = BPF_CORE_READ(sk, __sk_common.skc_state);
	bool gone = !BPF_CORE_READ(sk, __sk_common.skc_refcnt.refs.counter);
	u16 peer_port = BPF_CORE_READ(sk, __sk_common.skc_dport);
	u16 local_port = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
	bool has_holder = BPF_CORE_READ(sk, sk_socket);
	struct tcp_state *state = find_state(sk);
	bool is_old, closed, same;

	if (!state)
		return;
	visited++;
	is_old = bpf_ktime_get_ns() - state->since_ns > SURELY_BEGUN_NS;
	closed = gone || tcp_state_before == TCP_CLOSE;
	same = closed || peer_port == state->peer_port;
	if (state->phase == PHASE_CONNECTING) {
		if (is_old && !same)
			settle_stale(sk);
		else if (is_old && tcp_state_before != TCP_SYN_SENT && tcp_state_before != TCP_SYN_RECV)
			settle_attempt(sk, tcp_state_before);
		return;
	}
	same = same && local_port == state->local_port;
	if (state->ended) {
		if (gone || !same)
			settle_unaccepted(sk);
	} else if (!same) {
		if (is_old)
			settle_stale(sk);
	} else if (closed) {
		if (is_old)
			settle_end(sk);
	} else if (state->accepted) {
		if (state->phase == PHASE_OPEN)
			report_open(sk, state);
		if (is_old && attempt_duration(state->attempt_ns, state->since_ns) && is_put_to_use(sk))
			settle_use(sk);
	} else if (has_holder && is_old) {
		settle_accept(sk);
	}
}

#endif
