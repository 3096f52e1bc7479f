// Tests programs that add into memory: in order, with copies, with atomics, on one thread and on several at a time.
#include <tessera/tessera.hpp>

#include <cmath>
#include <thread>

#include "jit/loop/verify.hpp"
#include "jit/runtime/compile.hpp"
#include "jit/runtime/run_context.hpp"
#include "jit/specialisation.hpp"
#include "targets/cpu/features.hpp"
#include "targets/cpu/plan/plan.hpp"
#include "tests/support/differential.hpp"
#include "tests/targets/cpu/support.hpp"

using namespace tessera;
using cpu_test::of;

namespace {

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;

template <class T, class S>
TESSERA_KERNEL(counts)(Kernel k, In<T, "N"> x, Out<S, "B"> h, Out<S> all) {
  auto n = k.block<"N">(BN);
  h(cast<i32>(x(n))) += 1;
  all() += sum(cast<S>(x(n)));
};
TESSERA_KERNEL(weighted)(Kernel k, In<i32, "N"> row, In<i32, "N"> column, In<f32, "N"> w, InOut<f32, "R", "C"> h) {
  auto n = k.block<"N">(BN);
  h(row(n), column(n)).where(w(n) > -0.5f) += w(n);
};
// Columns never meet, rows do.
TESSERA_KERNEL(columns)(Kernel k, In<f32, "M", "N"> x, Out<f32, "N"> total, Out<i32, "N", "M"> places) {
  auto m = k.block<"M">(BM);
  auto n = k.block<"N">(BN);
  total(n) += sum<"M">(x(m, n));
  places(n, m) += cast<i32>(k.linear_id());
};
TESSERA_KERNEL(scattered)(Kernel k, In<i32, "T"> ids, In<f16, "T", "D"> x, Out<f16, "V", "D"> table) {
  auto t = k.block<"T">(BM);
  auto d = k.all<"D">();
  table(ids(t), d) += x(t, d);
};
TESSERA_KERNEL(extremes)(Kernel k, In<i32, "N"> at_, In<i32, "N"> x, InOut<i32, "B"> low, InOut<i32, "B"> high,
                         InOut<i32, "B"> both) {
  auto n = k.block<"N">(BN);
  atomic_min(low(at_(n)), x(n));
  atomic_max(high(at_(n)), x(n));
  atomic_add(both(at_(n)), 1);
  both(at_(n)) += 2;
};

using Extents = std::map<std::string, std::int64_t>;

struct Way {
  cpu::Adding adding;
  int threads;
  bool deterministic = false;
};
const Way ways[] = {{cpu::Adding::automatic, 1},      {cpu::Adding::automatic, 2}, {cpu::Adding::automatic, 16},
                    {cpu::Adding::in_order, 4},       {cpu::Adding::copies, 4},    {cpu::Adding::atomics, 4},
                    {cpu::Adding::automatic, 4, true}};

/// Runs the programs that may run at a time on three threads, in uneven parts.
void run_on_threads(const jit::Compiled& code, const std::vector<std::uint64_t>& frame) {
  const std::int64_t programs = code.host()(frame.data(), nullptr);
  const std::int64_t serial = [&] {
    for (const auto& [name, value] : code.program().attributes)
      if (name == "serial_grid") return value;
    return std::int64_t{0};
  }();
  jit::RunContext context;
  if (serial != 0) return context.run(code.entry(), frame.data(), 0, programs);
  const std::int64_t cuts[] = {0, programs / 5, programs / 2, programs};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i)
    if (cuts[i] < cuts[i + 1])
      threads.emplace_back([&, i] { context.run(code.entry(), frame.data(), cuts[i], cuts[i + 1]); });
  for (std::thread& t : threads) t.join();
}

/// What is wrong in any way of adding; empty where all agree with the interpreter.
std::string wrong(const tessera_test::Case& c) {
  std::string text;
  tessera_test::Arguments reference(c);
  const auto report = interpret(*c.program, reference.frame(), c.tunables);
  if (!report.ok()) return report.text();
  const auto layout = call::frame_layout(*c.program);
  for (const char* features : {"avx2", "sse2"}) {
    if (!cpu::runs(features)) continue;
    for (const Way& way : ways)
      for (bool known : {true, false}) {
        tessera_test::Arguments got(c);
        auto spec = jit::Specialisation::generic(*c.program);
        for (std::size_t w = layout.first_extent(); known && w < layout.words(); ++w)
          spec.words[w] = static_cast<std::int64_t>(got.frame()[w]);
        cpu::Machine machine = cpu::machine(features, 1);
        machine.threads = way.threads;
        machine.adding = way.adding;
        machine.deterministic = way.deterministic;
        const std::string where = std::string(features) + ", way " + std::to_string(&way - ways) +
                                  (known ? ", known: " : ", nothing known: ");
        try {
          const loop::Program p = cpu::plan(*c.program, spec, c.tunables, machine);
          if (const auto defects = loop::verify(p); !defects.empty()) return where + defects.front();
          jit::CompileOptions options;
          options.features = features;
          run_on_threads(*jit::compile_loop(p, options), got.frame());
          const std::string difference = got.compare(reference, report);
          if (!difference.empty()) text += where + difference + "\n";
        } catch (const std::exception& e) {
          text += where + e.what() + "\n";
        }
      }
  }
  return text;
}

void check(const ir::Program& p, const Extents& extents, std::vector<std::int64_t> tunables,
           std::map<std::string, std::function<double(std::int64_t)>> data) {
  auto c = of(p, extents);
  c.tunables = std::move(tunables);
  c.data = std::move(data);
  const std::string text = wrong(c);
  CHECK_MESSAGE(text.empty(), text);
}

double bin(std::int64_t i) { return static_cast<double>(i * 7919 % 61 % 23); }

}  // namespace

TEST_CASE("histograms of bytes and floats, of every way to add") {
  for (std::int64_t n : {0, 1, 9, 1000}) {
    check(counts<u8, i32>.program, {{"N", n}, {"B", 23}}, {64}, {{"x", bin}});
    check(counts<f32, f32>.program, {{"N", n}, {"B", 23}}, {64}, {{"x", bin}});
  }
  check(counts<i8, i64>.program, {{"N", 777}, {"B", 23}}, {100}, {{"x", bin}});
  check(counts<u8, i32>.program, {{"N", 500}, {"B", 23}}, {64}, {{"x", [](std::int64_t) { return 7.0; }}});
}

TEST_CASE("additions at computed places under a mask, onto what was there") {
  check(weighted.program, {{"N", 900}, {"R", 5}, {"C", 7}}, {50},
        {{"row", [](std::int64_t i) { return double(i % 5); }},
         {"column", [](std::int64_t i) { return double(i * 3 % 7); }}});
}

TEST_CASE("programs that never meet run at a time, those that do in order") {
  check(columns.program, {{"M", 37}, {"N", 70}}, {8, 16}, {});
  check(columns.program, {{"M", 5}, {"N", 3}}, {8, 16}, {});
}

TEST_CASE("rows of a table, in an element type that rounds") {
  check(scattered.program, {{"T", 60}, {"D", 19}, {"V", 6}}, {4},
        {{"ids", [](std::int64_t i) { return double(i * 5 % 6); }},
         {"x", [](std::int64_t i) { return double(i % 9) / 4; }}});
}

TEST_CASE("named atomics from several threads") {
  check(extremes.program, {{"N", 700}, {"B", 11}}, {33}, {{"at_", [](std::int64_t i) { return double(i * 3 % 11); }}});
}

TEST_CASE("how programs get along shows in the plan") {
  const auto attribute = [](const ir::Program& p, Extents extents, cpu::Machine m, std::vector<std::int64_t> tunables) {
    auto c = of(p, std::move(extents));
    tessera_test::Arguments a(c);
    auto spec = jit::Specialisation::generic(p);
    const auto layout = call::frame_layout(p);
    for (std::size_t w = layout.first_extent(); w < layout.words(); ++w)
      spec.words[w] = static_cast<std::int64_t>(a.frame()[w]);
    std::map<std::string, std::int64_t> found;
    for (const auto& [name, value] : cpu::plan(p, spec, tunables, m).attributes) found[name] = value;
    return found;
  };
  cpu::Machine m = cpu::machine("sse2", 1);
  m.threads = 4;
  // 640 columns in 40 blocks never meet; 8 blocks of rows run in order within them.
  auto found = attribute(columns.program, {{"M", 64}, {"N", 640}}, m, {8, 16});
  CHECK(found.at("serial_grid") == 0);
  CHECK(found.at("programs") == 40);
  // Bins are few: each thread has its own.
  found = attribute(counts<u8, i32>.program, {{"N", 100000}, {"B", 23}}, m, {64});
  CHECK(found.at("serial_grid") == 0);
  CHECK(found.count("programs") == 0);
  // Bins are many: one thread.
  CHECK(attribute(counts<u8, i32>.program, {{"N", 1000}, {"B", 1000000}}, m, {64}).at("serial_grid") == 1);
  // Float sums in one order.
  m.deterministic = true;
  CHECK(attribute(counts<f32, f32>.program, {{"N", 100000}, {"B", 23}}, m, {64}).at("serial_grid") == 1);
  CHECK(attribute(counts<u8, i32>.program, {{"N", 100000}, {"B", 23}}, m, {64}).at("serial_grid") == 0);
}
