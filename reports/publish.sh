#!/usr/bin/env bash
# Judges the published SDKs, version by version, and builds the matrix page. Set them up first: drivers/setup.sh
set -uo pipefail
cd "$(dirname "$0")/.."
pytest="${PYTEST:-.venv/bin/pytest}"

judge() { # folder, driver command
  "$pytest" suites/client -q --batch-client "exec:$2" --batch-report "reports/published/$1" >/dev/null
  local status=$?
  echo "$1: exit $status"
  [ "$status" -le 1 ] # 0 and 1 are verdicts; anything else is none
}

for version in 0.2.0 0.2.3 0.2.7 0.3.0; do
  judge "syncsdk-$version" "drivers/.cache/python-$version/bin/python drivers/python/driver.py" || exit 1
done
for version in 0.2.3 0.3.0; do
  judge "sync.so-sdk-$version" "node drivers/typescript/driver.mjs --sdk drivers/.cache/typescript-$version" || exit 1
done
"${PYTHON:-.venv/bin/python}" -m batch_conformance.report.matrix reports/published
