// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Owner of the maps of detail.bpf.h, which the programs of all other objects write to. It has no program of its own.
 */
#include "bpf/detail/detail.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
