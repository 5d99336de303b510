// SPDX-License-Identifier: Apache-2.0
//
// The config as a document (TOML 1.0) from which each part of the agent reads its own section, so that this box knows
// neither probes nor exporters. Reading never fails on the spot: a getter answers with the value, or with its fallback
// when the key is absent or wrong, and what is wrong is collected. Document::finish, called when every part has read,
// gives all of it at once, keys that nobody asked for among it:
//
//   connscope.toml:12: limits.serie: unknown key (did you mean series?); allowed here: idle, prefixes, series
//
// Ownership: a Document owns its text, its values and its list of problems. A Section is a small handle into its
// Document, free to copy, valid as long as the Document lives, also after the Document has been moved. Getters return
// values of their own. Threads: a Document and its Sections belong to one thread at a time (getters write down which
// keys were asked for). Durations are milliseconds; sizes are bytes. Source: https://toml.io/en/v1.0.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.h"

namespace connscope::config {

namespace detail {
struct Entry;
struct Tree;
}  // namespace detail

/// One table of the document; empty when the file does not have it.
class Section {
 public:
  [[nodiscard]] std::string text(std::string_view key, std::string_view fallback) const;
  [[nodiscard]] bool flag(std::string_view key, bool fallback) const;
  [[nodiscard]] std::int64_t integer(std::string_view key, std::int64_t fallback, std::int64_t min,
                                     std::int64_t max) const;
  /// An array of integers; one integer stands for an array of one.
  [[nodiscard]] std::vector<std::int64_t> integers(std::string_view key, std::vector<std::int64_t> fallback,
                                                   std::int64_t min, std::int64_t max) const;
  /// Integers are numbers too; NaN is in no range.
  [[nodiscard]] double number(std::string_view key, double fallback, double min, double max) const;
  /// A whole number with its unit, in quotes: "500ms", "30s", "5m", "1h", "7d".
  [[nodiscard]] std::chrono::milliseconds duration(std::string_view key, std::chrono::milliseconds fallback,
                                                   std::chrono::milliseconds min, std::chrono::milliseconds max) const;
  /// The same, or `word`, for which nothing is given.
  [[nodiscard]] std::optional<std::chrono::milliseconds> duration_or(std::string_view word, std::string_view key,
                                                                     std::chrono::milliseconds fallback,
                                                                     std::chrono::milliseconds min,
                                                                     std::chrono::milliseconds max) const;
  /// An array of strings; one string stands for an array of one. Empty when absent: see has(). `allowed` is for the
  /// message on another type.
  [[nodiscard]] std::vector<std::string> texts(std::string_view key,
                                               std::string_view allowed = "strings in quotes") const;
  [[nodiscard]] std::string one_of(std::string_view key, std::string_view fallback,
                                   const std::vector<std::string_view>& allowed) const;

  /// Whether the file has the key, whatever its value is.
  [[nodiscard]] bool has(std::string_view key) const;
  /// Whether the value is true or false, for keys that may also be something else.
  [[nodiscard]] bool is_flag(std::string_view key) const;
  /// The sub section [this.key].
  [[nodiscard]] Section table(std::string_view key) const;
  /// The elements of [[this.key]] in file order.
  [[nodiscard]] std::vector<Section> tables(std::string_view key) const;
  /// Names of all the sub sections there are, sorted. The caller takes those it knows by table(); the rest is unknown.
  [[nodiscard]] std::vector<std::string> names() const;

  /// Reports a finding of the caller's own at the line of `key`, or of the section when it lacks the key. `message`
  /// says what is wrong and, after "; ", what is allowed.
  void fail(std::string_view key, std::string_view message) const;
  /// The same for the section as a whole; not for the root.
  void fail(std::string_view message) const;

 private:
  friend class Document;
  explicit Section(detail::Entry& entry) : entry_(&entry) {}

  detail::Entry* entry_;
};

class Document {
 public:
  static constexpr std::size_t kMaxBytes = 1U << 20U;

  /// `file_name` is for messages. Refused, with the line: bad TOML, duplicate keys, what is not UTF-8, NUL bytes, text
  /// longer than kMaxBytes, values nested deeper than text_check.h allows. A byte order mark and CRLF are fine.
  static Result<Document> parse(std::string_view text, std::string file_name);
  static Result<Document> load(const std::string& path);

  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;
  ~Document();

  [[nodiscard]] Section root() const;

  /// Every key that some part has asked for so far, sorted, each once: "probe.tcp.enabled"; those of [[x]] as "x.key".
  [[nodiscard]] std::vector<std::string> asked_keys() const;

  /// An error that has every problem found so far, one a line, in file order (the first kMaxProblems of them).
  [[nodiscard]] Status finish() const;
  /// The same without keys that nobody has asked for, for a reader that had to stop before all parts had read.
  [[nodiscard]] Status found() const;
  static constexpr std::size_t kMaxProblems = 100;

 private:
  explicit Document(std::unique_ptr<detail::Tree> tree);

  std::unique_ptr<detail::Tree> tree_;
};

}  // namespace connscope::config
