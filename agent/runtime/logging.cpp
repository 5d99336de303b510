// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/logging.h"

#include <spdlog/fmt/chrono.h>
#include <spdlog/formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "agent/runtime/log_text.h"

namespace connscope::runtime {
namespace {

std::string rfc3339(std::chrono::system_clock::time_point time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time - seconds).count();
  const std::time_t whole = std::chrono::system_clock::to_time_t(seconds);
  std::tm utc{};
  ::gmtime_r(&whole, &utc);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", utc, ms);
}

std::string_view name_of(spdlog::level::level_enum level) {
  const auto name = spdlog::level::to_string_view(level);
  return {name.data(), name.size()};
}

/// The priority of syslog(3) in the form that journald takes from the beginning of a line.
std::string_view priority_of(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
    case spdlog::level::debug:
      return "<7>";
    case spdlog::level::warn:
      return "<4>";
    case spdlog::level::err:
      return "<3>";
    case spdlog::level::critical:
      return "<2>";
    default:
      return "<6>";
  }
}

class EntryFormatter : public spdlog::formatter {
 public:
  EntryFormatter(config::LogFormat format, bool to_journal) : format_(format), to_journal_(to_journal) {}

  void format(const spdlog::details::log_msg& entry, spdlog::memory_buf_t& out) override {
    const std::string_view message(entry.payload.data(), entry.payload.size());
    const std::string_view priority = to_journal_ ? priority_of(entry.level) : "";
    std::string line(priority);
    if (format_ == config::LogFormat::kJson) {
      line += fmt::format(R"({{"time":"{}","level":"{}","message":{}}})", rfc3339(entry.time), name_of(entry.level),
                          json_string(message));
    } else if (to_journal_) {
      line += log_text(message, priority);
    } else {
      line += rfc3339(entry.time) + " ";
      entry.color_range_start = line.size();
      line += name_of(entry.level);
      entry.color_range_end = line.size();
      line += " " + log_text(message, "  ");
    }
    line += '\n';
    out.append(line.data(), line.data() + line.size());
  }

  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<EntryFormatter>(*this);
  }

 private:
  config::LogFormat format_;
  bool to_journal_;
};

/// systemd names the device and inode of the stream that it connected; another one there now (a shell's redirection,
/// a parent's log) is not the journal, although the variable is inherited.
bool stderr_is_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (stream == nullptr || ::fstat(STDERR_FILENO, &status) != 0) return false;
  return stream == std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

spdlog::level::level_enum level_of(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::kTrace:
      return spdlog::level::trace;
    case config::LogLevel::kDebug:
      return spdlog::level::debug;
    case config::LogLevel::kWarn:
      return spdlog::level::warn;
    case config::LogLevel::kError:
      return spdlog::level::err;
    case config::LogLevel::kOff:
      return spdlog::level::off;
    case config::LogLevel::kInfo:
      break;
  }
  return spdlog::level::info;
}

}  // namespace

void set_up_logging(config::LogLevel level, config::LogFormat format) {
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(spdlog::color_mode::automatic);
  auto logger = std::make_shared<spdlog::logger>("connscope", std::move(sink));
  logger->set_formatter(std::make_unique<EntryFormatter>(format, stderr_is_journal()));
  spdlog::set_default_logger(std::move(logger));
  set_log_level(level);
}

void set_log_level(config::LogLevel level) { spdlog::set_level(level_of(level)); }

}  // namespace connscope::runtime
