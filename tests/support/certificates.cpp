// SPDX-License-Identifier: Apache-2.0
#include "tests/support/certificates.h"

#include "tests/support/process.h"

namespace connscope::testing {

Result<Certificates> Certificates::make() {
  auto folder = TempDir::create();
  if (!folder) return folder.error();
  const auto made = run_program({{CONNSCOPE_MAKE_CERTIFICATES, folder->path()}, -1, {}});
  if (!made) return made.error();
  return Certificates(std::move(*folder));
}

}  // namespace connscope::testing
