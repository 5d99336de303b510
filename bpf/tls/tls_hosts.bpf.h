/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Numbers for the names of servers: keys stay small, and the user half reads from `tls_hosts` what a number stands for.
 *
 * Kernel half only.
 */
#ifndef CONNSCOPE_TLS_HOSTS_BPF_H
#define CONNSCOPE_TLS_HOSTS_BPF_H

#include "bpf/include/kernel_types.h"
#include "bpf/tls/tls.h"
#include "bpf/tls/tls_record.h"

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, struct tls_host);
} tls_hosts SEC(".maps");

/* The number of the name in the first `words` of `name`; 0: there is no name. One that finds no room in the map is "other". */
static __noinline u32 host_number(const u64 *name, u8 words)
{
	u64 host[TLS_NAME_WORDS] = {}; /* a struct tls_host */
	u64 hash = 0;
	u32 number;

#pragma unroll
	for (u32 i = 0; i < TLS_NAME_WORDS; i++) {
		u64 word = i < words ? name[i] : 0;

		asm volatile("" : "+r"(word)); /* or the compiler calls memcpy, which there is none of */
		hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 29;
		host[i] = word;
	}
	if (!words)
		return 0;
	number = (u32)(hash >> 32) ?: 1;
	if (!bpf_map_lookup_elem(&tls_hosts, &number))
		bpf_map_update_elem(&tls_hosts, &number, host, BPF_NOEXIST);
	return number;
}

#endif
