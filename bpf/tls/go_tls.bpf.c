// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What Go's crypto/tls says of its handshakes: each is one call of (*Conn).clientHandshake or serverHandshake, which returns the
 * error that it failed for. Programs hang at their entries and at their RET instructions, since the stacks of Go's programs
 * move, which a uretprobe does not survive.
 *
 * A goroutine changes its thread whenever it has waited, so what is known of a call is kept by the goroutine, and its thread is
 * told again where it begins to answer. No address of its stack is kept. That of the Conn is the session's.
 *
 * Sources: Go's src/cmd/compile/abi-internal.md: arguments and results are in AX, BX, CX, DI, SI, in their order, and R14 is the
 * goroutine, at entries and at returns alike; src/crypto/tls, src/crypto/x509, src/net.
 */
#include "bpf/include/identity.bpf.h"
#include "bpf/include/own_stack.bpf.h"
#include "bpf/tls/go_tls.h"
#include "bpf/tls/tls_alerts.h"
#include "bpf/tls/tls_merge.bpf.h"
#include "bpf/tls/tls_session.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* A handshake that a goroutine is in. */
struct go_handshake_key {
	u64 goroutine;
	u64 tgid;
};

struct go_handshake {
	u64 conn;
	u8 verdict; /* what x509 has said last of a certificate; TLS_OK: nothing, or no fault */
	u8 alert;   /* sent to the peer; 0: none */
	u8 reserved[6];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct go_handshake_key);
	__type(value, struct go_handshake);
} go_handshakes SEC(".maps");

/* A value of Go's type `error`; its itab is 0 when there is no error. */
struct go_value {
	u64 itab;
	u64 data;
};

static __always_inline struct go_handshake_key running_goroutine(const struct pt_regs *registers)
{
	return (struct go_handshake_key){.goroutine = registers->r14, .tgid = bpf_get_current_pid_tgid() >> 32};
}

static __always_inline struct go_handshake *handshake_of(const struct pt_regs *registers)
{
	struct go_handshake_key key = running_goroutine(registers);

	return bpf_map_lookup_elem(&go_handshakes, &key);
}

/* --- errors ----------------------------------------------------------------------------------------------------------- */

static __always_inline u64 read_word(u64 address)
{
	u64 word = 0;

	bpf_probe_read_user(&word, sizeof(word), (void *)address);
	return word;
}

static __always_inline struct go_value read_value(u64 address)
{
	struct go_value value = {};

	bpf_probe_read_user(&value, sizeof(value), (void *)address);
	return value;
}

static __always_inline enum go_error type_of(const struct go_value *error)
{
	u32 hash = 0;

	if (!error->itab)
		return GO_OTHER_ERROR;
	bpf_probe_read_user(&hash, sizeof(hash), (void *)(read_word(error->itab + GO_ITAB_TYPE) + GO_TYPE_HASH));
	return go_error_of(hash);
}

/*
 * CertificateInvalidError has a certificate, a reason, and a text. Expired (1) is the reason also of one that is not valid yet; the
 * text tells: "current time 2006-01-02T15:04:05Z is after ...", or "is before", where the zone may be one of six characters.
 */
#define GO_EXPIRED 1
#define AT_ZONE 32
#define AT_VERB_UTC 37
#define AT_VERB_ZONE 42

static __always_inline u8 verdict_of_invalid(u64 error)
{
	char text[48] = {}, verb;

	if (read_word(error + 8) != GO_EXPIRED)
		return TLS_BADCERT;
	if (bpf_probe_read_user(text, sizeof(text), (void *)read_word(error + 16)))
		return TLS_BADCERT;
	verb = text[AT_ZONE] == 'Z' ? text[AT_VERB_UTC] : text[AT_VERB_ZONE];
	return verb == 'a' ? TLS_EXPIRED : verb == 'b' ? TLS_NOTYETVALID : TLS_BADCERT;
}

/* TLS_OK: it is no error of x509. One who signed itself is an unknown authority to Go, as others are. */
static __noinline u8 verdict_of(const struct go_value *error)
{
	switch (type_of(error)) {
	case GO_UNKNOWN_AUTHORITY:
	case GO_SYSTEM_ROOTS:
		return TLS_INVALIDCA;
	case GO_HOSTNAME:
		return TLS_HOSTNAME;
	case GO_CERTIFICATE_INVALID:
		return verdict_of_invalid(error->data);
	case GO_CONSTRAINT:
	case GO_INSECURE_ALGORITHM:
	case GO_CRITICAL_EXTENSION:
		return TLS_BADCERT;
	default:
		return TLS_OK;
	}
}

/* Errors that were made of a text. The first characters tell those apart that matter. */
#define TEXT_BYTES 24

static __always_inline bool begins(const char *text, const char *beginning)
{
#pragma unroll
	for (int i = 0; i < TEXT_BYTES; i++)
		if (text[i] != beginning[i])
			return false;
	return true;
}

static __always_inline u8 reason_of_text(u64 error)
{
	char text[TEXT_BYTES] = {};

	bpf_probe_read_user(text, sizeof(text), (void *)read_word(error));
	if (begins(text, "tls: no cipher suite supported by both"))
		return TLS_NO_SHARED_CIPHER;
	if (begins(text, "tls: client didn't provide a certificate"))
		return TLS_CLIENT_CERT_REQUIRED;
	return TLS_OK;
}

/* OpError: the error of the system, an alert, or that a deadline has passed, behind four pairs of words. */
static __always_inline u8 reason_of_operation(u64 error)
{
	struct go_value cause = read_value(error + 64);
	u8 alert = 0;

	switch (type_of(&cause)) {
	case GO_ALERT:
		bpf_probe_read_user(&alert, sizeof(alert), (void *)cause.data);
		return tls_alert_reason(alert);
	case GO_DEADLINE:
		return TLS_TIMEOUT;
	default:
		return TLS_OK;
	}
}

/* RecordHeaderError holds the connection (behind a text, and the header) where the first record is none of TLS. */
static __always_inline u8 reason_of_record(u64 error)
{
	return read_word(error + 24) ? TLS_NOT_TLS : TLS_OK;
}

static __always_inline u8 reason_of(const struct go_value *error)
{
	switch (type_of(error)) {
	case GO_OPERATION:
		return reason_of_operation(error->data);
	case GO_RECORD_HEADER:
		return reason_of_record(error->data);
	case GO_TEXT:
		return reason_of_text(error->data);
	default:
		return TLS_OK;
	}
}

/* --- handshakes ------------------------------------------------------------------------------------------------------- */

static __always_inline void enter(struct pt_regs *registers, enum tls_role role)
{
	struct go_handshake_key goroutine = running_goroutine(registers);
	struct go_handshake handshake = {.conn = registers->ax};
	struct tls_session_key session = session_key(handshake.conn, LIBRARY_GO);
	u64 identity = current_identity();

	if (identity == IDENTITY_IGNORED)
		return;
	bpf_map_update_elem(&go_handshakes, &goroutine, &handshake, BPF_ANY);
	session_runs(&session, identity, role);
}

/* func (c *Conn) clientHandshake(ctx context.Context) (err error) */
SEC("uprobe/go_client_handshake")
int on_client_handshake(struct pt_regs *ctx)
{
	want_own_stack(ctx);
	enter(ctx, TLS_CLIENT);
	return 0;
}

/* func (c *Conn) serverHandshake(ctx context.Context) error */
SEC("uprobe/go_server_handshake")
int on_server_handshake(struct pt_regs *ctx)
{
	want_own_stack(ctx);
	enter(ctx, TLS_SERVER);
	return 0;
}

/*
 * The methods handshake() of each version and side, which run when the peer's hello has come; loadSession(), which a client calls
 * before its own hello is sent; and flush(), which sends a flight.
 */
SEC("uprobe/go_handshake_goes_on")
int on_handshake_goes_on(struct pt_regs *ctx)
{
	const struct go_handshake *handshake = handshake_of(ctx);
	struct tls_session_key session;

	want_own_stack(ctx);
	if (!handshake)
		return 0;
	session = session_key(handshake->conn, LIBRARY_GO);
	session_works(&session);
	return 0;
}

/* func (c *Conn) sendAlert(err alert) error */
SEC("uprobe/go_send_alert")
int on_send_alert(struct pt_regs *ctx)
{
	struct go_handshake *handshake = handshake_of(ctx);
	struct tls_session_key session;

	want_own_stack(ctx);
	if (!handshake || handshake->conn != ctx->ax)
		return 0;
	handshake->alert = ctx->bx;
	session = session_key(handshake->conn, LIBRARY_GO);
	session_works(&session);
	return 0;
}

/* func (c *Certificate) Verify(opts VerifyOptions) (chains [][]*Certificate, err error), where it returns */
SEC("uprobe/go_verify_rets")
int on_verify_ret(struct pt_regs *ctx)
{
	struct go_handshake *handshake = handshake_of(ctx);
	struct go_value error = {.itab = ctx->di, .data = ctx->si};

	want_own_stack(ctx);
	if (handshake)
		handshake->verdict = error.itab ? verdict_of(&error) ?: TLS_BADCERT : TLS_OK;
	return 0;
}

/* Errors that others were wrapped in. */
static __always_inline enum go_error unwrap(struct go_value *error)
{
	enum go_error type = type_of(error);

	if (type == GO_VERIFICATION) /* the certificates, and the error */
		*error = read_value(error->data + 24);
	else if (type == GO_PERMANENT)
		*error = read_value(error->data);
	return type;
}

/*
 * A failure is said of the session, so that it counts with the socket's handshake, which may be found yet: an alert that lies in a
 * buffer is sent when the handshake has returned. Where the two are not brought together, the wire tells of it alone, but not of a
 * client that speaks no TLS.
 */
static __always_inline void say(const struct tls_session_key *key, u8 reason, u8 rank)
{
	struct tls_session *session = find_session(key);

	if (!session || reason == TLS_OK)
		return;
	session->is_of_wire = session->role != TLS_SERVER || reason != TLS_NOT_TLS;
	session_says(key, reason, rank);
}

/*
 * What a handshake failed for. Go before 1.20 makes a text of the verdict where it is a client's certificate, and so may a
 * program's own verification; then what x509 said last counts.
 */
static __always_inline void say_why(const struct tls_session_key *session, struct go_value *error,
				    const struct go_handshake *handshake)
{
	bool is_verdict = unwrap(error) == GO_VERIFICATION;
	u8 reason = verdict_of(error);

	if (reason == TLS_OK && (is_verdict || handshake->alert == ALERT_BAD_CERTIFICATE))
		reason = handshake->verdict;
	if (reason != TLS_OK) {
		say(session, reason, RANK_VERDICT);
		return;
	}
	reason = reason_of(error);
	if (reason == TLS_OK && handshake->alert)
		reason = tls_alert_reason(handshake->alert);
	say(session, reason, RANK_LIBRARY);
}

SEC("uprobe/go_handshake_rets")
int on_handshake_ret(struct pt_regs *ctx)
{
	struct go_handshake_key goroutine = running_goroutine(ctx);
	const struct go_handshake *entered = bpf_map_lookup_elem(&go_handshakes, &goroutine);
	struct go_value error = {.itab = ctx->ax, .data = ctx->bx};
	struct go_handshake handshake;
	struct tls_session_key session;

	want_own_stack(ctx);
	if (!entered)
		return 0;
	handshake = *entered;
	bpf_map_delete_elem(&go_handshakes, &goroutine);
	session = session_key(handshake.conn, LIBRARY_GO);
	if (error.itab)
		say_why(&session, &error, &handshake);
	else if (handshake.verdict != TLS_OK)
		session_doubts(&session, handshake.verdict);
	session_ends(&session, !error.itab);
	return 0;
}
