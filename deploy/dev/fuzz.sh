#!/usr/bin/env bash
# Fuzzes the API of a hub over the simulated province with schemathesis, as four callers, and writes the
# reports beside the data. A workbook's body is our own fuzzer's. Fails for an answer that no caller should get.
#
#   fuzz.sh XINSHU WORK     the binary, and a folder for the tool and the hub's data
set -euo pipefail
xinshu=$(realpath "$1") work=$(realpath -m "$2")
version=4.32.5
port=${PORT:-18099} hub=http://127.0.0.1:${PORT:-18099}
mkdir -p "$work"
[ -x "$work/schemathesis/bin/schemathesis" ] || {
  python3 -m venv "$work/schemathesis"
  "$work/schemathesis/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$version"
}
data=$(mktemp -d "$work/fuzz.XXXXXX")
"$xinshu" demo --entities 60 --data "$data" --addr "127.0.0.1:$port" >"$data/hub.log" 2>&1 &
running=$!
trap 'kill $running 2>/dev/null || true; wait $running 2>/dev/null || true' EXIT
for _ in $(seq 600); do
  curl -fs -o /dev/null "$hub/openapi.json" && break
  kill -0 $running || { cat "$data/hub.log"; exit 1; }
  sleep 1
done
failed=0
until=$(date -d '+1 year' +%F)
# "all" has every right that a program may have; what only a person may do our own fuzzer asks.
all=$(sed -n 's/^\t[A-Z][A-Za-z]* *Right = "\([a-z]*\.[a-z]*\)".*/\1/p' "$(dirname "$0")/../../internal/auth/right.go" | grep -vxE 'catalogue.approve|cases.decide|policies.approve|users.change|keys.change|receipts.post|audit.see|metrics.see' | paste -sd,)
declare -A as=(
  [all]="--role administrator,steward,credit_office --right $all"
  [auditor]="--role auditor" [downstream]="--role downstream" [department_user]="--role department_user --department court"
)
ask() { # as a role, with a key of its own
  local role=$1 key
  mkdir -p "$data/$role"
  cd "$data/$role" # where it keeps what it remembers
  # shellcheck disable=SC2086 # several words on purpose
  key=$("$xinshu" key make "client:fuzz-$role" ${as[$role]} --title fuzz --until "$until" --data "$data")
  # Its rate is bounded: a fuzzer that is told 429 learns nothing.
  "$work/schemathesis/bin/schemathesis" run "$hub/openapi.json" --url "$hub" --header "Authorization: Bearer $key" \
    --checks not_a_server_error --exclude-path /v1/quarantine/workbooks \
    --phases examples,coverage,fuzzing --max-examples "${EXAMPLES:-5}" --seed 1 --workers 1 --request-timeout 120 --rate-limit 40/s --no-color --report-dir "$data/$role" \
    >"$data/$role.txt" 2>&1
}
declare -A runs
for role in "${!as[@]}"; do # side by side: each of them mostly waits for its rate
  ask "$role" &
  runs[$role]=$!
done
for role in "${!as[@]}"; do
  wait "${runs[$role]}" || failed=1
  echo "== as $role"
  tail -n 25 "$data/$role.txt"
done
kill -0 $running || { echo "the hub died"; tail -n 40 "$data/hub.log"; exit 1; }
curl -fs -o /dev/null "$hub/openapi.json"
if grep -q "made the hub panic" "$data/hub.log"; then
  grep "made the hub panic" "$data/hub.log" | head -5
  failed=1
fi
exit $failed
