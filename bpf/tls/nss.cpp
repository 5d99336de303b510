// SPDX-License-Identifier: Apache-2.0
#include "bpf/tls/nss.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/probe/library_version.h"
#include "bpf/tls/library_probe.h"
#include "bpf/tls/nss.skel.h"

namespace connscope::bpf {
namespace {

/// Its TLS, and its certificates; Firefox has both in the second.
bool is_nss(std::string_view name) { return name == "libssl3.so" || name == "libnss3.so"; }

/// The returns first: a check that was entered before them would stay.
std::vector<probe::LibraryProgram> programs() {
  return {{"on_check_return", probe::HangAt::kReturn, {"SSL_AuthCertificate"}},
          {"on_time_checked", probe::HangAt::kReturn, {"CERT_CheckCertValidTimes"}},
          {"on_issuer_sought", probe::HangAt::kReturn, {"CERT_FindCertIssuer"}},
          {"on_name_checked", probe::HangAt::kReturn, {"CERT_VerifyCertName"}},
          {"on_revocation", probe::HangAt::kCheapEntry, {"CERT_FindCRLEntryReasonExten"}},
          {"on_check_complete", probe::HangAt::kCheapEntry, {"SSL_AuthCertificateComplete"}},
          {"on_check", probe::HangAt::kCheapEntry, {"SSL_AuthCertificate"}}};
}

}  // namespace

Result<std::unique_ptr<probe::Probe>> make_nss(const probe::ProbeContext& context, config::Section section) {
  TlsLibrary library{"nss", "nss", TlsLibrary::open_with<nss_bpf>, programs(), is_nss, {}};
  library.kind.version = [](int fd, const std::string&) { return probe::version_in_text(fd, "Version: NSS "); };
  return LibraryProbe::make(library, context, section);
}

}  // namespace connscope::bpf
