// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The packet programs: every packet that a socket of this host sends or gets comes by here, so headers are read once, by direct
 * access, and a packet whose ports no protocol wants is left at once. The others go by a tail call to the protocol's own program,
 * in the object of its probe, which works without this file knowing of it.
 *
 * At egress the headers stand in front of the payload in linear memory, at ingress the kernel has pulled them there before it
 * looks for the socket. IPv6 extension headers are not followed: what has them is not seen.
 */
#include "bpf/include/packet.bpf.h"
#include "bpf/packet/packet.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PACKET_PROTOCOLS);
	__type(key, u32);
	__type(value, struct port_set);
} packet_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, PACKET_PROTOCOLS);
	__type(key, u32);
	__type(value, u32);
} packet_egress SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, PACKET_PROTOCOLS);
	__type(key, u32);
	__type(value, u32);
} packet_ingress SEC(".maps");

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define IPV6_HEADER_BYTES 40
#define UDP_HEADER_BYTES 8
#define TCP_HEADER_BYTES 20
#define TCP_FLAG_SYN 0x02

/* Where the IP header ends and what follows it; 0: nothing that a socket's port could be read from. */
static __always_inline u32 read_ip(const u8 *ip, const u8 *end, u16 ethertype, u8 *protocol)
{
	if (ethertype == ETHERTYPE_IPV4) {
		if (ip + 20 > end || ((ip[6] & 0x1f) | ip[7])) /* a fragment that is not the first */
			return 0;
		*protocol = ip[9];
		return (ip[0] & 0x0f) * 4;
	}
	if (ethertype != ETHERTYPE_IPV6 || ip + IPV6_HEADER_BYTES > end)
		return 0;
	*protocol = ip[6];
	return IPV6_HEADER_BYTES;
}

static __always_inline u16 word_at(const u8 *bytes)
{
	return bytes[0] << 8 | bytes[1];
}

static __always_inline bool has_port(const struct port_set *ports, u16 port)
{
	u64 word = port >> 6;

	/* The compiler knows that this is below 1024; verifiers before 6.12 need the mask to know it too. */
	asm volatile("" : "+r"(word));
	return ports->words[word & 1023] >> (port & 63) & 1;
}

static __always_inline int see_packet(struct __sk_buff *skb, void *programs)
{
	const u8 *ip = (void *)(long)skb->data, *end = (void *)(long)skb->data_end, *transport;
	u32 header, index = PACKET_DNS;
	const struct port_set *ports;
	struct packet packet = {};
	u16 ethertype = bpf_ntohs(skb->protocol);
	u8 protocol = 0;

	header = read_ip(ip, end, ethertype, &protocol);
	transport = ip + header;
	if (!header || (protocol != IPPROTO_UDP && protocol != IPPROTO_TCP) || transport + UDP_HEADER_BYTES > end)
		return PASS;
	packet.source_port = word_at(transport);
	packet.dest_port = word_at(transport + 2);
	ports = bpf_map_lookup_elem(&packet_ports, &index);
	if (!ports)
		return PASS;
	packet.from_service = has_port(ports, packet.source_port);
	packet.to_service = has_port(ports, packet.dest_port);
	if (!packet.from_service && !packet.to_service)
		return PASS;
	packet.is_ipv6 = ethertype == ETHERTYPE_IPV6;
	packet.payload = header + UDP_HEADER_BYTES;
	if (protocol == IPPROTO_TCP) {
		if (transport + TCP_HEADER_BYTES > end)
			return PASS;
		packet.is_tcp = 1;
		packet.payload = header + (transport[12] >> 4) * 4;
		packet.sequence = (u32)word_at(transport + 4) << 16 | word_at(transport + 6);
		packet.sequence += !!(transport[13] & TCP_FLAG_SYN); /* which has a number of its own */
	}
	if (packet.payload >= skb->len)
		return PASS;
	hand_on(skb, &packet);
	bpf_tail_call(skb, programs, index);
	return PASS; /* nobody reads that protocol now */
}

SEC("cgroup_skb/egress")
int on_egress(struct __sk_buff *skb)
{
	return see_packet(skb, &packet_egress);
}

SEC("cgroup_skb/ingress")
int on_ingress(struct __sk_buff *skb)
{
	return see_packet(skb, &packet_ingress);
}
