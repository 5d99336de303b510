/* SPDX-License-Identifier: Apache-2.0 */
/* The inline functions of the kernel half that run in userspace as well, compiled as C like there. */
#ifndef CONNSCOPE_TESTS_KERNEL_HALF_H
#define CONNSCOPE_TESTS_KERNEL_HALF_H

#include <linux/types.h>

#ifdef __cplusplus
extern "C" {
#endif

__u16 kernel_latency_bucket(__u64 duration_ns);

#ifdef __cplusplus
}
#endif

#endif
