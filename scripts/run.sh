#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what lacks, builds, and runs the agent in the foreground; arguments go to the agent.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

scripts/setup.sh
scripts/build.sh release connscope
((EUID == 0)) || exec sudo build/release/connscope "$@"
exec build/release/connscope "$@"
