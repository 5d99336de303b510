// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The programs of the dns probe. Packets come from the packet programs (bpf/packet) by a tail call, when one of their ports is a
 * DNS server's.
 *
 *   dns_client.bpf.h  queries and their answers     dns_server.bpf.h  answers that this host gives
 *   dns_pass.bpf.h    what stays without an answer, at each collect
 *   below those: dns_window.bpf.h and dns_stream.bpf.h (from packets to messages), dns_state.bpf.h, dns_cells.bpf.h
 */
#include "bpf/dns/dns_pass.bpf.h"
#include "bpf/dns/dns_server.bpf.h"

#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* A message that leaves this host, and one that comes. */
static __always_inline void on_message_out(struct __sk_buff *skb, const struct packet *packet,
					   const struct dns_message *message, enum dns_verdict verdict, u64 now)
{
	if (verdict != DNS_OK)
		return; /* whoever gets it will say so */
	if (packet->to_service && !message->is_answer)
		ask(skb, packet, message, now);
	else if (packet->from_service && message->is_answer)
		answer(skb, packet, message, now);
}

static __always_inline void on_message_in(struct __sk_buff *skb, const struct packet *packet,
					  const struct dns_message *message, enum dns_verdict verdict, u64 now)
{
	if (packet->from_service && (verdict != DNS_OK || message->is_answer))
		be_answered(skb, packet, message, verdict, now);
	else if (packet->to_service && verdict == DNS_OK)
		be_asked(skb, packet, message, now);
}

/* One message of a packet, or in the stream's buffer. Global, as read_question is. */
__noinline int on_message(struct __sk_buff *skb, u32 offset, u32 bytes, u32 direction)
{
	struct packet packet = packet_of(skb);
	struct dns_message message;
	u64 now = 0;
	enum dns_verdict verdict = read_message(skb, offset, bytes, direction, &message, &now);

	if (direction == EGRESS)
		on_message_out(skb, &packet, &message, verdict, now);
	else
		on_message_in(skb, &packet, &message, verdict, now);
	return 0;
}

#define MESSAGES_OF_SEGMENT 32
#define MESSAGE_IS_WHOLE (1U << 31)

/*
 * Takes the next part of a message from a segment, at `at`: how many bytes that were, with MESSAGE_IS_WHOLE when it ends there.
 * Global: otherwise the verifier would walk through it for each message that a segment may have.
 */
__noinline int take_from_segment(struct __sk_buff *skb, u32 at, u32 direction)
{
	struct packet packet = packet_of(skb);
	struct stream *stream = find_stream(connection_of(skb, &packet, direction), direction);
	u32 taken;

	if (!stream || at >= skb->len)
		return 0;
	taken = take_part(skb, stream, at, skb->len - at);
	stream->next += taken;
	return is_whole(stream) ? taken | MESSAGE_IS_WHOLE : taken;
}

/* A segment of a TCP stream. */
static __noinline void on_segment(struct __sk_buff *skb, const struct packet *packet, u32 direction)
{
	struct stream *stream = stream_at(connection_of(skb, packet, direction), direction, packet->sequence);
	u32 at = packet->payload;

	if (!stream)
		return;
	at += seen_before(stream, packet->sequence);
	for (int i = 0; i < 2 * MESSAGES_OF_SEGMENT && at < skb->len; i++) {
		u32 taken = take_from_segment(skb, at, direction);

		at += taken & ~MESSAGE_IS_WHOLE;
		if (!(taken & MESSAGE_IS_WHOLE))
			continue;
		if (stream->length)
			on_message(skb, IN_STREAM, stream->length, direction);
		stream->got = 0;
	}
	if (at >= skb->len)
		return;
	count_loss(LOSS_MESSAGE_UNREAD);
	stream->got = 0;
	stream->next += skb->len - at;
}

static __always_inline int on_packet(struct __sk_buff *skb, u32 direction)
{
	struct packet packet = packet_of(skb);

	if (packet.is_tcp) {
		on_segment(skb, &packet, direction);
		if (direction == EGRESS)
			remember_owner(skb, &packet);
	} else {
		on_message(skb, packet.payload, skb->len - packet.payload, direction);
	}
	return PASS;
}

SEC("cgroup_skb/egress")
int dns_egress(struct __sk_buff *skb)
{
	return on_packet(skb, EGRESS);
}

SEC("cgroup_skb/ingress")
int dns_ingress(struct __sk_buff *skb)
{
	return on_packet(skb, INGRESS);
}

/* A socket is closed by the last that holds it, be it that its process has died. */
SEC("cgroup/sock_release")
int on_release(struct bpf_sock *sk)
{
	u64 cookie = bpf_get_socket_cookie(sk);
	struct asker *asker = find_asker(cookie);

	if (!asker)
		return PASS;
	if (asker->open > 0)
		asker->closed_ns = bpf_ktime_get_ns();
	else
		bpf_map_delete_elem(&askers, &cookie);
	return PASS;
}

/* ICMP errors of connected sockets, and resets. Without it a query that is refused so is a time-out. */
SEC("tp_btf/inet_sk_error_report")
int BPF_PROG(on_error, struct sock *sk)
{
	struct asker *asker = find_asker(BPF_CORE_READ(sk, __sk_common.skc_cookie.counter));

	if (asker)
		asker->failed_ns = bpf_ktime_get_ns();
	return 0;
}

SEC("iter/bpf_map_elem")
int visit_queries(struct bpf_iter__bpf_map_elem *ctx)
{
	struct query_key *element = ctx->key, key;

	if (!element)
		return 0;
	key = *element;
	visit_query(&key);
	return 0;
}

SEC("iter/bpf_map_elem")
int visit_askers(struct bpf_iter__bpf_map_elem *ctx)
{
	u64 *cookie = ctx->key;

	if (cookie)
		visit_asker(*cookie);
	return 0;
}

SEC("iter/bpf_map_elem")
int visit_asked(struct bpf_iter__bpf_map_elem *ctx)
{
	struct served_key *element = ctx->key, key;

	if (!element)
		return 0;
	key = *element;
	visit_asked_here(&key);
	return 0;
}
