// SPDX-License-Identifier: Apache-2.0
//
// LibraryWatch: the programs that hang in libraries, of all probes, where a process that may run something new is to be
// looked at at once. Its mappings are read once for all of them. Outlives the probes, whose LibraryHooks enter and
// leave it by themselves. The collecting thread only.
//
// A process has the number that the kernel half has for it, which is another one's, or nobody's, when the agent runs in
// a pid namespace of its own: then only the looks at all processes find anything.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace connscope::probe {

class LibraryHooks;

class LibraryWatch {
 public:
  /// `procfs` is where proc(5) is mounted.
  explicit LibraryWatch(std::string procfs = "/proc") : procfs_(std::move(procfs)) {}
  LibraryWatch(const LibraryWatch&) = delete;
  LibraryWatch& operator=(const LibraryWatch&) = delete;
  ~LibraryWatch() = default;

  void enter(LibraryHooks& hooks);
  void leave(const LibraryHooks& hooks);
  [[nodiscard]] bool is_empty() const { return hooks_.empty(); }

  /// Hangs programs in what that process has. False: it is gone, or not to be looked at.
  bool look_at(std::uint32_t process);
  /// Whether any of those programs, hanging or not yet, tells of TLS handshakes.
  [[nodiscard]] bool hears_tls() const;
  /// Whether a library of that process, as it was last looked at, tells of its TLS handshakes. It may be gone by now.
  [[nodiscard]] bool hears_tls_of(std::uint32_t process) const;

 private:
  std::string procfs_;
  std::vector<LibraryHooks*> hooks_;
};

}  // namespace connscope::probe
