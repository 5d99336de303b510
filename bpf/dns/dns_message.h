/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A DNS message (RFC 1035 section 4; RFC 6891 for EDNS) as the probe needs it: which question it asks or answers, and whether
 * the answer has what was asked for. Names are walked over and hashed, never copied.
 *
 * Every function takes the first bytes of a message, without the length that TCP puts before it: `bytes` always has DNS_WINDOW
 * bytes, of which `size` are the message's. What lies behind those has no influence. The caller sets `message_bytes`, the length
 * of the whole message and at least `size`, and then calls dns_read_header, dns_read_question and, for an answer,
 * dns_read_records, in this order, as long as the verdict is DNS_OK. dns_read_header sets every other field.
 *
 * For the verifier, `bytes` and `message` should both lie in a map's value: of a message on the stack it knows too much, and walks
 * through two or three times as many instructions. Each loop is walked through about once, as long as nothing in it branches
 * that need not: what is told by dns_is_below or by the sign of a difference is told so on purpose.
 *
 * Both halves; plain C and C++, so that tests can run it in userspace too. It calls nothing and keeps nothing on the stack but
 * what does not fit into registers.
 */
#ifndef CONNSCOPE_DNS_MESSAGE_H
#define CONNSCOPE_DNS_MESSAGE_H

#include "bpf/include/shared.h"

#include <linux/types.h>

#define DNS_WINDOW 512 /* what is looked at of a message; a power of two, for the verifier */

enum dns_verdict {
	DNS_OK = 0,
	DNS_SHORT,        /* `size` ends in the header, or in the question of a message that goes on */
	DNS_MALFORMED,    /* no resolver could make anything of it */
	DNS_OTHER_OPCODE, /* a NOTIFY, an UPDATE ...: the header's fields are set, the rest need not look like a query */
};

struct dns_message {
	__u64 question;      /* hash of name, type and class; the same for both cases of ASCII letters */
	__u32 message_bytes; /* set by the caller */
	__u32 records;       /* of all sections, as the header says */
	__u16 id;
	__u16 qtype; /* 0 without a question, and so is qclass */
	__u16 qclass;
	__u16 rcode;      /* of the header; dns_read_records adds the bits of EDNS, unless it found data before them */
	__u16 questions;  /* as the header says */
	__u16 answers;    /* records of the answer section, as the header says */
	__u16 records_at; /* where the question ends; its name begins at DNS_HEADER_BYTES */
	__u16 name_bytes; /* of the question's name, the root's label counted */
	__u8 opcode;
	__u8 is_answer;
	__u8 is_truncated;
	__u8 has_question;
	__u8 has_data;      /* a record of the asked type is in the answer section, or may be behind the window */
	__u8 is_unfinished; /* records went on behind the window, or in more steps than are taken */
	__u8 unused[2];
};
SHARED_STRUCT(struct dns_message, 40);

/* The question's name and its four bytes of type and class always fit into the window. */
#define DNS_HEADER_BYTES 12
#define DNS_NAME_BYTES 255
#define DNS_LABEL_BYTES 63
#define DNS_RECORD_BYTES 10U /* between a record's name and its data: type, class, TTL, length of the data */
#define DNS_POINTER 0xc0
#define DNS_STEPS 64 /* labels and ends of names that dns_read_records takes; a record has one step or more */

#define DNS_TYPE_OPT 41
#define DNS_FIRST_QTYPE 251 /* IXFR, AXFR, MAILB, MAILA, ANY: types of questions that no record has */
#define DNS_LAST_QTYPE 255

#define DNS_HASH_BASIS 0xcbf29ce484222325ULL
#define DNS_HASH_PRIME 0x100000001b3ULL

#define DNS_INLINE static inline __attribute__((always_inline))

/* Steps are walked through one after the other by the verifier; unrolled they would only be more code. */
#ifdef __clang__
#define DNS_LOOP _Pragma("clang loop unroll(disable)")
#else
#define DNS_LOOP
#endif

/* Keeps the compiler from drawing conclusions from what it knows about `value`, such as that a mask is superfluous. */
#define DNS_OPAQUE(value) __asm__ volatile("" : "+r"(value))

/*
 * 0, of which the verifier only knows that it lies between -255 and 255. A position that has it added and is masked has the same
 * bounds after any step, whichever way the step went; so the verifier sees that it has been there and follows one way alone.
 */
DNS_INLINE __u64 dns_unsure(const __u8 *bytes)
{
	__u64 byte = bytes[0];
	__u64 same = byte;

	DNS_OPAQUE(same);
	return byte - same;
}

#define DNS_PLACE_MASK 0x1ffff /* above any place that a record within the window can lead to */

DNS_INLINE __u64 dns_place(__u64 place, __u64 unsure)
{
	place = (place + unsure) & DNS_PLACE_MASK;
	DNS_OPAQUE(place);
	return place;
}

DNS_INLINE __u64 dns_byte_at(const __u8 *bytes, __u64 place)
{
	DNS_OPAQUE(place);
	return bytes[place & (DNS_WINDOW - 1)];
}

DNS_INLINE __u16 dns_number(const __u8 *bytes)
{
	return (bytes[0] << 8 | bytes[1]) & 0xffff;
}

DNS_INLINE __u64 dns_hash(__u64 hash, __u64 byte)
{
	return (hash ^ byte) * DNS_HASH_PRIME;
}

/* 1 or 0 for numbers below 2^63; by the sign of a difference, as a branch would be one more way for the verifier. */
DNS_INLINE __u64 dns_is_below(__u64 left, __u64 right)
{
	__u64 below = (left - right) >> 63;

	DNS_OPAQUE(below);
	return below;
}

DNS_INLINE __u64 dns_is_same(__u64 left, __u64 right)
{
	return dns_is_below(left ^ right, 1);
}

/* The sign bit of both differences says that `byte` is a capital. Lengths of labels lie below those. */
DNS_INLINE __u64 dns_lower(__u64 byte)
{
	return byte | (((('A' - 1ULL) - byte) & (byte - ('Z' + 1ULL))) >> 58 & 0x20);
}

DNS_INLINE enum dns_verdict dns_read_header(const __u8 *bytes, __u64 size, struct dns_message *message)
{
	message->question = 0;
	message->records = 0;
	message->id = 0;
	message->qtype = 0;
	message->qclass = 0;
	message->rcode = 0;
	message->questions = 0;
	message->answers = 0;
	message->records_at = DNS_HEADER_BYTES;
	message->name_bytes = 0;
	message->opcode = 0;
	message->is_answer = 0;
	message->is_truncated = 0;
	message->has_question = 0;
	message->has_data = 0;
	message->is_unfinished = 0;
	message->unused[0] = 0;
	message->unused[1] = 0;
	if (size < DNS_HEADER_BYTES)
		return DNS_SHORT;
	message->id = dns_number(bytes);
	message->is_answer = bytes[2] >> 7;
	message->opcode = bytes[2] >> 3 & 0xf;
	message->is_truncated = bytes[2] >> 1 & 1;
	message->rcode = bytes[3] & 0xf;
	message->questions = dns_number(bytes + 4);
	message->answers = dns_number(bytes + 6);
	message->records = 0U + message->answers + dns_number(bytes + 8) + dns_number(bytes + 10);
	return message->opcode ? DNS_OTHER_OPCODE : DNS_OK;
}

/* What to say when the bytes end before `needed` of the message, which are part of its question. */
DNS_INLINE enum dns_verdict dns_question_cut(const struct dns_message *message, __u64 needed)
{
	return needed > message->message_bytes ? DNS_MALFORMED : DNS_SHORT;
}

/*
 * No question is fine: answers that refuse come so, and multicast DNS. More than one is malformed, as nobody answers those, and
 * so are a pointer in the question, which nothing comes before, a label of another kind, and a name of more than 255 bytes.
 */
DNS_INLINE enum dns_verdict dns_read_question(const __u8 *bytes, __u64 size, struct dns_message *message)
{
	__u64 hash = DNS_HASH_BASIS;
	__u64 unsure = dns_unsure(bytes);
	__u64 place = dns_place(DNS_HEADER_BYTES, unsure);
	__u64 left = 0; /* of the label that `place` is in */
	__u64 byte = 0, ended, stop;
	__u32 i;

	if (!message->questions)
		return DNS_OK;
	if (message->questions > 1)
		return DNS_MALFORMED;
	DNS_LOOP
	for (i = 0; i < DNS_NAME_BYTES; i++) {
		if (place >= size)
			return dns_question_cut(message, place + 1);
		byte = dns_byte_at(bytes, place);
		ended = dns_is_below(left, 1);
		/* Sign bits: 0, which ends the name, or too much for a length. */
		stop = ended & ((byte - 1) | (DNS_LABEL_BYTES - byte)) >> 63;
		DNS_OPAQUE(stop);
		if (stop)
			break;
		left += ((byte + 1) & (0 - ended)) - 1;
		hash = dns_hash(hash, dns_lower(byte));
		place = dns_place(place + 1, unsure);
	}
	if (i == DNS_NAME_BYTES || byte)
		return DNS_MALFORMED;
	hash = dns_hash(hash, 0);
	place = dns_place(place + 1, unsure);
	message->name_bytes = (place - DNS_HEADER_BYTES) & 0xffff;
	if (place > DNS_WINDOW - 4 || place + 4 > size)
		return dns_question_cut(message, place + 4);
	bytes += place;
	message->qtype = dns_number(bytes);
	message->qclass = dns_number(bytes + 2);
	hash = dns_hash(hash, bytes[0]);
	hash = dns_hash(hash, bytes[1]);
	hash = dns_hash(hash, bytes[2]);
	hash = dns_hash(hash, bytes[3]);
	message->question = hash;
	message->has_question = 1;
	message->records_at = (place + 4) & 0xffff;
	return DNS_OK;
}

/*
 * What to say when the bytes end before `needed` of the message. What cannot be seen of the answer section may have the data,
 * and an answer that is right must not be counted as one without.
 */
DNS_INLINE enum dns_verdict dns_records_cut(struct dns_message *message, __u64 needed, __u64 record)
{
	if (needed > message->message_bytes)
		return DNS_MALFORMED;
	message->is_unfinished = dns_is_below(record, message->records) & 1;
	message->has_data = dns_is_below(record, message->answers) & 1;
	return DNS_OK;
}

/*
 * Walks over the records up to the first that says what was to be known: one of the asked type in the answer section, or EDNS's
 * OPT, whose bits of the RCODE only matter to an answer without data. Any record is data where the asked type is none that records
 * have, or no question was repeated. Owners and classes are not compared: behind a CNAME the owner is another.
 *
 * Malformed are records that lead out of the message, a label of another kind, an owner whose own labels have more than 255 bytes,
 * and a pointer that does not lead to before the name that it is in; pointers that all lead back cannot be a circle. An answer
 * with TC is not looked into: it may end anywhere, and nobody uses what it has.
 */
DNS_INLINE enum dns_verdict dns_read_records(const __u8 *bytes, __u64 size, struct dns_message *message)
{
	__u64 unsure = dns_unsure(bytes);
	__u64 place = dns_place(message->records_at, unsure);
	__u64 owner = place; /* where the name begins that `place` is in */
	__u64 record = 0;
	__u64 asked = message->qtype;
	__u64 any = dns_is_same(asked, 0) |
		    (dns_is_below(DNS_FIRST_QTYPE - 1, asked) & dns_is_below(asked, DNS_LAST_QTYPE + 1));
	__u64 byte, pointer, target, needed, type, in_answers, found;
	const __u8 *fixed;

	if (message->is_truncated)
		return DNS_OK;
	DNS_LOOP
	for (__u32 i = 0; i < DNS_STEPS; i++) {
		if (record >= message->records)
			return DNS_OK;
		needed = place + 1;
		if (needed > size)
			return dns_records_cut(message, needed, record);
		byte = dns_byte_at(bytes, place);
		if (byte > DNS_LABEL_BYTES && byte < DNS_POINTER)
			return DNS_MALFORMED;
		if (byte && byte <= DNS_LABEL_BYTES) {
			place = dns_place(place + 1 + byte, unsure);
			if (place - owner >= DNS_NAME_BYTES)
				return DNS_MALFORMED;
			continue;
		}
		pointer = byte >> 7;
		target = (byte - DNS_POINTER) << 8 | dns_byte_at(bytes, place + 1);
		place += 1 + pointer;
		DNS_OPAQUE(place);
		needed = place + DNS_RECORD_BYTES;
		if (place > DNS_WINDOW - DNS_RECORD_BYTES || needed > size)
			return dns_records_cut(message, needed, record);
		if (pointer & (dns_is_below(target, DNS_HEADER_BYTES) | dns_is_below(owner, target + 1)))
			return DNS_MALFORMED;
		fixed = bytes + place;
		type = dns_number(fixed);
		place += DNS_RECORD_BYTES + dns_number(fixed + 8);
		if (place > message->message_bytes)
			return DNS_MALFORMED;
		in_answers = dns_is_below(record, message->answers);
		found = (in_answers & (any | dns_is_same(type, asked))) | ((1 - in_answers) & dns_is_same(type, DNS_TYPE_OPT));
		DNS_OPAQUE(found);
		if (found) {
			if (in_answers)
				message->has_data = 1;
			else
				message->rcode = (fixed[4] << 4 | message->rcode) & 0xfff;
			return DNS_OK;
		}
		place = dns_place(place, unsure);
		owner = place;
		record = (record + 1 + unsure) & 0xff;
	}
	return dns_records_cut(message, 0, record);
}

#endif
