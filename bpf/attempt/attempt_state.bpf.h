/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * An attempt is one use of a peer as its program waits for it: the look-up of a name, the connects to what that gave, and the TLS
 * handshake on the one that succeeds. attempt.bpf.c owns the maps; the objects that see the parts are given their descriptors at
 * load, and tell of their moments by the functions of attempt_lookup.bpf.h, attempt_connect.bpf.h and attempt_tls.bpf.h.
 *
 * A look-up leaves its answers, address by address. A connect takes the answer with its peer's address, and with that belongs to the
 * attempt that the look-up began; connects to other answers of the same look-up go on with it, one after the other or at once.
 * An answer is taken once: who connects to the address again begins an attempt of its own, as one does who never looked up.
 *
 * Only attempts with a look-up have an entry here, from their first connect on. Where one has got to beyond that is kept in the
 * socket's own state, as the moment when the attempt began and the thread that has looked up, which costs a connection no more than
 * some bytes.
 *
 * Kernel half only.
 */
#ifndef CONNSCOPE_ATTEMPT_STATE_BPF_H
#define CONNSCOPE_ATTEMPT_STATE_BPF_H

#include "bpf/attempt/attempt_cells.bpf.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* The object was given the maps. Set before the load; by default on, so that the verifier can be asked about all of it. */
const volatile __u8 follows_attempts = 1;

/* Between one part of an attempt and the next a program loses no more time than that; later it is another use. */
#define ATTEMPT_PAUSE_NS 1000000000ULL

/* An address that a process has been given for a name; IPv4 as IPv6 has it mapped. */
struct answer_key {
	u32 tgid;
	u32 address[4];
};

/* The look-up that gave it. */
struct answer {
	u64 begun_ns;
	u64 ended_ns;
	u32 thread;
	u32 reserved;
};

/*
 * Of this map and the others the owner asks for more room; an object that is not given them has no use for any. What is evicted was
 * not connected to for long: then a connect begins its attempt.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8);
	__type(key, struct answer_key);
	__type(value, struct answer);
} attempt_answers SEC(".maps");

/*
 * Which processes have looked anything up, or have their number's last bits in common with one that has: the others need not search
 * for answers.
 */
#define RESOLVERS 4096

struct attempt_resolvers {
	u8 has_answers[RESOLVERS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct attempt_resolvers);
} attempt_resolvers SEC(".maps");

/* Where it is noted of a process. */
static __always_inline u8 *has_answers(u32 tgid)
{
	u32 zero = 0, index = tgid & (RESOLVERS - 1);
	struct attempt_resolvers *resolvers = bpf_map_lookup_elem(&attempt_resolvers, &zero);

	asm volatile("" : "+r"(index)); /* verifiers before 6.12 need the mask */
	return resolvers ? &resolvers->has_answers[index & (RESOLVERS - 1)] : NULL;
}

/* An attempt is known by its look-up: the thread makes one at a time. */
struct attempt_key {
	u64 begun_ns;
	u32 thread;
	u32 reserved; /* 0 */
};

struct attempt {
	u64 identity;
	u64 last_ns; /* when a connect of it began or ended last */
	u32 tries;   /* connects under way */
	u32 is_done; /* one has succeeded: the others are not needed any more */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, struct attempt_key);
	__type(value, struct attempt);
} attempts SEC(".maps");

static __always_inline struct answer_key answer_key_of_ipv4(u32 tgid, u32 address)
{
	struct answer_key key = {.tgid = tgid, .address = {0, 0, bpf_htonl(0xffff), address}};

	return key;
}

static __always_inline struct answer_key answer_key_of_ipv6(u32 tgid, const struct in6_addr *address)
{
	struct answer_key key = {.tgid = tgid};

	__builtin_memcpy(key.address, address, sizeof(key.address));
	return key;
}

#endif
