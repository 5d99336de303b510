/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * From a system call's arguments to the socket that they are about, and which IP family a socket or an address is of on the
 * wire: a v4-mapped address is IPv4.
 *
 * Kernel half only; programs in process context, but for the families.
 */
#ifndef CONNSCOPE_SOCKET_BPF_H
#define CONNSCOPE_SOCKET_BPF_H

#include "bpf/include/kernel_types.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

static __always_inline bool is_v4_mapped(const struct in6_addr *address)
{
	return !address->in6_u.u6_addr32[0] && !address->in6_u.u6_addr32[1] &&
	       address->in6_u.u6_addr32[2] == bpf_htonl(0xffff);
}

/* Whether the peer of a socket is reached over IPv6; for programs with BTF, which read `sk` as it is. */
static __always_inline bool is_ipv6_sock(struct sock *sk)
{
	struct in6_addr address;

	if (sk->__sk_common.skc_family != AF_INET6)
		return false;
	bpf_core_read(&address, sizeof(address), &sk->__sk_common.skc_v6_daddr);
	return !is_v4_mapped(&address);
}

/* The same by reads of kernel memory, for any pointer. */
static __always_inline bool is_ipv6_peer(const struct sock *sk)
{
	struct in6_addr address;

	if (BPF_CORE_READ(sk, __sk_common.skc_family) != AF_INET6)
		return false;
	bpf_core_read(&address, sizeof(address), &sk->__sk_common.skc_v6_daddr);
	return !is_v4_mapped(&address);
}

/* An address that a program gives to the kernel: a struct sockaddr_in or sockaddr_in6. */
struct peer_address {
	u16 family, port;
	u32 ipv4;             /* of IPv6 the flow */
	struct in6_addr ipv6; /* of IPv4 nothing */
};

static __always_inline struct peer_address read_peer_address(const void *address)
{
	struct peer_address read = {};

	bpf_probe_read_user(&read, offsetof(struct peer_address, ipv6), address);
	if (read.family == AF_INET6)
		bpf_probe_read_user(&read.ipv6, sizeof(read.ipv6), address + offsetof(struct peer_address, ipv6));
	return read;
}

/* The same of an address in the memory of the program that gives it. */
static __always_inline bool is_ipv6_address(const struct peer_address *address)
{
	return address->family == AF_INET6 && !is_v4_mapped(&address->ipv6);
}

/* The file behind a descriptor of the running task; NULL when there is none. */
static __always_inline struct file *file_of_fd(u32 fd)
{
	struct file *file = NULL, **files;
	struct task_struct *task;
	struct fdtable *table;
	unsigned int count;

	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)) {
		task = (void *)bpf_get_current_task_btf(); /* read as it is, which costs a tenth */
		table = task->files->fdt;
		files = table->fd;
		count = table->max_fds;
	} else {
		task = (void *)bpf_get_current_task();
		table = BPF_CORE_READ(task, files, fdt);
		files = BPF_CORE_READ(table, fd);
		count = BPF_CORE_READ(table, max_fds);
	}
	if (fd < count)
		bpf_probe_read_kernel(&file, sizeof(file), files + fd);
	return file;
}

/* What a descriptor's file would have for its socket, if it is one: good for looking it up, and nothing else. */
static __always_inline struct sock *sock_of_fd(u32 fd)
{
	struct file *file = file_of_fd(fd);
	struct socket *socket = BPF_CORE_READ(file, private_data);

	return BPF_CORE_READ(socket, sk);
}

/* The TCP socket behind a file; for MPTCP that of its first subflow, which the state changes are about. */
static __always_inline struct sock *tcp_of_file(struct file *file)
{
	struct socket *socket;
	struct sock *sk;
	u16 family;

	if ((BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	socket = BPF_CORE_READ(file, private_data);
	sk = BPF_CORE_READ(socket, sk);
	if (!sk)
		return NULL;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (family != AF_INET && family != AF_INET6)
		return NULL;
	switch (BPF_CORE_READ(sk, sk_protocol)) {
	case IPPROTO_TCP:
		return sk;
	case IPPROTO_MPTCP:
		if (bpf_core_field_exists(struct mptcp_sock, first))
			return BPF_CORE_READ((struct mptcp_sock *)sk, first) ?: sk;
		return sk;
	default:
		return NULL;
	}
}

static __always_inline struct sock *tcp_of_fd(u32 fd)
{
	struct file *file = file_of_fd(fd);

	return file ? tcp_of_file(file) : NULL;
}

/*
 * The registers with which the system call was made. Before 5.15, which has no helper for them, they are the first word of
 * what a perf tracepoint gives its program (kernel/trace/trace_syscalls.c: perf_call_bpf_exit); the verifier hides that
 * word, so it is read as any kernel memory.
 */
static __always_inline struct pt_regs *registers_of(struct trace_event_raw_sys_exit *ctx)
{
	struct pt_regs *registers = NULL;

	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
		return (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	bpf_probe_read_kernel(&registers, sizeof(registers), ctx);
	return registers;
}

#endif
