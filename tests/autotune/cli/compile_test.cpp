// Tests `tessera compile`: each stage, for this machine and for others.
#include <doctest/doctest.h>

#include <string>

#include "tests/autotune/cli/tool.hpp"

using tessera_test::Ran;
using tessera_test::shell;

namespace {

/// Whether a script writes `text`, and ends well.
void gives(const std::string& script, const std::string& text) {
  CAPTURE(script);
  const Ran ran = shell(script);
  CAPTURE(ran.err);
  CHECK(ran.exit == 0);
  CHECK(ran.out.find(text) != std::string::npos);
}

std::string vectors(const std::string& target) {
  const Ran ran = shell("$T compile $K bmm --target " + target +
                        " --shape B=2,M=64,N=64,K=64 | grep -oE '[xyz]mm' | sort | uniq -c | sort -rn | head -n 1");
  return ran.out.size() > 4 ? ran.out.substr(ran.out.size() - 4, 3) : ran.err;
}

}  // namespace

TEST_CASE("each stage is what it says") {
  gives("$T compile $K softmax --shape M=8,N=100 --emit ir", "tessera_ir 1\nkernel \"softmax\"\n");
  gives("$T compile $K softmax --shape M=8,N=100 --emit loop", "program softmax machine cpu\n");
  gives("$T compile $K softmax --shape M=8,N=100 --emit llvm", "target triple = \"x86_64");
  gives("$T compile $K softmax --shape M=8,N=100 --emit asm", "\t.globl\tentry");
  gives("$T compile $K softmax --shape M=8,N=100 --emit obj -o $D/k.o; head -c 4 $D/k.o | tail -c 3", "ELF");
  gives("$T compile $K softmax --emit obj | head -c 4 | tail -c 3", "ELF");
}

TEST_CASE("other machines get their own vectors") {
  CHECK(vectors("cpu:sse2") == "xmm");
  CHECK(vectors("cpu:avx2") == "ymm");
  CHECK(vectors("cpu:avx512") == "zmm");
  CHECK(vectors("cpu:znver3") == "ymm");
  CHECK(vectors("cpu:znver4") == "zmm");
  CHECK(vectors("cpu:sapphirerapids") == "zmm");
  CHECK(vectors("cpu:sandybridge") == "xmm");  // AVX without FMA and AVX2
}

TEST_CASE("every kernel of the language compiles for machines with and without AVX-512") {
  const Ran ran = shell(R"bash(
for kernel in $($T kernels $K --json | python3 -c '
import json, sys
for k in json.load(sys.stdin)["result"]["kernels"]: print(k["name"] + "@" + k["hash"])'); do
  $T compile $K $kernel --target cpu:znver4 --emit obj -o $D/k.o && rm $D/k.o || echo "$kernel failed"
done; echo all)bash");
  CHECK(ran.out == "all\n");
  CHECK(ran.err == "");
}

TEST_CASE("the document says what was chosen") {
  const Ran ran =
      shell("$T compile $K bmm --target cpu:znver4 --shape B=2,M=64,K=3 --set BM=16 --emit obj -o $D/k.o --json");
  CHECK(ran.exit == 0);
  CHECK(ran.out.find(R"("features": "znver4",)") != std::string::npos);
  CHECK(ran.out.find(
            R"("known": "B=2 M=64 K=3 stride(a,0)=192 stride(a,1)=3 stride(a,2)=1 stride(b,2)=1 stride(c,2)=1",)") !=
        std::string::npos);
  CHECK(ran.out.find(R"("BM": 16,)") != std::string::npos);
  CHECK(ran.out.find(R"("emit": "obj",)") != std::string::npos);
  CHECK(ran.out.find(R"("text")") == std::string::npos);
}

TEST_CASE("a program that was saved as text compiles as the kernel does") {
  const Ran ran = shell(
      "$T ir $K bmm -o $D/bmm.tile; $T compile $K bmm --emit asm >$D/1; $T compile $D/bmm.tile --emit asm >$D/2; "
      "cmp $D/1 $D/2 && wc -l <$D/1");
  CHECK(ran.exit == 0);
  CHECK(ran.out.size() > 3);
}
