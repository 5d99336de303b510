/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the two halves of the tcp_connect probe share: the cells that its programs count in.
 */
#ifndef CONNSCOPE_TCP_CONNECT_H
#define CONNSCOPE_TCP_CONNECT_H

#include "bpf/include/latency_bounds.h"
#include "bpf/include/shared.h"

/* How an attempt ended. The names as labels are in tcp_connect.cpp, in this order. */
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

enum connect_family {
	CONNECT_IPV4 = 0, /* on the wire: a v4-mapped address is IPv4 */
	CONNECT_IPV6,
	CONNECT_FAMILIES,
};

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
};
SHARED_STRUCT(struct connect_ended, 16);

/* connect_audit: what the kernel counts too in /proc/net/snmp, in the agent's own network namespace. */
enum connect_audit {
	AUDIT_ACTIVE_OPENS = 0,
	AUDIT_ATTEMPT_FAILS,
	AUDIT_COUNTERS,
};

#endif
