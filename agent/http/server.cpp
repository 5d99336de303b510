// SPDX-License-Identifier: Apache-2.0
#include "agent/http/server.h"

#include <civetweb.h>

#include <cstdint>
#include <mutex>
#include <utility>

#include "agent/base/idle_memory.h"
#include "agent/base/thread_rights.h"
#include "agent/http/exchange.h"
#include "agent/http/finish.h"
#include "agent/http/listen_address.h"
#include "agent/http/listening_sockets.h"
#include "agent/http/router.h"

namespace connscope::http {
namespace {

struct Option {
  const char* name;
  const char* value;
};

constexpr Option kOptions[] = {
    {"num_threads", "64"},               // more than --web.max-requests has by default; each takes 20 KiB at rest
    {"request_timeout_ms", "1000"},      // for a whole header, and for each piece of a response
    {"enable_keep_alive", "yes"},        //
    {"keep_alive_timeout_ms", "1000"},   // a scraper comes back after many seconds: it may as well connect anew
    {"listen_backlog", "4096"},          // as many as the kernel allows by default
    {"connection_queue", "1000"},        //
    {"tcp_nodelay", "1"},                //
    {"max_request_size", "16384"},       // request line and headers
    {"decode_url", "no"},                // paths are exact
    {"enable_auth_domain_check", "no"},  // a proxy may ask for "http://any.name:9752/metrics"
};

/// CivetWeb counts its users by these calls.
class Library {
 public:
  Library() { mg_init_library(MG_FEATURES_DEFAULT); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library() { mg_exit_library(); }
};

struct StopContext {
  void operator()(mg_context* context) const { mg_stop(context); }
};

std::string joined_ports(const std::vector<ListenAddress>& addresses) {
  std::string list;
  for (const ListenAddress& address : addresses) {
    if (!list.empty()) list += ",";
    list += address.civetweb;
  }
  return list;
}

}  // namespace

class Server::Parts {
 public:
  Parts(std::vector<Route> routes, std::size_t max_requests) : router_(std::move(routes), max_requests) {}
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;
  /// CivetWeb looks only every two seconds whether it shall stop, unless something wakes it.
  ~Parts() { sockets_.shut_down(); }

  /// On addresses that it binds.
  Status serve(const std::vector<ListenAddress>& addresses);
  /// On sockets that listen already.
  Status serve(std::vector<UniqueFd> sockets);

  [[nodiscard]] const std::vector<std::string>& urls() const { return urls_; }

 private:
  // CivetWeb's callbacks. C code calls them, which exceptions (there is only bad_alloc) must not cross.
  static int on_request(mg_connection* connection);
  static int on_error(mg_connection* connection, int status, const char* message);
  static int on_log(const mg_connection* connection, const char* message);
  static void* on_thread(const mg_context* context, int kind);
  static void on_close(const mg_connection* connection);

  /// Starts CivetWeb on addresses that it binds; their real ports, in the same order.
  Result<std::vector<std::uint16_t>> start(const std::vector<ListenAddress>& addresses);
  [[nodiscard]] std::vector<std::uint16_t> ports(std::size_t count) const;

  Router router_;
  std::vector<std::string> urls_;
  std::mutex mutex_;
  std::string first_log_;  // guarded by mutex_; why CivetWeb did not start
  Library library_;
  std::unique_ptr<mg_context, StopContext> context_;  // its threads use what stands above
  ListeningSockets sockets_;
};

int Server::Parts::on_request(mg_connection* connection) {
  try {
    const mg_request_info& info = *mg_get_request_info(connection);
    auto& parts = *static_cast<Parts*>(info.user_data);
    const Request request = read_request(info);
    const bool reads_only = request.method == "GET" || request.method == "HEAD";
    const bool has_body = announces_body(info);
    Response response =
        has_body && reads_only ? plain_response(400, "a body is not allowed here") : parts.router_.answer(request);
    response = finish(std::move(response), request.accept_encoding);
    write_response(*connection, response, has_body ? Afterwards::kClose : Afterwards::kKeepIfClientLikes);
    return response.status;
  } catch (...) {
    mg_disable_connection_keep_alive(connection);
    return 500;
  }
}

/// What CivetWeb refuses before a request is one. It closes the connection afterwards.
int Server::Parts::on_error(mg_connection* connection, int status, const char* /*message*/) {
  try {
    write_response(*connection, finish(plain_response(status), {}), Afterwards::kClose);
  } catch (...) {
    mg_disable_connection_keep_alive(connection);
  }
  return 0;
}

/// CivetWeb's messages are about single clients, but for those of a start that fails.
int Server::Parts::on_log(const mg_connection* connection, const char* message) {
  auto& parts = *static_cast<Parts*>(mg_get_user_data(mg_get_context(connection)));
  try {
    const std::lock_guard lock(parts.mutex_);
    if (parts.first_log_.empty()) parts.first_log_ = message;
  } catch (...) {
    return 1;
  }
  return 1;
}

/// What comes from the network is read by threads that may do nothing special.
void* Server::Parts::on_thread(const mg_context* /*context*/, int /*kind*/) {
  (void)give_up_capabilities();
  release_idle_stack();
  return nullptr;
}

/// Threads take turns, so that all of their stacks would stay as deep as a request has ever made one.
void Server::Parts::on_close(const mg_connection* /*connection*/) { release_idle_stack(); }

Result<std::vector<std::uint16_t>> Server::Parts::start(const std::vector<ListenAddress>& addresses) {
  mg_callbacks callbacks{};
  callbacks.begin_request = &on_request;
  callbacks.http_error = &on_error;
  callbacks.log_message = &on_log;
  callbacks.init_thread = &on_thread;
  callbacks.connection_close = &on_close;
  const std::string ports_option = joined_ports(addresses);
  std::vector<const char*> options{"listening_ports", ports_option.c_str()};
  for (const Option& option : kOptions) options.insert(options.end(), {option.name, option.value});
  options.push_back(nullptr);
  context_.reset(mg_start(&callbacks, this, options.data()));
  if (!context_) {
    const std::lock_guard lock(mutex_);
    return Error("cannot serve on " + ports_option + ": " + first_log_);
  }
  auto real_ports = ports(addresses.size());
  sockets_ = ListeningSockets::find(real_ports);
  return real_ports;
}

Status Server::Parts::serve(const std::vector<ListenAddress>& addresses) {
  const auto real_ports = start(addresses);
  if (!real_ports) return real_ports.error();
  for (std::size_t i = 0; i < real_ports->size(); ++i)
    urls_.push_back("http://" + addresses[i].host + ":" + std::to_string((*real_ports)[i]));
  sockets_.defer_accept();
  return {};
}

/// CivetWeb binds a port of loopback for each, which the socket then takes the place of, and one more.
Status Server::Parts::serve(std::vector<UniqueFd> sockets) {
  const std::vector<ListenAddress> places(sockets.size() + 1, ListenAddress{"127.0.0.1:0", "127.0.0.1"});
  std::vector<std::string> urls;
  for (const UniqueFd& socket : sockets) {
    auto address = address_of(socket.get());
    if (!address) return address.error();
    urls.push_back("http://" + *address);
  }
  if (auto started = start(places); !started) return started.error();
  if (auto replaced = sockets_.become(std::move(sockets)); !replaced) return replaced;
  sockets_.defer_accept();
  urls_ = std::move(urls);
  return {};
}

/// In the order of the option `listening_ports`.
std::vector<std::uint16_t> Server::Parts::ports(std::size_t count) const {
  std::vector<mg_server_port> listening(count);
  mg_get_server_ports(context_.get(), static_cast<int>(count), listening.data());
  std::vector<std::uint16_t> result;
  for (const mg_server_port& each : listening) result.push_back(static_cast<std::uint16_t>(each.port));
  return result;
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, std::vector<Route> routes) {
  auto parts = std::make_unique<Parts>(std::move(routes), options.max_requests);
  if (!options.sockets.empty()) {
    if (auto served = parts->serve(std::move(options.sockets)); !served) return served.error();
    return std::unique_ptr<Server>(new Server(std::move(parts)));
  }
  if (options.listen_addresses.empty()) return Error("no listen address");
  std::vector<ListenAddress> addresses;
  for (const std::string& text : options.listen_addresses) {
    auto address = check_listen_address(text, mg_check_feature(MG_FEATURES_IPV6) != 0);
    if (!address) return address.error();
    addresses.push_back(std::move(*address));
  }
  if (auto served = parts->serve(addresses); !served) return served.error();
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

std::vector<std::string> Server::urls() const { return parts_->urls(); }

}  // namespace connscope::http
