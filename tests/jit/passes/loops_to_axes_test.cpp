// Tests which loops become axes, and that the others stay.
#include "jit/passes/simplify.hpp"

#include <doctest/doctest.h>
#include <tessera/tessera.hpp>

#include <algorithm>

#include "tessera/ir/verify.hpp"

using namespace tessera;

namespace {

inline constexpr Dim<"BM"> BM;

TESSERA_KERNEL(window)(Kernel k, In<f32, "C", "H"> x, In<f32, "F", "C", "P"> w, Out<f32, "F", "H"> y) {
  auto f = k.block<"F">(BM), h = k.block<"H">(BM);
  auto c = k.all<"C">();
  Var acc = k.zeros<f32>(f, h);
  for (auto p : k.range(0, k.extent<"P">())) acc += dot<"C">(w(f, c, p), x.pad(0)(c, h + p - 1));
  y(f, h) = acc;
};
TESSERA_KERNEL(nested)(Kernel k, In<i32, "H", "W"> x, Out<i32, "H", "W"> y) {
  auto h = k.block<"H">(BM), w = k.block<"W">(BM);
  Var acc = k.zeros<i32>(h, w);
  for (auto p : k.range(0, 3))
    for (auto q : k.range(0, 3)) acc += x.pad(0)(h + p - 1, w + q - 1);
  y(h, w) = acc;
};
TESSERA_KERNEL(blurs)(Kernel k, In<f32, "N"> x, Out<f32, "N"> y) {
  auto n = k.block<"N">(BM);
  Var acc = k.zeros<f32>(n);
  for (auto p : k.range(0, 3)) acc += x.pad(0)(n + p - 1);
  y(n) = acc;
};
TESSERA_KERNEL(decays)(Kernel k, In<f32, "P", "N"> x, Out<f32, "N"> y) {
  auto n = k.block<"N">(BM);
  Var acc = k.zeros<f32>(n);
  for (auto p : k.range(0, k.extent<"P">())) acc = acc * 0.5f + x(p, n);
  y(n) = acc;
};
TESSERA_KERNEL(looks)(Kernel k, In<f32, "P", "N"> x, Out<f32, "N"> y, Out<f32, "P", "N"> z) {
  auto n = k.block<"N">(BM);
  Var acc = k.zeros<f32>(n);
  for (auto p : k.range(0, k.extent<"P">())) {
    acc += x(p, n);
    z(p, n) = acc;
  }
  y(n) = acc;
};
TESSERA_KERNEL(starts_later)(Kernel k, In<f32, "P", "N"> x, Out<f32, "N"> y) {
  auto n = k.block<"N">(BM);
  Var acc = k.zeros<f32>(n);
  for (auto p : k.range(1, k.extent<"P">())) acc += x(p, n);
  y(n) = acc;
};

long loops_after(const ir::Program& p, std::int64_t extent) {
  const ir::Storage out = jit::loops_to_axes(p, [&](int) { return std::optional<std::int64_t>(extent); });
  const ir::Program q = out.view();
  const ir::Defect defect = ir::verify(q);
  CHECK_MESSAGE(!defect, std::string(defect.text.view()));
  return std::count_if(q.nodes.begin(), q.nodes.end(), [](const ir::Node& n) { return n.op == ir::Op::for_range; });
}

}  // namespace

TEST_CASE("counted loops that only add become axes") {
  CHECK(loops_after(window.program, 3) == 0);
  CHECK(loops_after(nested.program, 3) == 0);
}

TEST_CASE("loops that do more, that are long, or of which less is known stay") {
  CHECK(loops_after(window.program, 1000) == 1);
  CHECK(loops_after(window.program, 0) == 1);
  CHECK(loops_after(blurs.program, 3) == 1);  // floats that no dot adds up are added in order
  CHECK(loops_after(decays.program, 3) == 1);
  CHECK(loops_after(looks.program, 3) == 1);
  CHECK(loops_after(starts_later.program, 3) == 1);
  const ir::Storage open = jit::loops_to_axes(window.program, [](int) { return std::optional<std::int64_t>(); });
  CHECK(open.view().nodes.size() == window.program.nodes.size());
}
