/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * latency_bucket: the bucket of a duration, by binary search over the exact bounds: seven steps of integers, without a branch
 * that a CPU could guess wrongly, or that a verifier would have to follow both ways.
 *
 * Kernel half; plain C, so that a test can run it in userspace too.
 */
#ifndef CONNSCOPE_LATENCY_BPF_H
#define CONNSCOPE_LATENCY_BPF_H

#include "bpf/include/latency_bounds.h"

#include <linux/types.h>

#define LATENCY_TABLE 128 /* a power of two above LATENCY_BOUNDS, so that the index can be masked for the verifier */
#define NO_BOUND (~0ULL >> 1)

static const __u64 latency_bounds_ns[LATENCY_TABLE] = {
	LATENCY_BOUNDS_NS
	[LATENCY_BOUNDS ... LATENCY_TABLE - 1] = NO_BOUND,
};

static inline __attribute__((always_inline)) __u16 latency_bucket(__u64 duration_ns)
{
	__u64 below = 0; /* how many bounds are known to lie below the duration */

	if (duration_ns > NO_BOUND)
		duration_ns = NO_BOUND;
	for (__u64 step = LATENCY_TABLE / 2; step; step >>= 1) {
		__u64 index = below + step - 1;

		/* The compiler knows that it is below LATENCY_TABLE; verifiers before 6.12 need the mask to know it too. */
		__asm__ volatile("" : "+r"(index));
		/* The sign: 1 when the duration is above the bound. */
		below += step * ((latency_bounds_ns[index & (LATENCY_TABLE - 1)] - duration_ns) >> 63);
	}
	return (__u16)below;
}

#endif
