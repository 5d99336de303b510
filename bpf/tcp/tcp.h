/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the two halves of the tcp probe share: the cells that its programs count in, and the names of what they count.
 *
 * Both halves. Ports in keys are the listener's, in host order, and 0 unless the label `listener` is asked for.
 */
#ifndef CONNSCOPE_TCP_H
#define CONNSCOPE_TCP_H

#include "bpf/include/latency_bounds.h"
#include "bpf/include/shared.h"

/* --- names; as labels they are in the user half, in these orders --------------------------------------------------- */

enum tcp_family {
	TCP_IPV4 = 0, /* on the wire: a v4-mapped address is IPv4 */
	TCP_IPV6,
	TCP_FAMILIES,
};

enum tcp_role {
	TCP_CLIENT = 0,
	TCP_SERVER,
	TCP_ROLES,
};

/* How an attempt ended. */
enum connect_outcome {
	CONNECT_OK = 0,
	CONNECT_REFUSED,
	CONNECT_TIMEOUT,
	CONNECT_HOST_UNREACHABLE,
	CONNECT_NET_UNREACHABLE,
	CONNECT_RESET,
	CONNECT_DENIED,
	CONNECT_ADDR_UNAVAILABLE,
	CONNECT_ADDR_IN_USE,
	CONNECT_OTHER_ERRNO,
	CONNECT_ABORTED,
	CONNECT_OUTCOMES,
};

/* What closed a connection. */
enum tcp_close {
	CLOSE_LOCAL_FIN = 0,
	CLOSE_REMOTE_FIN,
	CLOSE_LOCAL_RESET,
	CLOSE_REMOTE_RESET,
	CLOSE_TIMEOUT,
	TCP_CLOSES,
};

/* Why that was a failure. */
enum tcp_failure {
	FAILURE_NONE = 0,
	FAILURE_RESET,
	FAILURE_KEEPALIVE_TIMEOUT,
	FAILURE_RETRANSMIT_TIMEOUT,
	FAILURE_USER_TIMEOUT,
	FAILURE_ZERO_WINDOW_TIMEOUT,
	FAILURE_DESTROYED,
	TCP_FAILURES,
};

/* --- cells: per-CPU maps of counters that only rise ------------------------------------------------------------------ */

/* connect_begun: the attempts of one identity and family, and those whose end had no cell. */
struct connect_begun_key {
	__u64 identity;
	__u64 family;
};
SHARED_STRUCT(struct connect_begun_key, 16);

struct connect_begun {
	__u64 attempts;
	__u64 ends_lost;
};
SHARED_STRUCT(struct connect_begun, 16);

/* connect_ended: one cell a label set and bucket that was ever hit. */
struct connect_ended_key {
	__u64 identity;
	__u16 bucket;
	__u8 family;
	__u8 outcome;
	__u32 reserved; /* 0 */
};
SHARED_STRUCT(struct connect_ended_key, 16);

struct connect_ended {
	__u64 count;
	__u64 sum_ns;
	__u64 retransmits; /* of failed attempts; those that succeed count theirs when they close */
};
SHARED_STRUCT(struct connect_ended, 24);

/* tcp_durations: what else is a histogram of times. */
enum tcp_duration_kind {
	DURATION_HANDSHAKE = 0, /* SYN in to established; `variety` is the family */
	DURATION_ACCEPT_WAIT,   /* established to taken by accept; `variety` is the family */
	DURATION_RTT,           /* smoothed round-trip time; `variety` is the role */
	DURATION_KINDS,
};

/* The bucket of an accept whose wait cannot be known: it counts as an accept alone. */
#define BUCKET_UNKNOWN LATENCY_BUCKETS

struct tcp_duration_key {
	__u64 identity;
	__u16 bucket;
	__u16 port;
	__u8 kind;
	__u8 variety;
	__u16 reserved; /* 0 */
};
SHARED_STRUCT(struct tcp_duration_key, 16);

struct tcp_duration {
	__u64 count;
	__u64 sum_ns;
};
SHARED_STRUCT(struct tcp_duration, 16);

/* tcp_closed: connections that have ended, with what they had carried. */
struct tcp_closed_key {
	__u64 identity;
	__u16 bucket; /* of the duration */
	__u16 port;
	__u8 role;
	__u8 close;
	__u8 failure;
	__u8 reserved; /* 0 */
};
SHARED_STRUCT(struct tcp_closed_key, 16);

struct tcp_closed {
	__u64 count;
	__u64 sum_ns;
	__u64 received; /* bytes of payload */
	__u64 sent;
	__u64 retransmits;
	__u64 resets_in;
	__u64 resets_out;
};
SHARED_STRUCT(struct tcp_closed, 56);

/* tcp_rare: what seldom happens to connections and listeners, by the same key as tcp_live. */
struct tcp_role_key {
	__u64 identity;
	__u16 port;
	__u8 role;
	__u8 reserved[5]; /* 0 */
};
SHARED_STRUCT(struct tcp_role_key, 16);

struct tcp_rare {
	__u64 taken_up;     /* connections that were open before they were seen */
	__u64 closes_lost;  /* ends without a cell */
	__u64 listen_drops; /* of listeners that are closed */
};
SHARED_STRUCT(struct tcp_rare, 24);

/* --- state that is summed at each collect --------------------------------------------------------------------------- */

/* tcp_live: what the connections that are open now have carried so far. Of another pass than the last: worthless. */
struct tcp_live {
	__u64 pass;
	__u64 received;
	__u64 sent;
	__u64 retransmits;
};
SHARED_STRUCT(struct tcp_live, 32);

/* An address that is listened on; all zeros is any address. */
struct listen_address {
	__u32 words[4]; /* IPv4: the first one */
	__u32 is_ipv6;
};
SHARED_STRUCT(struct listen_address, 20);

/* What one pass over the listeners gives for each of them, as a stream of these. */
struct listener_report {
	__u64 identity;
	__u64 drops; /* since it was seen first */
	__u32 backlog;
	__u32 backlog_limit;
	__u32 netns;
	__u32 port;
	struct listen_address address;
	__u32 reserved; /* 0 */
};
SHARED_STRUCT(struct listener_report, 56);

/* tcp_audit: what the kernel counts too in /proc/net/snmp, by network namespace. */
struct tcp_audit {
	__u64 active_opens;
	__u64 passive_opens;
	__u64 attempt_fails;
};
SHARED_STRUCT(struct tcp_audit, 24);

#endif
