// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What OpenSSL says of its handshakes. A handshake may go on in any of its calls, SSL_read and SSL_write too, which are no place
 * for a probe. So what is seen is the beginning, a fatal error, and the end of the session's object; that a handshake succeeds,
 * the wire sees.
 *
 * libssl tells of a fatal error, and asks for the verdict on a certificate, by a call to libcrypto, at which its own function still
 * holds the session's address, in one of the registers that calls leave as they are. That is how the session is found, whatever
 * the thread did before; nothing is read from OpenSSL's structs.
 *
 * Sources: the prototypes of <openssl/ssl.h>, <openssl/err.h> and <openssl/x509_vfy.h>; the System V ABI for x86-64.
 */
#include "bpf/include/identity.bpf.h"
#include "bpf/include/own_stack.bpf.h"
#include "bpf/tls/openssl.h"
#include "bpf/tls/tls_merge.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Of the callers that a fatal error is looked for in. */
#define STACK_WORDS 256

/* --- which session ------------------------------------------------------------------------------------------------------- */

static __always_inline struct tls_session_key key_of(u64 address)
{
	return (struct tls_session_key){
		.address = address,
		.tgid = bpf_get_current_pid_tgid() >> 32,
		.library = LIBRARY_OPENSSL,
	};
}

/* The session that the running thread entered last; it may have turned to another one without a call that is seen. */
static __always_inline u64 address_at_work(void)
{
	u32 thread = (u32)bpf_get_current_pid_tgid();
	const struct tls_session_key *at_work = bpf_map_lookup_elem(&tls_threads, &thread);

	return at_work && at_work->library == LIBRARY_OPENSSL ? at_work->address : 0;
}

static __always_inline bool is_session(struct tls_session_key *key, u64 address)
{
	key->address = address;
	return find_session(key) != NULL;
}

/* Whether a caller, or one of its callers, holds it. */
static __noinline bool is_held(const struct pt_regs *ctx, u64 address)
{
	u64 word = 0, top = ctx->sp;

	if (ctx->r12 == address || ctx->r13 == address || ctx->r14 == address || ctx->r15 == address)
		return true;
	for (int i = 0; i < STACK_WORDS; i++) {
		if (bpf_probe_read_user(&word, sizeof(word), (void *)(top + 8 * i)))
			return false;
		if (word == address)
			return true;
	}
	return false;
}

/*
 * The session that libssl's function holds: compilers take the first two of these registers first. The layer of records (3.2) has
 * none there: then it is the one that the thread entered last, where a caller holds that. What the last four hold may also be
 * another session, of a caller far out, as in a proxy.
 */
static __noinline bool find_holder(const struct pt_regs *ctx, struct tls_session_key *key)
{
	u64 at_work = address_at_work();

	if (is_session(key, ctx->bx) || is_session(key, ctx->bp))
		return true;
	if (is_session(key, at_work) && is_held(ctx, at_work))
		return true;
	return is_session(key, ctx->r12) || is_session(key, ctx->r13) || is_session(key, ctx->r14) || is_session(key, ctx->r15);
}

/* --- begin --------------------------------------------------------------------------------------------------------------- */

static __always_inline int begin(struct pt_regs *ctx, u8 role)
{
	struct tls_session_key key = key_of(ctx->di);
	u64 identity = current_identity();

	if (identity != IDENTITY_IGNORED)
		session_begins(&key, identity, role);
	return 0;
}

/* SSL_set_connect_state(session), which SSL_connect calls where the program did not */
SEC("uprobe/SSL_set_connect_state")
int on_client(struct pt_regs *ctx)
{
	want_own_stack(ctx);
	return begin(ctx, TLS_CLIENT);
}

/* SSL_set_accept_state(session), which SSL_accept calls where the program did not */
SEC("uprobe/SSL_set_accept_state")
int on_server(struct pt_regs *ctx)
{
	want_own_stack(ctx);
	return begin(ctx, TLS_SERVER);
}

/* SSL_do_handshake(session), which SSL_connect and SSL_accept jump to */
SEC("uprobe/SSL_do_handshake")
int on_work(struct pt_regs *ctx)
{
	struct tls_session_key key = key_of(ctx->di);

	want_own_stack(ctx);
	if (find_session(&key))
		session_works(&key);
	return 0;
}

/*
 * SSL_clear(session), which the library calls as a handshake begins, also within SSL_read or SSL_write; and the program to use
 * the object for another connection.
 */
SEC("uprobe/SSL_clear")
int on_clear(struct pt_regs *ctx)
{
	struct tls_session_key key = key_of(ctx->di);
	const struct tls_session *session = find_session(&key);

	want_own_stack(ctx);
	if (!session)
		return 0;
	if (session->cookie || session->state != SESSION_RUNS)
		session_begins(&key, session->identity, session->role);
	session_works(&key);
	return 0;
}

/* --- verdicts and errors --------------------------------------------------------------------------------------------------- */

/* X509_STORE_CTX_get_error(context) has returned to libssl, which asks it after each verification */
SEC("uretprobe/X509_STORE_CTX_get_error")
int on_verdict(struct pt_regs *ctx)
{
	struct tls_session_key key = key_of(0);

	want_own_stack(ctx);
	if (find_holder(ctx, &key))
		session_judges(&key, openssl_verdict((int)ctx->ax));
	return 0;
}

/* The program's own word on a certificate may still be the reason where the wire saw success: other errors are no refusals. */
static __always_inline bool is_refusal(u8 reason)
{
	return (reason >= TLS_INVALIDCA && reason <= TLS_BADCERT) || reason == TLS_CLIENT_CERT_REQUIRED;
}

static __always_inline bool has_succeeded(const struct tls_session *session)
{
	const struct handshake *handshake = session->cookie ? find_handshake(session->cookie) : NULL;

	return session->cookie && (!handshake || handshake->phase == PHASE_DONE);
}

/* A fatal error of that session. */
static __noinline void fail(const struct tls_session_key *key, u32 error)
{
	const struct tls_session *session = find_session(key);
	u8 reason = openssl_reason(error), rank = RANK_LIBRARY;

	if (!session)
		return;
	if (error == OPENSSL_CERTIFICATE_VERIFY_FAILED && session->verdict != TLS_OK) {
		reason = session->verdict;
		rank = RANK_VERDICT;
	}
	/* Where the peer's answer was seen, the wire knows whether it was TLS. */
	if (error == OPENSSL_WRONG_VERSION_NUMBER && session->cookie)
		reason = TLS_OK;
	if (has_succeeded(session) && !is_refusal(reason))
		return;
	session_fails(key, reason, reason == TLS_OK ? RANK_NONE : rank);
}

/* ERR_vset_error(library, reason, format, arguments), as libssl calls it for fatal errors alone (3.x) */
SEC("uprobe/ERR_vset_error")
int on_error(struct pt_regs *ctx)
{
	struct tls_session_key key = key_of(0);

	want_own_stack(ctx);
	if ((u32)ctx->di == OPENSSL_LIB_SSL && find_holder(ctx, &key))
		fail(&key, (u32)ctx->si);
	return 0;
}

/* ERR_put_error(library, function, reason, file, line), as libssl calls it (1.1), also for errors that are not fatal */
SEC("uprobe/ERR_put_error")
int on_error_of_1_1(struct pt_regs *ctx)
{
	struct tls_session_key key = key_of(0);

	want_own_stack(ctx);
	if ((u32)ctx->di == OPENSSL_LIB_SSL && openssl_reason((u32)ctx->dx) != TLS_OK && find_holder(ctx, &key))
		fail(&key, (u32)ctx->dx);
	return 0;
}

/* ossl_statem_fatal(session, alert, reason, ...), and ossl_rlayer_fatal(layer, alert, reason, ...), where they have symbols */
SEC("uprobe/ossl_statem_fatal")
int on_fatal(struct pt_regs *ctx)
{
	struct tls_session_key key = key_of(ctx->di);

	want_own_stack(ctx);
	if (find_session(&key) || find_holder(ctx, &key))
		fail(&key, (u32)ctx->dx);
	return 0;
}

/* --- end ----------------------------------------------------------------------------------------------------------------- */

/* SSL_free(session) */
SEC("uprobe/SSL_free")
int on_gone(struct pt_regs *ctx)
{
	struct tls_session_key key = key_of(ctx->di);

	want_own_stack(ctx);
	session_gone(&key);
	return 0;
}
