// Owns the test that what the CPU target plans is well formed, reads back from text, and runs clean in the interpreter:
// the grid's programs in executions of their own, so that they would race if they touched each other's elements.
#include <cmath>
#include <map>

#include "jit/specialisation.hpp"
#include "targets/cpu/plan/plan.hpp"
#include "tessera/tessera.hpp"
#include "tests/jit/loop/gate.hpp"

namespace planned {
using namespace tessera;
inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BK"> BK;

TESSERA_KERNEL(product)(Kernel k, In<f32, "M", "K"> a, In<f32, "K", "N"> b, Out<f32, "M", "N"> c) {
  auto m = k.block<"M">(BM);
  auto n = k.block<"N">(BN);
  Var sum = k.zeros<f32>(m, n);
  for (auto kk : k.blocks<"K">(BK)) sum += dot(a(m, kk), b(kk, n));
  c(m, n) = sum;
};
TESSERA_KERNEL(normalise)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "N"> y) {
  auto m = k.block<"M">(BM);
  auto n = k.all<"N">();
  y(m, n) = x(m, n) / sum<"N">(abs(x(m, n)));
};

TESSERA_KERNEL(window)(Kernel k, In<f32, "H", "W"> x, In<f32, "F", "KH", "KW"> w, Out<f32, "F", "OH", "OW"> y) {
  auto f = k.block<"F">(BM);
  auto oh = k.all<"OH">(), ow = k.all<"OW">(), kh = k.all<"KH">(), kw = k.all<"KW">();
  y(f, oh, ow) = dot<"KH", "KW">(w(f, kh, kw), x(oh + kh, ow + kw));
};

template <class T, class U, class Acc>
TESSERA_KERNEL(narrow)(Kernel k, In<T, "M", "K"> a, In<U, "K", "N"> b, Out<Acc, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  auto i = k.all<"K">();
  c(m, n) = dot(a(m, i), b(i, n));
};

/// Memory of an argument.
struct Array {
  void* data;
  std::size_t bytes;
  template <class T>
  Array(std::vector<T>* v) : data(v->data()), bytes(v->size() * sizeof(T)) {}  // NOLINT(google-explicit-constructor)
};

/// Plans for `machine`, which has vectors of 32 bytes if nobody says otherwise, with everything open, or with all
/// extents and strides known, and runs the grid one program an execution.
loop::Report run(const ir::Program& p, const std::map<std::string, std::int64_t>& extents,
                 const std::vector<Array>& arrays, bool exact = false, const cpu::Machine& machine = {}) {
  const auto layout = call::frame_layout(p);
  std::vector<std::uint64_t> frame(layout.words());
  std::vector<loop::Memory> memory;
  const auto value = [&](std::size_t i) {
    const ir::Extent& e = p.extents[i];
    return (extents.at(std::string(p.str(e.base))) + e.plus + e.divide - 1) / e.divide;
  };
  for (std::size_t i = 0; i < p.extents.size(); ++i)
    frame[layout.extent_word(i)] = static_cast<std::uint64_t>(value(i));
  for (std::size_t a = 0; a < layout.args; ++a) {
    const ir::Arg& arg = p.args[a];
    frame[a] = reinterpret_cast<std::uint64_t>(arrays[a].data);
    const bool out = arg.effect == ir::Effect::out;
    memory.push_back({arrays[a].data, static_cast<std::int64_t>(arrays[a].bytes), !out, out});
    std::int64_t stride = 1;
    for (int d = arg.rank; d-- > 0;) {
      const auto at = static_cast<std::size_t>(arg.first_extent + d);
      frame[layout.stride_word(at)] = static_cast<std::uint64_t>(stride);
      stride *= value(static_cast<std::size_t>(p.arg_extents[at]));
    }
  }
  auto known = jit::Specialisation::generic(p);
  for (std::size_t w = layout.first_extent(); exact && w < layout.words(); ++w)
    known.words[w] = static_cast<std::int64_t>(frame[w]);
  std::vector<std::optional<std::int64_t>> given(p.tunables.size(), 8);
  const loop::Program q = cpu::plan(p, known, cpu::choose_tunables(p, known, given, machine), machine);
  gate::program(loop::print(q));
  CHECK(loop::print(loop::parse(loop::print(q)).program) == loop::print(q));

  loop::InterpretOptions options;
  options.split = 1;
  return loop::interpret(q, frame, memory, options);
}

}  // namespace planned

TEST_CASE("planned: a matrix product runs clean, one program of the grid an execution") {
  const std::int64_t m = 13, n = 21, k = 10;
  std::vector<float> a(m * k), b(k * n), c(m * n);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<float>(i % 7) - 3;
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = static_cast<float>(i % 5) - 2;
  const auto report = planned::run(decltype(planned::product)::program, {{"M", m}, {"N", n}, {"K", k}}, {&a, &b, &c});
  CHECK_MESSAGE(report.clean(), gate::all(report));
  CHECK(report.programs > 1);
  int off = 0;
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      float sum = 0;
      for (std::int64_t l = 0; l < k; ++l)
        sum += a[static_cast<std::size_t>(i * k + l)] * b[static_cast<std::size_t>(l * n + j)];
      off += sum != c[static_cast<std::size_t>(i * n + j)];
    }
  CHECK(off == 0);
}

TEST_CASE("planned: rows that are reduced and scaled run clean") {
  const std::int64_t m = 11, n = 19;
  std::vector<float> x(m * n), y(m * n);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 9) - 4;
  const auto report = planned::run(decltype(planned::normalise)::program, {{"M", m}, {"N", n}}, {&x, &y});
  CHECK_MESSAGE(report.clean(), gate::all(report));
  int off = 0;
  for (std::int64_t i = 0; i < m; ++i) {
    float sum = 0;
    for (std::int64_t j = 0; j < n; ++j) sum += std::fabs(x[static_cast<std::size_t>(i * n + j)]);
    for (std::int64_t j = 0; j < n; ++j)
      off += std::fabs(y[static_cast<std::size_t>(i * n + j)] - x[static_cast<std::size_t>(i * n + j)] / sum) > 1e-6f;
  }
  CHECK(off == 0);
}

TEST_CASE("planned: a window over more pixels than a cache block has columns stays within its panels") {
  for (const std::int64_t side : {50, 300}) {  // whole rows are packed; too many for that
    const std::int64_t f = 8, k = side == 50 ? 2 : 5, in = side + k - 1;
    std::vector<float> x(static_cast<std::size_t>(in * in)), w(static_cast<std::size_t>(f * k * k));
    std::vector<float> y(static_cast<std::size_t>(f * side * side));
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 7) - 3;
    for (std::size_t i = 0; i < w.size(); ++i) w[i] = static_cast<float>(i % 5) - 2;
    const auto report = planned::run(decltype(planned::window)::program,
                                     {{"H", in}, {"W", in}, {"F", f}, {"KH", k}, {"KW", k}, {"OH", side}, {"OW", side}},
                                     {&x, &w, &y}, true);
    // The lanes that fill up the last vector of a row are read and not used.
    for (const tessera::loop::Finding& finding : report.findings)
      CHECK_MESSAGE(finding.kind == tessera::loop::Finding::unwritten, gate::all(report));
    int off = 0;
    for (std::int64_t at = 0; at < f * side * side; ++at) {
      float sum = 0;
      for (std::int64_t l = 0; l < k * k; ++l)
        sum += w[static_cast<std::size_t>(at / side / side * k * k + l)] *
               x[static_cast<std::size_t>((at / side % side + l / k) * in + at % side + l % k)];
      off += sum != y[static_cast<std::size_t>(at)];
    }
    CHECK(off == 0);
  }
}

namespace planned {
/// Whether plans of a dot for `machine` hold vectors of `lanes` elements of type `from`, and compute what they should.
template <class T, class U, class Acc, class Make>
void check_groups(const cpu::Machine& machine, std::size_t lanes, DType from, const Make& make) {
  const std::int64_t m = 9, n = 19, k = 27;
  std::vector<int> x(static_cast<std::size_t>(m * k)), y(static_cast<std::size_t>(k * n));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = i % 5 < 2 ? -128 : i % 7 < 3 ? 127 : static_cast<int>(i % 3);
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = i % 7 < 2 ? -128 : i % 5 < 3 ? 127 : static_cast<int>(i % 4);
  if (std::is_unsigned_v<T>)
    for (int& v : x) v += 128;
  auto a = make(T{}, x);
  auto b = make(U{}, y);
  std::vector<Acc> c(static_cast<std::size_t>(m * n));
  const ir::Program& p = machine.has_bf16_dots   ? narrow<bf16, bf16, f32>.program
                         : std::is_unsigned_v<T> ? narrow<u8, i8, i32>.program
                                                 : narrow<i8, i8, i32>.program;
  for (const bool exact : {true, false}) {
    std::fill(c.begin(), c.end(), Acc{});
    const auto report = run(p, {{"M", m}, {"N", n}, {"K", k}}, {&a, &b, &c}, exact, machine);
    for (const loop::Finding& finding : report.findings)
      CHECK_MESSAGE(finding.kind == loop::Finding::unwritten, gate::all(report));
    int off = 0;
    for (std::int64_t at = 0; at < m * n; ++at) {
      Acc sum{};
      for (std::int64_t l = 0; l < k; ++l)
        sum +=
            static_cast<Acc>(x[static_cast<std::size_t>(at / n * k + l)] * y[static_cast<std::size_t>(l * n + at % n)]);
      off += sum != c[static_cast<std::size_t>(at)];
    }
    CHECK(off == 0);
  }
  const auto known = jit::Specialisation::generic(p);
  const loop::Program q = cpu::plan(p, known, {8, 8}, machine);
  const std::string text = loop::print(q), group = std::string(dtype_name(from)) + "<" + std::to_string(lanes) + ">";
  CHECK_MESSAGE(text.find(group) != std::string::npos, "no ", group, " in the plan");
}
}  // namespace planned

TEST_CASE("planned: dots for processors with VNNI and with AVX512_BF16, which this machine need not have") {
  using namespace tessera;
  const auto integers = [](auto t, const std::vector<int>& v) {
    std::vector<decltype(t)> r;
    for (int x : v) r.push_back(static_cast<decltype(t)>(x));
    return r;
  };
  const auto halves = [](auto, const std::vector<int>& v) {
    std::vector<std::uint16_t> r;
    for (int x : v) r.push_back(static_cast<std::uint16_t>(bits_from_double(DType::bf16, x)));
    return r;
  };
  for (const int bytes : {32, 64}) {
    cpu::Machine machine;
    machine.vector_bytes = bytes;
    machine.vector_registers = bytes / 2;
    machine.has_narrow_masks = bytes == 64;
    machine.has_byte_dots = true;
    planned::check_groups<std::int8_t, std::int8_t, std::int32_t>(machine, static_cast<std::size_t>(bytes), DType::u8,
                                                                  integers);
    planned::check_groups<std::uint8_t, std::int8_t, std::int32_t>(machine, static_cast<std::size_t>(bytes), DType::u8,
                                                                   integers);
    machine.has_bf16_dots = true;
    machine.numerics = Numerics::fast;
    planned::check_groups<std::int16_t, std::int16_t, float>(machine, static_cast<std::size_t>(bytes / 2), DType::bf16,
                                                             halves);
  }
}
