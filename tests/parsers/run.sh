#!/usr/bin/env bash
# Builds the fuzzers of tests/parsers with clang and runs each:  run.sh [runs [folder]].  The folder keeps the build and
# the corpora, so that the next run goes on where this one ended. The last line has the counts, as every test's.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
runs=${1:-20000}
work=${2:-$root/build/parsers}
clang=$(command -v clang++-19 || true)

if [ -z "$clang" ]; then
  echo "skipped: clang++-19 is not here"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
fi
if ! echo 'extern "C" int LLVMFuzzerTestOneInput(const char*, unsigned long) { return 0; }' |
  "$clang" -fsanitize=fuzzer,address,undefined -x c++ - -o /dev/null 2>/dev/null; then
  echo "skipped: clang's libFuzzer is not here (Debian: libclang-rt-19-dev)"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
fi

cmake -S "$here" -B "$work" -G Ninja -DCMAKE_CXX_COMPILER="$clang" >/dev/null
cmake --build "$work" -j "${TESSERA_JOBS:-2}" >"$work/build.log" 2>&1 || {
  tail -n 30 "$work/build.log"
  exit 1
}
names=(tile_ir loop_ir object_store tuned_store)
for name in "${names[@]}"; do mkdir -p "$work/seeds/$name" "$work/corpus/$name" "$work/found"; done
"$work/write_seeds" "$work/seeds/tile_ir"
cp "$root"/tests/jit/loop/gate/*.loop "$work/seeds/loop_ir"
cp "$here"/tuned.json "$work/seeds/tuned_store"
printf 'BK=64 BM=32' >"$work/seeds/tuned_store/configuration"
printf '\002\000\000\000\007\000\000\000\002\000\000\000program64\000\000\000\000\000\000\000\000' >"$work/seeds/object_store/fields"

# The words of both languages, from their tables.
dictionary() {
  sed -nE 's/^ *(X\(.*)/\1/p' "$@" | grep -oE '"[a-z_0-9]+"' | sort -u
  printf '"%s"\n' f64 f32 f16 bf16 e4m3 e2m1 i4 i8 i32 i64 u8 u32 b8
}
dictionary "$root/include/tessera/ir/ops.hpp" >"$work/tile_ir.dict"
dictionary "$root/jit/loop/ops.hpp" >"$work/loop_ir.dict"
grep -oE '"[a-z_]+"' "$here/tuned.json" | sort -u >"$work/tuned_store.dict"
echo '"program"' >"$work/object_store.dict"

# Short stacks of allocations, and little freed memory kept: three times the runs a second.
export ASAN_OPTIONS=malloc_context_size=3:quarantine_size_mb=16
passed=0 failed=0
for name in "${names[@]}"; do
  log=$work/$name.log
  if "$work/fuzz_$name" -runs="$runs" -max_len=2048 -dict="$work/$name.dict" -artifact_prefix="$work/found/$name-" \
    -timeout=120 -rss_limit_mb=4096 -print_final_stats=1 ${TESSERA_FUZZ_SEED:+-seed=$TESSERA_FUZZ_SEED} \
    "$work/corpus/$name" "$work/seeds/$name" >"$log" 2>&1; then
    passed=$((passed + 1))
    echo "$name: $(grep -oE 'number_of_executed_units: [0-9]+' "$log" | grep -oE '[0-9]+') runs, nothing found"
  else
    failed=$((failed + 1))
    echo "$name: FAILED, see $log"
    grep -E 'ERROR|SUMMARY|runtime error|Test unit written' "$log" | head -5
  fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
