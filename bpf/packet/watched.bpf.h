/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * packet_watched: sockets all of whose packets TLS wants to see. packet.bpf.c owns the map and looks into it; the object that marks
 * sockets is given its descriptor at load. A look-up in a socket that has nothing stored costs next to nothing.
 *
 * Kernel half only.
 */
#ifndef CONNSCOPE_WATCHED_BPF_H
#define CONNSCOPE_WATCHED_BPF_H

#include "bpf/include/kernel_types.h"

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, u32);
} packet_watched SEC(".maps");

#endif
