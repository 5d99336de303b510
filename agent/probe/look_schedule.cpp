// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/look_schedule.h"

namespace connscope::probe {

void LookSchedule::enter(const Look& look) {
  if (due_.size() < limit_) due_.emplace(look.executed + kLooksAfter.at(look.number), look);
}

void LookSchedule::add(std::uint32_t process, Time executed) { enter({process, 0, executed}); }

std::optional<LookSchedule::Look> LookSchedule::take_due(Time now) {
  if (due_.empty() || due_.begin()->first > now) return std::nullopt;
  const Look look = due_.begin()->second;
  due_.erase(due_.begin());
  return look;
}

void LookSchedule::go_on(const Look& look) {
  if (look.number + 1 < kLooksAfter.size()) enter({look.process, look.number + 1, look.executed});
}

std::optional<LookSchedule::Time> LookSchedule::next() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

}  // namespace connscope::probe
