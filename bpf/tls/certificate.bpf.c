// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The certificates that peers show in handshakes. Up to TLS 1.2 they are on the wire in plain text, where the program of the wire finds
 * them, whatever library reads them. In TLS 1.3 they are encrypted there, and seen as OpenSSL parses them: the first that a thread
 * parses within a handshake is the peer's own; those after it are of its issuers. Of each handshake one is taken.
 *
 * Sources: the prototype of <openssl/x509.h>.
 */
#include "bpf/include/cells.bpf.h"
#include "bpf/include/identity.bpf.h"
#include "bpf/include/ledger.bpf.h"
#include "bpf/include/own_stack.bpf.h"
#include "bpf/include/packet.bpf.h"
#include "bpf/tls/certificate.h"
#include "bpf/tls/tls_plain.bpf.h"
#include "bpf/tls/tls_state.bpf.h"

#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Bytes of the begin that the digest is of. */
#define DIGEST_BYTES 256

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct certificate_key);
	__type(value, struct certificate_seen);
} certificates SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 262144);
} certificate_news SEC(".maps");

/* Handshakes whose peer has shown its certificate. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u64); /* the socket's cookie */
	__type(value, u64);
} shown SEC(".maps");

/* The handshake that the running thread is in; NULL: none is under way. `cookie` becomes its socket's. */
static __always_inline const struct handshake *handshake_at_work(u64 *cookie)
{
	u64 process_and_thread = bpf_get_current_pid_tgid();
	u32 thread = process_and_thread;
	const struct tls_session_key *at_work = bpf_map_lookup_elem(&tls_threads, &thread);
	const struct tls_session *session;
	const struct handshake *handshake;

	if (!at_work || at_work->tgid != process_and_thread >> 32)
		return NULL;
	session = find_session(at_work);
	if (!session || !session->cookie)
		return NULL;
	*cookie = session->cookie;
	handshake = find_handshake(session->cookie);
	return handshake && handshake->is_begun && handshake->phase < PHASE_DONE ? handshake : NULL;
}

/* Counts the certificate; a new one is sent. */
static __always_inline void keep(struct certificate_record *record)
{
	struct certificate_key key = record->key; /* verifiers before 5.18 take no key in the record */
	struct certificate_seen *known = bpf_map_lookup_elem(&certificates, &key), fresh = {.times = 1};

	if (known) {
		__sync_fetch_and_add(&known->times, 1);
		bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
		return;
	}
	bpf_map_update_elem(&certificates, &key, &fresh, BPF_NOEXIST);
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
}

/* The handshake's first; false: it has shown one before. */
static __always_inline bool is_first(u64 cookie)
{
	u64 now = bpf_ktime_get_ns();

	return !bpf_map_update_elem(&shown, &cookie, &now, BPF_NOEXIST);
}

static __always_inline struct certificate_record *new_record(void)
{
	struct certificate_record *record = bpf_ringbuf_reserve(&certificate_news, sizeof(*record), 0);

	if (!record)
		count_loss(LOSS_CELLS_FULL);
	return record;
}

/* Ends a record that has `bytes` of a certificate, or has failed to get them. */
static __always_inline void end_record(struct certificate_record *record, u64 identity, u64 bytes, long error)
{
	if (error) {
		bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
		return;
	}
	record->key.identity = identity;
	record->key.digest = fnv1a((const char *)record->der, bytes, DIGEST_BYTES);
	record->bytes = bytes;
	keep(record);
}

static __noinline void read_certificate(u64 identity, u64 place, u64 bytes)
{
	struct certificate_record *record = new_record();

	if (!record)
		return;
	if (bytes > CERTIFICATE_BYTES)
		bytes = CERTIFICATE_BYTES;
	asm volatile("" : "+r"(bytes)); /* what the limit is put on must be what is read */
	end_record(record, identity, bytes, bpf_probe_read_user(record->der, bytes, (const void *)place));
}

/* `bytes` are some. */
static __noinline void load_certificate(struct __sk_buff *skb, u64 identity, u32 at, u64 bytes)
{
	struct certificate_record *record = new_record();

	if (!record)
		return;
	if (says_length(&bytes, CERTIFICATE_BYTES))
		end_record(record, identity, bytes, bpf_skb_load_bytes(skb, at, record->der, bytes));
	else
		bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
}

/*
 * The wire has found the peer's in that packet. One that the segment cuts short of what the digest is of is left to the library, or to
 * the next handshake.
 */
SEC("cgroup_skb/ingress")
int on_plain_certificate(struct __sk_buff *skb)
{
	struct plain_certificate certificate = certificate_of(skb);
	u64 cookie = bpf_get_socket_cookie(skb);
	const struct handshake *handshake = find_handshake(cookie);

	if (!handshake || !handshake->is_begun || certificate.bytes < DIGEST_BYTES || !is_first(cookie))
		return PASS;
	load_certificate(skb, handshake->identity, certificate.at, tls_least(certificate.bytes, CERTIFICATE_BYTES));
	return PASS;
}

/* d2i_X509(certificate, in, length): `in` is a const unsigned char **. */
SEC("uprobe/d2i_X509")
int on_certificate(struct pt_regs *ctx)
{
	u64 cookie = 0, place = 0;
	const struct handshake *handshake = handshake_at_work(&cookie);

	want_own_stack(ctx);
	if (!handshake || (s64)ctx->dx <= 0 || !is_first(cookie))
		return 0;
	if (!bpf_probe_read_user(&place, sizeof(place), (const void *)ctx->si))
		read_certificate(handshake->identity, place, ctx->dx);
	return 0;
}
