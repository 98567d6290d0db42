#!/usr/bin/env bash
# Takes the screenshots that the manuals show out of those that the journeys made: FROM folder, TO folder.
# A picture that is missing or larger than 200 kB is an error.
set -euo pipefail
from=$1 to=$2
pictures=(overview overview-dark overview-phone overview-en area-sources area-schedules area-runs area-quarantine area-grades
  area-catalogue area-deliveries settings-users settings-calendars settings-audit sign-in)
mkdir -p "$to"
for name in "${pictures[@]}"; do
  [ "$(stat -c %s "$from/$name.png")" -lt 204800 ] || { echo "$name.png is larger than 200 kB" >&2; exit 1; }
  cp "$from/$name.png" "$to/$name.png"
done
echo "${#pictures[@]} pictures in $to"
