// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What NSS says of its peers' certificates.
 *
 * Its error numbers cannot be had: it sets a hundred of them in a handshake that goes well. But it checks a certificate in
 * SSL_AuthCertificate, by exported functions of its own, and what these return tells what it found. Nothing else of its handshakes
 * is told, most of which happen inside of PR_Read and PR_Write: for the rest, alerts and the wire speak.
 *
 * Sources: <nss/ssl.h>, <nss/cert.h>.
 */
#include "bpf/include/identity.bpf.h"
#include "bpf/include/own_stack.bpf.h"
#include "bpf/tls/nss.h"
#include "bpf/tls/tls_merge.bpf.h"
#include "bpf/tls/tls_session.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The check of a certificate that a thread is in. */
struct nss_check {
	struct tls_session_key session;
	u32 verdict; /* TLS_OK: nothing was found so far */
	u32 reserved;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, u32); /* `pid` of its task */
	__type(value, struct nss_check);
} nss_checks SEC(".maps");

/*
 * The running thread is about to say what becomes of that session. One at the same address whose socket is known already is
 * another, as no session of this library is seen to end.
 */
static __always_inline bool enter_session(const struct tls_session_key *key, u8 role)
{
	const struct tls_session *known = find_session(key);
	u64 identity = current_identity();

	if (identity == IDENTITY_IGNORED)
		return false;
	if (known && known->cookie)
		session_gone(key);
	session_runs(key, identity, role);
	return true;
}

/* SSL_AuthCertificate(arg, session, check_signature, is_server), by which a client judges a server, and a server a client. */
SEC("uprobe/SSL_AuthCertificate")
int on_check(struct pt_regs *ctx)
{
	struct nss_check check = {.session = session_key(ctx->si, LIBRARY_NSS)};
	u32 thread = current_thread();

	want_own_stack(ctx);
	if (enter_session(&check.session, (u32)ctx->cx ? TLS_SERVER : TLS_CLIENT))
		bpf_map_update_elem(&nss_checks, &thread, &check, BPF_ANY);
	return 0;
}

/*
 * A failed check whose cause is not known is no more telling than the alert that the library is about to send. The program may
 * let the peer pass all the same, after which the verdict is a doubt.
 */
SEC("uretprobe/SSL_AuthCertificate")
int on_check_return(struct pt_regs *ctx)
{
	u32 thread = current_thread();
	const struct nss_check *found = bpf_map_lookup_elem(&nss_checks, &thread);
	struct nss_check check;

	want_own_stack(ctx);
	if (!found)
		return 0;
	check = *found;
	bpf_map_delete_elem(&nss_checks, &thread);
	if ((int)ctx->ax != NSS_FAILURE)
		return 0;
	if (check.verdict != TLS_OK)
		session_says(&check.session, check.verdict, RANK_VERDICT);
	else
		session_says(&check.session, TLS_BADCERT, RANK_ALERT);
	return 0;
}

/* --- what is found in a check ----------------------------------------------------------------------------------------- */

/* These functions serve others than TLS too; the last fault of a check is the one that it fails for. */
static __always_inline int find_fault(u8 verdict)
{
	u32 thread = current_thread();
	struct nss_check *check = bpf_map_lookup_elem(&nss_checks, &thread);

	if (check && verdict != TLS_OK)
		check->verdict = verdict;
	return 0;
}

SEC("uretprobe/CERT_CheckCertValidTimes")
int on_time_checked(struct pt_regs *ctx)
{
	want_own_stack(ctx);
	return find_fault(nss_time_verdict((int)ctx->ax));
}

/* The certificate of the issuer, or NULL. */
SEC("uretprobe/CERT_FindCertIssuer")
int on_issuer_sought(struct pt_regs *ctx)
{
	want_own_stack(ctx);
	return find_fault(ctx->ax ? TLS_OK : TLS_INVALIDCA);
}

SEC("uretprobe/CERT_VerifyCertName")
int on_name_checked(struct pt_regs *ctx)
{
	want_own_stack(ctx);
	return find_fault((int)ctx->ax == NSS_FAILURE ? TLS_HOSTNAME : TLS_OK);
}

/* Is asked of an entry that a list of revocations has for the certificate. */
SEC("uprobe/CERT_FindCRLEntryReasonExten")
int on_revocation(struct pt_regs *ctx)
{
	want_own_stack(ctx);
	return find_fault(TLS_REVOKED);
}

/* --- programs that check by themselves -------------------------------------------------------------------------------- */

/* SSL_AuthCertificateComplete(session, error): a client has checked, while the handshake waited. */
SEC("uprobe/SSL_AuthCertificateComplete")
int on_check_complete(struct pt_regs *ctx)
{
	struct tls_session_key key = session_key(ctx->di, LIBRARY_NSS);
	u8 verdict = nss_error_verdict((int)ctx->si);

	want_own_stack(ctx);
	if (verdict != TLS_OK && enter_session(&key, TLS_CLIENT))
		session_says(&key, verdict, RANK_VERDICT);
	return 0;
}
