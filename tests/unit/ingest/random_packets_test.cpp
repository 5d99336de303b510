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

constexpr std::array<std::string_view, 36> kPieces{
    "a",  "app.x", "app_x", "9",     "conn_", "_total", ".ms", "_bytes", ":",        ":",   ":",  "|",
    "|c", "|g",    "|ms",   "|h",    "|d",    "|s",     "|#",  "|@0.5",  "k:v",      ",",   "\n", "1",
    "42", "-1",    "+2",    "1e300", "nan",   "0.25",   "le",  "\xff",   "__name__", "_e{", " ",  "\x01"};

class Packets {
 public:
  std::string next() {
    std::string packet;
    const auto pieces = 1 + random_() % 24;
    for (std::uint64_t i = 0; i < pieces; ++i) {
      if (random_() % 4 == 0) {
        packet += "n" + std::to_string(random_() % 5000) + ":1|" + "cghd"[random_() % 4];
      } else {
        packet += kPieces[random_() % kPieces.size()];
      }
    }
    return packet;
  }
  std::uint64_t number() { return random_(); }

 private:
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
  EXPECT_GT(refused, sent / 10) << "lines must be wrong often";
  EXPECT_LT(refused, sent - sent / 10) << "and right often";
}

}  // namespace
}  // namespace connscope::ingest
