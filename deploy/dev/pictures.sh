#!/usr/bin/env bash
# Takes the screenshots that the manuals show out of those that the journeys made: FROM folder, TO folder.
# A picture that is missing or larger than 200 kB is an error.
set -euo pipefail
from=$1 to=$2
declare -A pictures=( # name there, name in the manuals
  [page-overview]=overview [page-overview-dark]=overview-dark [page-overview-phone]=overview-phone [page-overview-en]=overview-en
  [preview]=source-preview [schedule-form]=schedule-form [schedules]=schedules [task]=task
  [quarantine-row]=quarantine-row [explanation]=explanation [dataset]=dataset [page-catalogue]=catalogue
  [page-deliveries]=deliveries [case-decided]=case [page-settings-audit]=settings-audit [sign-in]=sign-in
)
mkdir -p "$to"
for name in "${!pictures[@]}"; do
  [ "$(stat -c %s "$from/$name.png")" -lt 204800 ] || { echo "$name.png is larger than 200 kB" >&2; exit 1; }
done
rm -f "$to"/*.png # a picture that nobody takes any more is not left behind
for name in "${!pictures[@]}"; do cp "$from/$name.png" "$to/${pictures[$name]}.png"; done
echo "${#pictures[@]} pictures in $to"
