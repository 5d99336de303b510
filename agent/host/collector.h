// SPDX-License-Identifier: Apache-2.0
//
// Collector: one subject of the host's metrics, such as its disks. It reads what the kernel says, into tables that it
// owns. A collector is made once, and read at each collect; the collecting thread only. It does not log: what is wrong
// is in the outcome of a reading, and what is wrong with its input, but not with itself, in complaint().
// Sources: proc(5), and the kernel's Documentation/ABI for sysfs; each file names its own.
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"
#include "agent/host/flags.h"
#include "agent/host/kernel.h"
#include "agent/host/table.h"

namespace connscope::host {

class Collector {
 public:
  explicit Collector(std::string name) : name_(std::move(name)) {}
  virtual ~Collector() = default;
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  /// A reading, whole or not at all: after an error there are no series until one succeeds. A file that lacks is no
  /// error, there is just nothing of it.
  Status collect(Kernel& kernel);
  /// Appends the families of the last reading to those that a scrape has already.
  virtual void append(std::vector<metrics::FamilySnapshot>& families);
  /// What is wrong with what others have given us (a bad text file); empty when nothing is.
  [[nodiscard]] virtual std::string complaint() const { return {}; }

 protected:
  virtual Status read(Kernel& kernel) = 0;
  /// Valid as long as this.
  Table& add_table(std::vector<std::string> label_names, std::vector<Column> columns = {});

 private:
  std::string name_;
  std::deque<Table> tables_;  // which does not move them
};

/// One of the catalogue.
struct CollectorType {
  const char* name;
  bool enabled;  ///< unless the command line says otherwise
  Result<std::unique_ptr<Collector>> (*make)(const FlagValues& flags);
  std::span<const Flag> flags = {};
};

/// The `make` of a collector without flags.
template <class C>
Result<std::unique_ptr<Collector>> make_plain(const FlagValues& /*flags*/) {
  return std::unique_ptr<Collector>(std::make_unique<C>());
}

/// What a file that cannot be read means: nothing when it lacks, else an error that names it.
[[nodiscard]] Status absent_or_error(const Content& content, std::string_view file);

}  // namespace connscope::host
