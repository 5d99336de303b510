/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the tls probe tells of an attempt: a ClientHello that is the first thing on a connection takes the attempt over from the
 * socket's state, and what becomes of the handshake ends it. After anything else, as in STARTTLS, the attempt had ended before.
 *
 * Kernel half only; programs of packets.
 */
#ifndef CONNSCOPE_ATTEMPT_TLS_BPF_H
#define CONNSCOPE_ATTEMPT_TLS_BPF_H

#include "bpf/attempt/attempt_state.bpf.h"
#include "bpf/tcp/tcp_state.bpf.h"

/*
 * The running packet has a ClientHello that its socket sends, and so holds the socket's lock. Returns when the attempt began; 0: there is
 * none, or it has ended.
 */
static __always_inline u64 attempt_goes_on_with_tls(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	struct tcp_state *state;
	struct tcp_sock *tcp;
	u64 begun_ns;

	tcp = follows_attempts && sk ? bpf_skc_to_tcp_sock(sk) : NULL;
	if (!tcp || tcp->bytes_received)
		return 0;
	state = find_state(tcp);
	if (!state || state->phase != PHASE_OPEN)
		return 0;
	begun_ns = state->attempt_ns;
	state->attempt_ns = 0;
	return begun_ns;
}

#endif
