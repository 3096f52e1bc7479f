// Tests what `tessera` says of bad input: one line on standard error, its exact text, and the exit code.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/autotune/cli/tool.hpp"

using tessera_test::Ran;
using tessera_test::shell;

namespace {

struct Bad {
  const char* line;
  int exit;
  const char* text;
};

}  // namespace

TEST_CASE("bad command lines end in one line and exit code 2") {
  const std::vector<Bad> all = {
      {"$T", 2, "tessera: name a command: "},
      {"$T nonsense", 2, "tessera: there is no command nonsense: there are "},
      {"$T --nonsense", 2, "tessera: there is no option --nonsense (see tessera --help)"},
      {"$T kernels", 2, "tessera kernels: LIB.so is required (see tessera kernels --help)"},
      {"$T kernels $K --nonsense", 2, "tessera kernels: The following argument was not expected: --nonsense"},
      {"$T kernels /no/such.so", 2, "tessera kernels: cannot open /no/such.so: No such file or directory"},
      {"$T kernels $D", 2, "tessera kernels: /tmp/tessera_tool_"},
      {"cd $D; echo text >t.so; $T kernels t.so", 2,
       "tessera kernels: t.so is not a library that can be opened: file too short"},
      {"cd $D; : >t.so; $T kernels t.so", 2,
       "tessera kernels: t.so is not a library that can be opened: file too short"},
      {"cd $D; head -c 5000 $K >t.so; $T kernels t.so", 2, "tessera kernels: "},
      {"cd $D; { echo tessera_ir 1; echo nonsense; } >t.tile; $T ir t.tile", 2,
       "tessera ir: t.tile: line 2, column 1: "},
      {"$T ir $K nothing", 2,
       "nothing (it has attention, bmm, bsr, cholesky, conv2d, dropout, embed, embed_backward, "},
      {"$T ir $K attention", 2, " has 2 kernels attention, instances of a template (say which: attention@"},
      {"$T ir $K", 2, " kernels: name one (attention, bmm, bsr, "},
      {"$T compile $K bmm --emit nonsense", 2,
       "tessera compile: --emit: \"nonsense\" is none of ir, loop, llvm, asm, obj (see tessera compile --help)"},
      {"$T compile $K bmm --target tpu", 2, "tessera compile: there is no target tpu (this build has cpu"},
      {"$T compile $K bmm --target cpu:nonsense", 2,
       "tessera compile: bmm: configuration: there are no features \"nonsense\" (native, avx512bf16, avx512vnni, "
       "avx512, avxvnni, avx2, sse2 or a "
       "processor "
       "by LLVM's name, such as znver4)"},
      {"$T compile $K bmm --shape Q=3", 2, "tessera compile: bmm: there is no extent Q (its extents are B, M, K, N)"},
      {"$T compile $K bmm --shape M=3 --shape M=4", 2, "tessera compile: --shape: M is given twice, 3 and 4"},
      {"$T compile $K bmm --shape M", 2,
       "tessera compile: --shape: \"M\" is not NAME=NUMBER (as in --shape M=512,N=1000)"},
      {"$T compile $K bmm --shape M=3,", 2, "tessera compile: --shape: \"\" is not NAME=NUMBER"},
      {"$T compile $K bmm --shape M=1e3", 2,
       "tessera compile: --shape: M is \"1e3\" (it takes a whole number from 0 to 2^48)"},
      {"$T compile $K bmm --shape M=-1", 2,
       "tessera compile: --shape: M is \"-1\" (it takes a whole number from 0 to 2^48)"},
      {"$T compile $K bmm --shape M=281474976710656,N=281474976710656", 2,
       "tessera compile: bmm: argument c has more than 2^63 elements"},
      {"$T compile $K bmm --set BX=1", 2,
       "tessera compile: bmm: configuration: there is no tunable BX (the tunables of this kernel are BM, BN, BK)"},
      {"$T compile $K bmm --set BM=0", 2,
       "tessera compile: --set: BM is \"0\" (it takes a whole number from 1 to 2^48)"},
      {"$T compile $K bmm --threads many", 2,
       "tessera compile: --threads: \"many\" is not a whole number from 0 (see tessera compile --help)"},
      {"$T compile $K bmm --emit obj --json >/dev/null", 2,
       "tessera compile: an object is not for a JSON document (give -o FILE)"},
      {"$T completion powershell", 2, "tessera completion: SHELL: \"powershell\" is none of bash, zsh, fish"},
      {"$T ir $K bmm -o /no/such/file", 3, "tessera ir: cannot write /no/such/file: No such file or directory"},
      {"$T ir $K bmm -o /dev/full", 3, "tessera ir: cannot write /dev/full: No space left on device"},
      {"$T ir $K bmm >/dev/full", 3, "tessera ir: cannot write to standard output: No space left on device"},
      {"$T --help >/dev/full", 3, "tessera: cannot write to standard output: No space left on device"},
      {"$T doctor --json >/dev/full", 3, "tessera doctor: cannot write to standard output: No space left on device"},
  };
  for (const Bad& bad : all) {
    CAPTURE(bad.line);
    const Ran ran = shell(bad.line);
    CHECK(ran.exit == bad.exit);
    CHECK(ran.out == "");
    CAPTURE(ran.err);
    CHECK(ran.err.find(bad.text) != std::string::npos);
    CHECK(ran.err.find('\n') == ran.err.size() - 1);  // one line
  }
}

TEST_CASE("a library that crashes, ends the process or has no kernels is one line") {
  const std::string compiler = "cd $D; ${CXX:-c++} -shared -fPIC t.cpp -o t.so; ";
  Ran ran = shell(
      "cat >$D/t.cpp <<E\n#include <signal.h>\n#include <unistd.h>\n[[gnu::constructor]] void f() { kill(getpid(), "
      "SIGKILL); }\nE\n" +
      compiler + "$T kernels t.so");
  CHECK(ran.err == "tessera kernels: opening t.so crashes (signal 9, Killed)\n");
  CHECK(ran.exit == 2);
  ran = shell("cat >$D/t.cpp <<E\n#include <cstdlib>\n[[gnu::constructor]] void f() { _Exit(0); }\nE\n" + compiler +
              "$T kernels t.so");
  CHECK(ran.err == "tessera kernels: opening t.so ends the process (exit code 0)\n");
  CHECK(ran.exit == 2);
  ran = shell("echo 'int x;' >$D/t.cpp\n" + compiler + "$T kernels t.so");
  CHECK(ran.err ==
        "tessera kernels: t.so has no kernels (a library of kernels uses TESSERA_KERNEL, of Tessera 0.1.0)\n");
  CHECK(ran.exit == 2);
  ran = shell("echo 'void g(); void f() { g(); }' >$D/t.cpp\n" + compiler + "$T kernels t.so");
  CHECK(ran.err == "tessera kernels: t.so is not a library that can be opened: undefined symbol: _Z1gv\n");
  CHECK(ran.exit == 2);
}

TEST_CASE("with --json a failure is a document too") {
  const Ran ran = shell(
      "$T ir $K nothing --json 2>/dev/null | python3 -c 'import json, sys; d = json.load(sys.stdin); "
      "print(d[\"schema\"], d[\"command\"], d[\"error\"][\"kind\"], d[\"error\"][\"exit\"], "
      "d[\"error\"][\"hint\"][:7], \"result\" in d)'");
  CHECK(ran.out == "1 ir usage 2 it has  False\n");
  CHECK(ran.exit == 2);
}

TEST_CASE("a file that could not be written does not stay behind") {
  const Ran ran = shell("ulimit -f 1; trap '' XFSZ; $T compile $K bmm --emit asm -o $D/out; echo $?; ls $D");
  CHECK(ran.out == "3\n");
  CHECK(ran.err.find("/out: File too large\n") != std::string::npos);
}

TEST_CASE("a reader that goes away is no failure") {
  const Ran ran = shell("$T compile $K bmm --emit asm | head -n 1; echo ${PIPESTATUS[0]}");
  CHECK(ran.out == "\t.text\n0\n");
  CHECK(ran.err == "");
}
