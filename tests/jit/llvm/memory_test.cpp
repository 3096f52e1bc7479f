// Tests memory instructions of machine code: packed elements at any offset, masks, gathers, atomics, scratch, fill.
#include <doctest/doctest.h>

#include <thread>

#include "tessera/ir/tile.hpp"
#include "tests/jit/llvm/harness.hpp"

using namespace emit_test;
using loop::Op;

namespace {
const DType kinds[] = {DType::b8, DType::i4, DType::u8, DType::e2m3, DType::e2m1, DType::f16, DType::i32, DType::f64};
}

TEST_CASE("loads and stores at any offset, masked or not, touch what they should") {
  for (const std::string& features : runnable())
    for (DType t : kinds)
      for (int lanes : {1, 2, 5, 8, 16})
        for (std::int64_t offset : {0, 1, 2, 3, 4, 7})
          for (bool masked : {false, true}) {
            const auto n = static_cast<std::uint16_t>(lanes);
            const auto count = static_cast<std::size_t>(offset) + static_cast<std::size_t>(lanes);
            Array in(t, patterns(t, count, 3)), out(t, patterns(t, count, 4));
            const Bits before = out.values();
            Fixture f;
            const int a = f.array(in), c = f.array(out);
            loop::Builder& b = f.b;
            // The offset comes from the frame: nothing is known of it.
            f.frame.push_back(static_cast<std::uint64_t>(offset));
            const loop::Value at = b.word(2);
            loop::Value mask = -1;
            if (masked) mask = b.compare(Op::ne, b.iota(DType::i32, lanes), b.constant({DType::i32, n, -1}, lanes - 1));
            b.store(c, at, b.load(a, at, {t, n, -1}, mask), mask);
            b.finish();
            f.run(features);
            const Bits source = in.values(), after = out.values();
            for (std::size_t i = 0; i < count; ++i) {
              const bool inside = i >= static_cast<std::size_t>(offset) && !(masked && i + 1 == count);
              if (after[i] != (inside ? source[i] : before[i])) {
                INFO(features, " ", dtype_name(t), " lanes ", lanes, " offset ", offset, " masked ", masked,
                     " element ", i);
                CHECK(after[i] == (inside ? source[i] : before[i]));
              }
            }
            CHECK(out.guarded());
          }
}

TEST_CASE("a masked load gives 0 and reads nothing where the mask is off") {
  for (const std::string& features : runnable()) {
    Array in(DType::f32, Bits(3, bits(2.0f))), out(DType::f32, Bits(8, bits(9.0f)));
    Fixture f;
    const int a = f.array(in), c = f.array(out);
    loop::Builder& b = f.b;
    const loop::Value mask = b.compare(Op::lt, b.iota(DType::i32, 8), b.constant({DType::i32, 8, -1}, 3));
    b.store(c, b.integer(0), b.load(a, b.integer(0), {DType::f32, 8, -1}, mask));
    b.finish();
    f.run(features);
    for (std::size_t i = 0; i < 8; ++i) CHECK(out.values()[i] == (i < 3 ? bits(2.0f) : 0));
  }
}

TEST_CASE("gathers and scatters of every kind of element") {
  for (const std::string& features : runnable())
    for (DType t : kinds)
      for (int lanes : {1, 4, 8}) {
        const auto n = static_cast<std::uint16_t>(lanes);
        Array in(t, patterns(t, 40, 6)), out(t, patterns(t, 40, 7));
        Array index(DType::i32, Bits{39, 0, 17, 5, 38, 1, 22, 11});
        const Bits before = out.values();
        Fixture f;
        const int a = f.array(in), c = f.array(out), ix = f.array(index);
        loop::Builder& b = f.b;
        const loop::Value where = b.load(ix, b.integer(0), {DType::i32, n, -1});
        loop::Value mask = -1;
        if (lanes > 1) mask = b.compare(Op::ne, b.iota(DType::i32, lanes), b.constant({DType::i32, n, -1}, 1));
        b.scatter(c, b.integer(0), where, b.gather(a, b.integer(0), where, t, mask), mask);
        b.finish();
        f.run(features);
        const Bits source = in.values(), after = out.values(), chosen = index.values();
        for (std::size_t i = 0; i < 40; ++i) {
          bool touched = false;
          for (std::size_t l = 0; l < static_cast<std::size_t>(lanes); ++l)
            touched = touched || (chosen[l] == i && !(lanes > 1 && l == 1));
          INFO(features, " ", dtype_name(t), " lanes ", lanes, " element ", i);
          CHECK(after[i] == (touched ? source[i] : before[i]));
        }
      }
}

TEST_CASE("atomics give the old value and combine") {
  using K = ir::AtomicKind;
  for (const std::string& features : runnable())
    for (int scope : {0, 2}) {
      for (DType t : {DType::i32, DType::u64, DType::i8, DType::f32, DType::f64, DType::f16, DType::bf16}) {
        const std::uint64_t five = bits_from_double(t, 5), three = bits_from_double(t, 3);
        for (K kind : {K::min, K::max, K::exchange, K::add}) {
          Array cell(t, Bits{three, five}), old(t, Bits{0, 0});
          Fixture f;
          const int c = f.array(cell), o = f.array(old);
          loop::Builder& b = f.b;
          const auto value = b.constant({t, 1, -1}, static_cast<std::int64_t>(three));
          b.store(o, b.integer(0), b.atomic(c, b.integer(1), value, static_cast<int>(kind), scope));
          b.finish();
          f.run(features);
          CHECK(old.values()[0] == five);
          const std::uint64_t want = kind == K::max ? five : kind == K::add ? bits_from_double(t, 8) : three;
          INFO(features, " ", dtype_name(t), " kind ", int(kind));
          CHECK(cell.values()[1] == want);
          CHECK(cell.values()[0] == three);
        }
      }
    }
  // Compare-exchange: the first succeeds, the second does not.
  Array cell(DType::i32, Bits{7}), old(DType::i32, Bits{0, 0});
  Fixture f;
  const int c = f.array(cell), o = f.array(old);
  loop::Builder& b = f.b;
  for (int i = 0; i < 2; ++i) {
    loop::Inst inst;
    inst.op = Op::compare_exchange;
    inst.buffer = c;
    inst.operands = {b.integer(0), b.constant({DType::i32, 1, -1}, 7), b.constant({DType::i32, 1, -1}, 9 + i)};
    b.effect(inst);
  }
  b.store(o, b.integer(0), b.load(c, b.integer(0), {DType::i32, 1, -1}));
  b.finish();
  f.run(runnable().back());
  CHECK(cell.values()[0] == 9);
  CHECK(old.values()[0] == 9);
}

TEST_CASE("atomic additions of many threads lose nothing") {
  Array cell(DType::f32, Bits{0}), nibbles(DType::u4, Bits(64, 0));
  Fixture f;
  const int c = f.array(cell), p = f.array(nibbles);
  loop::Builder& b = f.b;
  b.for_loop(f.first, f.end, b.integer(1), [&](loop::Value i) {
    b.atomic(c, b.integer(0), b.number(DType::f32, 1, 1.0), static_cast<int>(ir::AtomicKind::add), 2);
    // Neighbours in one byte, written by different threads.
    b.store(p, b.binary(Op::floor_rem, i, b.integer(64)), b.cast(b.binary(Op::floor_rem, i, b.integer(13)), DType::u4));
  });
  b.finish();
  const auto compiled = f.compile(runnable().back());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      TestContext context;
      for (int round = 0; round < 200; ++round)
        for (std::int64_t i = t; i < 64; i += 4) compiled->entry()(f.frame.data(), i, i + 1, &context);
    });
  for (auto& t : threads) t.join();
  CHECK(cell.values()[0] == bits(64.0f * 200));
  for (std::size_t i = 0; i < 64; ++i) CHECK(nibbles.values()[i] == i % 13);
}

TEST_CASE("scratch: sizes known and unknown, in functions, and none left") {
  for (const std::string& features : runnable()) {
    Array out(DType::f32, Bits(1024, 0));
    Fixture f;
    const int c = f.array(out);
    f.frame.push_back(1024);
    loop::Builder& b = f.b;
    const loop::Value size = b.word(1);
    loop::Buffer buffer;
    buffer.name = "scratch";
    buffer.elem = DType::f32;
    const int fixed = b.buffer(buffer), open = b.buffer(buffer);
    b.alloc_first(fixed, b.integer(1024));
    b.alloc_first(open, size);
    b.fill(fixed, b.integer(0), size, b.number(DType::f32, 1, 3.0));
    b.fill(open, b.integer(0), b.integer(1021), b.number(DType::f32, 1, 4.0));
    b.for_loop(b.integer(0), b.integer(1016), b.integer(8), [&](loop::Value i) {
      b.store(c, i, b.add(b.load(fixed, i, {DType::f32, 8, -1}), b.load(open, i, {DType::f32, 8, -1})));
    });
    b.finish();
    f.run(features);
    for (std::size_t i = 0; i < 1024; ++i) CHECK(out.values()[i] == (i < 1016 ? bits(7.0f) : 0));
    // Without memory the code returns and writes nothing.
    out = Array(DType::f32, Bits(1024, 0));
    f.frame[0] = reinterpret_cast<std::uintptr_t>(out.bytes.data());
    f.context.limit = 4000;
    f.run(features);
    CHECK(out.values() == Bits(1024, 0));
  }
}

TEST_CASE("fill of every kind of element and count") {
  for (const std::string& features : runnable())
    for (DType t : kinds)
      for (std::int64_t count : {0, 1, 31, 100}) {
        Array out(t, Bits(120, 1));
        const std::uint64_t value = t == DType::b8 ? 0 : 2;
        Fixture f;
        const int c = f.array(out);
        f.frame.push_back(static_cast<std::uint64_t>(count));
        f.b.fill(c, f.b.integer(3), f.b.word(1), f.b.constant({t, 1, -1}, static_cast<std::int64_t>(value)));
        f.b.finish();
        f.run(features);
        const Bits after = out.values();
        for (std::size_t i = 0; i < 120; ++i)
          CHECK(after[i] == (i >= 3 && i < 3 + static_cast<std::size_t>(count) ? value : 1));
      }
}
