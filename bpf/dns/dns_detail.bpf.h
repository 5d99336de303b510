/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What is told of single queries (bpf/detail/detail.bpf.h). Their origins are kept by socket and id.
 *
 * Kernel half only; cgroup_skb programs, and the pass.
 */
#ifndef CONNSCOPE_DNS_DETAIL_BPF_H
#define CONNSCOPE_DNS_DETAIL_BPF_H

#include "bpf/detail/detail.bpf.h"
#include "bpf/dns/dns_state.bpf.h"
#include "bpf/dns/dns_window.bpf.h"
#include "bpf/include/packet.bpf.h"

/* The running packet asks: its server, and what is asked for, which the window has still. */
__noinline int note_query(struct __sk_buff *skb, u64 origin_key, u32 tgid)
{
	u32 direction = EGRESS, is_ipv6 = skb->cb[0] >> 17 & 1;
	struct detail_origin *origin = new_origin(origin_key);
	const struct window *window = bpf_map_lookup_elem(&windows, &direction);

	if (!origin || !window)
		return 0;
	origin->tgid = tgid;
	origin->peer_port = bpf_htons((u16)skb->cb[1]);
	if (is_ipv6) {
		bpf_skb_load_bytes(skb, IPV6_DESTINATION, origin->peer, sizeof(origin->peer));
	} else {
		origin->peer[2] = bpf_htonl(0xffff);
		bpf_skb_load_bytes(skb, IPV4_DESTINATION, &origin->peer[3], sizeof(origin->peer[3]));
	}
	bpf_probe_read_kernel(origin->host, sizeof(origin->host), window->bytes + DNS_HEADER_BYTES);
	origin->host_form = HOST_WIRE;
	return 0;
}

/* A query is asked, or goes on over TCP. */
static __always_inline void keep_query_origin(struct __sk_buff *skb, const struct query_key *key, u32 tgid)
{
	if (somebody_listens())
		note_query(skb, origin_of_query(key->cookie, key->id), tgid);
}

/* It has ended. */
static __always_inline void tell_of_query(const struct query_key *key, u64 identity, enum dns_outcome outcome, u16 rcode,
					  u64 duration_ns)
{
	bool is_failed = outcome != QUERY_ANSWERED;
	u64 origin;

	if (!somebody_listens())
		return;
	origin = origin_of_query(key->cookie, key->id);
	tell_of(identity,
		TOLD(DETAIL_QUERY, is_failed ? DETAIL_FAILURE : 0, 0, is_failed, DETAIL_QUERY_REASON((u64)outcome, (u64)rcode)),
		duration_ns, origin);
	forget_origin(origin);
}

#endif
