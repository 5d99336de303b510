#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# scripts/check.sh [--vm]
# The whole gate: installs what lacks, builds, and runs every test; with --vm also on two older kernels (tests/vm/), while the stages
# after the release tests run. It stops at the first stage that fails; the stages
# that fail most often and cost least come first. The last lines are ctest's summary of the release build's tests.
#
# CONNSCOPE_BPF_TESTS says what becomes of the tests that load BPF programs: "required" fails them where the kernel or
# the privilege lacks, "auto" skips them there. Default: required for root and where sudo makes us root.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

case ${1:-} in
  --vm) with_vm=1 ;;
  '') with_vm='' ;;
  *) die "unknown argument '$1': only --vm" ;;
esac
become_root=()
if ((EUID != 0)) && command -v sudo >/dev/null; then
  become_root=(sudo --preserve-env=CONNSCOPE_BPF_TESTS)
fi
if ((EUID == 0 || ${#become_root[@]})); then
  export CONNSCOPE_BPF_TESTS=${CONNSCOPE_BPF_TESTS:-required}
else
  export CONNSCOPE_BPF_TESTS=${CONNSCOPE_BPF_TESTS:-auto}
fi
readonly kSummary=build/release/ctest_output.txt

# Without "||" or "if" around the command, so that each of its own commands ends the script when it fails.
stage() { # NAME COMMAND...
  local start=$SECONDS
  current_stage=$1
  shift
  say "$current_stage"
  "$@"
  say "$current_stage: passed in $((SECONDS - start)) s"
}
current_stage=''
trap 'status=$?; ((status == 0)) || say "FAILED in stage: $current_stage"; exit $status' EXIT

style() {
  scripts/format.sh --check
  python3 scripts/check_includes.py
  shellcheck scripts/*.sh tests/support/tls_peers/*.sh tests/vm/*.sh tests/vm/run-in-vm tests/vm/fetch-kernel .ci/run \
    packaging/hardened.sh packaging/systemd/check.sh packaging/tarball/install.sh packaging/completions/connscope.bash \
    tests/packaging/*.sh
}

# Builds what the later stages need, in time that the tests leave over: at the idle priority it does not disturb their timing. A build
# that fails here fails again in its own stage, where it is seen.
build_ahead() {
  chrt --idle 0 bash -c 'scripts/build.sh asan unit_tests; scripts/build.sh tsan tsan_tests; scripts/build.sh fuzz connscope fuzz_targets' \
    >build/ahead.log 2>&1 || true
}

# One after the other: tests that count the host's connects would see each other's.
release_tests() {
  local status=0
  "${become_root[@]}" ctest --test-dir build/release --output-on-failure --no-tests=error | tee "$kSummary" || status=$?
  ((${#become_root[@]} == 0)) || sudo chown -R "$(id -u):$(id -g)" build/release
  return "$status"
}

# The guests' tests are about time, and those of the other stages are not: these give way.
start_vm_tests() {
  ctest --test-dir build/release --build-config vm -L vm --parallel 2 --output-on-failure --no-tests=error >build/vm.log 2>&1 &
  vm_tests=$!
  renice --priority 10 --pid $$ >/dev/null
}

await_vm_tests() {
  local status=0
  wait "$vm_tests" || status=$?
  cat build/vm.log
  return "$status"
}

asan_tests() {
  scripts/build.sh asan unit_tests
  ctest --test-dir build/asan -L unit --parallel "$(nproc)" --output-on-failure --no-tests=error
}

# ThreadSanitizer of older compilers knows no address space layout with more random bits than 28; newer systems have 32.
tsan_tests() {
  local fixed_layout=(setarch --addr-no-randomize)
  "${fixed_layout[@]}" true 2>/dev/null || fixed_layout=()
  scripts/build.sh tsan tsan_tests
  "${fixed_layout[@]}" ctest --test-dir build/tsan -L tsan --output-on-failure --no-tests=error
}

# The parsers of what the network brings a minute each, the others a third of that.
fuzz_tests() {
  scripts/fuzz.sh 20
  scripts/fuzz.sh 40 dns_message_fuzz tls_record_fuzz
}

stage "packages" scripts/setup.sh --test
stage "style and includes" style
stage "release build" scripts/build.sh release
build_ahead &
stage "release tests" release_tests
stage "builds of the later stages" wait
[[ ! $with_vm ]] || start_vm_tests
stage "unit tests under AddressSanitizer and UndefinedBehaviorSanitizer" asan_tests
stage "concurrent tests under ThreadSanitizer" tsan_tests
# The second compiler, which is to find what the first does not; of the agent nothing is run.
stage "clang build" scripts/build.sh fuzz connscope fuzz_targets
stage "fuzz targets" fuzz_tests
[[ ! $with_vm ]] || stage "tests on older kernels" await_vm_tests
say "all stages passed in $SECONDS s; the release build's tests were:"
sed -n '/tests passed,/,$p' "$kSummary"
