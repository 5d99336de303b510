/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What records, alerts and the ends of the two streams mean for a handshake.
 *
 * Up to TLS 1.2 both sides have finished when each has sent a hidden handshake record behind its ChangeCipherSpec; the one that sends
 * it first tells whether keys from before are used. In TLS 1.3 all is hidden from the ServerHello on: the client has finished when it
 * sends its first record then, unless that is as long as an alert. What it sent before the ServerHello is early data.
 *
 * A refusal may come after that. A server that has asked for a certificate, which the length of the client's first record shows, may
 * send an alert as its first word; it has refused when the connection ends by that, since a record of that length may also be data
 * or a farewell. And a client may close without having sent anything, when its library has found fault with the server.
 *
 * A hidden alert says as little of the reason as a connection that breaks off, and ranks as one.
 *
 * Kernel half only; cgroup_skb programs, and end_here for others.
 */
#ifndef CONNSCOPE_TLS_JUDGE_BPF_H
#define CONNSCOPE_TLS_JUDGE_BPF_H

#include "bpf/tls/tls_alerts.h"
#include "bpf/tls/tls_flow.bpf.h"
#include "bpf/tls/tls_hosts.bpf.h"
#include "bpf/tls/tls_merge.bpf.h"

/* A program that has waited that long for its peer gives up because nothing came. */
#define GIVEN_UP_AFTER_NS 1000000000ULL
/* After so many records nobody refuses any more. */
#define RECORDS_OF_CONSENT 64

/* Whether ciphers are told apart. Set before the load. */
const volatile __u8 by_cipher = 0;

#define CIPHER_AES_128_CCM_8_SHA256 0x1305 /* the one of TLS 1.3 whose tag has 8 bytes */
#define ALERT_CLOSE_NOTIFY 0
#define ALERT_USER_CANCELED 90
#define ALERT_LEVEL_WARNING 1

static __always_inline bool is_client_side(const struct handshake *handshake, u32 direction)
{
	return (handshake->role == TLS_CLIENT) == (direction == EGRESS);
}

/* --- the end of a connection ----------------------------------------------------------------------------------------- */

/* Why this side breaks off. A server that has not answered has nobody to wait for. */
static __always_inline u8 reason_to_give_up(const struct handshake *handshake, u64 now)
{
	if (handshake->role == TLS_SERVER && handshake->phase == PHASE_HELLO && handshake->is_asked)
		return TLS_ABORTED;
	return now >= handshake->last_ns + GIVEN_UP_AFTER_NS ? TLS_TIMEOUT : TLS_ABORTED;
}

/* The connection of a handshake that was done ends by this side: was that its own refusal, or the peer's? */
static __always_inline void part(u64 cookie, struct handshake *handshake, u64 now)
{
	if (handshake->is_refused) {
		fail_handshake(cookie, handshake, TLS_OTHER_ALERT, RANK_BREAK, now);
	} else if (handshake->doubt && !handshake->has_spoken) {
		note_for_handshake(handshake, handshake->doubt, RANK_VERDICT);
		settle(cookie);
	} else if (handshake->rank == RANK_NONE) {
		forget_handshake(cookie);
	}
}

/* This side breaks off. A client that does so at once, while its library finds fault with the server, has refused it. */
static __always_inline void give_up(u64 cookie, struct handshake *handshake, u64 now)
{
	u8 reason = reason_to_give_up(handshake, now);

	if (reason == TLS_ABORTED && handshake->doubt)
		fail_handshake(cookie, handshake, handshake->doubt, RANK_VERDICT, now);
	else
		fail_handshake(cookie, handshake, reason, RANK_BREAK, now);
}

/* This side ends the connection: it sends a FIN or a RST, or its program closes the socket. */
static __noinline void end_here(u64 cookie, struct handshake *handshake, u64 now)
{
	if (handshake->is_doubtful)
		forget_handshake(cookie);
	else if (handshake->phase < PHASE_DONE)
		give_up(cookie, handshake, now);
	else if (handshake->phase == PHASE_DONE)
		part(cookie, handshake, now);
}

/* The peer does. */
static __always_inline void end_there(u64 cookie, struct handshake *handshake, u8 reason, u64 now)
{
	if (handshake->is_doubtful)
		forget_handshake(cookie);
	else if (handshake->phase < PHASE_DONE)
		fail_handshake(cookie, handshake, reason, RANK_BREAK, now);
	else if (handshake->phase == PHASE_DONE && handshake->is_refused)
		fail_handshake(cookie, handshake, TLS_OTHER_ALERT, RANK_BREAK, now);
}

/* Whether nothing that is yet to come can make a difference. */
static __always_inline bool is_over(const struct handshake *handshake)
{
	bool may_be_refused = handshake->version == TLS_1_3 && handshake->wants_client_certificate && !handshake->is_accepted;

	if (handshake->phase != PHASE_DONE)
		return handshake->phase == PHASE_OVER;
	return !may_be_refused && (handshake->role == TLS_SERVER || handshake->has_spoken);
}

/* --- alerts ---------------------------------------------------------------------------------------------------------- */

/* Whether an alert leaves a handshake going on: a warning, which TLS 1.3 does not know any more. */
static __always_inline bool is_mere_warning(const struct handshake *handshake, const struct tls_parser *parser)
{
	return handshake->version != TLS_1_3 && parser->alert[0] == ALERT_LEVEL_WARNING;
}

static __always_inline void take_alert(u64 cookie, struct handshake *handshake, const struct tls_parser *parser, u32 direction,
				  u64 now)
{
	u8 alert = parser->alert[1];

	if (handshake->is_begun)
		count_alert(handshake->identity, direction, alert);
	else
		handshake->alert = alert;
	if (handshake->phase == PHASE_DONE && !tls_alert_refuses_certificate(alert))
		return;
	if (alert == ALERT_CLOSE_NOTIFY || alert == ALERT_USER_CANCELED) {
		if (direction == EGRESS)
			end_here(cookie, handshake, now);
		else
			end_there(cookie, handshake, TLS_PEER_CLOSED, now);
	} else if (!is_mere_warning(handshake, parser)) {
		fail_handshake(cookie, handshake, tls_alert_reason(alert), RANK_ALERT, now);
	}
}

/* --- records that cannot be read ------------------------------------------------------------------------------------- */

/* How long an alert is in TLS 1.3, and a Finished by either hash: content, type, tag. JSSE (Java) pads each record by 16 bytes. */
#define PADDING 16

static __always_inline bool is_long_as_alert(const struct handshake *handshake, u32 bytes)
{
	return bytes == 2U + 1 + handshake->tag_bytes;
}

static __always_inline bool is_long_as_padded_alert(const struct handshake *handshake, u32 bytes)
{
	return is_long_as_alert(handshake, bytes) || is_long_as_alert(handshake, bytes - PADDING);
}

static __always_inline bool is_long_as_finished(const struct handshake *handshake, u32 bytes)
{
	u32 least = 4U + 32 + 1 + handshake->tag_bytes;

	return bytes == least || bytes == least + 16 || bytes == least + 16 + PADDING;
}

/* TLS 1.3: a record of the client behind the ServerHello. */
static __always_inline void take_client_record(u64 cookie, struct handshake *handshake, struct tls_side *side, u32 bytes, u64 now)
{
	bool is_finished = is_long_as_finished(handshake, bytes);

	if (handshake->phase < PHASE_DONE) {
		if (is_long_as_padded_alert(handshake, bytes)) {
			fail_handshake(cookie, handshake, TLS_OTHER_ALERT, RANK_BREAK, now);
			return;
		}
		handshake->wants_client_certificate = !is_finished;
		side->is_hidden = is_finished;
		finish_handshake(cookie, handshake, now);
	} else if (side->is_hidden && !is_long_as_alert(handshake, bytes)) {
		handshake->has_spoken = 1;
	} else if (is_finished) {
		side->is_hidden = 1;
	}
}

/*
 * TLS 1.3: a record of the server. Before the client has finished, one that is as long as an alert can be nothing else; one as long as
 * a padded alert can.
 */
static __always_inline void take_server_record(u64 cookie, struct handshake *handshake, u32 bytes, u64 now)
{
	if (handshake->phase < PHASE_DONE) {
		if (is_long_as_alert(handshake, bytes))
			fail_handshake(cookie, handshake, TLS_OTHER_ALERT, RANK_BREAK, now);
	} else if (is_long_as_padded_alert(handshake, bytes) && !handshake->is_accepted && handshake->wants_client_certificate) {
		handshake->is_refused = 1;
	} else {
		handshake->is_accepted = 1;
		handshake->is_refused = 0;
	}
}

/* Up to TLS 1.2. */
static __always_inline void take_old_record(u64 cookie, struct handshake *handshake, struct tls_flow *flow, u32 direction,
					    const struct tls_parser *parser, u64 now)
{
	if (parser->record_type == RECORD_APPLICATION_DATA && is_client_side(handshake, direction))
		handshake->has_spoken = 1;
	if (handshake->phase >= PHASE_DONE)
		return;
	if (parser->record_type == RECORD_ALERT) {
		fail_handshake(cookie, handshake, TLS_OTHER_ALERT, RANK_BREAK, now);
		return;
	}
	if (parser->record_type != RECORD_HANDSHAKE)
		return;
	side_of(flow, direction)->is_hidden = 1;
	if (side_of(flow, !direction)->is_hidden)
		finish_handshake(cookie, handshake, now);
}

static __noinline void take_hidden_record(u64 cookie, struct handshake *handshake, struct tls_flow *flow, u32 direction, u64 now)
{
	struct tls_side *side = side_of(flow, direction);
	u32 bytes = side->parser.record_bytes;

	if (handshake->phase < PHASE_ANSWERED)
		return; /* early data */
	if (side->records < RECORDS_OF_CONSENT)
		side->records++;
	else
		handshake->has_spoken = handshake->is_accepted = 1;
	if (handshake->version != TLS_1_3)
		take_old_record(cookie, handshake, flow, direction, &side->parser, now);
	else if (side->parser.record_type != RECORD_APPLICATION_DATA)
		return;
	else if (is_client_side(handshake, direction))
		take_client_record(cookie, handshake, side, bytes, now);
	else
		take_server_record(cookie, handshake, bytes, now);
}

/* --- messages in plain text ------------------------------------------------------------------------------------------ */

static __always_inline u8 version_of(u16 on_wire)
{
	switch (on_wire) {
	case 0x0300:
		return TLS_SSL_3;
	case 0x0301:
		return TLS_1_0;
	case 0x0302:
		return TLS_1_1;
	case 0x0303:
		return TLS_1_2;
	case 0x0304:
		return TLS_1_3;
	default:
		return TLS_VERSION_UNKNOWN;
	}
}

static __always_inline void take_server_hello(struct handshake *handshake, const struct tls_parser *parser)
{
	handshake->version = version_of(parser->version);
	if (by_cipher)
		handshake->cipher = parser->cipher;
	handshake->tag_bytes = parser->cipher == CIPHER_AES_128_CCM_8_SHA256 ? 8 : 16;
	if (parser->is_retry) {
		handshake->is_retried = 1;
		return;
	}
	handshake->is_resumed = handshake->version == TLS_1_3 && parser->is_resumed;
	handshake->phase = PHASE_ANSWERED;
}

static __noinline void take_message(u64 cookie, struct handshake *handshake, struct tls_flow *flow, const struct tls_parser *parser)
{
	switch (parser->message) {
	case MESSAGE_CLIENT_HELLO:
		handshake->is_asked = 1;
		if (wants_hosts && !handshake->host)
			handshake->host = host_number(flow->name, parser->name_words);
		if (somebody_listens())
			note_host(cookie, flow->name, parser->name_words);
		break;
	case MESSAGE_SERVER_HELLO:
		if (handshake->phase == PHASE_HELLO)
			take_server_hello(handshake, parser);
		break;
	case MESSAGE_CERTIFICATE_REQUEST:
		handshake->wants_client_certificate = 1;
		break;
	case MESSAGE_CERTIFICATE:
		handshake->has_certificate = 1;
		break;
	}
}

/* From here on that side hides its messages. TLS 1.3 sends it too, for those in between, and means nothing by it. */
static __always_inline void change_cipher(struct handshake *handshake, struct tls_flow *flow, u32 direction)
{
	if (handshake->phase < PHASE_ANSWERED || handshake->version == TLS_1_3)
		return;
	side_of(flow, direction)->parser.is_encrypted = 1;
	if (!is_client_side(handshake, direction) && !side_of(flow, !direction)->parser.is_encrypted)
		handshake->is_resumed = 1;
}

/* No TLS. */
static __noinline void take_garbage(u64 cookie, struct handshake *handshake, struct tls_side *side, u32 direction, u64 now)
{
	if (side->is_guessed) {
		lose_side(side);
		handshake->is_blind = 1;
	}
	side->is_lost = 1; /* the parser is of no use any more */
	if (!side->is_guessed && handshake->phase < PHASE_DONE)
		fail_handshake(cookie, handshake, direction == INGRESS ? TLS_NOT_TLS : TLS_ABORTED, RANK_BREAK, now);
}

/* Whether it has turned out to be no handshake: then it is as if it had never been. */
static __always_inline bool is_none(u64 cookie, struct handshake *handshake, const struct tls_parser *parser, u32 event)
{
	if (!handshake->is_doubtful)
		return false;
	handshake->is_doubtful = event != EVENT_MESSAGE || parser->message != MESSAGE_CLIENT_HELLO;
	if (handshake->is_doubtful)
		forget_handshake(cookie);
	return handshake->is_doubtful;
}

/*
 * What is of no account, and makes up most of a handshake in TLS 1.3: hidden records of the server before the client has finished, unless
 * they may be alerts, and ChangeCipherSpec.
 */
static __always_inline bool means_nothing(const struct handshake *handshake, const struct tls_parser *parser, u32 event, u32 direction)
{
	if (handshake->phase != PHASE_ANSWERED || handshake->version != TLS_1_3 || handshake->is_doubtful)
		return false;
	if (event == EVENT_CHANGE_CIPHER_SPEC)
		return true;
	return event == EVENT_HIDDEN && !is_client_side(handshake, direction) && !is_long_as_alert(handshake, parser->record_bytes);
}

/* Something has become whole on that side. 1: nothing more is of interest. Global, as take_from_segment is. */
__noinline int judge(u64 cookie, u64 now, u32 event, u32 direction)
{
	struct handshake *handshake = find_handshake(cookie);
	struct tls_flow *flow;
	struct tls_side *side;

	if (!handshake || handshake->phase == PHASE_OVER)
		return 1;
	flow = flow_of(handshake);
	side = side_of(flow, direction);
	if (is_none(cookie, handshake, &side->parser, event))
		return 1;
	if (event == EVENT_MESSAGE || event == EVENT_CHANGE_CIPHER_SPEC) {
		/* No handshake ends by one of these. */
		if (event == EVENT_MESSAGE)
			take_message(cookie, handshake, flow, &side->parser);
		else
			change_cipher(handshake, flow, direction);
		return 0;
	}
	if (event == EVENT_NOT_TLS)
		take_garbage(cookie, handshake, side, direction, now);
	else if (event == EVENT_ALERT)
		take_alert(cookie, handshake, &side->parser, direction, now);
	else if (event == EVENT_HIDDEN)
		take_hidden_record(cookie, handshake, flow, direction, now);
	handshake = find_handshake(cookie);
	return !handshake || is_over(handshake);
}

#endif
