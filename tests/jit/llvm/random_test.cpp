// Tests machine code against the interpreter of Loop IR on random straight-line programs over vectors of every type.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "jit/loop/interpret.hpp"
#include "jit/loop/text.hpp"
#include "tests/jit/llvm/harness.hpp"

using namespace emit_test;
using loop::Op;

namespace {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(engine_() % n); }
  template <class T, std::size_t N>
  T of(const T (&list)[N]) {
    return list[below(N)];
  }

 private:
  std::mt19937_64 engine_;
};

/// A program that loads a vector of every type, computes, and stores whatever it made.
struct RandomProgram {
  Fixture f;
  std::vector<Array> arrays;
  std::vector<std::vector<loop::Value>> pool{static_cast<std::size_t>(dtype_count)};
  std::vector<int> outputs;

  RandomProgram(std::uint64_t seed, int steps, bool with_fma) : f("random") {
    Random r(seed);
    const int lanes = r.of({1, 2, 4, 7, 8, 16});
    n_ = static_cast<std::uint16_t>(lanes);
    loop::Builder& b = f.b;
    arrays.reserve(static_cast<std::size_t>(dtype_count) * 2 + 200);
    for (int i = 0; i < dtype_count; ++i) {
      const DType t = static_cast<DType>(i);
      const auto count = static_cast<std::size_t>(lanes) * 2;
      Bits v = patterns(t, 64 + count, seed + static_cast<std::uint64_t>(i));
      v.erase(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(r.below(60)));
      v.resize(count);
      arrays.emplace_back(t, v);
      const int buffer = f.array(arrays.back(), true);
      for (int k = 0; k < 2; ++k) keep(t, b.load(buffer, b.integer(k * lanes), {t, n_, -1}));
    }
    for (int i = 0; i < steps; ++i) step(r, with_fma);
    for (int i = 0; i < dtype_count; ++i)
      for (std::size_t k = 2; k < pool[static_cast<std::size_t>(i)].size(); ++k) {
        arrays.emplace_back(static_cast<DType>(i), Bits(static_cast<std::size_t>(lanes)));
        outputs.push_back(static_cast<int>(arrays.size()) - 1);
        b.store(f.array(arrays.back()), b.integer(0), pool[static_cast<std::size_t>(i)][k]);
      }
    b.finish();
  }

  /// What the outputs hold now.
  std::vector<Bits> results() const {
    std::vector<Bits> all;
    for (int i : outputs) all.push_back(arrays[static_cast<std::size_t>(i)].values());
    return all;
  }
  void clear() {
    for (int i : outputs)
      std::fill(arrays[static_cast<std::size_t>(i)].bytes.begin(), arrays[static_cast<std::size_t>(i)].bytes.end(), 0);
  }

 private:
  void keep(DType t, loop::Value v) { pool[static_cast<std::size_t>(t)].push_back(v); }
  loop::Value any(Random& r, DType t) {
    const auto& list = pool[static_cast<std::size_t>(t)];
    return list[r.below(list.size())];
  }
  void step(Random& r, bool with_fma) {
    loop::Builder& b = f.b;
    constexpr DType floats[] = {DType::f32, DType::f64};
    constexpr DType integers[] = {DType::i8,  DType::u8,  DType::i16, DType::u16,
                                  DType::i32, DType::u32, DType::i64, DType::u64};
    const auto make = [&](Op op, DType t, const loop::Builder::Values& v, const std::vector<std::int64_t>& imm = {}) {
      keep(t, b.emit(op, {t, n_, -1}, v, imm));
    };
    const DType ft = r.of(floats), it = r.of(integers), any_type = static_cast<DType>(r.below(dtype_count));
    switch (r.below(12)) {
      case 0:
        make(r.of({Op::add, Op::sub, Op::mul, Op::div, Op::fast_max, Op::fast_min}), ft, {any(r, ft), any(r, ft)});
        break;
      case 1:
        make(r.of({Op::neg, Op::abs, Op::sqrt, Op::floor, Op::ceil, Op::trunc, Op::round}), ft, {any(r, ft)});
        break;
      case 2: {  // which zero a minimum of both zeros is, nobody says: the sum has but one
        const loop::Value m =
            b.emit(r.of({Op::min, Op::max, Op::min_number, Op::max_number}), {ft, n_, -1}, {any(r, ft), any(r, ft)});
        keep(ft, b.add(m, b.number(ft, n_, 0.0)));
        break;
      }
      case 3:
        make(
            r.of({Op::add, Op::sub, Op::mul, Op::min, Op::max, Op::bit_and, Op::bit_or, Op::bit_xor, Op::shl, Op::shr}),
            it, {any(r, it), any(r, it)});
        break;
      case 4:
        make(r.of({Op::floor_div, Op::floor_rem}), it, {any(r, it), any(r, it)});
        break;
      case 5:
        make(r.of({Op::neg, Op::abs, Op::logical_not}), it, {any(r, it)});
        break;
      case 6: {
        const DType t = r.below(2) == 0 ? ft : it;
        make(r.of({Op::eq, Op::ne, Op::lt, Op::le, Op::gt, Op::ge}), DType::b8, {any(r, t), any(r, t)});
        break;
      }
      case 7:
        make(Op::select, any_type, {any(r, DType::b8), any(r, any_type), any(r, any_type)});
        break;
      case 8:
        make(r.of({Op::bit_and, Op::bit_or, Op::bit_xor}), DType::b8, {any(r, DType::b8), any(r, DType::b8)});
        break;
      case 9: {
        const DType to = static_cast<DType>(r.below(dtype_count));
        if (to == any_type) break;
        const auto rounding = static_cast<std::int64_t>(r.below(3)), saturation = static_cast<std::int64_t>(r.below(3));
        make(Op::cast, to, {any(r, any_type)}, {rounding | saturation << 8});
        break;
      }
      case 10: {
        if (n_ == 1) break;
        std::vector<int> lanes;
        for (int i = 0; i < n_; ++i) lanes.push_back(static_cast<int>(r.below(2u * n_)));
        keep(any_type, b.shuffle(any(r, any_type), any(r, any_type), lanes));
        break;
      }
      default: {
        if (with_fma && r.below(2) == 0) {
          make(Op::fma, ft, {any(r, ft), any(r, ft), any(r, ft)});
          break;
        }
        const loop::Value one =
            b.emit(r.of({Op::reduce_add, Op::reduce_mul, Op::reduce_min, Op::reduce_max}), {it, 1, -1}, {any(r, it)});
        keep(it, n_ == 1 ? one : b.broadcast(one, n_));
      }
    }
  }

  std::uint16_t n_ = 1;
};

void compare(std::uint64_t seed, const std::string& features) {
  RandomProgram p(seed, 60, features != "sse2");
  std::vector<loop::Memory> memory;
  for (Array& a : p.arrays) memory.push_back({a.bytes.data(), static_cast<std::int64_t>(a.bytes.size())});
  loop::InterpretOptions options;
  options.end = 1;
  const loop::Report report = loop::interpret(p.f.program, p.f.frame, memory, options);
  for (const loop::Finding& finding : report.findings) FAIL_CHECK(finding.text);
  const std::vector<Bits> want = p.results();
  std::size_t told = 0;  // lanes that are not 0: the programs compute something
  for (const Bits& b : want)
    told += static_cast<std::size_t>(std::count_if(b.begin(), b.end(), [](std::uint64_t x) { return x != 0; }));
  CHECK(told > 0);
  p.clear();
  p.f.run(features);
  const std::vector<Bits> got = p.results();
  for (std::size_t i = 0; i < want.size(); ++i) {
    const DType t = p.arrays[static_cast<std::size_t>(p.outputs[i])].type;
    for (std::size_t k = 0; k < want[i].size(); ++k) {
      if (want[i][k] == got[i][k] || (is_nan_bits(t, want[i][k]) && is_nan_bits(t, got[i][k]))) continue;
      INFO("seed ", seed, " ", features, " output ", i, " of ", dtype_name(t), " lane ", k, ": interpreted ",
           want[i][k], ", ran ", got[i][k], "\n", loop::print(p.f.program));
      FAIL_CHECK("differs");
      return;
    }
  }
}

}  // namespace

TEST_CASE("random programs give what the interpreter of Loop IR gives") {
  for (const std::string& features : runnable())
    for (std::uint64_t seed = 1; seed <= 20; ++seed) compare(seed, features);
}

TEST_CASE("many random programs" * doctest::test_suite("long")) {
  for (const std::string& features : runnable())
    for (std::uint64_t seed = 1000; seed < 1300; ++seed) compare(seed, features);
}
