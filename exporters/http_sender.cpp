// SPDX-License-Identifier: Apache-2.0
#include "exporters/http_sender.h"

#include <algorithm>

#include "agent/config/message.h"

namespace connscope::exporters {
namespace {

/// As much of an answer as a message shows.
constexpr std::size_t kShownAnswer = 200;

std::size_t take_answer(char* data, std::size_t size, std::size_t count, void* user) {
  auto& body = *static_cast<std::string*>(user);
  const std::size_t room = HttpSender::kMaxAnswer - body.size();
  body.append(data, std::min(size * count, room));
  return size * count;  // what has no room is no error
}

bool has_user(std::string_view url) {
  const std::size_t host = url.find("://") + 3;
  return url.substr(host, url.find('/', host) - host).find('@') != std::string_view::npos;
}

std::string parse_url(const config::Section& section, std::string_view fallback) {
  std::string url = section.text("url", fallback);
  const bool has_scheme = url.rfind("http://", 0) == 0 || url.rfind("https://", 0) == 0;
  if (!has_scheme || url.find_first_of(" ?#\"<>\\^`{|}") != std::string::npos || url.find("://") + 3 == url.size())
    section.fail("url", config::in_quotes(url) + " is no URL of a server; allowed: http://HOST:PORT/PATH or https://…");
  else if (has_user(url))
    section.fail("url", "has a user in it; allowed: username and password_file beside it");
  while (!url.empty() && url.back() == '/') url.pop_back();
  return url;
}

}  // namespace

HttpTarget HttpTarget::parse(const config::Section& section, std::string_view default_url) {
  HttpTarget target{parse_url(section, default_url), ServerAccess::parse(section), section.text("token_file", "")};
  const ServerAccess& access = target.access;
  if (access.username.empty() != access.password_file.empty())
    section.fail("username and password_file belong together; allowed: both or neither");
  if (!access.username.empty() && !target.token_file.empty())
    section.fail("token_file", "cannot be used beside username; allowed: one of them");
  return target;
}

class HttpSender::Headers {
 public:
  Headers() = default;
  ~Headers() { curl_slist_free_all(list_); }
  Headers(const Headers&) = delete;
  Headers& operator=(const Headers&) = delete;
  void add(const std::string& header) {
    if (curl_slist* longer = curl_slist_append(list_, header.c_str()); longer != nullptr) list_ = longer;
  }
  [[nodiscard]] curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

/// By username and password, or by a header.
Status HttpSender::authenticate(Headers& headers) {
  if (!target_.access.username.empty()) {
    const auto password = read_secret(target_.access.password_file);
    if (!password) return password.error();
    curl_.set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    curl_.set(CURLOPT_USERNAME, target_.access.username.c_str());
    curl_.set(CURLOPT_PASSWORD, password->c_str());
  }
  if (!target_.token_file.empty()) {
    const auto token = read_secret(target_.token_file);
    if (!token) return token.error();
    headers.add("Authorization: " + token_scheme_ + " " + *token);
  }
  return {};
}

Result<HttpAnswer> HttpSender::exchange(const HttpRequest& request) {
  if (auto ready = curl_.reset(target_.access); !ready) return ready.error().context(target_.url);
  Headers headers;
  for (const std::string& header : request.headers) headers.add(header);
  headers.add("Expect:");  // or each larger body would wait for the server's leave
  if (auto ready = authenticate(headers); !ready) return ready.error().context(target_.url);
  HttpAnswer answer;
  curl_.set(CURLOPT_HTTPHEADER, headers.get());
  curl_.set(CURLOPT_URL, (target_.url + request.path).c_str());
  curl_.set(CURLOPT_CUSTOMREQUEST, request.method);
  curl_.set(CURLOPT_POSTFIELDS, request.body.data() == nullptr ? "" : request.body.data());
  curl_.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  curl_.set(CURLOPT_WRITEFUNCTION, take_answer);
  curl_.set(CURLOPT_WRITEDATA, &answer.body);
  if (auto performed = curl_.perform(); !performed) return performed.error().context(target_.url);
  curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  curl_off_t seconds = 0;
  curl_easy_getinfo(curl_.get(), CURLINFO_RETRY_AFTER, &seconds);
  answer.retry_after = std::chrono::seconds(std::clamp<curl_off_t>(seconds, 0, 3600));
  return answer;
}

Sent HttpSender::send(const HttpRequest& request) { return judge(exchange(request), request.body.size()); }

Sent HttpSender::judge(const Result<HttpAnswer>& answer, std::size_t bytes) const {
  Sent sent;
  if (!answer) {
    sent.status = answer.error();
    sent.retry_after = std::chrono::milliseconds(0);
    return sent;
  }
  if (answer->status / 100 == 2) {
    sent.packets = 1;
    sent.bytes = bytes;
    return sent;
  }
  sent.status = Error(target_.url + ": answers " + std::to_string(answer->status) + " " +
                      config::in_quotes(std::string_view(answer->body).substr(0, kShownAnswer)));
  if (is_retryable(answer->status)) sent.retry_after = answer->retry_after;
  return sent;
}

std::string percent_encoded(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                               std::string_view("-._~").find(c) != std::string_view::npos;
    if (is_unreserved) {
      out += c;
    } else {
      out.append({'%', kDigits[byte >> 4U], kDigits[byte & 15U]});
    }
  }
  return out;
}

}  // namespace connscope::exporters
