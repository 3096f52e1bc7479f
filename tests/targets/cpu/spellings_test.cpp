// Tests on a CPU kernels as users of other tools write them, in several spellings and at odd extents: layers of
// networks.
#include <tessera/tessera.hpp>

#include <cmath>

#include "tests/targets/cpu/support.hpp"

using namespace tessera;
using cpu_test::Case;
using cpu_test::of;

namespace {

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BK"> BK;

// Two products of one operand, one of them through an activation.
TESSERA_KERNEL(swiglu)
(Kernel k, In<f32, "T", "K"> x, In<f32, "K", "N"> up, In<f32, "K", "N"> gate, Out<f32, "T", "N"> y) {
  auto t = k.block<"T">(BM), n = k.block<"N">(BN);
  Var u = k.zeros<f32>(t, n), g = k.zeros<f32>(t, n);
  for (auto i : k.blocks<"K">(BK)) {
    auto a = x(t, i);
    u += dot(a, up(i, n));
    g += dot(a, gate(i, n));
  }
  y(t, n) = silu(g) * u;
};
// A product spelled as a sum, with a prologue on one side and a mask of the result.
TESSERA_KERNEL(causal_scores)
(Kernel k, In<f32, "T", "D"> q, In<f32, "S", "D"> key, Scalar<f32> scale, Out<f32, "T", "S"> y) {
  auto t = k.block<"T">(BM), s = k.block<"S">(BN);
  auto d = k.all<"D">();
  auto score = sum<"D">(relu(q(t, d)) * scale * key(s, d));
  y(t, s) = where(s <= t, score, -1e30f);
};
// RMS norm, then a rotation of the two halves of each row.
TESSERA_KERNEL(rms_rope)
(Kernel k, In<f32, "T", "D"> x, In<f32, "D"> w, In<f32, "T", "D/2"> angle, Out<f32, "T", "D"> y) {
  k.expects(k.extent<"D">() % 2 == 0, "D is even");
  auto t = k.block<"T">(BM);
  auto d = k.all<"D">();
  auto v = x(t, d);
  auto half = k.extent<"D">() / 2;
  auto n = v * rsqrt(mean<"D">(v * v) + 1e-6f) * w(d);
  auto other = at<"D">(n, where(d < half, d + half, d - half));
  auto phase = angle(t, where(d < half, d, d - half));
  y(t, d) = n * cos(phase) + where(d < half, -other, other) * sin(phase);
};
TESSERA_KERNEL(cross_entropy)
(Kernel k, In<f32, "M", "C"> x, In<i32, "M"> label, Out<f32, "M"> loss, Out<f32, "M", "C"> grad) {
  auto m = k.block<"M">(BM);
  auto c = k.all<"C">();
  auto top = max<"C">(x(m, c));
  auto total = sum<"C">(exp(x(m, c) - top));
  loss(m) = log(total) + top - x(m, label(m));
  grad(m, c) = exp(x(m, c) - top) / total - where(c == label(m), 1.0f, 0.0f);
};
TESSERA_KERNEL(group_norm)
(Kernel k, In<f32, "B", "C", "H", "W"> x, In<f32, "C"> w, In<f32, "C"> b, Scalar<i64> groups,
 Out<f32, "B", "C", "H", "W"> y) {
  k.expects(k.extent<"C">() % groups == 0, "the groups are equal");
  auto z = k.index<"B">(), g = k.index(groups);
  auto size = k.extent<"C">() / groups;
  auto h = k.all<"H">(), c = k.all<"W">();
  Var total = k.zeros<f32>(), squares = k.zeros<f32>();
  for (auto i : k.range(g * size, (g + 1) * size)) {
    auto v = x(z, i, h, c);
    total += sum(v);
    squares += sum(v * v);
  }
  auto count = cast<f32>(size * k.extent<"H">() * k.extent<"W">());
  auto mu = total / count;
  auto scale = rsqrt(max(squares / count - mu * mu, 0) + 1e-5f);
  for (auto i : k.range(g * size, (g + 1) * size)) y(z, i, h, c) = (x(z, i, h, c) - mu) * scale * w(i) + b(i);
};
// Pooling that counts only what is inside.
TESSERA_KERNEL(pools)
(Kernel k, In<f32, "C", "H", "W"> x, Out<f32, "C", "OH", "OW"> top, Out<f32, "C", "OH", "OW"> average) {
  auto c = k.block<"C">(2), oh = k.block<"OH">(3), ow = k.block<"OW">(BN);
  auto p = k.lanes<"P">(3), q = k.lanes<"Q">(3);
  auto y = oh * 2 + p - 1, z = ow * 2 + q - 1;
  auto inside = y >= 0 && y < k.extent<"H">() && z >= 0 && z < k.extent<"W">();
  top(c, oh, ow) = max<"P", "Q">(x.pad(-inf)(c, y, z));
  average(c, oh, ow) = sum<"P", "Q">(x.pad(0)(c, y, z)) / cast<f32>(sum<"P", "Q">(cast<i32>(inside)));
};
TESSERA_KERNEL(depthwise)
(Kernel k, In<f32, "C", "H", "W"> x, In<f32, "C", "KH", "KW"> w, Scalar<i32> dilation, Out<f32, "C", "H", "W"> y) {
  auto c = k.block<"C">(4), h = k.block<"H">(4), v = k.block<"W">(BN);
  auto kh = k.all<"KH">(), kw = k.all<"KW">();
  y(c, h, v) = relu(sum<"KH", "KW">(x.pad(0)(c, h + (kh - 1) * dilation, v + (kw - 1) * dilation) * w(c, kh, kw)));
};
// Zero points on both sides of an int8 product, one scale a column.
TESSERA_KERNEL(quantized)
(Kernel k, In<u8, "M", "K"> a, In<i8, "K", "N"> b, Scalar<i32> za, In<i8, "N"> zb, In<f32, "N"> scale,
 Out<f32, "M", "N"> c, Out<i8, "M", "N"> q) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  auto i = k.all<"K">();
  auto s = sum<"K">((cast<i32>(a(m, i)) - za) * (cast<i32>(b(i, n)) - cast<i32>(zb(n))));
  auto f = cast<f32>(s) * scale(n);
  c(m, n) = f;
  q(m, n) = cast<i8>(clamp(f, -100, 100));
};
// The recurrence h = a·h + x of state space models, as a scan of pairs, and backwards.
TESSERA_KERNEL(recurrences)
(Kernel k, In<f32, "B", "T"> a, In<f32, "B", "T"> x, Out<f32, "B", "T"> h, Out<f32, "B", "T"> suffix) {
  auto z = k.block<"B">(BM);
  auto t = k.all<"T">();
  auto step = [](auto p, auto q) {
    auto [pa, px] = p;
    auto [qa, qx] = q;
    return std::array{pa * qa, px * qa + qx};
  };
  auto [decay, state] = associative_scan<"T">({a(z, t), x(z, t)}, {1.f, 0.f}, step);
  h(z, t) = state + 0 * decay;
  suffix(z, t) = flip<"T">(cumsum<"T">(flip<"T">(x(z, t))));
};
// What of the sorted probabilities makes up p, and one number drawn from it.
TESSERA_KERNEL(nucleus)
(Kernel k, In<f32, "B", "V"> logits, Scalar<f32> p, Scalar<u64> seed, Out<f32, "B", "V"> kept, Out<i64, "B"> drawn) {
  auto b = k.block<"B">(BM);
  auto v = k.all<"V">();
  auto e = exp(logits(b, v) - max<"V">(logits(b, v)));
  auto probability = e / sum<"V">(e);
  auto sorted = sort<"V">(probability, Order::descending);
  auto before = cumsum<"V">(sorted) - sorted;
  auto least = min<"V">(where(before < p, sorted, 2));
  auto mine = where(probability >= least, probability, 0);
  kept(b, v) = mine;
  auto u = uniform<f32>(seed, cast<u64>(b));
  drawn(b) = argmax<"V">(where(cumsum<"V">(mine) >= u * sum<"V">(mine) * 0.5f, 1, 0));
};
TESSERA_KERNEL(one_hot)(Kernel k, In<f32, "M", "N"> x, Out<i8, "M", "N"> y, Out<i32, "N"> count) {
  auto m = k.block<"M">(BM);
  auto n = k.all<"N">();
  auto hit = n == argmax<"N">(x(m, n));
  y(m, n) = cast<i8>(hit);
  count(n) += sum<"M">(cast<i32>(hit));
};
TESSERA_KERNEL(batch_norm)(Kernel k, In<f16, "B", "C", "P"> x, InOut<f32, "C"> running, Out<f16, "B", "C", "P"> y) {
  auto c = k.block<"C">(BM);
  auto b = k.all<"B">(), p = k.all<"P">();
  auto v = cast<f32>(x(b, c, p));
  auto mu = mean<"B", "P">(v);
  auto d = v - mu;
  y(b, c, p) = cast<f16>(d * rsqrt(mean<"B", "P">(d * d) + 1e-5f));
  running(c) = 0.9f * running(c) + 0.1f * mu;
};

double label(std::int64_t i) { return double(i * 7 % 10); }

}  // namespace

TEST_CASE("spellings: gated products and scores") {
  for (std::int64_t t : {5, 33})
    for (std::int64_t n : {1, 19}) {
      CPU_CHECK(of(swiglu.program, {{"T", t}, {"K", 23}, {"N", n}}));
      Case c = of(causal_scores.program, {{"T", t}, {"S", n}, {"D", 13}});
      c.scalars = {{"scale", 0.25}};
      CPU_CHECK(c);
    }
  CPU_CHECK(of(swiglu.program, {{"T", 4}, {"K", 0}, {"N", 9}}));
}

TEST_CASE("spellings: norms") {
  for (std::int64_t t : {0, 7}) {
    CPU_CHECK(of(rms_rope.program, {{"T", t}, {"D", 10}}));
    CPU_CHECK(of(rms_rope.program, {{"T", t}, {"D", 66}}));
    Case c = of(group_norm.program, {{"B", t}, {"C", 6}, {"H", 5}, {"W", 11}});
    c.scalars = {{"groups", 3}};
    CPU_CHECK(c);
    CPU_CHECK(of(batch_norm.program, {{"B", 3}, {"C", t}, {"P", 17}}));
  }
}

TEST_CASE("spellings: losses, samples and choices") {
  for (std::int64_t m : {1, 19}) {
    Case c = of(cross_entropy.program, {{"M", m}, {"C", 10}});
    c.data = {{"label", label}};
    CPU_CHECK(c);
    c = of(nucleus.program, {{"B", m}, {"V", 21}});
    c.scalars = {{"p", 0.5}, {"seed", 7}};
    CPU_CHECK(c);
    CPU_CHECK(of(one_hot.program, {{"M", m}, {"N", 37}}));
    CPU_CHECK(of(recurrences.program, {{"B", m}, {"T", 29}}));
  }
}

TEST_CASE("spellings: windows and quantized products") {
  CPU_CHECK(of(pools.program, {{"C", 3}, {"H", 9}, {"W", 22}, {"OH", 5}, {"OW", 11}}));
  CPU_CHECK(of(pools.program, {{"C", 1}, {"H", 1}, {"W", 1}, {"OH", 1}, {"OW", 1}}));
  for (int dilation : {1, 2}) {
    Case c = of(depthwise.program, {{"C", 5}, {"H", 7}, {"W", 30}, {"KH", 3}, {"KW", 3}});
    c.scalars = {{"dilation", double(dilation)}};
    CPU_CHECK(c);
  }
  for (std::int64_t n : {3, 41}) {
    Case c = of(quantized.program, {{"M", 7}, {"K", 21}, {"N", n}});
    c.scalars = {{"za", 3}};
    CPU_CHECK(c);
  }
}
