// SPDX-License-Identifier: Apache-2.0
#include "agent/terminal/policies.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "agent/control/answer.h"
#include "agent/control/client.h"
#include "agent/terminal/program.h"
#include "agent/terminal/text.h"

namespace connscope::terminal {
namespace {

using nlohmann::json;

/// Strings as they are, lists with commas, numbers by three decimals at most; empty when it is not there.
std::string text_of(const json& line, const char* name) {
  const auto found = line.find(name);
  if (found == line.end() || found->is_null()) return "";
  if (found->is_string()) return safe(found->get<std::string>());
  if (found->is_number_float()) {
    char text[64];
    std::snprintf(text, sizeof(text), "%.3f", found->get<double>());
    return text;
  }
  if (!found->is_array()) return safe(found->dump());
  std::string joined;
  for (const json& element : *found) {
    if (!joined.empty()) joined += ", ";
    joined += element.is_string() ? safe(element.get<std::string>()) : "";
  }
  return joined;
}

std::string seconds_of(const json& line, const char* name, const char* otherwise) {
  const std::string text = text_of(line, name);
  return text.empty() ? otherwise : text + " s";
}

std::string tags_of(const json& line) {
  std::string text;
  const auto tags = line.find("tags");
  if (tags == line.end() || !tags->is_object()) return text;
  for (const auto& [name, value] : tags->items()) {
    text += text.empty() ? "" : ",";
    text += safe(name) + "=" + (value.is_string() ? safe(value.get<std::string>()) : "");
  }
  return text;
}

/// Whichever of a metric's readings there is.
std::string reading_of(const json& line) {
  for (const char* name : {"sum", "value", "total"})
    if (line.contains(name)) return text_of(line, name);
  if (!line.contains("go") || !line["go"].is_object()) return "";
  std::string text = "go " + text_of(line["go"], "count");
  if (line.contains("no_go") && line["no_go"].is_object()) text += ", no-go " + text_of(line["no_go"], "count");
  return text;
}

json request_of(const config::PolicyOptions& options) {
  json request = {{"command", "policy"}, {"action", options.action}};
  if (!options.policy.empty()) request["policy"] = options.policy;
  if (!options.glob.empty()) request["glob"] = options.glob;
  return request;
}

void print(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) std::printf("%s\n", line.c_str());
}

void print_answer(const config::PolicyOptions& options, const std::vector<json>& answer) {
  if (options.json) {
    for (const json& line : answer) std::fputs(control::line_of(line).c_str(), stdout);
  } else if (options.action == "list") {
    print(policy_table(answer));
  } else if (options.action == "show") {
    print(policy_metrics_table(answer));
  } else {
    std::puts(options.action == "move" ? "moved" : "reported");
  }
}

}  // namespace

std::vector<std::string> policy_table(const std::vector<json>& answer) {
  using Align = Table::Align;
  Table policies({{"POLICY"},
                  {"INTERVAL", Align::kRight},
                  {"NEXT", Align::kRight},
                  {"METRICS", Align::kRight},
                  {"TO"},
                  {"REPORT"}});
  Table moves({{"MOVED"}, {"TO POLICY"}});
  for (const json& line : answer) {
    if (line.contains("moved")) {
      moves.add({text_of(line, "moved"), text_of(line, "policy")});
    } else {
      policies.add({text_of(line, "policy"), seconds_of(line, "interval_seconds", "manual"),
                    seconds_of(line, "next_seconds", "-"), text_of(line, "metrics"), text_of(line, "to"),
                    text_of(line, "report")});
    }
  }
  std::vector<std::string> lines = policies.lines();
  if (moves.empty()) return lines;
  lines.emplace_back();
  for (std::string& line : moves.lines()) lines.push_back(std::move(line));
  return lines;
}

std::vector<std::string> policy_metrics_table(const std::vector<json>& answer) {
  Table metrics({{"METRIC"}, {"TAGS"}, {"POLICY"}, {"SINCE THE LAST REPORT"}});
  for (const json& line : answer) {
    const std::string policy = text_of(line, "policy");
    metrics.add({text_of(line, "metric"), tags_of(line), policy.empty() ? "-" : policy, reading_of(line)});
  }
  return metrics.lines();
}

int run_policy(const std::string& socket, const config::PolicyOptions& options) {
  std::vector<json> answer;
  const Status asked =
      control::ask_for_all(socket, request_of(options), [&answer](const json& line) { answer.push_back(line); });
  if (!asked) return tell_no_answer(asked.error());
  print_answer(options, answer);
  return kDone;
}

}  // namespace connscope::terminal
