/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Labels that can grow, each only where the config asks for it: the server's address, and the names that were asked for.
 *
 * Kernel half only; cgroup_skb programs.
 */
#ifndef CONNSCOPE_DNS_LABELS_BPF_H
#define CONNSCOPE_DNS_LABELS_BPF_H

#include "bpf/dns/dns_state.bpf.h"
#include "bpf/dns/dns_window.bpf.h"
#include "bpf/include/packet.bpf.h"

/* Set before the load. */
const volatile __u8 by_server = 0;
const volatile __u8 wants_names = 0;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, struct dns_server);
} dns_servers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct dns_name_key);
	__type(value, struct dns_name);
} dns_names SEC(".maps");

static const struct dns_name no_name = {};

/* The number of the server that a packet goes to, which is never 0. */
static __always_inline u32 server_of(struct __sk_buff *skb, const struct packet *packet)
{
	struct dns_server server = {.is_ipv6 = packet->is_ipv6};
	u32 number = 0x811c9dc5;

	if (packet->is_ipv6)
		bpf_skb_load_bytes(skb, IPV6_DESTINATION, server.words, sizeof(server.words));
	else
		bpf_skb_load_bytes(skb, IPV4_DESTINATION, server.words, sizeof(server.words[0]));
	for (int i = 0; i < 4; i++)
		number = (number ^ server.words[i] ^ server.words[i] >> 15) * 0x01000193;
	number |= 1;
	if (!bpf_map_lookup_elem(&dns_servers, &number))
		bpf_map_update_elem(&dns_servers, &number, &server, BPF_NOEXIST);
	return number;
}

/* What has no room is "other" in the user half, which knows of all queries. */
static __noinline void count_name(const struct query *query, const struct dns_message *message)
{
	struct dns_name_key key = {.identity = query->identity, .question = query->question};
	struct dns_name *name = bpf_map_lookup_elem(&dns_names, &key);
	u64 bytes = message->name_bytes;
	u32 direction = EGRESS;
	const struct window *window = bpf_map_lookup_elem(&windows, &direction);

	if (!name && window) {
		bpf_map_update_elem(&dns_names, &key, &no_name, BPF_NOEXIST);
		name = bpf_map_lookup_elem(&dns_names, &key);
		if (bytes > DNS_NAME_TEXT)
			bytes = DNS_NAME_TEXT;
		if (name && says_length(&bytes, DNS_NAME_TEXT))
			bpf_probe_read_kernel(name->name, bytes, window->bytes + DNS_HEADER_BYTES);
	}
	if (name)
		__sync_fetch_and_add(&name->queries, 1);
}

#endif
