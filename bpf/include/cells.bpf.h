/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Cells: entries of maps whose key is the label tuple. A cell is looked up before it is made, and every addition is atomic,
 * although the cells are per CPU: a softirq may interrupt the same addition.
 *
 * Kernel half only.
 */
#ifndef CONNSCOPE_CELLS_BPF_H
#define CONNSCOPE_CELLS_BPF_H

#include "bpf/include/kernel_types.h"

#include <bpf/bpf_helpers.h>

/* What every cell begins with: no value is larger. */
static const u64 zeros[8] = {};

/*
 * The cell of `key` in `map`, made when it is new; NULL when there is no room. An error of the update may mean that another
 * CPU was first, so only the second look-up tells.
 */
#define CELL(map, key)                                                          \
	({                                                                      \
		void *cell_ = bpf_map_lookup_elem(&(map), (key));               \
		if (!cell_) {                                                   \
			bpf_map_update_elem(&(map), (key), zeros, BPF_NOEXIST); \
			cell_ = bpf_map_lookup_elem(&(map), (key));             \
		}                                                               \
		cell_;                                                          \
	})

/* An addition of a constant nothing would be compiled to an atomic OR, which 5.10 has not. */
#define ADD(counter, step)                                             \
	do {                                                           \
		if (step)                                              \
			__sync_fetch_and_add(&(counter), (u64)(step)); \
	} while (0)

#endif
