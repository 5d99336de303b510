// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Owner of the identity maps that all objects share, and keeper of their cache: a thread group that executes another file,
 * or a new one whose number was another's before, must be looked at again.
 */
#include "bpf/include/identity.bpf.h"

#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline void forget(u32 tgid)
{
	bpf_map_delete_elem(&identity_cache, &tgid);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec)
{
	forget(bpf_get_current_pid_tgid() >> 32);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	if (child->pid == child->tgid)
		forget(child->tgid);
	return 0;
}
