// SPDX-License-Identifier: Apache-2.0
//
// connscope_describe [CONFIG]: prints as JSON what an agent with that config declares: its families, and the keys of
// the config that it has asked for. Manual pages, the README's table and the checks of dashboards and of the packaged
// config are made of it. Starts nothing and needs no privilege. Exits with 1 and a message when the config is refused.
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "agent/config/document.h"
#include "agent/host/host_metrics.h"
#include "agent/runtime/collect_cycle.h"
#include "agent/runtime/reporting.h"
#include "agent/runtime/settings.h"
#include "bpf/catalog.h"

namespace connscope {
namespace {

nlohmann::json describe(const metrics::FamilyBase& family) {
  const metrics::FamilyDescriptor& descriptor = family.descriptor();
  return {{"name", descriptor.name}, {"type", metrics::to_string(family.type())},
          {"unit", descriptor.unit}, {"labels", descriptor.label_names},
          {"help", descriptor.help}, {"id", descriptor.id}};
}

/// What CollectCycle and Reporting register: everything but the host's families, which mirror the kernel's.
Result<nlohmann::json> families_of(const config::Document& document) {
  const config::Section root = document.root();
  const runtime::Settings settings = runtime::Settings::parse(root);
  auto cycle =
      runtime::CollectCycle::create(settings, root, bpf::make_identity_probe(), bpf::make_probes, CONNSCOPE_VERSION);
  if (!cycle) return cycle.error();
  auto host = host::HostMetrics::create(root.table("host"), {});
  if (!host) return host.error();
  (void)runtime::ReportingPlan::parse(root);  // for its keys: exporters are not to be started
  auto reporting = runtime::Reporting::create({}, (*cycle)->registry());
  if (!reporting) return reporting.error();
  if (auto legal = document.finish(); !legal) return legal.error();
  nlohmann::json families = nlohmann::json::array();
  (*cycle)->registry().visit([&](const metrics::FamilyBase& family) { families.push_back(describe(family)); });
  return families;
}

Result<nlohmann::json> describe(const std::string& file) {
  auto document = file.empty() ? config::Document::parse("", "built-in defaults") : config::Document::load(file);
  if (!document) return document.error();
  auto families = families_of(*document);
  if (!families) return families.error();
  return nlohmann::json{{"families", std::move(*families)}, {"keys", document->asked_keys()}};
}

}  // namespace
}  // namespace connscope

int main(int argc, char** argv) {
  const auto described = connscope::describe(argc > 1 ? argv[1] : "");
  if (!described) {
    std::fprintf(stderr, "connscope_describe: %s\n", described.error().message().c_str());
    return 1;
  }
  std::cout << described->dump(1) << "\n";
  return 0;
}
