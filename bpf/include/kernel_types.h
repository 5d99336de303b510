/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The kernel's types, cut down to the fields that the programs read. Layouts are not the kernel's: CO-RE relocates every
 * access against the running kernel's BTF when an object is loaded. A field that changed its name or place has a flavour
 * (`struct x___y`, same type for CO-RE) that says which kernels it is for.
 *
 * Kernel half only.
 */
#ifndef CONNSCOPE_KERNEL_TYPES_H
#define CONNSCOPE_KERNEL_TYPES_H

#include <linux/bpf.h>
#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef _Bool bool;
#define true 1
#define false 0

/* include/uapi/asm-generic/errno-base.h, errno.h; include/linux/errno.h */
#define EPERM 1
#define EINTR 4
#define EBADF 9
#define EACCES 13
#define EFAULT 14
#define EPIPE 32
#define ERANGE 34
#define ENOTSOCK 88
#define EADDRINUSE 98
#define EADDRNOTAVAIL 99
#define ENETUNREACH 101
#define ECONNABORTED 103
#define ECONNRESET 104
#define EISCONN 106
#define ETIMEDOUT 110
#define ECONNREFUSED 111
#define EHOSTUNREACH 113
#define EALREADY 114
#define EINPROGRESS 115
#define ERESTARTSYS 512

/* include/net/tcp_states.h */
#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
#define TCP_FIN_WAIT1 4
#define TCP_FIN_WAIT2 5
#define TCP_CLOSE 7
#define TCP_CLOSE_WAIT 8
#define TCP_LAST_ACK 9
#define TCP_LISTEN 10
#define TCP_CLOSING 11

/* include/linux/socket.h, include/uapi/linux/in.h, include/net/sock.h */
#define AF_INET 2
#define AF_INET6 10
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_MPTCP 262
#define RCV_SHUTDOWN 1
#define SHUTDOWN_MASK 3

/* include/uapi/linux/errqueue.h */
#define SO_EE_ORIGIN_ICMP 2
#define SO_EE_ORIGIN_ICMP6 3

/* include/uapi/linux/stat.h */
#define S_IFMT 0170000
#define S_IFSOCK 0140000

/* include/linux/sched.h */
#define PF_KTHREAD 0x00200000

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* --- sockets ------------------------------------------------------------------------------------------------------ */

struct in6_addr {
	union {
		u32 u6_addr32[4];
	} in6_u;
};

struct ns_common {
	u32 inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	s64 counter;
} atomic64_t;

typedef struct refcount_struct {
	atomic_t refs;
} refcount_t;

struct sock_common {
	u32 skc_daddr;
	u32 skc_rcv_saddr;
	u16 skc_dport;
	u16 skc_num; /* the local port, in host order; 0 once it is given back */
	u16 skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	unsigned long skc_flags;
	atomic64_t skc_cookie;
	refcount_t skc_refcnt; /* 0: the memory is free, or another socket's that is not born yet */
};

/* Bits of sk_flags (include/net/sock.h). */
enum sock_flags {
	SOCK_DONE = 1, /* a FIN was received */
};

struct sk_buff {
	struct sock *sk;
	char cb[48];
};

struct sk_buff_head {
	struct sk_buff *next;
	u32 qlen;
};

/* What sk_buff.cb holds in a socket's error queue. */
struct sock_extended_err {
	u32 ee_errno;
	u8 ee_origin;
};

struct sock_exterr_skb {
	struct sock_extended_err ee;
};

typedef struct {
	int owned; /* by a process */
} socket_lock_t;

struct sock {
	struct sock_common __sk_common;
	socket_lock_t sk_lock;
	struct sk_buff_head sk_error_queue;
	u16 sk_protocol;
	int sk_err;
	int sk_err_soft;
	u8 sk_shutdown; /* a bit field of two bits up to 5.10 */
	struct socket *sk_socket; /* NULL before it is accepted, and when its program has closed it */
	u32 sk_ack_backlog;
	u32 sk_max_ack_backlog;
	atomic_t sk_drops;
};

struct inet_sock {
	u16 inet_sport; /* as on the wire; stays when skc_num is given back */
};

struct inet_connection_sock {
	u8 icsk_retransmits; /* by a timer that has run out, and not been answered since */
	u8 icsk_probes_out;
	u32 icsk_user_timeout;
	void *icsk_ulp_data;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	u32 segs_out;
	u32 data_segs_in;
	u32 total_retrans;
	u32 srtt_us; /* eight times the smoothed round-trip time */
	u32 snd_una;
	u32 snd_nxt;
	u32 write_seq;
	u64 tcp_mstamp; /* the last segment, on the monotonic clock in microseconds */
	u64 bytes_acked;
	u64 bytes_received; /* a FIN counts as one */
	u64 bytes_sent;     /* payload, that sent again too */
	u64 bytes_retrans;
	struct request_sock *fastopen_rsk; /* of TCP Fast Open, until the handshake has ended */
	bool is_mptcp; /* with CONFIG_MPTCP */
};

struct mptcp_sock {
	struct sock *first;
};

struct mptcp_subflow_context {
	u32 request_mptcp : 1, request_join : 1, mp_join : 1;
};

struct socket {
	struct sock *sk;
};

/* --- files -------------------------------------------------------------------------------------------------------- */

struct inode {
	u16 i_mode;
};

struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
	void *private_data;
};

struct fs_struct {
	struct path root;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

/* --- processes ---------------------------------------------------------------------------------------------------- */

struct mm_struct {
	unsigned long arg_start, arg_end;
	struct file *exe_file;
};

struct kernfs_node {
	u64 id;
	const char *name;
	struct kernfs_node *__parent; /* since 6.15 */
};

struct kernfs_node___before_6_15 {
	struct kernfs_node___before_6_15 *parent;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct nsproxy {
	struct net *net_ns;
};

typedef struct {
	u32 val;
} kuid_t;

struct cred {
	kuid_t uid;
};

struct signal_struct {
	atomic_t live; /* threads that have not begun to exit */
};

struct task_struct {
	const struct cred *cred;
	unsigned int flags;
	int pid;
	int tgid;
	struct task_struct *group_leader;
	struct signal_struct *signal;
	struct mm_struct *mm;
	u64 start_boottime;
	char comm[16];
	struct fs_struct *fs;
	struct files_struct *files;
	struct nsproxy *nsproxy; /* NULL in a process that is about to be gone */
	struct css_set *cgroups;
};

/* --- system calls ------------------------------------------------------------------------------------------------- */

struct pt_regs { /* x86-64: the arguments in their order, what is returned, the stack, what a function leaves as it was */
	unsigned long di, si, dx, cx, r8, r9;
	unsigned long ax;
	unsigned long sp;
	unsigned long bx, bp, r12, r13, r14, r15;
};

/* include/trace/trace_events.h */

struct trace_entry {
	int pid;
};

struct trace_event_raw_sys_exit {
	struct trace_entry ent;
	long ret;
};

/* Iterators: kernel/bpf/map_iter.c, task_iter.c */

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	void *key;
	void *value;
};

struct bpf_iter__task_file {
	struct task_struct *task;
	struct file *file;
};

#pragma clang attribute pop

#endif
