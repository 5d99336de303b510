/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Active opens: each attempt once, with its duration and the reason when it failed.
 *
 * Attempts that send a SYN, or try to, are seen as state changes of their socket: CLOSE → SYN_SENT in the connecting
 * process, then → ESTABLISHED or → CLOSE in any context. State is read at the change to CLOSE itself, where sk_err still
 * holds the reason (net/ipv4/tcp.c: tcp_done, tcp_disconnect). Attempts that fail before the SYN (no route, a policy) make
 * no state change: they are the errors of connect(2) that no state change has told already.
 *
 * Since 6.1 the kernel skips a program that interrupts itself: a softirq that ends one attempt while the process below it is in
 * on_state for another. A failure is then seen by on_error or by the return of connect(2), a success when the socket leaves
 * ESTABLISHED, and what is left by the pass over all entries (agent/decisions/0005-runs-that-the-kernel-skips.md).
 *
 * Kernel half only.
 */
#ifndef CONNSCOPE_TCP_CONNECT_BPF_H
#define CONNSCOPE_TCP_CONNECT_BPF_H

#include "bpf/include/identity.bpf.h"
#include "bpf/include/socket.bpf.h"
#include "bpf/tcp/tcp_cells.bpf.h"

/*
 * Sockets whose failure is counted, but which connect(2) may still report with an errno that could also come from before the
 * SYN. An entry that nobody asks for stays until it is evicted.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u64); /* struct sock * */
	__type(value, u8);
} told_failures SEC(".maps");

/* --- reasons ------------------------------------------------------------------------------------------------------ */

static __always_inline enum connect_outcome outcome_of_errno(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return CONNECT_REFUSED;
	case ETIMEDOUT:
		return CONNECT_TIMEOUT;
	case EHOSTUNREACH:
		return CONNECT_HOST_UNREACHABLE;
	case ENETUNREACH:
		return CONNECT_NET_UNREACHABLE;
	case ECONNRESET:
		return CONNECT_RESET;
	case EACCES:
	case EPERM:
		return CONNECT_DENIED;
	case EADDRNOTAVAIL:
		return CONNECT_ADDR_UNAVAILABLE;
	case EADDRINUSE:
		return CONNECT_ADDR_IN_USE;
	case ECONNABORTED: /* destroyed by the administrator (ss -K) */
		return CONNECT_ABORTED;
	default:
		return CONNECT_OTHER_ERRNO;
	}
}

/* Whether an attempt can end so before its SYN. The rest needs an answer, or its absence. */
static __always_inline bool happens_before_syn(enum connect_outcome outcome)
{
	switch (outcome) {
	case CONNECT_REFUSED:
	case CONNECT_TIMEOUT:
	case CONNECT_RESET:
	case CONNECT_ABORTED:
		return false;
	default:
		return true;
	}
}

/* The errno of an ICMP error that waits in the socket's error queue; 0 when there is none. */
static __always_inline int queued_icmp_error(struct sock *sk)
{
	struct sock_exterr_skb *queued;
	struct sk_buff *skb;
	u8 origin;

	if (!sk->sk_error_queue.qlen)
		return 0;
	skb = BPF_CORE_READ(sk, sk_error_queue.next);
	queued = (void *)skb + bpf_core_field_offset(skb->cb);
	origin = BPF_CORE_READ(queued, ee.ee_origin);
	if (origin != SO_EE_ORIGIN_ICMP && origin != SO_EE_ORIGIN_ICMP6)
		return 0;
	return BPF_CORE_READ(queued, ee.ee_errno);
}

/* Why a socket went from SYN_SENT or SYN_RECV to CLOSE. `error` is its sk_err, which the program may fetch at any moment. */
static __always_inline enum connect_outcome outcome_of_close(struct sock *sk, int error)
{
	struct tcp_sock *tcp;

	/*
	 * An ICMP error that came while the program held the socket's lock, as it does in connect(2) itself, ends nothing: it
	 * is kept as a soft error and queued. Programs learn of it (poll, SO_ERROR, which clears the soft one) and close.
	 */
	if (!error)
		error = sk->sk_err_soft;
	if (!error)
		error = queued_icmp_error(sk);
	if (error)
		return outcome_of_errno(error);
	/* close(2) shuts both directions before it changes the state. */
	if (BPF_CORE_READ_BITFIELD(sk, sk_shutdown) == SHUTDOWN_MASK)
		return CONNECT_ABORTED;
	/* shutdown(2) and connect(2) to AF_UNSPEC come without that mark, but after the SYN. */
	tcp = bpf_skc_to_tcp_sock(sk);
	if (tcp && tcp->segs_out)
		return CONNECT_ABORTED;
	/* The only way back to CLOSE before the SYN: no local port could be had (inet_hash_connect). */
	return CONNECT_ADDR_UNAVAILABLE;
}

/* --- attempts that change the state ------------------------------------------------------------------------------- */

/* An additional subflow of an MPTCP connection is no attempt, and no connection, of its own. */
static __always_inline bool joins_mptcp(struct tcp_sock *tcp)
{
	struct mptcp_subflow_context *subflow;

	if (!bpf_core_field_exists(tcp->is_mptcp) || !bpf_core_type_exists(struct mptcp_subflow_context))
		return false;
	if (!tcp->is_mptcp)
		return false;
	subflow = tcp->inet_conn.icsk_ulp_data;
	return subflow && (BPF_CORE_READ_BITFIELD_PROBED(subflow, request_join) ||
			   BPF_CORE_READ_BITFIELD_PROBED(subflow, mp_join));
}

/* An attempt that was given up is closed at once; one that nobody answers lasts longer than that. */
#define SURELY_TIMED_OUT_NS 900000000ULL

/*
 * Counts the end of an entry whose socket is gone: another one has its address. What it was is a guess by what is known of
 * it, but that it ended is certain, and so everything still adds up. What it carried is as of the last pass.
 */
static __noinline void bury(const void *sk, struct tcp_state *stale)
{
	u64 age_ns = bpf_ktime_get_ns() - stale->since_ns;

	if (stale->phase == PHASE_CONNECTING) {
		if (stale->taken_up)
			return;
		count_loss(LOSS_END_MISSED);
		count_end(sk, stale, age_ns > SURELY_TIMED_OUT_NS ? CONNECT_TIMEOUT : CONNECT_ABORTED, age_ns, 0);
		return;
	}
	if (!stale->ended) {
		count_loss(LOSS_END_MISSED);
		stale->end.duration_ns = age_ns;
		stale->end.close = stale->closed_here ? CLOSE_LOCAL_FIN : CLOSE_REMOTE_FIN;
	}
	if (lacks_handshake(stale) && !count_handshake(stale))
		return;
	count_end_of_taken(sk, stale, &stale->end);
}

/* Puts the state of a new socket in the place of another's whose end was not seen, if that is why there was none. */
static __noinline bool replace(const void *sk, const struct tcp_state *state)
{
	struct tcp_state stale;

	if (take_state(sk, &stale)) {
		bury(sk, &stale);
		if (insert_state(sk, state))
			return true;
	}
	count_loss(LOSS_STATE_FULL);
	return false;
}

/* Keeps the state of a new socket; false: it is lost, and counted as such. */
static __always_inline bool keep(const void *sk, const struct tcp_state *state)
{
	return insert_state(sk, state) || replace(sk, state);
}

/* What a look-up has given for it to be connected to. */
static __always_inline struct answer_key answer_key_of_peer(u32 tgid, struct sock *sk, u8 family)
{
	struct in6_addr address;

	if (family == TCP_IPV4)
		return answer_key_of_ipv4(tgid, sk->__sk_common.skc_daddr);
	bpf_core_read(&address, sizeof(address), &sk->__sk_common.skc_v6_daddr);
	return answer_key_of_ipv6(tgid, &address);
}

static __noinline void begin(struct sock *sk)
{
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);
	struct tcp_audit *audit = audit_of(sk);
	struct tcp_state state = {};
	struct connect_begun *begun;
	struct process_place place;
	struct answer_key peer;

	if (audit)
		__sync_fetch_and_add(&audit->active_opens, 1);
	if (!tcp || joins_mptcp(tcp))
		return;
	place = current_place();
	state.identity = identity_at(&place);
	if (state.identity == IDENTITY_IGNORED)
		return;
	state.family = is_ipv6_sock(sk) ? TCP_IPV6 : TCP_IPV4;
	begun = begun_cell(state.identity, state.family);
	if (!begun)
		return;
	state.role = TCP_CLIENT;
	state.phase = PHASE_CONNECTING;
	state.accepted = 1;
	state.peer_port = sk->__sk_common.skc_dport;
	state.since_ns = bpf_ktime_get_ns();
	if (follows_attempts) {
		state.attempt_ns = state.since_ns;
		peer = answer_key_of_peer(place.tgid, sk, state.family);
		state.attempt_thread = attempt_connects(&peer, state.identity, &state.attempt_ns);
	}
	if (!keep(sk, &state))
		return;
	__sync_fetch_and_add(&begun->attempts, 1);
	if (somebody_listens())
		meet_socket(number_of(sk), place.tgid, state.attempt_thread ? state.attempt_ns : 0);
}

/* Takes the state of a socket's attempt; another socket's is told by the peer's port. False: there is none. */
static __always_inline bool take_attempt(const void *sk, u16 peer_port, struct tcp_state *attempt)
{
	const struct tcp_state *kept = find_state(sk);

	if (!kept || kept->phase != PHASE_CONNECTING || !take_state(sk, attempt))
		return false;
	if (attempt->peer_port == peer_port)
		return !attempt->taken_up; /* its beginning was not counted either */
	bury(sk, attempt);
	return false;
}

static __always_inline void open_up(struct tcp_state *attempt, u64 now)
{
	attempt->phase = PHASE_OPEN;
	attempt->since_ns = now;
	if (attempt->taken_up)
		count_taken_up(attempt);
}

static __noinline void succeed(struct sock *sk)
{
	struct tcp_state *attempt = find_state(sk), stale;
	u64 now = bpf_ktime_get_ns();

	if (!attempt || attempt->phase != PHASE_CONNECTING)
		return;
	if (attempt->peer_port != sk->__sk_common.skc_dport) {
		if (take_state(sk, &stale))
			bury(sk, &stale);
		return;
	}
	if (!attempt->taken_up && !count_end(sk, attempt, CONNECT_OK, now - attempt->since_ns, 0)) {
		drop_state(sk); /* what follows of it would not add up */
		return;
	}
	open_up(attempt, now);
	attempt->local_port = sk->__sk_common.skc_num;
}

/* connect(2) may yet report that failure. On a stack of its own: that of its caller is deep. */
static __noinline void remember_told(const void *sk)
{
	u64 key = (u64)sk;
	u8 told = 1;

	bpf_map_update_elem(&told_failures, &key, &told, BPF_ANY);
}

static __noinline void fail(struct sock *sk, int error)
{
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);
	enum connect_outcome outcome;
	struct tcp_state attempt;
	struct tcp_audit *audit;

	if (!tcp || !take_attempt(sk, sk->__sk_common.skc_dport, &attempt))
		return;
	outcome = outcome_of_close(sk, error);
	audit = audit_of(sk);
	/* The kernel counts an open when the SYN is built, and a failure in tcp_done, which sets the error. */
	if (audit && outcome == CONNECT_ADDR_UNAVAILABLE)
		__sync_fetch_and_add(&audit->active_opens, -1);
	if (audit && error)
		__sync_fetch_and_add(&audit->attempt_fails, 1);
	if (happens_before_syn(outcome))
		remember_told(sk);
	count_end(sk, &attempt, outcome, bpf_ktime_get_ns() - attempt.since_ns, tcp->total_retrans);
}

/*
 * Counts a success that no program was run for; the entry is then that of an open connection. Its moment is past: the
 * smoothed round-trip time is near to what it took. Others may come to the same conclusion: whoever deletes the entry counts.
 */
static __noinline void succeed_late(struct sock *sk)
{
	u64 took_ns = (u64)(BPF_CORE_READ((struct tcp_sock *)sk, srtt_us) >> 3) * 1000;
	struct tcp_state attempt;

	if (!take_state(sk, &attempt))
		return;
	if (attempt.peer_port != BPF_CORE_READ(sk, __sk_common.skc_dport)) {
		bury(sk, &attempt);
		return;
	}
	count_loss(LOSS_END_SKIPPED);
	if (!attempt.taken_up && !count_end(sk, &attempt, CONNECT_OK, took_ns, 0))
		return;
	open_up(&attempt, attempt.since_ns + took_ns);
	attempt.local_port = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
	if (!insert_state(sk, &attempt))
		count_lost_close(attempt.identity, TCP_CLIENT, 0, LOSS_STATE_FULL);
}

/* --- attempts that connect(2) refuses at once --------------------------------------------------------------------- */

/* Whether an error of connect(2) means that an attempt was made and failed. */
static __always_inline bool is_failure(long result)
{
	if (result >= 0 || result <= -ERESTARTSYS)
		return false;
	switch (-result) {
	case EINPROGRESS:
	case EALREADY:
	case EISCONN:
	case EINTR:
	case EBADF:
	case EFAULT:
	case ENOTSOCK:
		return false;
	default:
		return true;
	}
}

/*
 * Whether a state change has counted what connect(2) reports now. An entry can be left from another socket at the same
 * address; but a socket that never came to its first sequence number can have been counted only for lack of a port.
 */
static __always_inline bool is_told(struct sock *sk, enum connect_outcome outcome)
{
	u64 key = (u64)sk;

	if (bpf_map_delete_elem(&told_failures, &key))
		return false;
	return outcome == CONNECT_ADDR_UNAVAILABLE || BPF_CORE_READ((struct tcp_sock *)sk, write_seq);
}

/* Counts a failure that came before any SYN. There was nothing to count the time from. */
static __always_inline void count_refused_call(const void *sk, enum connect_outcome outcome, const void *given)
{
	struct peer_address address = read_peer_address(given);
	struct process_place place = current_place();
	struct tcp_state attempt = {};
	struct connect_begun *begun;
	struct answer_key peer;

	attempt.identity = identity_at(&place);
	if (attempt.identity == IDENTITY_IGNORED)
		return;
	attempt.family = is_ipv6_address(&address) ? TCP_IPV6 : TCP_IPV4;
	if (follows_attempts) {
		attempt.attempt_ns = bpf_ktime_get_ns();
		peer = address.family == AF_INET6 ? answer_key_of_ipv6(place.tgid, &address.ipv6) :
						    answer_key_of_ipv4(place.tgid, address.ipv4);
		attempt.attempt_thread = attempt_connects(&peer, attempt.identity, &attempt.attempt_ns);
	}
	begun = begun_cell(attempt.identity, attempt.family);
	if (!begun)
		return;
	__sync_fetch_and_add(&begun->attempts, 1);
	if (somebody_listens())
		write_refused_call(number_of(sk), place.tgid, attempt.attempt_thread ? attempt.attempt_ns : 0, (u64)given);
	count_end(sk, &attempt, outcome, 0, 0);
}

/* connect(2) returns `result`. */
static __always_inline void connect_returns(struct pt_regs *registers, long result)
{
	enum connect_outcome outcome;
	const struct tcp_state *kept;
	struct tcp_state attempt;
	struct sock *sk;

	if (!is_failure(result))
		return;
	sk = tcp_of_fd(BPF_CORE_READ(registers, di));
	if (!sk)
		return;
	outcome = outcome_of_errno(-result);
	kept = find_state(sk);
	/* Still there: no state change was seen to end it. The socket has forgotten its peer by now. */
	if (BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_CLOSE && kept && kept->phase == PHASE_CONNECTING &&
	    take_state(sk, &attempt)) {
		if (!attempt.taken_up)
			count_end(sk, &attempt, outcome, bpf_ktime_get_ns() - attempt.since_ns, 0);
	} else if (happens_before_syn(outcome) && !is_told(sk, outcome)) {
		count_refused_call(sk, outcome, (const void *)BPF_CORE_READ(registers, si));
	}
}

#endif
