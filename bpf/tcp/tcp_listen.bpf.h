/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Listeners, and whose they are: the process that accepted last on an address; before that, the one that called listen(2). So
 * a service that was handed its listener (socket activation, exec, a pre-forking parent) owns it with its first accept.
 *
 * Owners are kept by address, not by socket: a connection that is born does not know which socket listened for it, and
 * several may listen on one address (SO_REUSEPORT).
 *
 * Kernel half only.
 */
#ifndef CONNSCOPE_TCP_LISTEN_BPF_H
#define CONNSCOPE_TCP_LISTEN_BPF_H

#include "bpf/include/identity.bpf.h"
#include "bpf/include/socket.bpf.h"
#include "bpf/tcp/tcp_cells.bpf.h"

struct owner_key {
	u32 netns;
	u32 address; /* IPv4, or all words of IPv6 folded into one; 0: any */
	u32 port;    /* in host order */
};

/* An owner that is not asked for any more is evicted by and by. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct owner_key);
	__type(value, u64); /* identity */
} listen_owners SEC(".maps");

/* 1 once a process that a rule excludes has listened: only then a connection that is born is asked whose it will be. */
__u8 has_ignored_owners = 0;

struct listener {
	u64 since_ns;
	u32 drops_before; /* it was seen */
	u16 port;         /* in host order */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, u64); /* struct sock * */
	__type(value, struct listener);
} listeners SEC(".maps");

static __always_inline u32 folded_address(const struct in6_addr *address)
{
	const u32 *words = address->in6_u.u6_addr32;

	return is_v4_mapped(address) ? words[3] : words[0] ^ words[1] ^ words[2] ^ words[3];
}

/* Where a socket is bound; any pointer will do. */
static __always_inline struct owner_key owner_key_of(const struct sock *sk)
{
	struct owner_key key = {
		.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum),
		.address = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr),
		/* Given back when it is closed, skc_num is 0. */
		.port = bpf_ntohs(BPF_CORE_READ((const struct inet_sock *)sk, inet_sport)),
	};
	struct in6_addr address;

	if (BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET6) {
		bpf_core_read(&address, sizeof(address), &sk->__sk_common.skc_v6_rcv_saddr);
		key.address = folded_address(&address);
	}
	return key;
}

/* NULL: nobody is known to listen there. Whoever listens on any address leaves no other one free, so that comes first. */
static __always_inline u64 *find_owner(const struct owner_key *key)
{
	struct owner_key any = {.netns = key->netns, .port = key->port};
	u64 *owner = bpf_map_lookup_elem(&listen_owners, &any);

	return owner ?: bpf_map_lookup_elem(&listen_owners, key);
}

/* Whose the listener is that a connection came by; a closed socket's memory still says where it was bound. */
static __noinline u64 owner_of(const struct sock *sk)
{
	struct owner_key key = owner_key_of(sk);
	u64 *owner = find_owner(&key);

	return owner ? *owner : IDENTITY_UNKNOWN;
}

static __noinline void set_owner(const struct sock *sk, u64 identity)
{
	struct owner_key key = owner_key_of(sk);
	u64 *owner = find_owner(&key);

	if (identity == IDENTITY_IGNORED)
		has_ignored_owners = 1;
	if (owner)
		*owner = identity;
	else
		bpf_map_update_elem(&listen_owners, &key, &identity, BPF_ANY);
}

/* The running process, which is `identity` at `place`, has accepted `sk`, so its listener is that one's. Mostly it was. */
static __always_inline void hand_over(const struct sock *sk, u16 port, const struct process_place *place, u64 identity)
{
	struct owner_key any = {.netns = place->netns, .port = port};
	u64 *owner = bpf_map_lookup_elem(&listen_owners, &any);

	if (!owner || *owner != identity)
		set_owner(sk, identity);
}

static __always_inline void add_listener(struct sock *sk, u64 identity)
{
	struct listener listener = {
		.since_ns = bpf_ktime_get_ns(),
		.drops_before = BPF_CORE_READ(sk, sk_drops.counter),
		.port = BPF_CORE_READ(sk, __sk_common.skc_num),
	};
	struct owner_key key = owner_key_of(sk);
	u64 address = (u64)sk;

	bpf_map_update_elem(&listen_owners, &key, &identity, BPF_ANY);
	if (bpf_map_update_elem(&listeners, &address, &listener, BPF_NOEXIST) && !bpf_map_lookup_elem(&listeners, &address))
		count_loss(LOSS_STATE_FULL);
}

static __noinline void listen_begins(struct sock *sk)
{
	u64 identity = current_identity();

	if (identity == IDENTITY_IGNORED)
		set_owner(sk, identity);
	else
		add_listener(sk, identity);
}

/* Keeps what no pass has seen. */
static __noinline void listen_ends(struct sock *sk)
{
	u64 address = (u64)sk, *owner;
	struct listener *listener = bpf_map_lookup_elem(&listeners, &address);
	struct owner_key key;
	struct tcp_rare *rare;
	u32 drops;

	if (!listener)
		return;
	drops = sk->sk_drops.counter - listener->drops_before;
	key = owner_key_of(sk);
	key.port = listener->port; /* the socket has given it back */
	owner = find_owner(&key);
	if (drops && owner) {
		rare = rare_cell(*owner, TCP_SERVER, by_port ? listener->port : 0);
		if (rare)
			ADD(rare->listen_drops, drops);
	}
	bpf_map_delete_elem(&listeners, &address);
}

/* Writes one report; what has no room in the stream's buffer is asked for again by the kernel. */
static __always_inline void report_listener(struct seq_file *out, struct sock *sk, const struct listener *listener)
{
	struct owner_key key = owner_key_of(sk);
	u64 *owner = find_owner(&key);
	struct listener_report report = {
		.identity = owner ? *owner : IDENTITY_UNKNOWN,
		.drops = (u32)BPF_CORE_READ(sk, sk_drops.counter) - listener->drops_before,
		.backlog = BPF_CORE_READ(sk, sk_ack_backlog),
		.backlog_limit = BPF_CORE_READ(sk, sk_max_ack_backlog),
		.netns = key.netns,
		.port = listener->port,
	};

	if (BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET6) {
		report.address.is_ipv6 = 1;
		bpf_core_read(&report.address.words, sizeof(report.address.words),
			      &sk->__sk_common.skc_v6_rcv_saddr);
	} else {
		report.address.words[0] = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
	}
	bpf_seq_write(out, &report, sizeof(report));
}

/* One step of the pass over all listeners. */
static __always_inline void visit_listener(struct seq_file *out, u64 address, const struct listener *listener)
{
	struct sock *sk = (struct sock *)address;

	if (BPF_CORE_READ(sk, __sk_common.skc_refcnt.refs.counter) && BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_LISTEN &&
	    BPF_CORE_READ(sk, __sk_common.skc_num) == listener->port)
		report_listener(out, sk, listener);
	else if (bpf_ktime_get_ns() - listener->since_ns > SURELY_BEGUN_NS)
		bpf_map_delete_elem(&listeners, &address); /* its end was not seen */
}

#endif
