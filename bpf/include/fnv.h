/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * FNV-1a, for keys of maps that stand for a text.
 *
 * Both halves. Source: draft-eastlake-fnv, the 64-bit variant.
 */
#ifndef CONNSCOPE_FNV_H
#define CONNSCOPE_FNV_H

#include <linux/types.h>

/* Of the first `bytes` of a buffer of `size`, which is the loop's bound for the verifier. */
static inline __attribute__((always_inline)) __u64 fnv1a(const char *buffer, __u32 bytes, __u32 size)
{
	__u64 hash = 0xcbf29ce484222325ULL;

	for (__u32 i = 0; i < size; i++) {
		__u8 byte;

		if (i >= bytes)
			break;
		__builtin_memcpy(&byte, buffer + i, 1); /* without its sign, and without a cast of C or C++ */
		hash = (hash ^ byte) * 0x100000001b3ULL;
	}
	return hash;
}

#endif
