/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the TLS probes share, between each other and between the halves: the cells that their programs count in, and the names
 * of what they count. The probe `tls` sees handshakes on the wire and owns the maps; those of the libraries add the reasons.
 *
 * Sources: RFC 8446, RFC 5246.
 *
 * Both halves.
 */
#ifndef CONNSCOPE_TLS_H
#define CONNSCOPE_TLS_H

#include "bpf/include/latency_bounds.h"
#include "bpf/include/shared.h"

/* --- names; as labels they are in the user half, in these orders --------------------------------------------------- */

enum tls_role {
	TLS_CLIENT = 0,
	TLS_SERVER,
	TLS_ROLES,
};

enum tls_direction {
	TLS_SENT = 0,
	TLS_RECEIVED,
	TLS_DIRECTIONS,
};

enum tls_version {
	TLS_VERSION_UNKNOWN = 0, /* no ServerHello came */
	TLS_1_0,
	TLS_1_1,
	TLS_1_2,
	TLS_1_3,
	TLS_SSL_3,
	TLS_VERSIONS,
};

/* Whose word a handshake has beside the wire's. */
enum tls_library {
	LIBRARY_NONE = 0,
	LIBRARY_OPENSSL,
	LIBRARY_GNUTLS,
	LIBRARY_NSS,
	LIBRARY_GO,
	TLS_LIBRARIES,
};

/* Why a handshake failed, or a certificate was refused after it. */
enum tls_reason {
	TLS_OK = 0,
	TLS_INVALIDCA,
	TLS_SELFSIGNED,
	TLS_HOSTNAME,
	TLS_EXPIRED,
	TLS_NOTYETVALID,
	TLS_REVOKED,
	TLS_BADCERT,
	TLS_PROTOCOL_VERSION,
	TLS_NO_SHARED_CIPHER,
	TLS_HANDSHAKE_FAILURE,
	TLS_CLIENT_CERT_REQUIRED,
	TLS_UNRECOGNIZED_NAME,
	TLS_NO_APPLICATION_PROTOCOL,
	TLS_DECRYPT_ERROR,
	TLS_OTHER_ALERT,
	TLS_PEER_CLOSED,
	TLS_PEER_RESET,
	TLS_TIMEOUT,
	TLS_NOT_TLS,
	TLS_ABORTED,
	TLS_REASONS,
};

/* How telling a reason is: a lower one takes the place of a higher one. */
enum tls_rank {
	RANK_VERDICT = 1, /* the library's own, on the peer's certificate */
	RANK_LIBRARY,     /* another error of the library */
	RANK_ALERT,
	RANK_BREAK,       /* the connection broke off */
	RANK_NONE,
};

/* --- cells: per-CPU maps of counters that only rise ------------------------------------------------------------------ */

/* tls_begun: handshakes of one process, and those whose end had no cell. */
struct tls_begun_key {
	__u64 identity;
	__u64 role;
};
SHARED_STRUCT(struct tls_begun_key, 16);

struct tls_begun {
	__u64 handshakes;
	__u64 ends_lost;
};
SHARED_STRUCT(struct tls_begun, 16);

/* tls_ended: one cell a label set and bucket that was ever hit. */
struct tls_ended_key {
	__u64 identity;
	__u32 host;    /* key of `tls_hosts`; 0 unless the label is asked for */
	__u16 bucket;
	__u16 cipher;  /* RFC 8446 appendix B.4; 0 unless the label is asked for, or no ServerHello came */
	__u8 version;
	__u8 role;
	__u8 library;
	__u8 is_resumed;
	__u8 is_failed;
	__u8 reserved[3]; /* 0 */
};
SHARED_STRUCT(struct tls_ended_key, 24);

struct tls_ended {
	__u64 count;
	__u64 sum_ns;
};
SHARED_STRUCT(struct tls_ended, 16);

/* tls_failed: failures by reason, those of handshakes and what came after one. */
struct tls_failed_key {
	__u64 identity;
	__u32 host;
	__u8 role;
	__u8 reason;
	__u8 reserved[2]; /* 0 */
};
SHARED_STRUCT(struct tls_failed_key, 16);

struct tls_count {
	__u64 count;
};
SHARED_STRUCT(struct tls_count, 8);

/* tls_alerts: alerts in plain text. */
struct tls_alert_key {
	__u64 identity;
	__u8 direction;
	__u8 alert; /* RFC 8446 section 6 */
	__u8 reserved[6]; /* 0 */
};
SHARED_STRUCT(struct tls_alert_key, 16);

/* tls_strangers: processes, by `tgid`, that sent in a handshake of which no library had told by then. */
struct tls_stranger {
	__u64 identity;
	__u64 began_ns; /* the process: its number may be another one's by now */
};
SHARED_STRUCT(struct tls_stranger, 16);

/* tls_hosts: the name that the number of a host stands for. */
#define TLS_HOST_BYTES 64

struct tls_host {
	__u8 name[TLS_HOST_BYTES]; /* of the SNI extension; cut where it is longer */
};
SHARED_STRUCT(struct tls_host, 64);

#endif
