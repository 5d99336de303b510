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
std::vector<probe::LibraryProgram> programs_of(const nss_bpf& skeleton) {
  const auto& programs = skeleton.progs;
  return {{programs.on_check_return, probe::HangAt::kReturn, {"SSL_AuthCertificate"}},
          {programs.on_time_checked, probe::HangAt::kReturn, {"CERT_CheckCertValidTimes"}},
          {programs.on_issuer_sought, probe::HangAt::kReturn, {"CERT_FindCertIssuer"}},
          {programs.on_name_checked, probe::HangAt::kReturn, {"CERT_VerifyCertName"}},
          {programs.on_revocation, probe::HangAt::kCheapEntry, {"CERT_FindCRLEntryReasonExten"}},
          {programs.on_check_complete, probe::HangAt::kCheapEntry, {"SSL_AuthCertificateComplete"}},
          {programs.on_check, probe::HangAt::kCheapEntry, {"SSL_AuthCertificate"}}};
}

probe::BpfObject::Opener open_nss(const TlsLibrary::Hang& hang) {
  return probe::BpfObject::opener<nss_bpf>([hang](const nss_bpf& skeleton) { hang(programs_of(skeleton)); });
}

}  // namespace

Result<std::unique_ptr<probe::Probe>> make_nss(const probe::ProbeContext& context, config::Section section) {
  TlsLibrary library{"nss", "nss", open_nss, is_nss, {}};
  library.kind.version = [](int fd, const std::string&) { return probe::version_in_text(fd, "Version: NSS "); };
  return LibraryProbe::make(library, context, section);
}

}  // namespace connscope::bpf
