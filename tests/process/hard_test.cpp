// Tests that what users may write, however large or deep, ends in a result or in a refusal, never with the process.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tessera/record.hpp"
#include "tessera/tessera.hpp"

using namespace tessera;

namespace {

/// Runs a program made at run time by machine code.
Status run(const ir::Storage& program, std::vector<call::RawArg> args, Config config = {}) {
  const ir::Program view_of_it = program.view();
  call::KernelRecord record(view_of_it);
  config.target = "cpu";
  const Status status = call::invoke_program(record, args, &config);
  if (auto* retire = record.retire.load()) retire(record);
  return status;
}

/// As `run`, for one vector in and one out.
Status run(const ir::Storage& program, std::vector<float>& x, std::vector<float>& y, Config config = {}) {
  return run(program, {call::raw_argument(x, false), call::raw_argument(y, false)}, std::move(config));
}

using X = In<f32, "N">;
using Y = Out<f32, "N">;

}  // namespace

TEST_CASE("hard: private arrays of many megabytes") {
  for (bool in_registers : {true, false}) {
    const ir::Storage s = ir::record("large", [&](Kernel k, X x, Y y) {
      auto n = k.block<"N">(1 << 22);
      if (in_registers) {
        auto a = k.registers<f32>(n);
        a(n) = x(n);
        y(n) = a(n) + 1;
      } else {
        auto a = k.shared<f32>(n);
        a(n) = x(n);
        y(n) = a(n) + 1;
      }
    });
    std::vector<float> x(1 << 22, 2.0f), y(1 << 22);
    const Status status = run(s, x, y);
    CHECK_MESSAGE(status.ok(), std::string(status.message()));
    CHECK(y.back() == 3.0f);
  }
}

TEST_CASE("hard: tile sizes beyond every array") {
  for (std::int64_t size : {std::int64_t{1} << 31, std::int64_t{1} << 40, std::int64_t{1} << 62, INT64_MAX}) {
    const ir::Storage s = ir::record("wide", [&](Kernel k, X x, Y y) {
      auto n = k.block<"N">(Operand(size));
      y(n) = x(n) * 2 + cast<f32>(sum(x(n)));
    });
    std::vector<float> x(100, 1.0f), y(100);
    const Status status = run(s, x, y);
    CHECK_MESSAGE(status.ok(), size, ": ", std::string(status.message()));
    if (status.ok()) CHECK(y[99] == 102.0f);
  }
}

TEST_CASE("hard: tunables beyond every array") {
  static constexpr Dim<"BN"> BN;
  const ir::Storage s = ir::record("tuned", [&](Kernel k, X x, Y y) {
    auto n = k.block<"N">(BN);
    y(n) = cumsum<"N">(x(n));
  });
  for (std::int64_t size : {std::int64_t{1} << 31, std::int64_t{1} << 40, INT64_MAX}) {
    std::vector<float> x(100, 1.0f), y(100);
    const Status status = run(s, x, y, Config{.tunables = {{"BN", size}}});
    CHECK_MESSAGE(status.ok(), size, ": ", std::string(status.message()));
    if (status.ok()) CHECK(y[99] == 100.0f);
  }
}

TEST_CASE("hard: lanes that do not fit into memory") {
  for (std::int64_t size : {std::int64_t{1} << 20, std::int64_t{1} << 44}) {
    const ir::Storage s = ir::record("lanes", [&](Kernel k, X x, Y y) {
      auto n = k.block<"N">(8);
      auto e = k.lanes<"E">(Operand(size));
      Var v = k.zeros<f32>(n, e);
      v = x(n) + cast<f32>(e);
      for (auto i : k.range(0, 2)) v = v + at<"E">(v, size - 1 - e) * cast<f32>(i);
      y(n) = max<"E">(v);
    });
    std::vector<float> x(3, 1.0f), y(3);
    const Status status = run(s, x, y);
    if (size < (1 << 30)) {
      CHECK_MESSAGE(status.ok(), std::string(status.message()));
      CHECK(y[2] == static_cast<float>(size + 1));
    } else {
      CHECK(status.kind() == ErrorKind::device);
      CHECK(status.text().find("lanes: no memory for ") == 0);
    }
  }
}

TEST_CASE("hard: a long chain of operations") {
  for (int length : {300, 3000, 20000}) {
    const ir::Storage s = ir::record("chain", [&](Kernel k, X x, Y y) {
      auto n = k.block<"N">(64);
      std::vector<Tile> v;
      v.push_back(x(n));
      for (int i = 0; i < length; ++i) v.push_back(v.back() + 1);
      y(n) = v.back();
    });
    std::vector<float> x(100, 1.0f), y(100);
    const Status status = run(s, x, y);
    CHECK_MESSAGE(status.ok(), length, ": ", std::string(status.message()));
    if (status.ok()) CHECK(y[99] == static_cast<float>(length) + 1);
  }
}

TEST_CASE("hard: a long chain in a combining function") {
  for (int length : {100, 3000}) {
    const ir::Storage s = ir::record("combining", [&](Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> y) {
      auto m = k.block<"M">(4);
      y(m) = reduce<"N">(x(m, k.all<"N">()), 0.f, [&](Tile a, Tile b) {
        std::vector<Tile> v;
        v.push_back(a + b);
        for (int i = 0; i < length; ++i) v.push_back(v.back() + (i % 2 == 0 ? 1 : -1));
        return v.back();
      });
    });
    std::vector<float> x(50, 1.0f), y(5);
    auto rows = view(x, {5, 10});
    const Status status = run(s, {call::raw_argument(rows, false), call::raw_argument(y, false)});
    CHECK_MESSAGE(status.ok(), std::string(status.message()));
    CHECK(y[4] == 10.0f);
  }
}

TEST_CASE("hard: a tree whose values are used twice") {
  const ir::Storage s = ir::record("doubling", [&](Kernel k, X x, Y y) {
    auto n = k.block<"N">(64);
    std::vector<Tile> v;
    v.push_back(x(n));
    for (int i = 0; i < 200; ++i) v.push_back(v.back() * 0.5f + v.back() * 0.25f + 0.25f);
    y(n) = v.back();
  });
  std::vector<float> x(100, 1.0f), y(100);
  const Status status = run(s, x, y);
  CHECK_MESSAGE(status.ok(), std::string(status.message()));
  CHECK(y[99] == 1.0f);
}

TEST_CASE("hard: many values that live at once") {
  const ir::Storage s = ir::record("alive", [&](Kernel k, X x, Y y) {
    auto n = k.block<"N">(64);
    std::vector<Tile> values;
    for (int i = 0; i < 300; ++i) values.push_back(exp(x(n) * (i * 0.001f)));
    std::vector<Tile> v;
    v.push_back(values[0]);
    for (std::size_t i = 1; i < 300; ++i) v.push_back(v.back() + values[i] * values[300 - i]);
    y(n) = v.back();
  });
  std::vector<float> x(100, 0.0f), y(100);
  const Status status = run(s, x, y);
  CHECK_MESSAGE(status.ok(), std::string(status.message()));
  CHECK(y[99] == 300.0f);
}

TEST_CASE("hard: branches within branches, loops within loops") {
  for (int depth : {8, 60, 400}) {
    const ir::Storage s = ir::record("deep", [&](Kernel k, X x, Y y) {
      auto n = k.block<"N">(16);
      Var v = k.zeros<f32>(n);
      const auto inner = [&](auto&& self, int left) -> void {
        if (left == 0) {
          v += x(n);
          return;
        }
        if (left % 2 == 0) {
          if (auto t = k.when(k.extent<"N">() > left)) self(self, left - 1);
        } else {
          for (auto i : k.range(0, k.extent<"N">() / 500)) {
            v += cast<f32>(i);
            self(self, left - 1);
          }
        }
      };
      inner(inner, depth);
      y(n) = v;
    });
    std::vector<float> x(600, 1.0f), y(600);
    const Status status = run(s, x, y);
    CHECK_MESSAGE(status.ok(), depth, ": ", std::string(status.message()));
    if (status.ok()) CHECK(y[99] == 1.0f);
  }
}

TEST_CASE("hard: a hundred arguments, a hundred stores") {
  const ir::Storage s = ir::record("many", [&](Kernel k) {
    std::vector<Array> in, out;
    for (int i = 0; i < 100; ++i) in.push_back(k.argument(ir::Effect::in, DType::f32, "x" + std::to_string(i), {"N"}));
    for (int i = 0; i < 100; ++i)
      out.push_back(k.argument(ir::Effect::out, DType::f32, "y" + std::to_string(i), {"N"}));
    auto n = k.block("N", 32);
    for (int i = 0; i < 100; ++i)
      out[static_cast<std::size_t>(i)](n) =
          in[static_cast<std::size_t>(i)](n) + in[static_cast<std::size_t>(99 - i)](n);
  });
  std::vector<std::vector<float>> memory(200, std::vector<float>(50, 1.0f));
  std::vector<call::RawArg> args;
  for (auto& m : memory) args.push_back(call::raw_argument(m, false));
  const Status status = run(s, args);
  CHECK_MESSAGE(status.ok(), std::string(status.message()));
  if (status.ok()) CHECK(memory[199][49] == 2.0f);
}

TEST_CASE("hard: features that this machine has not, threads beyond all") {
  const ir::Storage s = ir::record("plain", [&](Kernel k, X x, Y y) {
    auto n = k.block<"N">(16);
    y(n) = x(n) + 1;
  });
  std::vector<float> x(100000, 1.0f), y(100000);
  for (const char* features :
       {"avx512", "avx2", "sse2", "neon", "znver4", "sapphirerapids", "+avx512f", "x86-64,+avx512f"}) {
    const Status status = run(s, x, y, Config{.features = features});
    const std::string text(status.text());
    CAPTURE(text);
    CHECK((status.ok() || text.find(std::string("does not run ") + features) != std::string::npos ||
           text == std::string("plain: configuration: there are no features \"") + features + "\""));
  }
  for (int threads : {1, 2, 1000, 1000000}) {
    const Status status = run(s, x, y, Config{.threads = threads});
    CHECK_MESSAGE(status.ok(), threads, ": ", std::string(status.message()));
  }
}

TEST_CASE("hard: dots, sorts and scans of extents at the edges") {
  for (std::size_t count :
       {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{9}, std::size_t{33}, std::size_t{1025}}) {
    const ir::Storage s =
        ir::record("edges", [&](Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "N"> y, Out<f32, "M", "M"> g) {
          auto m = k.block<"M">(7);
          auto n = k.all<"N">();
          y(m, n) = cumsum<"N">(sort<"N">(x(m, n)));
          auto j = as<"J">(k.all<"M">());
          g(m, j) = dot<"N">(x(m, n), x(j, n));
        });
    std::vector<float> x(9 * count, 1.0f), y(9 * count), g(81);
    auto rows = view(x, {9, static_cast<std::int64_t>(count)}), out = view(y, {9, static_cast<std::int64_t>(count)}),
         gram = view(g, {9, 9});
    const Status status =
        run(s, {call::raw_argument(rows, false), call::raw_argument(out, false), call::raw_argument(gram, false)});
    CHECK_MESSAGE(status.ok(), count, ": ", std::string(status.message()));
    CHECK(g[80] == static_cast<float>(count));
    if (count > 0) CHECK(y.back() == static_cast<float>(count));
  }
}
