// Owns the kernels of the example: nearest neighbours among images, and their vote.
#pragma once

#include <tessera/tessera.hpp>

namespace digits {
using namespace tessera;

inline constexpr Dim<"BM"> BM;  // images at a time: chosen for the machine
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BP"> BP;

/// |x|² of every image x of P pixels.
TESSERA_KERNEL(square_norms)(Kernel k, In<f32, "M", "P"> x, Out<f32, "M"> norm) {
  auto m = k.block<"M">(BM);
  auto p = k.all<"P">();
  norm(m) = sum<"P">(x(m, p) * x(m, p));
};

/// |a − b|² = |a|² + |b|² − 2 a·b of every image a to be read and every known image b.
TESSERA_KERNEL(distances)(Kernel k, In<f32, "M", "P"> a, In<f32, "N", "P"> b, In<f32, "M"> aa, In<f32, "N"> bb,
                          Out<f32, "M", "N"> d) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  Var ab = k.zeros<f32>(m, n);
  for (auto p : k.blocks<"P">(BP)) ab += dot(a(m, p), b(n, p));
  d(m, n) = aa(m) + bb(n) - 2 * ab;
};

/// The K nearest known images of each image, nearest first, and what they vote for. The nearest one's vote weighs 3,
/// each other's 2: of three that disagree the nearest decides.
TESSERA_KERNEL(vote)(Kernel k, In<f32, "M", "N"> d, In<i32, "N"> label, Out<i64, "M", "K"> nearest,
                     Out<i32, "M"> read) {
  k.expects(k.extent<"K">() <= k.extent<"N">(), "there are K known images");
  auto m = k.block<"M">(BM);
  auto n = k.all<"N">(), c = k.all<"K">();
  auto [closeness, position] = topk<"N", "K">(-d(m, n), c);
  nearest(m, c) = position;
  auto digit = k.lanes<"DIGIT">(10);
  auto votes = sum<"K">(where(label(position) == digit, where(c == 0, 3, 2), 0));
  read(m) = cast<i32>(argmax<"DIGIT">(votes));
};

}  // namespace digits
