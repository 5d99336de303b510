/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the two halves of the certificates probe share: which certificates peers have shown, and the begin of each, which says who
 * issued it and how long it is valid.
 *
 * Both halves.
 */
#ifndef CONNSCOPE_CERTIFICATE_H
#define CONNSCOPE_CERTIFICATE_H

#include "bpf/include/shared.h"

/* Serial number, issuer and validity lie within that. */
#define CERTIFICATE_BYTES 1024

/* certificates: one entry a certificate that peers of an identity have shown; the least recently shown go first. */
struct certificate_key {
	__u64 identity;
	__u64 digest; /* of the begin, where serial number and issuer are: together no two certificates have the same */
};
SHARED_STRUCT(struct certificate_key, 16);

struct certificate_seen {
	__u64 times;
};
SHARED_STRUCT(struct certificate_seen, 8);

/* certificate_news: sent when an entry is made. */
struct certificate_record {
	struct certificate_key key;
	__u64 bytes;
	__u8 der[CERTIFICATE_BYTES];
};
SHARED_STRUCT(struct certificate_record, 1048);

#endif
