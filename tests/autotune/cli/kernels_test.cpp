// Tests `tessera kernels` and `tessera ir`: what a library holds, as text that is kept here and as a document.
#include <doctest/doctest.h>

#include <string>

#include "tests/autotune/cli/tool.hpp"

using tessera_test::Ran;
using tessera_test::shell;

TEST_CASE("a kernel is listed as it was written") {
  const Ran ran = shell("$T kernels $K conv2d; $T kernels $K heat_steps; $T kernels $K scan_rest");
  CHECK(ran.exit == 0);
  CHECK(ran.err == "");
  CHECK(
      ran.out ==
      R"(conv2d(In<f32, "B", "G", "C", "H", "W"> x, In<f32, "G", "F", "C", "KH", "KW"> w, Scalar<i32> stride, Scalar<i32> pad, Out<f32, "B", "G", "F", "OH", "OW"> y)
  hash      93b16c43f26c96e6f82dccb6c52b64c2
  tunables  BM, BN, BK
  axes      F (grid by BM), OH (grid by 4), OW (grid by BN), KH (all), KW (all), C (loop by BK)
heat_steps(In<f32, "Y", "X"> u, Out<f32, "Y", "X"> v)
  hash      7a86c544f8f41a9b79e9f04d2b3eb050
  tunables  BM, BN
  axes      Y (grid by BM), X (grid by BN)
scan_rest(In<f32, "N"> x, In<f32, "N/4096"> before, Out<f32, "N"> y)
  hash      51cd69da16ee6715516cd6fec184de03
  tunables  none
  axes      N (grid by 4096)
)");
}

TEST_CASE("the values that are declared for tunables are shown") {
  CHECK(shell("$T kernels $K welford").out.find("\n  tunables  BM (8 16 64)\n") != std::string::npos);
  CHECK(shell("$T kernels $K welford --json | tr -d ' \\n'")
            .out.find(R"("tunables":[{"name":"BM","values":[8,16,64]}])") != std::string::npos);
}

TEST_CASE("the whole library is listed, in order of the names") {
  const Ran ran = shell("$T kernels $K --names");
  CHECK(ran.exit == 0);
  CHECK(ran.out ==
        "attention\nbmm\nbsr\ncholesky\nconv2d\ndropout\nembed\nembed_backward\nfive_point\ngemm_i4\ngemm_i8\ngemm_mx\n"
        "gemm_split\ngram\nheat_steps\nhistogram\nlayer_norm\nlayer_norm_backward\nmandelbrot\nmoe\nnested_while\n"
        "quantize_groups\nradix_scatter\nscan\nscan_part\nscan_rest\nsoftmax\ntop_k\nwelford\n");
}

TEST_CASE("the document names arguments with effects, types and extents, tunables and axes") {
  const Ran ran = shell("$T kernels $K bsr --json");
  CHECK(ran.exit == 0);
  CHECK(ran.out.find(R"(  "command": "kernels",)") != std::string::npos);
  CHECK(ran.out.find(R"("name": "row",
            "effect": "in",
            "type": "i32",
            "extents": [
              "R+1"
            ])") != std::string::npos);
  CHECK(ran.out.find(R"("tunables": [
          {
            "name": "BN",
            "values": []
          }
        ])") != std::string::npos);
  CHECK(ran.out.find(R"("name": "N",
            "kind": "grid",
            "extent": "N",
            "cut": "BN")") != std::string::npos);
}

TEST_CASE("Tile IR parses back: every kernel's text is a library of one kernel with the same hash and text") {
  const Ran ran = shell(R"bash(
for kernel in $($T kernels $K --json | python3 -c '
import json, sys
for k in json.load(sys.stdin)["result"]["kernels"]: print(k["name"] + "@" + k["hash"])'); do
  $T ir $K $kernel -o $D/k.tile || exit 1
  [ "${kernel#*@}" = "$($T ir $D/k.tile --hash)" ] || exit 2
  $T ir $D/k.tile | cmp - $D/k.tile || exit 3
  echo $kernel
done | wc -l)bash");
  CHECK(ran.exit == 0);
  CHECK(ran.err == "");
  CHECK(ran.out == "30\n");
}
