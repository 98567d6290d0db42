#!/usr/bin/env bash
# What the browser tests need beside Chromium and Node.js: the modules of browser/package.json, at
# the versions of its lock file, in a cache folder. With MODULES=openapi those of openapi/package.json,
# which lint the API's document.
#
#   browser.sh install   makes them ready; quick when they are there
#   browser.sh where     prints the folder
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
modules=${MODULES:-browser}
sum=$(sha256sum "$here/$modules/package-lock.json" | cut -c1-12)
folder=${XINSHU_DEV_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/xinshu}/$modules-$sum

install() {
  [ ! -f "$folder/complete" ] || return 0
  mkdir -p "$folder"
  if command -v flock >/dev/null; then
    exec 9>"$folder/lock"
    flock 9 # packages are tested side by side: the first one installs
    [ ! -f "$folder/complete" ] || return 0
  fi
  cp "$here/$modules/package.json" "$here/$modules/package-lock.json" "$folder/"
  (cd "$folder" && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error >&2)
  touch "$folder/complete"
}

case "$#:${1:-}" in
  1:install) (install) ;;
  1:where)
    (install)
    echo "$folder"
    ;;
  *)
    sed -n '2,8p' "$0" >&2
    exit 2
    ;;
esac
