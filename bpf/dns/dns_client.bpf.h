/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Queries of this host's processes and the answers to them: each query once, from its first message to its answer, with the
 * reason when there is none.
 *
 * A query is known by its socket and id, and compared by its question. What a process sends again with the same id is a retry. An
 * answer with TC does not end it: when the same process asks the same question over TCP, it is still that query, and so is one
 * that the program has dropped for that, as glibc drops the AAAA query when the answer to the A query is truncated.
 *
 * An answer that cannot belong ends nothing, since a right one may follow; but a query that stays without an answer then says so.
 *
 * Kernel half only; cgroup_skb programs.
 */
#ifndef CONNSCOPE_DNS_CLIENT_BPF_H
#define CONNSCOPE_DNS_CLIENT_BPF_H

#include "bpf/dns/dns_cells.bpf.h"
#include "bpf/dns/dns_labels.bpf.h"
#include "bpf/dns/dns_window.bpf.h"
#include "bpf/dns/lookups.bpf.h"
#include "bpf/include/identity.bpf.h"

/* A program that has waited that long gives up because nothing came. */
#define GIVEN_UP_AFTER_NS 1000000000ULL

/* Whether the process that runs now is one that uses the socket. */
static __always_inline bool runs_for_socket(struct __sk_buff *skb, bool is_tcp)
{
	return !is_tcp || process_holds_socket(skb);
}

/* Who has asked on that socket before. */
static __always_inline u64 owner_of(u64 cookie)
{
	const struct asker *asker = find_asker(cookie);

	return asker ? asker->identity : IDENTITY_UNKNOWN;
}

static __always_inline u32 current_tgid(void)
{
	return BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), tgid);
}

/* On a stack of its own: that of its caller is deep. */
static __noinline void count_in_lookup(u64 identity)
{
	count_query_of_lookup(BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), pid), identity);
}

/* Why a query was given up after its program had waited that long. */
static __always_inline enum dns_outcome given_up_after(u64 waited_ns)
{
	return waited_ns >= GIVEN_UP_AFTER_NS ? QUERY_TIMEOUT : QUERY_ABORTED;
}

/* Why a query stays without an answer whose socket saw `stray` since it was begun. */
static __always_inline enum dns_outcome unanswered(u8 stray, enum dns_outcome otherwise)
{
	if (stray == STRAY_ID_MISMATCH || stray == STRAY_QUESTION_MISMATCH)
		return QUERY_ID_MISMATCH;
	return stray == STRAY_MALFORMED ? QUERY_MALFORMED : otherwise;
}

/* What is known of a query, by now over, that got no answer. `until_ns` is when that was clear. */
static __always_inline void end_unanswered(const struct query_key *key, const struct query *query, const struct asker *asker,
					   enum dns_outcome outcome, u64 until_ns)
{
	u8 stray = asker && asker->stray_ns >= query->begun_ns ? asker->stray : STRAY_NONE;

	count_query_end(key, query, unanswered(stray, outcome), 0, until_ns - query->begun_ns);
}

/* --- asking ---------------------------------------------------------------------------------------------------------- */

/* The same message once more. */
static __always_inline void retry(struct query *query, u64 now)
{
	struct dns_rare *rare = rare_cell(query->identity);

	query->sent_ns = now;
	if (rare)
		__sync_fetch_and_add(&rare->retries, 1);
}

/* Its id is used for another question: nobody waits for it any more. */
static __noinline void drop_query(const struct query_key *key, u64 now)
{
	struct query dropped;

	if (!take_query(key, &dropped))
		return;
	end_unanswered(key, &dropped, find_asker(key->cookie), given_up_after(now - dropped.begun_ns), now);
}

/* The query that goes on over TCP, if this question is one that was truncated. `query` is room for it. */
static __noinline bool continue_truncated(const struct query_key *key, u64 question, struct query *query, u64 now)
{
	struct truncated_key asked = {.question = question, .tgid = current_tgid()};
	const struct query_key *kept = bpf_map_lookup_elem(&truncated, &asked);
	struct query_key before;

	if (!kept)
		return false;
	before = *kept;
	bpf_map_delete_elem(&truncated, &asked);
	if (!take_query(&before, query))
		return false;
	query->sent_ns = now;
	query->truncated_ns = 0;
	query->has_answer = 0;
	if (!keep_query(key, query, asker_of(key->cookie)))
		count_query_end(key, query, QUERY_ABORTED, 0, now - query->begun_ns); /* of what follows nothing is known */
	return true;
}

static __always_inline void may_go_on_over_tcp(const struct query_key *key, const struct query *query)
{
	struct truncated_key asked = {.question = query->question, .tgid = query->tgid};

	bpf_map_update_elem(&truncated, &asked, key, BPF_ANY);
}

/* An answer with TC has just come for another query of that socket, while the program was about to send this one. */
static __always_inline bool is_truncated_already(const struct asker *asker, const struct query *query)
{
	return asker->truncated_ns && query->begun_ns < asker->truncated_ns + GIVEN_UP_AFTER_NS;
}

/* `query` has its owner and its times. */
static __noinline void begin_query(struct __sk_buff *skb, const struct packet *packet, const struct query_key *key,
				   const struct dns_message *message, struct query *query)
{
	struct asker *asker = asker_of(key->cookie);
	struct dns_begun *begun;

	query->question = message->question;
	query->qtype = message->qtype;
	query->transport = packet->is_tcp ? DNS_TCP : DNS_UDP;
	if (by_server)
		query->server = server_of(skb, packet);
	if (asker && !packet->is_tcp && is_truncated_already(asker, query)) {
		query->truncated_ns = query->begun_ns;
		may_go_on_over_tcp(key, query);
	}
	begun = begun_cell(query);
	if (!begun || !keep_query(key, query, asker))
		return;
	__sync_fetch_and_add(&begun->queries, 1);
	count_in_lookup(query->identity);
	if (wants_names)
		count_name(query, message);
	keep_query_origin(skb, key, query->tgid);
}

/* What is known of a query before it is looked at: who asks, and since when. */
static __always_inline struct query new_query(struct __sk_buff *skb, const struct packet *packet, u64 cookie, u64 now)
{
	const struct stream *stream = packet->is_tcp ? find_stream(cookie, EGRESS) : NULL;
	struct process_place place = current_place();
	struct query query = {
		.begun_ns = stream ? stream->since_ns : now,
		.sent_ns = now,
		.tgid = place.tgid,
		.identity = runs_for_socket(skb, packet->is_tcp) ? identity_at(&place) : owner_of(cookie),
	};

	return query;
}

/* A message from a process of this host to a DNS server. */
static __always_inline void ask(struct __sk_buff *skb, const struct packet *packet, const struct dns_message *message, u64 now)
{
	struct query_key key = query_key_of(bpf_get_socket_cookie(skb), message->id);
	struct query *known = bpf_map_lookup_elem(&queries, &key), query;

	if (known) {
		if (known->question == message->question) {
			retry(known, now);
			return;
		}
		drop_query(&key, now);
	}
	if (packet->is_tcp && continue_truncated(&key, message->question, &query, now)) {
		keep_query_origin(skb, &key, query.tgid);
		return;
	}
	/* Here and not below, where the stack is deep. */
	query = new_query(skb, packet, key.cookie, now);
	if (query.identity != IDENTITY_IGNORED)
		begin_query(skb, packet, &key, message, &query);
}

/* --- being answered -------------------------------------------------------------------------------------------------- */

static __noinline void count_stray(struct asker *asker, enum dns_stray stray, u64 now)
{
	struct dns_rare *rare = rare_cell(asker->identity);

	if (stray != STRAY_DUPLICATE) {
		asker->stray = stray;
		asker->stray_ns = now;
	}
	if (rare && stray < DNS_STRAYS)
		__sync_fetch_and_add(&rare->strays[stray], 1);
}

/* Whether its time was up, which is counted. */
static __always_inline bool is_late(const struct query_key *key)
{
	const u64 *identity = bpf_map_lookup_elem(&timed_out, key);
	struct dns_rare *rare;

	if (!identity)
		return false;
	rare = rare_cell(*identity);
	if (rare)
		__sync_fetch_and_add(&rare->late, 1);
	bpf_map_delete_elem(&timed_out, key);
	return true;
}

/* The socket does not wait for an answer with that id. */
static __noinline void answer_nobody(const struct query_key *key, bool is_tcp, u64 now)
{
	struct asker *asker = find_asker(key->cookie);

	if (is_late(key) || !asker)
		return;
	for (u32 i = 0; i < REMEMBERED; i++) {
		if (i >= asker->answers || asker->answered[i] != key->id)
			continue;
		if (!is_tcp) /* a zone transfer has many answers */
			count_stray(asker, STRAY_DUPLICATE, now);
		return;
	}
	/* When it waits for nothing, it can only be one of the answers before. */
	count_stray(asker, asker->open > 0 ? STRAY_ID_MISMATCH : STRAY_DUPLICATE, now);
}

/* TC: the program may ask again over TCP, and then for what else it has asked on that socket too. */
static __noinline void truncate_query(const struct query_key *key, struct query *query, u64 now)
{
	struct asker *asker = find_asker(key->cookie);
	struct dns_rare *rare = rare_cell(query->identity);
	struct query_key other = *key;
	struct query *sibling;

	if (rare)
		__sync_fetch_and_add(&rare->truncated, 1);
	query->truncated_ns = now;
	query->has_answer = 1;
	may_go_on_over_tcp(key, query);
	if (!asker)
		return;
	asker->truncated_ns = now;
	for (u32 i = 0; i < REMEMBERED; i++) {
		if (i >= asker->asks || asker->asked[i] == key->id)
			continue;
		other.id = asker->asked[i];
		sibling = bpf_map_lookup_elem(&queries, &other);
		if (!sibling || sibling->truncated_ns)
			continue;
		sibling->truncated_ns = now;
		may_go_on_over_tcp(&other, sibling);
	}
}

static __always_inline enum dns_outcome outcome_of(const struct dns_message *message)
{
	if (message->rcode)
		return QUERY_ERROR_RCODE;
	return message->has_data ? QUERY_ANSWERED : QUERY_NODATA;
}

static __always_inline void answer_query(const struct query_key *key, const struct query *found,
					 const struct dns_message *message, u64 now)
{
	struct asker *asker = find_asker(key->cookie);
	struct query query;

	if (!take_found(key, found, asker, &query))
		return;
	if (asker)
		asker->answered[asker->answers++ & (REMEMBERED - 1)] = key->id;
	count_query_end(key, &query, outcome_of(message), message->rcode, now - query.begun_ns);
}

/* A message from a DNS server to a process of this host; `verdict` is what the parser says of it. */
static __always_inline void be_answered(struct __sk_buff *skb, const struct packet *packet, const struct dns_message *message,
					enum dns_verdict verdict, u64 now)
{
	struct query_key key = query_key_of(bpf_get_socket_cookie(skb), message->id);
	struct query *query = bpf_map_lookup_elem(&queries, &key);
	struct asker *asker;

	if (verdict != DNS_OK) {
		asker = find_asker(key.cookie);
		if (asker && verdict != DNS_OTHER_OPCODE)
			count_stray(asker, STRAY_MALFORMED, now);
	} else if (!query) {
		answer_nobody(&key, packet->is_tcp, now);
	} else if (message->has_question && message->question != query->question) {
		asker = find_asker(key.cookie);
		if (asker)
			count_stray(asker, STRAY_QUESTION_MISMATCH, now);
	} else if (message->is_truncated && !packet->is_tcp) {
		truncate_query(&key, query, now);
	} else {
		answer_query(&key, query, message, now);
	}
}

#endif
