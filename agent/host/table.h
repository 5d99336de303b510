// SPDX-License-Identifier: Apache-2.0
//
// Table: families that share their labels, as rows of label values by columns. A reading sets cells; a row or a cell
// that a reading does not set is gone with it, so that a disk that was removed leaves nothing behind.
//
// Why not Family<S>: a host's families are mirrors of what the kernel keeps. Here the label values of a device are held
// once for all its families and shared with the snapshots, a row is found again without a look-up while the kernel
// lists devices in the same order, and rows that vanish cost nothing but themselves (agent/decisions/0025).
//
// Owned by its collector; the collecting thread only. Values have the unit that the column's name says. Names are those
// of Prometheus text, with `_total` for counters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "agent/host/text_hash.h"
#include "agent/metrics/snapshot.h"

namespace connscope::host {

inline constexpr auto kGauge = metrics::MetricType::kGauge;
inline constexpr auto kCounter = metrics::MetricType::kCounter;
/// What the kernel says without saying whether it only rises.
inline constexpr auto kUntyped = metrics::MetricType::kUnknown;

struct Column {
  std::string name;
  std::string help;
  metrics::MetricType type = kGauge;  ///< gauge, counter or unknown
};

class Table {
 public:
  Table(std::vector<std::string> label_names, std::vector<Column> columns, std::string collector);

  /// Before a reading.
  void begin();
  /// The row of these values, one a label name, becomes the one that set() writes to. False when this reading had it
  /// before. Bytes that are no UTF-8 are replaced; an empty value means that the series lacks the label.
  bool row(std::span<const std::string_view> values);
  bool row(std::initializer_list<std::string_view> values) { return row({values.begin(), values.size()}); }
  template <class T>
  void set(std::size_t column, T value) {
    set_number(column, number_of(value));
  }
  /// After a reading: forgets rows that it did not have.
  void end();
  /// Forgets all rows.
  void clear();

  /// Another column, for families that only the kernel knows by name. What no name may have becomes '_'.
  std::size_t add_column(Column column);
  /// The column for the kernel's own name of it, made by `make()` at the first use.
  template <class Make>
  std::size_t column_for(std::string_view key, Make&& make) {
    if (const auto known = keys_.find(key); known != keys_.end()) return known->second;
    return keys_.emplace(key, add_column(make())).first->second;
  }
  [[nodiscard]] std::size_t column_count() const { return columns_.size(); }

  /// Appends the families that have a series.
  void append(std::vector<metrics::FamilySnapshot>& families) const;

 private:
  struct Family {
    std::shared_ptr<const metrics::FamilyDescriptor> descriptor;
    metrics::MetricType type;
  };
  struct Row {
    std::shared_ptr<const std::vector<std::string>> labels;
    std::vector<std::optional<metrics::Number>> cells;
    std::uint64_t reading = 0;
  };

  template <class T>
  static metrics::Number number_of(T value) {
    if constexpr (std::is_same_v<T, metrics::Number>) {
      return value;
    } else if constexpr (std::is_floating_point_v<T>) {
      return static_cast<double>(value);
    } else if constexpr (std::is_signed_v<T>) {
      if (value < 0) return static_cast<double>(value);
      return static_cast<std::uint64_t>(value);
    } else {
      return static_cast<std::uint64_t>(value);
    }
  }
  void set_number(std::size_t column, metrics::Number value);
  [[nodiscard]] std::size_t find_or_add(std::span<const std::string_view> values);
  [[nodiscard]] std::size_t find_or_add_mended(std::span<const std::string_view> values);
  [[nodiscard]] bool is_row(std::size_t at, std::span<const std::string_view> values) const;
  void index_rows();

  std::vector<std::string> label_names_;
  std::string collector_;
  std::vector<Family> columns_;
  std::unordered_map<std::string, std::size_t, TextHash, std::equal_to<>> keys_;  // columns by column_for's key
  std::vector<Row> rows_;
  std::unordered_map<std::string, std::size_t, TextHash, std::equal_to<>> index_;  // rows by joined values
  std::string joined_;                                                             // reused
  std::size_t current_ = 0;
  std::uint64_t reading_ = 0;
};

}  // namespace connscope::host
