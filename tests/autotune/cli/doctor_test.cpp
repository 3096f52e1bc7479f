// Tests `tessera doctor`, the manual and the completions: texts that the program writes about itself and the machine.
#include <doctest/doctest.h>

#include <string>

#include "tests/autotune/cli/tool.hpp"

using tessera_test::Ran;
using tessera_test::shell;

TEST_CASE("doctor tells what is here and never fails for what is not") {
  Ran ran = shell("$T doctor");
  CHECK(ran.exit == 0);
  CHECK(ran.err == "");
  for (const char* text : {"tessera 0.1.0\ntarget cpu\n", "\n  here     SSE2 ", "\nlibraries\n", " oneTBB 20",
                           "\naccelerators\n", " CUDA driver ", " NVRTC ", " HIP "}) {
    CAPTURE(text);
    CHECK(ran.out.find(text) != std::string::npos);
  }
  ran = shell(
      "$T doctor --json | python3 -c 'import json, sys; d = json.load(sys.stdin)[\"result\"]; "
      "items = [i for s in d[\"sections\"] for i in s[\"items\"]]; "
      "print(d[\"missing\"] == sum(not i[\"present\"] for i in items), all(i[\"name\"] and i[\"text\"] for i in "
      "items))'");
  CHECK(ran.out == "True True\n");
}

TEST_CASE("without the LLVM library doctor says what that costs") {
  const Ran ran = shell(
      "mkdir $D/bin $D/lib; cp $T $D/bin; cp -P $(dirname $T)/../lib/libtessera_jit* $D/lib; "
      "cp -P $(dirname $T)/../lib/libtessera_autotune* $D/lib 2>/dev/null; $D/bin/tessera doctor");
  CHECK(ran.exit == 0);
  CHECK(ran.out.find("\n  missing  code generator  kernels cannot be compiled here: ") != std::string::npos);
  CHECK(ran.out.find("costs: kernels that are in no cache run in the interpreter, thousands of times slower\n") !=
        std::string::npos);
}

TEST_CASE("a driver that crashes or hangs is a finding") {
  const Ran ran = shell(
      "echo 'extern \"C\" { int kill(int, int), getpid(); } extern \"C\" int cuInit(unsigned) { return kill(getpid(), "
      "9); } extern \"C\" { int cuDriverGetVersion, "
      "cuDeviceGetCount, cuDeviceGetName, cuDeviceGetAttribute; }' >$D/c.cpp; "
      "${CXX:-c++} -shared -fPIC $D/c.cpp -o $D/libcuda.so.1; LD_LIBRARY_PATH=$D $T doctor");
  CHECK(ran.exit == 0);
  CHECK(ran.out.find("\n  missing  CUDA driver     asking it crashes (signal 9, Killed)\n") != std::string::npos);
}

TEST_CASE("the manual has every command and groff has no complaint") {
  Ran ran = shell("$T man");
  CHECK(ran.exit == 0);
  for (const char* text :
       {".TH TESSERA 1 ", "\n.SS doctor\n", "\n.SS compile\n", ".SH EXIT STATUS\n", "tessera kernels libkernels.so"}) {
    CAPTURE(text);
    CHECK(ran.out.find(text) != std::string::npos);
  }
  ran = shell("command -v groff >/dev/null || exit 0; $T man | groff -man -Tutf8 -ww -z");
  CHECK(ran.exit == 0);
  CHECK(ran.out + ran.err == "");
  ran = shell("command -v man >/dev/null || { echo 'TESSERA(1)'; exit; }; $T man >$D/tessera.1; man -l $D/tessera.1");
  CHECK(ran.out.find("TESSERA(1)") == 0);
}

TEST_CASE("bash completes commands, options, values, files and kernels") {
  const auto complete = [](const std::string& line) {
    return shell("PATH=$(dirname $T):$PATH; source <($T completion bash); COMP_WORDS=(" + line +
                 "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _tessera; echo ${COMPREPLY[*]}")
        .out;
  };
  CHECK(complete("tessera do") == "doctor\n");
  CHECK(complete("tessera compile --em") == "--emit\n");
  CHECK(complete("tessera cache ex") == "explain export\n");
  CHECK(complete("tessera cache clear --o") == "--objects\n");
  CHECK(complete("tessera compile --emit l") == "loop llvm\n");
  CHECK(complete("tessera completion ''") == "bash zsh fish\n");
  CHECK(complete("tessera kernels /etc/passw").find("/etc/passwd") == 0);
  CHECK(complete("tessera ir $K gemm_") == "gemm_i4 gemm_i8 gemm_mx gemm_split\n");
  CHECK(complete("tessera compile --emit asm $K sof") == "softmax\n");
  CHECK(complete("tessera ir $K softmax ''") == "\n");
}

TEST_CASE("the scripts of every shell are sound") {
  CHECK(shell("$T completion bash | bash -n").exit == 0);
  CHECK(shell("command -v zsh >/dev/null || exit 0; $T completion zsh | zsh -n").exit == 0);
  CHECK(shell("command -v fish >/dev/null || exit 0; $T completion fish | fish --no-execute").exit == 0);
  CHECK(shell("$T completion zsh | head -n 1").out == "#compdef tessera\n");
  CHECK(shell("$T completion fish | grep -c -- '-l emit'").out == "1\n");
}
