// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/elf_calls.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <link.h>

#include <cstdint>

#include "agent/base/unique_fd.h"
#include "agent/probe/elf_imports.h"

namespace connscope::probe {
namespace {

constexpr char kVerdict[] = "X509_STORE_CTX_get_error@plt";

/// This host's libssl, whose stubs the OpenSSL probe is after.
UniqueFd libssl() {
  void* library = ::dlopen("libssl.so.3", RTLD_LAZY);
  link_map* map = nullptr;
  if (library == nullptr || ::dlinfo(library, RTLD_DI_LINKMAP, &map) != 0) return {};
  UniqueFd file(::open(map->l_name, O_RDONLY | O_CLOEXEC));
  ::dlclose(library);
  return file;
}

TEST(ElfCalls, LibsslIsSeenToGetItsVerdicts) {
  const UniqueFd file = libssl();
  const auto stubs = functions_and_stubs_in(file.get(), {kVerdict, "SSL_free"});
  ASSERT_TRUE(stubs) << stubs.error().message();
  ASSERT_EQ(stubs->count(kVerdict), 1U);
  const Function stub = stubs->at(kVerdict).front();
  const auto places = places_after_calls(file.get(), stub);
  // One is in the handshake, the other where a chain is made by request.
  EXPECT_EQ(places.size(), 2U);
  for (const std::uint64_t place : places) EXPECT_GT(place, stub.offset);  // linkers put stubs before the code
}

TEST(ElfCalls, WhatNothingCallsByItsAddressHasNone) {
  const UniqueFd file = libssl();
  EXPECT_TRUE(places_after_calls(file.get(), {0, 6}).empty());  // the file's header
  EXPECT_TRUE(places_after_calls(file.get(), {~std::uint64_t{0}, 6}).empty());
}

TEST(ElfCalls, WhatIsNoElfFileHasNone) {
  const UniqueFd file(::open("/proc/self/status", O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(places_after_calls(file.get(), {100, 6}).empty());
}

}  // namespace
}  // namespace connscope::probe
