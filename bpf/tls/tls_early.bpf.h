/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Segments that came before others that they follow: they are kept until those have come, as the receiver's kernel does too. Only a few
 * and no long ones, as a handshake's are.
 *
 * Kernel half only; cgroup_skb programs.
 */
#ifndef CONNSCOPE_TLS_EARLY_BPF_H
#define CONNSCOPE_TLS_EARLY_BPF_H

#include "bpf/tls/tls_flow.bpf.h"

#define EARLY_SEGMENTS 4 /* of one side of one connection */
#define EARLY_BYTES 2048 /* of one; a power of two */
#define EARLY_PIECES 200 /* that are taken of all of them at once */

struct early_key {
	u64 cookie;
	u32 direction;
	u32 slot;
};

struct early_segment {
	u32 sequence;
	u32 bytes; /* 0: the slot is free */
	u8 data[EARLY_BYTES];
};

/* Nobody takes care of what is left of a connection: it is evicted by and by. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, struct early_key);
	__type(value, struct early_segment);
} tls_early SEC(".maps");

static const struct early_segment no_segment = {};

static __always_inline struct early_segment *early_slot(const struct early_key *key)
{
	struct early_segment *early = bpf_map_lookup_elem(&tls_early, key);

	if (early)
		return early;
	bpf_map_update_elem(&tls_early, key, &no_segment, BPF_NOEXIST);
	return bpf_map_lookup_elem(&tls_early, key);
}

/* False: it cannot be kept. */
static __noinline bool keep_early(struct __sk_buff *skb, const struct packet *packet, u32 direction)
{
	struct early_key key = {.cookie = bpf_get_socket_cookie(skb), .direction = direction};
	u64 bytes = skb->len - packet->payload;
	struct early_segment *early;

	if (!says_length(&bytes, EARLY_BYTES))
		return false;
	for (u32 slot = 0; slot < EARLY_SEGMENTS; slot++) {
		key.slot = slot;
		early = early_slot(&key);
		if (!early)
			return false;
		if (early->bytes && early->sequence != packet->sequence)
			continue;
		early->sequence = packet->sequence;
		early->bytes = bytes;
		return !bpf_skb_load_bytes(skb, packet->payload, early->data, bytes);
	}
	return false;
}

/* The segment whose turn it is, and at which of its bytes; those that are over give their slots back. */
static __always_inline struct early_segment *due_early(u64 cookie, u32 direction, u32 next, u32 *at)
{
	struct early_key key = {.cookie = cookie, .direction = direction};
	struct early_segment *early;
	s32 behind;

	for (u32 slot = 0; slot < EARLY_SEGMENTS; slot++) {
		key.slot = slot;
		early = bpf_map_lookup_elem(&tls_early, &key);
		if (!early || !early->bytes)
			continue;
		behind = next - early->sequence;
		if (behind < 0)
			continue;
		*at = behind;
		if (*at < early->bytes)
			return early;
		early->bytes = 0;
	}
	return NULL;
}

/* Takes the next piece of a segment that was kept: what has become whole by that; -1: none is due. Global, as take_from_segment is. */
__noinline int take_from_early(u64 cookie, u32 direction)
{
	struct handshake *handshake = find_handshake(cookie);
	struct early_segment *early;
	struct tls_side *side;
	u32 bytes, at = 0;
	u64 size, to;
	u8 place;

	if (!handshake)
		return -1;
	side = side_of(flow_of(handshake), direction);
	early = due_early(cookie, direction, side->next, &at);
	if (!early || side->is_lost)
		return -1;
	bytes = tls_next_piece(&side->parser, early->bytes - at, &place);
	size = bytes;
	to = place;
	asm volatile("" : "+r"(to));
	if (to != TLS_PASSED_OVER) {
		if (to >= 2 * TLS_WORD || !says_length(&size, TLS_WORD))
			return -1;
		bpf_probe_read_kernel(side->parser.head + to, size, early->data + (at & (EARLY_BYTES - 1)));
	}
	return take_piece(flow_of(handshake), side, bytes);
}

#endif
