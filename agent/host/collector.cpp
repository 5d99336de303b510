// SPDX-License-Identifier: Apache-2.0
#include "agent/host/collector.h"

#include <utility>

namespace connscope::host {

Status Collector::collect(Kernel& kernel) {
  for (Table& table : tables_) table.begin();
  Status outcome = read(kernel);
  for (Table& table : tables_) {
    if (outcome) {
      table.end();
    } else {
      table.clear();
    }
  }
  return outcome;
}

void Collector::append(std::vector<metrics::FamilySnapshot>& families) {
  for (const Table& table : tables_) table.append(families);
}

Table& Collector::add_table(std::vector<std::string> label_names, std::vector<Column> columns) {
  return tables_.emplace_back(std::move(label_names), std::move(columns), name_);
}

Status absent_or_error(const Content& content, std::string_view file) {
  if (content || content.missing()) return {};
  return Error::from_errno(file, content.error);
}

}  // namespace connscope::host
