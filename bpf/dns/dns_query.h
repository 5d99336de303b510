/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the two halves of the dns probe share: the cells that its programs count in, and the names of what they count.
 *
 * Both halves.
 */
#ifndef CONNSCOPE_DNS_QUERY_H
#define CONNSCOPE_DNS_QUERY_H

#include "bpf/include/latency_bounds.h"
#include "bpf/include/shared.h"

/* --- names; as labels they are in the user half, in these orders --------------------------------------------------- */

enum dns_transport {
	DNS_UDP = 0,
	DNS_TCP,
	DNS_TRANSPORTS,
};

/* How a query ended. */
enum dns_outcome {
	QUERY_ANSWERED = 0, /* a record of the asked type came */
	QUERY_NODATA,
	QUERY_ERROR_RCODE, /* which is in the key */
	QUERY_TIMEOUT,
	QUERY_BADSRV,
	QUERY_ABORTED,
	QUERY_ID_MISMATCH,
	QUERY_MALFORMED,
	QUERY_OUTCOMES,
};

/* Answers that end nothing. */
enum dns_stray {
	STRAY_NONE = 0,
	STRAY_DUPLICATE,
	STRAY_ID_MISMATCH,
	STRAY_QUESTION_MISMATCH,
	STRAY_MALFORMED,
	DNS_STRAYS,
};

/* --- cells: per-CPU maps of counters that only rise ------------------------------------------------------------------ */

/* dns_begun: the queries of one process by transport and type, and those whose end had no cell. */
struct dns_begun_key {
	__u64 identity;
	__u32 server; /* key of `dns_servers`; 0 unless the label is asked for */
	__u16 qtype;
	__u8 transport;
	__u8 reserved; /* 0 */
};
SHARED_STRUCT(struct dns_begun_key, 16);

struct dns_begun {
	__u64 queries;
	__u64 ends_lost;
};
SHARED_STRUCT(struct dns_begun, 16);

/* dns_ended: one cell a label set and bucket that was ever hit. */
struct dns_ended_key {
	__u64 identity;
	__u32 server;
	__u16 bucket;
	__u16 qtype;
	__u16 rcode;
	__u8 transport;
	__u8 outcome;
	__u32 reserved; /* 0 */
};
SHARED_STRUCT(struct dns_ended_key, 24);

struct dns_ended {
	__u64 count;
	__u64 sum_ns;
};
SHARED_STRUCT(struct dns_ended, 16);

/* dns_rare: what else happens to the queries of one process. */
struct dns_rare_key {
	__u64 identity;
};
SHARED_STRUCT(struct dns_rare_key, 8);

struct dns_rare {
	__u64 retries;
	__u64 truncated;
	__u64 late;
	__u64 strays[DNS_STRAYS]; /* [STRAY_NONE] stays 0 */
};
SHARED_STRUCT(struct dns_rare, 64);

/* dns_served: answers that a process of this host gave. */
struct dns_served_key {
	__u64 identity;
	__u16 bucket;
	__u16 rcode;
	__u32 reserved; /* 0 */
};
SHARED_STRUCT(struct dns_served_key, 16);

/* dns_servers: the address that the number of a server stands for. */
struct dns_server {
	__u32 words[4]; /* IPv4: the first one */
	__u32 is_ipv6;
};
SHARED_STRUCT(struct dns_server, 20);

/* dns_names: how often a process has asked for a name; only where names are asked for. */
#define DNS_NAME_TEXT 120

struct dns_name_key {
	__u64 identity;
	__u64 question;
};
SHARED_STRUCT(struct dns_name_key, 16);

struct dns_name {
	__u64 queries;
	__u8 name[DNS_NAME_TEXT]; /* as on the wire, in lower case; cut where it is longer */
};
SHARED_STRUCT(struct dns_name, 128);

#endif
