/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What is told of single connects and connections (bpf/detail/detail.bpf.h). Their origins are kept by the socket's address.
 *
 * Kernel half only.
 */
#ifndef CONNSCOPE_TCP_DETAIL_BPF_H
#define CONNSCOPE_TCP_DETAIL_BPF_H

#include "bpf/detail/detail.bpf.h"
#include "bpf/tcp/tcp.h"

/* Global functions take numbers: see detail.bpf.h. They do not call each other, since their callers' stacks are deep. */
__noinline int note_connect(u64 origin_key, u32 outcome, u64 duration_ns)
{
	struct detail_origin *origin = find_origin(origin_key);

	if (!origin)
		return 0;
	origin->tcp_ns = duration_ns;
	origin->metric = DETAIL_CONNECT;
	origin->reason = outcome;
	return 0;
}

/* A connect has ended. */
static __always_inline void tell_of_connect(u64 origin, u64 identity, enum connect_outcome outcome, u64 duration_ns)
{
	bool is_failed = outcome != CONNECT_OK;

	if (origin == NO_ORIGIN)
		return;
	note_connect(origin, outcome, duration_ns);
	tell_of(identity, TOLD(DETAIL_CONNECT, is_failed ? DETAIL_FAILURE : 0, TCP_CLIENT, is_failed, outcome), duration_ns,
		origin);
}

/* A connection has ended, by a failure or not. What was there before anybody listened has its peer still. */
static __always_inline void tell_of_life(const void *sk, u64 identity, u8 role, u8 failure, u64 duration_ns)
{
	u64 origin = origin_of_socket(sk);

	if (origin == NO_ORIGIN)
		return;
	if (failure) {
		if (!find_origin(origin))
			meet_socket(number_of(sk), 0, 0);
		tell_of(identity, TOLD(DETAIL_LIFE, DETAIL_FAILURE, role, true, failure), duration_ns, origin);
	}
	forget_origin(origin);
}

/* `given` is the peer's address in the memory of the running process. */
__noinline int write_refused_call(u64 sk, u32 tgid, u64 looked_up_ns, u64 given)
{
	struct detail_origin *origin = new_origin(ORIGIN_KEY(1, sk));
	u16 family = 0;

	if (!origin)
		return 0;
	origin->tgid = tgid;
	bpf_probe_read_user(&family, sizeof(family), (void *)given);
	bpf_probe_read_user(&origin->peer_port, sizeof(origin->peer_port), (void *)given + 2);
	if (family == AF_INET6) {
		bpf_probe_read_user(origin->peer, sizeof(origin->peer), (void *)given + 8);
	} else {
		origin->peer[2] = bpf_htonl(0xffff);
		bpf_probe_read_user(&origin->peer[3], sizeof(origin->peer[3]), (void *)given + 4);
	}
	keep_lookup(origin, looked_up_ns);
	return 0;
}

#endif
