// SPDX-License-Identifier: Apache-2.0
//
// Whether this kernel lets programs hang on its functions by a BPF trampoline (fentry, fexit). Feature probes by
// program type do not tell: a policy may refuse these and allow other tracing programs. So a smallest one is loaded.
// Any thread.
#pragma once

#include <string>

namespace connscope::probe {

/// Empty when a program can hang on `function`, else why not.
[[nodiscard]] std::string trampoline_refusal(const char* function);

/// How many parameters a kernel function has, by the kernel's BTF; -1 when it is not there.
[[nodiscard]] int parameter_count(const char* function);

}  // namespace connscope::probe
