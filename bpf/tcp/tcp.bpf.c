// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The programs of the tcp probe: each is one hook, and says which part is told. All parts hang in one object, since a state
 * change that is dispatched to one program more costs more than what that program does
 * (agent/decisions/0006-one-object-for-tcp.md).
 *
 *   tcp_connect.bpf.h  attempts            tcp_listen.bpf.h  listeners and their owners
 *   tcp_accept.bpf.h   passive opens       tcp_life.bpf.h    established connections and their ends
 *   tcp_pass.bpf.h     all of them, at each collect
 *   below those: tcp_state.bpf.h (one entry a socket), tcp_cells.bpf.h (what is counted)
 */
#include "bpf/tcp/tcp_pass.bpf.h"

#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Not 0: what opens is told by on_sockops. Set by the user half as it attaches that. */
__u8 opens_by_sockops = 0;

/* SYN_RECV → ESTABLISHED, unless on_sockops has just told it. */
static __always_inline void established(struct sock *sk)
{
	const struct tcp_state *state = opens_by_sockops ? find_state(sk) : NULL;

	if (!state || state->phase != PHASE_OPEN)
		passive_open(sk);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int old_state, int new_state)
{
	struct tcp_audit *audit;

	switch (new_state) {
	case TCP_SYN_SENT:
		if (!opens_by_sockops && sk->sk_protocol == IPPROTO_TCP)
			begin(sk);
		break;
	case TCP_ESTABLISHED:
		if (old_state == TCP_SYN_SENT)
			succeed(sk);
		else if (sk->sk_protocol == IPPROTO_TCP)
			established(sk);
		break;
	case TCP_FIN_WAIT1:
		begin_close(sk);
		break;
	case TCP_CLOSE:
		if (old_state == TCP_LISTEN)
			listen_ends(sk);
		else
			end(sk, old_state);
		break;
	case TCP_SYN_RECV: /* a child of a listener is its copy, in LISTEN, until here */
		audit = old_state == TCP_LISTEN && sk->sk_protocol == IPPROTO_TCP ? audit_of(sk) : NULL;
		if (audit)
			__sync_fetch_and_add(&audit->passive_opens, 1);
		break;
	case TCP_LISTEN:
		if (sk->sk_protocol == IPPROTO_TCP)
			listen_begins(sk);
		break;
	}
	return 0;
}

/*
 * Errors of sockets, since 5.14: the same failures of attempts as on_state sees, told just before or just after it; of
 * connections it is kept until their end. On older kernels no program is skipped, so no attempt is missed without it. An error
 * of 0 is one in the queue alone, which ends nothing, or one that the program has fetched already: then connect(2) returned it.
 */
SEC("tp_btf/inet_sk_error_report")
int BPF_PROG(on_error, struct sock *sk)
{
	struct tcp_state *state = find_state(sk);
	int error = sk->sk_err;

	if (!state || !error)
		return 0;
	if (state->phase == PHASE_CONNECTING)
		fail(sk, error);
	else
		state->error = error;
	return 0;
}

/* Asks to be told of the socket's state changes too. Others may hang there with wishes of their own. */
static __always_inline void follow(struct bpf_sock_ops *ctx)
{
	bpf_sock_ops_cb_flags_set(ctx, ctx->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG);
}

/*
 * What opens and what ends, told just before on_state. Programs of a cgroup are never skipped, so where a process can be preempted
 * in on_state, which then skips others for milliseconds, nothing begins or ends unseen. Elsewhere it is not worth its runs: the
 * kernel asks it for its first time-out, its window and more.
 */
SEC("sockops")
int on_sockops(struct bpf_sock_ops *ctx)
{
	struct tcp_sock *tcp;

	switch (ctx->op) {
	case BPF_SOCK_OPS_TCP_CONNECT_CB:
	case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
	case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
	case BPF_SOCK_OPS_STATE_CB:
		break;
	default:
		return 1;
	}
	tcp = ctx->sk ? bpf_skc_to_tcp_sock(ctx->sk) : NULL;
	if (!tcp)
		return 1;
	switch (ctx->op) {
	case BPF_SOCK_OPS_TCP_CONNECT_CB:
		follow(ctx);
		begin((struct sock *)tcp);
		break;
	case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
		succeed((struct sock *)tcp);
		break;
	case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
		follow(ctx);
		if (!tcp->fastopen_rsk) /* then this is but its SYN: on_state tells of the handshake's end */
			passive_open((struct sock *)tcp);
		break;
	case BPF_SOCK_OPS_STATE_CB:
		if (ctx->args[1] == TCP_FIN_WAIT1)
			begin_close((struct sock *)tcp);
		else if (ctx->args[1] == TCP_CLOSE)
			end((struct sock *)tcp, ctx->args[0]);
		break;
	}
	return 1;
}

/* --- what connect and accept return: by fexit where the kernel has it, for that costs other system calls nothing -------- */

SEC("fexit/__x64_sys_connect")
int BPF_PROG(on_connect_fexit, struct pt_regs *registers, long result)
{
	connect_returns(registers, result);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_connect")
int on_connect_exit(struct trace_event_raw_sys_exit *ctx)
{
	if (ctx->ret < 0)
		connect_returns(registers_of(ctx), ctx->ret);
	return 0;
}

/* io_uring comes this way too. */
SEC("fexit/inet_csk_accept")
int BPF_PROG(on_accept_fexit, struct sock *listener, void *argument, struct sock *child)
{
	if (child)
		accepted(child);
	return 0;
}

/* Before 6.10. */
SEC("fexit/inet_csk_accept")
int BPF_PROG(on_accept_fexit4, struct sock *listener, int flags, int *error, bool kern, struct sock *child)
{
	if (child)
		accepted(child);
	return 0;
}

static __always_inline void accept_returns(long fd)
{
	struct sock *sk;

	if (fd < 0)
		return;
	/* Mostly it is one that we know, which saves asking what it is. */
	sk = sock_of_fd(fd);
	if (!sk || !find_state(sk))
		sk = tcp_of_fd(fd);
	if (sk)
		accepted(sk);
}

SEC("tracepoint/syscalls/sys_exit_accept")
int on_accept_exit(struct trace_event_raw_sys_exit *ctx)
{
	accept_returns(ctx->ret);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_accept4")
int on_accept4_exit(struct trace_event_raw_sys_exit *ctx)
{
	accept_returns(ctx->ret);
	return 0;
}

/* --- iterators, run by the user half ----------------------------------------------------------------------------------- */

SEC("iter/bpf_map_elem")
int visit_sockets(struct bpf_iter__bpf_map_elem *ctx)
{
	u64 *address = ctx->key;

	if (address)
		visit_socket(*address);
	return 0;
}

SEC("iter/bpf_map_elem")
int visit_listeners(struct bpf_iter__bpf_map_elem *ctx)
{
	u64 *address = ctx->key;
	struct listener *listener = ctx->value;

	if (address && listener)
		visit_listener(ctx->meta->seq, *address, listener);
	return 0;
}

/* At the start, once for listeners and then, when they are known, for the rest. */
__u8 takes_listeners = 0;

SEC("iter/task_file")
int take_up_sockets(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	u64 identity, task_address = 0;
	struct sock *sk;

	if (!task || !file || task->pid != task->tgid)
		return 0;
	sk = tcp_of_file(file);
	if (!sk)
		return 0;
	bpf_probe_read_kernel(&task_address, sizeof(task_address), &ctx->task);
	identity = identity_of_task(task_address);
	if (identity == IDENTITY_IGNORED)
		return 0;
	if (!takes_listeners)
		take_up_open(sk, identity);
	else if (BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_LISTEN)
		add_listener(sk, identity);
	return 0;
}
