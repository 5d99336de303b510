// SPDX-License-Identifier: Apache-2.0
#include "bpf/dns/dns_names.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>

namespace connscope::bpf {
namespace {

TEST(DnsNames, OfTypes) {
  EXPECT_EQ(dns_type_name(1), "A");
  EXPECT_EQ(dns_type_name(28), "AAAA");
  EXPECT_EQ(dns_type_name(23), "NSAP-PTR");
  EXPECT_EQ(dns_type_name(65), "HTTPS");
  EXPECT_EQ(dns_type_name(255), "ANY");
  EXPECT_EQ(dns_type_name(32769), "DLV");
  EXPECT_EQ(dns_type_name(0), "TYPE0");
  EXPECT_EQ(dns_type_name(54), "TYPE54");
  EXPECT_EQ(dns_type_name(65400), "TYPE65400");
  EXPECT_EQ(dns_type_name(65535), "TYPE65535");
}

TEST(DnsNames, OfRcodes) {
  EXPECT_EQ(dns_rcode_name(0), "NOERROR");
  EXPECT_EQ(dns_rcode_name(3), "NXDOMAIN");
  EXPECT_EQ(dns_rcode_name(11), "DSOTYPENI");
  EXPECT_EQ(dns_rcode_name(12), "RCODE12");
  EXPECT_EQ(dns_rcode_name(16), "BADVERS");
  EXPECT_EQ(dns_rcode_name(23), "BADCOOKIE");
  EXPECT_EQ(dns_rcode_name(24), "RCODE24");
  EXPECT_EQ(dns_rcode_name(4095), "RCODE4095");
}

TEST(DnsNames, NoTwoNumbersShareOne) {
  std::set<std::string> types;
  std::set<std::string> rcodes;
  for (unsigned number = 0; number <= 0xffff; ++number) {
    types.insert(dns_type_name(static_cast<std::uint16_t>(number)));
    rcodes.insert(dns_rcode_name(static_cast<std::uint16_t>(number)));
  }
  EXPECT_EQ(types.size(), 0x10000U);
  EXPECT_EQ(rcodes.size(), 0x10000U);
}

}  // namespace
}  // namespace connscope::bpf
