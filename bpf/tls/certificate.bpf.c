// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The certificates that peers show in handshakes, as OpenSSL parses them: in TLS 1.3 they are encrypted on the wire. The first that a
 * thread parses within a handshake is the peer's own; those after it are of its issuers.
 *
 * Sources: the prototype of <openssl/x509.h>.
 */
#include "bpf/include/cells.bpf.h"
#include "bpf/include/identity.bpf.h"
#include "bpf/include/ledger.bpf.h"
#include "bpf/include/own_stack.bpf.h"
#include "bpf/tls/certificate.h"
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
	const struct tls_thread *at_work = bpf_map_lookup_elem(&tls_threads, &thread);
	const struct tls_session *session;
	const struct handshake *handshake;

	if (!at_work || at_work->session.tgid != process_and_thread >> 32)
		return NULL;
	session = find_session(&at_work->session);
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

static __noinline void read_certificate(u64 identity, u64 place, u64 bytes)
{
	struct certificate_record *record = bpf_ringbuf_reserve(&certificate_news, sizeof(*record), 0);

	if (!record) {
		count_loss(LOSS_CELLS_FULL);
		return;
	}
	if (bytes > CERTIFICATE_BYTES)
		bytes = CERTIFICATE_BYTES;
	asm volatile("" : "+r"(bytes)); /* what the limit is put on must be what is read */
	if (bpf_probe_read_user(record->der, bytes, (const void *)place)) {
		bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
		return;
	}
	record->key.identity = identity;
	record->key.digest = fnv1a((const char *)record->der, bytes, DIGEST_BYTES);
	record->bytes = bytes;
	keep(record);
}

/* d2i_X509(certificate, in, length): `in` is a const unsigned char **. */
SEC("uprobe/d2i_X509")
int on_certificate(struct pt_regs *ctx)
{
	u64 cookie = 0, place = 0, now = bpf_ktime_get_ns();
	const struct handshake *handshake = handshake_at_work(&cookie);

	want_own_stack(ctx);
	if (!handshake || (s64)ctx->dx <= 0 || bpf_map_update_elem(&shown, &cookie, &now, BPF_NOEXIST))
		return 0;
	if (!bpf_probe_read_user(&place, sizeof(place), (const void *)ctx->si))
		read_certificate(handshake->identity, place, ctx->dx);
	return 0;
}
