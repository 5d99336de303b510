/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * struct packet: what the packet programs have read of a packet's headers, handed in skb->cb to the protocol's program, so that
 * headers are read once.
 *
 * Kernel half only; cgroup_skb programs.
 */
#ifndef CONNSCOPE_PACKET_BPF_H
#define CONNSCOPE_PACKET_BPF_H

#include "bpf/include/kernel_types.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* What a cgroup_skb program says of each packet: let it pass. */
#define PASS 1

struct packet {
	u32 payload; /* where it begins */
	u16 source_port;
	u16 dest_port;
	u32 sequence;    /* TCP: of the first byte of the payload */
	u8 is_tcp;
	u8 is_ipv6;
	u8 from_service; /* the source port is one of the protocol's */
	u8 to_service;   /* the port it goes to is */
};

static __always_inline void hand_on(struct __sk_buff *skb, const struct packet *packet)
{
	skb->cb[0] = packet->payload | packet->is_tcp << 16 | packet->is_ipv6 << 17 | packet->from_service << 18 |
		     packet->to_service << 19;
	skb->cb[1] = (u32)packet->source_port << 16 | packet->dest_port;
	skb->cb[2] = packet->sequence;
}

static __always_inline struct packet packet_of(const struct __sk_buff *skb)
{
	u32 word = skb->cb[0], ports = skb->cb[1];
	struct packet packet = {
		.payload = word & 0xffff,
		.source_port = ports >> 16,
		.dest_port = ports & 0xffff,
		.sequence = skb->cb[2],
		.is_tcp = word >> 16 & 1,
		.is_ipv6 = word >> 17 & 1,
		.from_service = word >> 18 & 1,
		.to_service = word >> 19 & 1,
	};

	return packet;
}

#endif
