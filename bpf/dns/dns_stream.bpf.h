/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * TCP streams of DNS messages, each with its length before it (RFC 1035 section 4.2.2). A segment may hold several messages, and a
 * message may take several segments; what has come of the one under way is kept here, up to the window. Segments that are sent
 * again are known by their sequence numbers. Segments that come out of order are not put in order: the messages of that gap are
 * lost, which is counted, and the next segment is taken to begin with a message.
 *
 * The segments of one socket and direction are seen one at a time: the kernel holds the socket's lock.
 *
 * Kernel half only; cgroup_skb programs.
 */
#ifndef CONNSCOPE_DNS_STREAM_BPF_H
#define CONNSCOPE_DNS_STREAM_BPF_H

#include "bpf/dns/dns_message.h"
#include "bpf/include/kernel_types.h"
#include "bpf/include/ledger.bpf.h"
#include "bpf/include/packet.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define STREAM_PREFIX 2 /* bytes of the length */
#define STREAM_HEAD (STREAM_PREFIX + DNS_WINDOW)

struct stream_key {
	u64 connection; /* connection_of() */
	u64 direction;
};

struct stream {
	u64 since_ns; /* when the message under way began */
	u64 owner;    /* of messages that leave: the process that sent the beginning of a long one last; 0: none was seen to */
	u32 next;   /* the sequence number of the first byte that was not looked at */
	u32 got;    /* what has come of the message under way, with its length */
	u32 length; /* of that message, once it has come */
	u8 head[STREAM_HEAD + DNS_WINDOW]; /* the second part is never used: it shows the verifier that nothing is written behind */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 2048);
	__type(key, struct stream_key);
	__type(value, struct stream);
} streams SEC(".maps");

/*
 * What a connection is known by: its socket. But a server's: what comes with the packet that opens it (TCP Fast Open, or data on the
 * last segment of the handshake) comes to the listener, so that one is known by its namespace, ports and peer.
 */
static __always_inline u64 connection_of(struct __sk_buff *skb, const struct packet *packet, u32 direction)
{
	bool is_server = direction == EGRESS ? packet->from_service && !packet->to_service :
					       packet->to_service && !packet->from_service;

	return packet->is_tcp && is_server ? connection_by_peer(skb, packet, direction) : bpf_get_socket_cookie(skb);
}

static const struct stream no_stream = {};

static __always_inline struct stream *find_stream(u64 connection, u32 direction)
{
	struct stream_key key = {.connection = connection, .direction = direction};

	return bpf_map_lookup_elem(&streams, &key);
}

/* The stream that a segment at `sequence` belongs to, made when it is new. */
static __always_inline struct stream *stream_at(u64 connection, u32 direction, u32 sequence)
{
	struct stream_key key = {.connection = connection, .direction = direction};
	struct stream *stream = bpf_map_lookup_elem(&streams, &key);

	if (stream)
		return stream;
	bpf_map_update_elem(&streams, &key, &no_stream, BPF_NOEXIST);
	stream = bpf_map_lookup_elem(&streams, &key);
	if (stream)
		stream->next = sequence;
	return stream;
}

/* How many bytes of a segment were looked at before. After a gap the stream begins anew with the segment. */
static __always_inline u32 seen_before(struct stream *stream, u32 sequence)
{
	s32 ahead = sequence - stream->next;

	if (ahead <= 0)
		return -ahead;
	count_loss(LOSS_MESSAGE_UNREAD);
	stream->got = 0;
	stream->next = sequence;
	return 0;
}

/* Keeps the next `bytes` of the message under way, as far as they are looked at. */
static __always_inline void keep_part(struct __sk_buff *skb, struct stream *stream, u32 offset, u32 bytes)
{
	u64 at = stream->got, room = bytes;

	if (at < STREAM_HEAD) {
		if (room > STREAM_HEAD - at)
			room = STREAM_HEAD - at;
		asm volatile("" : "+r"(at));
		if (at < STREAM_HEAD && says_length(&room, DNS_WINDOW))
			bpf_skb_load_bytes(skb, offset, stream->head + at, room);
	}
	stream->got += bytes;
}

/*
 * Takes what a segment's `available` bytes at `offset` have for the message under way: its length first, then the rest.
 * Returns how many bytes that were.
 */
static __always_inline u32 take_part(struct __sk_buff *skb, struct stream *stream, u32 offset, u32 available)
{
	bool knows_length = stream->got >= STREAM_PREFIX;
	u32 wanted = knows_length ? STREAM_PREFIX + stream->length - stream->got : STREAM_PREFIX - stream->got;

	if (wanted > available)
		wanted = available;
	if (!stream->got)
		stream->since_ns = bpf_ktime_get_ns();
	keep_part(skb, stream, offset, wanted);
	if (!knows_length && stream->got >= STREAM_PREFIX)
		stream->length = stream->head[0] << 8 | stream->head[1];
	return wanted;
}

static __always_inline bool is_whole(const struct stream *stream)
{
	return stream->got >= STREAM_PREFIX && stream->got == STREAM_PREFIX + stream->length;
}

#endif
