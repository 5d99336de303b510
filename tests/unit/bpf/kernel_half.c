/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/bpf/kernel_half.h"

#include "bpf/include/latency.bpf.h"

__u16 kernel_latency_bucket(__u64 duration_ns)
{
	return latency_bucket(duration_ns);
}
