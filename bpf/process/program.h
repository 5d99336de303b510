/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What an interpreter runs, as a part of a process's identity: which interpreters there are, what their options mean, and the name
 * that is kept. agent/identity/interpreters.cpp has the tables; the kernel half is given them as maps.
 *
 * Both halves.
 */
#ifndef CONNSCOPE_PROCESS_PROGRAM_H
#define CONNSCOPE_PROCESS_PROGRAM_H

#include "bpf/include/shared.h"

#define PROGRAM_NAME_BYTES 112
#define INTERPRETER_BYTES 16 /* of an executable's name without its version, with a NUL */
#define OPTION_BYTES 28      /* of an option's name, with a NUL; longer ones are in no table */

enum interpreter {
	INTERPRETER_NONE = 0,
	INTERPRETER_PYTHON,
	INTERPRETER_NODE,
	INTERPRETER_JAVA,
	INTERPRETER_RUBY,
	INTERPRETER_PERL,
	INTERPRETER_PHP,
	INTERPRETER_SHELL,
	INTERPRETER_BUSYBOX, /* a shell, or anything else, by the name that it was called by */
	INTERPRETERS,
};

/* What an argument says of the next one, and of where the program is named. */
enum option_meaning {
	OPTION_UNKNOWN = 0, /* not in the table: a flag, a cluster of letters, or the program */
	OPTION_FLAG,
	OPTION_VALUE,   /* has a value: what is behind it in its argument, else the next argument */
	OPTION_NEXT,    /* has a value that is always the next argument */
	OPTION_REST,    /* what is behind it in its argument is its value, be it nothing */
	OPTION_PROGRAM, /* OPTION_VALUE, and the value is the program */
	OPTION_CODE,    /* what runs has no name */
	OPTION_END,     /* the next argument is the program, whatever it looks like */
	OPTION_SHELL,   /* BusyBox is a shell from here on */
};

struct interpreter_name {
	char stem[INTERPRETER_BYTES];
};
SHARED_STRUCT(struct interpreter_name, INTERPRETER_BYTES);

struct option_key {
	__u32 interpreter;
	char name[OPTION_BYTES]; /* up to a "="; NULs behind it */
};
SHARED_STRUCT(struct option_key, 4 + OPTION_BYTES);

/* The program of one process. */
struct identity_program {
	__u64 hash;
	__u32 interpreter;
	__u32 reserved; /* 0 */
	char name[PROGRAM_NAME_BYTES]; /* behind the last slash, with a NUL at its end; cut to the room */
};
SHARED_STRUCT(struct identity_program, 16 + PROGRAM_NAME_BYTES);

#endif
