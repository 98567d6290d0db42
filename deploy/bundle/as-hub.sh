#!/usr/bin/env bash
# The command `xinshu` of an installation: the program with the installed config, run as the user that
# the data belong to and with the secrets of the service. Run as anybody else it would leave files in
# the data folder that the service cannot read. A -c among the arguments names another config.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
root=${here%/opt/xinshu/*}
secrets="$root/etc/xinshu/secrets.env"
owner=$(stat -c %u "$root/var/lib/xinshu")
call=("$here/xinshu" -c "$root/etc/xinshu/xinshu.yaml" "$@")
if [ "$owner" = "$(id -u)" ] && [ -r "$secrets" ]; then
  set -a
  # shellcheck disable=SC1090  # it is the operator's file
  . "$secrets"
  exec "${call[@]}"
fi
[ "$(id -u)" = 0 ] || exec sudo "$0" "$@"
# the same environment as the service, but not its life; a terminal where there is one; this folder,
# if the user may look into it
exec systemd-run --quiet --pty --pipe --wait --collect --uid="$owner" --gid="$(stat -c %g "$root/var/lib/xinshu")" \
  -p EnvironmentFile=-"$secrets" -p UMask=0077 -p WorkingDirectory="-$PWD" "${call[@]}"
