/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The state of each TCP socket that is followed, from its SYN or its birth to its end: one entry for its whole life, so that
 * a connection costs one insertion and one deletion.
 *
 * Who may do what. Changes of a socket's state run under its lock, so they do not meet each other. The return of accept(2)
 * or connect(2) and the pass over all entries may meet them; then whoever deletes the entry counts the end.
 *
 * Kernel half only.
 */
#ifndef CONNSCOPE_TCP_STATE_BPF_H
#define CONNSCOPE_TCP_STATE_BPF_H

#include "bpf/include/kernel_types.h"
#include "bpf/include/ledger.bpf.h"
#include "bpf/tcp/tcp.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

enum tcp_phase {
	PHASE_CONNECTING = 0, /* an attempt, from its SYN on */
	PHASE_EARLY,          /* accepted before the handshake has ended, by TCP Fast Open */
	PHASE_OPEN,           /* established, until its end is counted */
};

/* How a connection ended, and what it had carried. */
struct tcp_end {
	u64 duration_ns;
	u64 received;
	u64 sent;
	u32 retransmits;
	u32 rtt_us;
	u8 close;
	u8 failure;
	u8 resets_in;
	u8 resets_out;
};

struct tcp_state {
	u64 since_ns; /* the SYN; once it is established: that moment */
	u64 identity;
	u64 received_before; /* what had gone before it was taken up */
	u64 sent_before;
	u64 attempt_ns; /* when its attempt began, maybe with a look-up; 0: that is counted, or it is a server's */
	struct tcp_end end; /* once it has ended without being accepted */
	u32 retransmits_before;
	u32 handshake_us;
	u32 data_segments;  /* that had come in when its program closed it */
	u32 pass;           /* the last one that has reported it */
	u32 accepted;       /* not 0: its owner is known; a connection that was begun here has its owner from the beginning */
	u32 attempt_thread; /* that has looked its peer up; 0: none has */
	u32 ended;          /* not 0: `end` is filled */
	u16 peer_port;      /* as on the wire */
	u16 local_port;     /* in host order */
	u8 family;
	u8 role;
	u8 phase;
	u8 error;       /* the last one that its program was told of; it may have fetched it by the end */
	u8 closed_here; /* a FIN of its own was sent while the connection was whole */
	u8 grafted;     /* it was seen to have had a descriptor */
	u8 taken_up;    /* it was there before it was seen */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8); /* the tcp probe asks for more */
	__type(key, u64); /* struct sock * */
	__type(value, struct tcp_state);
} sockets SEC(".maps");

/* What has begun that long ago cannot be in the middle of it. */
#define SURELY_BEGUN_NS 1000000000ULL

/* Whether servers' cells are kept apart by port. Set before the load. */
const volatile __u8 by_port = 0;

static __always_inline u16 port_label(const struct tcp_state *state)
{
	return by_port && state->role == TCP_SERVER ? state->local_port : 0;
}

static __always_inline struct tcp_state *find_state(const void *sk)
{
	u64 key = (u64)sk;

	return bpf_map_lookup_elem(&sockets, &key);
}

/* True for one caller alone. */
static __always_inline bool drop_state(const void *sk)
{
	u64 key = (u64)sk;

	return !bpf_map_delete_elem(&sockets, &key);
}

/* False: there is one already, or there is no room. */
static __always_inline bool insert_state(const void *sk, const struct tcp_state *state)
{
	u64 key = (u64)sk;

	return !bpf_map_update_elem(&sockets, &key, state, BPF_NOEXIST);
}

/* Takes the state out of the map; false: there is none, or another CPU was first. */
static __always_inline bool take_state(const void *sk, struct tcp_state *state)
{
	const struct tcp_state *kept = find_state(sk);

	if (!kept)
		return false;
	*state = *kept;
	return drop_state(sk);
}

#endif
