/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The two byte streams of a connection in its handshake: from segments to what the parser says has become whole. Segments that come
 * again are known by their sequence numbers, and those that come early are kept (tls_early.bpf.h). A stream of which bytes were missed
 * is lost to the parser, which is counted.
 *
 * Kernel half only; cgroup_skb programs.
 */
#ifndef CONNSCOPE_TLS_FLOW_BPF_H
#define CONNSCOPE_TLS_FLOW_BPF_H

#include "bpf/include/ledger.bpf.h"
#include "bpf/detail/detail.bpf.h"
#include "bpf/include/packet.bpf.h"
#include "bpf/tls/tls_state.bpf.h"

/* Whether the name of the server is wanted. Set before the load. */
const volatile __u8 wants_hosts = 0;

static __always_inline struct bpf_sock *socket_of(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	return sk ? bpf_sk_fullsock(sk) : NULL;
}

static __always_inline struct tls_side *side_of(struct tls_flow *flow, u64 direction)
{
	asm volatile("" : "+r"(direction));
	return &flow->sides[direction & 1];
}

static __always_inline void begin_side(struct tls_side *side, u32 next)
{
	tls_begin_parser(&side->parser);
	side->parser.wants_name = wants_hosts || somebody_listens();
	side->next = next;
}

/* The flow of a handshake that begins with that packet. */
static __always_inline void begin_flow(struct tls_flow *flow, const struct packet *packet, u64 direction)
{
	begin_side(side_of(flow, direction), packet->sequence);
	begin_side(side_of(flow, !direction), packet->acknowledged);
}

static __always_inline bool fill_window(struct __sk_buff *skb, struct tls_window *window, u32 at)
{
	u64 bytes = tls_least(skb->len - at, WINDOW_BYTES);

	if (!says_length(&bytes, WINDOW_BYTES) || bpf_skb_load_bytes(skb, at, window->data, bytes))
		return false;
	window->at = at;
	window->bytes = bytes;
	return true;
}

/*
 * Copies the next `bytes` of the segment to where the parser wants them. What follows them in their word is copied too: it comes to
 * places that are written again before they are read.
 */
static __always_inline bool keep_piece(struct __sk_buff *skb, struct tls_side *side, u32 at, u32 bytes, u64 place)
{
	u64 offset = at - side->window.at;

	if (offset + bytes > side->window.bytes) {
		if (!fill_window(skb, &side->window, at))
			return false;
		offset = 0;
	}
	asm volatile("" : "+r"(place), "+r"(offset));
	if (place >= 2 * TLS_WORD || offset >= WINDOW_BYTES)
		return false;
	*(u64 *)(side->parser.head + place) = *(u64 *)(side->window.data + offset);
	return true;
}

#define EVENT_SHIFT 24 /* no segment has as many bytes */
#define BYTES_OF_PIECES ((1U << EVENT_SHIFT) - 1)

/* The next `bytes`, kept where the parser wanted them, are taken: what has become whole by that. */
static __always_inline u32 take_piece(struct tls_flow *flow, struct tls_side *side, u32 bytes)
{
	side->next += bytes;
	return tls_take_piece(&side->parser, bytes, flow->name);
}

/* Of the record that has begun, as much as the `available` bytes have is passed over at once: how many bytes those are. */
static __always_inline u32 pass_record(struct tls_side *side, u32 available)
{
	u32 bytes = tls_pass_record(&side->parser, available);

	side->next += bytes;
	return bytes;
}

/* Bytes of that side were missed, or cannot be read. */
static __always_inline void lose_side(struct tls_side *side)
{
	if (!side->is_lost)
		count_loss(LOSS_MESSAGE_UNREAD);
	side->is_lost = 1;
}

#endif
