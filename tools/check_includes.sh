#!/usr/bin/env bash
# Checks that includes point upwards only, and that public headers include nothing that a user may not have.
#
#   include/tessera/ir < include/tessera < jit < targets < autotune, distributed     (tests, examples, bench: anything)
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

# Sets `layer` to that of a path from the root, or of the text of an #include; to nothing for what is not ours.
layer() {
  layer=
  case $1 in
    include/tessera/ir/* | tessera/ir/*) layer=1 ;;
    include/tessera/types/* | tessera/types/* | include/tessera/version.hpp | tessera/version.hpp | \
      include/tessera/export.hpp | tessera/export.hpp) layer=0 ;;
    include/tessera/* | tessera/*) layer=2 ;;
    jit/*) layer=3 ;;
    targets/*) layer=4 ;;
    autotune/* | distributed/*) layer=5 ;;
  esac
}

failed=0
checked=0
complain() {
  echo "FAILED $1"
  failed=$((failed + 1))
}
while IFS= read -r file; do
  checked=$((checked + 1))
  layer "$file"
  from=$layer
  while IFS=: read -r line text; do
    header=${text#*[<\"]}
    header=${header%%[>\"]*}
    layer "$header"
    to=$layer
    if [ -n "$to" ] && [ "$to" -gt "$from" ]; then
      complain "$file:$line includes $header: includes point upwards only"
    fi
    case $header in
      targets/*)
        other=${header#targets/}; own=${file#targets/}
        [ "$from" -ne 4 ] || [ "${other%%/*}" = "${own%%/*}" ] || complain "$file:$line includes another target, $header" ;;
      llvm/* | llvm-c/* | clang/*)
        case $file in jit/llvm/*) ;; *) complain "$file:$line includes $header: only jit/llvm may include LLVM" ;; esac ;;
    esac
    case $file in
      include/*)
        case $header in
          tessera/* | boost/hana* | boost/config.hpp) ;;
          */* | *.h | *.hpp)
            # The C++ library's own headers have no suffix and no folder, and a few of C's are in every system.
            case $header in
              immintrin.h | cpuid.h | emmintrin.h | sys/*) complain "$file:$line includes $header: public headers are portable C++" ;;
              *) complain "$file:$line includes $header: public headers include the C++ library and small Boost.Hana headers only" ;;
            esac ;;
        esac ;;
    esac
  done < <(grep -nE '^[ \t]*#[ \t]*include[ \t]*[<"]' "$file" || true)
done < <(find include jit targets autotune distributed -type f \( -name '*.hpp' -o -name '*.h' -o -name '*.cpp' \) 2>/dev/null | sort)

echo "$checked files checked, $failed wrong includes"
[ "$failed" -eq 0 ]
