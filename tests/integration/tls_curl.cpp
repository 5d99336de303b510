// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/tls_curl.h"

#include <chrono>

#include "tests/integration/lab.h"
#include "tests/support/tls_peers/tls_peers.h"

namespace connscope::testing {
namespace {

constexpr std::chrono::seconds kLimit(10);
constexpr char kCurl[] = "/usr/bin/curl";
/// Runs what comes after the folder with that as its /etc.
constexpr char kWithEtc[] = "mount --bind \"$0\" /etc && exec \"$@\"";

TempDir make_etc() {
  TempDir etc = must(TempDir::create());
  must(etc.write("hosts", "127.0.0.1 server.test\n"));
  must(etc.write("nsswitch.conf", "hosts: files\n"));
  return etc;
}

}  // namespace

CurlClient::CurlClient(const std::string& name) : curl_(must(Actor::create(name, kCurl))), etc_(make_etc()) {}

double CurlClient::get(const Certificates& certificates, const std::string& certificate,
                       const std::vector<std::string>& options, const std::string& scheme) const {
  const bool is_mail = scheme == "smtp";
  const std::vector<std::string> play = {"--play", is_mail ? "starttls" : "serve"};
  const TlsServer server = must(TlsServer::start(certificates, {certificate, certificate, play}, {}));
  SpawnOptions run;
  run.argv = {"unshare",    "--mount",  "sh",         "-c", kWithEtc,      etc_.path(),
              curl_.path(), "--silent", "--max-time", "5",  "--write-out", "\n%{time_appconnect}"};
  run.argv.insert(run.argv.end(), options.begin(), options.end());
  if (is_mail) run.argv.emplace_back("--ssl-reqd");
  run.argv.push_back(scheme + "://server.test:" + server.port + "/");
  ChildProcess child = must(ChildProcess::spawn(run));
  must(child.wait(kLimit));  // that it fails is a result too
  const std::string output = child.standard_output();
  return std::stod(output.substr(output.rfind('\n') + 1));
}

}  // namespace connscope::testing
