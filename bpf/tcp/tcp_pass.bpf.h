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
	struct tcp_live fresh = {.pass = pass}, *cell = CELL(tcp_live, &key, &fresh);

	if (cell && cell->pass != pass)
		*cell = fresh;
	return cell;
}

/* Nothing is lost without a cell: what a connection has carried is counted when it closes. */
static __noinline void report_open(const struct sock *sk, struct tcp_state *state)
{
	struct tcp_live *cell;
	struct tcp_figures figures;

	/* The walk over a bucket that changes may come to an entry twice. */
	if (state->pass == pass)
		return;
	state->pass = pass;
	cell = live_cell(state);
	if (!cell)
		return;
	figures = figures_read(sk);
	cell->connections++;
	cell->received += payload_received(&figures) - state->received_before;
	cell->sent += payload_sent(&figures) - state->sent_before;
	cell->retransmits += figures.total_retrans - state->retransmits_before;
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

/* An attempt whose socket has gone on was skipped. One that is still closed may just have begun. */
static __noinline void settle_attempt(struct sock *sk, const struct tcp_state *kept, u8 tcp_state_now)
{
	u64 age_ns = bpf_ktime_get_ns() - kept->since_ns;
	struct tcp_state attempt;

	if (tcp_state_now == TCP_SYN_SENT || tcp_state_now == TCP_SYN_RECV)
		return;
	/* A closed socket whose SYN was acknowledged came about before. */
	if (BPF_CORE_READ(sk, __sk_common.skc_dport) == kept->peer_port &&
	    (tcp_state_now != TCP_CLOSE || BPF_CORE_READ((struct tcp_sock *)sk, bytes_acked))) {
		settled++;
		succeed_late(sk);
		return;
	}
	/* Closed, or another socket by now: whatever it failed for, it is gone. */
	if (age_ns < SURELY_BEGUN_NS || !take_state(sk, &attempt) || attempt.taken_up)
		return;
	settled++;
	count_loss(LOSS_END_SKIPPED);
	count_end(&attempt, outcome_of_what_is_left(sk), age_ns, BPF_CORE_READ((struct tcp_sock *)sk, total_retrans));
}

/* Never accepted, so its handshake was not counted either. */
static __noinline void settle_unaccepted(struct sock *sk, struct tcp_state *state, bool gone)
{
	if (state->ended) {
		/* While it lasts, its socket waits to be accepted even so. */
		if (!gone)
			return;
		settled++;
		if (state->grafted)
			accepted_unseen(sk, state);
		else
			own(sk, state, owner_of(sk));
	} else if (BPF_CORE_READ(sk, sk_socket) && bpf_ktime_get_ns() - state->since_ns > SURELY_BEGUN_NS) {
		settled++;
		accepted_unseen(sk, state);
	}
}

/* Its end was not told. The socket's memory has it still, unless another socket's has come. */
static __noinline void settle_end(struct sock *sk, struct tcp_state *state, bool same)
{
	struct tcp_figures figures;
	struct tcp_state copy;
	struct tcp_end end;

	settled++;
	if (!same) {
		if (take_state(sk, &copy))
			bury(&copy);
		return;
	}
	figures = figures_read(sk);
	end = judge_end(state, &figures, TCP_ESTABLISHED);
	count_loss(LOSS_END_SKIPPED);
	count_end_of_life(sk, state, &end);
}

static __always_inline void visit_socket(u64 address, struct tcp_state *state)
{
	struct sock *sk = (struct sock *)address;
	u8 tcp_state_now = BPF_CORE_READ(sk, __sk_common.skc_state);
	bool gone = !BPF_CORE_READ(sk, __sk_common.skc_refcnt.refs.counter);
	bool same;

	visited++;
	if (state->phase == PHASE_CONNECTING) {
		settle_attempt(sk, state, tcp_state_now);
		return;
	}
	same = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport)) == state->local_port &&
	       (BPF_CORE_READ(sk, __sk_common.skc_dport) == state->peer_port || tcp_state_now == TCP_CLOSE);
	if (!state->accepted)
		settle_unaccepted(sk, state, gone || !same);
	if (state->ended)
		return;
	if (gone || !same || tcp_state_now == TCP_CLOSE)
		settle_end(sk, state, same);
	else if (state->accepted && state->phase == PHASE_OPEN)
		report_open(sk, state);
}

#endif
