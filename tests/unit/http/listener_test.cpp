// SPDX-License-Identifier: Apache-2.0
#include "agent/http/listener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace connscope::http {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(OpenListener, TakesAddressesNamesAndAll) {
  const auto v4 = open_listener("127.0.0.1:0");
  ASSERT_TRUE(v4) << v4.error().message();
  EXPECT_THAT(v4->url, StartsWith("http://127.0.0.1:"));
  EXPECT_THAT(v4->url, ::testing::Not(::testing::EndsWith(":0")));
  const auto name = open_listener("localhost:0");
  ASSERT_TRUE(name) << name.error().message();
  EXPECT_THAT(name->url, StartsWith("http://localhost:"));
  const auto all = open_listener(":0");
  ASSERT_TRUE(all) << all.error().message();
  EXPECT_THAT(all->url, StartsWith("http://localhost:"));
}

TEST(OpenListener, RefusesWhatIsNoAddress) {
  for (const char* bad : {"", ":", "9752", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1",
                          "::1:9752", "[::1]", "[::1:9752", "http://localhost:9752", "[]:9752"}) {
    const auto listener = open_listener(bad);
    ASSERT_FALSE(listener) << bad;
    EXPECT_THAT(listener.error().message(), StartsWith("listen address \"" + std::string(bad) + "\": not HOST:PORT"));
  }
}

TEST(OpenListener, NamesAPortInUse) {
  const auto first = open_listener("127.0.0.1:0");
  ASSERT_TRUE(first);
  const std::string address = first->url.substr(std::string("http://").size());
  const auto second = open_listener(address);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), EADDRINUSE);
  EXPECT_EQ(second.error().message(), "listen address \"" + address + "\": cannot bind: Address already in use");
}

TEST(OpenListener, NamesAnAddressOfAnotherHost) {
  const auto listener = open_listener("192.0.2.1:0");  // RFC 5737: an address for documents
  ASSERT_FALSE(listener);
  EXPECT_EQ(listener.error().code(), EADDRNOTAVAIL);
  EXPECT_THAT(listener.error().message(), HasSubstr("192.0.2.1:0"));
}

TEST(OpenListener, NamesAHostThatDoesNotExist) {
  const auto listener = open_listener("[fe80::nonsense]:0");
  ASSERT_FALSE(listener);
  EXPECT_THAT(listener.error().message(), HasSubstr("[fe80::nonsense]:0\": cannot resolve the host: "));
}

}  // namespace
}  // namespace connscope::http
