// SPDX-License-Identifier: Apache-2.0
//
// Loads of TLS 1.3 by OpenSSL on loopback, flat out. An operation of --load=handshake is one connection with a full
// handshake of both ends, which are in one thread, so that nothing sleeps; one of --load=tls-bulk is 64 KiB that one
// thread sends over TLS and another receives. The certificate is made anew, with the kind of key that --key says; the
// client verifies it. Prints one line of JSON; a failing call
// ends it with exit code 1.
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"
#include "tests/bench/load_sockets.h"

namespace {

namespace load = connscope::load;
using connscope::Error;
using connscope::Result;
using connscope::Status;
using connscope::UniqueFd;
using connscope::load::Clock;

constexpr std::size_t kBulkBytes = 65536;

template <auto kFree>
struct Freer {
  template <class T>
  void operator()(T* pointer) const {
    kFree(pointer);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Context = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Freer<SSL_free>>;

struct Options {
  std::string load = "handshake";
  std::string key = "p256";
  std::uint64_t operations = 1000;
  double seconds = 60;
};

Certificate self_signed(EVP_PKEY* key) {
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 86400);
  X509_set_pubkey(certificate.get(), key);
  X509_sign(certificate.get(), key, EVP_sha256());
  return certificate;
}

struct Contexts {
  Context client{SSL_CTX_new(TLS_client_method())};
  Context server{SSL_CTX_new(TLS_server_method())};

  static Result<Contexts> create(const std::string& kind) {
    Contexts contexts;
    const Key key(kind == "p256" ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048));
    const Certificate certificate = self_signed(key.get());
    if (SSL_CTX_use_certificate(contexts.server.get(), certificate.get()) != 1 ||
        SSL_CTX_use_PrivateKey(contexts.server.get(), key.get()) != 1 ||
        X509_STORE_add_cert(SSL_CTX_get_cert_store(contexts.client.get()), certificate.get()) != 1)
      return Error("the certificate is no good");
    SSL_CTX_set_verify(contexts.client.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_session_cache_mode(contexts.server.get(), SSL_SESS_CACHE_OFF);
    return contexts;
  }
};

/// Both ends of one connection.
struct Pair {
  UniqueFd client_socket;
  UniqueFd server_socket;
  Session client;
  Session server;

  static Result<Pair> create(const Contexts& contexts, const load::Port& listener) {
    auto client = load::connect_to(INADDR_LOOPBACK, listener.number);
    if (!client) return client.error();
    auto server = load::accept_from(listener.socket.get());
    if (!server) return server.error();
    Pair pair{std::move(*client), std::move(*server), Session(SSL_new(contexts.client.get())),
              Session(SSL_new(contexts.server.get()))};
    SSL_set_fd(pair.client.get(), pair.client_socket.get());
    SSL_set_fd(pair.server.get(), pair.server_socket.get());
    SSL_set_connect_state(pair.client.get());
    SSL_set_accept_state(pair.server.get());
    return pair;
  }

  /// By turns, as neither end may wait for the other.
  Status shake_hands() {
    for (const UniqueFd* socket : {&client_socket, &server_socket})
      if (::fcntl(socket->get(), F_SETFL, O_NONBLOCK) != 0) return Error::from_errno("fcntl", errno);
    for (int turn = 0; turn < 8; ++turn) {
      const bool client_is_done = SSL_do_handshake(client.get()) == 1;
      if (SSL_do_handshake(server.get()) == 1 && client_is_done) return {};
    }
    return Error("no handshake");
  }
};

Result<std::uint64_t> run_handshakes(const Options& options, const Contexts& contexts, const load::Port& listener) {
  const auto deadline = load::after_seconds(options.seconds);
  std::uint64_t done = 0;
  for (; done < options.operations && Clock::now() < deadline; ++done) {
    auto pair = Pair::create(contexts, listener);
    if (!pair) return pair.error();
    if (auto shaken = pair->shake_hands(); !shaken) return shaken.error();
  }
  return done;
}

Result<std::uint64_t> run_bulk(const Options& options, const Contexts& contexts, const load::Port& listener) {
  auto pair = Pair::create(contexts, listener);
  if (!pair) return pair.error();
  if (auto shaken = pair->shake_hands(); !shaken) return shaken.error();
  for (const UniqueFd* socket : {&pair->client_socket, &pair->server_socket})
    if (::fcntl(socket->get(), F_SETFL, 0) != 0) return Error::from_errno("fcntl", errno);
  std::thread receiving([server = pair->server.get()] {
    std::vector<char> bytes(kBulkBytes);
    while (SSL_read(server, bytes.data(), static_cast<int>(bytes.size())) > 0) {
    }
  });
  const std::vector<char> bytes(kBulkBytes);
  const auto deadline = load::after_seconds(options.seconds);
  std::uint64_t done = 0;
  bool failed = false;
  for (; !failed && done < options.operations && Clock::now() < deadline; ++done)
    failed = SSL_write(pair->client.get(), bytes.data(), static_cast<int>(bytes.size())) <= 0;
  pair->client_socket.reset();
  receiving.join();
  if (failed) return Error("SSL_write failed");
  return done;
}

Options parse(int argc, char** argv) {
  Options options;
  CLI::App app("TLS on loopback, flat out", "tls_load");
  app.add_option("--load", options.load, "What an operation is: see tls_load.cpp")
      ->check(CLI::IsMember({"handshake", "tls-bulk"}))
      ->capture_default_str();
  app.add_option("--key", options.key, "Of the server's certificate")
      ->check(CLI::IsMember({"p256", "rsa2048"}))
      ->capture_default_str();
  app.add_option("--operations", options.operations, "How many")->capture_default_str();
  app.add_option("--seconds", options.seconds, "Stop earlier, after so long")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
  return options;
}

Status measure(const Options& options) {
  const auto contexts = Contexts::create(options.key);
  if (!contexts) return contexts.error();
  const auto listener = load::Port::listening(16, INADDR_LOOPBACK);
  if (!listener) return listener.error();
  const double cpu_before = load::cpu_seconds();
  const auto begin = Clock::now();
  const bool is_bulk = options.load == "tls-bulk";
  const auto operations =
      is_bulk ? run_bulk(options, *contexts, *listener) : run_handshakes(options, *contexts, *listener);
  if (!operations) return operations.error();
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  const std::uint64_t connections = is_bulk ? 1 : *operations;
  load::print({*operations, connections, connections, 0, seconds, load::cpu_seconds() - cpu_before});
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const Status measured = measure(parse(argc, argv));
  if (!measured) std::fprintf(stderr, "tls_load: %s\n", measured.error().message().c_str());
  return measured ? 0 : 1;
}
