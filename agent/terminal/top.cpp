// SPDX-License-Identifier: Apache-2.0
#include "agent/terminal/top.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <optional>
#include <thread>
#include <utility>

#include "agent/terminal/fetch.h"
#include "agent/terminal/page.h"
#include "agent/terminal/program.h"
#include "agent/terminal/screen.h"
#include "agent/terminal/summary.h"
#include "agent/terminal/text.h"

namespace connscope::terminal {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kKeys =
    "q quit   d t s histogram of DNS, TCP, TLS   a all since the agent started / the last screen";

std::chrono::milliseconds interval_of(const config::TopOptions& options) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(options.interval_seconds * 1000));
}

/// By the clock of who looks at it.
std::string clock_text(double unix_seconds) {
  const auto seconds = static_cast<std::time_t>(unix_seconds);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  std::array<char, 16> text{};
  std::strftime(text.data(), text.size(), "%H:%M:%S", &parts);
  return text.data();
}

int print_once(const std::string& socket, const config::TopOptions& options) {
  std::optional<Fetched> before;
  if (options.has_interval) {
    auto first = fetch(socket, summarized_families());
    if (!first) return tell_no_answer(first.error());
    before = std::move(*first);
    std::this_thread::sleep_for(interval_of(options));
  }
  const auto now = fetch(socket, summarized_families());
  if (!now) return tell_no_answer(now.error());
  const Summary summary = summarize(before ? &*before : nullptr, *now);
  for (const auto& line : page_of(summary, Timed::kDns, clock_text(now->taken_at), PageRows{}, canvas_of_output()))
    std::puts(line.text.c_str());
  return kDone;
}

/// What is on the screen, and what changes it.
class Live {
 public:
  Live(std::string socket, Fetched first, Screen& screen)
      : socket_(std::move(socket)), screen_(screen), now_(std::move(first)) {}

  void run(std::chrono::milliseconds interval) {
    draw();
    auto next = Clock::now() + interval;
    while (!ended_) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(next - Clock::now());
      if (left.count() <= 0) {
        look();
        next = Clock::now() + interval;
      } else {
        handle(screen_.wait(left));
      }
    }
  }

 private:
  void look() {
    auto fetched = fetch(socket_, summarized_families());
    if (fetched) {
      before_ = std::exchange(now_, std::move(*fetched));
      trouble_.clear();
    } else {
      trouble_ = safe(fetched.error().message());  // it may be started again
    }
    draw();
  }

  void handle(const Screen::Occurrence& occurrence) {
    if (occurrence.event == Screen::Event::kTimeUp) return;
    if (occurrence.event == Screen::Event::kEnd) ended_ = true;
    if (occurrence.event == Screen::Event::kKey) press(occurrence.key);
    if (!ended_) draw();
  }

  void press(char key) {
    switch (key) {
      case 'q':
        ended_ = true;
        break;
      case 'd':
        drawn_ = Timed::kDns;
        break;
      case 't':
        drawn_ = Timed::kTcp;
        break;
      case 's':
        drawn_ = Timed::kTls;
        break;
      case 'a':
        since_start_ = !since_start_;
        break;
      default:
        break;
    }
  }

  void draw() {
    const Canvas canvas = canvas_of_output();
    const Summary summary = summarize(since_start_ || !before_ ? nullptr : &*before_, now_);
    screen_.show(page_of(summary, drawn_, clock_text(now_.taken_at), PageRows::of_screen(canvas.height), canvas),
                 trouble_.empty() ? kKeys : trouble_);
  }

  std::string socket_;
  Screen& screen_;
  Fetched now_;
  std::optional<Fetched> before_;
  std::string trouble_;
  Timed drawn_ = Timed::kDns;
  bool since_start_ = false;
  bool ended_ = false;
};

}  // namespace

int top(const std::string& socket, const config::TopOptions& options) {
  if (options.once || !Screen::is_possible()) return print_once(socket, options);
  auto first = fetch(socket, summarized_families());
  if (!first) return tell_no_answer(first.error());
  auto screen = Screen::open();
  if (!screen) return tell_no_answer(screen.error());
  Live(socket, std::move(*first), **screen).run(interval_of(options));
  return kDone;
}

}  // namespace connscope::terminal
