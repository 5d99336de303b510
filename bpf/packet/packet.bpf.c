// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The packet programs: every packet that a socket of this host sends or gets comes by here, so headers are read once, by direct
 * access, and a packet that no protocol wants is left at once. The others go by a tail call to the protocol's own program, in the
 * object of its probe.
 *
 * DNS wants packets by their ports; TLS, on any port, TCP segments whose payload begins like a handshake, and all that follows on
 * that socket until the handshake is over (tls_gate.bpf.h).
 *
 * At egress the headers stand in front of the payload in linear memory, at ingress the kernel has pulled them there before it
 * looks for the socket. IPv6 extension headers are not followed: what has them is not seen.
 */
#include "bpf/include/packet.bpf.h"
#include "bpf/packet/packet.h"
#include "bpf/packet/tls_gate.bpf.h"

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

/* By protocol: not 0, it wants to see what has no port. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PACKET_PROTOCOLS);
	__type(key, u32);
	__type(value, u32);
} packet_gates SEC(".maps");

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define IPV6_HEADER_BYTES 40
#define UDP_HEADER_BYTES 8
#define TCP_HEADER_BYTES 20
#define TCP_FLAG_FIN 0x01
#define TCP_FLAG_SYN 0x02
#define TCP_FLAG_RST 0x04

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

static __always_inline u32 long_at(const u8 *bytes)
{
	return (u32)word_at(bytes) << 16 | word_at(bytes + 2);
}

/* The transport's header, at `header`; false: it is not whole. */
static __always_inline bool read_transport(const u8 *transport, const u8 *end, u32 header, u8 protocol, struct packet *packet)
{
	u8 flags;

	if ((protocol != IPPROTO_UDP && protocol != IPPROTO_TCP) || transport + UDP_HEADER_BYTES > end)
		return false;
	packet->source_port = word_at(transport);
	packet->dest_port = word_at(transport + 2);
	packet->payload = header + UDP_HEADER_BYTES;
	if (protocol != IPPROTO_TCP)
		return true;
	if (transport + TCP_HEADER_BYTES > end)
		return false;
	flags = transport[13];
	packet->is_tcp = 1;
	packet->payload = header + (transport[12] >> 4) * 4;
	packet->sequence = long_at(transport + 4) + !!(flags & TCP_FLAG_SYN); /* which has a number of its own */
	packet->acknowledged = long_at(transport + 8);
	packet->is_fin = !!(flags & TCP_FLAG_FIN);
	packet->is_reset = !!(flags & TCP_FLAG_RST);
	return true;
}

static __always_inline bool is_for_dns(struct packet *packet)
{
	u32 index = PACKET_DNS;
	const struct port_set *ports = bpf_map_lookup_elem(&packet_ports, &index);

	if (!ports)
		return false;
	packet->from_service = has_port(ports, packet->source_port);
	packet->to_service = has_port(ports, packet->dest_port);
	return packet->from_service || packet->to_service;
}

static __always_inline bool is_for_tls(struct __sk_buff *skb, struct packet *packet)
{
	u32 index = PACKET_TLS;
	const u32 *is_open;
	bool has_payload = packet->payload < skb->len;

	if (!packet->is_tcp || !(has_payload || packet->is_fin || packet->is_reset))
		return false;
	is_open = bpf_map_lookup_elem(&packet_gates, &index);
	if (!is_open || !*is_open)
		return false;
	if (is_watched(bpf_get_socket_cookie(skb)))
		return true;
	packet->begins_handshake = has_payload && begins_handshake(skb, packet);
	return packet->begins_handshake;
}

static __always_inline int see_packet(struct __sk_buff *skb, void *programs)
{
	const u8 *ip = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct packet packet = {};
	u16 ethertype = bpf_ntohs(skb->protocol);
	u8 protocol = 0;
	u32 header = read_ip(ip, end, ethertype, &protocol);

	if (!header || !read_transport(ip + header, end, header, protocol, &packet))
		return PASS;
	packet.is_ipv6 = ethertype == ETHERTYPE_IPV6;
	if (is_for_dns(&packet)) {
		if (packet.payload >= skb->len)
			return PASS;
		hand_on(skb, &packet);
		bpf_tail_call(skb, programs, PACKET_DNS);
	} else if (is_for_tls(skb, &packet)) {
		hand_on(skb, &packet);
		bpf_tail_call(skb, programs, PACKET_TLS);
	}
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
