/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What one side of a TLS connection sends, read piece by piece: headers of records, alerts, and those fields of handshake messages
 * that say how the handshake goes. Records, messages and segments may be cut and joined anywhere: a piece is a few bytes that are
 * kept until they are whole, or bytes that are passed over.
 *
 * Sources: RFC 8446 sections 4 to 6, RFC 5246 section 7, RFC 6066 section 3.
 *
 * The caller asks tls_next_piece how many bytes to take next, copies them to where it says, unless they are passed over, and calls
 * tls_take_piece, which says what has become whole by that. It sets `is_encrypted` once the side hides its messages, and
 * `wants_name` when it wants to know the server's name.
 *
 * Both halves; plain C and C++, so that tests can run it in userspace too. No state but the parser's.
 */
#ifndef CONNSCOPE_TLS_RECORD_H
#define CONNSCOPE_TLS_RECORD_H

#include "bpf/include/shared.h"

#include <linux/types.h>

enum tls_record_type {
	RECORD_CHANGE_CIPHER_SPEC = 20,
	RECORD_ALERT = 21,
	RECORD_HANDSHAKE = 22,
	RECORD_APPLICATION_DATA = 23,
	RECORD_HEARTBEAT = 24,
};

enum tls_message_type {
	MESSAGE_CLIENT_HELLO = 1,
	MESSAGE_SERVER_HELLO = 2,
	MESSAGE_CERTIFICATE = 11,
	MESSAGE_CERTIFICATE_REQUEST = 13,
	MESSAGE_SERVER_HELLO_DONE = 14,
};

/* What has become whole by a piece. */
enum tls_event {
	EVENT_NONE = 0,
	EVENT_NOT_TLS,            /* no record begins like that; the parser is of no use any more */
	EVENT_ALERT,              /* in plain text: `alert` */
	EVENT_CHANGE_CIPHER_SPEC,
	EVENT_HIDDEN,             /* the header of a record that cannot be read: `record_type`, `record_bytes` */
	EVENT_MESSAGE,            /* a handshake message in plain text: `message` */
	EVENT_CERTIFICATE,        /* the sender's own begins with the next byte: `certificate_bytes` */
};

/* What the bytes in the lower half of `head` are. */
enum tls_step {
	STEP_MESSAGE = 0, /* the header of a message */
	STEP_VERSION,     /* of a hello, and how its random begins */
	STEP_SESSION_ID,  /* its length */
	STEP_SUITES,      /* the length of the list that a client offers */
	STEP_COMPRESSIONS,
	STEP_CIPHER,      /* that a server has chosen, and its compression */
	STEP_EXTENSIONS,  /* their length */
	STEP_EXTENSION,   /* type and length of one */
	STEP_SUPPORTED_VERSION,
	STEP_NAME_LENGTH, /* of the list of server names, and of its first one */
	STEP_NAME,        /* a word of it */
	STEP_CERTIFICATE, /* the length of the list of certificates, and of its first one */
	STEP_END,         /* nothing more of this message is looked at */
};

#define TLS_RECORD_HEADER 5
#define TLS_MESSAGE_HEADER 4
#define TLS_ALERT_BYTES 2
#define TLS_MOST_RECORD_BYTES (16384 + 2048) /* RFC 5246 section 6.2.3 */

#define TLS_WORD 8        /* the most that is kept of a message at once */
#define TLS_HEAD_RECORD 8 /* where a record's header is kept; what is before it is a message's */
#define TLS_HEAD 24       /* more than is ever used: it shows the verifier that nothing is written behind */
#define TLS_NAME_WORDS 8  /* of the server's name, as far as it is kept; a power of two */
#define TLS_PASSED_OVER 0xff

struct tls_parser {
	__u8 head[TLS_HEAD];
	__u32 skip;           /* bytes of the message that are passed over before the next step's */
	__u32 message_left;   /* bytes of the message that were not taken yet */
	__u16 extension_left; /* of the server name's extension */
	__u16 name_left;
	__u16 record_left;    /* bytes of the record's content that were not taken yet */
	__u16 record_bytes;
	__u16 version; /* of a ServerHello */
	__u16 cipher;
	__u8 record_type;
	__u8 record_want; /* how much of a record's header or of an alert is kept, before anything else; 0: the content goes on */
	__u8 record_got;
	__u8 step;
	__u8 need; /* bytes of the step */
	__u8 got;
	__u8 message;
	__u8 name_words; /* how many are kept */
	__u8 alert[TLS_ALERT_BYTES]; /* level and description */
	__u8 is_retry;   /* the ServerHello is a HelloRetryRequest */
	__u8 is_resumed; /* it takes a key from before: TLS 1.3 */
	__u8 is_encrypted;
	__u8 wants_name;
	__u16 certificate_bytes; /* 0xffff: as many or more */
	__u8 reserved[4];
};
SHARED_STRUCT(struct tls_parser, 64);

#define TLS_INLINE static inline __attribute__((always_inline))

TLS_INLINE void tls_expect_record(struct tls_parser *parser)
{
	parser->record_want = TLS_RECORD_HEADER;
	parser->record_got = 0;
}

TLS_INLINE void tls_expect_message(struct tls_parser *parser)
{
	parser->step = STEP_MESSAGE;
	parser->need = TLS_MESSAGE_HEADER;
	parser->got = 0;
	parser->skip = 0;
}

/* `parser` is all zeros. */
TLS_INLINE void tls_begin_parser(struct tls_parser *parser)
{
	tls_expect_record(parser);
	tls_expect_message(parser);
}

TLS_INLINE __u16 tls_number(const __u8 *bytes)
{
	return (bytes[0] << 8 | bytes[1]) & 0xffff;
}

TLS_INLINE __u32 tls_least(__u32 left, __u32 right)
{
	return left < right ? left : right;
}

TLS_INLINE int tls_reads_messages(const struct tls_parser *parser)
{
	return parser->record_type == RECORD_HANDSHAKE && !parser->is_encrypted;
}

/* How many of the `available` bytes, which are some, to take next; `*place` is where in `head` they belong, or TLS_PASSED_OVER. */
TLS_INLINE __u32 tls_next_piece(const struct tls_parser *parser, __u32 available, __u8 *place)
{
	if (parser->record_want) {
		*place = (TLS_HEAD_RECORD + parser->record_got) & 0xff;
		return tls_least(available, parser->record_want - parser->record_got);
	}
	*place = TLS_PASSED_OVER;
	available = tls_least(available, parser->record_left);
	if (!tls_reads_messages(parser))
		return available;
	if (parser->skip)
		return tls_least(available, parser->skip);
	*place = parser->got;
	return tls_least(available, parser->need - parser->got);
}

/* The message has ended. */
TLS_INLINE enum tls_event tls_end_message(struct tls_parser *parser)
{
	tls_expect_message(parser);
	return EVENT_MESSAGE;
}

/* What comes next of the message: `skip` bytes that are passed over, then `need` that are looked at; or its end, before those. */
TLS_INLINE enum tls_event tls_expect(struct tls_parser *parser, enum tls_step step, __u32 skip, __u8 need)
{
	if (!parser->message_left)
		return tls_end_message(parser);
	parser->got = 0;
	parser->step = step;
	parser->skip = skip;
	parser->need = need;
	if (step == STEP_END || skip + need > parser->message_left) {
		parser->step = STEP_END;
		parser->skip = parser->message_left;
		parser->need = 0;
	}
	return EVENT_NONE;
}

TLS_INLINE enum tls_event tls_take_message_header(struct tls_parser *parser)
{
	const __u8 *head = parser->head;

	parser->message = head[0];
	parser->message_left = (0U + head[1]) << 16 | tls_number(head + 2);
	if (parser->message == MESSAGE_CERTIFICATE)
		return tls_expect(parser, STEP_CERTIFICATE, 0, 6);
	/* Of a ClientHello only the name would be of use, and it has many extensions. */
	if (parser->message != MESSAGE_SERVER_HELLO && (parser->message != MESSAGE_CLIENT_HELLO || !parser->wants_name))
		return tls_expect(parser, STEP_END, 0, 0);
	parser->version = 0;
	parser->cipher = 0;
	parser->is_retry = 0;
	parser->is_resumed = 0;
	parser->name_words = 0;
	return tls_expect(parser, STEP_VERSION, 0, TLS_WORD);
}

/* The random of a HelloRetryRequest is a fixed one (RFC 8446 section 4.1.3), of which the first six bytes tell enough. */
TLS_INLINE enum tls_event tls_take_version(struct tls_parser *parser)
{
	const __u8 *head = parser->head;

	parser->version = tls_number(head);
	parser->is_retry = parser->message == MESSAGE_SERVER_HELLO && tls_number(head + 2) == 0xcf21 &&
			   tls_number(head + 4) == 0xad74 && tls_number(head + 6) == 0xe59a;
	return tls_expect(parser, STEP_SESSION_ID, 26, 1);
}

TLS_INLINE enum tls_event tls_take_extension(struct tls_parser *parser)
{
	enum { SERVER_NAME = 0, PRE_SHARED_KEY = 41, SUPPORTED_VERSIONS = 43 };
	__u16 type = tls_number(parser->head), bytes = tls_number(parser->head + 2);

	if (parser->message == MESSAGE_SERVER_HELLO) {
		if (type == SUPPORTED_VERSIONS && bytes == 2)
			return tls_expect(parser, STEP_SUPPORTED_VERSION, 0, 2);
		if (type == PRE_SHARED_KEY)
			parser->is_resumed = 1;
	} else if (type == SERVER_NAME && parser->wants_name && bytes >= 5) {
		parser->extension_left = (bytes - 5) & 0xffff;
		return tls_expect(parser, STEP_NAME_LENGTH, 0, 5);
	}
	return tls_expect(parser, STEP_EXTENSION, bytes, 4);
}

/* The name goes on, word by word. */
TLS_INLINE enum tls_event tls_expect_name(struct tls_parser *parser)
{
	__u32 bytes = tls_least(tls_least(parser->name_left, parser->extension_left), TLS_WORD);

	if (!bytes || parser->name_words >= TLS_NAME_WORDS)
		return tls_expect(parser, STEP_EXTENSION, parser->extension_left, 4);
	parser->name_left = (parser->name_left - bytes) & 0xffff;
	parser->extension_left = (parser->extension_left - bytes) & 0xffff;
	return tls_expect(parser, STEP_NAME, 0, bytes & 0xff);
}

TLS_INLINE enum tls_event tls_take_name(struct tls_parser *parser, __u64 *name)
{
	__u64 word = 0, byte;

	for (__u32 i = 0; i < TLS_WORD; i++) {
		byte = i < parser->need ? parser->head[i] : 0;
		word |= byte << 8 * i;
	}
	name[parser->name_words & (TLS_NAME_WORDS - 1)] = word;
	parser->name_words++;
	return tls_expect_name(parser);
}

/* One that begins with a record of its own is not told: the caller would find that record's header there. */
TLS_INLINE enum tls_event tls_take_certificate(struct tls_parser *parser)
{
	const __u8 *head = parser->head;
	__u32 bytes = (0U + head[3]) << 16 | tls_number(head + 4);
	enum tls_event event;

	if (bytes > parser->message_left)
		bytes = 0; /* no list is like that */
	parser->certificate_bytes = tls_least(bytes, 0xffff) & 0xffff;
	event = tls_expect(parser, STEP_END, 0, 0);
	return bytes && !parser->record_want ? EVENT_CERTIFICATE : event;
}

/* The bytes of a step have come, and what was to be passed over is. */
TLS_INLINE enum tls_event tls_take_step(struct tls_parser *parser, __u64 *name)
{
	const __u8 *head = parser->head;

	switch (parser->step) {
	case STEP_MESSAGE:
		return tls_take_message_header(parser);
	case STEP_VERSION:
		return tls_take_version(parser);
	case STEP_SESSION_ID:
		if (parser->message == MESSAGE_SERVER_HELLO)
			return tls_expect(parser, STEP_CIPHER, head[0], 3);
		return tls_expect(parser, STEP_SUITES, head[0], 2);
	case STEP_SUITES:
		return tls_expect(parser, STEP_COMPRESSIONS, tls_number(head), 1);
	case STEP_COMPRESSIONS:
		return tls_expect(parser, STEP_EXTENSIONS, head[0], 2);
	case STEP_CIPHER:
		parser->cipher = tls_number(head);
		return tls_expect(parser, STEP_EXTENSIONS, 0, 2);
	case STEP_EXTENSIONS:
		return tls_expect(parser, STEP_EXTENSION, 0, 4);
	case STEP_EXTENSION:
		return tls_take_extension(parser);
	case STEP_SUPPORTED_VERSION:
		parser->version = tls_number(head);
		return tls_expect(parser, STEP_EXTENSION, 0, 4);
	case STEP_NAME_LENGTH:
		parser->name_left = tls_number(head + 3);
		return tls_expect_name(parser);
	case STEP_NAME:
		return tls_take_name(parser, name);
	case STEP_CERTIFICATE:
		return tls_take_certificate(parser);
	default:
		return tls_end_message(parser);
	}
}

TLS_INLINE enum tls_event tls_begin_record(struct tls_parser *parser)
{
	const __u8 *head = parser->head + TLS_HEAD_RECORD;

	parser->record_type = head[0];
	parser->record_bytes = tls_number(head + 3);
	parser->record_left = parser->record_bytes;
	parser->record_got = 0;
	if (head[0] < RECORD_CHANGE_CIPHER_SPEC || head[0] > RECORD_HEARTBEAT || head[1] != 3 ||
	    parser->record_bytes > TLS_MOST_RECORD_BYTES)
		return EVENT_NOT_TLS;
	parser->record_want = parser->record_bytes ? 0 : TLS_RECORD_HEADER;
	if (parser->record_type == RECORD_ALERT && parser->record_bytes == TLS_ALERT_BYTES) {
		parser->record_want = TLS_ALERT_BYTES;
		return EVENT_NONE;
	}
	if (parser->record_type == RECORD_CHANGE_CIPHER_SPEC)
		return EVENT_CHANGE_CIPHER_SPEC;
	return tls_reads_messages(parser) ? EVENT_NONE : EVENT_HIDDEN;
}

/* More of a record's header, or of an alert. */
TLS_INLINE enum tls_event tls_take_record(struct tls_parser *parser, __u32 bytes)
{
	parser->record_got = (parser->record_got + bytes) & 0xff;
	if (parser->record_got < parser->record_want)
		return EVENT_NONE;
	if (parser->record_want == TLS_RECORD_HEADER)
		return tls_begin_record(parser);
	parser->alert[0] = parser->head[TLS_HEAD_RECORD];
	parser->alert[1] = parser->head[TLS_HEAD_RECORD + 1];
	tls_expect_record(parser);
	return EVENT_ALERT;
}

/* `bytes` were taken, as tls_next_piece has said. `name` has TLS_NAME_WORDS words. */
TLS_INLINE enum tls_event tls_take_piece(struct tls_parser *parser, __u32 bytes, __u64 *name)
{
	if (parser->record_want)
		return tls_take_record(parser, bytes);
	parser->record_left = (parser->record_left - bytes) & 0xffff;
	if (!parser->record_left)
		tls_expect_record(parser);
	if (!tls_reads_messages(parser))
		return EVENT_NONE;
	if (parser->step != STEP_MESSAGE)
		parser->message_left -= bytes;
	if (parser->skip)
		parser->skip -= bytes;
	else
		parser->got = (parser->got + bytes) & 0xff;
	if (parser->skip || parser->got < parser->need)
		return EVENT_NONE;
	return tls_take_step(parser, name);
}

/* The content of the record that has begun, of which the caller wants nothing: how many of the `available` bytes belong to it. */
TLS_INLINE __u32 tls_pass_record(struct tls_parser *parser, __u32 available)
{
	__u32 bytes = tls_least(available, parser->record_left);

	parser->record_left = (parser->record_left - bytes) & 0xffff;
	if (!parser->record_left)
		tls_expect_record(parser);
	return bytes;
}

#endif
