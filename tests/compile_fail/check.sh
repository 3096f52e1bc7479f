#!/usr/bin/env bash
# Compiles every program beside this script, each of which must be refused, and compares what the compiler says.
#
#   check.sh [--compilers g++,clang++-19] [--jobs 2] [file.cpp …]
#
# A case opens with comment lines `// Expect: text`. Each text must occur in the compiler's output: as it stands; or with
# `line N`, `[0-9]+` and `.*` in it standing for what they say and all else for itself; or as an extended regular expression.
# The kernel's message reaches the output in pieces, error<name<33>{"gemm, line 14: argument b: its "}, name<12>{"axis 1 is K"}>:
# the pieces are joined before the comparison, quotes unescaped, white space made one blank. Compilers do not echo source
# lines here, so a text is never found in the case itself. TESSERA_SHOW=1 prints the joined output of each case.
set -u
export LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

# What a compiler said, made into one line with the pieces of a message joined.
joined() {
  tr '\n\t' '  ' <"$1" |
    sed -E -e 's/([^\\])"[])}]*, *([A-Za-z_][A-Za-z_0-9:]*(<[^<>"]*>)?)?[[({]+"/\1/g' -e 's/\\000//g' -e 's/\\"/"/g' -e 's/ +/ /g'
}

# An expectation as a regular expression in which only a line's number and .* are no literal text.
pattern() {
  sed -E -e 's/[][(){}.*+?^$|\\]/\\&/g' -e 's/\\\[0-9\\\]\\\+/[0-9]+/g' -e 's/\\\.\\\*/.*/g' -e 's/line N\>/line [0-9]+/g' <<<"$1"
}

# One case with one compiler. Prints a line that starts with ok, or with FAILED and the reason.
check_one() {
  local compiler=$1 file=$2 out text line missing="" count=0
  local label quiet=-fno-diagnostics-show-caret header=-I$TESSERA_HEADER
  if [ -f "$TESSERA_HEADER/tessera.pch" ]; then
    quiet=-fno-caret-diagnostics header=-include-pch\ $TESSERA_HEADER/tessera.pch
  fi
  label="$(basename "$file") ($(basename "$compiler"))"
  out=$(mktemp)
  # shellcheck disable=SC2086 # one option, or two words
  if "$compiler" -std=c++20 -fsyntax-only "$quiet" -fdiagnostics-color=never $header \
    -I"$root/include" -I"$root" "$file" >"$out" 2>&1; then
    echo "FAILED $label: it compiles"
    rm -f "$out"
    return
  fi
  text=$(joined "$out")
  rm -f "$out"
  [ -z "${TESSERA_SHOW:-}" ] || printf '%s\n%s\n' "--- $label" "$text"
  while IFS= read -r line; do
    line=$(printf '%s' "${line#*Expect:}" | sed -E 's/^[ \t]+//; s/[ \t\r]+$//; s/[ \t]+/ /g')
    [ -n "$line" ] || continue
    count=$((count + 1))
    grep -qF -e "$line" <<<"$text" || grep -qE -e "$(pattern "$line")" <<<"$text" ||
      grep -qE -e "$line" <<<"$text" 2>/dev/null || missing="$missing
    expected: $line"
  done < <(grep -E '^//+ *Expect:' "$file")
  if [ "$count" -eq 0 ]; then
    echo "FAILED $label: it has no '// Expect:' line"
  elif [ -n "$missing" ]; then
    echo "FAILED $label: the message differs$missing
    compiler: $(grep -oE '(error<|error: ).{0,600}' <<<"$text" | head -n 1)"
  else
    echo "ok $label"
  fi
}

if [ "${1:-}" = --one ]; then
  check_one "$2" "$3"
  exit 0
fi

compilers=g++,clang++-19
jobs=2
files=()
while [ $# -gt 0 ]; do
  case $1 in
    --compilers) compilers=$2; shift 2 ;;
    --jobs) jobs=$2; shift 2 ;;
    *) files+=("$1"); shift ;;
  esac
done
[ ${#files[@]} -gt 0 ] || files=("$here"/*.cpp)

# The header is read once for all cases: g++ finds tessera/tessera.hpp.gch by its path, clang is told.
headers=$(mktemp -d)
trap 'rm -rf "$headers"' EXIT
precompile() {
  local to=$headers/$(basename "$1")
  export TESSERA_HEADER=$to
  mkdir -p "$to/tessera"
  if "$1" --version | grep -q clang; then
    to+=/tessera.pch
  else
    to+=/tessera/tessera.hpp.gch
  fi
  "$1" -std=c++20 -w -I"$root/include" -I"$root" -x c++-header "$root/include/tessera/tessera.hpp" -o "$to"
}

skipped=0
results=$(
  for compiler in ${compilers//,/ }; do
    command -v "$compiler" >/dev/null || continue
    precompile "$compiler"
    printf '%s\0' "${files[@]}" | xargs -0 -P "$jobs" -I{} bash "${BASH_SOURCE[0]}" --one "$compiler" {}
  done
)
for compiler in ${compilers//,/ }; do
  if ! command -v "$compiler" >/dev/null; then
    echo "skipped: $compiler is not here"
    skipped=$((skipped + ${#files[@]}))
  fi
done
printf '%s\n' "$results" | grep -v '^ok ' | grep -v '^$'
passed=$(grep -c '^ok ' <<<"$results")
failed=$(grep -c '^FAILED ' <<<"$results")
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
