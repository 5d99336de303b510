// SPDX-License-Identifier: Apache-2.0
#include "agent/config/document.h"

#include <algorithm>
#include <exception>
#include <set>

#include "agent/base/file.h"
#include "agent/config/message.h"
#include "agent/config/text_check.h"
#include "agent/config/tree.h"

namespace connscope::config {
namespace {

using detail::Entry;
using detail::Problem;
using detail::Tree;

std::string with_place(const std::string& file_name, std::uint32_t line, std::string_view message) {
  const std::string where = line == 0 ? file_name : file_name + ":" + std::to_string(line);
  return where + ": " + std::string(message);
}

std::string unknown_key_text(const Entry& entry, std::string_view key) {
  std::string text = detail::join(entry.path, key) + ": unknown key";
  const std::vector<std::string_view> allowed(entry.asked.begin(), entry.asked.end());
  const std::string_view near = nearest(key, allowed);
  if (!near.empty()) text += " (did you mean " + std::string(near) + "?)";
  return text + "; allowed here: " + (allowed.empty() ? "nothing" : joined(allowed));
}

/// Tables that nobody entered are named by their key in the table above, so only entered ones are looked through.
void collect_unknown_keys(const Tree& tree, std::vector<Problem>& problems) {
  for (const Entry& entry : tree.entries) {
    if (entry.table == nullptr) continue;
    for (const auto& [key, node] : *entry.table) {
      if (entry.asked.find(key.str()) != entry.asked.end()) continue;
      problems.push_back({detail::place_of(key.source()), unknown_key_text(entry, key.str())});
    }
  }
}

Status told(std::vector<Problem> problems, const std::string& file_name) {
  if (problems.empty()) return {};
  std::sort(problems.begin(), problems.end(), [](const auto& a, const auto& b) { return a.order() < b.order(); });
  // Two parts may read the same wrong key; a person needs to hear of it once.
  const auto same = [](const auto& a, const auto& b) { return a.order() == b.order(); };
  problems.erase(std::unique(problems.begin(), problems.end(), same), problems.end());

  std::string message;
  for (std::size_t i = 0; i < problems.size() && i < Document::kMaxProblems; ++i) {
    if (i > 0) message += '\n';
    message += with_place(file_name, problems[i].place.line, problems[i].text);
  }
  if (problems.size() > Document::kMaxProblems) {
    message += '\n' + file_name + ": " + std::to_string(problems.size() - Document::kMaxProblems) + " more problems";
  }
  return Error(message);
}

}  // namespace

Document::Document(std::unique_ptr<Tree> tree) : tree_(std::move(tree)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Result<Document> Document::parse(std::string_view text, std::string file_name) {
  if (text.size() > kMaxBytes) return Error(file_name + ": longer than " + std::to_string(kMaxBytes) + " bytes");
  if (const auto finding = check_text(text)) return Error(with_place(file_name, finding->line, finding->message));
  try {
    auto tree = std::make_unique<Tree>();
    tree->root = toml::parse(text);
    tree->file_name = std::move(file_name);
    tree->enter(tree->root, "", {});
    return Document(std::move(tree));
  } catch (const toml::parse_error& error) {
    return Error(with_place(file_name, error.source().begin.line, printable(error.description())));
  } catch (const std::exception& error) {
    return Error(file_name + ": " + error.what());
  }
}

Result<Document> Document::load(const std::string& path) {
  auto text = read_file(path, kMaxBytes);
  if (!text) return std::move(text).error();
  return parse(*text, path);
}

Section Document::root() const { return Section(*tree_->entry_of.at(&tree_->root)); }

std::vector<std::string> Document::asked_keys() const {
  std::set<std::string> keys;
  for (const Entry& entry : tree_->entries)
    for (const std::string& key : entry.asked) keys.insert(detail::join(entry.path, key));
  return {keys.begin(), keys.end()};
}

Status Document::finish() const {
  std::vector<Problem> problems = tree_->problems;
  collect_unknown_keys(*tree_, problems);
  return told(std::move(problems), tree_->file_name);
}

Status Document::found() const { return told(tree_->problems, tree_->file_name); }

}  // namespace connscope::config
