// Tests fma of groups of narrow lanes in machine code, and that it is one instruction where there is one.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/jit/llvm/harness.hpp"

using namespace emit_test;

namespace {

/// v[2] and the products of v[0] and v[1], seen as `lanes` lanes of narrower types.
loop::Value fma(loop::Builder& b, const loop::Builder::Values& v, DType x, DType y, int lanes) {
  const auto as = [&](loop::Value w, DType t) {
    return b.emit(loop::Op::bitcast, {t, static_cast<std::uint16_t>(lanes), -1}, {w});
  };
  return b.emit(loop::Op::fma, b.type(v[2]), {as(v[0], x), as(v[1], y), v[2]});
}

}  // namespace

TEST_CASE("dots of narrow lanes, in one instruction and in several") {
  const std::size_t count = 96;
  const auto a = patterns(DType::i32, count, 3), b = patterns(DType::i32, count, 5), c = patterns(DType::i32, count, 7);
  struct Types {
    DType a, b;
  };
  for (const Types t :
       {Types{DType::i16, DType::i16}, {DType::u8, DType::i8}, {DType::i8, DType::u8}, {DType::i8, DType::i8}})
    for (const std::string& features : runnable())
      for (int lanes : {1, 4, 8, 16}) {
        const int bits = info(t.a).bits, group = 32 / bits;
        const Bits got = apply(features, {DType::i32, DType::i32, DType::i32}, DType::i32, {a, b, c}, lanes,
                               [&](loop::Builder& build, const loop::Builder::Values& v) {
                                 return fma(build, v, t.a, t.b, lanes * group);
                               });
        int off = 0;
        for (std::size_t i = 0; i < count; ++i) {
          auto sum = static_cast<std::int64_t>(c[i]);
          for (int u = 0; u < group; ++u)
            sum += to_int64(t.a, a[i] >> u * bits & ((1u << bits) - 1)) *
                   to_int64(t.b, b[i] >> u * bits & ((1u << bits) - 1));
          off += static_cast<std::uint32_t>(sum) != static_cast<std::uint32_t>(got[i]);
        }
        CAPTURE(features);
        CAPTURE(lanes);
        CHECK(off == 0);
      }
}

TEST_CASE("dots of bf16 in f32") {
  const std::size_t count = 64;
  Bits a(count), b(count), c(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto pair = [&](int x, int y) {
      return bits_from_double(DType::bf16, x * 0.25) | bits_from_double(DType::bf16, y * 0.5) << 16;
    };
    const int n = static_cast<int>(i);
    a[i] = pair(n % 7 - 3, n % 5), b[i] = pair(n % 9 - 4, n % 3 - 1), c[i] = bits(static_cast<float>(n));
  }
  for (const std::string& features : runnable()) {
    const Bits got = apply(features, {DType::i32, DType::i32, DType::f32}, DType::f32, {a, b, c}, 8,
                           [&](loop::Builder& build, const loop::Builder::Values& v) {
                             return fma(build, v, DType::bf16, DType::bf16, 16);
                           });
    int off = 0;
    for (std::size_t i = 0; i < count; ++i) {
      double sum = to_double(DType::f32, c[i]);
      for (int u = 0; u < 32; u += 16)
        sum += to_double(DType::bf16, a[i] >> u & 0xffff) * to_double(DType::bf16, b[i] >> u & 0xffff);
      off += sum != to_double(DType::f32, got[i]);
    }
    CHECK(off == 0);
  }
}

TEST_CASE("dots become one instruction where the processor has it") {
  const auto assembly = [](const std::string& features, DType a, DType b, DType c) {
    Fixture f;
    Array in(DType::i32, Bits(64)), out(c, Bits(64));
    const int x = f.array(in, true), y = f.array(out);
    const int group = 32 / info(a).bits;
    const loop::Value v = f.b.load(x, f.b.integer(0), {DType::i32, 8, -1});
    f.b.store(y, f.b.integer(0), fma(f.b, {v, v, f.b.load(y, f.b.integer(0), {c, 8, -1})}, a, b, 8 * group));
    f.b.finish();
    jit::CompileOptions options;
    options.features = features;
    options.load = false;
    return jit::compile_loop(f.program, options)->assembly();
  };
  const auto has = [](const std::string& text, const char* word) { return text.find(word) != std::string::npos; };
  CHECK(has(assembly("avx512vnni", DType::u8, DType::i8, DType::i32), "vpdpbusd"));
  CHECK(has(assembly("avx512vnni", DType::i16, DType::i16, DType::i32), "vpdpwssd"));
  CHECK(has(assembly("avxvnni", DType::u8, DType::i8, DType::i32), "vpdpbusd"));
  CHECK(has(assembly("znver4", DType::i8, DType::u8, DType::i32), "vpdpbusd"));
  CHECK(has(assembly("avx512bf16", DType::bf16, DType::bf16, DType::f32), "vdpbf16ps"));
  CHECK(has(assembly("avx512", DType::i16, DType::i16, DType::i32), "vpmaddwd"));
}
