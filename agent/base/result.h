// SPDX-License-Identifier: Apache-2.0
//
// Result<T>: what a function that can fail returns. Either a T or an Error whose message a person can act on.
// An Error names the thing and the place ("connscope.toml:12: limits.series: …"); callers add context in front with
// Error::context. Nothing in the agent throws across a function's border.
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace connscope {

class Error {
 public:
  explicit Error(std::string message, int code = 0) : message_(std::move(message)), code_(code) {}

  /// An error of a system call: "WHAT: strerror(code)".
  static Error from_errno(std::string_view what, int code) {
    return Error(std::string(what) + ": " + std::strerror(code), code);  // NOLINT(concurrency-mt-unsafe)
  }

  /// The same error with "WHERE: " in front.
  [[nodiscard]] Error context(std::string_view where) const {
    return Error(std::string(where) + ": " + message_, code_);
  }

  [[nodiscard]] const std::string& message() const { return message_; }
  /// errno of the failed call; 0 when there was none.
  [[nodiscard]] int code() const { return code_; }

 private:
  std::string message_;
  int code_;
};

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
  Result(Error error) : tl::expected<T, Error>(tl::unexpect, std::move(error)) {}  // NOLINT(*-explicit-*)
};

using Status = Result<void>;

}  // namespace connscope
