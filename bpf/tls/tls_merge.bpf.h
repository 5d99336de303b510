/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * One handshake, one count, one reason: what the wire sees of a socket and what a library says of a session are put together, in
 * whatever order they come.
 *
 * A session and a socket find each other by the thread: what a thread sends while it is in the library's handshake, or just after,
 * belongs to that session (bind_session). A handshake that breaks off while its library has not ended is kept until the library
 * has, or until the pass finds that it waits too long. A failure that only a library saw, as when a peer speaks no TLS, is told by
 * the pass, since the socket may yet be found.
 *
 * The wire's programs call begin_handshake, own_handshake, bind_session, finish_handshake, fail_handshake. Those of a library that
 * sees calls begin and end call session_runs, session_says, session_doubts, session_ends, session_gone; those of one that sees neither
 * session_begins, session_works, session_judges, session_fails, session_gone. The pass calls visit_handshake and visit_session.
 *
 * Kernel half only.
 */
#ifndef CONNSCOPE_TLS_MERGE_BPF_H
#define CONNSCOPE_TLS_MERGE_BPF_H

#include "bpf/attempt/attempt_cells.bpf.h"
#include "bpf/process/identity.h"
#include "bpf/tls/tls_cells.bpf.h"
#include "bpf/tls/tls_detail.bpf.h"

#include <bpf/bpf_core_read.h>

/* How long the word of a library, or of the wire, is waited for. */
#define WORD_IS_DUE_NS 1000000000ULL
/* How long a process may take to show that a handshake is its own. Nobody answers after that time. */
#define OWNER_IS_DUE_NS 60000000000ULL

/* --- reasons --------------------------------------------------------------------------------------------------------- */

static __always_inline void note_for_handshake(struct handshake *handshake, u8 reason, u8 rank)
{
	if (rank >= handshake->rank)
		return;
	handshake->reason = reason;
	handshake->rank = rank;
}

static __always_inline void note_for_session(struct tls_session *session, u8 reason, u8 rank)
{
	if (rank >= session->rank)
		return;
	session->reason = reason;
	session->rank = rank;
}

/* --- the begin ------------------------------------------------------------------------------------------------------- */

/* The process is known, or will not be any more. From now on the handshake is one that was begun. */
static __noinline __some_use void own_handshake(struct handshake *handshake, u64 identity)
{
	struct tls_begun *begun;

	if (handshake->is_begun)
		return;
	handshake->is_begun = 1;
	handshake->identity = identity;
	begun = tls_begun_cell(identity, handshake->role);
	if (begun)
		__sync_fetch_and_add(&begun->handshakes, 1);
	if (handshake->alert)
		count_alert(identity, TLS_RECEIVED, handshake->alert);
}

/* --- the end --------------------------------------------------------------------------------------------------------- */

/* The handshake was the last part of its attempt. */
static __always_inline void end_attempt(u64 cookie, struct handshake *handshake, enum attempt_end end)
{
	if (handshake->attempt_ns)
		count_attempt(handshake->identity, end, handshake->ended_ns - handshake->attempt_ns,
			      origin_of_handshake(cookie));
	handshake->attempt_ns = 0;
}

/* What the wire has lost sight of, and no library has explained. */
static __always_inline bool is_inexplicable(const struct handshake *handshake)
{
	return handshake->is_blind && handshake->rank >= RANK_BREAK;
}

/* Counts what has become of a handshake, with all that is known by now, and forgets it. */
static __noinline __some_use void settle(u64 cookie)
{
	struct handshake handshake;
	struct tls_session *session;
	bool is_told, is_failure;

	if (!take_handshake(cookie, &handshake))
		return;
	own_handshake(&handshake, IDENTITY_UNKNOWN);
	session = session_of(&handshake, cookie);
	is_told = handshake.is_told || (session && session->is_told);
	if (session) {
		note_for_handshake(&handshake, session->reason, session->rank);
		session->is_told = 1;
	}
	if (handshake.phase != PHASE_DONE && is_inexplicable(&handshake)) {
		lose_end(handshake.identity, handshake.role);
		return;
	}
	/* The reason first: no scrape shows a failed handshake without one. */
	is_failure = !is_told && (handshake.phase != PHASE_DONE || handshake.rank < RANK_NONE);
	if (is_failure)
		count_failure(handshake.identity, handshake.host, handshake.role, handshake.reason ?: TLS_ABORTED);
	if (is_failure || handshake.phase != PHASE_DONE)
		tell_of_handshake(cookie, &handshake, is_failure, handshake.reason ?: TLS_ABORTED);
	if (handshake.phase != PHASE_DONE) {
		count_handshake(&handshake, true);
		end_attempt(cookie, &handshake, ATTEMPT_FAILED_TLS);
	}
}

/* Whether nothing is missing but what the library has to say: it has failed, or was refused after it was done. */
static __always_inline bool waits_for_word(const struct handshake *handshake)
{
	return handshake->phase == PHASE_OVER || (handshake->phase == PHASE_DONE && handshake->rank < RANK_NONE);
}

/* Whether the library may still say why: it is at work, and has not yet given its verdict. */
static __always_inline bool awaits_library(const struct handshake *handshake, u64 cookie)
{
	const struct tls_session *session = session_of(handshake, cookie);

	return session && session->rank > RANK_VERDICT && session->state != SESSION_FAILED;
}

/* --- the wire -------------------------------------------------------------------------------------------------------- */

/* A ClientHello, whose process may not be known yet; NULL: no room, which is counted. */
static __noinline __some_use struct handshake *begin_handshake(u64 cookie, u8 role, u64 now)
{
	struct handshake *handshake = new_handshake(cookie);

	if (!handshake) {
		count_loss(LOSS_STATE_FULL);
		return NULL;
	}
	handshake->last_ns = now;
	handshake->role = role;
	handshake->rank = RANK_NONE;
	handshake->begun_ns = now;
	return handshake;
}

/* The running thread sends for that socket: the session that it works on is the socket's. */
static __noinline __some_use void bind_session(struct handshake *handshake, u64 cookie)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	u32 thread = BPF_CORE_READ(task, pid);
	const struct tls_session_key *at_work = bpf_map_lookup_elem(&tls_threads, &thread);
	struct tls_session *session;

	if (!at_work || at_work->tgid != (u32)BPF_CORE_READ(task, tgid))
		return;
	session = find_session(at_work);
	if (!session || session->role != handshake->role || session->state == SESSION_SUCCEEDED || session->is_told)
		return;
	if (session->cookie && session->cookie != cookie)
		return;
	session->cookie = cookie;
	handshake->session = *at_work;
}

/* A client's library found fault, and shows no success: the program has overridden the verdict, for now or for good. */
static __always_inline void doubt_at_success(struct handshake *handshake)
{
	struct tls_session *session = find_session(&handshake->session);

	if (!session || handshake->role != TLS_CLIENT || session->rank != RANK_VERDICT)
		return;
	handshake->doubt = session->reason;
	session->reason = TLS_OK;
	session->rank = RANK_NONE;
}

/* It has succeeded. The entry stays: a refusal may follow. */
static __always_inline void finish_handshake(u64 cookie, struct handshake *handshake, u64 now)
{
	if (handshake->phase >= PHASE_DONE)
		return;
	handshake->phase = PHASE_DONE;
	handshake->ended_ns = now;
	doubt_at_success(handshake);
	own_handshake(handshake, IDENTITY_UNKNOWN);
	count_handshake(handshake, false);
	tell_of_handshake(cookie, handshake, false, TLS_OK);
	end_attempt(cookie, handshake, ATTEMPT_OK);
}

/*
 * An alert, or the connection broke off. After success it is a refusal. The library may yet explain it, and the process whose it is
 * may not be known yet.
 */
static __noinline __some_use void fail_handshake(u64 cookie, struct handshake *handshake, u8 reason, u8 rank, u64 now)
{
	note_for_handshake(handshake, reason, rank);
	handshake->last_ns = now;
	if (handshake->phase < PHASE_DONE) {
		handshake->phase = PHASE_OVER;
		handshake->ended_ns = now;
	}
	if (handshake->is_begun && !awaits_library(handshake, cookie))
		settle(cookie);
}

/* --- libraries; in the context of the thread that calls them --------------------------------------------------------- */

/* A failure that no handshake on the wire tells of. */
static __always_inline void tell_of_session(const struct tls_session_key *key, struct tls_session *session)
{
	if (session->is_told || session->is_of_wire || session->rank >= RANK_NONE)
		return;
	session->is_told = 1;
	count_failure(session->identity, 0, session->role, session->reason);
	tell_of_lone_session(key, session);
}

/* What is left of a session that is over. When its library has said why, the socket's end is not waited for. */
static __always_inline void close_session(const struct tls_session_key *key, struct tls_session *session)
{
	struct handshake *handshake = session->cookie ? find_handshake(session->cookie) : NULL;

	if (handshake && handshake->phase < PHASE_DONE && session->state == SESSION_FAILED && session->rank < RANK_NONE) {
		handshake->phase = PHASE_OVER;
		handshake->ended_ns = session->ended_ns;
	}
	if (handshake && waits_for_word(handshake))
		settle(session->cookie);
	else if (session->state == SESSION_FAILED && !session->cookie)
		tell_of_session(key, session);
}

/* A session that is not under way yet. One that had its object, or its memory, before is over. */
static __noinline __some_use void session_begins(const struct tls_session_key *key, u64 identity, u8 role)
{
	struct tls_session *former = find_session(key), fresh = {
		.begun_ns = bpf_ktime_get_ns(),
		.identity = identity,
		.role = role,
		.rank = RANK_NONE,
	};

	if (former)
		close_session(key, former);
	bpf_map_update_elem(&tls_sessions, key, &fresh, BPF_ANY);
}

/*
 * The running thread works on that session. It alone writes its entry, which is written where it is: to put another there costs ten
 * times as much. The entry would be another thread's by then only if as many as there is room for had come in between.
 */
static __always_inline void session_works(const struct tls_session_key *key)
{
	u32 thread = (u32)bpf_get_current_pid_tgid();
	struct tls_session_key *at_work = bpf_map_lookup_elem(&tls_threads, &thread);

	if (at_work)
		*at_work = *key;
	else
		bpf_map_update_elem(&tls_threads, &thread, key, BPF_ANY);
}

/* The running thread enters a handshake of that session, for the first time or again. `identity` is the running process's. */
static __noinline __some_use void session_runs(const struct tls_session_key *key, u64 identity, u8 role)
{
	const struct tls_session *known = find_session(key);

	if (!known || known->state != SESSION_RUNS)
		session_begins(key, identity, role);
	session_works(key);
}

/*
 * A client's library finds fault with the server, and lets the program decide. It has refused the server when it closes without
 * having sent anything of its own, which the wire sees. The first doubt is kept.
 */
static __noinline __some_use void session_doubts(const struct tls_session_key *key, u8 reason)
{
	const struct tls_session *session = find_session(key);
	struct handshake *handshake;

	if (!session || session->role != TLS_CLIENT || session->state == SESSION_FAILED || !session->cookie)
		return;
	handshake = find_handshake(session->cookie);
	if (handshake && !handshake->doubt)
		handshake->doubt = reason;
}

/* A verdict that did not keep the handshake from success was overridden by the program, for now or for good. */
static __always_inline void doubt_instead(const struct tls_session_key *key, struct tls_session *session)
{
	if (session->rank == RANK_VERDICT)
		session_doubts(key, session->reason);
	session->reason = TLS_OK;
	session->rank = RANK_NONE;
}

/* A reason. After success it is a refusal, which is counted at once. */
static __noinline __some_use void session_says(const struct tls_session_key *key, u8 reason, u8 rank)
{
	struct tls_session *session = find_session(key);
	struct handshake *handshake;

	if (!session)
		return;
	note_for_session(session, reason, rank);
	if (session->state != SESSION_SUCCEEDED)
		return;
	handshake = session->cookie ? find_handshake(session->cookie) : NULL;
	if (handshake)
		settle(session->cookie);
	else
		tell_of_session(key, session);
}

/*
 * The library's verdict on the peer's certificate, TLS_OK too. Nothing has come of it yet: the program may override it, in the
 * library's handshake or after it.
 */
static __noinline __some_use void session_judges(const struct tls_session_key *key, u8 verdict)
{
	struct tls_session *session = find_session(key);

	if (!session)
		return;
	session->verdict = verdict;
	if (verdict != TLS_OK)
		session_doubts(key, verdict);
}

/*
 * The library breaks off, and says why; RANK_NONE: it leaves that to the wire. The alert is yet to be sent, and the wire's end
 * is what counts; but a handshake that the wire has seen succeed is refused now.
 */
static __noinline __some_use void session_fails(const struct tls_session_key *key, u8 reason, u8 rank)
{
	struct tls_session *session = find_session(key);
	struct handshake *handshake;

	if (!session || session->state == SESSION_FAILED)
		return;
	note_for_session(session, reason, rank);
	session->state = SESSION_FAILED;
	session->ended_ns = bpf_ktime_get_ns();
	handshake = session->cookie ? find_handshake(session->cookie) : NULL;
	if (handshake && handshake->phase >= PHASE_DONE)
		settle(session->cookie);
}

/*
 * The library's handshake has come to an end. Without a reason of its own it failed for what the wire shows; with one it refuses what
 * the wire may have seen succeed.
 */
static __noinline __some_use void session_ends(const struct tls_session_key *key, bool is_ok)
{
	struct tls_session *session = find_session(key);
	struct handshake *handshake;
	u64 now = bpf_ktime_get_ns();

	if (!session || session->state != SESSION_RUNS)
		return;
	session->state = is_ok ? SESSION_SUCCEEDED : SESSION_FAILED;
	session->ended_ns = now;
	if (is_ok)
		doubt_instead(key, session);
	handshake = session->cookie ? find_handshake(session->cookie) : NULL;
	if (!handshake)
		return;
	if (is_ok) {
		finish_handshake(session->cookie, handshake, now);
		return;
	}
	if (handshake->phase < PHASE_DONE && session->rank < RANK_NONE) {
		handshake->phase = PHASE_OVER;
		handshake->ended_ns = now;
	}
	if (handshake->phase == PHASE_OVER || (handshake->phase == PHASE_DONE && session->rank < RANK_NONE))
		settle(session->cookie);
}

/* The program gives the session up: it frees its object. */
static __noinline __some_use void session_gone(const struct tls_session_key *key)
{
	struct tls_session *session = find_session(key);

	if (!session)
		return;
	if (session->state == SESSION_RUNS) {
		session->state = SESSION_FAILED;
		session->ended_ns = bpf_ktime_get_ns();
	}
	if (session->cookie || session->rank >= RANK_NONE) {
		close_session(key, session);
		bpf_map_delete_elem(&tls_sessions, key);
	}
}

/* --- the pass, at each collect --------------------------------------------------------------------------------------- */

/* Nothing is read from the map's element but its key: it may be recycled at any moment. */
static __always_inline void visit_handshake(u64 cookie)
{
	const struct handshake *handshake = find_handshake(cookie);
	u64 now = bpf_ktime_get_ns();

	/* Another CPU's clock may be a little ahead: no difference of the two. */
	if (!handshake || !handshake->begun_ns || now < handshake->last_ns + (handshake->is_begun ? WORD_IS_DUE_NS : OWNER_IS_DUE_NS))
		return;
	if (waits_for_word(handshake))
		settle(cookie);
	else if (!handshake->is_begun)
		forget_handshake(cookie); /* no process has taken that connection */
}

static __always_inline void visit_session(const struct tls_session_key *key)
{
	struct tls_session *session = find_session(key);

	if (!session || session->state != SESSION_FAILED || bpf_ktime_get_ns() - session->ended_ns < WORD_IS_DUE_NS)
		return;
	close_session(key, session);
	bpf_map_delete_elem(&tls_sessions, key);
}

#endif
