// Tests `tessera tune` and what of it later calls and `tessera cache` see.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/autotune/cli/tool.hpp"

using tessera_test::Ran;
using tessera_test::shell;

namespace {

const std::string setup =
    "export TESSERA_CACHE_DIR=$D/c; unset TESSERA_CACHE\n"
    "python() { python3 -c \"import json, sys; d = json.load(sys.stdin)['result']; $1\"; }\n";

}  // namespace

TEST_CASE("a kernel is tuned, kept, explained, exported, imported and merged") {
  const Ran ran = shell(setup + R"bash(
$T tune $K welford --shape M=64,N=256 --try BM=8:16:64 --search exhaustive --budget 20s -q --report $D/r.html --json >$D/tuned || exit 1
python 'print(len(d["best"]), d["seconds"] > 0, d["timed"] > 0, d["shape"])' <$D/tuned
grep -c '<html' $D/r.html
best=$(python 'print(" ".join(f"{k}={v}" for k, v in d["best"].items()))' <$D/tuned)
$T cache explain $K welford --shape M=64,N=256 | grep -c "^tuned configuration   found     $best$"
$T cache explain $K welford --shape M=64,N=257 | grep '^tuned' | cut -c23-29
$T cache export --tuned $D/t.json | cut -d, -f1
$T cache import --dir $D/c2 $D/t.json | sed 's/.*took \([0-9]*\) new.*/\1 new/'
$T cache import --dir $D/c2 $D/t.json | sed 's/.*took \([0-9]*\) new, \([0-9]*\) better.*/\1 new \2 better/'
$T cache merge --dir $D/c3 $D/c | grep -c 'took [1-9][0-9]* new'
$T cache list --dir $D/c3 --tuned --json | python 'print(len(d["tuned"]), d["tuned"][0]["key"]["kernel"], d["tuned"][0]["key"]["extents"])'
id=$($T cache list --tuned --json | python 'print(d["tuned"][0]["id"])')
$T cache show $id --json | python 'print(len(d["tuned"]["timings"]) >= 2)'
$T tune $K welford --shape M=64,N=256 --search exhaustive --budget 20s -q --json | python 'print(d["timed"], "timed")'
$T cache clear --tuned --yes | cut -c1-7
$T cache list --tuned
)bash");
  CHECK(ran.exit == 0);
  CHECK(ran.err == "");
  CHECK(ran.out == R"(1 True True {'M': 64, 'N': 256}
1
1
missing
wrote 1 tuned shape
4 new
0 new 0 better
1
1 welford {'M': 64, 'N': 256}
True
0 timed
dropped
0 tuned shapes
)");
}

TEST_CASE("tuning in the background: a program that says nothing, its end, and what the next one finds") {
  const Ran ran = shell(setup + R"bash(
export TESSERA_TUNE=background
$C $K welford M=64 N=256 & pid=$!
wait $pid; echo "exit $?"
cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ' | grep -c "tessera_tune_worker [0-9.]* $pid"
$T tune $K welford --shape M=64,N=256 --try BM=8:16 --search exhaustive --budget 20s -q >/dev/null || exit 1
TESSERA_LOG=info $C $K welford M=64 N=256 2>&1 | grep -c 'not tuned'
TESSERA_TUNE=always $C $K welford M=64 N=256 2>&1
)bash");
  CHECK(ran.exit == 0);
  CHECK(ran.out == R"(1 compiled
exit 0
0
0
tessera: TESSERA_TUNE=always is neither "background" nor "off": nothing is tuned
0 compiled
)");
}

TEST_CASE("what cannot be tuned is one line") {
  struct Bad {
    const char* line;
    const char* text;
  };
  const std::vector<Bad> all = {
      {"$T tune $K welford", "tessera tune: welford: "},
      {"$T tune $K welford --shape M=4", "tessera tune: welford: "},
      {"$T tune $K welford --shape M=4,N=4,Q=1",
       "tessera tune: welford: there is no extent Q (its extents are M, N)\n"},
      {"$T tune $K welford --shape M=4,N=4 --budget soon",
       "tessera tune: --budget: \"soon\" is no duration (as in 60s, 5m or 1h)\n"},
      {"$T tune $K welford --shape M=4,N=4 --try BM",
       "tessera tune: --try: \"BM\" is not NAME=NUMBER:NUMBER (as in --try BM=32:64:128)\n"},
      {"$T tune $K welford --shape M=4,N=4 --try BM=1:x",
       "tessera tune: --try: BM is \"x\" (it takes a whole number from 1 to 2^48)\n"},
      {"$T tune $K welford --shape M=4,N=4 --search luck",
       "tessera tune: --search: \"luck\" is none of guided, exhaustive, random"},
      {"$T tune $K layer_norm --shape M=4,N=4 --scalar eps=small",
       "tessera tune: --scalar: eps is \"small\", which is no number\n"},
      {"$T tune $K welford --shape M=4,N=4 --target tpu", "tessera tune: there is no target tpu (this build has cpu"},
  };
  for (const Bad& bad : all) {
    CAPTURE(bad.line);
    const Ran ran = shell(bad.line);
    CHECK(ran.exit == 2);
    CAPTURE(ran.err);
    CHECK(ran.out == "");
    CHECK(ran.err.find(bad.text) != std::string::npos);
    CHECK(ran.err.find('\n') == ran.err.size() - 1);
  }
}
