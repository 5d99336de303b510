// SPDX-License-Identifier: Apache-2.0
//
// What a container's process has of its own, without the container: a mount namespace, and a root directory in a tmpfs
// that holds copies of the program and of all that it has mapped. Gone with its last process. For a program of one
// thread.
#ifndef CONNSCOPE_TESTS_LOOKUP_CONTAINER_H
#define CONNSCOPE_TESTS_LOOKUP_CONTAINER_H

// `directory` is mounted over; the files of `etc` are copied to /etc. 0, or -1 with errno.
int enter_container(const char* directory, const char* etc);

#endif
