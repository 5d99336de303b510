// SPDX-License-Identifier: Apache-2.0
#include "exporters/http_sender.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

#include "agent/base/file.h"
#include "agent/config/message.h"

namespace connscope::exporters {
namespace {

constexpr std::size_t kMaxSecret = 64U << 10U;
/// As much of an answer as a message shows.
constexpr std::size_t kShownAnswer = 200;

/// libcurl's, which is not safe for threads before 7.84.
void initialize_once() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

std::size_t take_answer(char* data, std::size_t size, std::size_t count, void* user) {
  auto& body = *static_cast<std::string*>(user);
  const std::size_t room = HttpSender::kMaxAnswer - body.size();
  body.append(data, std::min(size * count, room));
  return size * count;  // what has no room is no error
}

Result<std::string> read_secret(const std::string& path) {
  auto secret = read_file(path, kMaxSecret);
  if (!secret) return secret;
  secret->erase(secret->find_last_not_of("\r\n \t") + 1);
  // A line feed would be another header.
  if (secret->find_first_of("\r\n") != std::string::npos) return Error(path + ": has more than one line");
  return secret;
}

class Headers {
 public:
  ~Headers() { curl_slist_free_all(list_); }
  Headers() = default;
  Headers(const Headers&) = delete;
  Headers& operator=(const Headers&) = delete;
  void add(const std::string& header) {
    if (curl_slist* longer = curl_slist_append(list_, header.c_str()); longer != nullptr) list_ = longer;
  }
  [[nodiscard]] curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

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
  HttpTarget target;
  target.url = parse_url(section, default_url);
  target.timeout = parse_timeout(section);
  target.username = section.text("username", "");
  target.password_file = section.text("password_file", "");
  target.token_file = section.text("token_file", "");
  target.ca_file = section.text("ca_file", "");
  target.certificate_file = section.text("certificate_file", "");
  target.key_file = section.text("key_file", "");
  if (target.username.empty() != target.password_file.empty())
    section.fail("username and password_file belong together; allowed: both or neither");
  if (!target.username.empty() && !target.token_file.empty())
    section.fail("token_file", "cannot be used beside username; allowed: one of them");
  if (target.certificate_file.empty() != target.key_file.empty())
    section.fail("certificate_file and key_file belong together; allowed: both or neither");
  return target;
}

struct HttpSender::Handle {
  CURL* curl;
  std::array<char, CURL_ERROR_SIZE> message{};

  Handle() : curl(curl_easy_init()) {}
  ~Handle() { curl_easy_cleanup(curl); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  template <class T>
  void set(CURLoption option, T value) {
    curl_easy_setopt(curl, option, value);
  }
  void set_text(CURLoption option, const std::string& text) {
    if (!text.empty()) set(option, text.c_str());
  }

  void aim(const HttpTarget& target, const HttpRequest& request) {
    curl_easy_reset(curl);  // keeps connections
    message[0] = '\0';
    set(CURLOPT_ERRORBUFFER, message.data());
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(target.timeout.count()));
    set(CURLOPT_URL, (target.url + request.path).c_str());
    set(CURLOPT_CUSTOMREQUEST, request.method);
    set(CURLOPT_POSTFIELDS, request.body.data() == nullptr ? "" : request.body.data());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set_text(CURLOPT_CAINFO, target.ca_file);
    set_text(CURLOPT_SSLCERT, target.certificate_file);
    set_text(CURLOPT_SSLKEY, target.key_file);
  }

  /// By username and password, or by a header.
  Status authenticate(const HttpTarget& target, const std::string& token_scheme, Headers& headers) {
    if (!target.username.empty()) {
      const auto password = read_secret(target.password_file);
      if (!password) return password.error();
      set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
      set(CURLOPT_USERNAME, target.username.c_str());
      set(CURLOPT_PASSWORD, password->c_str());
    }
    if (!target.token_file.empty()) {
      const auto token = read_secret(target.token_file);
      if (!token) return token.error();
      headers.add("Authorization: " + token_scheme + " " + *token);
    }
    return {};
  }

  Result<HttpAnswer> perform() {
    HttpAnswer answer;
    set(CURLOPT_WRITEFUNCTION, take_answer);
    set(CURLOPT_WRITEDATA, &answer.body);
    if (const CURLcode code = curl_easy_perform(curl); code != CURLE_OK)
      return Error(message[0] != '\0' ? message.data() : curl_easy_strerror(code));
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
    curl_off_t seconds = 0;
    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds);
    answer.retry_after = std::chrono::seconds(std::clamp<curl_off_t>(seconds, 0, 3600));
    return answer;
  }
};

HttpSender::HttpSender(HttpTarget target, std::string token_scheme)
    : target_(std::move(target)), token_scheme_(std::move(token_scheme)) {
  initialize_once();
}
HttpSender::~HttpSender() = default;
HttpSender::HttpSender(HttpSender&&) noexcept = default;
HttpSender& HttpSender::operator=(HttpSender&&) noexcept = default;

Result<HttpAnswer> HttpSender::exchange(const HttpRequest& request) {
  if (!handle_) handle_ = std::make_unique<Handle>();
  if (handle_->curl == nullptr) return Error(target_.url + ": no memory for a request");
  handle_->aim(target_, request);
  Headers headers;
  for (const std::string& header : request.headers) headers.add(header);
  headers.add("Expect:");  // or each larger body would wait for the server's leave
  if (auto ready = handle_->authenticate(target_, token_scheme_, headers); !ready)
    return ready.error().context(target_.url);
  handle_->set(CURLOPT_HTTPHEADER, headers.get());
  auto answer = handle_->perform();
  return answer ? answer : answer.error().context(target_.url);
}

Sent HttpSender::send(const HttpRequest& request) {
  Sent sent;
  const auto answer = exchange(request);
  if (!answer) {
    sent.status = answer.error();
    sent.retry_after = std::chrono::milliseconds(0);
    return sent;
  }
  if (answer->status / 100 == 2) {
    sent.packets = 1;
    sent.bytes = request.body.size();
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
