// SPDX-License-Identifier: Apache-2.0
#include "agent/host/table.h"

#include <algorithm>
#include <utility>

#include "agent/metrics/metric_id.h"
#include "agent/metrics/utf8.h"

namespace connscope::host {
namespace {

using metrics::MetricType;

constexpr std::string_view kTotal = "_total";
constexpr char kBetweenValues = '\xff';  // in no UTF-8

metrics::Value value_of(MetricType type, metrics::Number number) {
  // The kernel has counted since a time of its own, so that there is no time at which we created the counter.
  if (type == MetricType::kCounter) return metrics::CounterValue{number, {}};
  if (type == MetricType::kGauge) return metrics::GaugeValue{number};
  return metrics::UnknownValue{number};
}

bool is_legal(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ':';
}

void join(std::span<const std::string_view> values, std::string& joined) {
  joined.clear();
  for (const std::string_view value : values) {
    joined += value;
    joined += kBetweenValues;
  }
}

}  // namespace

Table::Table(std::vector<std::string> label_names, std::vector<Column> columns, std::string collector)
    : label_names_(std::move(label_names)), collector_(std::move(collector)) {
  for (Column& column : columns) add_column(std::move(column));
}

std::size_t Table::add_column(Column column) {
  if (column.type == MetricType::kCounter && column.name.ends_with(kTotal))
    column.name.resize(column.name.size() - kTotal.size());
  // Some names are the kernel's, or a driver's.
  std::replace_if(
      column.name.begin(), column.name.end(), [](char c) { return !is_legal(c); }, '_');
  if (!metrics::is_utf8(column.help)) column.help = metrics::to_utf8(column.help);
  auto descriptor = std::make_shared<metrics::FamilyDescriptor>();
  descriptor->name = std::move(column.name);
  descriptor->help = std::move(column.help);
  descriptor->label_names = label_names_;
  descriptor->id = metrics::default_id(descriptor->name);
  descriptor->external = column.type == MetricType::kCounter;
  descriptor->collector = collector_;
  columns_.push_back({std::move(descriptor), column.type});
  return columns_.size() - 1;
}

void Table::begin() {
  ++reading_;
  current_ = rows_.size();  // so that the next row is the first
}

bool Table::row(std::span<const std::string_view> values) {
  const std::size_t next = current_ >= rows_.size() ? 0 : current_ + 1;
  current_ = next < rows_.size() && is_row(next, values) ? next : find_or_add(values);
  Row& row = rows_[current_];
  if (std::exchange(row.reading, reading_) == reading_) return false;
  std::fill(row.cells.begin(), row.cells.end(), std::nullopt);
  row.cells.resize(columns_.size());
  return true;
}

bool Table::is_row(std::size_t at, std::span<const std::string_view> values) const {
  return std::equal(values.begin(), values.end(), rows_[at].labels->begin(), rows_[at].labels->end());
}

std::size_t Table::find_or_add(std::span<const std::string_view> values) {
  if (!std::all_of(values.begin(), values.end(), metrics::is_utf8)) return find_or_add_mended(values);
  join(values, joined_);
  if (const auto known = index_.find(joined_); known != index_.end()) return known->second;
  std::vector<std::string> labels(values.begin(), values.end());
  rows_.push_back({std::make_shared<const std::vector<std::string>>(std::move(labels)), {}, 0});
  index_.emplace(joined_, rows_.size() - 1);
  return rows_.size() - 1;
}

/// Mended before the look-up: two names that differ in bytes which cannot be shown are one series.
std::size_t Table::find_or_add_mended(std::span<const std::string_view> values) {
  std::vector<std::string> mended;
  for (const std::string_view value : values) mended.push_back(metrics::to_utf8(value));
  return find_or_add(std::vector<std::string_view>(mended.begin(), mended.end()));
}

void Table::set_number(std::size_t column, metrics::Number value) {
  auto& cells = rows_[current_].cells;
  if (column >= cells.size()) cells.resize(columns_.size());
  cells[column] = value;
}

void Table::end() {
  const auto is_gone = [this](const Row& row) { return row.reading != reading_; };
  if (std::none_of(rows_.begin(), rows_.end(), is_gone)) return;
  rows_.erase(std::remove_if(rows_.begin(), rows_.end(), is_gone), rows_.end());
  index_rows();
}

void Table::index_rows() {
  index_.clear();
  for (std::size_t at = 0; at < rows_.size(); ++at) {
    const std::vector<std::string_view> values(rows_[at].labels->begin(), rows_[at].labels->end());
    join(values, joined_);
    index_.emplace(joined_, at);
  }
}

void Table::clear() {
  rows_.clear();
  index_.clear();
}

void Table::append(std::vector<metrics::FamilySnapshot>& families) const {
  for (std::size_t column = 0; column < columns_.size(); ++column) {
    metrics::FamilySnapshot family{columns_[column].descriptor, columns_[column].type, {}};
    for (const Row& row : rows_) {
      if (column >= row.cells.size() || !row.cells[column]) continue;
      if (family.samples.empty()) family.samples.reserve(rows_.size());
      family.samples.push_back({row.labels, value_of(family.type, *row.cells[column])});
    }
    if (!family.samples.empty()) families.push_back(std::move(family));
  }
}

}  // namespace connscope::host
