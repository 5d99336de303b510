// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/connections_page.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "agent/http/finish.h"
#include "agent/http/query.h"

namespace connscope::runtime {
namespace {

constexpr std::int64_t kMostKept = 100'000;

/// ?limit=N; all without one.
Result<std::size_t> limit_of(const std::string& query, std::size_t keep) {
  const auto parameters = http::parse_query(query);
  if (!parameters) return parameters.error();
  std::size_t limit = keep;
  for (const auto& [name, value] : *parameters) {
    if (name != "limit") continue;
    const char* end = value.data() + value.size();
    const auto [read, problem] = std::from_chars(value.data(), end, limit);
    if (problem != std::errc() || read != end) return Error("limit is no number; allowed: 1 to the number kept");
  }
  return limit;
}

std::string body_of(const detail::RecentConnections& recent, const terminal::Privacy& shown, std::size_t limit) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& connection : recent.latest(limit)) list.push_back(terminal::connection_json(connection, shown));
  const nlohmann::json body = {{"connections", std::move(list)}, {"total", recent.total()}};
  return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

ConnectionsSettings ConnectionsSettings::parse(config::Section root) {
  const config::Section section = root.table("connections");
  ConnectionsSettings settings;
  settings.keep = static_cast<std::size_t>(section.integer("keep", 0, 0, kMostKept));
  settings.shown = {section.flag("peers", false), section.flag("hosts", false)};
  return settings;
}

void ConnectionsPage::apply(const ConnectionsSettings& settings) {
  Kept next{settings, kept().recent};
  if (settings.keep != kept().settings.keep) {
    subscription_.reset();
    next.recent = settings.keep > 0 ? std::make_shared<detail::RecentConnections>(settings.keep) : nullptr;
    if (next.recent) {
      subscription_ = feed_.subscribe(detail::kAttempt,
                                      [recent = next.recent](const auto& connection) { recent->add(connection); });
    }
  }
  const std::lock_guard lock(mutex_);
  kept_ = std::move(next);
}

http::Route ConnectionsPage::route() {
  return {"/connections", true, [this](const http::Request& request) { return answer(request); }};
}

ConnectionsPage::Kept ConnectionsPage::kept() const {
  const std::lock_guard lock(mutex_);
  return kept_;
}

http::Response ConnectionsPage::answer(const http::Request& request) const {
  const Kept now = kept();
  if (!now.recent) {
    return http::plain_response(404, "no connections are kept; [connections] keep = 1000 in the config keeps 1000");
  }
  const auto limit = limit_of(request.query, now.settings.keep);
  if (!limit) return http::plain_response(400, limit.error().message());
  http::Response response;
  response.content_type = "application/json";
  response.body = body_of(*now.recent, now.settings.shown, *limit);
  return response;
}

}  // namespace connscope::runtime
