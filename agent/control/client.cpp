// SPDX-License-Identifier: Apache-2.0
#include "agent/control/client.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <utility>

#include "agent/control/answer.h"
#include "agent/control/protocol.h"
#include "agent/control/socket.h"

namespace connscope::control {
namespace {

/// A collect on a busy host takes a fraction of a second; an agent that says nothing for so long is stuck.
constexpr auto kPatience = std::chrono::seconds(30);

Error explain(const Error& error, const std::string& path) {
  switch (error.code()) {
    case ENOENT:
    case ECONNREFUSED:
      return Error("no agent runs here: nothing listens at " + path + "; start it, or name its socket with --socket",
                   error.code());
    case EACCES:
      return Error("no permission for " + path + "; allowed: root and the agent's own user", error.code());
    default:
      return error;
  }
}

Status send_all(const UniqueFd& socket, const std::string& text) {
  std::size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t count = ::send(socket.get(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (errno == EPIPE || errno == ECONNRESET)) return {};  // it was refused, and the answer says why
    if (count < 0) return Error::from_errno("send", errno);
    sent += static_cast<std::size_t>(count);
  }
  return {};
}

}  // namespace

Result<Client> Client::ask(const std::string& path, const nlohmann::json& request) {
  auto socket = connect_to(path);
  if (!socket) return explain(socket.error(), path);
  if (auto sent = send_all(*socket, line_of(request)); !sent) return sent.error();
  return Client(std::move(*socket));
}

Result<std::optional<nlohmann::json>> Client::next(std::optional<std::chrono::milliseconds> patience) {
  std::size_t end = received_.find('\n');
  while (end == std::string::npos) {
    const std::size_t known = received_.size();
    if (auto more = read_more(patience); !more) return more.error();
    end = received_.find('\n', known);
  }
  auto line =
      nlohmann::json::parse(received_.begin(), received_.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
  received_.erase(0, end + 1);
  if (!line.is_object()) return Error("the answer is no JSON object: another program listens there");
  if (const auto error = line.find(kErrorKey); error != line.end())
    return Error(error->is_string() ? error->get<std::string>() : error->dump());
  if (line.contains(kOkKey)) return std::optional<nlohmann::json>();
  return std::optional(std::move(line));
}

Status Client::read_more(std::optional<std::chrono::milliseconds> patience) {
  if (received_.size() > kMaxAnswerLineBytes) return Error("the answer has no line end: another program listens there");
  pollfd waiting{socket_.get(), POLLIN, 0};
  const int ready = ::poll(&waiting, 1, patience ? static_cast<int>(patience->count()) : -1);
  if (ready < 0 && errno == EINTR) return {};
  if (ready < 0) return Error::from_errno("poll", errno);
  if (ready == 0) return Error("the agent says nothing for " + std::to_string(patience->count()) + " ms", ETIMEDOUT);
  std::array<char, 65536> buffer;
  const ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (count < 0 && errno == EINTR) return {};
  if (count < 0 && errno != ECONNRESET) return Error::from_errno("recv", errno);
  if (count <= 0) return Error("the agent has gone in the middle of its answer");
  received_.append(buffer.data(), static_cast<std::size_t>(count));
  return {};
}

Status ask_for_all(const std::string& path, const nlohmann::json& request,
                   const std::function<void(const nlohmann::json&)>& on_line) {
  auto client = Client::ask(path, request);
  if (!client) return client.error();
  for (;;) {
    auto line = client->next(kPatience);
    if (!line) return line.error();
    if (!*line) return {};
    on_line(**line);
  }
}

}  // namespace connscope::control
