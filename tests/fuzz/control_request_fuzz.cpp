// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a request on the control socket, and as a line of an answer. Each request is answered with whole lines
// of JSON, of which the last says how it went; and no answer can control the terminal that it is shown on.
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "agent/control/commands.h"
#include "agent/control/connection.h"
#include "agent/control/protocol.h"
#include "agent/detail/connection_feed.h"
#include "agent/terminal/events.h"
#include "agent/terminal/events_answer.h"
#include "agent/terminal/series.h"
#include "agent/terminal/show.h"
#include "agent/terminal/show_answer.h"

namespace {

using nlohmann::json;
using namespace connscope;

void require(bool holds) {
  if (!holds) std::abort();
}

void require_safe(const std::string& text) {
  for (const char c : text) require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

std::string answer_to(const std::string& request) {
  static detail::ConnectionFeed feed;
  static terminal::EventFollowers followers(feed);
  static const control::Commands commands = [] {
    control::Commands made;
    made.add("events", followers.handler());
    made.add("show", terminal::make_show_handler([] { return std::make_shared<const metrics::Snapshot>(); }));
    return made;
  }();
  std::array<int, 2> ends{};
  require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  const UniqueFd reader(ends[0]);
  std::uint64_t slow_readers = 0;
  const auto connection = std::make_shared<control::Connection>(UniqueFd(ends[1]), slow_readers);
  connection->begin_answer();
  commands.answer(request, connection);
  for (int turn = 0; turn < 4 && connection->has_pending(); ++turn) connection->write();
  std::array<char, 262144> buffer{};
  const ssize_t count = ::recv(reader.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  return std::string(buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
}

void check_answer(const std::string& answer) {
  require(!answer.empty() && answer.back() == '\n');
  const std::size_t before = answer.rfind('\n', answer.size() - 2);
  const json last = json::parse(answer.substr(before == std::string::npos ? 0 : before + 1), nullptr, false);
  require(last.is_object() && (last.contains(control::kOkKey) || last.contains(control::kErrorKey)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check_answer(answer_to(text));
  const json line = json::parse(text, nullptr, false);
  if (!line.is_object()) return 0;
  require_safe(terminal::event_text(line));
  if (const auto series = terminal::series_of(line)) {
    const auto rows = terminal::rows_of({*series});
    for (const auto& shown : terminal::tables_of(rows)) require_safe(shown);
    for (const auto& shown : terminal::drawings_of(rows, {80, 20, true})) require_safe(shown);
  }
  return 0;
}
