// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The programs of the tls probe. Packets come from the packet programs (bpf/packet) by a tail call: those that begin with a hello, and
 * all packets of a socket that is watched.
 *
 *   tls_read.bpf.h  from segments to what is whole, by tls_flow.bpf.h and, for segments out of order, tls_early.bpf.h
 *   tls_judge.bpf.h what that means for a handshake
 *   below those: tls_merge.bpf.h (one outcome with what libraries say), tls_cells.bpf.h, tls_state.bpf.h
 */
#include "bpf/attempt/attempt_tls.bpf.h"
#include "bpf/include/identity.bpf.h"
#include "bpf/tls/tls_plain.bpf.h"
#include "bpf/tls/tls_read.bpf.h"

#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/*
 * When a ClientHello came with the segment that opens a connection, by connection_by_peer: that segment comes to the listener. The
 * handshake is begun when the server answers.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 2048);
	__type(key, u64);
	__type(value, u64);
} tls_opened SEC(".maps");

/* Whether any library tells of its handshakes; where none does, nobody looks for sessions. Set before the load. */
const volatile __u8 libraries_speak = 1;

/* --- the begin ------------------------------------------------------------------------------------------------------- */

static __always_inline bool is_listener(struct __sk_buff *skb)
{
	struct bpf_sock *sk = socket_of(skb);

	return sk && sk->state == TCP_LISTEN;
}

/* A handshake that began at `begun_ns`; all packets of its socket come here from now on. */
static __noinline struct handshake *begin(struct __sk_buff *skb, const struct packet *packet, u32 direction, u8 role, u64 begun_ns)
{
	u64 cookie = bpf_get_socket_cookie(skb);
	struct handshake *handshake = cookie ? begin_handshake(cookie, role, begun_ns) : NULL;

	if (!handshake)
		return NULL;
	begin_flow(flow_of(handshake), packet, direction);
	if (somebody_listens())
		meet_handshake(cookie, (u64)BPF_CORE_READ((struct sk_buff *)skb, sk));
	if (role == TLS_CLIENT)
		handshake->attempt_ns = attempt_goes_on_with_tls(skb);
	return handshake;
}

static __noinline struct handshake *begin_with_client_hello(struct __sk_buff *skb, const struct packet *packet, u32 direction,
							    u64 now)
{
	u64 connection;

	if (direction == EGRESS || !is_listener(skb))
		return begin(skb, packet, direction, direction == EGRESS ? TLS_CLIENT : TLS_SERVER, now);
	connection = connection_by_peer(skb, packet, direction);
	bpf_map_update_elem(&tls_opened, &connection, &now, BPF_ANY);
	return NULL;
}

/* A server's answer on a socket without a handshake: the listener may have seen the ClientHello. */
static __noinline struct handshake *begin_with_server_hello(struct __sk_buff *skb, const struct packet *packet)
{
	u64 connection = connection_by_peer(skb, packet, EGRESS);
	const u64 *opened_ns = bpf_map_lookup_elem(&tls_opened, &connection);
	struct handshake *handshake;

	if (!opened_ns)
		return NULL;
	handshake = begin(skb, packet, EGRESS, TLS_SERVER, *opened_ns);
	bpf_map_delete_elem(&tls_opened, &connection);
	if (!handshake)
		return NULL;
	handshake->is_asked = 1;
	flow_of(handshake)->sides[INGRESS].is_guessed = 1;
	return handshake;
}

/* The first packet of a socket that is of interest. What is too short to tell may be no handshake at all. */
static __always_inline struct handshake *meet(struct __sk_buff *skb, const struct packet *packet, u32 direction, u64 now)
{
	u8 message = MESSAGE_CLIENT_HELLO;
	bool is_short = bpf_skb_load_bytes(skb, packet->payload + TLS_RECORD_HEADER, &message, sizeof(message));
	struct handshake *handshake;

	if (!packet->begins_handshake && !begins_handshake(skb, packet))
		return NULL; /* it shares its slot of the gate with another */
	if (!is_short && message != MESSAGE_CLIENT_HELLO)
		return direction == EGRESS ? begin_with_server_hello(skb, packet) : NULL;
	handshake = begin_with_client_hello(skb, packet, direction, now);
	if (handshake)
		handshake->is_doubtful = is_short;
	return handshake;
}

/*
 * Processes whose library says nothing, or says it elsewhere. The user half looks whether a probe hangs in it. Where there are more than
 * it has room for, those that shook hands least lately go first.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, struct tls_stranger);
} tls_strangers SEC(".maps");

/* The running process sends in a handshake that is no session's. */
static __noinline void note_stranger(u64 identity)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct tls_stranger stranger = {.identity = identity, .began_ns = BPF_CORE_READ(task, group_leader, start_boottime)};
	u32 tgid = BPF_CORE_READ(task, tgid);
	const struct tls_stranger *known = bpf_map_lookup_elem(&tls_strangers, &tgid);

	if (!known || known->began_ns != stranger.began_ns)
		bpf_map_update_elem(&tls_strangers, &tgid, &stranger, BPF_ANY);
}

/* A library tells of its handshakes, be it after their first packets, as NSS does. */
static __noinline void forget_stranger(void)
{
	u32 tgid = BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), tgid);

	bpf_map_delete_elem(&tls_strangers, &tgid);
}

/* --- whose it is ----------------------------------------------------------------------------------------------------- */

/* A server whose first answer is no TLS is none: it may be any that was asked in vain. */
static __always_inline bool is_server_of_something_else(struct __sk_buff *skb, const struct packet *packet,
							const struct handshake *handshake)
{
	u8 type = 0;

	if (handshake->role != TLS_SERVER || handshake->phase != PHASE_HELLO || packet->payload >= skb->len)
		return false;
	bpf_skb_load_bytes(skb, packet->payload, &type, sizeof(type));
	return type < RECORD_CHANGE_CIPHER_SPEC || type > RECORD_HEARTBEAT;
}

/* The running process uses the socket. False: its handshakes are not counted. */
static __always_inline bool is_owned(struct handshake *handshake, u64 cookie)
{
	u64 identity;

	if (handshake->is_begun || handshake->is_doubtful)
		return true;
	identity = current_identity();
	if (identity == IDENTITY_IGNORED) {
		forget_handshake(cookie);
		return false;
	}
	own_handshake(handshake, identity);
	if (somebody_listens())
		note_owner(cookie);
	return true;
}

/* This host sends. Inline: the identity is looked up before the stack gets deep. False: the handshake is of no interest. */
static __always_inline bool find_owner(struct __sk_buff *skb, const struct packet *packet, struct handshake *handshake, u64 cookie)
{
	bool was_begun = handshake->is_begun;

	if (handshake->is_doubtful || (was_begun && (handshake->session.address || !libraries_speak)) || !process_holds_socket(skb))
		return true;
	if (!handshake->is_begun && is_server_of_something_else(skb, packet, handshake)) {
		forget_handshake(cookie);
		return false;
	}
	if (!is_owned(handshake, cookie))
		return false;
	if (!libraries_speak)
		return true;
	if (!handshake->session.address)
		bind_session(handshake, cookie);
	if (handshake->session.address)
		forget_stranger();
	else if (!was_begun)
		note_stranger(handshake->identity);
	return true;
}

/* --- segments -------------------------------------------------------------------------------------------------------- */

/* Whether a RST is one that its receiver takes: a forged one has another number. */
static __always_inline bool is_reset(const struct packet *packet, const struct tls_side *side, u32 direction)
{
	return packet->is_reset && (direction == EGRESS || side->is_lost || packet->sequence - side->next < 0x10000);
}

/* The stream may end with that packet. */
static __always_inline void read_end(struct __sk_buff *skb, const struct packet *packet, u64 cookie, u32 direction, u64 now)
{
	struct handshake *handshake = find_handshake(cookie);
	struct tls_side *side;
	bool is_reset_now;

	if (!handshake)
		return;
	side = side_of(flow_of(handshake), direction);
	is_reset_now = is_reset(packet, side, direction);
	if (packet->is_fin) {
		side->end = packet->sequence + (skb->len - packet->payload);
		side->has_end = 1;
	}
	if (!is_reset_now && !(side->has_end && (side->is_lost || side->next == side->end)))
		return;
	if (direction == EGRESS)
		end_here(cookie, handshake, now);
	else
		end_there(cookie, handshake, is_reset_now ? TLS_PEER_RESET : TLS_PEER_CLOSED, now);
}

/* Nothing more is looked at once nothing can make a difference. What has failed may wait for its library's word. */
static __always_inline bool is_settled(const struct handshake *handshake)
{
	return handshake->phase == PHASE_DONE && handshake->rank == RANK_NONE && is_over(handshake);
}

/* Whether the stream may end with that packet: by what it says itself, or since its end was seen before, out of order. */
static __always_inline bool may_end(const struct packet *packet, const struct tls_side *side)
{
	return packet->is_fin || packet->is_reset || side->has_end;
}

/* A packet of a handshake that goes on. True: there may be nothing more to look at by now. */
static __always_inline bool on_handshake_packet(struct __sk_buff *skb, const struct packet *packet, struct handshake *handshake,
						u64 cookie, u32 direction, u64 now)
{
	bool was_doubtful = handshake->is_doubtful, has_payload = packet->payload < skb->len, is_judged = false;
	struct tls_side *side = side_of(flow_of(handshake), direction);

	if (direction == INGRESS && has_payload && handshake->phase < PHASE_DONE)
		handshake->last_ns = now;
	if (has_payload) {
		is_judged = read_segment(skb, packet, handshake, side, cookie, direction, now);
		if (side->has_early) {
			read_early(cookie, direction, now);
			is_judged = true;
		}
	}
	if (was_doubtful && direction == EGRESS && (handshake = find_handshake(cookie)))
		find_owner(skb, packet, handshake, cookie);
	if (!may_end(packet, side))
		return is_judged;
	read_end(skb, packet, cookie, direction, now);
	return true;
}

static __always_inline int on_packet(struct __sk_buff *skb, u32 direction)
{
	struct packet packet = packet_of(skb);
	u64 cookie = bpf_get_socket_cookie(skb), now = bpf_ktime_get_ns();
	struct handshake *handshake = find_handshake(cookie) ?: meet(skb, &packet, direction, now);

	if (!handshake)
		return PASS;
	if (handshake->phase != PHASE_OVER) {
		if (direction == EGRESS && !find_owner(skb, &packet, handshake, cookie))
			return PASS;
		if (!on_handshake_packet(skb, &packet, handshake, cookie, direction, now))
			return PASS;
	}
	handshake = find_handshake(cookie);
	if (!handshake)
		return PASS;
	if (is_settled(handshake))
		forget_handshake(cookie);
	else if (direction == INGRESS)
		hand_certificate_on(skb, handshake);
	return PASS;
}

SEC("cgroup_skb/egress")
int tls_egress(struct __sk_buff *skb)
{
	return on_packet(skb, EGRESS);
}

SEC("cgroup_skb/ingress")
int tls_ingress(struct __sk_buff *skb)
{
	return on_packet(skb, INGRESS);
}

/* A socket is closed by the last that holds it, be it that its process has died. */
SEC("cgroup/sock_release")
int on_tls_release(struct bpf_sock *sk)
{
	u64 cookie = bpf_get_socket_cookie(sk);
	struct handshake *handshake = is_watched(cookie) ? find_handshake(cookie) : NULL;

	if (!handshake || !is_owned(handshake, cookie))
		return PASS;
	if (handshake->phase == PHASE_OVER && !awaits_library(handshake, cookie))
		settle(cookie);
	else
		end_here(cookie, handshake, bpf_ktime_get_ns());
	return PASS;
}

/* --- the pass -------------------------------------------------------------------------------------------------------- */

/* How many entries the pass has seen. */
__u64 visited_handshakes = 0;
__u64 visited_sessions = 0;

SEC("iter/bpf_map_elem")
int visit_handshakes(struct bpf_iter__bpf_map_elem *ctx)
{
	u64 *cookie = ctx->key;

	if (!cookie)
		return 0;
	visited_handshakes++;
	visit_handshake(*cookie);
	return 0;
}

SEC("iter/bpf_map_elem")
int visit_sessions(struct bpf_iter__bpf_map_elem *ctx)
{
	struct tls_session_key *element = ctx->key, key;

	if (!element)
		return 0;
	key = *element;
	visited_sessions++;
	visit_session(&key);
	return 0;
}
