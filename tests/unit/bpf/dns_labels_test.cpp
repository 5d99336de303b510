// SPDX-License-Identifier: Apache-2.0
#include "bpf/dns/dns_labels.h"

#include <gtest/gtest.h>

#include "bpf/dns/dns_top_names.h"

namespace connscope::bpf {
namespace {

using std::string_literals::operator""s;

TEST(DnsNameText, IsTheNameInLowerCaseWithoutItsLastDot) {
  EXPECT_EQ(dns_name_text("\3wWw\7EXAMPLE\3com\0\0\0"s), "www.example.com");
  EXPECT_EQ(dns_name_text("\0\0\0"s), ".");
}

TEST(DnsNameText, WhatNoHostNameHasIsEscaped) {
  EXPECT_EQ(dns_name_text("\3a.b\4\n\"\\\xff\0"s), "a\\046b.\\010\"\\092\\255");
}

TEST(DnsNameText, ANameThatWasCutSaysSo) {
  EXPECT_EQ(dns_name_text("\3www\7exam"s), "www.exam…");
  EXPECT_EQ(dns_name_text("\3www"s), "www…");
  EXPECT_EQ(dns_name_text(""), ".");
}

TEST(RegisteredDomain, IsOneLabelBelowThePublicSuffix) {
  EXPECT_EQ(registered_domain("www.example.com"), "example.com");
  EXPECT_EQ(registered_domain("a.b.example.co.uk"), "example.co.uk");
  EXPECT_EQ(registered_domain("example.com"), "example.com");
}

TEST(RegisteredDomain, APublicSuffixStaysAsItIs) {
  EXPECT_EQ(registered_domain("co.uk"), "co.uk");
  EXPECT_EQ(registered_domain("."), ".");
}

TEST(DnsLabels, TypesWithoutAMnemonicAreFew) {
  DnsLabels labels(0);
  EXPECT_EQ(labels.qtype(28), "AAAA");
  for (std::uint16_t type = 65400; type < 65432; ++type) EXPECT_EQ(labels.qtype(type), "TYPE" + std::to_string(type));
  EXPECT_EQ(labels.qtype(65500), "other");
  EXPECT_EQ(labels.qtype(65400), "TYPE65400");
  EXPECT_EQ(labels.qtype(1), "A");
}

TEST(DnsLabels, ServersAreOffByDefault) {
  DnsLabels labels(0);
  EXPECT_EQ(labels.server(7), "");
}

}  // namespace
}  // namespace connscope::bpf
