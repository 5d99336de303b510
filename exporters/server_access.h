// SPDX-License-Identifier: Apache-2.0
//
// What every server is reached with that libcurl connects to: time limit, credentials and TLS, as a section of the
// config has them. Secrets come from files, which are read anew for each use, so that they may change, and are in no
// message. Values; any thread. Source: libcurl's easy interface.
#pragma once

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>

#include "agent/base/result.h"
#include "agent/config/document.h"

namespace connscope::exporters {

/// Paths of files are empty where there are none.
struct ServerAccess {
  std::chrono::milliseconds timeout{};
  std::string username;
  std::string password_file;
  std::string ca_file;  ///< instead of the system's authorities
  std::string certificate_file;
  std::string key_file;

  /// Reads timeout, username, password_file, ca_file, certificate_file and key_file. Problems go to the document.
  static ServerAccess parse(const config::Section& section);
};

/// The one line of such a file.
[[nodiscard]] Result<std::string> read_secret(const std::string& path);

/// One handle of libcurl, which keeps its connection. libcurl is opened at its first use. One thread.
class CurlHandle {
 public:
  CurlHandle();

  [[nodiscard]] CURL* get() const { return curl_.get(); }
  template <class T>
  void set(CURLoption option, T value) {
    curl_easy_setopt(curl_.get(), option, value);
  }
  /// Forgets all options, and takes those of the access but for credentials. Before the others.
  Status reset(const ServerAccess& access);
  /// Performs, and says what went wrong.
  Status perform();

 private:
  Status open();

  std::unique_ptr<CURL, void (*)(CURL*)> curl_;
  std::array<char, CURL_ERROR_SIZE> message_{};
};

}  // namespace connscope::exporters
