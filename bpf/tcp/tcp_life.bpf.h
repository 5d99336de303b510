/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The life of an established connection: what closed it, whether that was a failure, and what it has carried.
 *
 * What closes it first decides: a FIN of either side, a reset, a time-out. But an error that ends a half-closed connection
 * while its program still holds the socket is what the program sees, and so what is counted.
 *
 * Kernel half only.
 */
#ifndef CONNSCOPE_TCP_LIFE_BPF_H
#define CONNSCOPE_TCP_LIFE_BPF_H

#include "bpf/tcp/tcp_connect.bpf.h"

/* What the kernel knows of a socket, as far as its end is judged by it. */
struct tcp_figures {
	u64 bytes_received;
	u64 bytes_sent;
	u64 bytes_retrans;
	unsigned long flags;
	const void *holder; /* its struct socket */
	u32 data_segs_in;
	u32 total_retrans;
	u32 srtt_us;
	u32 snd_una;
	u32 snd_nxt;
	u32 write_seq;
	u32 user_timeout;
	int error;
	u8 shutdown;
};

/* In a program with BTF. */
static __always_inline struct tcp_figures figures_of(struct sock *sk, const struct tcp_sock *tcp)
{
	struct tcp_figures figures = {
		.bytes_received = tcp->bytes_received,
		.bytes_sent = tcp->bytes_sent,
		.bytes_retrans = tcp->bytes_retrans,
		.flags = sk->__sk_common.skc_flags,
		.holder = sk->sk_socket,
		.data_segs_in = tcp->data_segs_in,
		.total_retrans = tcp->total_retrans,
		.srtt_us = tcp->srtt_us,
		.snd_una = tcp->snd_una,
		.snd_nxt = tcp->snd_nxt,
		.write_seq = tcp->write_seq,
		.user_timeout = tcp->inet_conn.icsk_user_timeout,
		.error = sk->sk_err,
		.shutdown = BPF_CORE_READ_BITFIELD(sk, sk_shutdown),
	};

	return figures;
}

/* By reads of kernel memory, for any pointer. */
static __always_inline struct tcp_figures figures_read(const struct sock *sk)
{
	const struct tcp_sock *tcp = (const struct tcp_sock *)sk;
	struct tcp_figures figures = {
		.bytes_received = BPF_CORE_READ(tcp, bytes_received),
		.bytes_sent = BPF_CORE_READ(tcp, bytes_sent),
		.bytes_retrans = BPF_CORE_READ(tcp, bytes_retrans),
		.flags = BPF_CORE_READ(sk, __sk_common.skc_flags),
		.holder = BPF_CORE_READ(sk, sk_socket),
		.data_segs_in = BPF_CORE_READ(tcp, data_segs_in),
		.total_retrans = BPF_CORE_READ(tcp, total_retrans),
		.srtt_us = BPF_CORE_READ(tcp, srtt_us),
		.snd_una = BPF_CORE_READ(tcp, snd_una),
		.snd_nxt = BPF_CORE_READ(tcp, snd_nxt),
		.write_seq = BPF_CORE_READ(tcp, write_seq),
		.user_timeout = BPF_CORE_READ(tcp, inet_conn.icsk_user_timeout),
		.error = BPF_CORE_READ(sk, sk_err),
		.shutdown = BPF_CORE_READ_BITFIELD_PROBED(sk, sk_shutdown),
	};

	return figures;
}

/* Payload alone: the kernel counts a FIN as a byte received, and what it sends again as sent. */
static __always_inline u64 payload_received(const struct tcp_figures *figures)
{
	return figures->bytes_received - !!(figures->flags & (1UL << SOCK_DONE));
}

static __always_inline u64 payload_sent(const struct tcp_figures *figures)
{
	return figures->bytes_sent - figures->bytes_retrans;
}

/* --- why it ended -------------------------------------------------------------------------------------------------- */

/*
 * Which timer gave up. What was not acknowledged or not even sent tells, since the queue itself is purged before the end; a
 * user time-out replaces the limits of all of them (net/ipv4/tcp_timer.c).
 */
static __always_inline u8 timeout_failure(const struct tcp_figures *figures)
{
	if (figures->user_timeout)
		return FAILURE_USER_TIMEOUT;
	if (figures->snd_una != figures->snd_nxt)
		return FAILURE_RETRANSMIT_TIMEOUT;
	if (figures->snd_nxt != figures->write_seq)
		return FAILURE_ZERO_WINDOW_TIMEOUT;
	return FAILURE_KEEPALIVE_TIMEOUT;
}

/*
 * Whether the reset is our own: data that comes for a socket which its program has closed makes the kernel end it with the
 * error of a reset, and send one (tcp_rcv_state_process: TCPAbortOnData).
 */
static __always_inline bool aborts_on_data(const struct tcp_state *state, const struct tcp_figures *figures, int old_state)
{
	return (old_state == TCP_FIN_WAIT1 || old_state == TCP_FIN_WAIT2) && figures->shutdown & RCV_SHUTDOWN &&
	       figures->data_segs_in != state->data_segments;
}

static __noinline void judge_error(const struct tcp_state *state, const struct tcp_figures *figures, int old_state,
					struct tcp_end *end)
{
	bool seen_by_program = !state->closing || figures->holder;

	switch (figures->error) {
	case ECONNRESET:
	case EPIPE: /* a reset after the remote FIN */
		if (aborts_on_data(state, figures, old_state)) {
			end->resets_out = 1;
			return;
		}
		end->resets_in = 1;
		if (!seen_by_program)
			return;
		end->close = CLOSE_REMOTE_RESET;
		end->failure = FAILURE_RESET;
		return;
	case ECONNABORTED: /* destroyed by the administrator: ss -K */
		end->resets_out = 1;
		end->close = CLOSE_LOCAL_RESET;
		end->failure = FAILURE_DESTROYED;
		return;
	default: /* ETIMEDOUT, or the error that an ICMP message gave for it */
		if (!seen_by_program)
			return;
		end->close = CLOSE_TIMEOUT;
		end->failure = timeout_failure(figures);
	}
}

/* What `state` says at the change from `old_state` to CLOSE. */
static __always_inline struct tcp_end judge_end(const struct tcp_state *state, const struct tcp_figures *figures,
						int old_state)
{
	struct tcp_end end = {
		.received = payload_received(figures) - state->received_before,
		.sent = payload_sent(figures) - state->sent_before,
		.retransmits = figures->total_retrans - state->retransmits_before,
		.rtt_us = figures->srtt_us >> 3,
		.close = state->closing ? state->closing - 1 : CLOSE_LOCAL_RESET,
	};

	if (figures->error)
		judge_error(state, figures, old_state, &end);
	else if (old_state == TCP_ESTABLISHED || old_state == TCP_CLOSE_WAIT)
		end.resets_out = 1; /* linger 0, data that nobody read, or connect to AF_UNSPEC */
	end.duration_ns = bpf_ktime_get_ns() - state->since_ns;
	return end;
}

/* --- the course of a life -------------------------------------------------------------------------------------------- */

/* Counts the end of a connection; of several callers one is first. */
static __always_inline void count_end_of_life(const struct sock *sk, const struct tcp_state *state, const struct tcp_end *end)
{
	struct tcp_closed_key key = closed_key(state, end);

	if (drop_state(sk))
		count_close(&key, end);
}

/* The same with the end that is kept in the state. */
static __always_inline void finish(const struct sock *sk)
{
	const struct tcp_state *state = find_state(sk);
	struct tcp_end end;

	if (!state)
		return;
	end = state->end;
	count_end_of_life(sk, state, &end);
}

/* → FIN_WAIT1 or → CLOSE_WAIT: the first FIN. */
static __always_inline void begin_close(struct sock *sk, int new_state)
{
	struct tcp_state *state = find_state(sk);
	struct tcp_sock *tcp;

	if (!state)
		return;
	if (state->phase == PHASE_CONNECTING) {
		succeed_late(sk);
		state = find_state(sk);
		if (!state)
			return;
	}
	tcp = bpf_skc_to_tcp_sock(sk);
	if (sk->sk_socket)
		state->grafted = 1;
	if (tcp)
		state->data_segments = tcp->data_segs_in;
	if (!state->closing)
		state->closing = 1 + (new_state == TCP_FIN_WAIT1 ? CLOSE_LOCAL_FIN : CLOSE_REMOTE_FIN);
}

/* Any state but LISTEN → CLOSE. */
static __always_inline void end(struct sock *sk, int old_state)
{
	struct tcp_state *state = find_state(sk);
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);
	struct tcp_figures figures;
	struct tcp_end ended;

	if (!state || !tcp)
		return;
	if (state->phase == PHASE_CONNECTING) {
		if (old_state == TCP_SYN_SENT || old_state == TCP_SYN_RECV) {
			fail(sk, sk->sk_err);
			return;
		}
		succeed_late(sk);
		state = find_state(sk);
		if (!state)
			return;
	}
	figures = figures_of(sk, tcp);
	ended = judge_end(state, &figures, old_state);
	if (state->phase == PHASE_EARLY) {
		/* Accepted, and never seen to be established: a reset, or a close in one with the handshake's last segment. */
		if (!count_duration(state->identity, DURATION_HANDSHAKE, state->family, port_label(state),
				    ended.duration_ns)) {
			drop_state(sk);
			return;
		}
	}
	if (state->accepted) {
		count_end_of_life(sk, state, &ended);
		return;
	}
	if (figures.holder)
		state->grafted = 1;
	state->end = ended;
	__sync_fetch_and_add(&state->ended, 1);
	if (*(volatile u32 *)&state->accepted)
		finish(sk);
}

/* --- sockets that were there before ----------------------------------------------------------------------------------- */

/* Follows an open socket from now on: what it has carried so far is not counted. */
static __always_inline void take_up(const struct sock *sk, struct tcp_state *state)
{
	struct tcp_figures figures = figures_read(sk);

	state->taken_up = 1;
	state->received_before = payload_received(&figures);
	state->sent_before = payload_sent(&figures);
	state->retransmits_before = figures.total_retrans;
	state->data_segments = figures.data_segs_in;
	if (!insert_state(sk, state)) {
		if (!find_state(sk))
			count_loss(LOSS_STATE_FULL);
		return;
	}
	if (state->phase != PHASE_CONNECTING)
		count_taken_up(state);
}

#endif
