/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the two halves of the libc_lookup probe share: a look-up that is under way, the cells of those that have ended, and
 * the names of how they end.
 *
 * Both halves.
 */
#ifndef CONNSCOPE_LIBC_LOOKUP_H
#define CONNSCOPE_LIBC_LOOKUP_H

#include "bpf/include/latency_bounds.h"
#include "bpf/include/shared.h"

/* The function that a program waits for: the outermost one, as the C libraries call each other's. */
enum lookup_function {
	LOOKUP_GETADDRINFO = 0,
	LOOKUP_GETNAMEINFO,
	LOOKUP_GETHOSTBYNAME, /* the four of <netdb.h> that tell by *result and *h_errnop */
	LOOKUP_GETHOSTBYNAME2,
	LOOKUP_GETHOSTBYADDR,
	LOOKUP_FUNCTIONS,
};

/* How a look-up ended; but for the first and the last in the order of the EAI codes, from -1 on down. */
enum lookup_outcome {
	LOOKUP_OK = 0,
	LOOKUP_BADFLAGS,
	LOOKUP_NONAME,
	LOOKUP_AGAIN,
	LOOKUP_FAIL,
	LOOKUP_NODATA,
	LOOKUP_FAMILY,
	LOOKUP_SOCKTYPE,
	LOOKUP_SERVICE,
	LOOKUP_ADDRFAMILY,
	LOOKUP_MEMORY,
	LOOKUP_SYSTEM,
	LOOKUP_OVERFLOW,
	LOOKUP_OTHER,
	LOOKUP_OUTCOMES,
};

/*
 * lookups: what a thread looks up now, by its number in the first pid namespace. The dns probe adds to `queries` at each query
 * that the thread sends first. Addresses are those of the thread's own memory.
 */
struct lookup {
	__u64 since_ns;
	__u64 queries;
	__u64 identity;
	__u64 thread_began_ns; /* its number may be another thread's by now */
	__u64 memory;          /* of the program that it runs, which may be another one by now */
	__u64 stack;           /* where the call returns to */
	__u64 name;            /* what was asked for */
	__u64 result;          /* struct addrinfo ** or struct hostent **; where functions have it */
	__u64 error;           /* int *h_errnop */
	__u64 paused_ns;       /* not 0: the caller's buffer was too small, and it will ask again */
	__u64 function;
};
SHARED_STRUCT(struct lookup, 88);

/* --- cells: per-CPU maps of counters that only rise ------------------------------------------------------------------ */

/* lookup_ended: one cell a label set and bucket that was ever hit. */
struct lookup_ended_key {
	__u64 identity;
	__u16 bucket;
	__u8 outcome;
	__u8 asked; /* 1: queries were seen on the wire, where a failure is told already */
	__u32 reserved; /* 0 */
};
SHARED_STRUCT(struct lookup_ended_key, 16);

struct lookup_ended {
	__u64 count;
	__u64 sum_ns;
};
SHARED_STRUCT(struct lookup_ended, 16);

/* lookup_queries: how many queries look-ups have made. */
#define QUERY_BOUNDS 0, 1, 2, 3, 4, 6, 8, 12, 16, 32 /* inclusive */
#define QUERY_BUCKETS 11

struct lookup_queries_key {
	__u64 identity;
	__u64 bucket;
};
SHARED_STRUCT(struct lookup_queries_key, 16);

struct lookup_queries {
	__u64 count;
	__u64 sum;
};
SHARED_STRUCT(struct lookup_queries, 16);

#endif
