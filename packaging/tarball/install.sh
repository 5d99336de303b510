#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs this tarball on a host with systemd that has the libraries which the binary needs, or takes it away again. Config that is
# there is left as it is: the new one then lies beside it, as FILE.new.
set -eu
cd "$(dirname "$0")"

usage() {
  echo "Usage: ./install.sh [--uninstall]"
}
die() {
  echo "install.sh: $*" >&2
  exit 1
}

check_libraries() {
  missing=$(ldd usr/bin/connscope | sed -n 's/^[[:space:]]*\(.*\) => not found.*/\1/p')
  [ -z "$missing" ] || die "these libraries lack, so nothing was installed: $missing"
}

install_config() { # FILE, relative to /
  if [ -e "/$1" ] && ! cmp -s "$1" "/$1"; then
    install -m 644 "$1" "/$1.new"
    echo "/$1 was changed here and stays; the new one is /$1.new"
  else
    install -D -m 644 "$1" "/$1"
  fi
}

do_install() {
  check_libraries
  find usr -type f | while read -r file; do
    mode=644
    [ ! -x "$file" ] || mode=755
    install -D -m "$mode" "$file" "/$file"
  done
  find etc -type f | while read -r file; do install_config "$file"; done
  systemd-sysusers /usr/lib/sysusers.d/connscope.conf
  if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    systemctl enable connscope.service
    systemctl restart connscope.service
  fi
}

do_uninstall() {
  if [ -d /run/systemd/system ]; then
    systemctl disable --now connscope.service connscope.socket 2>/dev/null || true
  fi
  find usr -type f | while read -r file; do rm -f "/$file"; done
  rm -rf /usr/share/connscope
  [ ! -d /run/systemd/system ] || systemctl daemon-reload
  echo "the config in /etc/connscope and /etc/default/connscope stays"
}

case ${1:-} in
  '') action=do_install ;;
  --uninstall) action=do_uninstall ;;
  -h | --help)
    usage
    exit 0
    ;;
  *)
    usage >&2
    die "unknown argument '$1'"
    ;;
esac
[ "$(id -u)" = 0 ] || die "needs root"
$action
