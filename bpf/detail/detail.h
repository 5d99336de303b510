/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the two halves of the detail probe share: the events that tell of single connections, who of them is wanted, and what is
 * kept of a connection for the case that it will be told of.
 *
 * Both halves.
 */
#ifndef CONNSCOPE_DETAIL_H
#define CONNSCOPE_DETAIL_H

#include "bpf/include/shared.h"

/* What a duration is of. In the order of detail::Metric (agent/detail/connection.h). */
enum detail_metric {
	DETAIL_LOOKUP = 0,
	DETAIL_QUERY,
	DETAIL_CONNECT,
	DETAIL_LIFE,
	DETAIL_TLS,
	DETAIL_ATTEMPT,
	DETAIL_METRICS,
};

/* Why something is told. The bits of detail::Kind. */
enum detail_kind {
	DETAIL_FAILURE = 1,
	DETAIL_OUTLIER = 2,
	DETAIL_OF_ATTEMPT = 4,
};

/* What anybody listens to; all 0: nothing is kept and nothing is told. Written by the user half. */
struct detail_control {
	__u32 kinds;
	__u32 bounded; /* metrics that have bounds, by 1 << enum detail_metric; 0 unless outliers are wanted */
};
SHARED_STRUCT(struct detail_control, 8);

/* detail_bounds: the durations that are usual. Written by the user half. */
struct detail_bounds_key {
	__u64 identity;
	__u64 metric;
};
SHARED_STRUCT(struct detail_bounds_key, 16);

struct detail_bounds {
	__u64 low_ns;
	__u64 high_ns;
	__u64 mean_ns;
};
SHARED_STRUCT(struct detail_bounds, 24);

#define DETAIL_HOST_BYTES 64

/* How a host's name is written. */
enum detail_host_form {
	HOST_UNKNOWN = 0,
	HOST_TEXT, /* ended by NUL, or as long as there is room */
	HOST_WIRE, /* labels with their lengths, as in DNS messages */
};

/*
 * detail_origins: what is known of a connection beside what is counted, from its begin to its end. What is not known is 0, as all
 * is of what began when nobody listened. In the order of the names it is filled: parts as they end.
 */
struct detail_origin {
	__u64 dns_ns;
	__u64 tcp_ns;
	__u64 tls_ns;
	__u32 tgid;
	__u16 metric; /* of `reason` */
	__u16 reason; /* why the last part has failed, as the event of that part says it */
	__u32 peer[4]; /* IPv4 as IPv6 has it mapped */
	__u16 peer_port; /* as on the wire */
	__u16 host_form;
	__u32 reserved; /* 0 */
	__u8 host[DETAIL_HOST_BYTES];
};
SHARED_STRUCT(struct detail_origin, 24 + 8 + 16 + 8 + DETAIL_HOST_BYTES);

/* detail_events: the ring buffer's records. */
struct detail_event {
	__u64 identity;
	__u64 ended_ns; /* on the monotonic clock: when it is told */
	__u64 duration_ns;
	__u64 mean_ns; /* of an outlier */
	__u8 metric;
	__u8 kinds;
	__u8 role; /* 0: client, 1: server */
	__u8 is_failed;
	__u16 reason; /* a number of the probe that the metric belongs to; of an attempt it is the origin's */
	__u16 reserved; /* 0 */
	struct detail_origin origin;
};
SHARED_STRUCT(struct detail_event, 32 + 8 + 120);

/* A query's reason: its enum dns_outcome and the answer's code in one. */
#define DETAIL_QUERY_REASON(outcome, rcode) ((outcome) | (rcode) << 4)

#endif
