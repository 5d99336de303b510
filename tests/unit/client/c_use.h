/* SPDX-License-Identifier: Apache-2.0 */
/* One use of each function of connscope_c.h from C; called by client_test.cpp. */
#ifndef CONNSCOPE_TESTS_C_USE_H
#define CONNSCOPE_TESTS_C_USE_H

#ifdef __cplusplus
extern "C" {
#endif

/* What was lost; -1 when a metric could not be made. */
long use_connscope_from_c(const char* path);

#ifdef __cplusplus
}
#endif

#endif
