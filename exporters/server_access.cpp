// SPDX-License-Identifier: Apache-2.0
#include "exporters/server_access.h"

#include <mutex>

#include "agent/base/file.h"
#include "exporters/curl_on_demand.h"
#include "exporters/report_exporter.h"

namespace connscope::exporters {
namespace {

constexpr std::size_t kMaxSecret = 64U << 10U;

/// libcurl's own, which is not safe for threads before 7.84.
CURL* make_handle() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  return curl_easy_init();
}

}  // namespace

ServerAccess ServerAccess::parse(const config::Section& section) {
  ServerAccess access;
  access.timeout = parse_timeout(section);
  access.username = section.text("username", "");
  access.password_file = section.text("password_file", "");
  access.ca_file = section.text("ca_file", "");
  access.certificate_file = section.text("certificate_file", "");
  access.key_file = section.text("key_file", "");
  if (access.certificate_file.empty() != access.key_file.empty())
    section.fail("certificate_file and key_file belong together; allowed: both or neither");
  return access;
}

Result<std::string> read_secret(const std::string& path) {
  auto secret = read_file(path, kMaxSecret);
  if (!secret) return secret;
  secret->erase(secret->find_last_not_of("\r\n \t") + 1);
  // A line feed would be another header, or another command.
  if (secret->find_first_of("\r\n") != std::string::npos) return Error(path + ": has more than one line");
  return secret;
}

CurlHandle::CurlHandle() : curl_(nullptr, curl_easy_cleanup) {}

Status CurlHandle::open() {
  if (auto opened = open_curl(); !opened) return opened;
  curl_.reset(make_handle());
  return curl_ ? Status() : Error("no memory for a connection");
}

Status CurlHandle::reset(const ServerAccess& access) {
  if (!curl_)
    if (auto opened = open(); !opened) return opened;
  curl_easy_reset(curl_.get());  // keeps connections
  message_[0] = '\0';
  set(CURLOPT_ERRORBUFFER, message_.data());
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(access.timeout.count()));
  if (!access.ca_file.empty()) set(CURLOPT_CAINFO, access.ca_file.c_str());
  if (!access.certificate_file.empty()) set(CURLOPT_SSLCERT, access.certificate_file.c_str());
  if (!access.key_file.empty()) set(CURLOPT_SSLKEY, access.key_file.c_str());
  return {};
}

Status CurlHandle::perform() {
  const CURLcode code = curl_easy_perform(curl_.get());
  if (code == CURLE_OK) return {};
  return Error(message_[0] != '\0' ? message_.data() : curl_easy_strerror(code));
}

}  // namespace connscope::exporters
