// SPDX-License-Identifier: Apache-2.0
//
// TLS servers that behave in a known way, and clients of several stacks which meet them. What is started ends with its
// ChildProcess; the functions may be called by any thread.
#pragma once

#include <string>
#include <vector>

#include "tests/support/certificates.h"
#include "tests/support/process.h"

namespace connscope::testing {

/// What makes a handshake fail, or not.
struct TlsCase {
  std::string name;
  std::string certificate;
  std::vector<std::string> flags;  // of the server, beside the certificate
  /// The server says no more at some point: somebody has to end the client.
  bool is_silent = false;
};

/// All that there are for a client which offers that version alone, "1.2" or "1.3".
std::vector<TlsCase> tls_cases(const Certificates& certificates, const std::string& version);

/// The stacks that this build has clients of, as client.sh names them.
std::vector<std::string> tls_stacks();

/// Adds the database that NSS needs to the certificates.
Status add_nss_database(const Certificates& certificates);

struct TlsServer {
  ChildProcess process;
  std::string port;

  /// For one client.
  static Result<TlsServer> start(const Certificates& certificates, const TlsCase& what, const std::string& cgroup);
};

Result<ChildProcess> start_tls_client(const std::string& stack, const std::string& version, const std::string& port,
                                      const Certificates& certificates, const std::string& cgroup);

}  // namespace connscope::testing
