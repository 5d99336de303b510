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
#include "bpf/tcp/tcp_listen.bpf.h"

/* What a socket has carried. */
struct tcp_figures {
	u64 bytes_received;
	u64 bytes_sent;
	u64 bytes_retrans;
	unsigned long flags;
	u32 total_retrans;
	u32 srtt_us;
};

/* In a program with BTF. */
static __always_inline struct tcp_figures figures_of(const struct sock *sk, const struct tcp_sock *tcp)
{
	struct tcp_figures figures = {
		.bytes_received = tcp->bytes_received,
		.bytes_sent = tcp->bytes_sent,
		.bytes_retrans = tcp->bytes_retrans,
		.flags = sk->__sk_common.skc_flags,
		.total_retrans = tcp->total_retrans,
		.srtt_us = tcp->srtt_us,
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
		.total_retrans = BPF_CORE_READ(tcp, total_retrans),
		.srtt_us = BPF_CORE_READ(tcp, srtt_us),
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

/* Who began to close a socket that goes from `old_state` to CLOSE. */
static __always_inline bool closed_here_first(int old_state)
{
	return old_state == TCP_FIN_WAIT1 || old_state == TCP_FIN_WAIT2 || old_state == TCP_CLOSING;
}

static __always_inline bool closed_there_first(int old_state)
{
	return old_state == TCP_CLOSE_WAIT || old_state == TCP_LAST_ACK;
}

/*
 * Which timer gave up. What was not acknowledged or not even sent tells, since the queue itself is purged before the end; a
 * user time-out replaces the limits of all of them (net/ipv4/tcp_timer.c).
 */
static __always_inline void judge_timeout(const struct tcp_sock *tcp, struct tcp_end *end)
{
	u32 snd_nxt = BPF_CORE_READ(tcp, snd_nxt);

	end->close = CLOSE_TIMEOUT;
	if (BPF_CORE_READ(tcp, snd_una) != snd_nxt) {
		end->failure = FAILURE_RETRANSMIT_TIMEOUT;
	} else if (BPF_CORE_READ(tcp, write_seq) != snd_nxt) {
		end->failure = FAILURE_ZERO_WINDOW_TIMEOUT;
	} else {
		end->failure = FAILURE_KEEPALIVE_TIMEOUT;
		end->resets_out = 1; /* tcp_keepalive_timer sends one, the other timers do not */
	}
	if (BPF_CORE_READ(tcp, inet_conn.icsk_user_timeout))
		end->failure = FAILURE_USER_TIMEOUT;
}

/*
 * Whether the reset is our own: data that comes for a socket which its program has closed makes the kernel end it with the
 * error of a reset, and send one (tcp_rcv_state_process: TCPAbortOnData).
 */
static __always_inline bool aborts_on_data(const struct sock *sk, const struct tcp_state *state, int old_state)
{
	return (old_state == TCP_FIN_WAIT1 || old_state == TCP_FIN_WAIT2) &&
	       BPF_CORE_READ_BITFIELD_PROBED(sk, sk_shutdown) & RCV_SHUTDOWN &&
	       BPF_CORE_READ((const struct tcp_sock *)sk, data_segs_in) != state->data_segments;
}

/* What `error` adds to the end of a socket; any pointer. */
static __noinline void judge_error(const struct sock *sk, const struct tcp_state *state, int error, int old_state,
				   struct tcp_end *end)
{
	bool half_closed = closed_here_first(old_state) || closed_there_first(old_state);
	bool seen_by_program = !half_closed || BPF_CORE_READ(sk, sk_socket);

	switch (error) {
	case ECONNRESET:
	case EPIPE: /* a reset after the remote FIN */
		if (aborts_on_data(sk, state, old_state)) {
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
		judge_timeout((const struct tcp_sock *)sk, end);
	}
}

/* The end of a socket that goes from `old_state` to CLOSE, but for what its error says. */
static __always_inline struct tcp_end judge_end(const struct tcp_state *state, const struct tcp_figures *figures,
						int old_state)
{
	struct tcp_end end = {
		.received = payload_received(figures) - state->received_before,
		.sent = payload_sent(figures) - state->sent_before,
		.retransmits = figures->total_retrans - state->retransmits_before,
		.rtt_us = figures->srtt_us >> 3,
		.close = CLOSE_LOCAL_RESET,
	};

	if (closed_here_first(old_state))
		end.close = CLOSE_LOCAL_FIN;
	else if (closed_there_first(old_state))
		end.close = CLOSE_REMOTE_FIN;
	end.duration_ns = bpf_ktime_get_ns() - state->since_ns;
	return end;
}

/* Linger 0, data that nobody read, or connect to AF_UNSPEC: closed without an error, and without a FIN of our own. */
static __always_inline bool resets(int old_state)
{
	return old_state == TCP_ESTABLISHED || old_state == TCP_CLOSE_WAIT;
}

/*
 * The error of a socket that ends as if its program had reset it, and has none any more. The kernel tells a program of a
 * time-out just before the end, so it may have been fetched: on_error has seen it then, and before 5.14, which has no such
 * hook, a timer that had run out tells. close(2) would have shut both directions first.
 */
static __noinline int fetched_error(const struct sock *sk, const struct tcp_state *state)
{
	const struct tcp_sock *tcp = (const struct tcp_sock *)sk;

	if (BPF_CORE_READ_BITFIELD_PROBED(sk, sk_shutdown) == SHUTDOWN_MASK)
		return 0;
	if (state->error)
		return state->error;
	return BPF_CORE_READ(tcp, inet_conn.icsk_retransmits) || BPF_CORE_READ(tcp, inet_conn.icsk_probes_out) ? ETIMEDOUT :
														  0;
}

/* --- the course of a life -------------------------------------------------------------------------------------------- */

/*
 * Counts the end of a connection, and with it of an attempt that it was the last part of, which has taken `attempt_ns`; 0: of none.
 * Does so for one caller alone, who is first.
 */
static __always_inline void count_end_of_life(const struct sock *sk, const struct tcp_state *state, const struct tcp_end *end,
					      u64 attempt_ns)
{
	struct tcp_closed_key key = closed_key(state, end);

	if (!drop_state(sk))
		return;
	count_close(&key, end);
	attempt_succeeds(key.identity, attempt_ns, origin_of_socket(sk));
	tell_of_life(sk, key.identity, key.role, key.failure, end->duration_ns);
}

/* The same with the end that is kept in the state. */
static __always_inline void finish(const struct sock *sk)
{
	const struct tcp_state *state = find_state(sk);
	struct tcp_end end;

	if (!state)
		return;
	end = state->end;
	count_end_of_life(sk, state, &end, 0);
}

/* → FIN_WAIT1: what comes from now on is too late. */
static __always_inline void begin_close(struct sock *sk)
{
	struct tcp_state *state = find_state(sk);
	struct tcp_sock *tcp;

	if (!state)
		return;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (tcp)
		state->data_segments = tcp->data_segs_in;
	state->closed_here = 1;
}

/* Accepted, and never seen to be established: it ended in one with the handshake. False: lost, and counted as such. */
static __noinline bool end_early(const struct sock *sk, const struct tcp_state *state, u64 duration_ns)
{
	if (count_duration(state->identity, DURATION_HANDSHAKE, state->family, port_label(state), duration_ns))
		return true;
	drop_state(sk);
	return false;
}

/*
 * Counts a connection whose accept was not seen: by io_uring, or where no hook tells of it. Its moment and its caller are not
 * known. False: lost, and counted as such.
 */
static __noinline bool count_unseen_accept(const struct sock *sk, struct tcp_state *state)
{
	state->identity = owner_of(sk);
	count_loss(LOSS_ACCEPT_UNSEEN);
	count_in_bucket(state->identity, DURATION_ACCEPT_WAIT, state->family, port_label(state), BUCKET_UNKNOWN, 0);
	return count_handshake(state);
}

/* Keeps the end of a connection that nobody was seen to accept. */
static __noinline void end_unaccepted(struct sock *sk, struct tcp_state *state, const struct tcp_end *end, int old_state)
{
	struct tcp_state copy;

	/* The kernel sends no FIN by itself: somebody has accepted it, and closed it since. */
	if (closed_here_first(old_state) || old_state == TCP_LAST_ACK) {
		if (take_state(sk, &copy) && count_unseen_accept(sk, &copy))
			count_end_of_taken(sk, &copy, end);
		return;
	}
	if (sk->sk_socket)
		state->grafted = 1;
	state->end = *end;
	__sync_fetch_and_add(&state->ended, 1);
	if (*(volatile u32 *)&state->accepted)
		finish(sk);
}

/* The entry is of a socket that was here before, and whose end no program saw; of this one none saw the beginning. */
static __noinline void end_of_unseen(const struct sock *sk)
{
	struct tcp_state stale;

	if (take_state(sk, &stale))
		bury(sk, &stale);
}

/* Any state but LISTEN → CLOSE. */
static __noinline void end(struct sock *sk, int old_state)
{
	struct tcp_state *state = find_state(sk);
	struct tcp_figures figures;
	int error = sk->sk_err;
	struct tcp_sock *tcp;
	struct tcp_end end;

	if (!state)
		return;
	if (state->phase == PHASE_CONNECTING) {
		if (old_state == TCP_SYN_SENT || old_state == TCP_SYN_RECV) {
			fail(sk, error);
			return;
		}
		succeed_late(sk);
		state = find_state(sk);
		if (!state)
			return;
	}
	if (state->peer_port != sk->__sk_common.skc_dport) {
		end_of_unseen(sk);
		return;
	}
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!tcp)
		return;
	figures = figures_of(sk, tcp);
	end = judge_end(state, &figures, old_state);
	if (!error && resets(old_state))
		error = fetched_error(sk, state);
	if (error)
		judge_error(sk, state, error, old_state, &end);
	else if (resets(old_state))
		end.resets_out = 1;
	if (state->phase == PHASE_EARLY && !end_early(sk, state, end.duration_ns))
		return;
	if (!state->accepted) {
		end_unaccepted(sk, state, &end, old_state);
		return;
	}
	count_end_of_life(sk, state, &end, attempt_duration(state->attempt_ns, state->since_ns));
}

/* --- sockets that were there before ----------------------------------------------------------------------------------- */

/* Follows an open socket from now on: what it has carried so far is not counted. False: there is no room. */
static __always_inline bool take_up(const struct sock *sk, struct tcp_state *state)
{
	struct tcp_figures figures = figures_read(sk);

	state->taken_up = 1;
	state->received_before = payload_received(&figures);
	state->sent_before = payload_sent(&figures);
	state->retransmits_before = figures.total_retrans;
	state->data_segments = BPF_CORE_READ((const struct tcp_sock *)sk, data_segs_in);
	if (!insert_state(sk, state))
		return find_state(sk);
	if (state->phase != PHASE_CONNECTING)
		count_taken_up(state);
	return true;
}

#endif
