// SPDX-License-Identifier: Apache-2.0
#include "bpf/tls/tls_names.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "bpf/tls/tls_alerts.h"

namespace connscope::testing {
namespace {

using namespace connscope::bpf;

TEST(TlsNames, CiphersByTheirRegistry) {
  EXPECT_EQ(tls_cipher_name(0x1301), "TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(tls_cipher_name(0xc02f), "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
  EXPECT_EQ(tls_cipher_name(0x002f), "TLS_RSA_WITH_AES_128_CBC_SHA");
  EXPECT_EQ(tls_cipher_name(0x1a1a), "0x1A1A");
}

TEST(TlsNames, AlertsByTheirRegistry) {
  EXPECT_EQ(tls_alert_name(0), "close_notify");
  EXPECT_EQ(tls_alert_name(48), "unknown_ca");
  EXPECT_EQ(tls_alert_name(121), "ech_required");
  EXPECT_EQ(tls_alert_name(200), "200");
}

TEST(TlsNames, EachReasonHasItsOwnName) {
  std::set<std::string> names;
  for (std::uint8_t reason = TLS_OK + 1; reason < TLS_REASONS; ++reason) names.insert(tls_reason_name(reason));
  EXPECT_EQ(names.size(), TLS_REASONS - 1U);
  EXPECT_STREQ(tls_reason_name(TLS_OK), "");
  EXPECT_STREQ(tls_reason_name(TLS_ABORTED), "aborted");
}

TEST(TlsNames, VersionsAsPeopleWriteThem) {
  EXPECT_STREQ(tls_version_name(TLS_1_2), "1.2");
  EXPECT_STREQ(tls_version_name(TLS_1_3), "1.3");
  EXPECT_STREQ(tls_version_name(TLS_VERSION_UNKNOWN), "unknown");
}

TEST(TlsAlerts, ReasonsThatAnAlertGives) {
  const auto reason_of = [](std::uint8_t alert) { return std::string(tls_reason_name(tls_alert_reason(alert))); };
  EXPECT_EQ(reason_of(40), "handshake_failure");
  EXPECT_EQ(reason_of(42), "badcert");
  EXPECT_EQ(reason_of(44), "revoked");
  EXPECT_EQ(reason_of(45), "expired");
  EXPECT_EQ(reason_of(48), "invalidca");
  EXPECT_EQ(reason_of(70), "protocol_version");
  EXPECT_EQ(reason_of(71), "no_shared_cipher");
  EXPECT_EQ(reason_of(116), "client_cert_required");
  EXPECT_EQ(reason_of(80), "other_alert");
}

}  // namespace
}  // namespace connscope::testing
