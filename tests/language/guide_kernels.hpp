// Owns the kernels of docs/language.md, as they stand there: guide_test.cpp compares them with it and runs them.
#pragma once

#include <tessera/tessera.hpp>

#include <array>
#include <vector>

// clang-format off: the kernels stand here as in the guide
namespace guide {

using namespace tessera;

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BK"> BK;

TESSERA_KERNEL(scale)(Kernel k, In<f32, "M", "N"> x, Scalar<f32> s, Out<f32, "M", "N"> y) {
  auto m = k.block<"M">(BM);                         // grid: one block of rows a program
  for (auto n : k.blocks<"N">(256)) y(m, n) = s * x(m, n);
};

TESSERA_KERNEL(bias_relu)(Kernel k, In<f32, "M", "N"> x, In<f32, "N"> bias, Scalar<f32> slope, Out<f32, "M", "N"> y) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  auto v = x(m, n) + bias(n);
  y(m, n) = where(v > 0, v, slope * v);
};

TESSERA_KERNEL(row_statistics)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> average, Out<f32, "M"> largest, Out<i64, "M"> at_) {
  auto m = k.block<"M">(BM);
  auto n = k.all<"N">();                          // the whole row, however long
  average(m) = mean<"N">(x(m, n));
  largest(m) = max<"N">(abs(x(m, n)));
  at_(m) = argmax<"N">(x(m, n));
};

TESSERA_KERNEL(row_softmax)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "N"> y) {
  auto m = k.block<"M">(BM);
  auto n = k.all<"N">();
  auto e = exp(x(m, n) - max<"N">(x(m, n)));
  y(m, n) = e / sum<"N">(e);
};

TESSERA_KERNEL(linear)(Kernel k, In<f32, "M", "K"> a, In<f32, "N", "K"> w, In<f32, "N"> bias, Out<f32, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  Var acc = k.zeros<f32>(m, n);
  for (auto i : k.blocks<"K">(BK)) acc += dot(a(m, i), w(n, i));
  c(m, n) = gelu(acc + bias(n));
};

TESSERA_KERNEL(batched)(Kernel k, In<f16, "B", "M", "K"> a, In<f16, "B", "K", "N"> b, Out<f16, "B", "M", "N"> c) {
  auto z = k.index<"B">();
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  auto i = k.all<"K">();
  c(z, m, n) = cast<f16>(dot(a(z, m, i), b(z, i, n)));    // dot of f16 is f32: narrowing is said
};

TESSERA_KERNEL(convolve)(Kernel k, In<f32, "C", "H", "W"> x, In<f32, "F", "C", "KH", "KW"> w, Scalar<i32> pad_, Out<f32, "F", "OH", "OW"> y) {
  auto f = k.block<"F">(BM), oh = k.block<"OH">(4), ow = k.block<"OW">(BN);
  auto kh = k.all<"KH">(), kw = k.all<"KW">();
  Var acc = k.zeros<f32>(f, oh, ow);
  for (auto c : k.blocks<"C">(BK))
    acc += dot<"C", "KH", "KW">(w(f, c, kh, kw), x.pad(0)(c, oh + kh - pad_, ow + kw - pad_));
  y(f, oh, ow) = acc;
};

TESSERA_KERNEL(attend)(Kernel k, In<f32, "T", "D"> q, In<f32, "S", "D"> key, In<f32, "S", "D"> value, Scalar<f32> scale, Out<f32, "T", "D"> out) {
  auto i = k.block<"T">(BM);
  auto d = k.all<"D">();
  Var top = k.full<f32>(-inf, i), total = k.zeros<f32>(i), acc = k.zeros<f32>(i, d);
  for (auto j : k.blocks<"S">(BN)) {
    auto s = where(j <= i, dot(q(i, d), key(j, d)) * scale, -inf);   // causal: a block is its positions
    auto next = max(top, max<"S">(s));
    auto safe = where(next == -inf, 0, next);                        // no key seen yet
    auto p = exp(s - safe), fix = exp(top - safe);
    total = total * fix + sum<"S">(p);
    acc = acc * fix + dot(p, value(j, d));
    top = next;
  }
  out(i, d) = acc / total;
};

TESSERA_KERNEL(ragged_mean)(Kernel k, In<f32, "T", "D"> x, In<i32, "B+1"> start, Out<f32, "B", "D"> y) {
  auto b = k.index<"B">();
  auto d = k.block<"D">(BN);
  Var acc = k.zeros<f32>(d);
  for (auto t : k.blocks<"T">(BK, start(b), start(b + 1))) acc += sum<"T">(x(t, d));
  y(b, d) = acc / cast<f32>(max(start(b + 1) - start(b), 1));
};
TESSERA_KERNEL(ragged_scale)(Kernel k, In<f32, "T"> x, In<i32, "B+1"> start, In<f32, "B"> s, Scalar<i32> longest, Out<f32, "T"> y) {
  auto b = k.index<"B">();
  auto t = k.block<"T">(BM, start(b), start(b + 1), longest);
  y(t) = x(t) * s(b);
};

TESSERA_KERNEL(gather_rows)(Kernel k, In<i32, "T"> ids, In<f32, "V", "D"> table, Out<f32, "T", "D"> out) {
  auto t = k.block<"T">(BM), d = k.block<"D">(BN);
  out(t, d) = table(ids(t), d);
};
TESSERA_KERNEL(scatter_rows)(Kernel k, In<i32, "T"> ids, In<f32, "T", "D"> x, Out<f32, "V", "D"> table) {
  auto t = k.block<"T">(BM), d = k.block<"D">(BN);
  table(ids(t), d) += x(t, d);                    // an Out with += starts at 0
};

TESSERA_KERNEL(count_bytes)(Kernel k, In<u8, "N"> x, Out<i32, "BINS"> h) {
  auto i = k.block<"N">(BN);
  h(cast<i32>(x(i))) += 1;
};

TESSERA_KERNEL(running_sum)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "N"> y) {
  auto m = k.block<"M">(BM);
  Var carry = k.zeros<f32>(m);
  for (auto n : k.blocks<"N">(BN)) {
    y(m, n) = carry + cumsum<"N">(x(m, n));
    carry += sum<"N">(x(m, n));
  }
};

TESSERA_KERNEL(best)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "K"> value, Out<i64, "M", "K"> place, Out<f32, "M", "N"> sorted) {
  auto m = k.block<"M">(BM);
  auto n = k.all<"N">(), c = k.all<"K">();
  auto [v, p] = topk<"N", "K">(x(m, n), c);
  value(m, c) = v;
  place(m, c) = p;
  sorted(m, n) = sort<"N">(x(m, n), Order::descending);
};

TESSERA_KERNEL(blur)(Kernel k, In<f32, "X"> u, Out<f32, "X"> v) {
  auto x = k.block<"X">(BN);
  auto p = u.pad(0);
  v(x) = (p(x - 1) + 2 * p(x) + p(x + 1)) / 4;
};
constexpr Tile blur_step(Tile u, Block x) {
  auto p = pad(u, 0);
  return (at<"X">(p, x - 1) + 2 * at<"X">(p, x) + at<"X">(p, x + 1)) / 4;
}
TESSERA_KERNEL(blur_twice)(Kernel k, In<f32, "X"> u, Out<f32, "X"> v) {
  auto x = k.block<"X">(BN);
  auto once = blur_step(u(x.grow(2)), x.grow(1));
  v(x) = blur_step(once, x);
};

TESSERA_KERNEL(collatz)(Kernel k, In<i64, "N"> x, Out<i32, "N"> steps) {
  auto i = k.block<"N">(BN);
  Var v = x(i), n = k.zeros<i32>(i);
  while (k.loop(any(v > 1))) {
    n += where(v > 1, 1, 0);
    v = where(v <= 1, v, where(v % 2 == 0, v / 2, 3 * v + 1));
  }
  steps(i) = n;
};

TESSERA_KERNEL(first_and_rest)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "N"> y) {
  auto r = k.index<"M">();
  auto n = k.block<"N">(BN);
  Var v = x(r, n);
  if (auto t = k.when(r == 0)) v *= 2;
  if (auto e = k.otherwise()) v = -v;
  y(r, n) = v;
};

TESSERA_KERNEL(log_sum_exp)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y) {
  auto m = k.block<"M">(BM);
  auto n = k.all<"N">();
  auto [top, total] = reduce<"N">({x(m, n), 1.f}, {-inf, 0.f}, [](auto a, auto b) {
    auto [ma, sa] = a;
    auto [mb, sb] = b;
    auto t = max(ma, mb), safe = where(t == -inf, 0, t);
    return std::array{t, sa * exp(ma - safe) + sb * exp(mb - safe)};
  });
  y(m) = top + log(total);
};

TESSERA_KERNEL(add_noise)(Kernel k, In<f32, "N"> x, Scalar<u64> seed, Out<f32, "N"> y) {
  auto i = k.block<"N">(BN);
  y(i) = x(i) + 0.1 * normal<f32>(seed, cast<u64>(i));
};

TESSERA_KERNEL(to_fp8)(Kernel k, In<f32, "M", "K"> x, Out<fp8_e4m3, "M", "K"> q, Out<f32, "M"> scale) {
  auto m = k.block<"M">(BM);
  auto i = k.all<"K">();
  auto s = max(max<"K">(abs(x(m, i))) / 448, 1e-30f);
  scale(m) = s;
  q(m, i) = cast<fp8_e4m3>(x(m, i) / s);          // nearest even, saturating
};
TESSERA_KERNEL(int4_weights)(Kernel k, In<f32, "M", "K"> a, In<i4, "N", "K"> w, In<f32, "N", "K/32"> scale, Out<f32, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  Var acc = k.zeros<f32>(m, n);
  for (auto i : k.blocks<"K">(BK)) acc += dot(a(m, i), cast<f32>(w(n, i)) * scale(n, i / 32));
  c(m, n) = acc;
};

TESSERA_KERNEL(pair_means)(Kernel k, In<f32, "N"> x, Out<f32, "N/2"> y) {
  k.expects(k.extent<"N">() % 2 == 0, "N is even");
  auto g = k.block<"N/2">(BN);
  auto e = k.lanes<"E">(2);
  y(g) = mean<"E">(x(g * 2 + e));
};
TESSERA_KERNEL(side_by_side)(Kernel k, In<f32, "M", "N"> a, In<f32, "M", "P"> b, Out<f32, "M"> largest) {
  auto m = k.block<"M">(BM);
  auto both = join<"C">(as<"N", "C">(a(m, k.all<"N">())), as<"P", "C">(b(m, k.all<"P">())));
  largest(m) = max<"C">(both);
};

TESSERA_KERNEL(momentum)(Kernel k, In<f32, "N"> gradient, Scalar<f32> rate, InOut<f32, "N"> speed, InOut<f32, "N"> weight) {
  auto i = k.block<"N">(BN);
  auto v = 0.9 * speed(i) + gradient(i);          // a read is the value at that moment
  speed(i) = v;
  weight(i) = weight(i) - rate * v;
};

TESSERA_KERNEL(roots)(Kernel k, In<f32, "N"> x, Out<f32, "N"> y) {
  k.expects(k.extent<"N">() > 0, "there is something to do");       // before the launch
  auto i = k.block<"N">(BN);
  k.check(x(i) >= 0, "a root of a negative number");
  if (auto t = k.when(i.begin() == 0)) k.print("x[{}] = {}", i, x(i));
  y(i) = sqrt(x(i));
};

struct RunningMean {
  Var total, count;
  constexpr RunningMean(Kernel k, Block m) : total(k.zeros<f32>(m)), count(k.zeros<f32>(m)) {}
  template <name N>
  constexpr void add(Tile x, Block n) {
    total += sum<N>(x);
    count += cast<f32>(n.count());
  }
  constexpr Tile value() const { return total / count; }
};
template <class T>
TESSERA_KERNEL(column_means)(Kernel k, In<T, "M", "N"> x, Out<f32, "N"> y) {
  auto n = k.block<"N">(BN);
  RunningMean mean_(k, n);
  for (auto m : k.blocks<"M">(BM)) mean_.add<"M">(cast<f32>(x(m, n)), m);
  y(n) = mean_.value();
};

inline void call_with_a_configuration(std::vector<float>& a, std::vector<float>& w, std::vector<float>& bias, std::vector<float>& c) {
  linear.with(Config{.tunables = {{"BM", 48}, {"BK", 256}}, .threads = 1})(view(a, {64, 300}), view(w, {80, 300}), bias, view(c, {64, 80}));
  linear.with(Config{.target = "interpreter"})(view(a, {64, 300}), view(w, {80, 300}), bias, view(c, {64, 80}));
  linear.with(Config{.features = "sse2"})(view(a, {64, 300}), view(w, {80, 300}), bias, view(c, {64, 80}));
}

inline void call_with_numerics(std::vector<float>& a, std::vector<float>& w, std::vector<float>& bias, std::vector<float>& c) {
  linear.with(Config{.numerics = Numerics::strict})(view(a, {64, 300}), view(w, {80, 300}), bias, view(c, {64, 80}));
  linear.with(Config{.deterministic = true})(view(a, {64, 300}), view(w, {80, 300}), bias, view(c, {64, 80}));
  linear.with(Config{.numerics = Numerics::fast})(view(a, {64, 300}), view(w, {80, 300}), bias, view(c, {64, 80}));
}

inline bool call_without_exceptions(std::vector<float>& a, std::vector<float>& w, std::vector<float>& bias, std::vector<float>& c) {
  const Status status = linear.try_call(view(a, {64, 300}), view(w, {80, 300}), bias, view(c, {64, 80}));
  return static_cast<bool>(status);                // status.message() says what is wrong
}

}  // namespace guide
// clang-format on
