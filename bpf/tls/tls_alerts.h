/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What an alert says of why a handshake failed.
 *
 * Sources: RFC 8446 section 6; RFC 5246 section 7.2 for those that are older.
 *
 * Both halves; no state.
 */
#ifndef CONNSCOPE_TLS_ALERTS_H
#define CONNSCOPE_TLS_ALERTS_H

#include "bpf/tls/tls.h"

enum tls_alert {
	ALERT_HANDSHAKE_FAILURE = 40,
	ALERT_BAD_CERTIFICATE = 42,
	ALERT_UNSUPPORTED_CERTIFICATE = 43,
	ALERT_CERTIFICATE_REVOKED = 44,
	ALERT_CERTIFICATE_EXPIRED = 45,
	ALERT_CERTIFICATE_UNKNOWN = 46,
	ALERT_UNKNOWN_CA = 48,
	ALERT_DECRYPT_ERROR = 51,
	ALERT_PROTOCOL_VERSION = 70,
	ALERT_INSUFFICIENT_SECURITY = 71,
	ALERT_UNRECOGNIZED_NAME = 112,
	ALERT_CERTIFICATE_REQUIRED = 116,
	ALERT_NO_APPLICATION_PROTOCOL = 120,
};

static inline __u8 tls_alert_reason(__u32 alert)
{
	switch (alert) {
	case ALERT_HANDSHAKE_FAILURE:
		return TLS_HANDSHAKE_FAILURE;
	case ALERT_BAD_CERTIFICATE:
	case ALERT_UNSUPPORTED_CERTIFICATE:
	case ALERT_CERTIFICATE_UNKNOWN:
		return TLS_BADCERT;
	case ALERT_CERTIFICATE_REVOKED:
		return TLS_REVOKED;
	case ALERT_CERTIFICATE_EXPIRED:
		return TLS_EXPIRED;
	case ALERT_UNKNOWN_CA:
		return TLS_INVALIDCA;
	case ALERT_DECRYPT_ERROR:
		return TLS_DECRYPT_ERROR;
	case ALERT_PROTOCOL_VERSION:
		return TLS_PROTOCOL_VERSION;
	case ALERT_INSUFFICIENT_SECURITY:
		return TLS_NO_SHARED_CIPHER;
	case ALERT_UNRECOGNIZED_NAME:
		return TLS_UNRECOGNIZED_NAME;
	case ALERT_CERTIFICATE_REQUIRED:
		return TLS_CLIENT_CERT_REQUIRED;
	case ALERT_NO_APPLICATION_PROTOCOL:
		return TLS_NO_APPLICATION_PROTOCOL;
	default:
		return TLS_OTHER_ALERT;
	}
}

/* Whether it refuses a certificate, which it may after the other side's handshake has ended. */
static inline int tls_alert_refuses_certificate(__u8 alert)
{
	return (alert >= ALERT_BAD_CERTIFICATE && alert <= ALERT_CERTIFICATE_UNKNOWN) || alert == ALERT_UNKNOWN_CA ||
	       alert == ALERT_CERTIFICATE_REQUIRED;
}

#endif
