// SPDX-License-Identifier: Apache-2.0
#include "agent/host/pattern.h"

#include <re2/re2.h>

#include <utility>

namespace connscope::host {
namespace {

Result<std::unique_ptr<Pattern>> compile_unless_empty(const std::string& expression) {
  if (expression.empty()) return std::unique_ptr<Pattern>();
  auto pattern = Pattern::compile(expression);
  if (!pattern) return pattern.error();
  return std::make_unique<Pattern>(std::move(*pattern));
}

}  // namespace

Result<Pattern> Pattern::compile(const std::string& expression) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  auto compiled = std::make_shared<const re2::RE2>(expression, options);
  if (!compiled->ok()) return Error("\"" + expression + "\" is no regular expression: " + compiled->error());
  return Pattern(std::move(compiled));
}

bool Pattern::matches(std::string_view text) const {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *expression_);
}

Result<Filter> Filter::create(const std::string& include, const std::string& exclude) {
  Filter filter;
  auto included = compile_unless_empty(include);
  if (!included) return included.error();
  auto excluded = compile_unless_empty(exclude);
  if (!excluded) return excluded.error();
  filter.include_ = std::move(*included);
  filter.exclude_ = std::move(*excluded);
  return filter;
}

bool Filter::passes(std::string_view name) {
  if (!include_ && !exclude_) return true;
  if (const auto known = judged_.find(name); known != judged_.end()) return known->second;
  if (judged_.size() >= kRemembered) judged_.clear();
  return judged_.emplace(name, judge(name)).first->second;
}

bool Filter::judge(std::string_view name) const {
  return (!include_ || include_->matches(name)) && !(exclude_ && exclude_->matches(name));
}

}  // namespace connscope::host
