/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the packet programs share with the probes that read packets. A probe gives its own programs to the maps `packet_egress` and
 * `packet_ingress` at its protocol's index. DNS gives its ports to `packet_ports`; TLS, which has none of its own, says in
 * `packet_gates` that it wants to see handshakes, and counts in `packet_watched` the sockets that it wants to see more of.
 *
 * Both halves.
 */
#ifndef CONNSCOPE_PACKET_H
#define CONNSCOPE_PACKET_H

#include "bpf/include/shared.h"

enum packet_protocol {
	PACKET_DNS = 0,
	PACKET_TLS,
	PACKET_PROTOCOLS,
};

/* A set of ports, a bit each: 8 KiB, of which a host with few ports in use touches little. */
struct port_set {
	__u64 words[1024];
};
SHARED_STRUCT(struct port_set, 8192);

#endif
