/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Answers that processes of this host give: from the query as it reaches the socket to the answer as it leaves. The process is the
 * one that sends the answer. What is never answered leaves no trace but an entry that is evicted.
 *
 * Kernel half only; cgroup_skb programs.
 */
#ifndef CONNSCOPE_DNS_SERVER_BPF_H
#define CONNSCOPE_DNS_SERVER_BPF_H

#include "bpf/dns/dns_client.bpf.h"

struct served_key {
	u64 cookie;
	u32 peer[4];
	u16 port;
	u16 id;
	u32 reserved; /* 0 */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct served_key);
	__type(value, u64); /* when the query came */
} asked_here SEC(".maps");

#define IPV4_SOURCE 12
#define IPV6_SOURCE 8

static __always_inline void read_peer(struct __sk_buff *skb, const struct packet *packet, u32 ipv4_at, u32 ipv6_at,
				      struct served_key *key)
{
	if (packet->is_ipv6)
		bpf_skb_load_bytes(skb, ipv6_at, key->peer, sizeof(key->peer));
	else
		bpf_skb_load_bytes(skb, ipv4_at, key->peer, sizeof(key->peer[0]));
}

/* A message to a DNS server on this host. One that comes again does not begin it again. */
static __noinline void be_asked(struct __sk_buff *skb, const struct packet *packet, const struct dns_message *message)
{
	struct served_key key = {
		.cookie = bpf_get_socket_cookie(skb),
		.port = packet->source_port,
		.id = message->id,
	};
	u64 now = bpf_ktime_get_ns();

	read_peer(skb, packet, IPV4_SOURCE, IPV6_SOURCE, &key);
	bpf_map_update_elem(&asked_here, &key, &now, BPF_NOEXIST);
}

/* A message from a DNS server on this host. */
static __noinline void answer(struct __sk_buff *skb, const struct packet *packet, const struct dns_message *message)
{
	struct served_key key = {
		.cookie = bpf_get_socket_cookie(skb),
		.port = packet->dest_port,
		.id = message->id,
	};
	u64 *asked_ns, duration_ns, identity;

	read_peer(skb, packet, IPV4_DESTINATION, IPV6_DESTINATION, &key);
	asked_ns = bpf_map_lookup_elem(&asked_here, &key);
	if (!asked_ns)
		return;
	duration_ns = bpf_ktime_get_ns() - *asked_ns;
	if (bpf_map_delete_elem(&asked_here, &key))
		return;
	identity = runs_for_socket(skb, packet->is_tcp) ? current_identity() : IDENTITY_UNKNOWN;
	if (identity != IDENTITY_IGNORED)
		count_served(identity, message->rcode, duration_ns);
}

#endif
