// SPDX-License-Identifier: Apache-2.0
//
// Which kinds of report exporters this build has, and what all their sections share.
#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "exporters/log_report.h"
#include "exporters/report_exporter.h"
#include "exporters/statsd.h"

namespace connscope::exporters {
namespace {

using Make = std::unique_ptr<ReportExporter> (*)(const config::Section&, const ExporterServices&);

constexpr std::array<std::pair<std::string_view, Make>, 2> kKinds{
    {{"log", make_log_exporter}, {"statsd", make_statsd_exporter}}};

ConfiguredExporter configure(const std::string& name, Make make, const config::Section& section,
                             const ExporterServices& services) {
  const bool accumulates = section.flag("accumulate", false);
  return {name, accumulates, make(section, services)};
}

Make kind_of(const config::Section& section) {
  std::vector<std::string_view> allowed;
  for (const auto& [kind, make] : kKinds) allowed.push_back(kind);
  const std::string type = section.one_of("type", "", allowed);
  const auto* kind = std::find_if(kKinds.begin(), kKinds.end(), [&type](const auto& k) { return k.first == type; });
  return kind == kKinds.end() ? nullptr : kind->second;
}

}  // namespace

std::vector<ConfiguredExporter> make_report_exporters(const config::Section& root, const ExporterServices& services) {
  const config::Section sections = root.table("exporter");
  std::vector<ConfiguredExporter> exporters;
  for (const auto& [kind, make] : kKinds)
    exporters.push_back(configure(std::string(kind), make, sections.table(kind), services));
  for (const std::string& name : sections.names()) {
    const auto is_kind = [&name](const auto& kind) { return kind.first == name; };
    if (std::any_of(kKinds.begin(), kKinds.end(), is_kind)) continue;
    const config::Section section = sections.table(name);
    if (!section.has("type")) {
      section.fail("is no exporter of this build; allowed: log, statsd, or another name with type = one of them");
    } else if (const Make make = kind_of(section)) {
      exporters.push_back(configure(name, make, section, services));
    }
  }
  return exporters;
}

}  // namespace connscope::exporters
