/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The state of the dns probe: queries that wait for their answer, sockets that have asked, and queries that are to be asked again
 * over TCP. Whoever deletes a query counts its end.
 *
 * Kernel half only.
 */
#ifndef CONNSCOPE_DNS_STATE_BPF_H
#define CONNSCOPE_DNS_STATE_BPF_H

#include "bpf/dns/dns_query.h"
#include "bpf/include/kernel_types.h"
#include "bpf/include/ledger.bpf.h"

#include <bpf/bpf_helpers.h>

struct query_key {
	u64 cookie; /* of the socket */
	u16 id;
	u16 reserved[3]; /* 0 */
};

struct query {
	u64 begun_ns;     /* the first message */
	u64 sent_ns;      /* the last one */
	u64 truncated_ns; /* not 0: an answer with TC came on its socket, and the program may ask over TCP */
	u64 identity;
	u64 question;
	u32 tgid;
	u32 server;
	u16 qtype;
	u8 transport; /* where it was begun */
	u8 has_answer; /* the answer with TC was its own */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct query_key);
	__type(value, struct query);
} queries SEC(".maps");

/* Queries whose time was up, by whom: an answer that comes yet is late. Those that nobody answers are evicted by and by. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct query_key);
	__type(value, u64); /* identity */
} timed_out SEC(".maps");

#define REMEMBERED 8 /* ids of a socket; a power of two */

/* A socket that has asked, until it is closed and nothing of it is open. Its fields are hints of single words: no lock. */
struct asker {
	u64 closed_ns;
	u64 failed_ns; /* the last error, which an ICMP message or a reset brought */
	u64 truncated_ns; /* the last answer with TC */
	u64 stray_ns;  /* the last answer that could not be its own */
	u64 identity;
	s64 open; /* queries without an end */
	u32 asks; /* how many ids were put into `asked` */
	u32 answers;
	u16 asked[REMEMBERED];    /* the last ids */
	u16 answered[REMEMBERED]; /* the last that had their answer */
	u8 stray;                 /* enum dns_stray of `stray_ns` */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, u64); /* the socket's cookie */
	__type(value, struct asker);
} askers SEC(".maps");

/* Who may ask again over TCP. An entry that nobody asks for is evicted by and by. */
struct truncated_key {
	u64 question;
	u64 tgid;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 2048);
	__type(key, struct truncated_key);
	__type(value, struct query_key);
} truncated SEC(".maps");

static __always_inline struct query_key query_key_of(u64 cookie, u16 id)
{
	struct query_key key = {.cookie = cookie, .id = id};

	return key;
}

static __always_inline struct asker *find_asker(u64 cookie)
{
	return bpf_map_lookup_elem(&askers, &cookie);
}

/* Takes a query that was just looked up out of the map; false: another CPU was first. */
static __always_inline bool take_found(const struct query_key *key, const struct query *found, struct asker *asker,
				       struct query *query)
{
	*query = *found;
	if (bpf_map_delete_elem(&queries, key))
		return false;
	if (asker)
		__sync_fetch_and_add(&asker->open, -1);
	return true;
}

/* The same by its key; false, too: there is none. */
static __always_inline bool take_query(const struct query_key *key, struct query *query)
{
	const struct query *found = bpf_map_lookup_elem(&queries, key);

	return found && take_found(key, found, find_asker(key->cookie), query);
}

/* The socket's entry, made when it is new; NULL when there is no room. */
static __always_inline struct asker *asker_of(u64 cookie)
{
	struct asker *asker = find_asker(cookie), fresh = {};

	if (asker)
		return asker;
	bpf_map_update_elem(&askers, &cookie, &fresh, BPF_NOEXIST);
	return find_asker(cookie);
}

/* Keeps a query of that socket; false: there is no room, which is counted. */
static __always_inline bool keep_query(const struct query_key *key, const struct query *query, struct asker *asker)
{
	if (!asker || bpf_map_update_elem(&queries, key, query, BPF_NOEXIST)) {
		count_loss(LOSS_STATE_FULL);
		return false;
	}
	__sync_fetch_and_add(&asker->open, 1);
	asker->identity = query->identity;
	asker->asked[asker->asks++ & (REMEMBERED - 1)] = key->id;
	return true;
}

#endif
