// Owns kernels that, with the 31, use every operation of the table.
#pragma once

#include "tests/kernels/kernels.hpp"

// clang-format off
TESSERA_KERNEL(every_function)(Kernel k, In<f32, "N"> x, In<i32, "N"> n, In<b8, "N"> c, Out<f32, "N"> y, Out<i32, "N"> z, Out<b8, "N"> w) {
  auto i = k.block<"N">(BM);
  auto a = x(i);
  auto f = -a + abs(a) * sqrt(a) / rsqrt(a) - exp(a) + exp2(a) * expm1(a) + log(a) + log2(a) + log1p(a) + sin(a) + cos(a) +
           tan(a) + tanh(a) + erf(a) + sigmoid(a) + floor(a) + ceil(a) + trunc(a) + round(a) + a % 2 + pow(a, 3) + fma(a, a, 1) +
           max_number(a, 0) + min_number(a, 1) + max(a, 0) + min(a, 0) + gelu(a) + gelu_tanh(a) + relu(a) + silu(a) + clamp(a, 0, 1);
  y(i) = where(c(i) || (!c(i) && a > 0), f, bitcast<f32>(n(i)));
  z(i) = ((cdiv(n(i), 3) & 7) | (1 ^ n(i) << 2)) >> 1;
  w(i) = ((n(i) >= 1) == (n(i) <= 2) && n(i) != 3) || n(i) < 4;
};
TESSERA_KERNEL(every_reduction)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y, Out<i64, "M"> p, Out<b8, "M"> q, Out<f32, "M", "N"> s) {
  auto m = k.block<"M">(BM);
  auto n = k.all<"N">();
  auto v = x(m, n);
  y(m) = sum<"N">(v) + prod<"N">(v) + max<"N">(v) + min<"N">(v) + mean<"N">(v);
  p(m) = argmax<"N">(v) + argmin<"N">(v);
  q(m) = any<"N">(v > 0) && all<"N">(v > 0);
  auto scanned = associative_scan<"N">(v, 1.f, [](auto a, auto b) { return a * b; });
  s(m, n) = cumsum<"N">(v) + cumprod<"N">(v) + sort<"N">(v) + sort<"N">(v, Order::descending) + scanned + flip<"N">(v);
};
TESSERA_KERNEL(every_shape)(Kernel k, In<f32, "N"> x, Out<f32, "N"> y, Out<f32, "N"> z) {
  auto i = k.block<"N">(64);
  auto v = x(i);
  auto halves = split<"N", "O", "I">(v, 32);
  auto back = merge<"O", "I", "P">(halves + sum<"I">(halves));
  auto two = join<"Q">(as<"P", "Q">(back), as<"N", "Q">(v));
  Var t = v;
  at<"N">(t, i.begin()) = 2;
  y(i) = at<"Q">(two, i.begin() + 0) + at<"N">(pad(v, 1), i + 1) + t;
  z(i) = merge<"O", "I">(halves, i);
};
TESSERA_KERNEL(every_memory)(Kernel k, In<i32, "T"> ids, InOut<i32, "N"> h, Out<i32, "T"> old, InOut<u64, "N"> g, Scalar<u64> seed) {
  auto t = k.block<"T">(BM);
  auto id = ids(t);
  auto first = atomic_add(h(id), 1);
  old(t) = first;
  atomic_exchange(h(id).where(id > 3), 7);
  atomic_compare_exchange(h(id), 1, 2);
  auto masked = h(id).where(id > 2, -1);
  h(id).where(masked > 0) += masked;
  atomic_max(h(id), 3);
  g(id) = cast<u64>(uniform<f32>(seed, cast<u64>(t)) * 10.f) + cast<u64>(abs(normal<f32>(seed, cast<u64>(t)))) + randint<u64>(seed, cast<u64>(t));
};
TESSERA_KERNEL(every_place)(Kernel k, In<f32, "M", "N"> x, InOut<f32, "M", "N"> y, InOut<i64, "M"> ids) {
  auto m = k.block<"M">(BM);
  auto e = k.lanes<"E">(8);
  auto th = k.threads<"W">(32);
  auto n = k.span<"N">(BN, m.begin(), m.end());
  auto scratch = k.shared<f32>(m, n);
  auto regs = k.registers<f32>(m, n);
  scratch(m, n) = x(m, n);
  regs(m, n) = scratch(m, n) + x.pad(0)(m, n + sum<"E">(e) + max<"W">(th));
  k.check(regs(m, n) >= 0, "not negative");
  k.print("{} of {}", m.count(), k.extent<"N">());
  ids(m) = k.linear_id() + k.group_id() + k.block_id<"M">() + m.number();
  if (auto c = k.when(any(regs(m, n) > 3))) {
    y(m, n) = regs(m, n);
  }
  if (auto d = k.otherwise()) {
    for (auto r : k.range(0, 4)) y(m, r) = cast<f32>(r);
  }
  Var left = k.zeros<i32>();
  while (k.loop(left < 3)) {
    left += 1;
    k.stop_if(left > 7);
  }
  y(m, n.grow(1)) = at<"N">(pad(y(m, n), 0), n.grow(1));
};
