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
std::vector<probe::LibraryProgram> programs() {
  using probe::HangAt;
  return {{"on_handshake_ret", HangAt::kRets, {kClientHandshake, kServerHandshake}},
          {"on_verify_ret", HangAt::kRets, {"crypto/x509.(*Certificate).Verify"}},
          {"on_send_alert", HangAt::kCheapEntry, {"crypto/tls.(*Conn).sendAlert"}},
          {"on_handshake_goes_on",
           HangAt::kCheapEntry,
           {"crypto/tls.(*clientHandshakeState).handshake", "crypto/tls.(*clientHandshakeStateTLS13).handshake",
            "crypto/tls.(*serverHandshakeState).handshake", "crypto/tls.(*serverHandshakeStateTLS13).handshake",
            "crypto/tls.(*Conn).loadSession", "crypto/tls.(*Conn).flush"}},
          {"on_client_handshake", HangAt::kCheapEntry, {kClientHandshake}},
          {"on_server_handshake", HangAt::kCheapEntry, {kServerHandshake}}};
}

}  // namespace

Result<std::unique_ptr<probe::Probe>> make_go_tls(const probe::ProbeContext& context, config::Section section) {
  TlsLibrary library{"go_tls", "go", TlsLibrary::open_with<go_tls_bpf>, programs(), {}, has_go_tls};
  library.kind = {probe::go_functions_in, probe::CallingConvention::kGo,
                  [](int fd, const std::string&) { return probe::go_version_of(fd); }};
  return LibraryProbe::make(library, context, section);
}

}  // namespace connscope::bpf
