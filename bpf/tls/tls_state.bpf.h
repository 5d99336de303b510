/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The state of the TLS probes: handshakes of sockets, seen on the wire; sessions of libraries; and which session a thread works
 * on. The object of the wire owns the maps; those of the libraries are given its descriptors at load.
 *
 * A handshake is counted as begun when its process is known, and whoever deletes it from the map counts its end, unless it was done.
 * While it is in the map, all packets of its socket are handed to TLS.
 *
 * Kernel half only.
 */
#ifndef CONNSCOPE_TLS_STATE_BPF_H
#define CONNSCOPE_TLS_STATE_BPF_H

#include "bpf/include/kernel_types.h"
#include "bpf/packet/tls_gate.bpf.h"
#include "bpf/tls/tls.h"
#include "bpf/tls/tls_record.h"

#include <bpf/bpf_helpers.h>

/* A function that only some of the objects call. */
#define __some_use __attribute__((unused))

/* A session of a library: the object that the program has for it, by its address. */
struct tls_session_key {
	u64 address; /* 0: none */
	u32 tgid;    /* in the first pid namespace */
	u32 library; /* enum tls_library */
};

/* Where a handshake is. */
enum tls_phase {
	PHASE_HELLO = 0, /* a ClientHello was seen */
	PHASE_ANSWERED,  /* a ServerHello was seen */
	PHASE_DONE,      /* it has succeeded and was counted; a late refusal may follow */
	PHASE_OVER,      /* it has failed, and waits for the library's word */
};

struct handshake {
	u64 begun_ns; /* the ClientHello */
	u64 ended_ns; /* finished, or broken off; 0: neither */
	u64 last_ns;  /* the last that came from the peer */
	u64 identity; /* holds once `is_begun` */
	u64 attempt_ns; /* when the attempt began that it is the last part of; 0: it is of none, or that was counted */
	struct tls_session_key session; /* of the library; its address is 0 until it is known */
	u32 host;
	u16 cipher; /* 0 unless the label is asked for */
	u8 role;
	u8 version;
	u8 tag_bytes; /* that its cipher adds to a record */
	u8 is_resumed;
	u8 phase;
	u8 reason; /* the most telling so far */
	u8 rank;   /* its */
	u8 is_told; /* a failure was counted */
	u8 is_doubtful; /* so little has come that it may be none */
	u8 is_begun; /* its process is known, and it was counted as begun */
	u8 is_blind; /* segments were lost on the way to the parser: the wire does not know how it goes on */
	u8 is_retried; /* HelloRetryRequest was seen */
	u8 is_asked; /* the ClientHello has come to its end: it is the server's turn */
	u8 wants_client_certificate; /* the server has asked for one */
	u8 has_certificate; /* the server has sent one in plain text */
	u8 has_spoken; /* the client has sent data of its own */
	u8 is_accepted; /* the server has sent what it would not if it refused the client */
	u8 is_refused; /* it may have refused the client: that holds if the connection ends now */
	u8 alert; /* that came before the process was known; 0: none */
	u8 doubt; /* a client's: why it may yet refuse the server, by its library's verdict; TLS_OK: no reason is known */
};

/* Where a packet has its sender's certificate in plain text. */
struct plain_certificate {
	u32 at;
	u32 bytes; /* that the packet has of it; 0: it has none */
};

/*
 * Bytes of the segment that is being read, ahead of the parser: one copy for many of its pieces. A piece is taken by whole words, so there
 * is a word behind the last.
 */
#define WINDOW_BYTES 64

struct tls_window {
	u32 at;
	u32 bytes; /* 0: it has none of this segment yet */
	u8 data[WINDOW_BYTES + TLS_WORD];
};

/* What one side sends; index: enum tls_direction, which has the order of enum direction. */
struct tls_side {
	u32 next;     /* sequence number of the first byte that was not taken */
	u32 end;      /* of the stream, once `has_end` */
	u16 records;  /* hidden ones since the ServerHello */
	u8 has_end;   /* a FIN was seen */
	u8 is_lost;   /* bytes were missed */
	u8 is_hidden; /* Finished has come, or what else it hides */
	u8 has_early; /* segments that are ahead of `next` were kept */
	u8 is_guessed; /* whether `next` is where a record begins is not sure */
	u8 reserved;
	struct tls_window window;
	struct plain_certificate plain; /* of the packet that was read last, until it is handed on */
	struct tls_parser parser;
};

struct tls_flow {
	struct tls_side sides[DIRECTIONS];
	u64 name[TLS_NAME_WORDS]; /* the server's, as the client asks for it */
};

/* The two in one entry, so that a packet costs one look-up and a handshake no memory that must be asked for. */
struct tls_connection {
	struct handshake handshake; /* all zeros: it is being made */
	struct tls_flow flow;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, u64); /* the socket's cookie */
	__type(value, struct tls_connection);
} handshakes SEC(".maps");

static const struct tls_connection no_connection = {};

/* How a library's own handshake stands. */
enum session_state {
	SESSION_RUNS = 0,
	SESSION_SUCCEEDED,
	SESSION_FAILED,
};

/* What a library has said of a session. Evicted ones lose the library's word, and nothing else. */
struct tls_session {
	u64 cookie;   /* of its socket; 0: not known yet */
	u64 begun_ns; /* its first call */
	u64 ended_ns;
	u64 identity;
	u8 role;
	u8 state;
	u8 reason;
	u8 rank;
	u8 is_told; /* a failure of it was counted */
	u8 verdict; /* on the peer's certificate, that nothing has come of yet; TLS_OK: none */
	u8 is_of_wire; /* its failure shows on the wire: without its socket it has nothing to tell */
	u8 reserved;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct tls_session_key);
	__type(value, struct tls_session);
} tls_sessions SEC(".maps");

/* The session that a thread works on, or was the last to. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u32); /* `pid` of its task */
	__type(value, struct tls_session_key);
} tls_threads SEC(".maps");

static __always_inline struct handshake *find_handshake(u64 cookie)
{
	struct tls_connection *connection = bpf_map_lookup_elem(&handshakes, &cookie);

	return connection ? &connection->handshake : NULL;
}

static __always_inline struct tls_flow *flow_of(struct handshake *handshake)
{
	return &((struct tls_connection *)handshake)->flow;
}

/* A new entry, all zeros; NULL: no room, or there is one. */
static __always_inline struct handshake *new_handshake(u64 cookie)
{
	if (bpf_map_update_elem(&handshakes, &cookie, &no_connection, BPF_NOEXIST))
		return NULL;
	watch_sockets(cookie, 1);
	return find_handshake(cookie);
}

/* False: it was gone, another CPU was first. */
static __always_inline bool forget_handshake(u64 cookie)
{
	if (bpf_map_delete_elem(&handshakes, &cookie))
		return false;
	watch_sockets(cookie, -1);
	return true;
}

static __always_inline struct tls_session *find_session(const struct tls_session_key *key)
{
	return key->address ? bpf_map_lookup_elem(&tls_sessions, key) : NULL;
}

/* The session of a handshake. Its object may be another connection's by now. */
static __always_inline struct tls_session *session_of(const struct handshake *handshake, u64 cookie)
{
	struct tls_session *session = find_session(&handshake->session);

	return session && session->cookie == cookie ? session : NULL;
}

/* Takes a handshake out of the map; false: there is none, or another CPU was first. */
static __always_inline bool take_handshake(u64 cookie, struct handshake *handshake)
{
	const struct handshake *kept = find_handshake(cookie);

	if (!kept)
		return false;
	*handshake = *kept;
	return forget_handshake(cookie);
}

#endif
