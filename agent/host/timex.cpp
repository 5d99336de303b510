// SPDX-License-Identifier: Apache-2.0
//
// timex: how the kernel's clock is steered. Source: adjtimex(2).
#include <array>

#include "agent/host/collector.h"

namespace connscope::host::collectors::timex {
namespace {

constexpr double kMicrosecond = 1e-6;
constexpr double kNanosecond = 1e-9;
/// Frequencies are parts per million with 16 bits after the point.
constexpr double kScaledPpm = 1e-6 / 65536;
constexpr double kPpmScale = 1.0 / 65536;

class Timex final : public Collector {
 public:
  Timex()
      : Collector("timex"),
        table_(
            add_table({}, {{"node_timex_sync_status", "1: the clock is held to a reliable source."},
                           {"node_timex_offset_seconds", "Offset to the source."},
                           {"node_timex_frequency_adjustment_ratio", "How fast the clock is made to go; 1: as it is."},
                           {"node_timex_maxerror_seconds", "The largest error there can be."},
                           {"node_timex_estimated_error_seconds", "The error that is expected."},
                           {"node_timex_status", "Bits of the clock's status."},
                           {"node_timex_loop_time_constant", "Time constant of the phase-locked loop."},
                           {"node_timex_tick_seconds", "Time between ticks."},
                           {"node_timex_pps_frequency_hertz", "Frequency of the pulse per second."},
                           {"node_timex_pps_jitter_seconds", "Jitter of the pulse per second."},
                           {"node_timex_pps_shift_seconds", "Interval of the pulse per second."},
                           {"node_timex_pps_stability_hertz", "Stability of the pulse per second."},
                           {"node_timex_pps_jitter_total", "Pulses with too much jitter.", kCounter},
                           {"node_timex_pps_calibration_total", "Intervals of calibration.", kCounter},
                           {"node_timex_pps_error_total", "Errors of calibration.", kCounter},
                           {"node_timex_pps_stability_exceeded_total", "Pulses that were not stable enough.", kCounter},
                           {"node_timex_tai_offset_seconds", "International atomic time less UTC."}})) {}

 private:
  Status read(Kernel& kernel) override {
    struct timex state {};
    const int clock = kernel.clock_state(state);
    if (clock < 0) return Error::from_errno("adjtimex", errno);
    const double fraction = (state.status & STA_NANO) != 0 ? kNanosecond : kMicrosecond;
    const auto scaled = [](long value, double unit) { return static_cast<double>(value) * unit; };
    table_.row({});
    const std::array gauges = {clock == TIME_ERROR ? 0.0 : 1.0,
                               scaled(state.offset, fraction),
                               1 + scaled(state.freq, kScaledPpm),
                               scaled(state.maxerror, kMicrosecond),
                               scaled(state.esterror, kMicrosecond),
                               scaled(state.status, 1),
                               scaled(state.constant, 1),
                               scaled(state.tick, kMicrosecond),
                               scaled(state.ppsfreq, kPpmScale),
                               scaled(state.jitter, fraction),
                               scaled(state.shift, 1),
                               scaled(state.stabil, kPpmScale)};
    for (std::size_t i = 0; i < gauges.size(); ++i) table_.set(i, gauges[i]);
    const std::array counts = {state.jitcnt, state.calcnt, state.errcnt, state.stbcnt};
    for (std::size_t i = 0; i < counts.size(); ++i) table_.set(gauges.size() + i, std::int64_t{counts[i]});
    table_.set(gauges.size() + counts.size(), state.tai);
    return {};
  }

  Table& table_;
};

}  // namespace

extern const CollectorType kType{"timex", true, make_plain<Timex>};

}  // namespace connscope::host::collectors::timex
