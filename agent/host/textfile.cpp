// SPDX-License-Identifier: Apache-2.0
//
// textfile: what other programs leave for us in files NAME.prom of a folder. Each file counts whole or not at all: one
// that cannot be understood, or that has a name which is served already, is left out with all its families, and told
// of. Writers are expected to rename a finished file into place.
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>

#include "agent/host/collector.h"
#include "agent/host/text_exposition.h"
#include "agent/metrics/names.h"

namespace connscope::host::collectors::textfile {
namespace {

using Families = std::vector<metrics::FamilySnapshot>;

/// The names that a family's samples have, and its own.
std::vector<std::string> names_of(const metrics::FamilySnapshot& family) {
  std::vector<std::string> names;
  for (const std::string_view suffix : metrics::sample_suffixes(family.type))
    names.push_back(family.descriptor->name + std::string(suffix));
  return names;
}

class Textfile final : public Collector {
 public:
  explicit Textfile(const std::string& folder)
      : Collector("textfile"),
        folder_(folder.substr(1)),
        error_(add_table({}, {{"node_textfile_scrape_error", "1: a text file, or their folder, could not be used."}})),
        mtime_(add_table({"file"}, {{"node_textfile_mtime_seconds", "When the file was written, in Unix time."}})) {}

  void append(Families& families) override {
    std::set<std::string> taken;
    if (!files_.empty())
      for (const auto& family : families)
        for (auto& name : names_of(family)) taken.insert(std::move(name));
    for (const auto& [file, content] : files_) append_file(file, content, taken, families);
    error_.set(0, complaints_.empty() ? 0U : 1U);
    Collector::append(families);
  }

  [[nodiscard]] std::string complaint() const override {
    std::string text;
    for (const auto& [file, what] : complaints_) text += (text.empty() ? "" : "; ") + file + ": " + what;
    return text;
  }

 private:
  Status read(Kernel& kernel) override {
    files_.clear();
    complaints_.clear();
    error_.row({});
    const Listing listing = kernel.list(Root::kAbsolute, {folder_});
    if (listing.error != 0 && !Content::is_missing(listing.error))
      complaints_["/" + folder_] = Error::from_errno("cannot be read", listing.error).message();
    for (const std::string& name : listing.names)
      if (name.ends_with(".prom")) read_file(kernel, name);
    return {};
  }

  void read_file(Kernel& kernel, const std::string& name) {
    const std::string path = kernel.path(Root::kAbsolute, {folder_, "/", name});
    const Content content = kernel.read(Root::kAbsolute, {folder_, "/", name});
    if (!content) {
      complaints_[path] = Error::from_errno("cannot be read", content.error).message();
      return;
    }
    auto families = parse_text_exposition(content.text);
    if (!families) {
      complaints_[path] = families.error().message();
      return;
    }
    files_[path] = std::move(*families);
    const std::int64_t written = kernel.modified(Root::kAbsolute, {folder_, "/", name});
    mtime_.row({path});
    mtime_.set(0, static_cast<double>(written) / 1e9);
  }

  /// A name that is there already would spoil the scrape for all.
  void append_file(const std::string& file, const Families& content, std::set<std::string>& taken, Families& families) {
    std::set<std::string> own;
    for (const auto& family : content) {
      for (auto& name : names_of(family)) {
        if (taken.count(name) == 0 && own.insert(name).second) continue;
        complaints_[file] = "\"" + name + "\" is served already";
        return;
      }
    }
    taken.merge(own);
    families.insert(families.end(), content.begin(), content.end());
  }

  std::string folder_;  // without its first slash
  Table& error_;
  Table& mtime_;
  std::map<std::string, Families> files_;          // by path
  std::map<std::string, std::string> complaints_;  // likewise
};

constexpr std::array kFlags = {
    Flag{"collector.textfile.directory", "/var/lib/prometheus/node-exporter", "Folder of the text files, NAME.prom"}};

Result<std::unique_ptr<Collector>> make(const FlagValues& flags) {
  const std::string& folder = flags.text("collector.textfile.directory");
  if (folder.empty() || folder.front() != '/')
    return Error("--collector.textfile.directory: \"" + folder + "\" is no absolute path");
  return std::unique_ptr<Collector>(std::make_unique<Textfile>(folder));
}

}  // namespace

extern const CollectorType kType{"textfile", true, make, kFlags};

}  // namespace connscope::host::collectors::textfile
