/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the libc_lookup probe tells of an attempt: that a name was looked up, with the answers, which are read from the program's
 * memory; or that it was in vain, which ends the attempt.
 *
 * Sources: <netdb.h>, whose structs glibc and musl lay out alike on x86-64.
 *
 * Kernel half only; programs in the context of the thread that has looked up.
 */
#ifndef CONNSCOPE_ATTEMPT_LOOKUP_BPF_H
#define CONNSCOPE_ATTEMPT_LOOKUP_BPF_H

#include "bpf/attempt/attempt_state.bpf.h"
#include "bpf/dns/libc_lookup.h"

/* Answers beyond these are not taken into account. getaddrinfo may give each address thrice. */
#define ADDRINFOS_READ 24
#define HOST_ADDRESSES_READ 8

/* struct addrinfo */
struct libc_addrinfo {
	int flags, family, socktype, protocol;
	u32 address_bytes, padding;
	u64 address; /* struct sockaddr * */
	u64 canonical_name;
	u64 next;
};

/* struct hostent */
struct libc_hostent {
	u64 name, aliases;
	int family, length;
	u64 addresses; /* char ** */
};

static __always_inline void keep_answer(const struct answer_key *key, const struct lookup *lookup, u64 now)
{
	struct answer answer = {.begun_ns = lookup->since_ns, .ended_ns = now};
	u8 *noted = has_answers(key->tgid);

	answer.thread = (u32)bpf_get_current_pid_tgid();
	if (noted)
		*noted = 1;
	bpf_map_update_elem(&attempt_answers, key, &answer, BPF_ANY);
}

/* The address at that place in the program's memory, IPv4 or IPv6. */
static __always_inline struct answer_key read_address(u64 place, int family)
{
	u32 tgid = bpf_get_current_pid_tgid() >> 32, ipv4 = 0;
	struct in6_addr address = {};

	if (family == AF_INET6) {
		bpf_probe_read_user(&address, sizeof(address), (void *)place);
		return answer_key_of_ipv6(tgid, &address);
	}
	bpf_probe_read_user(&ipv4, sizeof(ipv4), (void *)place);
	return answer_key_of_ipv4(tgid, ipv4);
}

/* Where a struct sockaddr has its address. */
static __always_inline u64 address_in(u64 sockaddr, int family)
{
	return sockaddr + (family == AF_INET6 ? 8 : 4);
}

static __always_inline bool is_same(const struct answer_key *one, const struct answer_key *other)
{
	return one->address[0] == other->address[0] && one->address[1] == other->address[1] &&
	       one->address[2] == other->address[2] && one->address[3] == other->address[3];
}

/* Of getaddrinfo: `result` is its struct addrinfo **. */
static __noinline void keep_addrinfos(const struct lookup *lookup, u64 now)
{
	struct answer_key last = {}, key;
	struct libc_addrinfo entry;
	u64 place = 0;

	bpf_probe_read_user(&place, sizeof(place), (void *)lookup->result);
	for (int i = 0; i < ADDRINFOS_READ && place; i++) {
		if (bpf_probe_read_user(&entry, sizeof(entry), (void *)place))
			return;
		key = read_address(address_in(entry.address, entry.family), entry.family);
		if (!is_same(&key, &last))
			keep_answer(&key, lookup, now);
		last = key;
		place = entry.next;
	}
}

/* Of gethostbyname and its like: `result` is their struct hostent **. */
static __noinline void keep_host_addresses(const struct lookup *lookup, u64 now)
{
	struct libc_hostent entry = {};
	struct answer_key key;
	u64 place = 0;

	bpf_probe_read_user(&place, sizeof(place), (void *)lookup->result);
	bpf_probe_read_user(&entry, sizeof(entry), (void *)place);
	for (u64 i = 0; i < HOST_ADDRESSES_READ; i++) {
		if (bpf_probe_read_user(&place, sizeof(place), (void *)(entry.addresses + i * sizeof(place))) || !place)
			return;
		key = read_address(place, entry.family);
		keep_answer(&key, lookup, now);
	}
}

/* A look-up has ended. Those from an address to a name lead to no connect. */
static __always_inline void attempt_looked_up(const struct lookup *lookup, bool is_ok)
{
	u64 now;

	if (!follows_attempts || lookup->function == LOOKUP_GETNAMEINFO || lookup->function == LOOKUP_GETHOSTBYADDR)
		return;
	now = bpf_ktime_get_ns();
	if (!is_ok)
		count_attempt(lookup->identity, ATTEMPT_FAILED_DNS, now - lookup->since_ns, origin_of_lookup(lookup->since_ns));
	else if (lookup->function == LOOKUP_GETADDRINFO)
		keep_addrinfos(lookup, now);
	else
		keep_host_addresses(lookup, now);
}

#endif
