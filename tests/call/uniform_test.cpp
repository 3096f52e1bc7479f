// Tests the evaluation of what is known before a launch: the language's integer and float rules, and what has no value.
#include "tessera/call/uniform.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "tests/call/made.hpp"

using namespace tessera;
using call::Uniform;
using ir::Op;

namespace {

Uniform number(std::int64_t value) { return {static_cast<std::uint64_t>(value), true}; }
Uniform real(double value, DType type = DType::f64) { return {bits_from_double(type, value), true}; }

std::int64_t integer(Op op, std::int64_t a, std::int64_t b, DType type = DType::i64) {
  const Uniform value = call::apply_uniform(op, type, type, number(a), number(b));
  CHECK(value.defined);
  return value.integer();
}
double floating(Op op, double a, double b = 0, DType type = DType::f64) {
  const Uniform value = call::apply_uniform(op, type, type, real(a, type), real(b, type));
  CHECK(value.defined);
  return to_double(type, value.word);
}

}  // namespace

TEST_CASE("integers round down and wrap") {
  for (int a = -20; a <= 20; ++a)
    for (int b = -6; b <= 6; ++b) {
      if (b == 0) continue;
      CHECK(integer(Op::div, a, b) == static_cast<std::int64_t>(std::floor(double(a) / b)));
      CHECK(integer(Op::mod, a, b) == a - b * static_cast<std::int64_t>(std::floor(double(a) / b)));
      CHECK(integer(Op::cdiv, a, b) == static_cast<std::int64_t>(std::ceil(double(a) / b)));
    }
  CHECK(integer(Op::add, 100, 100, DType::i8) == -56);
  CHECK(integer(Op::mul, 16, 16, DType::u8) == 0);
  CHECK(integer(Op::sub, 0, 1, DType::u32) == 0xffffffff);
  CHECK(integer(Op::div, INT64_MIN, -1) == INT64_MIN);
  CHECK(integer(Op::mod, INT64_MIN, -1) == 0);
  CHECK(integer(Op::cdiv, INT64_MIN, -1) == INT64_MIN);
  CHECK(integer(Op::shr, -8, 1) == -4);
  CHECK(integer(Op::shr, -8, 100) == -1);
  CHECK(integer(Op::shl, 1, 64) == 0);
  CHECK(integer(Op::max, -1, 1) == 1);
  CHECK(integer(Op::max, -1, 1, DType::u64) == -1);
  CHECK(integer(Op::pow, 3, 4) == 81);
  CHECK(integer(Op::bit_xor, 6, 3) == 5);
  CHECK(call::apply_uniform(Op::neg, DType::i32, DType::i32, number(5)).integer() == -5);
  CHECK(call::apply_uniform(Op::abs, DType::i8, DType::i8, number(-128)).integer() == -128);
  CHECK(call::apply_uniform(Op::logical_not, DType::b8, DType::b8, number(1)).integer() == 0);
  CHECK(call::apply_uniform(Op::fma, DType::i64, DType::i64, number(3), number(4), number(5)).integer() == 17);
}

TEST_CASE("floats are rounded to their type") {
  CHECK(floating(Op::add, 0.1, 0.2, DType::f32) == double(0.1f + 0.2f));
  CHECK(floating(Op::div, 1, 3, DType::f16) == to_double(DType::f16, bits_from_double(DType::f16, 1.0 / 3)));
  CHECK(floating(Op::mod, -1, 3) == 2);
  CHECK(floating(Op::max, 1, 2) == 2);
  CHECK(std::isnan(floating(Op::max, std::nan(""), 2)));
  CHECK(floating(Op::max_number, std::nan(""), 2) == 2);
  CHECK(floating(Op::sqrt, 2) == std::sqrt(2.0));
  CHECK(floating(Op::floor, -1.5) == -2);
  CHECK(floating(Op::round, 2.5) == 2);
  CHECK(floating(Op::exp, 1, 0, DType::f32) == double(static_cast<float>(std::exp(1.0))));
  const auto fused = call::apply_uniform(Op::fma, DType::f32, DType::f32, real(1 + 0x1p-23, DType::f32),
                                         real(1 - 0x1p-23, DType::f32), real(-1, DType::f32));
  CHECK(to_double(DType::f32, fused.word) == -0x1p-46);
}

TEST_CASE("comparisons and casts") {
  const auto holds = [](Op op, DType type, Uniform a, Uniform b) {
    return call::apply_uniform(op, DType::b8, type, a, b).word != 0;
  };
  CHECK(holds(Op::lt, DType::i64, number(-1), number(0)));
  CHECK(!holds(Op::lt, DType::u64, number(-1), number(0)));
  CHECK(holds(Op::ge, DType::i32, number(3), number(3)));
  CHECK(holds(Op::ne, DType::f64, real(std::nan("")), real(std::nan(""))));
  CHECK(!holds(Op::eq, DType::f64, real(std::nan("")), real(std::nan(""))));
  CHECK(holds(Op::eq, DType::f64, real(0.0), real(-0.0)));
  CHECK(holds(Op::le, DType::f32, real(1, DType::f32), real(2, DType::f32)));
  CHECK(call::apply_uniform(Op::cast, DType::i8, DType::i32, number(300)).integer() == 44);
  CHECK(call::apply_uniform(Op::cast, DType::i64, DType::u8, number(200)).integer() == 200);
  CHECK(call::apply_uniform(Op::cast, DType::i32, DType::f64, real(-2.7)).integer() == -2);
  CHECK(to_double(DType::f32, call::apply_uniform(Op::cast, DType::f32, DType::i32, number(-7)).word) == -7);
  CHECK(call::apply_uniform(Op::bitcast, DType::i32, DType::f32, real(1, DType::f32)).integer() == 0x3f800000);
  CHECK(call::apply_uniform(Op::where, DType::i64, DType::b8, number(1), number(3), {}).integer() == 3);
}

TEST_CASE("what divides by zero has no value") {
  for (Op op : {Op::div, Op::mod, Op::cdiv})
    CHECK(!call::apply_uniform(op, DType::i64, DType::i64, number(3), number(0)).defined);
  const Uniform none, yes{1, true}, no{0, true};
  CHECK(!call::apply_uniform(Op::add, DType::i64, DType::i64, none, number(1)).defined);
  CHECK(call::apply_uniform(Op::bit_or, DType::b8, DType::b8, none, yes).defined);
  CHECK(!call::apply_uniform(Op::bit_or, DType::b8, DType::b8, none, no).defined);
  CHECK(call::apply_uniform(Op::bit_and, DType::b8, DType::b8, no, none).defined);
  CHECK(!call::apply_uniform(Op::bit_and, DType::b8, DType::b8, yes, none).defined);
  CHECK(!call::apply_uniform(Op::where, DType::i64, DType::b8, none, yes, no).defined);
}

TEST_CASE("nodes of a program, at run time and unrolled") {
  const ir::Program& program = made::Window::program;
  std::vector<std::uint64_t> frame(call::frame_layout(program).words());
  frame[2] = 2, frame[3] = 1;  // stride, pad
  const call::FrameLayout layout = call::frame_layout(program);
  frame[layout.extent_word(0)] = 7, frame[layout.extent_word(1)] = 3, frame[layout.extent_word(2)] = 4;
  int frames = 0, tunables = 0;
  for (const ir::Node& node : program.nodes) {
    if (node.op != Op::expects) continue;
    const std::int32_t condition = program.operand(node, 0);
    const auto kind = call::uniformity(program, condition);
    frames += kind == call::Uniformity::frame, tunables += kind == call::Uniformity::tunable;
    if (kind == call::Uniformity::frame) {
      CHECK(call::evaluate_uniform(program, condition, frame.data()).word == 1);
    } else {
      CHECK(!call::evaluate_uniform(program, condition, frame.data()).defined);
      const std::int64_t small[] = {8}, large[] = {9};
      CHECK(call::evaluate_uniform(program, condition, frame.data(), small).word == 0);
      CHECK(call::evaluate_uniform(program, condition, frame.data(), large).word == 1);
    }
  }
  CHECK(frames == 2);
  CHECK(tunables == 1);
  constexpr std::int32_t last = [] {
    std::int32_t found = -1;
    for (std::size_t i = 0; i < made::Window::program.nodes.size(); ++i)
      if (made::Window::nodes[i].op == Op::eq) found = static_cast<std::int32_t>(i);
    return found;
  }();
  CHECK(call::evaluate_captured<made::Window, last>(frame.data()).word == 1);
  frame[layout.extent_word(2)] = 5;
  CHECK(call::evaluate_captured<made::Window, last>(frame.data()).word == 0);
  CHECK(call::evaluate_uniform(program, last, frame.data()).word == 0);
}
