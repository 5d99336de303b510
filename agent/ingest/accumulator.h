// SPDX-License-Identifier: Apache-2.0
//
// Accumulator: adds the lines of applications up until the collecting thread takes the sums. Bounded: beyond its limits
// a line that would need a new series is refused and counted; series that nobody writes any more are given up. A series
// that is known costs one look-up by the line's own bytes and no allocation.
// One thread at a time; Intake has the lock. Times are passed in.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agent/ingest/delta.h"
#include "agent/ingest/line.h"
#include "agent/ingest/refusal.h"
#include "agent/ingest/senders.h"
#include "agent/ingest/series_key.h"

namespace connscope::ingest {

struct Limits {
  std::size_t series = 10000;
  std::size_t process_series = 2000;    // of one kind of process
  std::size_t set_values = 100000;      // distinct values of all sets together in a period
  std::chrono::seconds idle{3600};      // a series that nobody writes for so long is given up
  std::chrono::seconds set_period{10};  // over which the values of sets are distinct

  [[nodiscard]] bool operator==(const Limits&) const = default;
};

/// The first line that was refused for its reason, for the log.
struct Example {
  std::string line;  ///< cut to what a log can bear; or the name, where the line is not kept
  SenderPtr sender;
  std::string detail{};  ///< what else there is to say
};

/// All that came since the last time.
struct Taken {
  struct Update {
    SeriesKeyPtr key;
    std::uint64_t lines = 0;
    Delta delta;
  };
  std::vector<Update> updates;     ///< gauges in the order of their last lines
  std::vector<SeriesKeyPtr> gone;  ///< series that were given up
  std::uint64_t lines = 0;         ///< all of them, refused ones too
  std::uint64_t packets_unix = 0;
  std::uint64_t packets_udp = 0;
  std::uint64_t packets_unknown = 0;  ///< of senders that could not be found out
  ByRefusal<std::uint64_t> refused{};
  ByRefusal<Example> examples;
  std::size_t series = 0;
  std::size_t senders = 0;
};

class Accumulator {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit Accumulator(Limits limits) : limits_(limits) {}

  /// Lines with '\n' between. One that is wrong does not touch the others.
  void add_packet(const SenderPtr& sender, std::string_view packet);
  /// A packet whose lines cannot be read.
  void refuse_packet(const SenderPtr& sender, Refusal reason);
  /// What is taken is no longer here. `now` also says what is idle, and when a period of sets ends.
  [[nodiscard]] Taken take(Time now);

 private:
  struct Slot {
    SeriesKeyPtr key;
    Delta delta;
    std::uint64_t lines = 0;  // since it was taken
    Time last_use{};
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  template <class T>
  using ByText = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;
  /// What one sender has here.
  struct Share {
    std::size_t series = 0;
    std::unordered_map<std::string, std::pair<std::string, std::size_t>> names;  // family: name as sent, and how often
  };

  /// What a line says but for its values.
  struct Form {
    Slot* slot = nullptr;
    Kind kind = Kind::kCounter;
    double rate = 1;
  };
  /// A line's own bytes but for its values, by which what is known is found without a closer look.
  template <class Text>
  struct SpellingOf {
    const Sender* sender;  // the slots keep it from being another's
    Text name;
    Text form;  // all behind the first '|'
  };
  using Spelling = SpellingOf<std::string>;
  using SpellingView = SpellingOf<std::string_view>;
  struct SpellingHash {
    using is_transparent = void;
    std::size_t operator()(const SpellingView& of) const;
    std::size_t operator()(const Spelling& of) const { return (*this)(SpellingView{of.sender, of.name, of.form}); }
  };
  struct SameSpelling {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const SpellingOf<A>& a, const SpellingOf<B>& b) const {
      return a.sender == b.sender && a.name == b.name && a.form == b.form;
    }
  };

  [[nodiscard]] static bool is_gone(const Slot& slot);
  void count_packet(const SenderPtr& sender);
  void add_line(const SenderPtr& sender, std::string_view text);
  std::optional<Refusal> add_unknown(const SenderPtr& sender, std::string_view text);
  std::optional<Refusal> add(const Form& form, std::string_view values);
  /// Into `values_`.
  [[nodiscard]] std::optional<Refusal> read_values(Kind kind, std::string_view values);
  void add_number(const Form& form, const Value& value);
  std::optional<Refusal> add_to_set(SetDelta& set, std::string_view values);
  void refuse(Refusal reason, std::string_view text, const SenderPtr& sender);

  /// Nullptr with `refused` set when there can be no such series.
  [[nodiscard]] Slot* find_or_make(const SenderPtr& sender, const Line& line, Refusal& refused);
  [[nodiscard]] std::optional<Refusal> check_limits(const SeriesKey& key);
  void take_slot(Slot& slot, Time now, bool period_ends, Taken& taken);
  void give_up_idle(Time now, Taken& taken);
  void give_up(const SeriesKey& key);

  Limits limits_;
  std::unordered_map<const Sender*, Share> shares_;
  ByText<Slot> slots_;  // by sender and all that makes a series, in one order
  std::unordered_map<Spelling, Form, SpellingHash, SameSpelling> spellings_;  // tags come in many orders
  std::vector<Value> values_;
  std::uint64_t order_ = 0;
  std::size_t set_values_ = 0;
  Time period_start_{};
  Taken taken_;
};

}  // namespace connscope::ingest
