// Tests `tessera cache`: each subcommand on caches that real calls have filled, and on damaged, absent and foreign
// ones.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/autotune/cli/tool.hpp"

using tessera_test::Ran;
using tessera_test::shell;

namespace {

// $C calls a kernel, with $D/c as its cache.
const std::string setup =
    "export TESSERA_CACHE_DIR=$D/c; unset TESSERA_CACHE\n"
    "python() { python3 -c \"import json, sys; d = json.load(sys.stdin)['result']; $1\"; }\n";

// Two shapes of softmax and one of welford, and a table of tuned configurations.
const std::string filled =
    setup +
    "$C $K softmax M=8 N=100 >/dev/null; $C $K softmax M=8 N=200 >/dev/null; $C $K welford M=3 N=50 "
    ">/dev/null\n";

}  // namespace

TEST_CASE("path says where the caches lie, and why there are none") {
  Ran ran = shell(setup + "mkdir -m 700 $D/c; $T cache path; $T cache path --dir $D/other");
  CHECK(ran.exit == 0);
  CHECK(ran.out.find("/c\n") != std::string::npos);
  CHECK(ran.out.find("/other\n") != std::string::npos);
  ran = shell("TESSERA_CACHE=off $T cache path");
  CHECK(ran.out == "none: caches are off: TESSERA_CACHE says so\n");
  CHECK(ran.exit == 1);
  ran = shell(
      "unset TESSERA_CACHE TESSERA_CACHE_DIR XDG_CACHE_HOME; HOME= $T cache path --json | python3 -c '"
      "import json, sys; d = json.load(sys.stdin)[\"result\"]; print(d[\"folder\"], len(d[\"problem\"]) > 0)'");
  CHECK(ran.out == "None True\n");
  CHECK(ran.exit == 1);
}

TEST_CASE("what calls compile is listed, counted, shown and verified") {
  const Ran ran = shell(filled + R"bash(
$T cache list --objects | head -n 1 | cut -d, -f1
$T cache list --json | python 'print(sorted((e["kernel"], e["known"].split()[0]) for e in d["objects"]))'
$T cache list --kernel welford --json | python 'print(len(d["objects"]), d["objects"][0]["tunables"].split("=")[0])'
$T cache stats --json | python 'print(d["objects"]["entries"], d["objects"]["bytes"] > 1000, d["tuned"]["timings"])'
id=$($T cache list --kernel welford --json | python 'print(d["objects"][0]["id"])')
$T cache show $id | grep -c 'features  '
$T cache show ${id:0:10} --json | python 'print(d["object"]["key"]["target"], d["object"]["notes"]["kernel"])'
$T cache verify | tail -n 1
$C $K welford M=3 N=50
)bash");
  CHECK(ran.err == "");
  CHECK(ran.out == R"(3 objects
[('softmax', 'M=8'), ('softmax', 'M=8'), ('welford', 'M=3')]
1 BM
3 True 0
1
cpu welford
Everything is whole.
0 compiled
)");
}

TEST_CASE("explain finds what calls left, and names the field that differs") {
  const Ran ran = shell(filled + R"bash(
$T cache explain $K welford --shape M=3,N=50; echo "exit $?"
$T cache explain $K welford --shape M=3,N=51; echo "exit $?"
$T cache explain $K welford --shape M=3,N=50 --threads 1 --json | python 'print([x["field"] for x in d["object"]["differences"]])'
$T cache explain $K welford --shape M=3,N=50 --set BM=2 --json | python 'print([(x["field"], x["label"], x["wanted"]) for x in d["object"]["differences"]])'
$T cache explain $K welford --shape M=3,N=50 --target cpu:sse2 --json | python 'print([x["field"] for x in d["object"]["differences"]][0])'
)bash");
  CHECK(ran.err == "");
  CHECK(ran.out.find("compiled code         found     it is there\n") != std::string::npos);
  CHECK(ran.out.find("compiled code         missing   the nearest entry differs: extent ") != std::string::npos);
  CHECK(ran.out.find(" (N) is 51, not 50; stride ") != std::string::npos);
  CHECK(ran.out.find("most threads") != std::string::npos);
  CHECK(ran.out.find("('tunable 0', 'BM', '2')") != std::string::npos);
  CHECK(ran.out.find("\nfeatures\n") != std::string::npos);
}

TEST_CASE("export, import and merge move entries and say what they did") {
  const Ran ran = shell(filled + R"bash(
$T cache export --objects $D/o.pack --kernel softmax | sed "s|$D||; s|, [^,]*, into|, into|"
$T cache import --dir $D/c2 $D/o.pack | sed "s|$D||g"
$T cache import --dir $D/c2 $D/o.pack | sed "s|$D||g"
$T cache merge --dir $D/c2 $D/c | sed "s|$D||g" | head -n 1
TESSERA_CACHE_DIR=$D/c2 $C $K softmax M=8 N=200
TESSERA_CACHE_DIR=$D/c2 $T cache verify | tail -n 1
)bash");
  CHECK(ran.err == "");
  CHECK(ran.out == R"(wrote 2 objects, into /o.pack
/o.pack: compiled code: took 2, kept ours for 0 that are here already
/o.pack: compiled code: took 0, kept ours for 2 that are here already
/c: compiled code: took 1, kept ours for 2 that are here already
0 compiled
Everything is whole.
)");
}

TEST_CASE("damage is found, and gone after prune") {
  const Ran ran = shell(filled + R"bash(
for f in $(find $D/c -type f -size +1k ! -name '*sqlite*'); do
  python3 -c 'import sys; d = bytearray(open(sys.argv[1], "rb").read()); d[len(d) // 2] ^= 1; open(sys.argv[1], "wb").write(d)' $f
done
$T cache verify >$D/said; echo $?; tail -n 1 $D/said
$T cache prune >/dev/null; echo $?
$T cache verify | tail -n 1
)bash");
  CHECK(ran.err == "");
  CHECK(ran.out == "1\nWhat is damaged is never used; tessera cache prune removes it.\n0\nEverything is whole.\n");
}

TEST_CASE("clear asks, and does nothing where nobody answers") {
  Ran ran = shell(filled + "$T cache clear");
  CHECK(ran.exit == 2);
  CHECK(ran.err.find("tessera cache clear: nobody is there to ask whether to drop 3 objects and 0 tuned shapes in ") ==
        0);
  CHECK(ran.err.find(" (--yes does it)\n") != std::string::npos);
  ran = shell(filled + R"bash(
command -v script >/dev/null || { echo 'nothing was dropped'; exit; }
echo n | script -qec "$T cache clear" /dev/null | grep -o 'nothing was dropped' 
$T cache list --objects | head -n 1 | cut -d, -f1
echo y | script -qec "$T cache clear --kernel softmax" /dev/null | grep -o 'dropped 2 objects' 
$T cache list --objects | head -n 1 | cut -d, -f1
$T cache clear --yes --objects | cut -d' ' -f1-3
$T cache list --objects | head -n 1 | cut -d, -f1
)bash");
  CHECK(ran.out.find("nothing was dropped\n") != std::string::npos);
  if (ran.out.size() > 25)
    CHECK(ran.out.find("3 objects\ndropped 2 objects\n1 object\ndropped 1 object\n0 objects\n") != std::string::npos);
}

TEST_CASE("prune keeps to a size") {
  const Ran ran = shell(filled +
                        "$T cache prune --size 1K >/dev/null; $T cache list --objects | head -n 1 | cut -d, -f1\n"
                        "$T cache prune --size many; echo $?");
  CHECK(ran.out == "0 objects\n2\n");
  CHECK(ran.err == "tessera cache prune: --size: \"many\" is no size (as in 512M or 2G)\n");
}

TEST_CASE("what is no cache, no file of export or no entry is one line") {
  struct Bad {
    const char* script;
    int exit;
    const char* text;
  };
  const std::vector<Bad> all = {
      {"$T cache", 2, "tessera cache: name a command: path, list, show, "},
      {"$T cache nonsense", 2, "tessera cache: there is no command nonsense: there are path, "},
      {"$T cache import $D/none", 2, "/none: No such file or directory\n"},
      {"echo text >$D/t; $T cache import $D/t", 2, "tessera cache import: "},
      {"echo '{}' >$D/t; $T cache import $D/t", 2, "tessera cache import: "},
      {"printf 'SQLite format 3\\0junk' >$D/t; $T cache import $D/t", 2, "tessera cache import: "},
      {"$T cache import $D", 2, " is a folder (tessera cache merge takes those)\n"},
      {"$T cache merge $D/none", 2, " is no folder (tessera cache import takes files)\n"},
      {"mkdir -m 700 $D/c; $T cache merge $D/c", 2, " is this cache itself\n"},
      {"$T cache show 0123", 2,
       "tessera cache show: no entry has an id that begins with 0123 (tessera cache list has them)\n"},
      {"$T cache export", 2,
       "tessera cache export: name a file (--objects FILE for compiled code, --tuned FILE for tuned configurations)\n"},
      {"$T cache export --tuned /dev/full", 3,
       "tessera cache export: cannot write /dev/full: No space left on device\n"},
      {"$T cache export --objects /no/such", 3,
       "tessera cache export: cannot write /no/such: No such file or directory\n"},
      {"TESSERA_CACHE=off $T cache clear --yes", 3, "tessera cache clear: caches are off: TESSERA_CACHE says so\n"},
      {"TESSERA_CACHE_READONLY=1 $T cache prune", 3, " is only read: TESSERA_CACHE_READONLY says so\n"},
      {"$T cache explain $K welford --shape M=3,Q=1", 2,
       "tessera cache explain: welford: there is no extent Q (its extents are M, N)\n"},
  };
  for (const Bad& bad : all) {
    CAPTURE(bad.script);
    const Ran ran = shell(setup + bad.script);
    CHECK(ran.exit == bad.exit);
    CAPTURE(ran.err);
    CHECK(ran.out == "");
    CHECK(ran.err.find(bad.text) != std::string::npos);
    CHECK(ran.err.find('\n') == ran.err.size() - 1);
  }
}
