/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What is told of single handshakes (bpf/detail/detail.bpf.h). Their origins are kept by the socket's cookie, and begin with what
 * the tcp probe knows of the socket.
 *
 * Kernel half only.
 */
#ifndef CONNSCOPE_TLS_DETAIL_BPF_H
#define CONNSCOPE_TLS_DETAIL_BPF_H

#include "bpf/detail/detail.bpf.h"
#include "bpf/tls/tls_state.bpf.h"

/* A handshake begins on the socket with that address. */
__noinline __some_use int meet_handshake(u64 cookie, u64 sk)
{
	struct detail_origin *origin = new_origin(origin_of_handshake(cookie));
	const struct detail_origin *socket = find_origin(ORIGIN_KEY(1, sk));

	if (!origin)
		return 0;
	if (socket)
		*origin = *socket;
	else
		keep_peer(origin, (struct sock *)sk);
	return 0;
}

/* The running process uses the socket. */
__noinline __some_use int note_owner(u64 cookie)
{
	struct detail_origin *origin = find_origin(origin_of_handshake(cookie));

	if (origin && !origin->tgid)
		origin->tgid = BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), tgid);
	return 0;
}

/* The name that the client sends, in the first `words` of `name`. */
static __noinline __some_use void note_host(u64 cookie, const u64 *name, u8 words)
{
	struct detail_origin *origin = find_origin(origin_of_handshake(cookie));
	u64 *host;

	if (!origin || !words)
		return;
	host = (u64 *)origin->host;
#pragma unroll
	for (u32 i = 0; i < TLS_NAME_WORDS; i++) {
		u64 word = i < words ? name[i] : 0;

		asm volatile("" : "+r"(word)); /* or the compiler calls memcpy, which there is none of */
		host[i] = word;
	}
	origin->host_form = HOST_TEXT;
}

__noinline __some_use int note_handshake(u64 origin_key, u32 reason, u64 duration_ns)
{
	struct detail_origin *origin = find_origin(origin_key);

	if (!origin)
		return 0;
	origin->tls_ns = duration_ns;
	origin->metric = DETAIL_TLS;
	origin->reason = reason;
	return 0;
}

/* It has ended; `is_counted`: as a failure, or after it was done as a refusal, for that reason. */
static __always_inline void tell_of_handshake(u64 cookie, const struct handshake *handshake, bool is_counted, u8 reason)
{
	u64 duration_ns = handshake->ended_ns - handshake->begun_ns;
	bool is_failed = reason != TLS_OK;

	if (!somebody_listens())
		return;
	note_handshake(origin_of_handshake(cookie), reason, duration_ns);
	tell_of(handshake->identity, TOLD(DETAIL_TLS, is_counted ? DETAIL_FAILURE : 0, handshake->role, is_failed, reason),
		duration_ns, origin_of_handshake(cookie));
}

/* A failure that no handshake on the wire tells of: of it the process is known. */
static __always_inline void tell_of_lone_session(const struct tls_session_key *key, const struct tls_session *session)
{
	u64 origin_key = ORIGIN_KEY(5, key->address);
	struct detail_origin *origin;

	if (!somebody_listens())
		return;
	origin = new_origin(origin_key);
	if (origin)
		origin->tgid = key->tgid;
	tell_of(session->identity, TOLD(DETAIL_TLS, DETAIL_FAILURE, session->role, true, session->reason),
		session->ended_ns - session->begun_ns, origin_key);
	forget_origin(origin_key);
}

#endif
