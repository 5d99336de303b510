// SPDX-License-Identifier: Apache-2.0
//
// What libraries and alerts say, as reasons.
#include <gtest/gtest.h>

#include "bpf/tls/gnutls.h"
#include "bpf/tls/nss.h"
#include "bpf/tls/openssl.h"
#include "bpf/tls/tls_alerts.h"

namespace connscope::bpf {
namespace {

// Flags as GnuTLS 3.7 gives them to certificates of each kind.
TEST(GnutlsVerdict, IsTheMostTellingFlag) {
  EXPECT_EQ(gnutls_verdict(0), TLS_OK);
  EXPECT_EQ(gnutls_verdict(0x402), TLS_EXPIRED);
  EXPECT_EQ(gnutls_verdict(0x202), TLS_NOTYETVALID);
  EXPECT_EQ(gnutls_verdict(0x42), TLS_INVALIDCA);
  EXPECT_EQ(gnutls_verdict(0x442), TLS_INVALIDCA);
  EXPECT_EQ(gnutls_verdict(0x4002), TLS_HOSTNAME);
  EXPECT_EQ(gnutls_verdict(0x4402), TLS_EXPIRED);
  EXPECT_EQ(gnutls_verdict(0x22), TLS_REVOKED);
  EXPECT_EQ(gnutls_verdict(0x102), TLS_BADCERT);
}

TEST(GnutlsReason, LeavesBreaksToTheWire) {
  for (const int error : {-53, -54, -110, -328, -9, -15}) EXPECT_EQ(gnutls_reason(error), TLS_OK) << error;
  for (const int error : {-28, -52, -16}) EXPECT_TRUE(gnutls_goes_on(error)) << error;
  for (const int error : {0, -12, -43, -348, -110}) EXPECT_FALSE(gnutls_goes_on(error)) << error;
}

// Numbers from the libraries' manuals: 0x3000 and 0x2000 below zero and what comes after them.
TEST(NssVerdict, OfErrorsAndTimes) {
  EXPECT_EQ(nss_error_verdict(0), TLS_OK);
  EXPECT_EQ(nss_error_verdict(-8181), TLS_EXPIRED);
  EXPECT_EQ(nss_error_verdict(-8180), TLS_REVOKED);
  EXPECT_EQ(nss_error_verdict(-8179), TLS_INVALIDCA);
  EXPECT_EQ(nss_error_verdict(-8172), TLS_INVALIDCA);
  EXPECT_EQ(nss_error_verdict(-12276), TLS_HOSTNAME);
  EXPECT_EQ(nss_error_verdict(-16379), TLS_NOTYETVALID);
  EXPECT_EQ(nss_error_verdict(-16370), TLS_SELFSIGNED);
  EXPECT_EQ(nss_error_verdict(-8016), TLS_BADCERT);
  EXPECT_EQ(nss_time_verdict(0), TLS_OK);
  EXPECT_EQ(nss_time_verdict(1), TLS_EXPIRED);
  EXPECT_EQ(nss_time_verdict(2), TLS_NOTYETVALID);
}

TEST(OpensslVerdict, OfCodes) {
  EXPECT_EQ(openssl_verdict(0), TLS_OK);
  EXPECT_EQ(openssl_verdict(10), TLS_EXPIRED);
  EXPECT_EQ(openssl_verdict(9), TLS_NOTYETVALID);
  for (const int code : {18, 19}) EXPECT_EQ(openssl_verdict(code), TLS_SELFSIGNED) << code;
  for (const int code : {2, 20, 21, 24, 27, 79}) EXPECT_EQ(openssl_verdict(code), TLS_INVALIDCA) << code;
  for (const int code : {62, 64}) EXPECT_EQ(openssl_verdict(code), TLS_HOSTNAME) << code;
  EXPECT_EQ(openssl_verdict(23), TLS_REVOKED);
  for (const int code : {1, 7, 26, 66, 94, 1000, -1}) EXPECT_EQ(openssl_verdict(code), TLS_BADCERT) << code;
}

TEST(OpensslReason, OfItsOwnErrors) {
  EXPECT_EQ(openssl_reason(134), TLS_BADCERT);
  for (const __u32 error : {258U, 266U, 191U}) EXPECT_EQ(openssl_reason(error), TLS_PROTOCOL_VERSION) << error;
  EXPECT_EQ(openssl_reason(193), TLS_NO_SHARED_CIPHER);
  EXPECT_EQ(openssl_reason(199), TLS_CLIENT_CERT_REQUIRED);
  EXPECT_EQ(openssl_reason(235), TLS_NO_APPLICATION_PROTOCOL);
  for (const __u32 error : {155U, 156U, 267U}) EXPECT_EQ(openssl_reason(error), TLS_NOT_TLS) << error;
  // The end of what the peer sends, failed records, and what is not known.
  for (const __u32 error : {294U, 313U, 0U, 999U}) EXPECT_EQ(openssl_reason(error), TLS_OK) << error;
}

TEST(OpensslReason, OfAlertsFromThePeer) {
  EXPECT_EQ(openssl_reason(1045), TLS_EXPIRED);
  EXPECT_EQ(openssl_reason(1116), TLS_CLIENT_CERT_REQUIRED);
  EXPECT_EQ(openssl_reason(1040), TLS_HANDSHAKE_FAILURE);
  EXPECT_EQ(openssl_reason(1110), TLS_OTHER_ALERT);
  for (const __u32 goodbye : {1000U, 1090U}) EXPECT_EQ(openssl_reason(goodbye), TLS_OK) << goodbye;
}

TEST(AlertReason, OnlyThoseOfCertificatesComeAfterSuccess) {
  int late = 0;
  for (int alert = 0; alert < 256; ++alert) {
    const auto number = static_cast<__u8>(alert);
    EXPECT_NE(tls_alert_reason(number), TLS_OK);
    if (tls_alert_refuses_certificate(number) == 0) continue;
    ++late;
    EXPECT_NE(tls_alert_reason(number), TLS_OTHER_ALERT) << alert;
  }
  EXPECT_EQ(late, 7);
  EXPECT_EQ(tls_alert_reason(49), TLS_OTHER_ALERT);
  EXPECT_EQ(tls_alert_reason(70), TLS_PROTOCOL_VERSION);
}

}  // namespace
}  // namespace connscope::bpf
