// SPDX-License-Identifier: Apache-2.0
//
// Metrics of an application, by way of the connscope agent on the same host: connscope_c.h for C++20. Both headers
// belong side by side; there is nothing to link but -pthread.
//
//   connscope::client::Client client;
//   auto requests = client.counter("app.requests", {{"route", "/x"}});
//   auto wait = client.timer("app.wait");
//   {
//     const auto scope = wait.scope();  // observes the time to the end of the block
//     requests.add();
//   }
//
// The promises are those of connscope_c.h: no call blocks (the destructor waits up to 100 ms for the agent to have
// read), throws (but for making metrics, which allocates) or fails for want of an agent; updates allocate nothing;
// counters lose nothing, observations that are lost are counted and told. A Client owns its metrics: Counter, Gauge and
// the others are handles, free to copy, valid while it lives; those that could not be made take updates and do nothing,
// and are false. Threads: any, but for the destruction. fork() is fine. Units: durations are given as std::chrono,
// seconds in the agent's metrics; sizes are bytes.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "connscope_c.h"

namespace connscope::client {

using Tags = std::initializer_list<std::pair<std::string_view, std::string_view>>;

class Handle {
 public:
  [[nodiscard]] explicit operator bool() const noexcept { return metric_ != nullptr; }

 protected:
  explicit Handle(connscope_metric* metric) noexcept : metric_(metric) {}
  [[nodiscard]] connscope_metric* metric() const noexcept { return metric_; }

 private:
  connscope_metric* metric_;
};

class Counter : public Handle {
 public:
  void add(std::uint64_t count = 1) const noexcept { connscope_add(metric(), count); }

 private:
  friend class Client;
  using Handle::Handle;
};

class Gauge : public Handle {
 public:
  void set(double value) const noexcept { connscope_set(metric(), value); }
  void add(double step) const noexcept { connscope_move(metric(), step); }

 private:
  friend class Client;
  using Handle::Handle;
};

class Histogram : public Handle {
 public:
  void observe(double value) const noexcept { connscope_observe(metric(), value); }

 private:
  friend class Client;
  using Handle::Handle;
};

class TimingScope;

class Timer : public Handle {
 public:
  void observe(std::chrono::duration<double> duration) const noexcept { connscope_observe(metric(), duration.count()); }
  /// Observes the time from now to the scope's end.
  [[nodiscard]] TimingScope scope() const noexcept;

 private:
  friend class Client;
  using Handle::Handle;
};

class TimingScope {
 public:
  explicit TimingScope(Timer timer) noexcept : timer_(timer), begin_(std::chrono::steady_clock::now()) {}
  TimingScope(const TimingScope&) = delete;
  TimingScope& operator=(const TimingScope&) = delete;
  ~TimingScope() {
    if (counts_) timer_.observe(std::chrono::steady_clock::now() - begin_);
  }
  /// Nothing is observed, as when what was timed has failed.
  void cancel() noexcept { counts_ = false; }

 private:
  Timer timer_;
  std::chrono::steady_clock::time_point begin_;
  bool counts_ = true;
};

inline TimingScope Timer::scope() const noexcept { return TimingScope(*this); }

/// What measure() is of: a level, a number of events, any value, a size in bytes, a duration in seconds.
enum class Kind {
  kAmount = CONNSCOPE_AMOUNT,
  kRate = CONNSCOPE_RATE,
  kDistribution = CONNSCOPE_DISTRIBUTION,
  kSizes = CONNSCOPE_SIZES,
  kTimes = CONNSCOPE_TIMES,
};

/// The simple way: a function that takes the values, whatever becomes of them.
class Measure : public Handle {
 public:
  void operator()(double value) const noexcept { connscope_record(metric(), value); }

 private:
  friend class Client;
  using Handle::Handle;
};

enum class Mode { kBatched = CONNSCOPE_BATCHED, kManual = CONNSCOPE_MANUAL, kImmediate = CONNSCOPE_IMMEDIATE };

struct Options {
  std::string path = CONNSCOPE_DEFAULT_PATH;
  Mode mode = Mode::kBatched;
  std::chrono::milliseconds flush_interval{100};
};

class Client {
 public:
  explicit Client(const Options& options = {}) : client_(open(options)) {}

  [[nodiscard]] Counter counter(std::string_view name, Tags tags = {}) {
    return Counter(make(CONNSCOPE_RATE, name, tags));
  }
  [[nodiscard]] Gauge gauge(std::string_view name, Tags tags = {}) { return Gauge(make(CONNSCOPE_AMOUNT, name, tags)); }
  [[nodiscard]] Histogram histogram(std::string_view name, Tags tags = {}) {
    return Histogram(make(CONNSCOPE_DISTRIBUTION, name, tags));
  }
  /// A histogram of sizes: its name ends in "bytes", or gets that.
  [[nodiscard]] Histogram sizes(std::string_view name, Tags tags = {}) {
    return Histogram(make(CONNSCOPE_SIZES, name, tags));
  }
  [[nodiscard]] Timer timer(std::string_view name, Tags tags = {}) { return Timer(make(CONNSCOPE_TIMES, name, tags)); }
  [[nodiscard]] Measure measure(std::string_view name, Kind kind, Tags tags = {}) {
    return Measure(make(static_cast<connscope_kind>(kind), name, tags));
  }

  /// True when nothing is left to send.
  bool flush() noexcept { return connscope_flush(client_.get()) != 0; }
  /// Lines that were lost in this process so far.
  [[nodiscard]] std::uint64_t lost() const noexcept { return connscope_lost(client_.get()); }

 private:
  struct Closer {
    void operator()(connscope_client* client) const noexcept { connscope_close(client); }
  };
  static connscope_client* open(const Options& options) {
    const connscope_options given{options.path.c_str(), static_cast<connscope_mode>(options.mode),
                                  static_cast<unsigned>(std::max<std::int64_t>(1, options.flush_interval.count()))};
    return connscope_open(&given);
  }
  connscope_metric* make(connscope_kind kind, std::string_view name, Tags tags) {
    std::string text;
    for (const auto& [key, value] : tags) {
      if (!text.empty()) text += ',';
      text += legal(key, ",:") + ':' + legal(value, ",");
    }
    return connscope_measure(client_.get(), kind, std::string(name).c_str(), text.c_str());
  }
  static std::string legal(std::string_view text, std::string_view separators) {
    std::string replaced(text);
    for (char& c : replaced)
      if (separators.find(c) != std::string_view::npos) c = '_';
    return replaced;
  }

  std::unique_ptr<connscope_client, Closer> client_;
};

}  // namespace connscope::client
