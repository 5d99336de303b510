/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What NSS says of a peer's certificate, as reasons: what its checks return, and the error numbers that a program hands to
 * it which checks certificates itself, as Firefox does.
 *
 * Sources: <nss/certt.h>, <nss/secerr.h>, <nss/sslerr.h>, <nss/seccomon.h>; for Firefox's own errors, mozilla::pkix,
 * security/nss/lib/mozpkix/include/pkix/Result.h and pkixnss.h.
 *
 * Both halves; no state.
 */
#ifndef CONNSCOPE_NSS_H
#define CONNSCOPE_NSS_H

#include "bpf/tls/tls.h"

/* SECStatus */
#define NSS_FAILURE (-1)

/* SECCertTimeValidity */
#define NSS_TIME_EXPIRED 1
#define NSS_TIME_NOT_VALID_YET 2

#define SSL_ERROR_BAD_CERT_DOMAIN (-0x3000 + 12)
#define SEC_ERROR_EXPIRED_CERTIFICATE (-0x2000 + 11)
#define SEC_ERROR_REVOKED_CERTIFICATE (-0x2000 + 12)
#define SEC_ERROR_UNKNOWN_ISSUER (-0x2000 + 13)
#define SEC_ERROR_UNTRUSTED_ISSUER (-0x2000 + 20)
#define SEC_ERROR_EXPIRED_ISSUER_CERTIFICATE (-0x2000 + 30)
#define SEC_ERROR_CA_CERT_INVALID (-0x2000 + 36)
#define MOZILLA_PKIX_ERROR_NOT_YET_VALID_CERTIFICATE (-0x4000 + 5)
#define MOZILLA_PKIX_ERROR_NOT_YET_VALID_ISSUER_CERTIFICATE (-0x4000 + 6)
#define MOZILLA_PKIX_ERROR_SELF_SIGNED_CERT (-0x4000 + 14)

static inline __u8 nss_time_verdict(int validity)
{
	switch (validity) {
	case NSS_TIME_EXPIRED:
		return TLS_EXPIRED;
	case NSS_TIME_NOT_VALID_YET:
		return TLS_NOTYETVALID;
	default:
		return TLS_OK;
	}
}

static inline __u8 nss_error_verdict(int error)
{
	switch (error) {
	case 0:
		return TLS_OK;
	case SSL_ERROR_BAD_CERT_DOMAIN:
		return TLS_HOSTNAME;
	case SEC_ERROR_EXPIRED_CERTIFICATE:
	case SEC_ERROR_EXPIRED_ISSUER_CERTIFICATE:
		return TLS_EXPIRED;
	case SEC_ERROR_REVOKED_CERTIFICATE:
		return TLS_REVOKED;
	case SEC_ERROR_UNKNOWN_ISSUER:
	case SEC_ERROR_UNTRUSTED_ISSUER:
	case SEC_ERROR_CA_CERT_INVALID:
		return TLS_INVALIDCA;
	case MOZILLA_PKIX_ERROR_NOT_YET_VALID_CERTIFICATE:
	case MOZILLA_PKIX_ERROR_NOT_YET_VALID_ISSUER_CERTIFICATE:
		return TLS_NOTYETVALID;
	case MOZILLA_PKIX_ERROR_SELF_SIGNED_CERT:
		return TLS_SELFSIGNED;
	default:
		return TLS_BADCERT;
	}
}

#endif
