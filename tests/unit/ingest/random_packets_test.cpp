// SPDX-License-Identifier: Apache-2.0
//
// Any packets: no crash, every line counted once, no series beyond the limits. Bytes are random, but made of what lines
// are made of, so that half of them get far. CONNSCOPE_RANDOM_PACKETS says how many (tests/bench/README.md).
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <string_view>

#include "agent/ingest/merger.h"
#include "tests/unit/ingest/fake_kernel.h"

namespace connscope::ingest {
namespace {

using namespace std::chrono_literals;

constexpr auto kPieces = std::to_array<std::string_view>(
    {"a", "app.x", "9", "conn_", "_total", ":",   ":",  "|",    "|c",       "|ms", "|#", "|@0.5", "k:v",
     ",", "\n",    "1", "-1",    "1e300",  "nan", "le", "\xff", "__name__", "_e{", " ",  "\x01"});
constexpr auto kNames =
    std::to_array<std::string_view>({"app.x", "app_x", "a.wait_ms", "b_bytes", "c.total", "conn_x", "u"});
constexpr auto kValues =
    std::to_array<std::string_view>({"1", "42", "-1", "+2", "0.25", "1e9", "7:8", "nan", "1e300", ""});
constexpr auto kFields =
    std::to_array<std::string_view>({"", "", "", "|@0.5", "|@7", "|#k:v", "|#l:w,k:v", "|#le:1", "|c:1", "|x"});

class Packets {
 public:
  std::string next() {
    std::string packet;
    for (auto lines = 1 + random_() % 3; lines > 0; --lines) packet += (random_() % 4 == 0 ? junk() : line()) + "\n";
    return packet;
  }
  std::uint64_t number() { return random_(); }

 private:
  template <std::size_t N>
  std::string one_of(const std::array<std::string_view, N>& words) {
    return std::string(words[random_() % N]);
  }
  std::string junk() {
    std::string bytes;
    for (auto pieces = random_() % 12; pieces > 0; --pieces) bytes += one_of(kPieces);
    return bytes;
  }
  std::string line() {
    // A name keeps its type most of the time, as in an application.
    constexpr auto kTypes = std::to_array<std::string_view>({"c", "g", "ms", "h", "d", "s", "x"});
    const bool is_numbered = random_() % 3 == 0;
    const std::uint64_t number = random_() % (random_() % 8 == 0 ? 5000 : 100);
    const std::string name = is_numbered ? "n" + std::to_string(number) : one_of(kNames);
    const std::size_t usual = name.size() % 2;
    const std::string type(random_() % 8 == 0 ? kTypes[random_() % kTypes.size()] : kTypes[usual]);
    return name + ":" + one_of(kValues) + "|" + type + one_of(kFields);
  }

  std::mt19937_64 random_{20261127};
};

std::size_t wanted_packets() {
  const char* wanted = std::getenv("CONNSCOPE_RANDOM_PACKETS");
  return wanted == nullptr ? 200'000 : std::strtoull(wanted, nullptr, 10);
}

std::size_t lines_in(std::string_view packet) {
  std::size_t lines = 0;
  while (!packet.empty()) lines += take_until(packet, '\n').empty() ? 0U : 1U;
  return lines;
}

TEST(RandomPackets, NeitherCrashNorPassTheLimits) {
  const Limits limits{500, 200, 1000, 60s, 10s};
  FakeKernel kernel;
  metrics::Registry registry;
  identity::IdentityTable identities(kernel, {}, {});
  Accumulator accumulator(limits);
  Merger merger(registry, identities, limits);
  std::array<SenderPtr, 5> senders;
  for (std::size_t i = 0; i < senders.size(); ++i) {
    Sender sender;
    sender.origin = i == 0 ? Sender::Origin::kGone : Sender::Origin::kProcess;
    sender.attributes.exe = "/bin/" + std::to_string(i);
    senders[i] = std::make_shared<const Sender>(sender);
  }
  Packets packets;
  Accumulator::Time now{1000s};
  std::uint64_t sent = 0;
  std::uint64_t counted = 0;
  std::uint64_t refused = 0;
  const std::size_t wanted = wanted_packets();
  for (std::size_t i = 0; i < wanted; ++i) {
    const std::string packet = packets.next();
    sent += lines_in(packet);
    accumulator.add_packet(senders[packets.number() % senders.size()], packet);
    if (i % 1000 != 999 && i + 1 != wanted) continue;
    now += 1s;
    Taken taken = accumulator.take(now);
    merger.apply(taken, now);
    counted += taken.lines;
    refused += std::accumulate(taken.refused.begin(), taken.refused.end(), std::uint64_t{0});
    ASSERT_LE(taken.series, limits.series);
    ASSERT_LE(merger.series(), limits.series);
    ASSERT_LE(registry.budget().used(), limits.series);
  }
  EXPECT_EQ(counted, sent);
  EXPECT_GT(refused, sent / 2) << "lines must be wrong often";
  EXPECT_LT(refused, sent - sent / 50) << "and right again and again";
}

}  // namespace
}  // namespace connscope::ingest
