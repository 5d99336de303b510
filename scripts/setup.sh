#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the packages that connscope needs, where they lack. When nothing lacks it asks dpkg and no mirror.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<USAGE
Usage: scripts/setup.sh [--package] [--test] [--vm]

Installs what building and running connscope needs, on Debian 12 and 13 and on Ubuntu 22.04 and 24.04.
  --package  also what makes the host packages
  --test     also what only the tests need, and what makes the host packages
  --vm       also what running them on other kernels needs (tests/vm/), and a bare root (tests/vm/bare_root.sh)
USAGE
}

# The oldest versions that the build takes: CMakeLists.txt and scripts/cmake/Dependencies.cmake ask for the same.
readonly kCmakeMinimum=3.25 kLibbpfMinimum=1.0

with_packages='' with_tests='' with_vm=''
for argument in "$@"; do
  case $argument in
    --package) with_packages=1 ;;
    --test) with_packages=1 with_tests=1 ;;
    --vm) with_vm=1 ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      usage >&2
      die "unknown argument '$argument'"
      ;;
  esac
done

# Sets distribution (such as debian-12), or refuses one whose package names we do not know.
find_distribution() {
  local ID='' VERSION_ID='' PRETTY_NAME='an unknown system'
  # shellcheck disable=SC1091
  [[ ! -r /etc/os-release ]] || . /etc/os-release
  distribution=$ID-$VERSION_ID
  case $distribution in
    debian-12 | debian-13 | ubuntu-22.04 | ubuntu-24.04) ;;
    *) die "no package names are known for $PRETTY_NAME, only for Debian 12 and 13 and Ubuntu 22.04 and 24.04." \
      "Install what CONTRIBUTING.md lists under \"Dependencies\" by its own names, then run scripts/build.sh." ;;
  esac
}

# Sets packages to the names for this distribution.
list_packages() {
  local clang_version
  case $distribution in
    debian-12 | ubuntu-22.04) clang_version=14 ;;
    debian-13) clang_version=19 ;;
    ubuntu-24.04) clang_version=18 ;;
  esac
  packages=(g++ libc6-dev linux-libc-dev cmake ninja-build ccache pkg-config python3 clang llvm libbpf-dev libelf-dev
    zlib1g-dev libdeflate-dev libpsl-dev libcivetweb-dev libspdlog-dev libfmt-dev libcli11-dev libtomlplusplus-dev libexpected-dev
    libzydis-dev libre2-dev libxxhash-dev nlohmann-json3-dev libsystemd-dev libcurl4-openssl-dev
    libhiredis-dev libprotozero-dev libsnappy-dev ca-certificates)
  case $distribution in
    debian-*) packages+=(bpftool) ;;
    ubuntu-*) packages+=(linux-tools-common linux-tools-generic) ;;
  esac
  [[ $distribution != ubuntu-22.04 ]] || packages+=(g++-12)
  [[ ! $with_packages ]] || packages+=(dpkg-dev debhelper rpm)
  if [[ $with_tests ]]; then
    packages+=(libgtest-dev libgmock-dev libbenchmark-dev liburing-dev "libclang-rt-$clang_version-dev" clang-format
      clang-tidy shellcheck musl-tools nftables iproute2 procps curl prometheus prometheus-node-exporter dbus-daemon
      python3-prometheus-client python3-protobuf python3-dbus python3-gi dnsmasq-base unbound libssl-dev openssl libgnutls28-dev
      gnutls-bin wget libnss3-tools golang-go nodejs default-jdk-headless)
    # What holds the host packages against the rules.
    packages+=(lintian rpmlint man-db systemd zsh fish)
    # It brings hundreds of packages, which whoever has another npm need not load.
    command -v npm >/dev/null || packages+=(npm)
    # Servers that exporters send to; newer distributions lack some of them, and where one lacks its test is left out.
    case $distribution in
      debian-12) packages+=(graphite-carbon influxdb prometheus-pushgateway redis-server victoria-metrics) ;;
    esac
    # A curl with NSS is in the older distributions alone.
    case $distribution in
      debian-12 | ubuntu-22.04) packages+=(libcurl3-nss) ;;
    esac
  fi
  if [[ $with_vm ]]; then
    packages+=(qemu-system-x86 kmod xz-utils mmdebstrap debian-archive-keyring git)
  fi
}

# Sets missing to those packages that are not installed.
find_missing() {
  local installed package
  # dpkg-query fails when it knows one of the names not at all; what it knows it prints all the same.
  installed=$(dpkg-query --show --showformat='${Package} ${db:Status-Abbrev}\n' "${packages[@]}" 2>/dev/null || true)
  missing=()
  for package in "${packages[@]}"; do
    grep --quiet "^$package ii" <<<"$installed" || missing+=("$package")
  done
}

candidate_version() { # of a package, without epoch and Debian revision
  LC_ALL=C apt-cache policy "$1" | sed -nE 's/^ *Candidate: *([0-9]+:)?([0-9.]+).*/\2/p'
}

# Holds PACKAGE against MINIMUM by what the machine has, from whatever source: what is new enough need not be
# installed, what is too old goes to outdated.
check_minimum() { # PACKAGE VERSION_ON_THE_MACHINE MINIMUM
  local package others=()
  for package in "${missing[@]}"; do
    [[ $package == "$1" ]] || others+=("$package")
  done
  missing=("${others[@]}")
  at_least "$2" "$3" || outdated[$1]=$3
}

# Refuses, before anything is installed, when the distribution cannot give what is needed.
refuse_the_impossible() {
  local package offered too_old=() unknown=()
  for package in "${!outdated[@]}"; do
    offered=$(candidate_version "$package")
    at_least "$offered" "${outdated[$package]}" ||
      too_old+=("$package ${offered:-not at all} where ${outdated[$package]} is needed,")
  done
  ((${#too_old[@]} == 0)) || die "$distribution offers ${too_old[*]} so nothing was installed." \
    "Build on a newer release (Debian 12 or 13, Ubuntu 24.04), or install newer ones yourself, in PATH or where" \
    "pkg-config finds them, and run this again."
  for package in "${missing[@]}"; do
    [[ $(candidate_version "$package") ]] || unknown+=("$package")
  done
  ((${#unknown[@]} == 0)) || die "$distribution does not offer: ${unknown[*]}, so nothing was installed." \
    "Enable the sources that hold them (on Ubuntu: universe); or install everything that CONTRIBUTING.md lists under" \
    "\"Dependencies\" yourself, and run scripts/build.sh."
}

find_distribution
list_packages
find_missing
declare -A outdated=()
check_minimum cmake "$(cmake --version 2>/dev/null | sed -nE '1s/.* ([0-9.]+).*/\1/p' || true)" "$kCmakeMinimum"
check_minimum libbpf-dev "$(pkg-config --modversion libbpf 2>/dev/null || true)" "$kLibbpfMinimum"
((${#missing[@]} + ${#outdated[@]})) || exit 0

lacking=("${missing[@]}" "${!outdated[@]}")
say "installing what lacks: ${lacking[*]}"
as_root apt-get --quiet --quiet update
refuse_the_impossible
# Some of these would start a service of their own, a name server even. Debian's scripts ask this program (invoke-rc.d(8)),
# which forbids it while apt runs, unless the machine has its own.
# shellcheck disable=SC2016 # for the inner shell
as_root sh -c 'set -e
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap "rm -f $policy" EXIT
    printf "#!/bin/sh\nexit 101\n" >"$policy"
    chmod 755 "$policy"
  fi
  DEBIAN_FRONTEND=noninteractive apt-get --quiet --quiet --yes --no-install-recommends install "$@"' sh "${lacking[@]}"
