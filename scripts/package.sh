#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the packages of this host's distribution, in build/packages/: connscope and connscope-dev as .deb, an .rpm, and a tarball with
# an install.sh. The same sources and the same build give the same bytes.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<USAGE
Usage: scripts/package.sh [--build DIR] [--out DIR] [--check] [deb|rpm|tar]...

  --build DIR   package that build as it is; without it, one is made in build/package with the distribution's own flags
  --out DIR     where the packages go (default build/packages)
  --check       make everything twice and compare; hold them against lintian, rpmlint and the unit against systemd-analyze
Without names all three are made, as far as this host has their tools (dpkg-dev and debhelper; rpmbuild).
USAGE
}

build='' out=build/packages check='' kinds=()
while (($#)); do
  case $1 in
    --build) build=$(realpath "${2:?--build needs a folder}") && shift ;;
    --out) out=${2:?--out needs a folder} && shift ;;
    --check) check=1 ;;
    deb | rpm | tar) kinds+=("$1") ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      usage >&2
      die "unknown argument '$1'"
      ;;
  esac
  shift
done
((${#kinds[@]})) || kinds=(deb rpm tar)

version=$(sed -nE 's/^project\(connscope VERSION ([0-9.]+).*/\1/p' CMakeLists.txt)
# The time that the packages and the files in them have: the last commit's, wherever and whenever they are made.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)}
export SOURCE_DATE_EPOCH
work=$(mktemp -d "${TMPDIR:-/tmp}/connscope-package.XXXXXX")
trap 'rm -rf "$work"' EXIT

# The distribution's own, where it is one of dpkg's.
flags_of() { # VARIABLE...
  local variable
  command -v dpkg-buildflags >/dev/null || return 0
  for variable in "$@"; do DEB_BUILD_MAINT_OPTIONS=hardening=+all dpkg-buildflags --get "$variable"; done | paste -sd ' '
}

# The same folder each time, since debug information names it.
make_build() {
  build=$PWD/build/package
  say "building in $build"
  use_any_bpftool
  cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCONNSCOPE_TESTS=OFF -DCONNSCOPE_WERROR=OFF \
    -DCMAKE_CXX_FLAGS="$(flags_of CPPFLAGS CXXFLAGS)" -DCMAKE_EXE_LINKER_FLAGS="$(flags_of LDFLAGS)" >/dev/null
  cmake --build "$build" --target connscope connscope_package
  packaging/hardened.sh "$build/connscope" || die "what was built is not hardened"
}

install_tree() { # FOLDER [COMPONENT]
  DESTDIR=$1 cmake --install "$build" --prefix /usr ${2:+--component "$2"} >/dev/null
  # Else files would carry the time of their checkout, or of this run.
  find "$1" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
}

make_deb() { # OUT
  local source=$work/deb/connscope-$version
  rm -rf "$work/deb"
  mkdir -p "$source"
  cp -r packaging/debian README.md CHANGELOG.md "$source"
  sed -e "s/@VERSION@/$version/g" -e "s/@DATE@/$(date --utc --rfc-email --date="@$SOURCE_DATE_EPOCH")/" \
    packaging/debian/changelog.in >"$source/debian/changelog"
  rm "$source/debian/changelog.in"
  (cd "$source" && CONNSCOPE_BUILD=$build DEB_BUILD_OPTIONS="noautodbgsym nocheck" \
    dpkg-buildpackage --build=binary --no-sign --no-check-builddeps >"$work/deb.log" 2>&1) ||
    { tail -n 30 "$work/deb.log" >&2 && die "dpkg-buildpackage failed"; }
  mv "$work"/deb/*.deb "$1"
}

make_rpm() { # OUT
  local top=$work/rpm
  rm -rf "$top"
  mkdir -p "$top/tree"
  install_tree "$top/tree"
  mkdir -p "$top/tree/usr/share/zsh/site-functions"
  mv "$top"/tree/usr/share/zsh/vendor-completions/* "$top/tree/usr/share/zsh/site-functions"
  rmdir "$top/tree/usr/share/zsh/vendor-completions"
  # The host's own compression and brp scripts would make other bytes on another host.
  rpmbuild -bb --quiet --define "_topdir $top" --define "version_ $version" --define "tree $top/tree" \
    --define "changelog_day $(LC_ALL=C date --utc --date="@$SOURCE_DATE_EPOCH" +"%a %b %d %Y")" \
    --define "source_date_epoch_from_changelog 0" --define "use_source_date_epoch_as_buildtime 1" \
    --define "clamp_mtime_to_source_date_epoch 1" --define "_buildhost connscope" \
    packaging/rpm/connscope.spec >"$work/rpm.log" 2>&1 || { tail -n 30 "$work/rpm.log" >&2 && die "rpmbuild failed"; }
  mv "$top"/RPMS/*/*.rpm "$1"
}

make_tar() { # OUT
  local name=connscope-$version-linux-amd64
  rm -rf "${work:?}/tar"
  mkdir -p "$work/tar/$name"
  install_tree "$work/tar/$name" runtime
  strip "$work/tar/$name/usr/bin/connscope"
  install -m 755 packaging/tarball/install.sh "$work/tar/$name"
  install -m 644 README.md LICENSE "$work/tar/$name"
  tar -C "$work/tar" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -cf - "$name" |
    gzip --no-name --best >"$1/$name.tar.gz"
}

make_all() { # OUT
  mkdir -p "$1"
  local kind
  for kind in "${kinds[@]}"; do "make_$kind" "$1"; done
}

check_reproducible() {
  make_all "$work/again"
  local file
  for file in "$work"/again/*; do
    cmp "$file" "$out/${file##*/}" || die "${file##*/} is another one when it is made again"
  done
  say "made twice: the same bytes"
}

check_deb() {
  lintian --fail-on error,warning "$out"/connscope_*.deb "$out"/connscope-dev_*.deb || die "lintian finds fault with the .deb"
  dpkg-deb -x "$out"/connscope_*_amd64.deb "$work/unpacked"
  packaging/systemd/check.sh "$work/unpacked"
}

check_rpm() {
  rpmlint --rpmlintrc packaging/rpm/rpmlintrc "$out"/*.rpm || die "rpmlint finds fault with the .rpm"
}

[[ $build ]] || make_build
[[ -x $build/connscope ]] || die "$build/connscope is not there: scripts/build.sh makes build/release"
rm -rf "$out"
make_all "$out"
if [[ $check ]]; then
  check_reproducible
  [[ " ${kinds[*]} " != *" deb "* ]] || check_deb
  [[ " ${kinds[*]} " != *" rpm "* ]] || check_rpm
fi
say "packages in $out: $(cd "$out" && echo *)"
