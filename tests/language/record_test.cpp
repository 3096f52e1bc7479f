// Tests of recording at run time: the same programs as at compile time, errors as exceptions, names known late.
#include <doctest/doctest.h>

#include <tessera/ir/hash.hpp>
#include <tessera/record.hpp>

#include <optional>
#include <string>
#include <vector>

#include "tests/language/support.hpp"

using namespace tessera;
using namespace tessera::test;

namespace {

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;

#define BODY                                                       \
  {                                                                \
    auto m = k.block<"M">(BM), n = k.block<"N">(BN);               \
    Var acc = k.zeros<f32>(m, n);                                  \
    for (auto i : k.blocks<"K">(32)) acc += dot(a(m, i), b(i, n)); \
    Var turns = k.zeros<i32>();                                    \
    while (k.loop(turns < 3)) turns += 1;                          \
    if (auto t = k.when(m.begin() > 0)) acc += cast<f32>(turns);   \
    if (auto e = k.otherwise()) acc -= 1;                          \
    c(m, n) = gelu(acc) + uniform<f32>(1, m * 7 + n);              \
  }
TESSERA_KERNEL(compiled)(Kernel k, In<f32, "M", "K"> a, In<f32, "K", "N"> b, Out<f32, "M", "N"> c) BODY;

template <class Body>
std::string message_of(const Body& body) {
  try {
    ir::record("made", body, "a, b, c");
  } catch (const UserError& e) {
    return e.what();
  }
  return "";
}

TEST_CASE("a program recorded at run time is the one captured at compile time") {
  const ir::Storage s = ir::record(
      "compiled", [](Kernel k, In<f32, "M", "K"> a, In<f32, "K", "N"> b, Out<f32, "M", "N"> c) BODY, "a, b, c");
  CHECK(defect(s.view()) == "");
  CHECK(s.view().size() == compiled.program.size());
  CHECK(ir::hash_of(s.view()) == ir::hash_of(compiled.program));
  CHECK(s.view().str(s.args[2].name) == "c");
  CHECK(s.view().name == "compiled");
}

TEST_CASE("parameters without names are numbered") {
  const ir::Storage s = ir::record("copy", [](Kernel k, In<f32, "M"> a, Out<f32, "M"> b) {
    auto m = k.block<"M">(8);
    b(m) = a(m);
  });
  CHECK(s.view().str(s.args[1].name) == "arg1");
}

TEST_CASE("errors are exceptions, with the text of compile errors") {
  CHECK(message_of([](Kernel k, In<f32, "M"> a, Out<f32, "M"> b) {
          b(k.block<"M">(4)) = a(k.block<"M">(4));
        }).find("made, line ") == 0);
  const std::string types = message_of([](Kernel k, In<f16, "M"> a, In<bf16, "M"> b, Out<f32, "M"> c) {
    auto m = k.block<"M">(4);
    c(m) = a(m) + b(m);
  });
  CHECK(types.find("+: f16 and bf16 do not widen to each other without loss: cast<...>() one of them") !=
        std::string::npos);
  CHECK(message_of([](Kernel k, In<f32, "M"> a, Out<f32, "M"> b) {
          auto m = k.block<"M">(4);
          for (auto i : k.range(0, 3)) {
            b(m) = a(m) * cast<f32>(i);
            break;
          }
        }).find("a loop that starts here is left by break or return") != std::string::npos);
  CHECK(message_of([](Kernel, In<f32, "M"> a, Out<f32, "M">) {
          (void)a;
        }).find("argument b is Out and is never written") != std::string::npos);
}

TEST_CASE("an exception of the user's code passes through open loops") {
  CHECK_THROWS_AS(ir::record("thrower",
                             [](Kernel k, Out<f32, "M"> y) {
                               for (auto m : k.blocks<"M">(4)) {
                                 y(m) = 1;
                                 throw std::runtime_error("stop");
                               }
                             }),
                  std::runtime_error);
}

TEST_CASE("a value that outlives its recording is refused") {
  std::optional<Tile> kept;
  ir::record("first", [&](Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
    auto m = k.block<"M">(4);
    kept.emplace(x(m));
    y(m) = *kept;
  });
  CHECK_THROWS_AS(ir::record("second",
                             [&](Kernel k, In<f32, "M">, Out<f32, "M"> y) {
                               auto m = k.block<"M">(4);
                               y(m) = *kept;
                             }),
                  UserError);
  CHECK_THROWS_AS(*kept + 1, UserError);
}

TEST_CASE("a value of the recording that surrounds this one is refused") {
  CHECK_THROWS_WITH_AS(ir::record("outer",
                                  [&](Kernel k, In<f32, "M"> x, Out<f32, "M"> y) {
                                    auto m = k.block<"M">(4);
                                    auto v = x(m);
                                    ir::record("inner", [&](Kernel q, Out<f32, "M"> z) { z(q.block<"M">(4)) = v; });
                                    y(m) = v;
                                  }),
                       doctest::Contains("a value of another kernel is used"), UserError);
}

TEST_CASE("ranks, names and types that only run time knows") {
  for (int rank = 1; rank <= 4; ++rank) {
    CAPTURE(rank);
    const ir::Storage s = ir::record("generic", [&](Kernel k) {
      std::vector<std::string> names;
      for (int i = 0; i < rank; ++i) names.push_back("D" + std::to_string(i));
      const std::vector<std::string_view> extents(names.begin(), names.end());
      const Array x = k.argument(ir::Effect::in, DType::f16, "x", extents.data(), rank);
      const Array y = k.argument(ir::Effect::out, DType::f32, "y", {extents[0]});
      const Tile scale = k.scalar(DType::f32, "scale");
      std::vector<Operand> index;
      const Block first = k.block(extents[0], BM);
      Tile value = [&] {
        index.emplace_back(first);
        for (int i = 1; i < rank; ++i) index.emplace_back(k.all(extents[static_cast<std::size_t>(i)]));
        return x.at(index.data(), rank);
      }();
      const std::vector<std::string_view> rest(extents.begin() + 1, extents.end());
      const Tile wide = by_name::cast(value, DType::f32);
      Var total = k.zeros<f32>(first);
      if (rest.empty())
        total = wide;
      else
        total = by_name::sum(wide, rest.data(), rank - 1);
      y(first) = total * scale;
    });
    CHECK(defect(s.view()) == "");
    CHECK(s.args.size() == 3);
    CHECK(s.args[0].rank == rank);
    CHECK(s.view().str(s.args[0].name) == "x");
    CHECK(count(s.view(), ir::Op::sum) == (rank > 1 ? 1 : 0));
  }
}

TEST_CASE("every operation by name") {
  const ir::Storage s = ir::record("named", [](Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y) {
    auto m = k.block("M", 8);
    auto n = k.all("N");
    auto v = x(m, n);
    auto best = by_name::topk(v, "N", "P", k.lanes("P", 4));
    Var w = v;
    by_name::at(w, "N", 0) = 1;
    y(m) =
        by_name::max(v, {"N"}) + by_name::min(v, {"N"}) + by_name::prod(v, {"N"}) + by_name::mean(v, {"N"}) +
        cast<f32>(by_name::argmax(v, "N") + by_name::argmin(v, "N")) + by_name::dot(v, v, {"N"}) +
        by_name::sum(by_name::cumsum(v, "N") + by_name::cumprod(v, "N") + by_name::sort(v, "N") + by_name::flip(v, "N"),
                     {"N"}) +
        by_name::sum(best.values, {"P"}) + by_name::at(w, "N", 1) + by_name::sum(by_name::as(v, "N", "J"), {"J"}) +
        cast<f32>(by_name::any(v > 0, {"N"})) + cast<f32>(by_name::all(v > 0, {"N"})) +
        by_name::sum(by_name::merge(by_name::split(v, "N", "G", "E", 4), "G", "E", "Q"), {"Q"}) +
        by_name::sum(by_name::join(by_name::as(v, "N", "C"), by_name::as(v, "N", "C"), "C"), {"C"}) +
        cast<f32>(by_name::sum(by_name::as(n, "Z"), {"Z"}));
  });
  CHECK(defect(s.view()) == "");
}

}  // namespace
