/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Types and checks that both halves of every probe use.
 *
 * A struct that is a map's key or value is asserted to have the same size on both sides and, in C++, no padding: hidden
 * padding in a key would make two entries of one.
 *
 * Both halves.
 */
#ifndef CONNSCOPE_SHARED_H
#define CONNSCOPE_SHARED_H

#include <linux/types.h>

#ifdef __cplusplus
#include <type_traits>
#define SHARED_STRUCT(type, size)                                                                     \
	static_assert(sizeof(type) == (size), #type " has another size than in the other half"); \
	static_assert(std::has_unique_object_representations_v<type>, #type " has padding")
#else
#define SHARED_STRUCT(type, size) _Static_assert(sizeof(type) == (size), #type " has another size than in the other half")
#endif

/*
 * Why an event was lost, or could not be told apart: the index of its cell in the `ledger` map that each object has.
 * agent/probe/ledger.h has their names as the label `cause`.
 */
enum loss_cause {
	LOSS_STATE_FULL = 0,      /* no room for a new socket's state: that attempt or connection is not counted */
	LOSS_CELLS_FULL = 1,      /* no room for a new label set's cell: that event is not counted */
	LOSS_IDENTITIES_FULL = 2, /* no room for a new process identity: its events are counted under "other" */
	LOSS_END_MISSED = 3,      /* an end that was never seen: its socket's memory is another's by now */
	LOSS_END_SKIPPED = 4,     /* an end that a program was not run for: counted later, its duration a guess */
	LOSS_ACCEPT_UNSEEN = 5,   /* an accept that no hook told of: counted later, without its wait */
	LOSS_MESSAGE_UNREAD = 6,  /* DNS messages whose segments came out of order, or too many of them in one */
	LOSS_PROGRAMS_FULL = 7,   /* no room for what one more interpreter runs: it has the interpreter's own name */
	LOSS_DETAIL_FULL = 8,     /* no room in the buffer of details: what happened is counted, but not told on its own */
	LOSS_CAUSES = 9,
};

#endif
