// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What GnuTLS says of its handshakes. A program calls gnutls_handshake until it no more says "again"; the certificate is judged
 * by gnutls_certificate_verify_peers, whatever the program called, either in the handshake, or after it, when the program
 * asks. A verdict is not the end: the program may go on all the same. So it is kept until the handshake fails for it, and
 * after a handshake that has succeeded it is a doubt.
 *
 * Of its session only the first word is read, which says whether it is a server's or a client's.
 *
 * Sources: the prototypes of <gnutls/gnutls.h>.
 */
#include "bpf/include/identity.bpf.h"
#include "bpf/include/own_stack.bpf.h"
#include "bpf/tls/gnutls.h"
#include "bpf/tls/tls_alerts.h"
#include "bpf/tls/tls_merge.bpf.h"
#include "bpf/tls/tls_session.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* <gnutls/gnutls.h>, of gnutls_init */
#define GNUTLS_SERVER 1
#define GNUTLS_CLIENT 2

/* The call that a thread is in, whose outcome is known when it returns. */
struct gnutls_call {
	u64 session;
	u64 status; /* where the verdict will lie */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, u32); /* `pid` of its task */
	__type(value, struct gnutls_call);
} gnutls_calls SEC(".maps");

/* What a session has said that nothing has come of yet. */
struct gnutls_word {
	u8 verdict;      /* on the peer's certificate; TLS_OK: none */
	u8 awaits_alert; /* the peer has sent one, and the program is about to ask which */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct tls_session_key);
	__type(value, struct gnutls_word);
} gnutls_words SEC(".maps");

static __always_inline struct tls_session_key key_of(u64 address)
{
	return session_key(address, LIBRARY_GNUTLS);
}

static __always_inline void say(const struct tls_session_key *key, u8 reason, u8 rank)
{
	if (reason != TLS_OK)
		session_says(key, reason, rank);
}

/* --- the handshake ---------------------------------------------------------------------------------------------------- */

/* What is left of a session that had this memory before, and whose end was not seen. */
static __always_inline void forget_former(const struct tls_session_key *key)
{
	const struct gnutls_word *word = bpf_map_lookup_elem(&gnutls_words, key);
	const struct tls_session *session = find_session(key);

	if (!word || (!word->awaits_alert && session && session->state == SESSION_RUNS))
		return;
	bpf_map_delete_elem(&gnutls_words, key);
	session_ends(key, false);
}

/* gnutls_handshake(session) */
SEC("uprobe/gnutls_handshake")
int on_handshake(struct pt_regs *ctx)
{
	struct tls_session_key key = key_of(ctx->di);
	u64 identity = current_identity();
	u32 entity = 0;

	want_own_stack(ctx);
	if (identity == IDENTITY_IGNORED)
		return 0;
	bpf_probe_read_user(&entity, sizeof(entity), (void *)ctx->di);
	if (entity != GNUTLS_SERVER && entity != GNUTLS_CLIENT)
		return 0;
	forget_former(&key);
	session_runs(&key, identity, entity == GNUTLS_SERVER ? TLS_SERVER : TLS_CLIENT);
	return 0;
}

/*
 * Why it failed, by the library's own word. A packet that it did not expect says that the peer speaks no TLS where no handshake
 * was seen on the wire; else the wire has looked at it too.
 */
static __always_inline void say_why(const struct tls_session_key *key, int result, u8 verdict)
{
	const struct tls_session *session = find_session(key);
	u8 reason = gnutls_reason(result);

	if (reason == TLS_BADCERT && verdict != TLS_OK)
		say(key, verdict, RANK_VERDICT);
	else if (result == GNUTLS_E_UNEXPECTED_PACKET && session && !session->cookie)
		say(key, TLS_NOT_TLS, RANK_BREAK);
	else
		say(key, reason, RANK_LIBRARY);
}

/* What was found in the handshake, which is over. */
static __always_inline u8 take_verdict(const struct tls_session_key *key)
{
	const struct gnutls_word *word = bpf_map_lookup_elem(&gnutls_words, key);
	u8 verdict;

	if (!word)
		return TLS_OK;
	verdict = word->verdict;
	bpf_map_delete_elem(&gnutls_words, key);
	return verdict;
}

SEC("uretprobe/gnutls_handshake")
int on_handshake_return(struct pt_regs *ctx)
{
	struct gnutls_word awaiting = {.awaits_alert = 1};
	struct tls_session_key key;
	int result = (int)ctx->ax;
	u8 verdict;

	want_own_stack(ctx);
	if (gnutls_goes_on(result) || !session_at_work(LIBRARY_GNUTLS, &key))
		return 0;
	if (result == GNUTLS_E_FATAL_ALERT_RECEIVED) {
		bpf_map_update_elem(&gnutls_words, &key, &awaiting, BPF_ANY);
		return 0;
	}
	verdict = take_verdict(&key);
	if (result)
		say_why(&key, result, verdict);
	else if (verdict != TLS_OK)
		session_doubts(&key, verdict);
	session_ends(&key, !result);
	return 0;
}

/* --- the peer's certificate ------------------------------------------------------------------------------------------- */

static __always_inline void enter(u64 session, u64 status)
{
	struct gnutls_call call = {.session = session, .status = status};
	struct tls_session_key key = key_of(session);
	u32 thread = current_thread();

	if (find_session(&key))
		bpf_map_update_elem(&gnutls_calls, &thread, &call, BPF_ANY);
}

/* Takes the call that the running thread returns from; false: it is of no session that is counted. */
static __always_inline bool leave(struct gnutls_call *call)
{
	u32 thread = current_thread();
	const struct gnutls_call *entered = bpf_map_lookup_elem(&gnutls_calls, &thread);

	if (!entered)
		return false;
	*call = *entered;
	bpf_map_delete_elem(&gnutls_calls, &thread);
	return true;
}

/* gnutls_certificate_verify_peers(session, data, elements, status), which the others of that name call. */
SEC("uprobe/gnutls_certificate_verify_peers")
int on_verify(struct pt_regs *ctx)
{
	want_own_stack(ctx);
	enter(ctx->di, ctx->cx);
	return 0;
}

/* A fault with the peer. The first is kept: a program that looks for others has not been content with that one. */
static __always_inline void find_fault(const struct tls_session_key *key, u8 verdict)
{
	const struct tls_session *session = find_session(key);
	struct gnutls_word word = {.verdict = verdict};

	if (!session)
		return;
	if (session->state == SESSION_SUCCEEDED)
		session_doubts(key, verdict);
	else
		bpf_map_update_elem(&gnutls_words, key, &word, BPF_NOEXIST);
}

SEC("uretprobe/gnutls_certificate_verify_peers")
int on_verify_return(struct pt_regs *ctx)
{
	struct tls_session_key key;
	struct gnutls_call call;
	u32 status = 0;

	want_own_stack(ctx);
	if (!leave(&call) || (int)ctx->ax < 0)
		return 0;
	bpf_probe_read_user(&status, sizeof(status), (void *)call.status);
	key = key_of(call.session);
	if (status)
		find_fault(&key, gnutls_verdict(status));
	return 0;
}

/*
 * gnutls_x509_crt_check_hostname2(certificate, name, flags), which programs call that do not give the name to the verification,
 * and which that calls itself. It knows no session: that of the handshake which the thread was in last is meant.
 */
SEC("uretprobe/gnutls_x509_crt_check_hostname2")
int on_check_hostname_return(struct pt_regs *ctx)
{
	struct tls_session_key key;
	u32 thread = current_thread();

	want_own_stack(ctx);
	if (ctx->ax || bpf_map_lookup_elem(&gnutls_calls, &thread) || !session_at_work(LIBRARY_GNUTLS, &key))
		return 0;
	find_fault(&key, TLS_HOSTNAME);
	return 0;
}

/* --- the peer's alert ------------------------------------------------------------------------------------------------- */

/* gnutls_alert_get(session): the last that was received, which a program asks for when it is told that there is one. */
SEC("uprobe/gnutls_alert_get")
int on_alert_get(struct pt_regs *ctx)
{
	want_own_stack(ctx);
	enter(ctx->di, 0);
	return 0;
}

SEC("uretprobe/gnutls_alert_get")
int on_alert_get_return(struct pt_regs *ctx)
{
	const struct gnutls_word *word;
	const struct tls_session *session;
	struct tls_session_key key;
	struct gnutls_call call;
	u8 alert = ctx->ax;

	want_own_stack(ctx);
	if (!leave(&call))
		return 0;
	key = key_of(call.session);
	word = bpf_map_lookup_elem(&gnutls_words, &key);
	session = find_session(&key);
	if (word && word->awaits_alert) {
		say(&key, tls_alert_reason(alert), RANK_LIBRARY);
		session_ends(&key, false);
		bpf_map_delete_elem(&gnutls_words, &key);
	} else if (session && session->state == SESSION_SUCCEEDED && tls_alert_refuses_certificate(alert)) {
		say(&key, tls_alert_reason(alert), RANK_LIBRARY);
	}
	return 0;
}

/* --- the end ---------------------------------------------------------------------------------------------------------- */

/* gnutls_credentials_clear(session), which gnutls_deinit calls: it has a first instruction that costs less. */
SEC("uprobe/gnutls_credentials_clear")
int on_gone(struct pt_regs *ctx)
{
	struct tls_session_key key = key_of(ctx->di);

	want_own_stack(ctx);
	bpf_map_delete_elem(&gnutls_words, &key);
	session_gone(&key);
	return 0;
}
