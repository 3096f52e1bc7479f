// Owns the 31 kernels that the language is measured by, as users write them: kept as they are, whatever the style.
#pragma once

#include <tessera/tessera.hpp>

// clang-format off
using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BK"> BK;
inline constexpr Dim<"SPLIT"> SPLIT;
// (1) softmax, online
TESSERA_KERNEL(softmax)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "N"> y) {
  auto m = k.block<"M">(BM);
  Var top = k.full<f32>(-inf, m), total = k.zeros<f32>(m);
  for (auto n : k.blocks<"N">(BN)) {
    auto next = max(top, max<"N">(x(m, n)));
    auto safe = where(next == -inf, 0, next);       // a block of -inf only
    total = total * exp(top - safe) + sum<"N">(exp(x(m, n) - safe));
    top = next;
  }
  for (auto n : k.blocks<"N">(BN)) y(m, n) = exp(x(m, n) - top) / total;
};
// (2) layer norm, Welford/Chan over blocks; backward with column sums across programs
struct Moments {                                  // a device "class": plain C++
  Var count, mean, m2;
  constexpr Moments(Kernel k, Block m) : count(k.zeros<f32>(m)), mean(k.zeros<f32>(m)), m2(k.zeros<f32>(m)) {}
  template <name N> constexpr void add(Tile x, Block n) {
    auto c = cast<f32>(n.count()), mu = sum<N>(x) / c, d = mu - mean, all = count + c;
    m2 += sum<N>((x - mu) * (x - mu)) + d * d * count * c / all;
    mean += d * c / all;
    count = all;
  }
};
TESSERA_KERNEL(layer_norm)(Kernel k, In<f32, "M", "N"> x, In<f32, "N"> w, In<f32, "N"> b, Scalar<f32> eps,
                           Out<f32, "M", "N"> y, Out<f32, "M"> mu, Out<f32, "M"> rstd) {
  auto m = k.block<"M">(BM);
  Moments s(k, m);
  for (auto n : k.blocks<"N">(BN)) s.add<"N">(x(m, n), n);
  auto r = 1 / sqrt(s.m2 / s.count + eps);
  mu(m) = s.mean;
  rstd(m) = r;
  for (auto n : k.blocks<"N">(BN)) y(m, n) = (x(m, n) - s.mean) * r * w(n) + b(n);
};
TESSERA_KERNEL(welford)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> var) {
  auto m = k.block<"M">(BM); auto n = k.all<"N">();
  auto [count, mu, m2] = reduce<"N">({1.f, x(m, n), 0.f}, {0.f, 0.f, 0.f}, [](auto a, auto b) {
    auto [na, ma, sa] = a; auto [nb, mb, sb] = b;
    auto all = na + nb, d = mb - ma, part = where(all == 0, 0, nb / all);
    return std::array{all, ma + d * part, sa + sb + d * d * na * part};
  });
  var(m) = m2 / count;
};
TESSERA_KERNEL(layer_norm_backward)(Kernel k, In<f32, "M", "N"> x, In<f32, "N"> w, In<f32, "M"> mu, In<f32, "M"> rstd, In<f32, "M", "N"> dy,
                                    Out<f32, "M", "N"> dx, Out<f32, "N"> dw, Out<f32, "N"> db) {
  auto m = k.block<"M">(BM);
  auto n = k.all<"N">();
  auto xhat = (x(m, n) - mu(m)) * rstd(m), g = dy(m, n) * w(n);
  dx(m, n) = (g - mean<"N">(g) - xhat * mean<"N">(g * xhat)) * rstd(m);
  dw(n) += sum<"M">(dy(m, n) * xhat);             // Out with += : a reduction over programs, from 0
  db(n) += sum<"M">(dy(m, n));
};
// (3) flash attention: causal, window, GQA, ragged
struct OnlineSoftmax {
  Var top, total, acc;
  constexpr OnlineSoftmax(Kernel k, Block i, Block d) : top(k.full<f32>(-inf, i)), total(k.zeros<f32>(i)), acc(k.zeros<f32>(i, d)) {}
  template <name S> constexpr void add(Tile s, Tile v) {
    auto m = max(top, max<S>(s));
    auto safe = where(m == -inf, 0, m), p = exp(s - safe), fix = exp(top - safe);
    total = total * fix + sum<S>(p);
    acc = acc * fix + dot(cast(p, v), v);
    top = m;
  }
};
template <class T>
TESSERA_KERNEL(attention)(Kernel k, In<T, "T", "HQ", "D"> q, In<T, "S", "HK", "D"> key, In<T, "S", "HK", "D"> value,
                          In<i32, "B+1"> q_at, In<i32, "B+1"> s_at, Scalar<i32> longest, Scalar<i32> window, Scalar<f32> scale,
                          Out<T, "T", "HQ", "D"> out, Out<f32, "T", "HQ"> lse) {
  k.expects(k.extent<"HQ">() % k.extent<"HK">() == 0, "query heads are a multiple of key heads");
  auto b = k.index<"B">(), h = k.index<"HQ">();
  auto i = k.block<"T">(BM, q_at(b), q_at(b + 1), longest);
  auto d = k.all<"D">();
  auto g = h / (k.extent<"HQ">() / k.extent<"HK">());
  auto shift = s_at(b + 1) - q_at(b + 1);            // the last query sees the last key
  auto qi = q(i, h, d);
  OnlineSoftmax o(k, i, d);
  for (auto j : k.blocks<"S">(BN, max(s_at(b), i.begin() + shift - window), min(s_at(b + 1), i.end() + shift))) {
    auto seen = j <= i + shift && j > i + shift - window;
    o.add<"S">(where(seen, dot(qi, key(j, g, d)) * scale, -inf), value(j, g, d));
  }
  out(i, h, d) = cast<T>(o.acc / max(o.total, 1e-30f));
  lse(i, h) = o.top + log(o.total);
};
template <class T>
TESSERA_KERNEL(attention_backward)(Kernel k, In<T, "T", "HQ", "D"> q, In<T, "S", "HK", "D"> key, In<T, "S", "HK", "D"> value, In<T, "T", "HQ", "D"> dout,
                          In<f32, "T", "HQ"> lse, In<f32, "T", "HQ"> delta, In<i32, "B+1"> q_at, In<i32, "B+1"> s_at, Scalar<i32> longest, Scalar<i32> window, Scalar<f32> scale,
                          Out<f32, "T", "HQ", "D"> dq, Out<T, "S", "HK", "D"> dkey, Out<T, "S", "HK", "D"> dvalue) {
  auto b = k.index<"B">(), g = k.index<"HK">();
  auto j = k.block<"S">(BN, s_at(b), s_at(b + 1), longest);
  auto d = k.all<"D">();
  auto group = k.extent<"HQ">() / k.extent<"HK">();
  auto shift = s_at(b + 1) - q_at(b + 1);
  auto kj = key(j, g, d), vj = value(j, g, d);
  Var dk = k.zeros<f32>(j, d), dv = k.zeros<f32>(j, d);
  for (auto h : k.range(g * group, (g + 1) * group))
    for (auto i : k.blocks<"T">(BM, max(q_at(b), j.begin() - shift), min(q_at(b + 1), j.end() - shift + window))) {
      auto qi = q(i, h, d), doi = dout(i, h, d);
      auto seen = j <= i + shift && j > i + shift - window;
      auto p = where(seen, exp(dot(qi, kj) * scale - lse(i, h)), 0);
      auto ds = p * (dot(doi, vj) - delta(i, h)) * scale;
      dv += dot(cast<T>(p), doi);
      dk += dot(cast<T>(ds), qi);
      dq(i, h, d) += dot(cast<T>(ds), kj);
    }
  dkey(j, g, d) = cast<T>(dk);
  dvalue(j, g, d) = cast<T>(dv);
};
// (4) batched gemm, gram
TESSERA_KERNEL(bmm)(Kernel k, In<f32, "B", "M", "K"> a, In<f32, "B", "K", "N"> b, Out<f32, "B", "M", "N"> c) {
  auto z = k.index<"B">(); auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  Var acc = k.zeros<f32>(m, n);
  for (auto i : k.blocks<"K">(BK)) acc += dot(a(z, m, i), b(z, i, n));
  c(z, m, n) = acc;
};
TESSERA_KERNEL(gram)(Kernel k, In<f32, "N", "K"> x, Out<f32, "N", "N"> g) {
  auto i = k.block<"N">(BM), j = as<"J">(k.block<"N">(BN));
  Var acc = k.zeros<f32>(i, j);
  for (auto c : k.blocks<"K">(BK)) acc += dot(x(i, c), x(j, c));
  g(i, j) = acc;
};
// (5) convolution
TESSERA_KERNEL(conv2d)(Kernel k, In<f32, "B", "G", "C", "H", "W"> x, In<f32, "G", "F", "C", "KH", "KW"> w, Scalar<i32> stride, Scalar<i32> pad, Out<f32, "B", "G", "F", "OH", "OW"> y) {
  k.expects(stride > 0, "stride is positive");
  k.expects(k.extent<"OH">() == (k.extent<"H">() + 2 * pad - k.extent<"KH">()) / stride + 1, "OH fits H, KH, stride and pad");
  k.expects(k.extent<"OW">() == (k.extent<"W">() + 2 * pad - k.extent<"KW">()) / stride + 1, "OW fits W, KW, stride and pad");
  auto b = k.index<"B">(), g = k.index<"G">();
  auto f = k.block<"F">(BM), oh = k.block<"OH">(4), ow = k.block<"OW">(BN);
  auto kh = k.all<"KH">(), kw = k.all<"KW">();
  Var acc = k.zeros<f32>(f, oh, ow);
  for (auto c : k.blocks<"C">(BK))
    acc += dot<"C", "KH", "KW">(w(g, f, c, kh, kw), x.pad(0)(b, g, c, oh * stride + kh - pad, ow * stride + kw - pad));
  y(b, g, f, oh, ow) = acc;
};
// (6) int8 with zero points; int4 weights with group scales; mx
TESSERA_KERNEL(gemm_i8)(Kernel k, In<i8, "M", "K"> a, In<i8, "K", "N"> b, In<f32, "N"> scale, In<i8, "N"> zero_b, Scalar<i8> zero_a, Scalar<f32> scale_a, Out<f32, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  Var acc = k.zeros<i32>(m, n), rows = k.zeros<i32>(m), cols = k.zeros<i32>(n);
  for (auto i : k.blocks<"K">(BK)) {
    acc += dot(a(m, i), b(i, n));
    rows += sum<"K">(a(m, i));
    cols += sum<"K">(b(i, n));
  }
  auto K = cast<i32>(k.extent<"K">()), za = cast<i32>(zero_a);
  c(m, n) = cast<f32>(acc - rows * zero_b(n) - cols * za + K * za * zero_b(n)) * (scale(n) * scale_a);
};
TESSERA_KERNEL(gemm_i4)(Kernel k, In<f16, "M", "K"> a, In<u8, "K/2", "N"> packed, In<f16, "K/128", "N"> scale, In<u8, "K/128", "N"> zero, Out<f16, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  Var acc = k.zeros<f32>(m, n);
  for (auto i : k.blocks<"K">(BK)) {
    auto q = packed(i / 2, n) >> cast<u8>(i % 2 * 4) & 15;             // low nibble first, along K
    auto w = cast<f16>(cast<i8>(q) - cast<i8>(zero(i / 128, n))) * scale(i / 128, n);
    acc += dot(a(m, i), w);
  }
  c(m, n) = cast<f16>(acc);
};
TESSERA_KERNEL(gemm_mx)(Kernel k, In<fp4, "M", "K"> a, In<e8m0, "M", "K/32"> sa, In<fp4, "K", "N"> b, In<e8m0, "K/32", "N"> sb, Out<f32, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  Var acc = k.zeros<f32>(m, n);
  for (auto i : k.blocks<"K">(BK)) acc += dot(scaled(a(m, i), sa(m, i / 32)), scaled(b(i, n), sb(i / 32, n)));
  c(m, n) = acc;
};
TESSERA_KERNEL(quantize_groups)(Kernel k, In<f32, "M", "K"> x, Out<i8, "M", "K"> q, Out<f32, "M", "K/32"> scale) {
  k.expects(k.extent<"K">() % 32 == 0, "K is a multiple of 32");
  auto m = k.block<"M">(BM);
  auto g = k.block<"K/32">(BK);                      // groups
  auto e = k.lanes<"E">(32);
  auto v = x(m, g * 32 + e);                         // axes M, K/32, E: no reshape needed
  auto s = max<"E">(abs(v)) / 127;
  scale(m, g) = s;
  q(m, g * 32 + e) = cast<i8>(round(v / max(s, 1e-30f)));
};
// (7) embedding
TESSERA_KERNEL(embed)(Kernel k, In<i32, "T"> ids, In<f16, "V", "D"> table, Out<f16, "T", "D"> out) {
  auto t = k.block<"T">(BM), d = k.block<"D">(BN);
  out(t, d) = table(ids(t), d);
};
TESSERA_KERNEL(embed_backward)(Kernel k, In<i32, "T"> ids, In<f32, "T", "D"> dout, Out<f32, "V", "D"> dtable) {
  auto t = k.block<"T">(BM), d = k.block<"D">(BN);
  dtable(ids(t), d) += dout(t, d);
};
// (8) histogram, scan in three launches, radix pass, top-k
TESSERA_KERNEL(histogram)(Kernel k, In<u8, "N"> x, Out<i32, "BINS"> h) {
  auto i = k.block<"N">(BN);
  h(cast<i32>(x(i))) += 1;
};
inline constexpr int CHUNK = 4096;
TESSERA_KERNEL(scan_part)(Kernel k, In<f32, "N"> x, Out<f32, "N/4096"> total) {
  auto i = k.block<"N">(CHUNK);
  total(i.number()) = sum<"N">(x(i));
};
TESSERA_KERNEL(scan_rest)(Kernel k, In<f32, "N"> x, In<f32, "N/4096"> before, Out<f32, "N"> y) {
  auto i = k.block<"N">(CHUNK);
  y(i) = cumsum<"N">(x(i)) + before(i.number());
};
TESSERA_KERNEL(scan)(Kernel k, In<f32, "N"> x, Out<f32, "N"> y) {      // one launch; planning may split the carry
  Var carry = k.zeros<f32>();
  for (auto i : k.blocks<"N">(BN)) {
    y(i) = carry + cumsum<"N">(x(i));
    carry += sum<"N">(x(i));
  }
};
TESSERA_KERNEL(radix_scatter)(Kernel k, In<u32, "N"> key, In<i32, "N/4096", "R"> base, Scalar<i32> shift, InOut<u32, "N"> out) {
  auto i = k.block<"N">(CHUNK);
  auto r = k.all<"R">();                             // 16 digits
  auto digit = cast<i32>(key(i) >> cast<u32>(shift) & 15);
  auto mine = cast<i32>(digit == r);                 // N x R
  auto rank = sum<"R">(where(digit == r, cumsum<"N">(mine), 0)) - 1;
  out(base(i.number(), digit) + rank) = key(i);
};
TESSERA_KERNEL(top_k)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "K"> best, Out<i64, "M", "K"> where_) {
  auto m = k.block<"M">(BM);
  auto c = k.all<"K">();
  Var v = k.full<f32>(-inf, m, c), at_ = k.full<i64>(-1, m, c);
  for (auto n : k.blocks<"N">(BN)) {
    auto both = join<"C">(as<"K", "C">(v), as<"N", "C">(x(m, n)));
    auto [top, from] = topk<"C", "K">(both, c);
    at_ = where(from < k.extent<"K">(), at<"K">(at_, min(from, k.extent<"K">() - 1)), from - k.extent<"K">() + n.begin());
    v = top;
  }
  best(m, c) = v;
  where_(m, c) = at_;
};
// (9) stencils
constexpr Tile heat(Tile u, Block y, Block x) {      // one step, onto a smaller block of a tile with a halo
  auto p = pad(u, 0), c = at<"Y", "X">(p, y, x);
  return c + 0.1 * (at<"Y", "X">(p, y - 1, x) + at<"Y", "X">(p, y + 1, x) + at<"Y", "X">(p, y, x - 1) + at<"Y", "X">(p, y, x + 1) - 4 * c);
}
template <int Steps> constexpr Tile march(Tile u, Block y, Block x) {
  if constexpr (Steps == 0) return u; else return march<Steps - 1>(heat(u, y.grow(Steps - 1), x.grow(Steps - 1)), y, x);
}
template <int Steps> TESSERA_KERNEL(heat_steps)(Kernel k, In<f32, "Y", "X"> u, Out<f32, "Y", "X"> v) {
  auto y = k.block<"Y">(BM), x = k.block<"X">(BN);
  v(y, x) = march<Steps>(u(y.grow(Steps), x.grow(Steps)), y, x);
};
TESSERA_KERNEL(five_point)(Kernel k, In<f32, "Y", "X"> u, Out<f32, "Y", "X"> v) {
  auto y = k.block<"Y">(BM), x = k.block<"X">(BN);
  auto p = u.pad(0);
  v(y, x) = p(y, x) + 0.1 * (p(y - 1, x) + p(y + 1, x) + p(y, x - 1) + p(y, x + 1) - 4 * p(y, x));
};
// (10) grouped gemm, offsets on the device
TESSERA_KERNEL(moe)(Kernel k, In<bf16, "T", "K"> x, In<bf16, "E", "K", "N"> w, In<i32, "E+1"> start, Out<bf16, "T", "N"> y) {
  auto p = k.index(cdiv(k.extent<"T">(), BM) + k.extent<"E">());       // never more pieces than this
  auto n = k.block<"N">(BN);
  auto all = k.all<"E">();
  auto pieces = cdiv(start(all + 1) - start(all), BM);
  auto upto = cumsum<"E">(pieces);
  auto e = sum<"E">(cast<i32>(upto <= p));                            // the expert of piece p
  k.stop_if(e == k.extent<"E">());
  auto skip = sum<"E">(where(upto <= p, pieces, 0));
  auto t = k.span<"T">(BM, start(e) + (p - skip) * BM, start(e + 1));
  Var acc = k.zeros<f32>(t, n);
  for (auto i : k.blocks<"K">(BK)) acc += dot(x(t, i), w(e, i, n));
  y(t, n) = cast<bf16>(acc);
};
// (11) dropout
TESSERA_KERNEL(dropout)(Kernel k, In<f16, "M", "N"> x, Scalar<f32> p, Scalar<u64> seed, Out<f16, "M", "N"> y) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  auto keep = uniform<f32>(seed, cast<u64>(m * k.extent<"N">() + n)) >= p;
  y(m, n) = where(keep, cast<f16>(x(m, n) / (1 - p)), 0);
};
// (12) split-K
TESSERA_KERNEL(gemm_split)(Kernel k, In<f16, "M", "K"> a, In<f16, "K", "N"> b, Out<f32, "M", "N"> c) {
  auto s = k.index(SPLIT);
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  auto part = cdiv(k.extent<"K">(), SPLIT);
  Var acc = k.zeros<f32>(m, n);
  for (auto i : k.blocks<"K">(BK, s * part, (s + 1) * part)) acc += dot(a(m, i), b(i, n));
  c(m, n) += acc;
};
// (13) Mandelbrot
TESSERA_KERNEL(mandelbrot)(Kernel k, Scalar<f32> x0, Scalar<f32> y0, Scalar<f32> step, Scalar<i32> limit, Out<i32, "Y", "X"> out) {
  auto y = k.block<"Y">(BM), x = k.block<"X">(BN);
  auto cr = x0 + cast<f32>(x) * step, ci = y0 + cast<f32>(y) * step;
  Var zr = k.zeros<f32>(y, x), zi = k.zeros<f32>(y, x), n = k.zeros<i32>(y, x), in = k.full<b8>(true, y, x);
  while (k.loop(any(in))) {
    auto r = zr * zr - zi * zi + cr;
    zi = 2 * zr * zi + ci;
    zr = r;
    in = zr * zr + zi * zi <= 4 && n < limit;
    n += cast<i32>(in);
  }
  out(y, x) = n;
};
// (14) BSR x dense
TESSERA_KERNEL(bsr)(Kernel k, In<i32, "R+1"> row, In<i32, "P"> col, In<f32, "P", "E", "F"> v, In<f32, "K", "N"> b, Out<f32, "M", "N"> c) {
  k.expects(k.extent<"M">() == k.extent<"R">() * k.extent<"E">(), "M is R blocks of E rows");
  auto r = k.index<"R">(); auto n = k.block<"N">(BN);
  auto e = k.all<"E">(), f = k.all<"F">();
  Var acc = k.zeros<f32>(e, n);
  for (auto p : k.range(row(r), row(r + 1))) acc += dot(v(p, e, f), b(col(p) * k.extent<"F">() + f, n));
  c(r * k.extent<"E">() + e, n) = acc;
};
// (15) batched Cholesky
TESSERA_KERNEL(cholesky)(Kernel k, In<f32, "B", "N", "N"> a, Out<f32, "B", "N", "N"> l) {
  auto b = k.block<"B">(BM);
  auto i = as<"I">(k.all<"N">()), j = as<"J">(k.all<"N">());
  Var s = a(b, i, j);
  for (auto c : k.range(0, k.extent<"N">())) {
    auto col = at<"J">(s, c);                                           // axes B, I
    auto v = where(i >= c, col / sqrt(at<"I">(col, c)), 0);
    auto rest = v * as<"I", "J">(v);
    s = where(j > c, s - rest, where(j == c, v, s));
  }
  l(b, i, j) = where(i >= j, s, 0);
};
// a while inside a while
TESSERA_KERNEL(nested_while)(Kernel k, In<f32, "M"> a, Out<f32, "M"> c) {
  auto m = k.block<"M">(BM);
  Var v = a(m), s = k.zeros<i32>();
  while (k.loop(any(v > 0))) {
    v -= 1;
    while (k.loop(s < 3)) s += 1;
    if (auto t = k.when(s > 2)) s = 0;
  }
  c(m) = v;
};
// clang-format on
