// SPDX-License-Identifier: Apache-2.0
//
// The certificates of the TLS tests, made anew by tls_peers/make_certificates.sh, which says what each of them is.
// Immutable once made: any thread may read it.
#pragma once

#include <string>

#include "tests/support/temp_dir.h"

namespace connscope::testing {

class Certificates {
 public:
  static Result<Certificates> make();

  [[nodiscard]] const std::string& folder() const { return folder_.path(); }
  /// Of a certificate, or of a list of them, such as "expired", "ca" or "crl".
  [[nodiscard]] std::string pem(const std::string& name) const { return folder() + "/" + name + ".pem"; }
  [[nodiscard]] std::string key(const std::string& name) const { return folder() + "/" + name + ".key"; }

 private:
  explicit Certificates(TempDir folder) : folder_(std::move(folder)) {}
  TempDir folder_;
};

}  // namespace connscope::testing
