// SPDX-License-Identifier: Apache-2.0
#include "bpf/tls/go_tls.h"

#include <memory>
#include <string>
#include <vector>

#include "agent/probe/go_build.h"
#include "agent/probe/go_functions.h"
#include "bpf/tls/go_tls.skel.h"
#include "bpf/tls/library_probe.h"

namespace connscope::bpf {
namespace {

constexpr char kClientHandshake[] = "crypto/tls.(*Conn).clientHandshake";
constexpr char kServerHandshake[] = "crypto/tls.(*Conn).serverHandshake";

/// An executable of Go's that has either; others have no use for crypto/tls, or are too old.
bool has_go_tls(int fd) {
  const auto found = probe::go_functions_in(fd, {kClientHandshake, kServerHandshake});
  return found && !found->empty();
}

/// The returns first: a call that was entered before them would stay.
std::vector<probe::LibraryProgram> programs_of(const go_tls_bpf& skeleton) {
  using probe::HangAt;
  const auto& programs = skeleton.progs;
  return {{programs.on_handshake_ret, HangAt::kRets, {kClientHandshake, kServerHandshake}},
          {programs.on_verify_ret, HangAt::kRets, {"crypto/x509.(*Certificate).Verify"}},
          {programs.on_send_alert, HangAt::kCheapEntry, {"crypto/tls.(*Conn).sendAlert"}},
          {programs.on_handshake_goes_on,
           HangAt::kCheapEntry,
           {"crypto/tls.(*clientHandshakeState).handshake", "crypto/tls.(*clientHandshakeStateTLS13).handshake",
            "crypto/tls.(*serverHandshakeState).handshake", "crypto/tls.(*serverHandshakeStateTLS13).handshake",
            "crypto/tls.(*Conn).loadSession", "crypto/tls.(*Conn).flush"}},
          {programs.on_client_handshake, HangAt::kCheapEntry, {kClientHandshake}},
          {programs.on_server_handshake, HangAt::kCheapEntry, {kServerHandshake}}};
}

probe::BpfObject::Opener open_go_tls(const TlsLibrary::Hang& hang) {
  return probe::BpfObject::opener<go_tls_bpf>([hang](const go_tls_bpf& skeleton) { hang(programs_of(skeleton)); });
}

}  // namespace

Result<std::unique_ptr<probe::Probe>> make_go_tls(const probe::ProbeContext& context, config::Section section) {
  TlsLibrary library{"go_tls", "go", open_go_tls, {}, has_go_tls};
  library.kind = {probe::go_functions_in, probe::CallingConvention::kGo,
                  [](int fd, const std::string&) { return probe::go_version_of(fd); }};
  return LibraryProbe::make(library, context, section);
}

}  // namespace connscope::bpf
