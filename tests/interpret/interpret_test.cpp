// Owns running programs for these tests, and tests of single numbers: Philox, fused multiply-add, small floats.
#include "tessera/interpret.hpp"

#include <random>

#include "support.hpp"

namespace interpret_test {

namespace {

/// The value of a named extent: from an argument that has it, or one that is derived from it.
std::int64_t base_extent(const tessera::ir::Program& p, const std::vector<Param>& params, std::int32_t base) {
  std::int64_t derived = -1;
  for (std::size_t a = 0; a < params.size(); ++a)
    for (int k = 0; k < p.args[a].rank && p.args[a].effect != tessera::ir::Effect::scalar; ++k) {
      const auto& e = p.extents[at(p.arg_extents[at(p.args[a].first_extent + k)])];
      if (e.base != base) continue;
      const std::int64_t n = params[a].extents[at(k)];
      if (e.plus == 0 && e.divide == 1) return n;
      if (e.divide == 1) derived = n - e.plus;
    }
  return derived;
}

}  // namespace

Report run(const tessera::ir::Program& p, const std::vector<Param>& params, Tile tile, Options options) {
  const auto layout = tessera::call::frame_layout(p);
  REQUIRE(layout.args == params.size());
  std::vector<std::uint64_t> frame(layout.words(), 0);
  for (std::size_t i = 0; i < p.extents.size(); ++i) {
    const auto& e = p.extents[i];
    const std::int64_t n = base_extent(p, params, e.base);
    frame[layout.extent_word(i)] = static_cast<std::uint64_t>((n + e.plus + e.divide - 1) / e.divide);
  }
  for (std::size_t a = 0; a < params.size(); ++a) {
    const auto& arg = p.args[a];
    const Param& param = params[a];
    frame[layout.arg_word(a)] =
        arg.effect == tessera::ir::Effect::scalar ? param.bits : reinterpret_cast<std::uintptr_t>(param.data);
    if (arg.effect == tessera::ir::Effect::scalar) continue;
    REQUIRE(param.extents.size() == arg.rank);
    std::int64_t stride = 1;
    for (int k = arg.rank - 1; k >= 0; --k) {
      const auto entry = at(arg.first_extent + k);
      const auto extent = static_cast<std::int64_t>(frame[layout.extent_word(at(p.arg_extents[entry]))]);
      REQUIRE(extent == param.extents[at(k)]);
      frame[layout.stride_word(entry)] =
          static_cast<std::uint64_t>(param.strides.empty() ? stride : param.strides[at(k)]);
      stride *= extent;
    }
  }
  return tessera::interpret(p, frame, tessera::interpreter::Configuration(p.tunables.size(), tile.size), options);
}

}  // namespace interpret_test

using namespace interpret_test;
namespace interpreter = tessera::interpreter;

TEST_CASE("Philox4x32-10 gives its published numbers") {
  const auto words = interpreter::philox(0, 0);
  CHECK(words[0] == 0x6627e8d5);
  CHECK(words[1] == 0xe169c58d);
  CHECK(words[2] == 0xbc57ac4c);
  CHECK(words[3] == 0x9b00dbd8);
  static_assert(interpreter::philox(1, 0) != interpreter::philox(0, 1));
  // Halves of the seed and of the counter go into different words.
  CHECK(interpreter::philox(std::uint64_t{1} << 32, 0) != interpreter::philox(1, 0));
  CHECK(interpreter::philox(0, std::uint64_t{1} << 32) != interpreter::philox(0, 1));
}

TEST_CASE("a fused multiply-add of f32 rounds once") {
  Numbers r;
  int differs = 0;
  for (int i = 0; i < 300000; ++i) {
    // Products near a tie of the sum: few bits in c's neighbourhood.
    const float a = static_cast<float>(r.whole(-65535, 65535)), b = static_cast<float>(r.whole(-99999, 99999));
    const float c = std::ldexp(static_cast<float>(r.whole(-15, 15)), static_cast<int>(r.whole(-30, 60)));
    CHECK(interpreter::fma_once(a, b, c) == std::fma(a, b, c));
    differs += interpreter::fma_once(a, b, c) != a * b + c;
  }
  CHECK(differs > 0);
  for (int i = 0; i < 100000; ++i) {
    const auto any = [&] { return std::bit_cast<float>(static_cast<std::uint32_t>(r.next())); };
    const float a = any(), b = any(), c = any(), x = interpreter::fma_once(a, b, c), y = std::fma(a, b, c);
    CHECK((x == y || (std::isnan(x) && std::isnan(y))));
  }
}

TEST_CASE("a fused multiply-add of f16 and bf16 rounds once") {
  Numbers r;
  for (const DType type : {DType::f16, DType::bf16}) {
    const interpreter::ArithmeticSmall t(type);
    for (int i = 0; i < 200000; ++i) {
      const double a = t.get(r.next() & 0xffff), b = t.get(r.next() & 0xffff), c = t.get(r.next() & 0xffff);
      // The exact value as a sum of two long doubles' worth of bits: the product is exact in f64.
      const double p = a * b;
      const long double s = static_cast<long double>(p) + c;
      if (!std::isfinite(p) || !std::isfinite(c) || s - p != c || s - c != p) continue;  // not exact in 64 bits
      const auto high = static_cast<double>(s);
      // Round s to odd by hand, in integers of long double's own significand.
      double odd = high;
      if (static_cast<long double>(high) != s) {
        const double below = static_cast<long double>(high) < s ? high : std::nextafter(high, -INFINITY);
        odd = (std::bit_cast<std::uint64_t>(below) & 1) ? below : std::nextafter(below, INFINITY);
      }
      CHECK(t.put(interpreter::fma_to_odd(a, b, c)) == t.put(odd));
    }
  }
  // 1 + 2^-8 + 2^-60: a tie in bf16 (8 bits) but for the last term, which f64 drops.
  const interpreter::ArithmeticSmall bf16(DType::bf16);
  const double a = 1 + 0x1p-7, tiny = 0x1p-30;
  CHECK(bf16.get(bf16.put(interpreter::fma_in(bf16, tiny, tiny, 1.0))) == 1.0);
  CHECK(bf16.get(bf16.put(interpreter::fma_in(bf16, a, 0x1p-8 / 1.0, 1.0))) == 1 + 0x1p-7);
  CHECK(interpreter::fma_to_odd(tiny, tiny, 1 + 0x1p-8) > 1 + 0x1p-8);
  CHECK(interpreter::fma_to_odd(-tiny, tiny, 1 + 0x1p-8) < 1 + 0x1p-8);
}

TEST_CASE("canonical words") {
  using interpreter::canonical;
  CHECK(canonical(DType::i8, 0x80) == ~std::uint64_t{0x7f});
  CHECK(canonical(DType::u8, 0x180) == 0x80);
  CHECK(canonical(DType::i4, 0xf) == ~std::uint64_t{0});
  CHECK(canonical(DType::u4, 0xff) == 0xf);
  CHECK(canonical(DType::b8, 2) == 1);
  CHECK(canonical(DType::f32, ~std::uint64_t{0}) == 0xffffffff);
}

TEST_CASE("integer operations round down, wrap and say so") {
  using interpreter::Wrong;
  using tessera::ir::Op;
  const auto op = [](Op o, DType t, std::int64_t a, std::int64_t b, Wrong& wrong) {
    wrong = Wrong::none;
    return static_cast<std::int64_t>(interpreter::integer_op(o, tessera::info(t), t, static_cast<std::uint64_t>(a),
                                                             static_cast<std::uint64_t>(b), wrong));
  };
  Wrong w{};
  for (std::int64_t a = -20; a <= 20; ++a)
    for (std::int64_t b = -5; b <= 5; ++b) {
      if (b == 0) continue;
      const auto down = static_cast<std::int64_t>(std::floor(static_cast<double>(a) / static_cast<double>(b)));
      CHECK(op(Op::div, DType::i32, a, b, w) == down);
      CHECK(op(Op::mod, DType::i32, a, b, w) == a - b * down);
      CHECK(op(Op::cdiv, DType::i64, a, b, w) ==
            static_cast<std::int64_t>(std::ceil(static_cast<double>(a) / static_cast<double>(b))));
      CHECK(w == Wrong::none);
    }
  CHECK(op(Op::div, DType::i32, 7, 0, w) == 0);
  CHECK(w == Wrong::division);
  CHECK(op(Op::add, DType::i8, 100, 100, w) == -56);
  CHECK(w == Wrong::overflow);
  CHECK(op(Op::add, DType::u8, 200, 100, w) == 44);
  CHECK(w == Wrong::none);
  CHECK(op(Op::div, DType::i32, INT32_MIN, -1, w) == INT32_MIN);
  CHECK(w == Wrong::overflow);
  CHECK(op(Op::div, DType::i64, INT64_MIN, -1, w) == INT64_MIN);
  CHECK(w == Wrong::overflow);
  CHECK(op(Op::neg, DType::i64, INT64_MIN, 0, w) == INT64_MIN);
  CHECK(w == Wrong::overflow);
  CHECK(op(Op::mul, DType::i64, INT64_MAX, 2, w) == -2);
  CHECK(w == Wrong::overflow);
  CHECK(op(Op::shl, DType::i8, 1, 7, w) == -128);
  CHECK(op(Op::shl, DType::i32, 1, 32, w) == 0);
  CHECK(op(Op::shr, DType::i32, -8, 1, w) == -4);
  CHECK(op(Op::shr, DType::i32, -8, 99, w) == -1);
  CHECK(op(Op::shr, DType::u8, 0x80, 8, w) == 0);
  CHECK(op(Op::max, DType::u64, -1, 1, w) == -1);
  CHECK(op(Op::max, DType::i64, -1, 1, w) == 1);
  CHECK(op(Op::pow, DType::i32, -3, 3, w) == -27);
  CHECK(op(Op::logical_not, DType::u4, 5, 0, w) == 10);
  CHECK(op(Op::logical_not, DType::b8, 1, 0, w) == 0);
}
