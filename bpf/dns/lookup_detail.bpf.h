/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What is told of single look-ups (bpf/detail/detail.bpf.h). What is known of one that has succeeded stays, for the connects that
 * follow.
 *
 * Kernel half only; programs in the context of the thread that has looked up.
 */
#ifndef CONNSCOPE_LOOKUP_DETAIL_BPF_H
#define CONNSCOPE_LOOKUP_DETAIL_BPF_H

#include "bpf/detail/detail.bpf.h"
#include "bpf/dns/libc_lookup.h"

/* `name` is where the program has it, or 0. */
__noinline int note_lookup(u64 begun_ns, u64 name, u32 outcome, u64 duration_ns)
{
	struct detail_origin *origin = new_origin(origin_of_lookup(begun_ns));

	if (!origin)
		return 0;
	origin->tgid = bpf_get_current_pid_tgid() >> 32;
	origin->dns_ns = duration_ns;
	origin->metric = DETAIL_LOOKUP;
	origin->reason = outcome;
	if (name && bpf_probe_read_user_str(origin->host, sizeof(origin->host), (void *)name) > 0)
		origin->host_form = HOST_TEXT;
	return 0;
}

/* Before anything is told of it. */
static __always_inline void keep_lookup_origin(const struct lookup *lookup, enum lookup_outcome outcome, u64 duration_ns)
{
	bool is_by_name = lookup->function != LOOKUP_GETNAMEINFO && lookup->function != LOOKUP_GETHOSTBYADDR;

	if (somebody_listens())
		note_lookup(lookup->since_ns, is_by_name ? lookup->name : 0, outcome, duration_ns);
}

/* A failure that was seen on the wire is told of there, as it is counted there. */
static __always_inline void tell_of_lookup(const struct lookup *lookup, enum lookup_outcome outcome, u64 duration_ns)
{
	bool is_failed = outcome != LOOKUP_OK;

	tell(lookup->identity, TOLD(DETAIL_LOOKUP, is_failed && !lookup->queries ? DETAIL_FAILURE : 0, 0, is_failed, outcome),
	     duration_ns, origin_of_lookup(lookup->since_ns));
}

#endif
