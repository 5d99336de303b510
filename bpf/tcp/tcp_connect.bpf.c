// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Active opens of TCP: each attempt once, with its duration and the reason when it failed.
 *
 * Attempts that send a SYN, or try to, are seen as state changes of their socket: CLOSE → SYN_SENT in the connecting
 * process, then → ESTABLISHED or → CLOSE in any context. State is read at the change to CLOSE itself, where sk_err still
 * holds the reason (net/ipv4/tcp.c: tcp_done, tcp_disconnect). Attempts that fail before the SYN (no route, a policy) make
 * no state change: they are the errors of connect(2) that no state change has told already.
 *
 * Since 6.1 the kernel skips a program that interrupts itself: a softirq that ends one attempt while the process below it is in
 * on_state for another. A failure is then seen by on_error or by on_connect_exit, a success when the socket leaves
 * ESTABLISHED, and what is left by settle_skipped. Whoever deletes an attempt's state counts its end.
 *
 * Each count is added atomically, although the cells are per CPU: a softirq may interrupt the same addition.
 */
#include "bpf/include/identity.bpf.h"
#include "bpf/include/latency.bpf.h"
#include "bpf/include/socket.bpf.h"
#include "bpf/tcp/tcp_connect.h"

#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Set before the load. */
const volatile __u32 own_netns = 0; /* inode number of the agent's network namespace */

/*
 * How often an attempt has gone to SYN_RECV, by simultaneous open. Hardly ever any has, and knowing that saves each passive open,
 * which comes from SYN_RECV too, a look-up.
 */
__u64 simultaneous_opens = 0;

/* 1 once the kernel has skipped a run while there were attempts: from then on sockets that leave ESTABLISHED are looked up. */
__u64 skips_runs = 0;

struct attempt {
	u64 start_ns;
	u64 identity;
	u16 peer_port; /* as on the wire */
	u8 family;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, u64); /* struct sock * */
	__type(value, struct attempt);
} attempts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct connect_begun_key);
	__type(value, struct connect_begun);
} connect_begun SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct connect_ended_key);
	__type(value, struct connect_ended);
} connect_ended SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, AUDIT_COUNTERS);
	__type(key, u32);
	__type(value, u64);
} connect_audit SEC(".maps");

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

/* --- counting ----------------------------------------------------------------------------------------------------- */

static __always_inline void audit(enum connect_audit counter, s64 step)
{
	u32 index = counter;
	u64 *count = bpf_map_lookup_elem(&connect_audit, &index);

	if (count)
		__sync_fetch_and_add(count, step);
}

static __always_inline struct connect_begun *begun_cell(u64 identity, u8 family)
{
	struct connect_begun_key key = {.identity = identity, .family = family};
	struct connect_begun *cell = bpf_map_lookup_elem(&connect_begun, &key);
	struct connect_begun zero = {};

	if (cell)
		return cell;
	/* An error may mean that another CPU was first, so only the second look-up tells. */
	bpf_map_update_elem(&connect_begun, &key, &zero, BPF_NOEXIST);
	cell = bpf_map_lookup_elem(&connect_begun, &key);
	if (!cell)
		count_loss(LOSS_CELLS_FULL);
	return cell;
}

static __always_inline struct connect_ended *ended_cell(const struct connect_ended_key *key)
{
	struct connect_ended *cell = bpf_map_lookup_elem(&connect_ended, key);
	struct connect_ended zero = {};

	if (cell)
		return cell;
	bpf_map_update_elem(&connect_ended, key, &zero, BPF_NOEXIST);
	return bpf_map_lookup_elem(&connect_ended, key);
}

/* An attempt's end that cannot be told: it is over all the same, so it must not stay in flight. */
static __always_inline void count_lost_end(const struct attempt *attempt, enum loss_cause cause)
{
	struct connect_begun *begun = begun_cell(attempt->identity, attempt->family);

	count_loss(cause);
	if (begun)
		__sync_fetch_and_add(&begun->ends_lost, 1);
}

static __always_inline void count_end(const struct attempt *attempt, enum connect_outcome outcome, u64 duration_ns)
{
	struct connect_ended_key key = {
		.identity = attempt->identity,
		.bucket = latency_bucket(duration_ns),
		.family = attempt->family,
		.outcome = outcome,
	};
	struct connect_ended *cell = ended_cell(&key);

	if (!cell) {
		count_lost_end(attempt, LOSS_CELLS_FULL);
		return;
	}
	__sync_fetch_and_add(&cell->count, 1);
	/* An addition of a constant nothing would be compiled to an atomic OR, which 5.10 has not. */
	if (duration_ns)
		__sync_fetch_and_add(&cell->sum_ns, duration_ns);
}

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

/* An additional subflow of an MPTCP connection is no attempt of its own. */
static __always_inline bool joins_mptcp(struct sock *sk)
{
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);
	struct mptcp_subflow_context *subflow;

	if (!bpf_core_field_exists(tcp->is_mptcp) || !bpf_core_type_exists(struct mptcp_subflow_context))
		return false;
	if (!tcp || !tcp->is_mptcp)
		return false;
	subflow = tcp->inet_conn.icsk_ulp_data;
	return subflow && BPF_CORE_READ_BITFIELD_PROBED(subflow, request_join);
}

/* Keeps the state of a new attempt; false: it is lost, and counted as such. */
static __always_inline bool keep(struct sock *sk, const struct attempt *attempt)
{
	u64 key = (u64)sk;
	struct attempt *stale;

	if (!bpf_map_update_elem(&attempts, &key, attempt, BPF_NOEXIST))
		return true;
	stale = bpf_map_lookup_elem(&attempts, &key);
	if (!stale) {
		count_loss(LOSS_STATE_FULL);
		return false;
	}
	/* The address was another socket's, whose end was not seen. */
	count_lost_end(stale, LOSS_END_MISSED);
	bpf_map_update_elem(&attempts, &key, attempt, BPF_EXIST);
	return true;
}

static __always_inline void begin(struct sock *sk)
{
	struct attempt attempt = {};
	struct connect_begun *begun;

	if (sk->__sk_common.skc_net.net->ns.inum == own_netns)
		audit(AUDIT_ACTIVE_OPENS, 1);
	if (joins_mptcp(sk))
		return;
	attempt.identity = current_identity();
	if (attempt.identity == IDENTITY_IGNORED)
		return;
	attempt.family = is_ipv6_sock(sk) ? CONNECT_IPV6 : CONNECT_IPV4;
	begun = begun_cell(attempt.identity, attempt.family);
	if (!begun)
		return;
	attempt.peer_port = sk->__sk_common.skc_dport;
	attempt.start_ns = bpf_ktime_get_ns();
	if (keep(sk, &attempt))
		__sync_fetch_and_add(&begun->attempts, 1);
}

/* Takes the state of an attempt out of the map; false: there is none, or another CPU was first. */
static __always_inline bool take(struct sock *sk, struct attempt *attempt)
{
	u64 key = (u64)sk;
	struct attempt *kept = bpf_map_lookup_elem(&attempts, &key);

	if (!kept)
		return false;
	*attempt = *kept;
	return !bpf_map_delete_elem(&attempts, &key);
}

/* The same for a socket that still has its peer: another one's is told by the peer's port. */
static __always_inline bool take_own(struct sock *sk, struct attempt *attempt)
{
	if (!take(sk, attempt))
		return false;
	if (attempt->peer_port == sk->__sk_common.skc_dport)
		return true;
	count_lost_end(attempt, LOSS_END_MISSED);
	return false;
}

static __always_inline void succeed(struct sock *sk)
{
	struct attempt attempt;

	if (take_own(sk, &attempt))
		count_end(&attempt, CONNECT_OK, bpf_ktime_get_ns() - attempt.start_ns);
}

static __always_inline void fail(struct sock *sk, int error)
{
	bool own = sk->__sk_common.skc_net.net->ns.inum == own_netns;
	enum connect_outcome outcome;
	struct attempt attempt;
	u64 key = (u64)sk;
	u8 told = 1;

	if (!take_own(sk, &attempt))
		return;
	outcome = outcome_of_close(sk, error);
	/* The kernel counts an open when the SYN is built, and a failure in tcp_done, which sets the error. */
	if (own && outcome == CONNECT_ADDR_UNAVAILABLE)
		audit(AUDIT_ACTIVE_OPENS, -1);
	if (own && error)
		audit(AUDIT_ATTEMPT_FAILS, 1);
	if (happens_before_syn(outcome))
		bpf_map_update_elem(&told_failures, &key, &told, BPF_ANY);
	count_end(&attempt, outcome, bpf_ktime_get_ns() - attempt.start_ns);
}

/*
 * Counts a success that on_state was not run for. Its end is past; the smoothed round-trip time is near to what it took.
 */
static __always_inline void succeed_late(struct sock *sk)
{
	struct attempt attempt;

	if (!take(sk, &attempt))
		return;
	if (attempt.peer_port != BPF_CORE_READ(sk, __sk_common.skc_dport)) {
		count_lost_end(&attempt, LOSS_END_MISSED);
		return;
	}
	count_loss(LOSS_END_SKIPPED);
	count_end(&attempt, CONNECT_OK, (u64)(BPF_CORE_READ((struct tcp_sock *)sk, srtt_us) >> 3) * 1000);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int old_state, int new_state)
{
	if (new_state == TCP_SYN_SENT) {
		if (sk->sk_protocol == IPPROTO_TCP)
			begin(sk);
	} else if (old_state == TCP_SYN_SENT) {
		if (new_state == TCP_ESTABLISHED)
			succeed(sk);
		else if (new_state == TCP_SYN_RECV)
			__sync_fetch_and_add(&simultaneous_opens, 1);
		else
			fail(sk, sk->sk_err);
	} else if (old_state == TCP_ESTABLISHED && skips_runs) {
		succeed_late(sk);
	} else if (old_state == TCP_SYN_RECV && simultaneous_opens) {
		if (new_state == TCP_ESTABLISHED)
			succeed(sk);
		else
			fail(sk, sk->sk_err);
	}
	return 0;
}

/*
 * Errors of sockets, since 5.14: the same failures as on_state sees, told just before or just after it. On older kernels no
 * program is skipped, so nothing is missed without it. An error of 0 is one in the queue alone, which ends nothing, or one
 * that the program has fetched already: then connect(2) returned it.
 */
SEC("tp_btf/inet_sk_error_report")
int BPF_PROG(on_error, struct sock *sk)
{
	int error = sk->sk_err;

	if (error)
		fail(sk, error);
	return 0;
}

/*
 * Run over all attempts when the kernel has skipped a program. The state of a socket is stored after the tracepoint
 * (inet_sk_state_store), so an attempt whose socket has gone on was skipped. One that is still closed may just have begun.
 */
#define SURELY_BEGUN_NS 1000000000ULL

SEC("iter/bpf_map_elem")
int settle_skipped(struct bpf_iter__bpf_map_elem *ctx)
{
	struct attempt *kept = ctx->value, attempt;
	u64 *address = ctx->key, age_ns;
	struct sock *sk;
	u8 state;

	if (!address || !kept)
		return 0;
	skips_runs = 1;
	sk = (struct sock *)*address;
	age_ns = bpf_ktime_get_ns() - kept->start_ns;
	state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (state == TCP_SYN_SENT || state == TCP_SYN_RECV)
		return 0;
	/* A closed socket whose SYN was acknowledged came about before. */
	if (BPF_CORE_READ(sk, __sk_common.skc_dport) == kept->peer_port &&
	    (state != TCP_CLOSE || BPF_CORE_READ((struct tcp_sock *)sk, bytes_acked))) {
		succeed_late(sk);
		return 0;
	}
	/* Closed, or another socket by now: whatever it failed for, it is gone. */
	if (age_ns < SURELY_BEGUN_NS || !take(sk, &attempt))
		return 0;
	count_loss(LOSS_END_SKIPPED);
	count_end(&attempt, outcome_of_errno(BPF_CORE_READ(sk, sk_err)), age_ns);
	return 0;
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
static __always_inline void count_refused_call(enum connect_outcome outcome, const void *address)
{
	struct attempt attempt = {};
	struct connect_begun *begun;

	attempt.identity = current_identity();
	if (attempt.identity == IDENTITY_IGNORED)
		return;
	attempt.family = is_ipv6_address(address) ? CONNECT_IPV6 : CONNECT_IPV4;
	begun = begun_cell(attempt.identity, attempt.family);
	if (!begun)
		return;
	__sync_fetch_and_add(&begun->attempts, 1);
	count_end(&attempt, outcome, 0);
}

SEC("tracepoint/syscalls/sys_exit_connect")
int on_connect_exit(struct trace_event_raw_sys_exit *ctx)
{
	enum connect_outcome outcome;
	struct pt_regs *registers;
	struct attempt attempt;
	struct sock *sk;

	if (!is_failure(ctx->ret))
		return 0;
	registers = registers_of(ctx);
	sk = tcp_of_fd(BPF_CORE_READ(registers, di));
	if (!sk)
		return 0;
	outcome = outcome_of_errno(-ctx->ret);
	/* Still there: no state change was seen to end it. */
	if (BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_CLOSE && take(sk, &attempt))
		count_end(&attempt, outcome, bpf_ktime_get_ns() - attempt.start_ns);
	else if (happens_before_syn(outcome) && !is_told(sk, outcome))
		count_refused_call(outcome, (const void *)BPF_CORE_READ(registers, si));
	return 0;
}
