// SPDX-License-Identifier: Apache-2.0
//
// Which kinds of report exporters this build has, and what all their sections share.
#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/config/message.h"
#include "exporters/log_report.h"
#include "exporters/report_exporter.h"
#include "exporters/statsd.h"
#ifdef CONNSCOPE_WITH_GRAPHITE
#include "exporters/graphite.h"
#endif
#ifdef CONNSCOPE_WITH_INFLUXDB
#include "exporters/influxdb.h"
#endif
#ifdef CONNSCOPE_WITH_OTLP
#include "exporters/otlp.h"
#endif
#ifdef CONNSCOPE_WITH_PUSHGATEWAY
#include "exporters/pushgateway.h"
#endif
#ifdef CONNSCOPE_WITH_REDIS
#include "exporters/redis.h"
#endif
#ifdef CONNSCOPE_WITH_REMOTE_WRITE
#include "exporters/remote_write.h"
#endif

namespace connscope::exporters {
namespace {

using namespace std::chrono_literals;

struct Kind {
  std::string_view name;
  std::unique_ptr<ReportExporter> (*make)(const config::Section&, const ExporterServices&);
  bool takes_snapshots = false;
  bool wants_each_snapshot = false;
};

constexpr Kind kKinds[] = {
    {"log", make_log_exporter},
    {"statsd", make_statsd_exporter},
#ifdef CONNSCOPE_WITH_GRAPHITE
    {"graphite", make_graphite_exporter},
#endif
#ifdef CONNSCOPE_WITH_INFLUXDB
    {"influxdb", make_influxdb_exporter},
#endif
#ifdef CONNSCOPE_WITH_OTLP
    {"otlp", make_otlp_exporter, true},
#endif
#ifdef CONNSCOPE_WITH_PUSHGATEWAY
    {"pushgateway", make_pushgateway_exporter, true},
#endif
#ifdef CONNSCOPE_WITH_REDIS
    {"redis", make_redis_exporter, true},
#endif
#ifdef CONNSCOPE_WITH_REMOTE_WRITE
    {"remote_write", make_remote_write_exporter, true, true},
#endif
};

std::vector<std::string_view> kind_names() {
  std::vector<std::string_view> names;
  for (const Kind& kind : kKinds) names.push_back(kind.name);
  return names;
}

const Kind* find_kind(std::string_view name) {
  const auto* kind =
      std::find_if(std::begin(kKinds), std::end(kKinds), [name](const Kind& k) { return k.name == name; });
  return kind == std::end(kKinds) ? nullptr : kind;
}

ConfiguredExporter configure(const std::string& name, const Kind& kind, const config::Section& section,
                             const ExporterServices& services) {
  ConfiguredExporter made{name, false, std::nullopt, kind.wants_each_snapshot, nullptr};
  if (kind.takes_snapshots) {
    made.snapshot_interval = section.duration("interval", 15s, 1s, 24h);
  } else {
    made.accumulates = section.flag("accumulate", false);
  }
  made.exporter = kind.make(section, services);
  return made;
}

}  // namespace

std::chrono::milliseconds parse_timeout(const config::Section& section) {
  return section.duration("timeout", 5s, 100ms, ReportExporter::kMaxBlocking);
}

std::vector<ConfiguredExporter> make_report_exporters(const config::Section& root, const ExporterServices& services) {
  const config::Section sections = root.table("exporter");
  std::vector<ConfiguredExporter> exporters;
  for (const Kind& kind : kKinds) {
    if (kind.takes_snapshots && !sections.has(kind.name)) continue;
    exporters.push_back(configure(std::string(kind.name), kind, sections.table(kind.name), services));
  }
  for (const std::string& name : sections.names()) {
    if (find_kind(name) != nullptr) continue;
    const config::Section section = sections.table(name);
    if (!section.has("type")) {
      section.fail("is no exporter of this build; allowed: " + config::joined(kind_names()) +
                   ", or another name with type = one of them");
    } else if (const Kind* kind = find_kind(section.one_of("type", "", kind_names()))) {
      exporters.push_back(configure(name, *kind, section, services));
    }
  }
  return exporters;
}

}  // namespace connscope::exporters
