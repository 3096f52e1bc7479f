// Owns the kernels whose speed is promised: as a user would write them, tile sizes left to Tessera.
#pragma once

#include <tessera/tessera.hpp>

namespace bench {

using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BK"> BK;

TESSERA_KERNEL(sgemm)(Kernel k, In<f32, "M", "K"> a, In<f32, "K", "N"> b, Out<f32, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  Var acc = k.zeros<f32>(m, n);
  for (auto i : k.blocks<"K">(BK)) acc += dot(a(m, i), b(i, n));
  c(m, n) = acc;
};

/// The same product in one line, both operands stored the other way round.
TESSERA_KERNEL(sgemm_transposed)(Kernel k, In<f32, "K", "M"> a, In<f32, "N", "K"> b, Out<f32, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  auto i = k.all<"K">();
  c(m, n) = sum<"K">(a(i, m) * b(n, i));
};

TESSERA_KERNEL(flash_attention)(Kernel k, In<f32, "T", "D"> q, In<f32, "S", "D"> key, In<f32, "S", "D"> value,
                                Scalar<f32> scale, Out<f32, "T", "D"> out) {
  auto i = k.block<"T">(BM);
  auto d = k.all<"D">();
  auto qi = q(i, d);
  Var top = k.full<f32>(-inf, i), total = k.zeros<f32>(i), acc = k.zeros<f32>(i, d);
  for (auto j : k.blocks<"S">(BN)) {
    auto s = dot(qi, key(j, d)) * scale;
    auto m = max(top, max<"S">(s));
    auto p = exp(s - m), fix = exp(top - m);
    total = total * fix + sum<"S">(p);
    acc = acc * fix + dot(p, value(j, d));
    top = m;
  }
  out(i, d) = acc / total;
};

TESSERA_KERNEL(conv3x3)(Kernel k, In<f32, "C", "H", "W"> x, In<f32, "F", "C", "KH", "KW"> w,
                        Out<f32, "F", "H", "W"> y) {
  auto f = k.block<"F">(BM), h = k.block<"H">(BN), v = k.block<"W">(BN);
  auto kh = k.all<"KH">(), kw = k.all<"KW">();
  Var acc = k.zeros<f32>(f, h, v);
  for (auto c : k.blocks<"C">(BK)) acc += dot<"C", "KH", "KW">(w(f, c, kh, kw), x.pad(0)(c, h + kh - 1, v + kw - 1));
  y(f, h, v) = acc;
};

TESSERA_KERNEL(softmax)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "N"> y) {
  auto m = k.block<"M">(BM);
  auto n = k.all<"N">();
  auto e = exp(x(m, n) - max<"N">(x(m, n)));
  y(m, n) = e / sum<"N">(e);
};

TESSERA_KERNEL(online_softmax)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "N"> y) {
  auto m = k.block<"M">(BM);
  Var top = k.full<f32>(-inf, m), total = k.zeros<f32>(m);
  for (auto n : k.blocks<"N">(BN)) {
    auto next = max(top, max<"N">(x(m, n)));
    auto safe = where(next == -inf, 0, next);
    total = total * exp(top - safe) + sum<"N">(exp(x(m, n) - safe));
    top = next;
  }
  for (auto n : k.blocks<"N">(BN)) y(m, n) = exp(x(m, n) - top) / total;
};

TESSERA_KERNEL(layer_norm)(Kernel k, In<f32, "M", "N"> x, In<f32, "N"> w, In<f32, "N"> b, Scalar<f32> eps,
                           Out<f32, "M", "N"> y) {
  auto m = k.block<"M">(BM);
  auto n = k.all<"N">();
  auto d = x(m, n) - mean<"N">(x(m, n));
  y(m, n) = d * (1 / sqrt(mean<"N">(d * d) + eps)) * w(n) + b(n);
};

TESSERA_KERNEL(chain8)(Kernel k, In<f32, "N"> x, Out<f32, "N"> y) {
  auto n = k.block<"N">(BN);
  auto v = x(n);
  y(n) = max(((v * 2.0f + 1.0f) * v - 3.0f) * 0.5f + v, -1.0f) * 1.5f;
};

}  // namespace bench
