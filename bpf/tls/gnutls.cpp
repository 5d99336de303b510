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
std::vector<probe::LibraryProgram> programs() {
  return {{"on_handshake_return", probe::HangAt::kReturn, {"gnutls_handshake"}},
          {"on_verify_return", probe::HangAt::kReturn, {"gnutls_certificate_verify_peers"}},
          {"on_alert_get_return", probe::HangAt::kReturn, {"gnutls_alert_get"}},
          {"on_check_hostname_return", probe::HangAt::kReturn, {"gnutls_x509_crt_check_hostname2"}},
          {"on_gone", probe::HangAt::kCheapEntry, {"gnutls_credentials_clear"}},
          {"on_alert_get", probe::HangAt::kCheapEntry, {"gnutls_alert_get"}},
          {"on_verify", probe::HangAt::kCheapEntry, {"gnutls_certificate_verify_peers"}},
          {"on_handshake", probe::HangAt::kCheapEntry, {"gnutls_handshake"}}};
}

}  // namespace

Result<std::unique_ptr<probe::Probe>> make_gnutls(const probe::ProbeContext& context, config::Section section) {
  TlsLibrary library{"gnutls", "gnutls", TlsLibrary::open_with<gnutls_bpf>, programs(), is_gnutls, {}};
  library.kind.version = [](int, const std::string& path) { return probe::version_in_name(path); };
  return LibraryProbe::make(library, context, section);
}

}  // namespace connscope::bpf
