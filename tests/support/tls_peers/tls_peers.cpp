// SPDX-License-Identifier: Apache-2.0
#include "tests/support/tls_peers/tls_peers.h"

#include <chrono>
#include <sstream>

namespace connscope::testing {
namespace {

constexpr std::chrono::seconds kStartLimit{10};
// No client offers these: the first does not even encipher.
constexpr char kUnwantedCipher[] = "ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0";
constexpr char kUnwantedSuite[] = "TLS_AES_128_CCM_8_SHA256";

std::vector<std::string> versions_but(const std::string& version) {
  if (version == "1.2") return {"--min", "1.3"};
  return {"--max", "1.2"};
}

std::string port_in(const std::string& output) {
  static constexpr std::string_view kBefore = "port ";
  const std::size_t at = output.find(kBefore);
  if (at == std::string::npos) return {};
  const std::size_t begin = at + kBefore.size();
  return output.substr(begin, output.find('\n', begin) - begin);
}

}  // namespace

std::vector<TlsCase> tls_cases(const Certificates& certificates, const std::string& version) {
  std::vector<TlsCase> cases = {
      {"ok", "good", {}},
      {"expired", "expired", {}},
      {"notyetvalid", "notyetvalid", {}},
      {"selfsigned", "selfsigned", {}},
      {"unknownca", "unknownca", {}},
      {"otherchain", "otherchain", {}},
      {"wronghost", "wronghost", {}},
      {"revoked", "revoked", {}},
      {"version", "good", versions_but(version)},
      {"cipher", "good", {"--ciphers", kUnwantedCipher, "--suites", kUnwantedSuite}},
      {"client_cert", "good", {"--client-ca", certificates.pem("ca")}},
      {"not_tls", "good", {"--play", "plain"}},
  };
  for (const char* play : {"silent", "fin", "reset"}) {
    for (const char* stage : {"before", "hello", "flight"}) {
      cases.push_back({std::string(play) + "_" + stage,
                       "good",
                       {"--play", play, "--stage", stage},
                       std::string_view(play) == "silent"});
    }
  }
  return cases;
}

std::vector<std::string> tls_stacks() {
  std::vector<std::string> stacks;
  std::istringstream words(CONNSCOPE_TLS_STACKS);
  for (std::string word; std::getline(words, word, ',');) stacks.push_back(word);
  return stacks;
}

Status add_nss_database(const Certificates& certificates) {
  const auto made = run_program({{CONNSCOPE_MAKE_NSS_DATABASE, certificates.folder()}, -1, {}});
  if (!made) return made.error();
  return {};
}

Result<TlsServer> TlsServer::start(const Certificates& certificates, const TlsCase& what, const std::string& cgroup) {
  SpawnOptions options;
  options.argv = {CONNSCOPE_TLS_SERVER, "--certificate", certificates.folder() + "/" + what.certificate};
  options.argv.insert(options.argv.end(), what.flags.begin(), what.flags.end());
  options.cgroup = cgroup;
  auto process = ChildProcess::spawn(options);
  if (!process) return process.error();
  process->await_output("\n", kStartLimit);
  std::string port = port_in(process->standard_output());
  if (port.empty()) return Error("the TLS server named no port: " + process->standard_error());
  return TlsServer{std::move(*process), std::move(port)};
}

Result<ChildProcess> start_tls_client(const std::string& stack, const std::string& version, const std::string& port,
                                      const Certificates& certificates, const std::string& cgroup) {
  SpawnOptions options;
  options.argv = {CONNSCOPE_TLS_CLIENT, CONNSCOPE_TLS_PEERS, stack, version, port, certificates.folder()};
  options.cgroup = cgroup;
  return ChildProcess::spawn(options);
}

}  // namespace connscope::testing
