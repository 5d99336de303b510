// SPDX-License-Identifier: Apache-2.0
//
// A TLS server and curl as its client, with a name of its own and an /etc in which the server's name is known. One
// thread at a time.
#pragma once

#include <string>
#include <vector>

#include "tests/integration/world.h"
#include "tests/support/certificates.h"
#include "tests/support/temp_dir.h"

namespace connscope::testing {

class CurlClient {
 public:
  explicit CurlClient(const std::string& name);

  [[nodiscard]] const std::string& name() const { return curl_.name(); }
  /// One request to a server which shows that certificate and serves one client. Returns how many seconds passed until
  /// the TLS handshake was over, as curl says; 0: it never was. `scheme`: "https", "http", or "smtp", which begins in
  /// plain text and goes on by TLS.
  [[nodiscard]] double get(const Certificates& certificates, const std::string& certificate,
                           const std::vector<std::string>& options, const std::string& scheme = "https") const;

 private:
  Actor curl_;
  TempDir etc_;
};

}  // namespace connscope::testing
