/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The types of Go's errors that say why a handshake failed. A value of type `error` is a pointer to a struct itab and one to the
 * data; the itab leads to the type, which holds a hash of its name that the compiler has made, so that it is the same in each program, stripped or
 * not. The compilers have made it in three ways: of Go 1.19 to 1.23, the inverse of SHA-256; since then of MD5, and of SHA-256,
 * the first byte inverted. tests/unit/scripts/go_tls_types_test.py works them out again.
 *
 * Sources: Go's src/cmd/compile/internal/types/fmt.go (TypeHash), src/cmd/internal/hash, src/internal/abi/type.go and iface.go.
 *
 * Both halves; no state.
 */
#ifndef CONNSCOPE_GO_TLS_H
#define CONNSCOPE_GO_TLS_H

#include "bpf/include/shared.h"

/* Offsets: of the type in struct itab, whose own hash is 0 where it was made at run time, and of the hash in the type. */
#define GO_ITAB_TYPE 8
#define GO_TYPE_HASH 16

#define GO_ERRORS(X) \
	X(GO_UNKNOWN_AUTHORITY, "crypto/x509.UnknownAuthorityError", 0x119d3977, 0xfcae4617, 0xee62c677) \
	X(GO_SYSTEM_ROOTS, "crypto/x509.SystemRootsError", 0x79367b1e, 0xbd8a3151, 0x86c9841e) \
	X(GO_HOSTNAME, "crypto/x509.HostnameError", 0x15d64430, 0x714e64d6, 0xea29bb30) \
	X(GO_CERTIFICATE_INVALID, "crypto/x509.CertificateInvalidError", 0xf4c505b0, 0x9c793c19, 0x0b3afab0) \
	X(GO_CONSTRAINT, "crypto/x509.ConstraintViolationError", 0xe1440d20, 0x8781df11, 0x1ebbf220) \
	X(GO_INSECURE_ALGORITHM, "crypto/x509.InsecureAlgorithmError", 0x78617f77, 0xe8ae6d18, 0x879e8077) \
	X(GO_CRITICAL_EXTENSION, "crypto/x509.UnhandledCriticalExtension", 0x2383cce1, 0x3a072fc1, 0xdc7c33e1) \
	X(GO_VERIFICATION, "*crypto/tls.CertificateVerificationError", 0xe1085f91, 0x26c64aa4, 0x1ef7a091) \
	X(GO_PERMANENT, "*crypto/tls.permanentError", 0x8cc0a411, 0x5eadf2a5, 0x733f5b11) \
	X(GO_ALERT, "crypto/tls.alert", 0x0ce829dc, 0x96628475, 0xf317d6dc) \
	X(GO_RECORD_HEADER, "crypto/tls.RecordHeaderError", 0x7d3abc2e, 0x790064a1, 0x82c5432e) \
	X(GO_OPERATION, "*net.OpError", 0x3e4df2a6, 0x8451f2f4, 0xc1b20da6) \
	X(GO_DEADLINE, "*internal/poll.DeadlineExceededError", 0xd2e4a166, 0x9de13ea1, 0x2d1b5e66) \
	X(GO_TEXT, "*errors.errorString", 0x70cc2da0, 0x87d0f4eb, 0x8f33d2a0)

enum go_error {
	GO_OTHER_ERROR = 0,
#define X(error, type, ...) error,
	GO_ERRORS(X)
#undef X
};

static inline enum go_error go_error_of(__u32 hash)
{
	switch (hash) {
#define X(error, type, first, second, third) \
	case first: \
	case second: \
	case third: \
		return error;
		GO_ERRORS(X)
#undef X
	default:
		return GO_OTHER_ERROR;
	}
}

#endif
