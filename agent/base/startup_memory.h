// SPDX-License-Identifier: Apache-2.0
//
// What a start needs and the running agent does not: memory that is given back, so that what is resident is what is in
// use. Any thread. Errors do not matter here, since nothing depends on it. Source: madvise(2), malloc_trim(3), proc(5).
#pragma once

namespace connscope {

/// Code and constants that are used again come back from the page cache by themselves.
void release_startup_memory();

}  // namespace connscope
