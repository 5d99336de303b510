// SPDX-License-Identifier: Apache-2.0
#include "bpf/tls/openssl.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/probe/elf_imports.h"
#include "agent/probe/library_version.h"
#include "bpf/tls/library_probe.h"
#include "bpf/tls/openssl.skel.h"

namespace connscope::bpf {
namespace {

/// libssl.so.3, libssl.so.1.1, and libssl-0a1b2c3d.so.3 as packages of Python bring their own.
bool is_openssl(std::string_view name) {
  return name.starts_with("libssl.so.") || (name.starts_with("libssl-") && name.find(".so.") != std::string_view::npos);
}

/// One that it was linked into, and that kept its symbols; others that offer its functions, such as BoringSSL, have no
/// such state machine.
bool has_openssl(int fd) {
  const auto functions = probe::functions_in(fd, {"ossl_statem_fatal"});
  return functions && !functions->empty();
}

/// An executable tells its release in a text, which of the shared libraries only that of the algorithms has.
std::string version_of(int fd, const std::string& path) {
  const std::string release = probe::version_in_text(fd, "OpenSSL ");
  return release.empty() ? probe::version_in_name(path) : release;
}

/// The ends first: an object that began before them would stay.
std::vector<probe::LibraryProgram> programs() {
  using probe::HangAt;
  return {{"on_gone", HangAt::kCheapEntry, {"SSL_free"}},
          {"on_verdict", HangAt::kAfterCalls, {"X509_STORE_CTX_get_error", "X509_STORE_CTX_get_error@plt"}},
          {"on_error", HangAt::kEntry, {"ERR_vset_error@plt"}},
          {"on_error_of_1_1", HangAt::kEntry, {"ERR_put_error@plt"}},
          {"on_fatal", HangAt::kCheapEntry, {"ossl_statem_fatal", "ossl_rlayer_fatal"}},
          {"on_work", HangAt::kCheapEntry, {"SSL_do_handshake"}},
          {"on_clear", HangAt::kCheapEntry, {"SSL_clear"}},
          {"on_client", HangAt::kCheapEntry, {"SSL_set_connect_state"}},
          {"on_server", HangAt::kCheapEntry, {"SSL_set_accept_state"}}};
}

}  // namespace

Result<std::unique_ptr<probe::Probe>> make_openssl(const probe::ProbeContext& context, config::Section section) {
  TlsLibrary library{"openssl", "openssl", TlsLibrary::open_with<openssl_bpf>, programs(), is_openssl, has_openssl};
  library.kind.find = probe::functions_and_stubs_in;
  library.kind.version = version_of;
  return LibraryProbe::make(library, context, section);
}

}  // namespace connscope::bpf
