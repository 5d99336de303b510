// SPDX-License-Identifier: Apache-2.0
//
// The names of loss causes, as the label `cause` of connscope_lost_events_total, in the order of enum loss_cause.
#pragma once

#include <array>
#include <string_view>

#include "bpf/include/shared.h"

namespace connscope::probe {

inline constexpr std::array<std::string_view, LOSS_CAUSES> kLossCauseNames = {
    "state_full",    "cells_full",     "identities_full", "end_missed", "end_skipped",
    "accept_unseen", "message_unread", "programs_full",   "detail_full"};

}  // namespace connscope::probe
