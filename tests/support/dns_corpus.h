// SPDX-License-Identifier: Apache-2.0
//
// The messages that the DNS parser is fuzzed from, one a file.
#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace connscope::testing {

inline std::vector<std::string> dns_corpus() {
  std::vector<std::string> messages;
  const std::filesystem::path folder = std::string(CONNSCOPE_SOURCE_DIR) + "/tests/fuzz/corpus/dns_message_fuzz";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    std::ostringstream bytes;
    bytes << file.rdbuf();
    messages.push_back(bytes.str());
  }
  return messages;
}

}  // namespace connscope::testing
