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

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* What a cgroup_skb program says of each packet: let it pass. */
#define PASS 1

enum direction {
	EGRESS = 0,
	INGRESS,
	DIRECTIONS,
};

struct packet {
	u32 payload; /* where it begins */
	u16 source_port;
	u16 dest_port;
	u32 sequence;    /* TCP: of the first byte of the payload */
	u32 acknowledged; /* TCP: of the first byte that the sender has not got */
	u8 is_tcp;
	u8 is_fin;
	u8 is_reset;
	u8 is_ipv6;
	u8 from_service; /* the source port is one of the protocol's */
	u8 to_service;   /* the port it goes to is */
	u8 begins_handshake; /* was found to, as TLS has it */
};

static __always_inline void hand_on(struct __sk_buff *skb, const struct packet *packet)
{
	skb->cb[0] = packet->payload | packet->is_tcp << 16 | packet->is_ipv6 << 17 | packet->from_service << 18 |
		     packet->to_service << 19 | packet->is_fin << 20 | packet->is_reset << 21 | packet->begins_handshake << 22;
	skb->cb[1] = (u32)packet->source_port << 16 | packet->dest_port;
	skb->cb[2] = packet->sequence;
	skb->cb[3] = packet->acknowledged;
}

static __always_inline struct packet packet_of(const struct __sk_buff *skb)
{
	u32 word = skb->cb[0], ports = skb->cb[1];
	struct packet packet = {
		.payload = word & 0xffff,
		.source_port = ports >> 16,
		.dest_port = ports & 0xffff,
		.sequence = skb->cb[2],
		.acknowledged = skb->cb[3],
		.is_tcp = word >> 16 & 1,
		.is_ipv6 = word >> 17 & 1,
		.from_service = word >> 18 & 1,
		.to_service = word >> 19 & 1,
		.is_fin = word >> 20 & 1,
		.is_reset = word >> 21 & 1,
		.begins_handshake = word >> 22 & 1,
	};

	return packet;
}

/*
 * Whether the process that runs now is one that uses the TCP socket: segments are also sent from timers and for incoming ones, in the
 * context of any process; a process holds the socket's lock.
 */
static __always_inline bool process_holds_socket(struct __sk_buff *skb)
{
	/* The context is a struct sk_buff; the socket that it gives itself has no such field. */
	return BPF_CORE_READ((struct sk_buff *)skb, sk, sk_lock.owned);
}

/*
 * Whether a length is from 1 to `most`, said in the only way that verifiers before 6.12 understand, and after the compiler has drawn
 * its own conclusions: without the detour they lose that it is not 0.
 */
static __always_inline bool says_length(u64 *length, u64 most)
{
	u64 less_one = *length - 1;

	asm volatile("" : "+r"(less_one));
	if (less_one >= most)
		return false;
	*length = less_one + 1;
	return true;
}

/* Where the addresses stand in the header. */
#define IPV4_SOURCE 12
#define IPV4_DESTINATION 16
#define IPV6_SOURCE 8
#define IPV6_DESTINATION 24

/* The address of the other side, all words of IPv6 folded into one. */
static __always_inline u32 peer_of(struct __sk_buff *skb, const struct packet *packet, u32 direction)
{
	u32 words[4] = {};

	if (packet->is_ipv6)
		bpf_skb_load_bytes(skb, direction == EGRESS ? IPV6_DESTINATION : IPV6_SOURCE, words, sizeof(words));
	else
		bpf_skb_load_bytes(skb, direction == EGRESS ? IPV4_DESTINATION : IPV4_SOURCE, words, sizeof(words[0]));
	return words[0] ^ words[1] ^ words[2] ^ words[3];
}

/* What a server's connection is known by before it has a socket: its namespace, ports and peer. Never a socket's cookie. */
static __always_inline u64 connection_by_peer(struct __sk_buff *skb, const struct packet *packet, u32 direction)
{
	u64 ports = (u64)packet->source_port << 16 | packet->dest_port, netns;

	if (direction == EGRESS)
		ports = (u64)packet->dest_port << 16 | packet->source_port;
	netns = BPF_CORE_READ((struct sk_buff *)skb, sk, __sk_common.skc_net.net, ns.inum);
	/* Cookies are small numbers that rise; the topmost bit keeps the two kinds apart. */
	return 1ULL << 63 | ((netns << 32 ^ ports ^ peer_of(skb, packet, direction) * 0x9e3779b97f4a7c15ULL) >> 1);
}

#endif
