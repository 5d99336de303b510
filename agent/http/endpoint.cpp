// SPDX-License-Identifier: Apache-2.0
#include "agent/http/endpoint.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <strings.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "agent/http/connections.h"
#include "agent/http/finish.h"

namespace connscope::http {
namespace {

constexpr unsigned kQuietTimeoutSeconds = 120;         // longer than any usual scrape interval, for keep-alive's sake
constexpr std::size_t kConnectionMemoryBytes = 16384;  // request line and headers must fit
constexpr std::size_t kConnectionsBeingClosed = 64;    // those that lost their place, until the loop has closed them

/// One request on its way. Made when the request line is there, owned by the event loop, filled by a worker while the
/// connection is suspended; libmicrohttpd's lock orders the two.
struct Exchange {
  Request request;
  std::optional<Response> response;
  bool has_body = false;
  bool headers_seen = false;
};

/// "/metrics?a=b", and what proxies send: "http://host:9752/metrics?a=b" (RFC 9112 §3.2.2).
void split_target(std::string_view target, Request& request) {
  const std::size_t scheme = target.find("://");
  if (!target.empty() && target.front() != '/' && scheme != std::string_view::npos) {
    const std::size_t path = target.find_first_of("/?", scheme + 3);
    target = path == std::string_view::npos ? std::string_view("/") : target.substr(path);
  }
  const std::size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  if (mark != std::string_view::npos) request.query = target.substr(mark + 1);
}

void append_list(std::string& list, const char* value) {
  if (!list.empty()) list += ", ";
  if (value != nullptr) list += value;
}

MHD_Result on_header(void* cls, MHD_ValueKind /*kind*/, const char* name, const char* value) {
  auto& exchange = *static_cast<Exchange*>(cls);
  const auto is = [name](const char* wanted) { return ::strcasecmp(name, wanted) == 0; };
  if (is("Accept")) append_list(exchange.request.accept, value);
  if (is("Accept-Encoding")) append_list(exchange.request.accept_encoding, value);
  if (is("Transfer-Encoding")) exchange.has_body = true;
  if (is("Content-Length")) exchange.has_body = value == nullptr || std::strcmp(value, "0") != 0;
  return MHD_YES;
}

void free_body(void* cls) { delete static_cast<std::string*>(cls); }

MHD_Result send_response(MHD_Connection* connection, Response response) {
  auto body = std::make_unique<std::string>(std::move(response.body));
  MHD_Response* reply =
      MHD_create_response_from_buffer_with_free_callback_cls(body->size(), body->data(), &free_body, body.get());
  if (reply == nullptr) return MHD_NO;
  static_cast<void>(body.release());  // now the reply's
  for (const auto& [name, value] : response.headers) MHD_add_response_header(reply, name.c_str(), value.c_str());
  const MHD_Result queued = MHD_queue_response(connection, static_cast<unsigned>(response.status), reply);
  MHD_destroy_response(reply);
  return queued;
}

Connections::Entry& entry_of(MHD_Connection* connection) {
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return *static_cast<Connections::Entry*>(info->socket_context);
}

/// What the callbacks share.
struct Loop {
  Dispatcher& dispatcher;
  Connections connections;

  MHD_Result on_headers(MHD_Connection* connection, Exchange& exchange, const char* method);
  MHD_Result on_complete(MHD_Connection* connection, Exchange& exchange);
};

/// A response that is sent at this point closes the connection: right for what has a body that nobody will read.
MHD_Result Loop::on_headers(MHD_Connection* connection, Exchange& exchange, const char* method) {
  exchange.headers_seen = true;
  exchange.request.method = method;
  MHD_get_connection_values(connection, MHD_HEADER_KIND, &on_header, &exchange);
  connections.touch(entry_of(connection), false);
  if (!exchange.has_body) return MHD_YES;
  const bool reads_only = exchange.request.method == "GET" || exchange.request.method == "HEAD";
  auto refusal = reads_only
                     ? finish(plain_response(400, "a body is not allowed here"), exchange.request.accept_encoding)
                     : dispatcher.answer_now(exchange.request);
  return refusal ? send_response(connection, std::move(*refusal)) : MHD_NO;
}

MHD_Result Loop::on_complete(MHD_Connection* connection, Exchange& exchange) {
  if (!exchange.response) exchange.response = dispatcher.answer_now(exchange.request);
  const bool later = !exchange.response;
  connections.touch(entry_of(connection), later);
  if (!later) return send_response(connection, std::move(*exchange.response));
  MHD_suspend_connection(connection);
  dispatcher.answer_later(exchange.request, [connection, &exchange](Response response) {
    exchange.response = std::move(response);
    MHD_resume_connection(connection);  // this callback's thread may not touch the exchange from here on
  });
  return MHD_YES;
}

// The callbacks below are called by C code, which exceptions (there is only bad_alloc) must not cross.

void* on_target(void* /*cls*/, const char* target, MHD_Connection* /*connection*/) {
  try {
    auto exchange = std::make_unique<Exchange>();
    split_target(target, exchange->request);
    return exchange.release();
  } catch (...) {
    return nullptr;
  }
}

MHD_Result on_access(void* cls, MHD_Connection* connection, const char* /*url*/, const char* method,
                     const char* /*version*/, const char* /*upload*/, std::size_t* upload_size, void** context) {
  auto* loop = static_cast<Loop*>(cls);
  auto* exchange = static_cast<Exchange*>(*context);
  if (exchange == nullptr || *upload_size != 0) return MHD_NO;
  try {
    if (!exchange->headers_seen) return loop->on_headers(connection, *exchange, method);
    return loop->on_complete(connection, *exchange);
  } catch (...) {
    return MHD_NO;
  }
}

void on_completed(void* cls, MHD_Connection* connection, void** context, MHD_RequestTerminationCode /*why*/) {
  delete static_cast<Exchange*>(*context);
  *context = nullptr;
  static_cast<Loop*>(cls)->connections.touch(entry_of(connection), false);
}

void on_connection(void* cls, MHD_Connection* connection, void** context, MHD_ConnectionNotificationCode what) {
  auto& connections = static_cast<Loop*>(cls)->connections;
  if (what == MHD_CONNECTION_NOTIFY_STARTED) {
    *context = connections.add(MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd);
  } else {
    connections.remove(*static_cast<Connections::Entry*>(*context));
  }
}

class MicrohttpdEndpoint final : public Endpoint {
 public:
  MicrohttpdEndpoint(Dispatcher& dispatcher, std::size_t max_connections)
      : loop_{dispatcher, Connections(max_connections)} {}
  MicrohttpdEndpoint(const MicrohttpdEndpoint&) = delete;
  MicrohttpdEndpoint& operator=(const MicrohttpdEndpoint&) = delete;
  ~MicrohttpdEndpoint() override {
    if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
  }

  /// libmicrohttpd closes `listening_socket`.
  bool start(int listening_socket, std::size_t max_connections) {
    daemon_ = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, nullptr, nullptr,
                               &on_access, &loop_, MHD_OPTION_LISTEN_SOCKET, listening_socket,  //
                               MHD_OPTION_URI_LOG_CALLBACK, &on_target, &loop_,                 //
                               MHD_OPTION_NOTIFY_COMPLETED, &on_completed, &loop_,              //
                               MHD_OPTION_NOTIFY_CONNECTION, &on_connection, &loop_,            //
                               MHD_OPTION_CONNECTION_TIMEOUT, kQuietTimeoutSeconds,             //
                               MHD_OPTION_CONNECTION_LIMIT,
                               static_cast<unsigned>(max_connections + kConnectionsBeingClosed),  //
                               MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionMemoryBytes,        //
                               MHD_OPTION_END);
    return daemon_ != nullptr;
  }

 private:
  Loop loop_;
  MHD_Daemon* daemon_ = nullptr;
};

}  // namespace

Result<std::unique_ptr<Endpoint>> Endpoint::start(UniqueFd listening_socket, Dispatcher& dispatcher,
                                                  std::size_t max_connections) {
  auto endpoint = std::make_unique<MicrohttpdEndpoint>(dispatcher, max_connections);
  // The copy is libmicrohttpd's to close; ours goes when this function returns.
  const int copy = ::fcntl(listening_socket.get(), F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return Error::from_errno("cannot copy the listening socket", errno);
  if (!endpoint->start(copy, max_connections)) return Error::from_errno("cannot start the event loop", errno);
  return std::unique_ptr<Endpoint>(std::move(endpoint));
}

}  // namespace connscope::http
