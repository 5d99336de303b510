/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The cells that the TLS programs count in. The object of the wire owns the maps; those of the libraries are given its descriptors
 * at load.
 *
 * Kernel half only.
 */
#ifndef CONNSCOPE_TLS_CELLS_BPF_H
#define CONNSCOPE_TLS_CELLS_BPF_H

#include "bpf/include/cells.bpf.h"
#include "bpf/include/latency.bpf.h"
#include "bpf/include/ledger.bpf.h"
#include "bpf/tls/tls_state.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct tls_begun_key);
	__type(value, struct tls_begun);
} tls_begun SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct tls_ended_key);
	__type(value, struct tls_ended);
} tls_ended SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct tls_failed_key);
	__type(value, struct tls_count);
} tls_failed SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct tls_alert_key);
	__type(value, struct tls_count);
} tls_alerts SEC(".maps");

static __always_inline struct tls_begun *tls_begun_cell(u64 identity, u8 role)
{
	struct tls_begun_key key = {.identity = identity, .role = role};
	struct tls_begun *cell = CELL(tls_begun, &key);

	if (!cell)
		count_loss(LOSS_CELLS_FULL);
	return cell;
}

static __noinline __some_use void count_alert(u64 identity, u8 direction, u8 alert)
{
	struct tls_alert_key key = {.identity = identity, .direction = direction, .alert = alert};
	struct tls_count *cell = CELL(tls_alerts, &key);

	if (cell)
		__sync_fetch_and_add(&cell->count, 1);
	else
		count_loss(LOSS_CELLS_FULL);
}

static __noinline __some_use void count_failure(u64 identity, u32 host, u8 role, u8 reason)
{
	struct tls_failed_key key = {.identity = identity, .host = host, .role = role, .reason = reason};
	struct tls_count *cell = CELL(tls_failed, &key);

	if (cell)
		__sync_fetch_and_add(&cell->count, 1);
	else
		count_loss(LOSS_CELLS_FULL);
}

/* A handshake has ended, and nobody can say how. */
static __noinline __some_use void lose_end(u64 identity, u8 role)
{
	struct tls_begun *begun = tls_begun_cell(identity, role);

	if (begun)
		__sync_fetch_and_add(&begun->ends_lost, 1);
}

/* Counts the end of a handshake that was counted as begun. One without a cell is over all the same: it must not stay in flight. */
static __noinline __some_use void count_handshake(const struct handshake *handshake, bool is_failed)
{
	u64 duration_ns = handshake->ended_ns - handshake->begun_ns;
	struct tls_ended_key key = {
		.identity = handshake->identity,
		.host = handshake->host,
		.bucket = latency_bucket(duration_ns),
		.cipher = handshake->cipher,
		.version = handshake->version,
		.role = handshake->role,
		.library = handshake->session.library,
		.is_resumed = handshake->is_resumed,
		.is_failed = is_failed,
	};
	struct tls_ended *cell = CELL(tls_ended, &key);

	if (cell) {
		__sync_fetch_and_add(&cell->count, 1);
		ADD(cell->sum_ns, duration_ns);
		return;
	}
	count_loss(LOSS_CELLS_FULL);
	lose_end(handshake->identity, handshake->role);
}

#endif
