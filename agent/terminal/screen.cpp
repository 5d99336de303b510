// SPDX-License-Identifier: Apache-2.0
#include "agent/terminal/screen.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "agent/terminal/program.h"
#include "agent/terminal/text.h"

namespace connscope::terminal {
namespace {

constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[2J";
constexpr std::string_view kLeave = "\x1b[?25h\x1b[?1049l";
constexpr std::string_view kHome = "\x1b[H";
constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kPlain = "\x1b[m";
constexpr std::string_view kClearLine = "\x1b[K";
constexpr std::string_view kClearBelow = "\x1b[J";

/// In one piece where the terminal takes it, so that it does not flicker.
void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(STDOUT_FILENO, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH}) sigaddset(&set, signal);
  return set;
}

}  // namespace

bool Screen::is_possible() {
  const char* name = std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe)
  const bool is_dumb = name == nullptr || std::string_view(name) == "dumb" || *name == '\0';
  return !is_dumb && ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
}

Result<std::unique_ptr<Screen>> Screen::open() {
  termios saved{};
  if (::tcgetattr(STDIN_FILENO, &saved) != 0) return Error::from_errno("tcgetattr", errno);
  const sigset_t set = watched_signals();
  UniqueFd signals(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals) return Error::from_errno("signalfd", errno);
  if (pthread_sigmask(SIG_BLOCK, &set, nullptr) != 0) return Error("pthread_sigmask: cannot block signals");
  termios keys = saved;
  keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  keys.c_cc[VSUSP] = _POSIX_VDISABLE;  // a shell that comes back would find the wrong screen
  keys.c_cc[VMIN] = 1;
  keys.c_cc[VTIME] = 0;
  if (::tcsetattr(STDIN_FILENO, TCSANOW, &keys) != 0) return Error::from_errno("tcsetattr", errno);
  write_all(kEnter);
  return std::unique_ptr<Screen>(new Screen(saved, std::move(signals)));
}

Screen::~Screen() {
  write_all(kLeave);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &saved_);
  const sigset_t set = watched_signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void Screen::show(const std::vector<PageLine>& lines, const std::string& last_line) {
  const Canvas canvas = canvas_of_output();
  const std::size_t room = std::min(lines.size(), canvas.height > 1 ? canvas.height - 1 : 0);
  std::string text(kHome);
  for (std::size_t i = 0; i < room; ++i) {
    text += lines[i].is_head ? kBold : kPlain;
    text += cut(lines[i].text, canvas.width, canvas.unicode);
    text += kPlain;
    text += kClearLine;
    text += "\r\n";
  }
  text += kClearBelow;
  text += "\x1b[" + std::to_string(canvas.height) + ";1H" + cut(last_line, canvas.width, canvas.unicode);
  write_all(text);
}

Screen::Occurrence Screen::wait(std::chrono::milliseconds limit) {
  std::array<pollfd, 2> waiting{{{signals_.get(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
  const int ready = ::poll(waiting.data(), waiting.size(), static_cast<int>(limit.count()));
  if (ready <= 0) return {};
  return waiting[0].revents != 0 ? read_signal() : read_key();
}

Screen::Occurrence Screen::read_signal() {
  signalfd_siginfo info{};
  if (::read(signals_.get(), &info, sizeof(info)) != static_cast<ssize_t>(sizeof(info))) return {};
  return {info.ssi_signo == SIGWINCH ? Event::kResized : Event::kEnd};
}

/// The terminal may be gone, which is the end as well.
Screen::Occurrence Screen::read_key() {
  char key = 0;
  const ssize_t count = ::read(STDIN_FILENO, &key, 1);
  if (count < 0 && errno == EINTR) return {};
  if (count <= 0) return {Event::kEnd};
  return {Event::kKey, key};
}

}  // namespace connscope::terminal
