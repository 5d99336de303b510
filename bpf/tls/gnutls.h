/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What GnuTLS says, as reasons: its verdicts on certificates, and the errors of its handshake. The numbers are those of its
 * public header, which hold for every release with libgnutls.so.30, that is since 3.4.
 *
 * Sources: <gnutls/gnutls.h>, and for alerts RFC 8446 section 6.
 *
 * Both halves; no state.
 */
#ifndef CONNSCOPE_GNUTLS_H
#define CONNSCOPE_GNUTLS_H

#include "bpf/tls/tls.h"

/* --- the flags of a verdict ------------------------------------------------------------------------------------------- */

#define GNUTLS_CERT_REVOKED (1 << 5)
#define GNUTLS_CERT_SIGNER_NOT_FOUND (1 << 6)
#define GNUTLS_CERT_SIGNER_NOT_CA (1 << 7)
#define GNUTLS_CERT_NOT_ACTIVATED (1 << 9)
#define GNUTLS_CERT_EXPIRED (1 << 10)
#define GNUTLS_CERT_UNEXPECTED_OWNER (1 << 14)

/* --- errors of gnutls_handshake --------------------------------------------------------------------------------------- */

#define GNUTLS_E_UNSUPPORTED_VERSION_PACKET (-8)
#define GNUTLS_E_FATAL_ALERT_RECEIVED (-12)
#define GNUTLS_E_UNEXPECTED_PACKET (-15)
#define GNUTLS_E_WARNING_ALERT_RECEIVED (-16)
#define GNUTLS_E_ERROR_IN_FINISHED_PACKET (-18)
#define GNUTLS_E_UNKNOWN_CIPHER_SUITE (-21)
#define GNUTLS_E_DECRYPTION_FAILED (-24)
#define GNUTLS_E_AGAIN (-28)
#define GNUTLS_E_INSUFFICIENT_CREDENTIALS (-32)
#define GNUTLS_E_REHANDSHAKE (-37)
#define GNUTLS_E_GOT_APPLICATION_DATA (-38)
#define GNUTLS_E_CERTIFICATE_ERROR (-43)
#define GNUTLS_E_KEY_USAGE_VIOLATION (-48)
#define GNUTLS_E_NO_CERTIFICATE_FOUND (-49)
#define GNUTLS_E_INTERRUPTED (-52)
#define GNUTLS_E_UNSUPPORTED_CERTIFICATE_TYPE (-61)
#define GNUTLS_E_NO_CIPHER_SUITES (-87)
#define GNUTLS_E_PK_SIG_VERIFY_FAILED (-89)
#define GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM (-106)
#define GNUTLS_E_CERTIFICATE_REQUIRED (-112)
#define GNUTLS_E_INSUFFICIENT_SECURITY (-217)
#define GNUTLS_E_UNRECOGNIZED_NAME (-294)
#define GNUTLS_E_TIMEDOUT (-319)
#define GNUTLS_E_ECC_NO_SUPPORTED_CURVES (-321)
#define GNUTLS_E_OCSP_RESPONSE_ERROR (-341)
#define GNUTLS_E_NO_APPLICATION_PROTOCOL (-344)
#define GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR (-348)
#define GNUTLS_E_NO_COMMON_KEY_SHARE (-423)

/*
 * The most telling of the flags. A certificate that signs itself has the same ones as one whose issuer is unknown, so
 * TLS_SELFSIGNED never comes from here.
 */
static inline __u8 gnutls_verdict(__u32 status)
{
	if (!status)
		return TLS_OK;
	if (status & GNUTLS_CERT_REVOKED)
		return TLS_REVOKED;
	if (status & (GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNER_NOT_CA))
		return TLS_INVALIDCA;
	if (status & GNUTLS_CERT_EXPIRED)
		return TLS_EXPIRED;
	if (status & GNUTLS_CERT_NOT_ACTIVATED)
		return TLS_NOTYETVALID;
	if (status & GNUTLS_CERT_UNEXPECTED_OWNER)
		return TLS_HOSTNAME;
	return TLS_BADCERT;
}

/* Whether the handshake goes on at another call. */
static inline int gnutls_goes_on(int result)
{
	switch (result) {
	case GNUTLS_E_AGAIN:
	case GNUTLS_E_INTERRUPTED:
	case GNUTLS_E_WARNING_ALERT_RECEIVED:
	case GNUTLS_E_REHANDSHAKE:
	case GNUTLS_E_GOT_APPLICATION_DATA:
		return 1;
	default:
		return 0;
	}
}

/*
 * What an error says by itself; TLS_OK: the wire knows better, as where the connection broke off. That there is no cipher suite
 * for both is also what a server says that has no version in common with the client, or no certificate.
 */
static inline __u8 gnutls_reason(int result)
{
	switch (result) {
	case GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
		return TLS_PROTOCOL_VERSION;
	case GNUTLS_E_UNKNOWN_CIPHER_SUITE:
	case GNUTLS_E_NO_CIPHER_SUITES:
	case GNUTLS_E_INSUFFICIENT_CREDENTIALS:
	case GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM:
	case GNUTLS_E_INSUFFICIENT_SECURITY:
	case GNUTLS_E_ECC_NO_SUPPORTED_CURVES:
	case GNUTLS_E_NO_COMMON_KEY_SHARE:
		return TLS_HANDSHAKE_FAILURE;
	case GNUTLS_E_NO_CERTIFICATE_FOUND:
	case GNUTLS_E_CERTIFICATE_REQUIRED:
		return TLS_CLIENT_CERT_REQUIRED;
	case GNUTLS_E_UNRECOGNIZED_NAME:
		return TLS_UNRECOGNIZED_NAME;
	case GNUTLS_E_NO_APPLICATION_PROTOCOL:
		return TLS_NO_APPLICATION_PROTOCOL;
	case GNUTLS_E_ERROR_IN_FINISHED_PACKET:
	case GNUTLS_E_DECRYPTION_FAILED:
	case GNUTLS_E_PK_SIG_VERIFY_FAILED:
		return TLS_DECRYPT_ERROR;
	case GNUTLS_E_CERTIFICATE_ERROR:
	case GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR:
	case GNUTLS_E_KEY_USAGE_VIOLATION:
	case GNUTLS_E_UNSUPPORTED_CERTIFICATE_TYPE:
	case GNUTLS_E_OCSP_RESPONSE_ERROR:
		return TLS_BADCERT;
	case GNUTLS_E_TIMEDOUT:
		return TLS_TIMEOUT;
	default:
		return TLS_OK;
	}
}

#endif
