// SPDX-License-Identifier: Apache-2.0
//
// The user half's part in what interpreters run: the tables that the kernel half reads command lines by, and the
// processes that were there before it. The collecting thread only.
#pragma once

#include <string>

#include "agent/base/result.h"
#include "agent/identity/identity_source.h"

namespace connscope::bpf {

/// Writes the tables of agent/identity/interpreters.h into the kernel's maps.
Status load_interpreters(int interpreters_map, int options_map);

/// Puts what the processes of `procfs` run into the map `programs_map`, where they are of an interpreter that is
/// wished for and the kernel half has not done so. To be called while that one sees every exec: a process that
/// executes something else in the meantime is read once more.
Status take_up_programs(int programs_map, const identity::CaptureWishes& wishes, const std::string& procfs = "/proc");

}  // namespace connscope::bpf
