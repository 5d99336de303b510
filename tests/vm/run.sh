#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Boots Debian kernels in throw-away VMs; in each runs guest_smoke.sh with the built agent and the TCP, DNS and TLS
# integration tests, and has the BPF programs verified. See README.md beside this file.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
default_kernels=(bullseye-security=5.10 bookworm-security=6.1 trixie=6.12 trixie-backports=6.18 sid)
# The modules and the programs of the host that the tests need.
modules=(veth nft_reject_inet tcp_diag)
host_programs=(ip nft ss)
# The integration tests that need nothing else, and those of them that the gate has the time for: each on one of its two kernels. Beside
# the oldest it has the package's test to run.
tests=(tcp_connect tcp_life tcp_accept tcp_older dns_query dns_server dns_cgroup libc_lookup tls_wire openssl)
gate_tests=(tcp_life dns_query)
gate_tests_of_oldest=(tcp_connect tcp_accept tls_wire)
# What a program for musl names as its loader; it is the C library as well.
musl_loader=/lib/ld-musl-x86_64.so.1
# Of one kernel; emulated machines are slow.
limit_seconds=1500

usage() {
  cat <<USAGE
Usage: tests/vm/run.sh [--gate] [--record] [KERNEL...]
       tests/vm/run.sh --update-readme

KERNEL is what run-in-vm takes (README.md beside this file); default: ${default_kernels[*]}
  --gate           only the tests that the gate runs: ${gate_tests[*]};
                   of ${default_kernels[0]} alone: ${gate_tests_of_oldest[*]}
  --record         write the verifier's counts of these kernels into verified_instructions.tsv, rather than compare
  --update-readme  run all of the default kernels, and write the table of the repository's README.md anew if all went well
CONNSCOPE_BUILD_DIR is where the agent was built (default build/release).
USAGE
}

kernels=() update_readme='' record='' gate=''
for argument in "$@"; do
  case $argument in
    -h | --help)
      usage
      exit 0
      ;;
    --update-readme) update_readme=1 ;;
    --record) record=1 ;;
    --gate) gate=1 ;;
    -*)
      usage >&2
      exit 2
      ;;
    *) kernels+=("$argument") ;;
  esac
done
if [[ $update_readme ]] && ((${#kernels[@]})); then
  echo "run.sh: the README's table is of all kernels: give none with --update-readme" >&2
  exit 2
fi
if [[ $gate ]]; then
  tests=("${gate_tests[@]}")
  [[ ${kernels[*]} != "${default_kernels[0]}" ]] || tests=("${gate_tests_of_oldest[@]}")
fi
((${#kernels[@]})) || kernels=("${default_kernels[@]}")
build_dir=${CONNSCOPE_BUILD_DIR:-$root/build/release}
[[ -e $build_dir/CMakeCache.txt ]] || {
  echo "run.sh: nothing is built in $build_dir: run scripts/build.sh first" >&2
  exit 1
}
# The tests know the programs that they start by this name of the folder, so the guest has them there.
build_dir=$(sed -n 's/^CMAKE_CACHEFILE_DIR:INTERNAL=//p' "$build_dir/CMakeCache.txt")
if [[ $build_dir == /tmp/* || $build_dir == /run/* ]]; then
  echo "run.sh: $build_dir is hidden in a guest, which has a /tmp and a /run of its own: build elsewhere" >&2
  exit 2
fi
results=$build_dir/vm
# By their sources, as the folder of the build may still hold what has none.
objects=()
for source in "$root"/bpf/*/*.bpf.c; do
  object=${source%.c}.o
  objects+=("$build_dir${object#"$root"}")
done
overlay=$(mktemp -d "${TMPDIR:-/tmp}/connscope-vm.XXXXXX")
trap 'rm -rf "$overlay"' EXIT

take() { # PROGRAM_OF_THE_BUILD PLACE_IN_THE_GUEST
  mkdir -p "$(dirname "$overlay$2")"
  # Debug information would only fill the guest's memory.
  strip --strip-debug -o "$overlay$2" "$build_dir/$1"
}

# Those of the tests, since the guest has not what makes them: there the script copies what this host has made.
take_certificates() {
  local script=$root/tests/support/tls_peers/make_certificates.sh
  "$script" "$overlay/certificates"
  mkdir -p "$overlay${script%/*}"
  # shellcheck disable=SC2016 # it is the script there that expands it
  printf '#!/bin/sh\nexec cp -r /certificates/. "$1"\n' >"$overlay$script"
  chmod 755 "$overlay$script"
}

fill_overlay() {
  local object program test
  for program in connscope tests/support/{tcp_actor,dns_actor,lookup_actor,lookup_server,openssl_actor}; do
    take "$program" "$build_dir/$program"
    mkdir -p "$overlay/usr/bin"
    ln -s "$build_dir/$program" "$overlay/usr/bin/${program##*/}"
  done
  program=tests/support/lookup_actor_musl
  if [[ -e $build_dir/$program ]]; then
    take "$program" "$build_dir/$program"
    install -D -m 755 "$musl_loader" "$overlay$musl_loader"
  fi
  take_certificates
  take tests/vm/verified_instructions /usr/bin/verified_instructions
  for test in "${tests[@]}"; do
    take "tests/integration/${test}_integration_test" "/tests/${test}_integration_test"
  done
  install -m 755 "$here/guest.sh" "$here/guest_smoke.sh" "$overlay"
  install -m 644 "$here/lacking.tsv" "$overlay/tests"
  for object in "${objects[@]}"; do
    install -D -m 644 "$object" "$overlay${object#"$build_dir"}"
  done
}

# Sets vm_options to what KERNEL needs.
choose_options() { # KERNEL
  local folder=$1 module program
  vm_options=(--strict --time "$limit_seconds")
  [[ -z $gate ]] || vm_options+=(--env CONNSCOPE_SOME_TESTS=1)
  if [[ $1 =~ ^([a-z][a-z-]*)(=(.*))?$ && ! -e $1 ]]; then
    folder=$("$here/fetch-kernel" "${BASH_REMATCH[1]}" ${BASH_REMATCH[3]:+"${BASH_REMATCH[3]}"})
  fi
  if [[ -d $folder && -z $(find "$folder/" -name 'veth.ko*' -print -quit) ]]; then
    vm_options+=(--env CONNSCOPE_NO_MODULES=1)
    return
  fi
  for module in "${modules[@]}"; do vm_options+=(--module "$module"); done
  for program in "${host_programs[@]}"; do vm_options+=(--bin "$program"); done
}

run_kernel() { # KERNEL; 0: all went well
  local kernel=$1 out=$results/$1 status=0 mode=compare
  [[ $1 != */* ]] || out=$results/$(basename "$1")
  [[ -z $record ]] || mode=record
  folders+=("$out")
  rm -rf "$out"
  choose_options "$kernel" || return
  "$here/run-in-vm" "${vm_options[@]}" --out "$out" "$kernel" "$overlay" /guest.sh || status=$?
  [[ -s $out/instructions.tsv ]] || return $((status ? status : 1))
  python3 "$here/instruction_counts.py" "$mode" --release "$(<"$out/release")" --objects "${objects[@]}" \
    --measured "$out/instructions.tsv" || [[ $? == 77 ]] || status=1
  return "$status"
}

mkdir -p "$results"
fill_overlay
failed=() folders=()
for kernel in "${kernels[@]}"; do
  start=$SECONDS
  echo "==> $kernel"
  status=0
  run_kernel "$kernel" || status=$?
  if ((status == 0)); then
    echo "==> $kernel: passed in $((SECONDS - start)) s"
  else
    echo "==> $kernel: FAILED with status $status after $((SECONDS - start)) s"
    failed+=("$kernel")
  fi
done
# A table with failures is for the eyes alone.
((${#failed[@]} == 0)) || update_readme=''
python3 "$here/kernel_table.py" ${update_readme:+--update "$root/README.md"} "${folders[@]}" || failed+=("the table")
((${#failed[@]} == 0)) || {
  echo "run.sh: failed on ${failed[*]}" >&2
  exit 1
}
