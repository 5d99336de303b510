// SPDX-License-Identifier: Apache-2.0
//
// What a fuzz target begins from, one input a file.
#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace connscope::testing {

inline std::vector<std::string> corpus(const std::string& target) {
  std::vector<std::string> inputs;
  const std::filesystem::path folder = std::string(CONNSCOPE_SOURCE_DIR) + "/tests/fuzz/corpus/" + target;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    std::ostringstream bytes;
    bytes << file.rdbuf();
    inputs.push_back(bytes.str());
  }
  return inputs;
}

}  // namespace connscope::testing
