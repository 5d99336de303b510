/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a segment has of its stream is read piece by piece, and what becomes whole is judged. Flow and handshake are looked up once for
 * many pieces: a handshake has some sixty of them, and two look-ups cost more than one piece.
 *
 * Kernel half only; cgroup_skb programs.
 */
#ifndef CONNSCOPE_TLS_READ_BPF_H
#define CONNSCOPE_TLS_READ_BPF_H

#include "bpf/tls/tls_early.bpf.h"
#include "bpf/tls/tls_judge.bpf.h"

#define PIECES_AT_ONCE 16
#define EVENTS_OF_SEGMENT 100

/*
 * Takes the next pieces of a segment, at `at`, until something has become whole that is to be judged: how many bytes those were, and
 * what that is. 0: no more can be taken. Global: otherwise the verifier would walk through it for each event of a segment.
 */
__noinline int take_from_segment(struct __sk_buff *skb, u64 cookie, u32 at, u32 direction)
{
	struct handshake *handshake = find_handshake(cookie);
	u32 begin = at, bytes, event = 0;
	struct tls_side *side;
	u8 place;

	if (!handshake)
		return 0;
	side = side_of(flow_of(handshake), direction);
	for (int i = 0; i < PIECES_AT_ONCE && at < skb->len && !side->is_lost; i++) {
		/* Or the compiler keeps the addresses of all their fields on the stack, some 300 bytes. */
		asm volatile("" : "+r"(side), "+r"(handshake));
		bytes = tls_next_piece(&side->parser, skb->len - at, &place);
		if (place != TLS_PASSED_OVER && !keep_piece(skb, side, at, bytes, place))
			break;
		at += bytes;
		event = take_piece(flow_of(handshake), side, bytes);
		if (!event)
			continue;
		if (!means_nothing(handshake, &side->parser, event, direction))
			break;
		event = 0;
		at += pass_record(side, skb->len - at);
	}
	return ((at - begin) & BYTES_OF_PIECES) | event << EVENT_SHIFT;
}

static __noinline void lose(struct handshake *handshake, struct tls_side *side)
{
	lose_side(side);
	handshake->is_blind = 1;
}

/* As much of a certificate, which begins at `at`, as its record and the segment have. */
static __always_inline struct plain_certificate certificate_at(struct __sk_buff *skb, const struct tls_parser *parser, u32 at)
{
	u32 bytes = tls_least(parser->certificate_bytes, parser->record_left);

	return (struct plain_certificate){.at = at, .bytes = tls_least(bytes, skb->len - at)};
}

/* Reads what a segment has of its stream that was not read before. True: something was judged by that, or will never be. */
static __always_inline bool read_segment(struct __sk_buff *skb, const struct packet *packet, struct handshake *handshake,
					 struct tls_side *side, u64 cookie, u32 direction, u64 now)
{
	u32 at = packet->payload, taken;
	s32 ahead = packet->sequence - side->next;
	bool is_judged = false;

	if (ahead > 0) {
		if (keep_early(skb, packet, direction))
			side->has_early = 1;
		else
			lose(handshake, side);
		return true;
	}
	at -= ahead;
	side->window.bytes = 0;
	for (int i = 0; i < EVENTS_OF_SEGMENT && at < skb->len; i++) {
		taken = take_from_segment(skb, cookie, at, direction);
		if (!taken)
			return true;
		at += taken & BYTES_OF_PIECES;
		if (!(taken >> EVENT_SHIFT))
			continue;
		is_judged = true;
		if (taken >> EVENT_SHIFT == EVENT_CERTIFICATE) {
			side->plain = certificate_at(skb, &side->parser, at);
			continue;
		}
		if (judge(cookie, now, taken >> EVENT_SHIFT, direction))
			return true;
	}
	if (at < skb->len)
		lose(handshake, side);
	return is_judged;
}

/* The same of those that came early, as far as it is their turn now. */
static __always_inline void read_early(u64 cookie, u32 direction, u64 now)
{
	int event;

	for (int i = 0; i < EARLY_PIECES; i++) {
		event = take_from_early(cookie, direction);
		if (event < 0 || (event && judge(cookie, now, event, direction)))
			return;
	}
}

#endif
