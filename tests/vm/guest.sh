#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs in the guest, as root, with busybox: the quick check, then what the verifier says of each BPF program, then the
# integration tests in /tests that this kernel can run. Everything that the host is to know of it lies in /out after
# that. With CONNSCOPE_NO_MODULES the tests are left out.
set -u

release=$(uname -r)
series=$(echo "$release" | cut -d. -f1-2)
lacking=/tests/lacking.tsv
tab=$(printf '\t')
failed=''

fail() {
  echo "FAILED: $*" >&2
  failed=yes
}

lacks() { # the lines of the table that are for this kernel: FILTER, REASON
  grep "^$series$tab" "$lacking" | cut -f 2-
}

count_tests() { # FILTER: in all test programs
  for test in /tests/*_integration_test; do "$test" --gtest_list_tests --gtest_filter="$1"; done | grep -c '^  '
}

note_what_is_left_out() {
  lacks | while IFS=$tab read -r filter reason; do
    printf '%s\t%s\t%s\n' "$filter" "$(count_tests "$filter")" "$reason"
  done >/out/left_out.tsv
  # A line that is stale would hide that the kernel lacks nothing any more. Where only some tests run, it may be another's.
  [ "${CONNSCOPE_SOME_TESTS:-}" ] || ! grep "${tab}0$tab" /out/left_out.tsv >&2 || fail "lines of lacking.tsv match no test"
}

run_tests() {
  filter=$(lacks | cut -f 1 | tr '\n' ':')
  export CONNSCOPE_BPF_TESTS=required CONNSCOPE_EMULATED=1
  for test in /tests/*_integration_test; do
    name=${test##*/}
    "$test" --gtest_filter="-$filter" --gtest_output="json:/out/$name.json" || fail "$name on $release"
  done
}

echo "$release" >/out/release
/guest_smoke.sh || fail "guest_smoke.sh"
grep '^connscope_probe_' /tmp/scrape.txt >/out/probes.txt
# shellcheck disable=SC2046 # the names of our objects have no blanks
verified_instructions $(find /bpf -name '*.bpf.o') >/out/instructions.tsv || fail "verified_instructions"
if [ "${CONNSCOPE_NO_MODULES:-}" ]; then
  printf '*\t%s\t%s\n' "$(count_tests '*')" "Debian keeps no modules of it (veth, nf_tables)" >/out/left_out.tsv
else
  note_what_is_left_out
  run_tests
fi
[ -z "$failed" ]
