// SPDX-License-Identifier: Apache-2.0
//
// What a scrape asks of the allocator does not depend on how many series there are, once the buffer has grown.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>

#include "agent/metrics/registry.h"
#include "exporters/catalog.h"

namespace {

std::atomic<std::size_t> allocations{0};

}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  ++allocations;
  return std::malloc(size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { std::free(memory); }

namespace connscope::exporters {
namespace {

metrics::SnapshotPtr snapshot_of(int series) {
  metrics::Registry registry({1'000'000, std::chrono::system_clock::now});
  auto* counter = registry.family<metrics::Counter>({"sent_bytes", "Sent.", "bytes", {"process", "role"}, ""}).value();
  auto* time = registry
                   .family<metrics::Histogram>({"connect_seconds", "Connects.", "seconds", {"process"}, ""},
                                               metrics::BucketLayout::exponential(2, -80, 28, 4))
                   .value();
  for (int i = 0; i < series; ++i) {
    const std::string process = "a process with a long name " + std::to_string(i);
    counter->with({process, "client"}).value()->add(std::uint64_t{977} * static_cast<unsigned>(i));
    for (const double seconds : {0.0001, 0.002, 0.5, 0.6}) time->with({process}).value()->observe(seconds);
  }
  return registry.snapshot();
}

/// Of a scrape into a buffer that has had it before.
std::size_t allocations_of(const Encoder& encoder, const metrics::Snapshot& snapshot) {
  std::string out;
  encoder.encode(snapshot, {}, out);
  out.clear();
  const std::size_t before = allocations;
  encoder.encode(snapshot, {}, out);
  return allocations - before;
}

TEST(EncoderMemory, NoSeriesCostsAnAllocation) {
  const auto few = snapshot_of(100);
  const auto many = snapshot_of(2000);
  for (const Format& format : make_formats()) {
    const std::size_t of_few = allocations_of(*format.encoder, *few);
    const std::size_t of_many = allocations_of(*format.encoder, *many);
    // Buffers of an encode call double as they grow.
    EXPECT_LE(of_many, of_few + 10) << format.media_type;
    EXPECT_LT(of_many, 100U) << format.media_type;
  }
}

}  // namespace
}  // namespace connscope::exporters
