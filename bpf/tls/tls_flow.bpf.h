/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The two byte streams of a connection in its handshake: from segments to what the parser says has become whole. Segments that come
 * again are known by their sequence numbers, and those that come early are kept (tls_early.bpf.h). A stream of which bytes were missed
 * is lost to the parser, which is counted.
 *
 * A flow lives in its socket's storage, and so does the mark by which the packet programs hand all of its packets over.
 *
 * Kernel half only; cgroup_skb programs.
 */
#ifndef CONNSCOPE_TLS_FLOW_BPF_H
#define CONNSCOPE_TLS_FLOW_BPF_H

#include "bpf/include/ledger.bpf.h"
#include "bpf/include/packet.bpf.h"
#include "bpf/packet/watched.bpf.h"
#include "bpf/tls/tls.h"
#include "bpf/tls/tls_record.h"

/* What one side sends; index: enum tls_direction, which has the order of enum direction. */
struct tls_side {
	u32 next;     /* sequence number of the first byte that was not taken */
	u32 end;      /* of the stream, once `has_end` */
	u16 records;  /* hidden ones since the ServerHello */
	u8 has_end;   /* a FIN was seen */
	u8 is_lost;   /* bytes were missed */
	u8 is_hidden; /* Finished has come, or what else it hides */
	u8 has_early; /* segments that are ahead of `next` were kept */
	u8 is_guessed; /* whether `next` is where a record begins is not sure */
	u8 reserved;
	struct tls_parser parser;
};

struct tls_flow {
	struct tls_side sides[DIRECTIONS];
	u64 name[TLS_NAME_WORDS]; /* the server's, as the client asks for it */
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct tls_flow);
} tls_flows SEC(".maps");

/* Whether the name of the server is wanted. Set before the load. */
const volatile __u8 wants_hosts = 0;

static __always_inline struct bpf_sock *socket_of(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	return sk ? bpf_sk_fullsock(sk) : NULL;
}

static __always_inline struct tls_flow *find_flow(struct __sk_buff *skb)
{
	struct bpf_sock *sk = socket_of(skb);

	return sk ? bpf_sk_storage_get(&tls_flows, sk, 0, 0) : NULL;
}

static __always_inline struct tls_side *side_of(struct tls_flow *flow, u64 direction)
{
	asm volatile("" : "+r"(direction));
	return &flow->sides[direction & 1];
}

static __always_inline void begin_side(struct tls_side *side, u32 next)
{
	tls_begin_parser(&side->parser);
	side->parser.wants_name = wants_hosts;
	side->next = next;
}

/* A flow of that socket, whose packets are handed over from now on. NULL: there is no room, which is counted. */
static __noinline struct tls_flow *watch(struct __sk_buff *skb, const struct packet *packet, u64 direction)
{
	struct bpf_sock *sk = socket_of(skb);
	struct tls_flow *flow;

	if (!sk)
		return NULL;
	flow = bpf_sk_storage_get(&tls_flows, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!flow || !bpf_sk_storage_get(&packet_watched, sk, 0, BPF_SK_STORAGE_GET_F_CREATE)) {
		count_loss(LOSS_STATE_FULL);
		return NULL;
	}
	begin_side(side_of(flow, direction), packet->sequence);
	begin_side(side_of(flow, !direction), packet->acknowledged);
	return flow;
}

static __noinline void stop_watching(struct __sk_buff *skb)
{
	struct bpf_sock *sk = socket_of(skb);

	if (!sk)
		return;
	bpf_sk_storage_delete(&packet_watched, sk);
	bpf_sk_storage_delete(&tls_flows, sk);
}

/* Copies the next `bytes` of the segment to where the parser wants them. */
static __always_inline bool keep_piece(struct __sk_buff *skb, struct tls_parser *parser, u32 at, u64 bytes, u64 place)
{
	asm volatile("" : "+r"(place));
	if (place >= 2 * TLS_WORD || !says_length(&bytes, TLS_WORD))
		return false;
	return !bpf_skb_load_bytes(skb, at, parser->head + place, bytes);
}

#define EVENT_SHIFT 24 /* no segment has as many bytes */
#define BYTES_OF_PIECES ((1U << EVENT_SHIFT) - 1)

/* The next `bytes`, kept where the parser wanted them, are taken: what has become whole by that. */
static __always_inline u32 take_piece(struct tls_flow *flow, struct tls_side *side, u32 bytes)
{
	side->next += bytes;
	return tls_take_piece(&side->parser, bytes, flow->name);
}

/* Bytes of that side were missed, or cannot be read. */
static __always_inline void lose_side(struct tls_side *side)
{
	if (!side->is_lost)
		count_loss(LOSS_MESSAGE_UNREAD);
	side->is_lost = 1;
}

#endif
