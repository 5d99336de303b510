// SPDX-License-Identifier: Apache-2.0
//
// LibraryInfo: connscope_tls_library_info, which shows the copies of a TLS library that a probe hangs in. Paths are shown
// as a hash, since they may name what is nobody else's business. All probes of libraries share the family. The
// collecting thread only.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/base/result.h"
#include "agent/metrics/registry.h"
#include "agent/probe/library_uprobes.h"

namespace connscope::bpf {

/// Eight hexadecimal digits that are the same for the same path on every host.
[[nodiscard]] std::string path_hash(std::string_view path);

class LibraryInfo {
 public:
  static Result<LibraryInfo> create(metrics::Registry& registry, std::string library);

  /// Takes the place of what was shown before.
  void show(const std::vector<probe::LibraryUprobes::Copy>& copies);

 private:
  using Labels = std::vector<std::string>;
  LibraryInfo(metrics::Family<metrics::Info>* family, std::string library)
      : family_(family), library_(std::move(library)) {}

  metrics::Family<metrics::Info>* family_;
  std::string library_;
  std::set<Labels> shown_;
};

}  // namespace connscope::bpf
