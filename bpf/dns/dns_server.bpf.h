/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Answers that processes of this host give: from the query as it reaches the socket to the answer as it leaves. The process is the
 * one that sends the answer. What is never answered leaves an entry, until the pass finds it old.
 *
 * Kernel half only; cgroup_skb programs.
 */
#ifndef CONNSCOPE_DNS_SERVER_BPF_H
#define CONNSCOPE_DNS_SERVER_BPF_H

#include "bpf/dns/dns_client.bpf.h"

struct served_key {
	u64 connection; /* connection_of() */
	u32 peer;
	u16 port;
	u16 id;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, struct served_key);
	__type(value, u64); /* when the query came */
} asked_here SEC(".maps");

/* A message to a DNS server on this host. One that comes again does not begin it again. */
static __noinline void be_asked(struct __sk_buff *skb, const struct packet *packet, const struct dns_message *message,
				u64 now)
{
	struct served_key key = {
		.connection = connection_of(skb, packet, INGRESS),
		.peer = peer_of(skb, packet, INGRESS),
		.port = packet->source_port,
		.id = message->id,
	};

	if (bpf_map_update_elem(&asked_here, &key, &now, BPF_NOEXIST) && !bpf_map_lookup_elem(&asked_here, &key))
		count_loss(LOSS_STATE_FULL);
}

/* When the query came that is answered now; 0: that is not known. */
static __noinline u64 asked_at(struct __sk_buff *skb, const struct packet *packet, u16 id)
{
	struct served_key key = {
		.connection = connection_of(skb, packet, EGRESS),
		.peer = peer_of(skb, packet, EGRESS),
		.port = packet->dest_port,
		.id = id,
	};
	const u64 *kept = bpf_map_lookup_elem(&asked_here, &key);
	u64 asked_ns = kept ? *kept : 0;

	return asked_ns && !bpf_map_delete_elem(&asked_here, &key) ? asked_ns : 0;
}

/* The last segment of a long answer may wait for the peer to have got the others, and is then sent in the context of any process. */
static __noinline u64 who_began_answer(struct __sk_buff *skb, const struct packet *packet)
{
	const struct stream *stream = find_stream(connection_of(skb, packet, EGRESS), EGRESS);

	return stream && stream->owner ? stream->owner : IDENTITY_UNKNOWN;
}

/* A segment of this host has gone: whose the message is that it leaves unfinished. */
static __noinline void remember_owner(struct __sk_buff *skb, const struct packet *packet)
{
	struct stream *stream = find_stream(connection_of(skb, packet, EGRESS), EGRESS);

	if (stream && stream->got && runs_for_socket(skb, true))
		stream->owner = current_identity();
}

/* A message from a DNS server on this host. Inline: the identity is looked up before the stack gets deep. */
static __always_inline void answer(struct __sk_buff *skb, const struct packet *packet, const struct dns_message *message,
				   u64 now)
{
	u64 asked_ns = asked_at(skb, packet, message->id), identity;

	if (!asked_ns)
		return;
	identity = runs_for_socket(skb, packet->is_tcp) ? current_identity() : who_began_answer(skb, packet);
	if (identity != IDENTITY_IGNORED)
		count_served(identity, message->rcode, now - asked_ns);
}

/* Nobody answers after that time. */
#define SURELY_IGNORED_NS 60000000000ULL

/* How many entries the pass has seen. */
__u64 visited_asked = 0;

/* One step of the pass. */
static __always_inline void visit_asked_here(const struct served_key *key)
{
	const u64 *asked_ns = bpf_map_lookup_elem(&asked_here, key);

	if (!asked_ns)
		return;
	visited_asked++;
	/* Another CPU's clock may be a little ahead: no difference of the two. */
	if (bpf_ktime_get_ns() > *asked_ns + SURELY_IGNORED_NS)
		bpf_map_delete_elem(&asked_here, key);
}

#endif
