// SPDX-License-Identifier: Apache-2.0
#include "agent/terminal/events.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "agent/control/answer.h"
#include "agent/control/client.h"
#include "agent/terminal/program.h"
#include "agent/terminal/quantity.h"
#include "agent/terminal/text.h"

namespace connscope::terminal {
namespace {

using nlohmann::json;

std::string text_of(const json& event, const char* name) {
  const auto found = event.find(name);
  return found != event.end() && found->is_string() ? safe(found->get<std::string>()) : "";
}

std::string duration_of(const json& event, const char* name) {
  const auto found = event.find(name);
  return found != event.end() && found->is_number() ? quantity(found->get<double>() * 1e-6, "seconds") : "";
}

bool has_kind(const json& event, const char* kind) {
  const auto found = event.find("kinds");
  if (found == event.end()) return false;
  for (const json& name : *found)
    if (name == kind) return true;
  return false;
}

/// ", NAME TEXT" where there is a text.
std::string also(const char* name, const std::string& text) {
  return text.empty() ? "" : std::string(", ") + name + " " + text;
}

std::string who(const json& event) {
  const auto pid = event.find("pid");
  const bool is_known = pid != event.end() && pid->is_number_unsigned();
  return text_of(event, "process") + (is_known ? "[" + std::to_string(pid->get<std::uint64_t>()) + "]" : "") +
         (text_of(event, "role") == "server" ? " (server)" : "");
}

std::string what(const json& event) {
  const std::string reason = text_of(event, "reason");
  return text_of(event, "stage") + " " + (reason.empty() ? "ok" : reason);
}

json request_of(const config::EventsOptions& options) {
  json request = {{"command", "events"}, {"process", options.process}, {"stage", options.stage}};
  json kinds = json::array();
  const bool both = options.failures == options.outliers;
  if (options.failures || both) kinds.push_back("failure");
  if (options.outliers || both) kinds.push_back("outlier");
  request["kinds"] = kinds;
  return request;
}

void print(const json& event, bool as_json) {
  static const bool unicode = canvas_of_output().unicode;
  const std::string line = as_json ? control::line_of(event) : in_charset(event_text(event), unicode) + "\n";
  std::fputs(line.c_str(), stdout);
  std::fflush(stdout);  // somebody waits for it, be it at the other end of a pipe
}

}  // namespace

std::string event_text(const json& event) {
  const std::string time = text_of(event, "time");
  const std::size_t clock = time.find('T');
  std::string text = clock == std::string::npos ? time : time.substr(clock + 1);
  text += " " + who(event) + " " + what(event) + " after " + duration_of(event, "duration_us");
  if (has_kind(event, "outlier")) text += " (outlier; mean " + duration_of(event, "mean_us") + ")";
  text += also("host", text_of(event, "host")) + also("peer", text_of(event, "peer"));
  // The parts of an attempt; that of the stage itself would only say the duration once more.
  if (text_of(event, "stage") == "attempt") {
    text += also("dns", duration_of(event, "dns_us")) + also("tcp", duration_of(event, "tcp_us")) +
            also("tls", duration_of(event, "tls_us"));
  }
  return text;
}

int follow_events(const std::string& socket, const config::EventsOptions& options) {
  auto client = control::Client::ask(socket, request_of(options));
  if (!client) return tell_no_answer(client.error());
  for (;;) {
    const auto line = client->next();
    if (!line) return tell_no_answer(line.error());
    if (!*line) return kDone;
    if ((*line)->contains("following")) {
      std::fprintf(stderr, "connscope: following; Ctrl-C ends it\n");
    } else {
      print(**line, options.json);
    }
    if (std::ferror(stdout) != 0) return tell_no_answer(Error("standard output takes no more"));
  }
}

}  // namespace connscope::terminal
