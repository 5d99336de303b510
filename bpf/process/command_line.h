/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Finds in an interpreter's command line which program it runs: script, module, main class or jar. Arguments come one after the
 * other, the first one (the interpreter itself) included; the caller puts the beginning of each into `text`, ended by a NUL, and
 * calls command_line_take, until `expects` is EXPECTS_NOTHING or the arguments are over. If then `is_found`, the last argument names
 * the program, from `program_at` on; the caller puts what is from there into `text`, at least its end, and calls command_line_name.
 *
 * The includer defines option_meaning(), a look-up in the table of options. A struct command_line starts as zeros but for its
 * interpreter.
 *
 * Both halves; plain C and C++. Its state lies in memory rather than in registers, for the verifier, which walks through a loop once
 * when registers hold nothing that differs between the ways out of it.
 */
#ifndef CONNSCOPE_PROCESS_COMMAND_LINE_H
#define CONNSCOPE_PROCESS_COMMAND_LINE_H

#include "bpf/process/program.h"

#define ARGUMENT_WINDOW 128  /* what is looked at of an argument, with a NUL */
#define OPTION_LETTERS 16    /* that are looked at of one cluster, such as -euo */

enum command_line_expects {
	EXPECTS_INTERPRETER = 0, /* argv[0] */
	EXPECTS_OPTION,
	EXPECTS_VALUE,
	EXPECTS_PROGRAM,
	EXPECTS_NOTHING, /* it is decided */
};

struct command_line {
	struct option_key option; /* the one that is looked up */
	__u32 interpreter;
	__u32 expects;
	__u32 is_found;
	__u32 program_at; /* in the argument that names it */
	__u32 value_at;   /* in the argument, behind the "=" of an option; 0 without */
	__u32 name_at;    /* in `text` as command_line_name has it */
	char text[ARGUMENT_WINDOW];
};
SHARED_STRUCT(struct command_line, 4 + OPTION_BYTES + 24 + ARGUMENT_WINDOW);

#define COMMAND_LINE_INLINE static inline __attribute__((always_inline))

/* Unrolled, the loops would only be more code. */
#ifdef __clang__
#define COMMAND_LINE_LOOP _Pragma("clang loop unroll(disable)")
#else
#define COMMAND_LINE_LOOP
#endif

COMMAND_LINE_INLINE __u32 option_meaning(const struct option_key *key);

/*
 * The name of an executable without its version: python3.11, perl5.36-x86_64-linux-gnu. Nothing when what is behind the letters is
 * no version, as in node2vec.
 */
COMMAND_LINE_INLINE void interpreter_stem(const char *executable, struct interpreter_name *name)
{
	__u32 has_version = 0;

	COMMAND_LINE_LOOP
	for (__u32 i = 0; i < INTERPRETER_BYTES; i++) {
		char c = executable[i];
		__u32 is_version = (c >= '0' && c <= '9') | (c == '.');

		if (!c || (c == '-' && has_version))
			return;
		has_version |= is_version;
		if (!has_version)
			name->stem[i] = c;
		else if (!is_version)
			break;
	}
	name->stem[0] = 0;
}

COMMAND_LINE_INLINE void command_line_decide(struct command_line *line, __u32 is_found, __u32 program_at)
{
	line->expects = EXPECTS_NOTHING;
	line->is_found = is_found;
	line->program_at = program_at;
}

/* Writes the name of the option in `text` into `option`, up to its value. */
COMMAND_LINE_INLINE void command_line_option(struct command_line *line)
{
	line->option.interpreter = line->interpreter;
	line->value_at = 0;
	__builtin_memset(line->option.name, 0, sizeof(line->option.name));
	COMMAND_LINE_LOOP
	for (__u32 i = 0; i < OPTION_BYTES - 1; i++) {
		char c = line->text[i];

		if (!c)
			break;
		if (c == '=' && i > 1) { /* behind a name: -=x has none */
			line->value_at = i + 1;
			break;
		}
		line->option.name[i] = c;
	}
}

/* `value_at`: where the option's value begins in its argument; 0: it has none there. */
COMMAND_LINE_INLINE void command_line_follow(struct command_line *line, __u32 meaning, __u32 value_at)
{
	switch (meaning) {
	case OPTION_VALUE:
		line->expects = value_at ? EXPECTS_OPTION : EXPECTS_VALUE;
		break;
	case OPTION_NEXT:
		line->expects = EXPECTS_VALUE;
		break;
	case OPTION_PROGRAM:
		if (value_at)
			command_line_decide(line, 1, value_at);
		else
			line->expects = EXPECTS_PROGRAM;
		break;
	case OPTION_CODE:
		command_line_decide(line, 0, 0);
		break;
	case OPTION_END:
		line->expects = EXPECTS_PROGRAM;
		break;
	case OPTION_SHELL:
		line->interpreter = INTERPRETER_SHELL;
		line->expects = EXPECTS_OPTION;
		break;
	default:
		break;
	}
}

/* Options of one letter each, the value of the last one perhaps behind it: -euo pipefail, -Wignore. */
COMMAND_LINE_INLINE void command_line_letters(struct command_line *line)
{
	__builtin_memset(line->option.name, 0, sizeof(line->option.name));
	line->option.name[0] = '-';
	COMMAND_LINE_LOOP
	for (__u32 i = 1; i <= OPTION_LETTERS; i++) {
		__u32 meaning;

		if (!line->text[i])
			return;
		line->option.name[1] = line->text[i];
		meaning = option_meaning(&line->option);
		if (meaning == OPTION_UNKNOWN || meaning == OPTION_FLAG)
			continue;
		command_line_follow(line, meaning, line->text[i + 1] ? i + 1 : 0);
		if (meaning != OPTION_NEXT)
			return;
	}
}

/* Java's and node's options are words, with one dash or two. */
COMMAND_LINE_INLINE __u32 command_line_has_letters(const struct command_line *line)
{
	return line->interpreter != INTERPRETER_JAVA && line->interpreter != INTERPRETER_NODE && line->text[1] != '-';
}

COMMAND_LINE_INLINE void command_line_take_option(struct command_line *line)
{
	__u32 is_shell = line->interpreter == INTERPRETER_SHELL;
	__u32 meaning;

	if (is_shell && line->text[0] == '+')
		line->text[0] = '-';
	command_line_option(line);
	meaning = option_meaning(&line->option);
	if (meaning != OPTION_UNKNOWN) {
		command_line_follow(line, meaning, line->value_at);
	} else if (line->text[0] == '-') {
		if (command_line_has_letters(line))
			command_line_letters(line);
	} else if (line->interpreter == INTERPRETER_BUSYBOX || !line->text[0]) {
		command_line_decide(line, 0, 0);
	} else if (line->interpreter != INTERPRETER_JAVA || line->text[0] != '@') { /* java @FILE: more options are in it */
		command_line_decide(line, 1, 0);
	}
}

COMMAND_LINE_INLINE void command_line_take(struct command_line *line)
{
	__u32 expects = line->expects;

	line->expects = EXPECTS_OPTION;
	if (expects == EXPECTS_PROGRAM)
		command_line_decide(line, 1, 0);
	else if (expects == EXPECTS_OPTION || (expects == EXPECTS_INTERPRETER && line->interpreter == INTERPRETER_BUSYBOX))
		command_line_take_option(line);
}

COMMAND_LINE_INLINE __u64 command_line_byte(const struct command_line *line, __u64 at)
{
	__u8 byte;

	__builtin_memcpy(&byte, line->text + at, 1); /* without its sign */
	return byte;
}

/* 1 or 0 for bytes; by the sign of a difference, as a branch would be one more way for the verifier. */
COMMAND_LINE_INLINE __u64 command_line_is_same(__u64 left, __u64 right)
{
	__u64 same = ((left ^ right) - 1) >> 63;

	__asm__ volatile("" : "+r"(same)); /* the compiler would make the branch of it */
	return same;
}

/* Sets `name_at` to behind the last slash that anything follows. `text` begins with the program. */
COMMAND_LINE_INLINE void command_line_name(struct command_line *line)
{
	__u64 name_at = 0, is_over = 0;

	COMMAND_LINE_LOOP
	for (__u64 i = 0; i < ARGUMENT_WINDOW - 1; i++) {
		__u64 byte = command_line_byte(line, i), next = command_line_byte(line, i + 1);
		__u64 is_last = command_line_is_same(next, 0) | command_line_is_same(next, '/');
		__u64 begins;

		is_over |= command_line_is_same(byte, 0);
		begins = command_line_is_same(byte, '/') & ~is_last & ~is_over & 1;
		name_at += begins * (i + 1 - name_at);
	}
	line->name_at = name_at & 0xff;
}

#endif
