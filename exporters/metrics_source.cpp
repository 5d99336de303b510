// SPDX-License-Identifier: Apache-2.0
#include "exporters/metrics_source.h"

#include <utility>

#ifdef CONNSCOPE_WITH_REDIS
#include "exporters/redis_source.h"
#endif

namespace connscope::exporters {

#ifdef CONNSCOPE_WITH_REDIS
Result<std::unique_ptr<MetricsSource>> make_metrics_source(const config::Section& section, const std::string& address,
                                                           std::vector<std::string> namespaces) {
  return make_redis_source(section, address, std::move(namespaces));
}
#else
Result<std::unique_ptr<MetricsSource>> make_metrics_source(const config::Section& /*section*/,
                                                           const std::string& /*address*/,
                                                           std::vector<std::string> /*namespaces*/) {
  return Error("expose: this build has no Redis (CONNSCOPE_REDIS)");
}
#endif

}  // namespace connscope::exporters
