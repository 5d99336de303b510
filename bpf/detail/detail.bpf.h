/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tell: for the programs that count the end of something, to tell of it on its own when somebody listens. What is counted stays
 * the truth: a full buffer loses the detail alone, and that is counted.
 *
 * When nobody listens, all of this is one load and one branch. detail.bpf.c owns the maps; the other objects are given its
 * descriptors at load, and an object that is not given them tells nothing.
 *
 * What the programs that see a connection begin know of it, and those that see its end do not, is kept in `detail_origins` by a key
 * that both know. What is told gets in there by numbers, since the functions are global: the verifier walks through each once, and
 * not on every path that leads to it.
 *
 * Kernel half only.
 */
#ifndef CONNSCOPE_DETAIL_BPF_H
#define CONNSCOPE_DETAIL_BPF_H

#include "bpf/detail/detail.h"
#include "bpf/include/kernel_types.h"
#include "bpf/include/ledger.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Of the hashes and the buffer the owner asks for more room. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct detail_control);
} detail_control SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, struct detail_bounds_key);
	__type(value, struct detail_bounds);
} detail_bounds SEC(".maps");

/* Evicted ones are told of with less. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8);
	__type(key, u64);
	__type(value, struct detail_origin);
} detail_origins SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} detail_events SEC(".maps");

static const struct detail_origin no_origin = {};

/* --- keys of origins ------------------------------------------------------------------------------------------------- */

/* The topmost bits say whose key it is; addresses, cookies and times differ in those below. */
#define ORIGIN_KEY(kind, number) ((u64)(kind) << 60 | ((u64)(number) & ((1ULL << 60) - 1)))

static __always_inline u64 origin_of_query(u64 cookie, u16 id)
{
	return ORIGIN_KEY(2, cookie << 16 | id);
}

static __always_inline u64 origin_of_handshake(u64 cookie)
{
	return ORIGIN_KEY(3, cookie);
}

/* A look-up, and the attempt that it begins. */
static __always_inline u64 origin_of_lookup(u64 begun_ns)
{
	return ORIGIN_KEY(4, begun_ns);
}

#define NO_ORIGIN 0ULL /* no key */

/* An address as a number, which is all that a global function takes: the verifier lets nobody compute with a pointer. */
static __noinline __attribute__((unused)) u64 number_of(const void *pointer)
{
	u64 number = 0;

	bpf_probe_read_kernel(&number, sizeof(number), &pointer);
	return number;
}

/* --- whether ----------------------------------------------------------------------------------------------------------- */

/* Not on the stack. */
static const u32 detail_only_index = 0;

static __always_inline const struct detail_control *detail_switch(void)
{
	return bpf_map_lookup_elem(&detail_control, &detail_only_index);
}

/* Whether anything is kept of what begins now. */
static __always_inline bool somebody_listens(void)
{
	const struct detail_control *control = detail_switch();

	return control && control->kinds;
}

/* NO_ORIGIN when nobody listens. */
static __always_inline u64 origin_of_socket(const void *sk)
{
	return somebody_listens() ? ORIGIN_KEY(1, number_of(sk)) : NO_ORIGIN;
}

/* --- what is known of it ------------------------------------------------------------------------------------------------ */

static __always_inline struct detail_origin *find_origin(u64 key)
{
	return bpf_map_lookup_elem(&detail_origins, &key);
}

/* A new one in the place of what had that key before. */
static __always_inline struct detail_origin *new_origin(u64 key)
{
	bpf_map_update_elem(&detail_origins, &key, &no_origin, BPF_ANY);
	return find_origin(key);
}

static __always_inline void forget_origin(u64 key)
{
	if (key != NO_ORIGIN)
		bpf_map_delete_elem(&detail_origins, &key);
}

/* The peer of a socket, read as kernel memory is. */
static __always_inline void keep_peer(struct detail_origin *origin, const struct sock *sk)
{
	u32 ipv4;

	origin->peer_port = BPF_CORE_READ(sk, __sk_common.skc_dport);
	if (BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET6) {
		bpf_core_read(origin->peer, sizeof(origin->peer), &sk->__sk_common.skc_v6_daddr);
		return;
	}
	ipv4 = BPF_CORE_READ(sk, __sk_common.skc_daddr);
	origin->peer[2] = bpf_htonl(0xffff);
	origin->peer[3] = ipv4;
}

/* What the look-up that began an attempt has given. */
static __always_inline void keep_lookup(struct detail_origin *origin, u64 looked_up_ns)
{
	const struct detail_origin *lookup = looked_up_ns ? find_origin(origin_of_lookup(looked_up_ns)) : NULL;

	if (!lookup)
		return;
	origin->dns_ns = lookup->dns_ns;
	origin->host_form = lookup->host_form;
	__builtin_memcpy(origin->host, lookup->host, sizeof(origin->host));
}

/*
 * A process connects a socket, or has accepted it; `looked_up_ns` is when the look-up began that gave the peer's address; 0: none
 * did.
 */
__noinline __attribute__((unused)) int meet_socket(u64 sk, u32 tgid, u64 looked_up_ns)
{
	struct detail_origin *origin = new_origin(ORIGIN_KEY(1, sk));

	if (!origin)
		return 0;
	origin->tgid = tgid;
	keep_peer(origin, (struct sock *)sk);
	keep_lookup(origin, looked_up_ns);
	return 0;
}

/* --- telling ----------------------------------------------------------------------------------------------------------- */

/* What is told, in one word. */
#define TOLD(metric, kinds, role, is_failed, reason) \
	((u64)(metric) | (u64)(kinds) << 8 | (u64)(role) << 16 | (u64)(is_failed) << 24 | (u64)(reason) << 32)
#define TOLD_METRIC(told) ((u8)(told))
#define TOLD_KINDS(told) ((u8)((told) >> 8))

/* What is looked up for an event, in one place on the stack, which where this is called has little left. */
struct told_keys {
	struct detail_bounds_key bounds; /* once those are looked up: `metric` is the mean of an outlier */
	u64 origin;
};

/* count_loss, with nothing on the stack. */
static const u32 detail_is_full = LOSS_DETAIL_FULL;

static __always_inline void count_lost_detail(void)
{
	u64 *count = bpf_map_lookup_elem(&ledger, &detail_is_full);

	if (count)
		__sync_fetch_and_add(count, 1);
}

/* DETAIL_OUTLIER or 0. */
static __always_inline u32 outlier_kind(struct told_keys *keys, u32 bounded, u64 duration_ns)
{
	const struct detail_bounds *bounds = NULL;

	if (bounded >> (keys->bounds.metric & 31) & 1)
		bounds = bpf_map_lookup_elem(&detail_bounds, &keys->bounds);
	keys->bounds.metric = 0;
	if (!bounds || (duration_ns >= bounds->low_ns && duration_ns <= bounds->high_ns))
		return 0;
	keys->bounds.metric = bounds->mean_ns;
	return DETAIL_OUTLIER;
}

/* Tells what is wanted of it. `origin_key` may be NO_ORIGIN. */
__noinline __attribute__((unused)) int tell_of(u64 identity, u64 told, u64 duration_ns, u64 origin_key)
{
	struct told_keys keys = {.bounds = {.identity = identity, .metric = TOLD_METRIC(told)}, .origin = origin_key};
	const struct detail_control *control = detail_switch();
	const struct detail_origin *origin;
	struct detail_event *event;

	if (!control)
		return 0;
	told &= ~0xff00ULL | (u64)control->kinds << 8;
	told |= outlier_kind(&keys, control->bounded, duration_ns) << 8;
	if (!TOLD_KINDS(told))
		return 0;
	event = bpf_ringbuf_reserve(&detail_events, sizeof(*event), 0);
	if (!event) {
		count_lost_detail();
		return 0;
	}
	event->mean_ns = keys.bounds.metric;
	event->identity = keys.bounds.identity;
	event->duration_ns = duration_ns;
	event->metric = TOLD_METRIC(told);
	event->kinds = TOLD_KINDS(told);
	event->role = told >> 16;
	event->is_failed = told >> 24;
	event->reason = told >> 32;
	event->reserved = 0;
	origin = bpf_map_lookup_elem(&detail_origins, &keys.origin);
	if (origin)
		event->origin = *origin;
	else
		__builtin_memset(&event->origin, 0, sizeof(event->origin));
	event->ended_ns = bpf_ktime_get_ns();
	bpf_ringbuf_submit(event, 0);
	return 0;
}

/* Something has ended that is counted. */
static __always_inline void tell(u64 identity, u64 told, u64 duration_ns, u64 origin_key)
{
	const struct detail_control *control = detail_switch();

	if (control && control->kinds)
		tell_of(identity, told, duration_ns, origin_key);
}

#endif
