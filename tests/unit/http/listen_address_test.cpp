// SPDX-License-Identifier: Apache-2.0
#include "agent/http/listen_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace connscope::http {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(CheckListenAddress, TakesAddressesNamesAndAll) {
  const auto v4 = check_listen_address("127.0.0.1:0", false);
  ASSERT_TRUE(v4) << v4.error().message();
  EXPECT_EQ(v4->civetweb, "127.0.0.1:0");
  EXPECT_EQ(v4->host, "127.0.0.1");
  const auto name = check_listen_address("localhost:0", false);
  ASSERT_TRUE(name) << name.error().message();
  EXPECT_EQ(name->civetweb, "127.0.0.1:0");
  EXPECT_EQ(name->host, "localhost");
  const auto all = check_listen_address(":0", false);
  ASSERT_TRUE(all) << all.error().message();
  EXPECT_EQ(all->civetweb, "0.0.0.0:0");
  EXPECT_EQ(all->host, "localhost");
}

TEST(CheckListenAddress, TakesIpv6WhereTheServerCan) {
  const auto v6 = check_listen_address("[::1]:0", true);
  if (!v6) {
    ASSERT_TRUE(v6.error().code() == EAFNOSUPPORT || v6.error().code() == EADDRNOTAVAIL) << v6.error().message();
    GTEST_SKIP() << "no IPv6 loopback here";
  }
  EXPECT_EQ(v6->civetweb, "[::1]:0");
  EXPECT_EQ(v6->host, "[::1]");
  EXPECT_EQ(check_listen_address(":0", true)->civetweb, "+0");
}

TEST(CheckListenAddress, RefusesIpv6WhereTheServerCannot) {
  for (const char* address : {"[::1]:9752", "[::]:0"}) {
    const auto refused = check_listen_address(address, false);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message(), "listen address \"" + std::string(address) +
                                             "\": this is IPv6, and the CivetWeb library of this system was built "
                                             "without it; use an IPv4 address");
  }
}

TEST(CheckListenAddress, RefusesWhatIsNoAddress) {
  for (const char* bad : {"", ":", "9752", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1",
                          "::1:9752", "[::1]", "[::1:9752", "http://localhost:9752", "[]:9752"}) {
    const auto checked = check_listen_address(bad, true);
    ASSERT_FALSE(checked) << bad;
    EXPECT_THAT(checked.error().message(), StartsWith("listen address \"" + std::string(bad) + "\": not HOST:PORT"));
  }
}

TEST(CheckListenAddress, NamesAnAddressOfAnotherHost) {
  const auto checked = check_listen_address("192.0.2.1:0", false);  // RFC 5737: an address for documents
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code(), EADDRNOTAVAIL);
  EXPECT_THAT(checked.error().message(), HasSubstr("192.0.2.1:0"));
}

TEST(CheckListenAddress, NamesAHostThatDoesNotExist) {
  const auto checked = check_listen_address("a..b:0", false);  // an empty label: no name server is asked
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().message(), HasSubstr("\"a..b:0\": cannot resolve the host: "));
}

}  // namespace
}  // namespace connscope::http
