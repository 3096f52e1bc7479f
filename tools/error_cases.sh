#!/usr/bin/env bash
# Owns docs/error_cases.md, the list of bad programs and bad calls that tests refuse, with their exact messages: writes
# it from the tests themselves, or with --check says whether it is what they have.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

programs() {
  local file
  for file in tests/compile_fail/*.cpp; do
    sed -nE 's|^// *Expect: *||p' "$file" | sed -E 's/[|]/\\|/g; s/[*]/\\*/g; s/</\&lt;/g' |
      awk -v name="$(basename "$file" .cpp)" '{ print "| " name " | " $0 " |" }'
  done
}
calls() { # joins the adjacent string literals of BAD_CALL("name", "text", …
  tr '\n' ' ' <tests/call/bad_calls_test.cpp | grep -oE 'BAD_CALL\("[a-z_0-9]+", *("([^"\\]|\\.)*" *)+' |
    sed -E 's/^BAD_CALL\("([a-z_0-9]+)", *"/\1 | /; s/" *"//g; s/" *$//; s/^/| /; s/$/ |/'
}

page() {
  cat <<'TEXT'
# Bad programs and bad calls

Written by `tools/error_cases.sh` from the tests; [errors.md](errors.md) groups the messages and says how to mend each.

## Programs that do not compile
Each is `tests/compile_fail/<name>.cpp`; g++ and clang must refuse it with this text (`line N`: any line).

| Name | Message |
|---|---|
TEXT
  programs
  cat <<'TEXT'

## Calls that are refused
Each is a `BAD_CALL` of `tests/call/bad_calls_test.cpp`. A text that ends in `(` or `0x` goes on with addresses.

| Name | Message |
|---|---|
TEXT
  calls
}

if [ "${1:-}" != --check ]; then
  page >docs/error_cases.md
  exit
fi
failed=0
page | diff -u docs/error_cases.md - || { echo "docs/error_cases.md is not what the tests have: run tools/error_cases.sh"; failed=1; }
count=$(($(programs | wc -l) + $(calls | wc -l)))
repeated=$({ programs; calls; } | cut -d'|' -f2 | sort | uniq -d)
[ -z "$repeated" ] || { echo "names that stand twice:" $repeated; failed=1; }
[ "$count" -ge 150 ] || { echo "$count bad programs and calls: at least 150 are wanted"; failed=1; }
echo "$count bad programs and calls"
exit "$failed"
