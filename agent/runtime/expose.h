// SPDX-License-Identifier: Apache-2.0
//
// `connscope expose`: an exposition server without probes, for what programs keep in a store (FEATURES I14). It serves
// what the agent serves, by the same routes; each scrape reads the store anew, and scrapes that come together share a
// reading. The calling thread reads; it returns on SIGTERM or SIGINT.
#pragma once

#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/config/options.h"
#include "exporters/catalog.h"

namespace connscope::runtime {

/// Reads the section [expose] of the file that `options` name, if they do.
Status expose(const config::Options& options, const std::vector<exporters::Format>& formats,
              const std::string& version);

}  // namespace connscope::runtime
