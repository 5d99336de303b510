// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/policy_commands.h"

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "agent/control/answer.h"

namespace connscope::runtime {
namespace {

using control::Responder;
using nlohmann::json;

/// Empty when the request has no such text.
std::string text_of(const json& request, const char* key) {
  const auto value = request.find(key);
  return value != request.end() && value->is_string() ? value->get<std::string>() : std::string();
}

double seconds_until(std::chrono::steady_clock::time_point due) {
  return std::chrono::duration<double>(due - std::chrono::steady_clock::now()).count();
}

std::size_t metrics_of(const policy::Reporter& reporter, std::size_t policy) {
  std::size_t count = 0;
  for (const auto& [key, metric] : reporter.metrics()) count += metric.policy == policy ? 1 : 0;
  return count;
}

json policy_json(const policy::Reporter& reporter, std::size_t index) {
  const policy::Policy& policy = reporter.book().policies()[index];
  json line = {{"policy", policy.name},
               {"report", policy.report},
               {"to", policy.to},
               {"metrics", metrics_of(reporter, index)},
               {"interval_seconds", nullptr},
               {"next_seconds", nullptr}};
  if (policy.interval) line["interval_seconds"] = std::chrono::duration<double>(*policy.interval).count();
  if (const auto due = reporter.due_of(index)) line["next_seconds"] = seconds_until(*due);
  return line;
}

void list(const policy::Reporter& reporter, Responder& responder) {
  for (std::size_t i = 0; i < reporter.book().policies().size(); ++i) responder.send(policy_json(reporter, i));
  for (const auto& move : reporter.book().moves()) responder.send({{"moved", move.glob}, {"policy", move.policy}});
}

json side_json(const metrics::Aggregate::Side& side) {
  if (side.count == 0) return {{"count", 0}};
  return {{"count", side.count}, {"sum", side.sum}, {"mean", *side.mean()}, {"min", *side.min}, {"max", *side.max}};
}

json number_json(const metrics::Number& number) {
  return std::visit([](auto value) { return json(value); }, number);
}

struct ReadingJson {
  json operator()(const metrics::Distribution& reading) const {
    return {{"go", side_json(reading.aggregate.go())}, {"no_go", side_json(reading.aggregate.no_go())}};
  }
  json operator()(const metrics::OutcomeHistogram& reading) const {
    return {{"outcomes", reading.buckets()}, {"total", reading.total()}};
  }
  json operator()(const metrics::Sum& reading) const { return {{"sum", number_json(reading.total)}}; }
  json operator()(const metrics::Level& reading) const { return {{"value", number_json(reading.value)}}; }
};

/// Of the period that has not been reported yet.
json metric_json(const policy::Metric& metric, const std::vector<policy::Policy>& policies) {
  json line = std::visit(ReadingJson(), metric.period);
  line["metric"] = metric.name;
  line["tags"] = json::object();
  for (const auto& [name, value] : metric.id.tags) line["tags"][name] = value;
  line["policy"] = metric.policy == policy::Metric::kNoPolicy ? json() : json(policies[metric.policy].name);
  return line;
}

/// Metrics come and go while the client reads: the lines are made now, a client may read them as slowly as it likes.
void show(const policy::Reporter& reporter, const std::string& name, Responder& responder) {
  const auto& book = reporter.book();
  if (!name.empty() && !book.find(name)) return responder.fail(book.unknown(name).message());
  auto lines = std::make_shared<std::vector<std::string>>();
  for (const auto& [key, metric] : reporter.metrics()) {
    if (name.empty() || metric.policy == *book.find(name))
      lines->push_back(control::line_of(metric_json(metric, book.policies())));
  }
  responder.produce([lines, next = std::size_t{0}]() mutable -> std::optional<std::string> {
    if (next == lines->size()) return std::nullopt;
    return std::move((*lines)[next++]);
  });
}

void answer(const Status& outcome, Responder& responder) {
  if (!outcome) responder.fail(outcome.error().message());
}

void handle(const json& request, Reporting& reporting, Responder& responder) {
  const std::string action = text_of(request, "action");
  if (action == "list") return list(reporting.reporter(), responder);
  if (action == "show") return show(reporting.reporter(), text_of(request, "policy"), responder);
  if (action == "move") return answer(reporting.move(text_of(request, "glob"), text_of(request, "policy")), responder);
  if (action == "report") return answer(reporting.report_now(text_of(request, "policy")), responder);
  responder.fail("policy has no such action; allowed: list, show, move, report");
}

}  // namespace

void add_policy_commands(control::Server& server, Reporting& reporting) {
  server.add("policy",
             [&reporting](const json& request, Responder& responder) { handle(request, reporting, responder); });
}

}  // namespace connscope::runtime
