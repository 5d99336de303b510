/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * From the running thread to its session of a library, for the programs that hang in libraries.
 *
 * Kernel half only.
 */
#ifndef CONNSCOPE_TLS_SESSION_BPF_H
#define CONNSCOPE_TLS_SESSION_BPF_H

#include "bpf/tls/tls_state.bpf.h"

static __always_inline u32 current_thread(void)
{
	return (u32)bpf_get_current_pid_tgid();
}

/* The session that the running process has at that address. */
static __always_inline struct tls_session_key session_key(u64 address, enum tls_library library)
{
	return (struct tls_session_key){
		.address = address,
		.tgid = bpf_get_current_pid_tgid() >> 32,
		.library = library,
	};
}

/* That of the handshake which the running thread is in, or was in last; false: of none that is counted. */
static __always_inline bool session_at_work(enum tls_library library, struct tls_session_key *key)
{
	u32 thread = current_thread();
	const struct tls_session_key *at_work = bpf_map_lookup_elem(&tls_threads, &thread);

	if (!at_work)
		return false;
	*key = *at_work;
	return key->library == library && key->tgid == bpf_get_current_pid_tgid() >> 32;
}

#endif
