// SPDX-License-Identifier: Apache-2.0
#include "agent/terminal/events_answer.h"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "agent/base/glob.h"
#include "agent/base/result.h"
#include "agent/terminal/connection_json.h"

namespace connscope::terminal {
namespace {

using nlohmann::json;

constexpr Privacy kAll{true, true};

struct Filter {
  std::string process = "*";
  std::string stage;  // empty: all
  detail::Kinds kinds = detail::kFailure | detail::kOutlier;

  [[nodiscard]] bool passes(const detail::Connection& connection) const {
    return (stage.empty() || stage == detail::name_of(connection.stage)) && glob_match(process, connection.process);
  }
};

Result<detail::Kinds> kinds_of(const json& names) {
  detail::Kinds kinds = 0;
  for (const json& name : names) {
    if (name == "failure") {
      kinds |= detail::kFailure;
    } else if (name == "outlier") {
      kinds |= detail::kOutlier;
    } else {
      return Error("events: \"kinds\" has " + name.dump() + "; allowed: \"failure\", \"outlier\"");
    }
  }
  if (kinds == 0) return Error("events: \"kinds\" is empty; allowed: a list of \"failure\", \"outlier\"");
  return kinds;
}

Result<Filter> filter_of(const json& request) {
  Filter filter;
  for (const auto& [key, text] : {std::pair("process", &filter.process), std::pair("stage", &filter.stage)}) {
    const auto given = request.find(key);
    if (given == request.end()) continue;
    if (!given->is_string()) return Error(std::string("events: \"") + key + "\" is no text");
    *text = given->get<std::string>();
  }
  if (const auto given = request.find("kinds"); given != request.end()) {
    const auto kinds = kinds_of(*given);
    if (!kinds) return kinds.error();
    filter.kinds = *kinds;
  }
  return filter;
}

}  // namespace

struct EventFollowers::Follower {
  explicit Follower(control::Stream client) : stream(std::move(client)) {}
  control::Stream stream;
  detail::ConnectionFeed::Subscription subscription;
};

control::Handler EventFollowers::handler() {
  return [this](const json& request, control::Responder& responder) { follow(request, responder); };
}

void EventFollowers::follow(const json& request, control::Responder& responder) {
  forget_gone();
  const auto filter = filter_of(request);
  if (!filter) return responder.fail(filter.error().message());
  if (feed_.fd() < 0) return responder.fail("events: the kernel tells of no single connections here; see the log");
  auto follower = std::make_shared<Follower>(responder.stream());
  follower->subscription =
      feed_.subscribe(filter->kinds, [to = follower.get(), filter = *filter](const auto& connection) {
        if (filter.passes(connection)) to->stream.send(connection_json(connection, kAll));
      });
  if (!feed_.health()) return responder.fail("events: " + feed_.health().error().message());
  follower->stream.send({{"following", true}});
  followers_.push_back(std::move(follower));
}

void EventFollowers::forget_gone() {
  followers_.remove_if([](const std::shared_ptr<Follower>& follower) { return !follower->stream.is_open(); });
}

}  // namespace connscope::terminal
