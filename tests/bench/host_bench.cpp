// SPDX-License-Identifier: Apache-2.0
//
// What large hosts cost: 512 CPUs, 2,000 disks, 5,000 network devices, 10,000 mounts, 100,000 threads, each at a half
// and at the whole of that. The kernel answers from memory, so that only the agent's own work is measured; a reading
// whose time is more than linear in the lines shows as a rate (items_per_second) that falls.
#include <benchmark/benchmark.h>

#include <string>

#include "agent/host/catalog.h"
#include "tests/unit/host/fake_kernel.h"

namespace {

using namespace connscope::host;
using connscope::host::testing::FakeKernel;

FakeKernel cpus(std::size_t count) {
  FakeKernel kernel;
  std::string& stat = kernel.files["proc/stat"];
  for (std::size_t i = 0; i < count; ++i)
    stat += "cpu" + std::to_string(i) + " 1234567 8901 234567 89012345 6789 0 1234 0 0 0\n";
  return kernel;
}

FakeKernel disks(std::size_t count) {
  FakeKernel kernel;
  std::string& stats = kernel.files["proc/diskstats"];
  for (std::size_t i = 0; i < count; ++i)
    stats += " 8 " + std::to_string(i) + " sd" + std::to_string(i) + "x 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n";
  return kernel;
}

FakeKernel devices(std::size_t count) {
  FakeKernel kernel;
  std::string& stats = kernel.files["proc/net/dev"];
  stats =
      "Inter-| Receive | Transmit\n face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs "
      "drop fifo colls carrier compressed\n";
  for (std::size_t i = 0; i < count; ++i)
    stats += "veth" + std::to_string(i) + ": 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n";
  return kernel;
}

FakeKernel mounts(std::size_t count) {
  FakeKernel kernel;
  std::string& list = kernel.files["proc/1/mounts"];
  for (std::size_t i = 0; i < count; ++i)
    list += "/dev/sd" + std::to_string(i) + " /data/" + std::to_string(i) + " ext4 rw,relatime 0 0\n";
  return kernel;
}

FakeKernel threads(std::size_t count) {
  FakeKernel kernel;
  constexpr std::size_t kThreadsOfProcess = 100;
  for (std::size_t i = 1; i <= count; ++i) {
    const std::string pid = std::to_string((i - 1) / kThreadsOfProcess * kThreadsOfProcess + 1);
    if (pid == std::to_string(i)) kernel.files["proc/" + pid + "/stat"] = pid + " (p) S 1 1\n";
    kernel.files["proc/" + pid + "/task/" + std::to_string(i) + "/stat"] = std::to_string(i) + " (t) S 1 1\n";
  }
  return kernel;
}

void read_all(benchmark::State& state, const char* name, FakeKernel (*make)(std::size_t)) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const FlagValues flags(all_flags(), {{"path.rootfs", "/nonexistent/root"}});
  std::unique_ptr<Collector> collector;
  for (const CollectorType* type : collector_types())
    if (std::string_view(type->name) == name) collector = std::move(*type->make(flags));
  FakeKernel kernel = make(count);
  for (auto _ : state) {
    if (!collector->collect(kernel)) state.SkipWithError("the reading failed");
    std::vector<connscope::metrics::FamilySnapshot> families;
    collector->append(families);
    benchmark::DoNotOptimize(families);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

}  // namespace

BENCHMARK_CAPTURE(read_all, cpu, "cpu", cpus)->Arg(256)->Arg(512)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(read_all, diskstats, "diskstats", disks)->Arg(1000)->Arg(2000)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(read_all, netdev, "netdev", devices)->Arg(2500)->Arg(5000)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(read_all, filesystem, "filesystem", mounts)->Arg(5000)->Arg(10000)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(read_all, processes, "processes", threads)->Arg(50000)->Arg(100000)->Unit(benchmark::kMicrosecond);

BENCHMARK_MAIN();
