// Tests the numerics modes on a CPU: where sums have one order, bits are the same for every tile size, specialisation
// and number of threads, in strict mode with every feature set too; all modes stay within the interpreter's bounds.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <tessera/tessera.hpp>

#include "jit/loop/text.hpp"
#include "jit/runtime/compile.hpp"
#include "jit/runtime/run_context.hpp"
#include "jit/target.hpp"
#include "targets/cpu/features.hpp"
#include "targets/cpu/plan/plan.hpp"
#include "tests/support/differential.hpp"

using namespace tessera;
using tessera_test::Arguments;
using tessera_test::Case;

namespace {

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BK"> BK;

TESSERA_KERNEL(mode_product)(Kernel k, In<f32, "M", "K"> a, In<f32, "K", "N"> b, In<f32, "N"> bias,
                             Out<f32, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  Var acc = k.zeros<f32>(m, n);
  acc += bias(n);
  for (auto i : k.blocks<"K">(BK)) acc += dot(a(m, i), b(i, n));
  c(m, n) = max(acc, -1e30f);
};
TESSERA_KERNEL(mode_two_axes)
(Kernel k, In<f32, "M", "A", "B"> x, In<f32, "A", "B", "N"> y, Out<f32, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN), a = k.all<"A">(), b = k.all<"B">();
  c(m, n) = dot<"A", "B">(x(m, a, b), y(a, b, n));
};
TESSERA_KERNEL(mode_rows)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M"> total, Out<f32, "M", "N"> y) {
  auto m = k.block<"M">(BM);
  auto n = k.all<"N">();
  auto e = exp(x(m, n) - max<"N">(x(m, n)));
  total(m) = sum<"N">(x(m, n) * x(m, n));
  y(m, n) = e / sum<"N">(e);
};
TESSERA_KERNEL(mode_columns)(Kernel k, In<f32, "M", "N"> x, Out<f32, "N"> total) {
  auto n = k.block<"N">(BN);
  Var acc = k.zeros<f32>(n);
  for (auto m : k.blocks<"M">(BM)) acc += sum<"M">(x(m, n));
  total(n) = acc;
};
TESSERA_KERNEL(mode_window)(Kernel k, In<f32, "H"> x, In<f32, "F", "KH"> w, Out<f32, "F", "OH"> y) {
  auto f = k.block<"F">(BM), oh = k.block<"OH">(BN);
  Var acc = k.zeros<f32>(f, oh);
  for (auto i : k.range(0, k.extent<"KH">())) acc += w(f, i) * x(oh + i);
  y(f, oh) = acc;
};
/// Affine maps one after the other.
constexpr auto then = [](auto f, auto g) {
  auto [a, b] = f;
  auto [c, d] = g;
  return std::array{c * a, c * b + d};
};
TESSERA_KERNEL(mode_scans)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "N"> y, Out<f32, "M", "N"> z, Out<f32, "M"> w) {
  auto m = k.block<"M">(BM);
  auto n = k.all<"N">();
  y(m, n) = cumsum<"N">(x(m, n));
  auto [s, t] = associative_scan<"N">({x(m, n), x(m, n)}, {1.f, 0.f}, then);
  z(m, n) = s + t;
  auto [u, v] = reduce<"N">({x(m, n), x(m, n)}, {1.f, 0.f}, then);
  w(m) = u + v;
};
TESSERA_KERNEL(mode_scatter)(Kernel k, In<f32, "M", "N"> x, In<i32, "M", "N"> at, Out<f32, "B"> h) {
  auto m = k.block<"M">(BM), n = k.all<"N">();
  h(at(m, n)) += x(m, n);
};
TESSERA_KERNEL(mode_functions)(Kernel k, In<f32, "N"> x, Out<f32, "F", "N"> y) {
  auto n = k.block<"N">(BN);
  auto v = x(n);
  y(0, n) = exp(v);
  y(1, n) = log(abs(v));
  y(2, n) = sin(v);
  y(3, n) = cos(v);
  y(4, n) = tan(v);
  y(5, n) = tanh(v);
  y(6, n) = sigmoid(v);
  y(7, n) = rsqrt(abs(v));
  y(8, n) = gelu(v);
  y(9, n) = fma(v, v, -v) % 0.7f;
  y(10, n) = pow(abs(v), 0.3f);
};

struct Mode {
  Numerics numerics = Numerics::standard;
  bool deterministic = false;
};
constexpr Mode strict{Numerics::strict}, ordered{Numerics::standard, true}, fast{Numerics::fast};

cpu::Machine machine_of(const Mode& mode, const std::string& features, int threads) {
  cpu::Machine machine = cpu::machine(features, 1);
  machine.threads = threads;
  machine.numerics = mode.numerics;
  machine.deterministic = mode.deterministic;
  return machine;
}

/// The plan of a case; `open`: with nothing known of extents and strides.
loop::Program plan(const Case& c, const Arguments& a, const cpu::Machine& machine, bool open) {
  auto known = jit::Specialisation::generic(*c.program);
  const auto layout = call::frame_layout(*c.program);
  for (std::size_t w = layout.first_extent(); !open && w < layout.words(); ++w)
    known.words[w] = static_cast<std::int64_t>(a.frame()[w]);
  const std::vector<std::optional<std::int64_t>> given(c.tunables.begin(), c.tunables.end());
  return cpu::plan(*c.program, known, cpu::choose_tunables(*c.program, known, given, machine), machine);
}

/// Runs a case in a mode and gives its arguments.
std::unique_ptr<Arguments> run(const Case& c, const Mode& mode, const std::string& features, bool open = false,
                               int threads = 1) {
  auto got = std::make_unique<Arguments>(c);
  jit::CompileOptions options;
  options.features = features;
  const auto code = jit::compile_loop(plan(c, *got, machine_of(mode, features, threads), open), options);
  jit::RunContext context;
  context.run(code->entry(), got->frame().data(), 0, code->host()(got->frame().data(), nullptr));
  return got;
}

std::vector<float> floats(const Arguments& a, std::size_t arg, std::size_t count) {
  std::vector<float> v(count);
  std::memcpy(v.data(), a.memory(arg), count * sizeof(float));
  return v;
}

/// The bits of output `arg` for each tile size, known and open, planned for 1 and for 12 threads: all must be equal; in
/// strict mode with all feature sets, and where `wanted` is given, equal to that. All must lie within the bounds.
void check_one(Case c, const Mode& mode, std::size_t arg, std::size_t count,
               const std::vector<std::vector<std::int64_t>>& tunables, const std::vector<float>* wanted = nullptr) {
  Arguments reference(c);
  const auto report = interpret(*c.program, reference.frame(), c.tunables);
  REQUIRE_MESSAGE(report.ok(), report.text());
  std::vector<float> first;
  if (wanted != nullptr) first = *wanted;
  for (const char* features : {"avx2", "sse2", "avx512"}) {
    if (!cpu::runs(features)) continue;
    if (mode.numerics != Numerics::strict) first.clear();
    for (const auto& cuts : tunables)
      for (const bool open : {false, true}) {
        c.tunables = cuts;
        const auto got = run(c, mode, features, open, open ? 12 : 1);
        const std::vector<float> bits = floats(*got, arg, count);
        if (first.empty()) first = bits;
        CAPTURE(features);
        CAPTURE(open);
        CAPTURE(cuts.size());
        CHECK(std::memcmp(first.data(), bits.data(), count * sizeof(float)) == 0);
        const std::string difference = got->compare(reference, report);
        CHECK_MESSAGE(difference.empty(), difference);
      }
  }
}

void check(const Case& c, std::size_t arg, std::size_t count, const std::vector<std::vector<std::int64_t>>& tunables) {
  check_one(c, strict, arg, count, tunables);
  check_one(c, ordered, arg, count, tunables);
}

}  // namespace

TEST_CASE("one order: a product's sums are ascending, in strict mode rounded one by one, whatever the tiles") {
  const std::int64_t m = 13, n = 37, k = 83;
  Case c{&mode_product.program, {{"M", m}, {"N", n}, {"K", k}}, {}, {}, {}};
  const Arguments in(c);
  const auto a = floats(in, 0, static_cast<std::size_t>(m * k)), b = floats(in, 1, static_cast<std::size_t>(k * n));
  const auto bias = floats(in, 2, static_cast<std::size_t>(n));
  std::vector<float> want(static_cast<std::size_t>(m * n));
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      volatile float sum = bias[static_cast<std::size_t>(j)];
      for (std::int64_t l = 0; l < k; ++l) {
        volatile float product = a[static_cast<std::size_t>(i * k + l)] * b[static_cast<std::size_t>(l * n + j)];
        sum = sum + product;
      }
      want[static_cast<std::size_t>(i * n + j)] = sum;
    }
  const std::vector<std::vector<std::int64_t>> tiles{{}, {4, 16, 8}, {13, 37, 83}, {5, 8, 31}, {1, 37, 1}};
  check_one(c, strict, 3, want.size(), tiles, &want);
  check_one(c, ordered, 3, want.size(), tiles);
}

TEST_CASE("one order: rows, columns, windows, scans, adding into memory") {
  Case rows{&mode_rows.program, {{"M", 5}, {"N", 77}}, {}, {}, {}};
  check(rows, 1, 5, {{}, {2}});
  check(rows, 2, 5 * 77, {{}, {2}});
  Case columns{&mode_columns.program, {{"M", 61}, {"N", 45}}, {}, {}, {}};
  check(columns, 1, 45, {{}, {8, 16}, {61, 45}});
  Case window{&mode_window.program, {{"H", 24}, {"F", 3}, {"KH", 5}, {"OH", 20}}, {}, {}, {}};
  check(window, 2, 60, {{}, {1, 8}, {3, 20}});
  Case scans{&mode_scans.program, {{"M", 9}, {"N", 70}}, {}, {}, {}};
  for (std::size_t arg : {1, 2}) check(scans, arg, 9 * 70, {{}, {4}});
  check(scans, 3, 9, {{}, {4}});
  Case scatter{&mode_scatter.program, {{"M", 30}, {"N", 40}, {"B", 7}}, {}, {}, {}};
  scatter.data = {{"at", [](std::int64_t i) { return static_cast<double>(i * i % 7); }}};
  check(scatter, 2, 7, {{}, {4}, {30}});
}

TEST_CASE("one order: a dot over two axes goes through them like nested loops, known or not") {
  Case c{&mode_two_axes.program, {{"M", 5}, {"N", 9}, {"A", 70}, {"B", 40}}, {}, {}, {}};
  check(c, 2, 45, {{}, {2, 9}});
}

TEST_CASE("one order: long columns that lie far apart") {
  Case columns{&mode_columns.program, {{"M", 67}, {"N", 1500}}, {}, {}, {}};
  check(columns, 1, 1500, {{67, 1500}, {16, 700}});
}

TEST_CASE("strict: functions have the same bits with every feature set") {
  Case functions{&mode_functions.program, {{"N", 150}, {"F", 11}}, {}, {}, {}};
  functions.data = {{"x", [](std::int64_t i) { return std::sin(static_cast<double>(i)) * 40; }}};
  check_one(functions, strict, 1, 11 * 150, {{}});
}

TEST_CASE("fast: within the bound of functions of four units, and not always standard's bits") {
  Case c{&mode_functions.program, {{"N", 4000}, {"F", 11}}, {}, {}, {}};
  c.data = {{"x", [](std::int64_t i) {  // one in fifty far away, which sin, cos and tan take the long way for
               const auto x = static_cast<double>(i);
               return i % 50 == 0 ? 1e9 * x : std::sin(x) * std::exp2(static_cast<double>(i % 30) - 16);
             }}};
  Arguments reference(c);
  interpreter::Options options;
  options.function_units = 4;
  const auto report = interpret(*c.program, reference.frame(), c.tunables, options);
  CHECK(report.ok());
  for (const char* features : {"avx2", "sse2", "avx512"}) {
    if (!cpu::runs(features)) continue;
    const auto quick = run(c, fast, features), standard = run(c, {}, features);
    CHECK(quick->compare(reference, report) == "");
    CHECK(floats(*quick, 1, 44000) != floats(*standard, 1, 44000));
  }
}

TEST_CASE("strict code for AVX2 has no fused multiply-add, standard code has") {
  Case c{&mode_product.program, {{"M", 13}, {"N", 37}, {"K", 83}}, {}, {}, {}};
  const Arguments a(c);
  jit::CompileOptions options;
  options.features = "avx2";
  options.load = false;
  const auto fused = [&](const Mode& mode) {
    const auto code = jit::compile_loop(plan(c, a, machine_of(mode, "avx2", 1), false), options);
    return code->assembly().find("vfmadd") != std::string::npos;
  };
  CHECK(fused({}));
  CHECK(fused(ordered));
  CHECK(!fused(strict));
}

TEST_CASE("the mode of a Config reaches the plan: sums of floats into memory keep their order") {
  jit::PlanRequest r;
  r.program = mode_scatter.program;
  r.known = jit::Specialisation::generic(r.program);
  const auto layout = call::frame_layout(r.program);
  for (std::size_t w = layout.first_extent(); w < layout.first_stride(); ++w) r.known.words[w] = 1000;
  r.known.words[layout.first_extent() + 2] = 7;
  r.tunables = {100};
  r.choices = {{"cpu.adding", 2}};  // copies
  r.features = "sse2";
  const auto has_atomics = [&] {  // copies are added up by them
    return loop::print(jit::find_target("cpu").plan(r, {})).find("atomic") != std::string::npos;
  };
  CHECK(has_atomics());
  r.deterministic = true;
  CHECK(!has_atomics());
  r.deterministic = false;
  r.numerics = Numerics::strict;
  CHECK(!has_atomics());
  r.numerics = Numerics::fast;
  CHECK(has_atomics());
}

TEST_CASE("a call's Config chooses the mode") {
  constexpr std::int64_t n = 1000;
  std::vector<float> x(n * 3), strictly(n), again(n), loosely(n);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(i)) * 100;
  const auto call = [&](std::vector<float>& into, const Config& config) {
    mode_columns.with(config)(view(x, {3, n}), view(into, {n}));
  };
  call(strictly, {.numerics = Numerics::strict});
  call(again, {.tunables = {{"BM", 1}, {"BN", 17}}, .threads = 1, .deterministic = true});
  call(loosely, {.numerics = Numerics::fast});
  for (std::size_t j = 0; j < n; ++j) {
    volatile float sum = x[j] + x[n + j];
    sum = sum + x[2 * n + j];
    CHECK(strictly[j] == sum);
    CHECK(again[j] == sum);  // nothing is multiplied
    CHECK(std::abs(loosely[j] - sum) <= 1e-4f);
  }
}
