/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Process identities as both halves see them.
 *
 * An identity stands for all processes that no rule can tell apart: the same executable's path, name, cgroup, user, network
 * namespace, the program that an interpreter runs and, where rules ask for them, arguments. Its id is a 64-bit number that is never used again, so a cell of a retired
 * identity cannot be taken for another's.
 */
#ifndef CONNSCOPE_PROCESS_IDENTITY_H
#define CONNSCOPE_PROCESS_IDENTITY_H

#include "bpf/include/shared.h"
#include "bpf/process/program.h"

#define IDENTITY_IGNORED 0ULL /* left out by the config: no state is kept */
#define IDENTITY_UNKNOWN 1ULL /* the table was full: counted under "other" */

#define IDENTITY_COMM_BYTES 16
#define IDENTITY_PATH_BYTES 384
#define IDENTITY_ARGS_BYTES 256

struct identity_key {
	__u64 exe_hash; /* of the executable's path: a file number may be another's after a deletion */
	__u64 cgroup_id;
	__u64 args_hash; /* 0 unless arguments are asked for */
	__u64 program_hash; /* of what an interpreter runs; 0 for other processes, and where the config does not ask for it */
	__u32 uid;
	__u32 netns; /* inode number */
	char comm[IDENTITY_COMM_BYTES]; /* of the thread group's leader */
};
SHARED_STRUCT(struct identity_key, 56);

/* What has processes left out; the index of their count in identity_left_out. */
enum left_out_by {
	LEFT_OUT_BY_NOTHING = 0,
	LEFT_OUT_BY_RULE,    /* [[process]] with capture = false */
	LEFT_OUT_BY_EXCLUDE, /* identity.exclude */
	LEFT_OUT_WAYS,
};

struct identity {
	__u64 id;
	__u32 left_out_by; /* written by userspace */
	__u32 reserved; /* 0 */
};
SHARED_STRUCT(struct identity, 16);

/*
 * What userspace cannot find out later, when the process may be gone. Paths are names from the leaf to the root, each
 * ended by a NUL ("nginx\0sbin\0usr\0"); where there are too many, those nearest to the root are missing.
 */
struct identity_info {
	struct identity_key key;
	__u32 pid; /* the process that was seen first */
	__u32 exe_bytes;
	__u32 cgroup_bytes;
	__u32 args_bytes;
	__u32 exe_cut; /* 1: names are missing */
	__u32 cgroup_cut;
	char exe[IDENTITY_PATH_BYTES];
	char cgroup[IDENTITY_PATH_BYTES];
	char args[IDENTITY_ARGS_BYTES]; /* as in /proc/PID/cmdline, cut to the buffer */
	char program[PROGRAM_NAME_BYTES]; /* what an interpreter runs: as struct identity_program has it */
};
SHARED_STRUCT(struct identity_info, 56 + 24 + 2 * IDENTITY_PATH_BYTES + IDENTITY_ARGS_BYTES + PROGRAM_NAME_BYTES);

/* The identity that a process was last seen to have. */
struct identity_cached {
	__u64 id;
	__u64 cgroup_id;
	__u32 uid;
	__u32 netns;
	__u32 epoch;
	__u32 reserved; /* 0 */
};
SHARED_STRUCT(struct identity_cached, 32);

struct identity_control {
	__u32 epoch;      /* raised by userspace when what is cached no longer holds */
	__u32 wants_args; /* 1: arguments are part of the key */
	__u32 interpreters; /* bit by enum interpreter: those whose program is part of the key */
	__u32 reserved; /* 0 */
};
SHARED_STRUCT(struct identity_control, 16);

#endif
