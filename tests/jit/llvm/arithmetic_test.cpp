// Tests arithmetic, comparisons, shuffles and reductions of machine code against plain C++ on bit patterns.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/jit/llvm/harness.hpp"

using namespace emit_test;
using loop::Op;

namespace {

const DType integers[] = {DType::i4,  DType::u4,  DType::i8,  DType::u8,  DType::i16,
                          DType::u16, DType::i32, DType::u32, DType::i64, DType::u64};

// An integer's value; of unsigned ones as a 128-bit number, so that every operation can be said plainly.
__extension__ using Wide = __int128;
__extension__ using WideUnsigned = unsigned __int128;
Wide value_of(DType t, std::uint64_t bits) {
  const int width = info(t).bits;
  if (info(t).is_signed_integer()) return static_cast<std::int64_t>(bits << (64 - width)) >> (64 - width);
  return static_cast<Wide>(bits);
}
std::uint64_t bits_of(DType t, Wide v) {
  const int width = info(t).bits;
  const auto word = static_cast<std::uint64_t>(v);
  return width == 64 ? word : word & ((std::uint64_t{1} << width) - 1);
}
Wide floor_div(Wide a, Wide b) { return b == 0 ? 0 : (a / b) - ((a % b != 0) && ((a % b < 0) != (b < 0)) ? 1 : 0); }

Wide expected(Op op, DType t, Wide a, Wide b) {
  const int width = info(t).bits;
  const auto count = static_cast<std::uint64_t>(bits_of(t, b));
  switch (op) {
    case Op::add:
      return a + b;
    case Op::sub:
      return a - b;
    case Op::mul:
      return static_cast<Wide>(static_cast<WideUnsigned>(a) * static_cast<WideUnsigned>(b));
    case Op::div:
      return b == 0 ? 0 : a / b;
    case Op::rem:
      return b == 0 ? a : a % b;
    case Op::floor_div:
      return floor_div(a, b);
    case Op::floor_rem:
      return b == 0 ? 0 : a - floor_div(a, b) * b;
    case Op::min:
    case Op::min_number:
    case Op::fast_min:
      return a < b ? a : b;
    case Op::max:
    case Op::max_number:
    case Op::fast_max:
      return a > b ? a : b;
    case Op::bit_and:
      return a & b;
    case Op::bit_or:
      return a | b;
    case Op::bit_xor:
      return a ^ b;
    case Op::shl:
      return count >= static_cast<std::uint64_t>(width) ? 0 : a << count;
    case Op::shr:
      return count >= static_cast<std::uint64_t>(width) ? (a < 0 ? -1 : 0) : a >> count;
    default:
      return 0;
  }
}

Bits run_binary(const std::string& features, Op op, DType t, const Bits& a, const Bits& b, int lanes) {
  return apply(features, {t, t}, t, {a, b}, lanes, [&](loop::Builder& builder, const loop::Builder::Values& v) {
    return builder.emit(op, {t, static_cast<std::uint16_t>(lanes), -1}, v);
  });
}

template <class F>
bool same(F a, F b) {
  return (std::isnan(a) && std::isnan(b)) || std::memcmp(&a, &b, sizeof a) == 0;
}

template <class F>
F float_result(Op op, F a, F b) {
  const F nan = std::numeric_limits<F>::quiet_NaN();
  switch (op) {
    case Op::add:
      return a + b;
    case Op::sub:
      return a - b;
    case Op::mul:
      return a * b;
    case Op::div:
      return a / b;
    case Op::min:
      return std::isnan(a) || std::isnan(b) ? nan : a < b ? a : b;
    case Op::max:
      return std::isnan(a) || std::isnan(b) ? nan : a > b ? a : b;
    case Op::min_number:
      return std::isnan(b) ? a : std::isnan(a) ? b : a < b ? a : b;
    case Op::max_number:
      return std::isnan(b) ? a : std::isnan(a) ? b : a > b ? a : b;
    case Op::fast_min:
      return a < b ? a : b;
    case Op::fast_max:
      return a > b ? a : b;
    case Op::neg:
      return -a;
    case Op::abs:
      return std::fabs(a);
    case Op::sqrt:
      return std::sqrt(a);
    case Op::floor:
      return std::floor(a);
    case Op::ceil:
      return std::ceil(a);
    case Op::trunc:
      return std::trunc(a);
    case Op::round:
      return std::nearbyint(a);
    default:
      return nan;
  }
}

template <class F>
void check_floats(const std::string& features, int lanes) {
  constexpr DType t = dtype_of<F>;
  using U = std::conditional_t<sizeof(F) == 4, std::uint32_t, std::uint64_t>;
  const Bits a = patterns(t, 960, 3);
  Bits b = patterns(t, 960, 5);
  for (std::size_t i = 0; i < 40; ++i) std::swap(b[i], b[(i * 7) % 40]);
  for (Op op : {Op::add, Op::sub, Op::mul, Op::div, Op::min, Op::max, Op::min_number, Op::max_number, Op::fast_min,
                Op::fast_max}) {
    const Bits out = run_binary(features, op, t, a, b, lanes);
    for (std::size_t i = 0; i < a.size(); ++i) {
      const F x = std::bit_cast<F>(static_cast<U>(a[i])), y = std::bit_cast<F>(static_cast<U>(b[i]));
      const F got = std::bit_cast<F>(static_cast<U>(out[i]));
      if (!same(got, float_result(op, x, y))) {
        INFO(features, " ", loop::name(op), " lanes ", lanes, " ", x, " ", y, " gave ", got);
        CHECK(same(got, float_result(op, x, y)));
      }
    }
  }
  for (Op op : {Op::neg, Op::abs, Op::sqrt, Op::floor, Op::ceil, Op::trunc, Op::round}) {
    const Bits out = apply(features, {t}, t, {a}, lanes, [&](loop::Builder& builder, const loop::Builder::Values& v) {
      return builder.emit(op, {t, static_cast<std::uint16_t>(lanes), -1}, v);
    });
    for (std::size_t i = 0; i < a.size(); ++i) {
      const F x = std::bit_cast<F>(static_cast<U>(a[i])), got = std::bit_cast<F>(static_cast<U>(out[i]));
      if (!same(got, float_result(op, x, x))) {
        INFO(features, " ", loop::name(op), " lanes ", lanes, " ", x, " gave ", got);
        CHECK(same(got, float_result(op, x, x)));
      }
    }
  }
  const Bits c = patterns(t, 960, 11);
  const Bits fused =
      apply(features, {t, t, t}, t, {a, b, c}, lanes,
            [&](loop::Builder& builder, const loop::Builder::Values& v) { return builder.fma(v[0], v[1], v[2]); });
  for (std::size_t i = 0; i < a.size(); ++i) {
    const F x = std::bit_cast<F>(static_cast<U>(a[i])), y = std::bit_cast<F>(static_cast<U>(b[i])),
            z = std::bit_cast<F>(static_cast<U>(c[i]));
    const F want = std::fma(x, y, z);
    const F got = std::bit_cast<F>(static_cast<U>(fused[i]));
    if (!same(got, want)) {
      INFO(features, " fma ", x, " ", y, " ", z, " gave ", got, ", not ", want);
      CHECK(same(got, want));
    }
  }
  for (Op op : {Op::eq, Op::ne, Op::lt, Op::le, Op::gt, Op::ge}) {
    const Bits out =
        apply(features, {t, t}, DType::b8, {a, b}, lanes, [&](loop::Builder& builder, const loop::Builder::Values& v) {
          return builder.emit(op, {DType::b8, static_cast<std::uint16_t>(lanes), -1}, v);
        });
    for (std::size_t i = 0; i < a.size(); ++i) {
      const F x = std::bit_cast<F>(static_cast<U>(a[i])), y = std::bit_cast<F>(static_cast<U>(b[i]));
      const bool want = op == Op::eq   ? x == y
                        : op == Op::ne ? x != y
                        : op == Op::lt ? x < y
                        : op == Op::le ? x <= y
                        : op == Op::gt ? x > y
                                       : x >= y;
      if ((out[i] != 0) != want) {
        INFO(features, " ", loop::name(op), " ", x, " ", y);
        CHECK((out[i] != 0) == want);
      }
    }
  }
}

}  // namespace

TEST_CASE("integer operations, vectors and scalars, of every width") {
  for (const std::string& features : runnable())
    for (DType t : integers) {
      const std::size_t count = 192;
      const Bits a = patterns(t, count, 2);
      Bits b = patterns(t, count, 9);
      for (std::size_t i = 0; i < 20; ++i) std::swap(b[i], b[(i * 7 + 3) % 20]);
      for (std::size_t i = count / 2; i < count; ++i)
        b[i] = bits_of(t, static_cast<Wide>(b[i] % 71) - (info(t).has_sign ? 9 : 0));
      for (Op op : {Op::add, Op::sub, Op::mul, Op::div, Op::rem, Op::floor_div, Op::floor_rem, Op::min, Op::max,
                    Op::bit_and, Op::bit_or, Op::bit_xor, Op::shl, Op::shr})
        for (int lanes : {1, 16}) {
          const Bits out = run_binary(features, op, t, a, b, lanes);
          for (std::size_t i = 0; i < count; ++i) {
            if ((op == Op::div || op == Op::rem) && b[i] == 0) continue;
            const std::uint64_t want = bits_of(t, expected(op, t, value_of(t, a[i]), value_of(t, b[i])));
            if (out[i] != want) {
              INFO(features, " ", loop::name(op), " ", dtype_name(t), " lanes ", lanes, ": ", a[i], " ", b[i]);
              CHECK(out[i] == want);
            }
          }
        }
      for (Op op : {Op::neg, Op::abs, Op::logical_not}) {
        const Bits out = apply(features, {t}, t, {a}, 8, [&](loop::Builder& builder, const loop::Builder::Values& v) {
          return builder.emit(op, {t, 8, -1}, v);
        });
        for (std::size_t i = 0; i < count; ++i) {
          const Wide v = value_of(t, a[i]);
          const std::uint64_t want = bits_of(t, op == Op::neg ? -v : op == Op::abs ? (v < 0 ? -v : v) : ~v);
          if (op == Op::logical_not && info(t).bits < 8) continue;
          if (out[i] != want) CHECK(out[i] == want);
        }
      }
      for (Op op : {Op::eq, Op::ne, Op::lt, Op::le, Op::gt, Op::ge}) {
        const Bits out =
            apply(features, {t, t}, DType::b8, {a, b}, 8, [&](loop::Builder& builder, const loop::Builder::Values& v) {
              return builder.emit(op, {DType::b8, 8, -1}, v);
            });
        for (std::size_t i = 0; i < count; ++i) {
          const Wide x = value_of(t, a[i]), y = value_of(t, b[i]);
          const bool want = op == Op::eq   ? x == y
                            : op == Op::ne ? x != y
                            : op == Op::lt ? x < y
                            : op == Op::le ? x <= y
                            : op == Op::gt ? x > y
                                           : x >= y;
          if ((out[i] != 0) != want) CHECK((out[i] != 0) == want);
        }
      }
    }
  CHECK(true);
}

TEST_CASE("division by constants") {
  const std::string features = runnable().back();
  for (DType t : {DType::i32, DType::i64, DType::u8, DType::i8, DType::u64})
    for (std::int64_t divisor : {1, -1, 2, 7, 64, -8, 0, 100}) {
      if (divisor < 0 && !info(t).has_sign) continue;
      const Bits a = patterns(t, 64, 4);
      for (Op op : {Op::div, Op::rem, Op::floor_div, Op::floor_rem}) {
        if (divisor == 0 && (op == Op::div || op == Op::rem)) continue;
        for (int lanes : {1, 8}) {
          const Bits out = apply(features, {t}, t, {a}, lanes, [&](loop::Builder& b, const loop::Builder::Values& v) {
            const loop::Type type{t, static_cast<std::uint16_t>(lanes), -1};
            return b.emit(op, type, {v[0], b.constant(type, divisor)});
          });
          for (std::size_t i = 0; i < a.size(); ++i) {
            const std::uint64_t want = bits_of(t, expected(op, t, value_of(t, a[i]), divisor));
            if (out[i] != want) {
              INFO(loop::name(op), " ", dtype_name(t), " ", a[i], " by ", divisor, " lanes ", lanes);
              CHECK(out[i] == want);
            }
          }
        }
      }
    }
}

TEST_CASE("float operations, vectors of any length and scalars") {
  for (const std::string& features : runnable()) {
    for (int lanes : {1, 3, 8, 16}) {
      check_floats<float>(features, lanes);
      check_floats<double>(features, lanes);
    }
  }
  CHECK(true);
}

TEST_CASE("masks: logic, select, reductions") {
  for (const std::string& features : runnable())
    for (int lanes : {1, 4, 12, 32}) {
      const std::size_t count = 96;
      const Bits a = patterns(DType::b8, count, 3), b = patterns(DType::b8, count, 8);
      for (Op op : {Op::bit_and, Op::bit_or, Op::bit_xor, Op::eq, Op::ne}) {
        const Bits out = apply(features, {DType::b8, DType::b8}, DType::b8, {a, b}, lanes,
                               [&](loop::Builder& builder, const loop::Builder::Values& v) {
                                 return builder.emit(op, {DType::b8, static_cast<std::uint16_t>(lanes), -1}, v);
                               });
        for (std::size_t i = 0; i < count; ++i) {
          const bool x = a[i] != 0, y = b[i] != 0;
          CHECK(out[i] == std::uint64_t(op == Op::bit_and  ? x && y
                                        : op == Op::bit_or ? x || y
                                        : op == Op::eq     ? x == y
                                                           : x != y));
        }
      }
      const Bits f = patterns(DType::f32, count, 1), g = patterns(DType::f32, count, 2);
      const Bits picked = apply(
          features, {DType::b8, DType::f32, DType::f32}, DType::f32, {a, f, g}, lanes,
          [&](loop::Builder& builder, const loop::Builder::Values& v) { return builder.select(v[0], v[1], v[2]); });
      for (std::size_t i = 0; i < count; ++i) CHECK(picked[i] == (a[i] != 0 ? f[i] : g[i]));
    }
}

TEST_CASE("reductions of any number of lanes") {
  for (const std::string& features : runnable())
    for (int lanes : {1, 2, 5, 8, 16, 23}) {
      const auto n = static_cast<std::uint16_t>(lanes);
      const auto count = static_cast<std::size_t>(lanes) * 6;
      Bits x = patterns(DType::i32, count, 5), f(count), m = patterns(DType::b8, count, 6);
      for (std::size_t i = 0; i < count; ++i) f[i] = bits(static_cast<float>((i * 37) % 101) - 50.0f);
      const auto reduce = [&](Op op, DType t, const Bits& in) {
        return apply(features, {t}, t, {in}, lanes, [&](loop::Builder& b, const loop::Builder::Values& v) {
          return b.broadcast(b.emit(op, {t, 1, -1}, v), n);
        });
      };
      const Bits add = reduce(Op::reduce_add, DType::i32, x), mul = reduce(Op::reduce_mul, DType::i32, x);
      const Bits least = reduce(Op::reduce_min, DType::i32, x), most = reduce(Op::reduce_max, DType::f32, f);
      const Bits sum = reduce(Op::reduce_add, DType::f32, f);
      const Bits every = reduce(Op::reduce_and, DType::b8, m), some = reduce(Op::reduce_or, DType::b8, m);
      for (std::size_t start = 0; start < count; start += n) {
        std::uint32_t s = 0, p = 1;
        std::int32_t lo = INT32_MAX;
        float hi = -1e30f, total = 0;
        bool all = true, any = false;
        for (std::size_t i = start; i < start + n; ++i) {
          s += static_cast<std::uint32_t>(x[i]);
          p *= static_cast<std::uint32_t>(x[i]);
          lo = std::min(lo, static_cast<std::int32_t>(x[i]));
          hi = std::max(hi, std::bit_cast<float>(static_cast<std::uint32_t>(f[i])));
          total += std::bit_cast<float>(static_cast<std::uint32_t>(f[i]));  // small whole numbers: exact in any order
          all = all && m[i] != 0;
          any = any || m[i] != 0;
        }
        CHECK(add[start] == s);
        CHECK(mul[start] == p);
        CHECK(static_cast<std::int32_t>(least[start]) == lo);
        CHECK(most[start] == bits(hi));
        CHECK(sum[start] == bits(total));
        CHECK(every[start] == std::uint64_t(all));
        CHECK(some[start] == std::uint64_t(any));
      }
    }
}

TEST_CASE("max of a reduction propagates NaN") {
  Bits f(16, bits(1.0f));
  f[5] = bits(__builtin_nanf(""));
  for (const std::string& features : runnable()) {
    const Bits out =
        apply(features, {DType::f32}, DType::f32, {f}, 16, [&](loop::Builder& b, const loop::Builder::Values& v) {
          return b.broadcast(b.emit(Op::reduce_max, {DType::f32, 1, -1}, v), 16);
        });
    CHECK(is_nan_bits(DType::f32, out[0]));
  }
}

TEST_CASE("lanes: iota, broadcast, extract, insert, shuffle, bitcast") {
  for (const std::string& features : runnable()) {
    Bits a(16), b(16);
    for (std::size_t i = 0; i < 16; ++i) a[i] = 100 + i, b[i] = 200 + i;
    const Bits out = apply(features, {DType::i32, DType::i32}, DType::i32, {a, b}, 8,
                           [&](loop::Builder& builder, const loop::Builder::Values& v) {
                             const loop::Value mixed = builder.shuffle(v[0], v[1], {0, 15, 1, 14, 2, 13, 3, 12});
                             const loop::Value third = builder.extract(v[0], 3);
                             const loop::Value spread = builder.broadcast(third, 8);
                             const loop::Value more =
                                 builder.emit(Op::insert, {DType::i32, 8, -1},
                                              {spread, builder.constant({DType::i32, 1, -1}, 7), builder.integer(5)});
                             return builder.add(builder.add(mixed, more), builder.iota(DType::i32, 8));
                           });
    const std::uint64_t first[] = {100, 207, 101, 206, 102, 205, 103, 204};
    for (std::size_t i = 0; i < 8; ++i) CHECK(out[i] == first[i] + (i == 5 ? 7 : 103) + i);
    const std::uint64_t second[] = {108, 215, 109, 214, 110, 213, 111, 212};
    for (std::size_t i = 0; i < 8; ++i) CHECK(out[8 + i] == second[i] + (i == 5 ? 7 : 111) + i);
    // Shuffles that change the number of lanes, and bits of other widths.
    const Bits halves =
        apply(features, {DType::u32}, DType::u16, {a}, 4, [&](loop::Builder& builder, const loop::Builder::Values& v) {
          const loop::Value low = builder.emit(Op::bitcast, {DType::u16, 8, -1}, v);
          return builder.shuffle(low, low, {0, 2, 4, 6});
        });
    for (std::size_t i = 0; i < 16; ++i) CHECK(halves[i] == a[i]);
  }
}

TEST_CASE("bitcasts of packed types keep the order of packed.hpp") {
  for (const std::string& features : runnable())
    for (DType small : {DType::u4, DType::e2m1, DType::e2m3, DType::e3m2, DType::i4}) {
      const int width = info(small).bits;
      const int bytes = width == 4 ? 4 : 12, lanes = bytes * 8 / width;
      const Bits in = patterns(DType::u8, static_cast<std::size_t>(bytes) * 4, 5);
      // Bytes to packed lanes and back.
      const Bits out =
          apply(features, {DType::u8}, DType::u8, {in}, bytes, [&](loop::Builder& b, const loop::Builder::Values& v) {
            const loop::Value packed = b.emit(Op::bitcast, {small, static_cast<std::uint16_t>(lanes), -1}, v);
            return b.emit(Op::bitcast, {DType::u8, static_cast<std::uint16_t>(bytes), -1}, {packed});
          });
      CHECK(out == in);
    }
}

TEST_CASE("remainders of floats are exact on every processor") {
  for (const DType t : {DType::f32, DType::f64}) {
    const std::size_t count = 3000;
    const Bits a = patterns(t, count, 3), b = patterns(t, count, 4);
    for (const std::string& features : runnable())
      for (int lanes : {1, 4}) {
        const Bits rest = apply(features, {t, t}, t, {a, b}, lanes,
                                [](loop::Builder& build, const auto& v) { return build.binary(Op::rem, v[0], v[1]); });
        int off = 0;
        for (std::size_t i = 0; i < count; ++i) {
          const double want = std::fmod(to_double(t, a[i]), to_double(t, b[i]));
          off += std::isnan(want) ? !std::isnan(to_double(t, rest[i])) : rest[i] != bits_from_double(t, want);
        }
        CAPTURE(features);
        CHECK(off == 0);
      }
  }
}
