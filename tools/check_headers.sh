#!/usr/bin/env bash
# Compiles every public header by itself: whatever a user includes first must bring what it needs.
#   check_headers.sh [compiler]
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
compiler=${1:-${CXX:-g++}}
find include -name '*.hpp' -print0 | sort -z |
  xargs -0 -P "${TESSERA_JOBS:-2}" -I{} sh -c \
    'out=$("$0" -std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Iinclude -x c++ -include "$1" /dev/null 2>&1) ||
     { echo "FAILED $1 by itself:"; echo "$out" | grep -m 3 error; exit 1; }' "$compiler" {}
