// SPDX-License-Identifier: Apache-2.0
#include "bpf/tls/certificate_facts.h"

#include <gtest/gtest.h>

#include <string>

namespace connscope::testing {
namespace {

using connscope::bpf::certificate_facts;

std::string element(unsigned char tag, const std::string& content) {
  std::string bytes(1, static_cast<char>(tag));
  if (content.size() < 0x80) {
    bytes += static_cast<char>(content.size());
  } else {
    bytes += '\x82';
    bytes += static_cast<char>(content.size() >> 8U);
    bytes += static_cast<char>(content.size() & 0xffU);
  }
  return bytes + content;
}

std::string name_part(char type, const std::string& value, unsigned char tag = 0x0c) {
  return element(0x31, element(0x30, element(0x06, std::string("\x55\x04", 2) + type) + element(tag, value)));
}

const std::string kCommon = name_part('\x03', "Test CA");
const std::string kOrganisation = name_part('\x0a', "Test Organisation", 0x13);
const std::string kUtcTime = element(0x17, "700101000010Z");

/// One with that issuer and end, and what else comes before them.
std::string certificate(const std::string& issuer, const std::string& not_after, bool has_version = true) {
  const std::string version = has_version ? element(0xa0, element(0x02, std::string("\x02", 1))) : "";
  const std::string begin = version + element(0x02, "\x01\x02") + element(0x30, element(0x06, "\x2a\x03"));
  const std::string validity = element(0x30, element(0x17, "690101000000Z") + not_after);
  return element(0x30, element(0x30, begin + element(0x30, issuer) + validity + element(0x30, std::string(300, 'x'))));
}

TEST(CertificateFacts, TellsIssuerAndEnd) {
  const auto facts = certificate_facts(certificate(kOrganisation + kCommon, kUtcTime));
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->issuer, "Test CA");
  EXPECT_EQ(facts->not_after, 10);
}

TEST(CertificateFacts, OfTheFirstVersionToo) {
  const auto facts = certificate_facts(certificate(kCommon, kUtcTime, false));
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->issuer, "Test CA");
}

TEST(CertificateFacts, TakesTheOrganisationOfAnIssuerWithoutACommonName) {
  EXPECT_EQ(certificate_facts(certificate(kOrganisation, kUtcTime))->issuer, "Test Organisation");
  EXPECT_EQ(certificate_facts(certificate("", kUtcTime))->issuer, "");
}

TEST(CertificateFacts, ReplacesWhatIsNoText) {
  EXPECT_EQ(certificate_facts(certificate(name_part('\x03', "a\xff"), kUtcTime))->issuer, "a\uFFFD");
  // A BMPString is left out.
  EXPECT_EQ(certificate_facts(certificate(name_part('\x03', "ab", 0x1e), kUtcTime))->issuer, "");
}

TEST(CertificateFacts, ReadsBothFormsOfTime) {
  const auto end = [](const std::string& not_after) { return certificate_facts(certificate(kCommon, not_after)); };
  EXPECT_EQ(end(element(0x17, "491231235959Z"))->not_after, 2524607999);
  EXPECT_EQ(end(element(0x17, "500101000000Z"))->not_after, -631152000);
  EXPECT_EQ(end(element(0x18, "20500101000000Z"))->not_after, 2524608000);
  EXPECT_EQ(end(element(0x18, "99991231235959Z"))->not_after, 253402300799);
  for (const char* wrong : {"230229000000Z", "231301000000Z", "230101240000Z", "230101000000", "2301010000Z",
                            "23010100000xZ", "230101000000+0100", ""})
    EXPECT_FALSE(end(element(0x17, wrong))) << wrong;
  EXPECT_FALSE(end(element(0x0c, "700101000010Z")));
}

TEST(CertificateFacts, NeedsNoMoreThanTheBegin) {
  const std::string whole = certificate(kCommon, kUtcTime);
  const std::size_t needed = whole.find("700101000010Z") + 13;
  EXPECT_TRUE(certificate_facts(whole.substr(0, needed)));
  for (std::size_t bytes = 0; bytes < needed; ++bytes)
    EXPECT_FALSE(certificate_facts(whole.substr(0, bytes))) << bytes << " bytes";
}

TEST(CertificateFacts, RefusesLengthsThatNoCertificateHas) {
  EXPECT_FALSE(certificate_facts("\x30\x80\x30\x80"));              // indefinite, which DER has not
  EXPECT_FALSE(certificate_facts("\x30\x84\x01\x01\x01\x01\x30"));  // of four bytes
  EXPECT_FALSE(certificate_facts("no certificate"));
}

}  // namespace
}  // namespace connscope::testing
