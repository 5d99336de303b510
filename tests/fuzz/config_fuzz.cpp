// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a config: parsed, read by a reader that asks for every kind of value, and refused or taken, with
// messages that keep to their lines.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "agent/config/document.h"
#include "agent/identity/process_rules.h"

namespace {

using connscope::config::Document;
using connscope::config::Section;

/// Every line is "fuzz.toml…" and has no control characters, whatever the input was.
void check_message(const std::string& message) {
  for (std::size_t begin = 0; begin < message.size();) {
    const std::size_t end = std::min(message.find('\n', begin), message.size());
    const std::string_view line = std::string_view(message).substr(begin, end - begin);
    const bool clean = std::all_of(line.begin(), line.end(), [](char c) { return (c & 0x80) != 0 || c >= 0x20; });
    if (!line.starts_with("fuzz.toml:") || !clean) std::abort();
    begin = end + 1;
  }
}

void read_section(const Section& section, int depth) {
  using std::chrono::milliseconds;
  (void)section.text("t", "");
  (void)section.flag("f", false);
  (void)section.integer("i", 0, -10, 10);
  (void)section.number("n", 0, -1, 1);
  (void)section.duration("d", milliseconds(1), milliseconds(0), milliseconds::max());
  (void)section.texts("l");
  (void)section.one_of("o", "none", {"none", "text", "json"});
  if (section.has("h")) section.fail("h", "must not be; allowed: nothing");
  if (depth == 0) return;
  for (const Section& element : section.tables("a")) read_section(element, depth - 1);
  for (const std::string& name : section.names()) read_section(section.table(name), depth - 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto document = Document::parse(std::string(data, data + size), "fuzz.toml");
  if (!document) {
    check_message(document.error().message());
    return 0;
  }
  read_section(document->root(), 3);
  const auto rules = connscope::identity::ProcessRules::parse(document->root());
  connscope::identity::ProcessAttributes process;
  process.exe = "/usr/bin/a";
  if (rules.match(process).prefix.empty()) std::abort();
  const auto status = document->finish();
  if (!status) check_message(status.error().message());
  return 0;
}
