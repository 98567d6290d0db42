#!/usr/bin/env bash
# Makes sure that the servers which the tests start are on this machine. Only what is missing is
# installed, with apt-get; without it, or without the right to use it, the script says what to install.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

missing=()
while read -r command package; do
  case "$command" in ''|'#'*) continue ;; esac
  found=""
  [ ! -e "$command" ] || continue # a file, such as a font
  for place in "" /usr/sbin/ /usr/lib/postgresql/*/bin/; do
    command -v "$place$command" >/dev/null 2>&1 && found=yes && break
  done
  [ -n "$found" ] || missing+=("$package")
done < "$here/packages.txt"

python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv) # the fuzzer's home; no command tells of it

if [ ${#missing[@]} -gt 0 ]; then
  if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    echo "installing: ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  else
    echo "these packages are missing, install them and call again: ${missing[*]}" >&2
    exit 1
  fi
fi
[ ! -x "$here/s3server.sh" ] || "$here/s3server.sh" install
"$here/browser.sh" install
MODULES=openapi "$here/browser.sh" install
