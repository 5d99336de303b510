// SPDX-License-Identifier: Apache-2.0
#include "agent/ingest/settings.h"

#include <sys/un.h>

#include <charconv>
#include <chrono>
#include <optional>

#include "agent/ingest/sockets.h"

namespace connscope::ingest {
namespace {

using namespace std::chrono_literals;

std::optional<mode_t> parse_mode(const std::string& text) {
  unsigned mode = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (status != std::errc() || end != text.data() + text.size() || mode > 0777) return std::nullopt;
  return static_cast<mode_t>(mode);
}

std::size_t count(const config::Section& section, const char* key, std::size_t fallback, std::int64_t max) {
  return static_cast<std::size_t>(section.integer(key, static_cast<std::int64_t>(fallback), 1, max));
}

std::chrono::seconds seconds(const config::Section& section, const char* key, std::chrono::seconds fallback,
                             std::chrono::seconds max) {
  return std::chrono::duration_cast<std::chrono::seconds>(section.duration(key, fallback, 1s, max));
}

}  // namespace

Settings Settings::parse(const config::Section& section) {
  Settings settings;
  settings.enabled = section.flag("enabled", settings.enabled);
  settings.path = section.text("path", settings.path);
  if (!settings.path.starts_with('/') || settings.path.size() >= sizeof(sockaddr_un::sun_path))
    section.fail("path", "is no path of a socket; allowed: an absolute path of at most " +
                             std::to_string(sizeof(sockaddr_un::sun_path) - 1) + " bytes");
  const std::string mode = section.text("mode", "0666");
  if (const auto parsed = parse_mode(mode)) {
    settings.mode = *parsed;
  } else {
    section.fail("mode", "is no mode; allowed: octal digits in quotes, \"0000\" to \"0777\"");
  }
  settings.udp = section.flag("udp", settings.udp);
  settings.udp_address = section.text("udp_address", settings.udp_address);
  if (!parse_loopback(settings.udp_address))
    section.fail("udp_address", "is not an address of loopback; allowed: 127.X.X.X:PORT, [::1]:PORT");
  Limits& limits = settings.limits;
  limits.series = count(section, "series", limits.series, 1'000'000);
  limits.process_series = count(section, "process_series", limits.process_series, 1'000'000);
  limits.set_values = count(section, "set_values", limits.set_values, 10'000'000);
  limits.idle = seconds(section, "idle", limits.idle, 24h * 30);
  limits.set_period = seconds(section, "set_period", limits.set_period, 1h);
  return settings;
}

}  // namespace connscope::ingest
