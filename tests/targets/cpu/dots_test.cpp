// Tests dots of narrow types on a CPU: groups of elements in a lane, extremes, ends of K, windows, and plans for
// processors that this machine is not.
#include <tessera/tessera.hpp>

#include "tests/targets/cpu/support.hpp"

using namespace tessera;
using cpu_test::of;

namespace {

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;

template <class T, class U, class Acc>
TESSERA_KERNEL(narrow_rows)(Kernel k, In<T, "M", "K"> a, In<U, "K", "N"> b, Out<Acc, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  auto i = k.all<"K">();
  c(m, n) = dot(a(m, i), b(i, n));
};
template <class T, class U, class Acc>
TESSERA_KERNEL(narrow_turned)(Kernel k, In<T, "K", "M"> a, In<U, "N", "K"> b, Out<Acc, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  auto i = k.all<"K">();
  c(m, n) = dot(a(i, m), b(n, i));
};
/// The widening spelled out.
TESSERA_KERNEL(narrow_sum)(Kernel k, In<i8, "M", "K"> a, In<u8, "K", "N"> b, Out<i32, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  auto i = k.all<"K">();
  c(m, n) = sum<"K">(cast<i32>(a(m, i)) * cast<i32>(b(i, n)));
};
TESSERA_KERNEL(narrow_scaled)
(Kernel k, In<i8, "M", "K"> a, In<i8, "N", "K"> b, In<f32, "N"> scale, Out<f32, "M", "N"> c) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  auto i = k.all<"K">();
  c(m, n) = gelu(cast<f32>(dot(a(m, i), b(n, i))) * scale(n));
};
TESSERA_KERNEL(narrow_window)
(Kernel k, In<i8, "C", "H", "W"> x, In<i8, "O", "C", "KH", "KW"> w, Out<i32, "O", "H", "W"> y) {
  auto o = k.all<"O">();
  auto h = k.all<"H">();
  auto v = k.all<"W">();
  auto c = k.all<"C">();
  auto kh = k.all<"KH">();
  auto kw = k.all<"KW">();
  y(o, h, v) = dot<"C", "KH", "KW">(w(o, c, kh, kw), x.pad(0)(c, h + kh - 1, v + kw - 1));
};

using Extents = std::map<std::string, std::int64_t>;
const Extents shapes[] = {
    {{"M", 7}, {"N", 17}, {"K", 3}},
    {{"M", 20}, {"N", 37}, {"K", 65}},
};

/// Both ends of the integers' ranges, in no period that an end of a block could hide.
std::function<double(std::int64_t)> extremes(double low, double high) {
  return [=](std::int64_t e) { return e * 7 % 5 < 2 ? low : e * 3 % 7 < 3 ? high : static_cast<double>(e % 3); };
}

void check(const ir::Program& p, const Extents& extents, double a_low, double a_high, double b_low, double b_high) {
  auto c = of(p, extents);
  c.data = {{"a", extremes(a_low, a_high)}, {"b", extremes(b_low, b_high)}};
  CPU_CHECK(c);
  const std::string wrong = cpu_test::run_plans_of_others(c);
  CHECK_MESSAGE(wrong.empty(), wrong);
}

}  // namespace

TEST_CASE("dots of bytes and nibbles, every pair of signs") {
  for (const Extents& s : shapes) {
    check(narrow_rows<i8, i8, i32>.program, s, -128, 127, -128, 127);
    check(narrow_turned<i8, i8, i32>.program, s, -128, 127, -128, 127);
    check(narrow_rows<u8, i8, i32>.program, s, 0, 255, -128, 127);
    check(narrow_turned<i8, u8, i32>.program, s, -128, 127, 0, 255);
    check(narrow_rows<u8, u8, i32>.program, s, 0, 255, 0, 255);
    check(narrow_rows<i4, i8, i32>.program, s, -8, 7, -128, 127);
    check(narrow_turned<u4, i4, i32>.program, s, 0, 15, -8, 7);
    check(narrow_sum.program, s, -128, 127, 0, 255);
  }
}

TEST_CASE("dots of i16 sum modulo 2^32") {
  for (const Extents& s : shapes) {
    check(narrow_rows<i16, i16, i32>.program, s, -1000, 1000, -1000, 1000);
    check(narrow_turned<i16, i8, i32>.program, s, -32768, 32767, -128, 127);
  }
}

TEST_CASE("a dot of bytes with an epilogue in f32, of one and of nothing") {
  for (const Extents& s : shapes) check(narrow_scaled.program, s, -128, 127, -128, 127);
  check(narrow_rows<i8, i8, i32>.program, {{"M", 4}, {"N", 3}, {"K", 1}}, -128, 127, -128, 127);
  check(narrow_rows<i8, i8, i32>.program, {{"M", 9}, {"N", 50}, {"K", 0}}, -128, 127, -128, 127);
}

TEST_CASE("windows of bytes, over a collapsed axis and over whole blocks") {
  for (std::int64_t w : {7, 16})
    for (std::int64_t channels : {1, 3}) {
      auto c = of(narrow_window.program, {{"C", channels}, {"H", 5}, {"W", w}, {"O", 9}, {"KH", 3}, {"KW", 3}});
      CPU_CHECK(c);
      const std::string wrong = cpu_test::run_plans_of_others(c);
      CHECK_MESSAGE(wrong.empty(), wrong);
    }
}

TEST_CASE("dots of bf16 in fast numerics") {
  for (const Extents& s : shapes)
    for (const auto* p : {&narrow_rows<bf16, bf16, f32>.program, &narrow_turned<bf16, bf16, f32>.program}) {
      const std::string wrong = cpu_test::run_plans_of_others(of(*p, s));
      CHECK_MESSAGE(wrong.empty(), wrong);
    }
}

TEST_CASE("code for AVX-512 with dots of bytes and of bf16 compiles") {
  for (const auto* p : {&narrow_rows<i8, i8, i32>.program, &narrow_turned<u8, i8, i32>.program,
                        &narrow_rows<i16, i16, i32>.program, &narrow_rows<bf16, bf16, f32>.program}) {
    for (const char* features : {"avx512", "avx512bf16"}) {
      const std::string wrong = cpu_test::compile_avx512(of(*p, {{"M", 33}, {"N", 70}, {"K", 65}}), features);
      CHECK_MESSAGE(wrong.empty(), wrong);
    }
  }
}

TEST_CASE("plans use the instructions of processors with VNNI and AVX512_BF16") {
  const Extents shape{{"M", 33}, {"N", 70}, {"K", 65}};
  const auto has = [&](const ir::Program& p, const char* features, const char* word) {
    return cpu_test::assembly_for(of(p, shape), features).find(word) != std::string::npos;
  };
  CHECK(has(narrow_rows<i8, i8, i32>.program, "avx512vnni", "vpdpbusd"));
  CHECK(has(narrow_rows<u8, i8, i32>.program, "avxvnni", "vpdpbusd"));
  CHECK(has(narrow_rows<i16, i16, i32>.program, "avx512vnni", "vpdpwssd"));
  CHECK(has(narrow_rows<bf16, bf16, f32>.program, "avx512bf16", "vdpbf16ps"));  // planned in fast numerics
  CHECK(!has(narrow_rows<i8, i8, i32>.program, "avx512", "vpdp"));
}
