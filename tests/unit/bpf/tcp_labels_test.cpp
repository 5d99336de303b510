// SPDX-License-Identifier: Apache-2.0
#include "bpf/tcp/tcp_labels.h"

#include <gtest/gtest.h>

#include "tests/unit/bpf/fake_identities.h"

namespace connscope::bpf {
namespace {

constexpr listen_address kAny{};

listen_address v4(std::uint32_t word) { return {{word, 0, 0, 0}, 0}; }

TEST(TcpLabels, SwitchedOffTheyAreEmpty) {
  testing::Identities identities;
  TcpLabels labels(identities.table, 0, 0);
  labels.learn_listener(1, 80, kAny);
  EXPECT_EQ(labels.owner_of(101), (OwnerLabels{"p101", "", true}));
  EXPECT_EQ(labels.listener_of(101, 80), "");
}

TEST(TcpLabels, NamespacesPastTheLimitAreOther) {
  testing::Identities identities;
  TcpLabels labels(identities.table, 2, 0);
  EXPECT_EQ(labels.owner_of(101).netns, "1");
  EXPECT_EQ(labels.owner_of(201).netns, "2");
  EXPECT_EQ(labels.owner_of(301).netns, "other");
  EXPECT_EQ(labels.owner_of(102).netns, "1") << "those that are known stay";
}

TEST(TcpLabels, ExcludedProcessesTakeNoPlace) {
  testing::Identities identities("[[process]]\nexe = \"/p101\"\ncapture = false\n");
  TcpLabels labels(identities.table, 1, 0);
  EXPECT_FALSE(labels.owner_of(101).captured);
  EXPECT_EQ(labels.owner_of(201).netns, "2");
}

TEST(TcpLabels, AListenerIsItsAddressAndPort) {
  testing::Identities identities;
  TcpLabels labels(identities.table, 0, 10);
  labels.learn_listener(1, 80, v4(0x0100007f));
  labels.learn_listener(1, 443, listen_address{{0, 0, 0, 0}, 1});
  EXPECT_EQ(labels.listener_of(101, 80), "127.0.0.1:80");
  EXPECT_EQ(labels.listener_of(101, 443), "[::]:443");
  EXPECT_EQ(labels.listener_of(101, 8080), "*:8080") << "nobody is known there";
  EXPECT_EQ(labels.listener_of(201, 80), "*:80") << "another namespace";
}

TEST(TcpLabels, SeveralAddressesOfOnePortAreOneListener) {
  testing::Identities identities;
  TcpLabels labels(identities.table, 0, 10);
  labels.learn_listener(1, 80, v4(0x0100007f));
  labels.learn_listener(1, 80, v4(0x0200007f));
  labels.learn_listener(1, 80, v4(0x0100007f));
  EXPECT_EQ(labels.listener_of(101, 80), "*:80");
}

TEST(TcpLabels, ListenersPastTheLimitAreOther) {
  testing::Identities identities;
  TcpLabels labels(identities.table, 0, 1);
  EXPECT_EQ(labels.listener_of(101, 80), "*:80");
  EXPECT_EQ(labels.listener_of(101, 81), "other");
}

}  // namespace
}  // namespace connscope::bpf
