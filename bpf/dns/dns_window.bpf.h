/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Messages: from a packet's payload, or from the buffer of a TCP stream, to a struct dns_message.
 *
 * The first bytes of a message are more than the stack has room for, so they are read into a window of the CPU. A softirq or, on
 * kernels that preempt, another process may come in between and use the same window: each reader puts its stamp on it first, and
 * what was read under a stamp that is another's by the end is read again.
 *
 * Kernel half only; cgroup_skb programs.
 */
#ifndef CONNSCOPE_DNS_WINDOW_BPF_H
#define CONNSCOPE_DNS_WINDOW_BPF_H

#include "bpf/dns/dns_message.h"
#include "bpf/dns/dns_stream.bpf.h"
#include "bpf/include/cells.bpf.h"
#include "bpf/include/packet.bpf.h"

struct window {
	u64 stamp;
	struct dns_message message;
	u8 bytes[DNS_WINDOW];
};

/* One for each direction: what is received by loopback is read in the middle of sending. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, DIRECTIONS);
	__type(key, u32);
	__type(value, struct window);
} windows SEC(".maps");

/* Keeps the compiler from moving reads of the window across. */
#define KEEP_ORDER() asm volatile("" ::: "memory")

/* Instead of an offset: the message is in the stream's buffer. */
#define IN_STREAM (~0U)

static __always_inline long fill_window(struct __sk_buff *skb, struct window *window, u32 offset, u64 size, u32 direction)
{
	const struct stream *stream;
	struct packet packet;

	if (!says_length(&size, DNS_WINDOW))
		return -1;
	if (offset != IN_STREAM)
		return bpf_skb_load_bytes(skb, offset, window->bytes, size);
	packet = packet_of(skb);
	stream = find_stream(connection_of(skb, &packet, direction), direction);
	return stream ? bpf_probe_read_kernel(window->bytes, size, stream->head + STREAM_PREFIX) : -1;
}

/* Reads a message into the window, under `stamp`; an enum dns_verdict. Global: the verifier walks through it once. */
__noinline int read_question(struct __sk_buff *skb, u32 offset, u32 bytes, u32 direction, u64 stamp)
{
	struct window *window = bpf_map_lookup_elem(&windows, &direction);
	enum dns_verdict verdict;
	u64 size = bytes;

	if (!window)
		return DNS_SHORT;
	window->stamp = stamp;
	KEEP_ORDER();
	if (size > DNS_WINDOW)
		size = DNS_WINDOW;
	if (!size || fill_window(skb, window, offset, size, direction))
		return DNS_SHORT;
	window->message.message_bytes = bytes;
	verdict = dns_read_header(window->bytes, size, &window->message);
	return verdict ? verdict : dns_read_question(window->bytes, size, &window->message);
}

/* Goes on with the records of an answer that read_question has put into the window. */
__noinline int read_records(u32 bytes, u32 direction)
{
	struct window *window = bpf_map_lookup_elem(&windows, &direction);
	u64 size = bytes;

	if (!window)
		return DNS_SHORT;
	if (size > DNS_WINDOW)
		size = DNS_WINDOW;
	return dns_read_records(window->bytes, size, &window->message);
}

#define READINGS 3 /* more than one interruption at the same place is not to be expected */

/* Reads a message of `bytes` at `offset` of a packet, or IN_STREAM. `*now` becomes the time. */
static __always_inline enum dns_verdict read_message(struct __sk_buff *skb, u32 offset, u32 bytes, u32 direction,
						     struct dns_message *message, u64 *now)
{
	const struct window *window = bpf_map_lookup_elem(&windows, &direction);
	int verdict;

	if (!window)
		return DNS_SHORT;
	for (int i = 0; i < READINGS; i++) {
		*now = bpf_ktime_get_ns();
		verdict = read_question(skb, offset, bytes, direction, *now);
		if (!verdict && window->message.is_answer)
			verdict = read_records(bytes, direction);
		*message = window->message;
		KEEP_ORDER();
		if (*(const volatile u64 *)&window->stamp == *now)
			return verdict;
	}
	count_loss(LOSS_MESSAGE_UNREAD);
	return DNS_SHORT;
}

#endif
