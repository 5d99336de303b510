// SPDX-License-Identifier: Apache-2.0
//
// Whole small files (/proc, /sys, the config) as strings. Any thread.
#pragma once

#include <cstddef>
#include <string>

#include "agent/base/result.h"

namespace connscope {

/// The file's content. Refuses what is longer than `max_bytes`, so that a wrong path cannot eat the memory.
Result<std::string> read_file(const std::string& path, std::size_t max_bytes = 16U << 20U);

}  // namespace connscope
