#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# promtool_check.sh WRITER: `promtool check metrics` accepts what WRITER writes, and complains about no name in it.
set -eu

text=$(mktemp)
trap 'rm -f "$text"' EXIT
"$1" prometheus >"$text"
test -s "$text"
complaints=$(promtool check metrics <"$text" 2>&1) || {
  echo "promtool check metrics failed:"
  echo "$complaints"
  exit 1
}
if [ -n "$complaints" ]; then
  echo "promtool check metrics complained:"
  echo "$complaints"
  exit 1
fi
