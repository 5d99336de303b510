/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Certificates in plain text, up to TLS 1.2: the program of the wire finds where a packet has its sender's, and hands that packet on to
 * the probe of certificates, if that is on, which copies what it needs of it. The object of the wire owns the map.
 *
 * Kernel half only; cgroup_skb/ingress programs.
 */
#ifndef CONNSCOPE_TLS_PLAIN_BPF_H
#define CONNSCOPE_TLS_PLAIN_BPF_H

#include "bpf/tls/tls_flow.bpf.h"

/* Whom such packets are handed to; empty unless the probe of certificates is on. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} tls_plain_certificate SEC(".maps");

static __always_inline void hand_certificate_on(struct __sk_buff *skb, struct handshake *handshake)
{
	struct tls_side *side = side_of(flow_of(handshake), INGRESS);

	if (!side->plain.bytes)
		return;
	skb->cb[0] = side->plain.at;
	skb->cb[1] = side->plain.bytes;
	side->plain.bytes = 0;
	bpf_tail_call(skb, &tls_plain_certificate, 0);
}

static __always_inline struct plain_certificate certificate_of(const struct __sk_buff *skb)
{
	return (struct plain_certificate){.at = skb->cb[0], .bytes = skb->cb[1]};
}

#endif
