/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What OpenSSL says, as reasons: its verdicts on certificates, and the errors of its handshake. The numbers are those of its public
 * headers, which hold from 1.1.0 on.
 *
 * Sources: <openssl/x509_vfy.h>, <openssl/sslerr.h>, <openssl/err.h>.
 *
 * Both halves; no state.
 */
#ifndef CONNSCOPE_OPENSSL_H
#define CONNSCOPE_OPENSSL_H

#include "bpf/tls/tls_alerts.h"

/* --- verdicts on a certificate: X509_STORE_CTX_get_error ---------------------------------------------------------------- */

static inline __u8 openssl_verdict(int code)
{
	switch (code) {
	case 0:
		return TLS_OK;
	case 10: /* CERT_HAS_EXPIRED */
		return TLS_EXPIRED;
	case 9: /* CERT_NOT_YET_VALID */
		return TLS_NOTYETVALID;
	case 18: /* DEPTH_ZERO_SELF_SIGNED_CERT */
	case 19: /* SELF_SIGNED_CERT_IN_CHAIN */
		return TLS_SELFSIGNED;
	case 2:  /* UNABLE_TO_GET_ISSUER_CERT */
	case 20: /* UNABLE_TO_GET_ISSUER_CERT_LOCALLY */
	case 21: /* UNABLE_TO_VERIFY_LEAF_SIGNATURE */
	case 24: /* INVALID_CA in 1.1, NO_ISSUER_PUBLIC_KEY since 3.0 */
	case 27: /* CERT_UNTRUSTED */
	case 79: /* INVALID_CA since 3.0 */
		return TLS_INVALIDCA;
	case 62: /* HOSTNAME_MISMATCH */
	case 64: /* IP_ADDRESS_MISMATCH */
		return TLS_HOSTNAME;
	case 23: /* CERT_REVOKED */
		return TLS_REVOKED;
	default:
		return TLS_BADCERT;
	}
}

/* --- errors of the handshake --------------------------------------------------------------------------------------------- */

#define OPENSSL_LIB_SSL 20

/* One above this is an alert from the peer, whose number is the rest. */
#define OPENSSL_ALERT_BASE 1000

#define OPENSSL_CERTIFICATE_VERIFY_FAILED 134
#define OPENSSL_WRONG_VERSION_NUMBER 267

/* What an alert from the peer says. One that only says goodbye is left to the wire. */
static inline __u8 openssl_alert_reason(__u32 alert)
{
	if (alert == 0 /* close_notify */ || alert == 90 /* user_canceled */)
		return TLS_OK;
	return tls_alert_reason(alert);
}

/* What an error says by itself; TLS_OK: nothing that the wire would not know better. */
static inline __u8 openssl_reason(__u32 error)
{
	if (error >= OPENSSL_ALERT_BASE)
		return openssl_alert_reason(error - OPENSSL_ALERT_BASE);
	switch (error) {
	case OPENSSL_CERTIFICATE_VERIFY_FAILED:
	case 180: /* DANE_TLSA_BAD_CERTIFICATE */
	case 304: /* BAD_ECC_CERT */
	case 318: /* ECC_CERT_NOT_FOR_SIGNING */
	case 383: /* WRONG_CERTIFICATE_TYPE */
	case 397: /* CA_KEY_TOO_SMALL */
	case 398: /* CA_MD_TOO_WEAK */
	case 399: /* EE_KEY_TOO_SMALL */
		return TLS_BADCERT;
	case 116: /* BAD_PROTOCOL_VERSION_NUMBER */
	case 166: /* VERSION_TOO_HIGH */
	case 191: /* NO_PROTOCOLS_AVAILABLE */
	case 252: /* UNKNOWN_PROTOCOL */
	case 258: /* UNSUPPORTED_PROTOCOL */
	case 259: /* UNSUPPORTED_SSL_VERSION */
	case 266: /* WRONG_SSL_VERSION */
	case 373: /* INAPPROPRIATE_FALLBACK */
	case 396: /* VERSION_TOO_LOW */
		return TLS_PROTOCOL_VERSION;
	case 181: /* NO_CIPHERS_AVAILABLE */
	case 193: /* NO_SHARED_CIPHER */
		return TLS_NO_SHARED_CIPHER;
	case 101: /* NO_SUITABLE_KEY_SHARE */
	case 118: /* NO_SUITABLE_SIGNATURE_ALGORITHM */
	case 295: /* NO_SUITABLE_GROUPS */
	case 376: /* NO_SHARED_SIGNATURE_ALGORITHMS */
	case 410: /* NO_SHARED_GROUPS */
		return TLS_HANDSHAKE_FAILURE;
	case 176: /* NO_CERTIFICATES_RETURNED */
	case 199: /* PEER_DID_NOT_RETURN_A_CERTIFICATE */
		return TLS_CLIENT_CERT_REQUIRED;
	case 226: /* CLIENTHELLO_TLSEXT: a callback refused the name */
		return TLS_UNRECOGNIZED_NAME;
	case 235: /* NO_APPLICATION_PROTOCOL */
		return TLS_NO_APPLICATION_PROTOCOL;
	case 123: /* BAD_SIGNATURE */
	case 147: /* DECRYPTION_FAILED */
	case 149: /* DIGEST_CHECK_FAILED: of Finished */
	case 281: /* DECRYPTION_FAILED_OR_BAD_RECORD_MAC */
		return TLS_DECRYPT_ERROR;
	case 155: /* HTTPS_PROXY_REQUEST */
	case 156: /* HTTP_REQUEST */
	case OPENSSL_WRONG_VERSION_NUMBER: /* no record of TLS */
		return TLS_NOT_TLS;
	default:
		return TLS_OK;
	}
}

#endif
