// SPDX-License-Identifier: Apache-2.0
#include "bpf/tls/gnutls.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/probe/library_version.h"
#include "bpf/tls/gnutls.skel.h"
#include "bpf/tls/library_probe.h"

namespace connscope::bpf {
namespace {

/// libgnutls.so.30, or libgnutls.so.30.34.3 as the maps of a process have it.
bool is_gnutls(std::string_view name) { return name.substr(0, 13) == "libgnutls.so."; }

/// The returns first: a call that was entered before them would stay.
std::vector<probe::LibraryProgram> programs_of(const gnutls_bpf& skeleton) {
  const auto& programs = skeleton.progs;
  return {{programs.on_handshake_return, probe::HangAt::kReturn, {"gnutls_handshake"}},
          {programs.on_verify_return, probe::HangAt::kReturn, {"gnutls_certificate_verify_peers"}},
          {programs.on_alert_get_return, probe::HangAt::kReturn, {"gnutls_alert_get"}},
          {programs.on_check_hostname_return, probe::HangAt::kReturn, {"gnutls_x509_crt_check_hostname2"}},
          {programs.on_gone, probe::HangAt::kCheapEntry, {"gnutls_credentials_clear"}},
          {programs.on_alert_get, probe::HangAt::kCheapEntry, {"gnutls_alert_get"}},
          {programs.on_verify, probe::HangAt::kCheapEntry, {"gnutls_certificate_verify_peers"}},
          {programs.on_handshake, probe::HangAt::kCheapEntry, {"gnutls_handshake"}}};
}

probe::BpfObject::Opener open_gnutls(const TlsLibrary::Hang& hang) {
  return probe::BpfObject::opener<gnutls_bpf>([hang](const gnutls_bpf& skeleton) { hang(programs_of(skeleton)); });
}

}  // namespace

Result<std::unique_ptr<probe::Probe>> make_gnutls(const probe::ProbeContext& context, config::Section section) {
  TlsLibrary library{"gnutls", "gnutls", open_gnutls, is_gnutls, {}};
  library.kind.version = [](int, const std::string& path) { return probe::version_in_name(path); };
  return LibraryProbe::make(library, context, section);
}

}  // namespace connscope::bpf
