// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/scrape.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "agent/http/accept.h"
#include "agent/http/query.h"
#include "agent/runtime/status.h"

namespace connscope::runtime {
namespace {

/// A scraper gives up after ten seconds by default; an answer that is a little old is better than none.
constexpr auto kPatience = std::chrono::seconds(5);

http::Response plain(int status, std::string text) {
  http::Response response;
  response.status = status;
  response.body = std::move(text);
  return response;
}

/// Nothing, or what is wrong with the collectors that are asked for: one that is off would look like one with no data.
std::string check_collectors(const exporters::Selection& selection, const std::vector<std::string>& known) {
  if (!selection.collectors.empty() && !selection.without_collectors.empty())
    return "collect[] and exclude[] cannot be used together\n";
  for (const auto* asked : {&selection.collectors, &selection.without_collectors})
    for (const auto& name : *asked)
      if (std::find(known.begin(), known.end(), name) == known.end()) return "no collector \"" + name + "\" is on\n";
  return "";
}

/// Parameters that are not ours are let pass: a scrape config may have any.
exporters::Selection selection_of(const std::vector<std::pair<std::string, std::string>>& parameters) {
  exporters::Selection selection;
  for (const auto& [name, value] : parameters) {
    if (name == "prefix") selection.prefixes.push_back(value);
    if (name == "name[]") selection.names.push_back(value);
    if (name == "collect[]") selection.collectors.push_back(value);
    if (name == "exclude[]") selection.without_collectors.push_back(value);
  }
  return selection;
}

http::Handler scrape(SnapshotExchange& exchange, FilteredSeries& filtered,
                     const std::vector<exporters::Format>& formats, HostAnswers host) {
  std::vector<http::Offer> offers;
  for (const auto& format : formats) offers.push_back({format.media_type, format.only_when_named});
  return [&exchange, &filtered, &formats, offers = std::move(offers),
          host = std::move(host)](const http::Request& request) {
    const auto parameters = http::parse_query(request.query);
    if (!parameters) return plain(400, parameters.error().message() + "\n");
    const auto selection = selection_of(*parameters);
    if (auto wrong = check_collectors(selection, host.collectors); !wrong.empty()) return plain(400, std::move(wrong));
    const auto snapshot = selection.collectors.empty() ? exchange.fresh(kPatience)
                                                       : host.exchange->fresh(kPatience, selection.collectors);
    if (!snapshot) return plain(503, "not ready: the first collect is not done yet\n");
    const auto& encoder = *formats[http::choose_offer(request.accept, offers).value_or(0)].encoder;
    http::Response response;
    response.content_type = encoder.content_type();
    const auto left_out = selection.left_out(*snapshot);
    filtered.by_name += left_out.by_name;
    filtered.by_prefix += left_out.by_prefix;
    encoder.encode(*snapshot, selection, response.body);
    return response;
  };
}

std::string landing_page(const std::string& telemetry_path, const std::string& version) {
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>connscope</title></head>\n<body>\n"
         "<h1>connscope</h1>\n<p>Version " +
         version + "</p>\n<ul>\n<li><a href=\"" + telemetry_path +
         "\">Metrics</a></li>\n<li><a href=\"/-/healthy\">Health</a></li>\n<li><a "
         "href=\"/-/ready\">Readiness</a></li>\n<li><a href=\"/status\">Status</a></li>\n"
         "</ul>\n</body>\n</html>\n";
}

}  // namespace

std::vector<http::Route> make_routes(SnapshotExchange& exchange, FilteredSeries& filtered,
                                     const std::vector<exporters::Format>& formats, const std::string& telemetry_path,
                                     const std::string& version, HostAnswers host) {
  const auto healthy = [](const http::Request&) { return plain(200, "healthy\n"); };
  const auto ready = [&exchange](const http::Request&) {
    return exchange.latest() ? plain(200, "ready\n") : plain(503, "not ready: the first collect is not done yet\n");
  };
  const auto status = [&exchange, version](const http::Request&) {
    http::Response response = plain(200, status_json(exchange.latest(), version, std::chrono::system_clock::now()));
    response.content_type = "application/json";
    return response;
  };
  const auto landing = [page = landing_page(telemetry_path, version)](const http::Request&) {
    http::Response response = plain(200, page);
    response.content_type = "text/html; charset=utf-8";
    return response;
  };
  return {{telemetry_path, true, scrape(exchange, filtered, formats, std::move(host))},
          {"/-/healthy", false, healthy},
          {"/-/ready", false, ready},
          {"/status", false, status},
          {"/", false, landing}};
}

}  // namespace connscope::runtime
