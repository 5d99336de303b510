/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Which packets TLS wants to see: those that begin a handshake, and all of the sockets that have one under way. Those are counted by the
 * last bits of their cookies, so that a look costs next to nothing and needs no memory of the socket's own: what else has these bits
 * is handed over too, and TLS finds that it has nothing of it.
 *
 * packet.bpf.c owns the map and looks into it; the objects of TLS are given its descriptor at load.
 *
 * Kernel half only; begins_handshake in cgroup_skb programs.
 */
#ifndef CONNSCOPE_TLS_GATE_BPF_H
#define CONNSCOPE_TLS_GATE_BPF_H

#include "bpf/include/packet.bpf.h"

#define WATCHED_SLOTS 16384 /* a power of two */
#define HELLO_MOST 16384 /* no first flight is larger; to look into segments of bulk transfers would cost a cache miss each */
#define HELLO_BEGIN 6 /* a record's header, and the type of its first message */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, WATCHED_SLOTS);
	__type(key, u32);
	__type(value, u32);
} packet_watched SEC(".maps");

static __always_inline u32 *watched_slot(u64 cookie)
{
	u32 slot = cookie & (WATCHED_SLOTS - 1);

	return bpf_map_lookup_elem(&packet_watched, &slot);
}

static __always_inline bool is_watched(u64 cookie)
{
	const u32 *sockets = watched_slot(cookie);

	return sockets && *sockets;
}

/* One socket more, or less, of which all packets are wanted. */
static __always_inline void watch_sockets(u64 cookie, s32 more)
{
	u32 *sockets = watched_slot(cookie);

	if (sockets)
		__sync_fetch_and_add(sockets, more);
}

/*
 * A payload that begins with a ClientHello or a ServerHello, in its first record; or one so short that a ClientHello may yet become of
 * it. The first byte of a payload that is none costs least, so it is read alone.
 */
static __always_inline bool begins_handshake(struct __sk_buff *skb, const struct packet *packet)
{
	u8 begin[HELLO_BEGIN] = {};

	if (skb->len > HELLO_MOST)
		return false;
	if (bpf_skb_load_bytes(skb, packet->payload, begin, 1) || begin[0] != 0x16)
		return false;
	if (packet->payload + sizeof(begin) > skb->len)
		return true;
	if (bpf_skb_load_bytes(skb, packet->payload, begin, sizeof(begin)))
		return false;
	return begin[1] == 3 && (begin[5] == 1 || begin[5] == 2);
}

#endif
