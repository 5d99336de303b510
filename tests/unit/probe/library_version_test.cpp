// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/library_version.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "agent/base/unique_fd.h"
#include "tests/unit/probe/go_table.h"

namespace connscope::probe {
namespace {

/// An executable whose constants are `before` other bytes and a text.
std::string version_behind(const std::string& text, std::size_t before = 0) {
  GoExecutable executable;
  std::memcpy(executable.section_names, "\0.rodata", 9);
  executable.sections[1].sh_offset = sizeof(executable);
  executable.sections[1].sh_size = before + text.size();
  const std::string bytes = executable.bytes() + std::string(before, '-') + text;
  const UniqueFd file(::memfd_create("executable", MFD_CLOEXEC));
  EXPECT_EQ(::write(file.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  return version_in_text(file.get(), "OpenSSL ");
}

TEST(LibraryVersion, StandsBehindTheNameOfASharedLibrary) {
  EXPECT_EQ(version_in_name("/usr/lib/libgnutls.so.30.34.3"), "30.34.3");
  EXPECT_EQ(version_in_name("/opt/libssl-0a1b.so.1.1"), "1.1");
  EXPECT_EQ(version_in_name("/usr/lib/libnss3.so"), "");
  EXPECT_EQ(version_in_name("/tmp/lib.so.private name"), "");
}

TEST(LibraryVersion, StandsInATextOfTheFile) {
  EXPECT_EQ(version_behind("OpenSSL 3.0.17 1 Jul 2025"), "3.0.17");
  EXPECT_EQ(version_behind("OpenSSL 1.1.1w  11 Sep 2023"), "1.1.1w");
  EXPECT_EQ(version_behind("OpenSSL is not here. OpenSSL 3.5.1"), "3.5.1") << "the first that is a version";
  EXPECT_EQ(version_behind("OpenSSL default"), "");
  EXPECT_EQ(version_behind(""), "");
}

TEST(LibraryVersion, IsFoundWhereThePiecesOfTheFileMeet) {
  for (std::size_t before = (std::size_t{1} << 18U) - 20; before < (std::size_t{1} << 18U) + 4; ++before)
    EXPECT_EQ(version_behind("OpenSSL 3.0.17 ", before), "3.0.17") << before;
}

}  // namespace
}  // namespace connscope::probe
