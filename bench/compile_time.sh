#!/usr/bin/env bash
# Measures what the header costs: seconds of processor time, median of 5, to compile one kernel and the 31 kernels.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk '/^```cpp/ { on = 1; next } /^```/ { if (on) exit } on' README.md >"$work/one.cpp"
cp tests/kernels/kernels.cpp "$work/kernels.cpp"

median() {  # command…: median of user + system seconds
  local TIMEFORMAT='%U %S'
  for _ in 1 2 3 4 5; do { time "$@" >/dev/null 2>&1; } 2>&1; done | awk '{ print $1 + $2 }' | sort -n | sed -n 3p
}

for compiler in "${CXX:-g++}" clang++-19; do
  command -v "$compiler" >/dev/null || continue
  for file in one kernels; do
    printf '%-12s %-12s -O0 %6.2f s   -fsyntax-only %6.2f s\n' "$compiler" "$file.cpp" \
      "$(median "$compiler" -std=c++20 -Iinclude -I. -c -O0 -o "$work/out.o" "$work/$file.cpp")" \
      "$(median "$compiler" -std=c++20 -Iinclude -I. -fsyntax-only "$work/$file.cpp")"
  done
done
