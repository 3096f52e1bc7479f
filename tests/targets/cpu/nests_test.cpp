// Tests the shapes of nests on a CPU: sums along rows that lie far apart, tiles turned in registers, windows whose
// middle needs no checks, values made by the reduction that follows, programs numbered by an index.
#include <tessera/tessera.hpp>

#include "tests/targets/cpu/support.hpp"

using namespace tessera;
using cpu_test::of;

namespace {

inline constexpr Dim<"BM"> BM;
inline constexpr Dim<"BN"> BN;
inline constexpr Dim<"BK"> BK;

template <class T>
TESSERA_KERNEL(of_columns)(Kernel k, In<T, "M", "N"> x, In<T, "M"> w, Out<T, "N"> total, Out<T, "N"> high,
                           Out<T, "N"> weighted) {
  auto m = k.all<"M">();
  auto n = k.block<"N">(BN);
  total(n) = cast<T>(sum<"M">(x(m, n)));
  high(n) = max<"M">(x(m, n));
  weighted(n) = cast<T>(sum<"M">(x(m, n) * w(m)) + 1);
};
TESSERA_KERNEL(of_planes)(Kernel k, In<f32, "A", "B", "C"> x, Out<f32, "C"> both, Out<f32, "A", "C"> one) {
  auto a = k.all<"A">(), b = k.all<"B">(), c = k.all<"C">();
  both(c) = sum<"A", "B">(exp(x(a, b, c)));
  one(a, c) = min<"B">(x(a, b, c)) * 2;
};
template <class T>
TESSERA_KERNEL(turned)(Kernel k, In<T, "M", "N"> x, In<T, "N", "M"> y, In<T, "N"> w, Out<T, "N", "M"> plain,
                       Out<T, "N", "M"> mixed) {
  auto m = k.block<"M">(BM), n = k.block<"N">(BN);
  plain(n, m) = x(m, n);
  mixed(n, m) = max(x(m, n), y(n, m)) + w(n);
};
TESSERA_KERNEL(turned_planes)(Kernel k, In<f32, "A", "B", "C"> x, Out<f32, "C", "A", "B"> y,
                              Out<f32, "B", "C", "A"> z) {
  auto a = k.all<"A">(), b = k.all<"B">(), c = k.all<"C">();
  y(c, a, b) = x(a, b, c) * 2;
  z(b, c, a) = x(a, b, c) - 1;
};
TESSERA_KERNEL(reaches)(Kernel k, In<f32, "H", "W"> x, Out<f32, "H", "W"> y, Out<f32, "H", "W"> z) {
  auto h = k.block<"H">(BM), w = k.block<"W">(BN);
  auto p = x.pad(1.5f);
  y(h, w) = p(h - 1, w) + p(h + 1, w) + p(h, w - 3) * 2 + p(h, w + 2);
  z(h, w) = p(h, 2 * w) + p(h + w, w - 1);
};
TESSERA_KERNEL(made_and_reduced)(Kernel k, In<f32, "M", "N"> x, Out<f32, "M", "N"> y, Out<f32, "M"> total,
                                 Out<f32, "N"> of_n) {
  auto m = k.all<"M">(), n = k.all<"N">();
  auto e = exp(x(m, n) - max<"N">(x(m, n)));
  total(m) = sum<"N">(e);
  y(m, n) = e / sum<"N">(e);
  auto f = tanh(x(m, n)) * 2 + sigmoid(x(m, n));
  of_n(n) = sum<"M">(f * f) + max<"M">(f);
};
TESSERA_KERNEL(by_index)(Kernel k, In<f32, "B", "M", "K"> a, In<f32, "B", "K", "N"> b, Out<f32, "B", "M", "N"> c,
                         Out<f32, "B", "N"> last) {
  auto z = k.index<"B">();
  auto m = k.all<"M">();
  auto n = k.all<"N">();
  c(z, m, n) = dot(a(z, m, k.all<"K">()), b(z, k.all<"K">(), n));
  last(z, n) = sum<"M">(a(z, m, 0) * b(z, 0, n));
};
// What a tile is shows in these: the numbers of literal blocks are part of the program.
TESSERA_KERNEL(of_tiles)(Kernel k, In<f32, "N"> x, Out<f32, "N"> sums, Out<f32, "N"> sorted, Out<f32, "N"> shifted,
                         Out<f32, "N"> centred) {
  auto n = k.block<"N">(16);
  auto v = x(n);
  sums(n) = cumsum<"N">(v);
  sorted(n) = sort<"N">(v);
  shifted(n) = at<"N">(pad(v, 4), n + 1);
  centred(n) = v - max<"N">(v);
};

void check(const ir::Program& p, const std::map<std::string, std::int64_t>& extents) {
  auto c = of(p, extents);
  CPU_CHECK(c);
  c.row_padding = 5;
  CPU_CHECK(c);
}

}  // namespace

TEST_CASE("sums of columns, of planes") {
  for (auto [m, n] : {std::pair{1, 600}, {9, 517}, {40, 2100}, {0, 530}, {17, 3}, {3, 4600}}) {
    check(of_columns<f32>.program, {{"M", m}, {"N", n}});
    check(of_columns<f64>.program, {{"M", m}, {"N", n}});
    check(of_columns<bf16>.program, {{"M", m}, {"N", n}});
    check(of_columns<i16>.program, {{"M", m}, {"N", n}});
  }
  check(of_planes.program, {{"A", 3}, {"B", 5}, {"C", 601}});
  check(of_planes.program, {{"A", 2}, {"B", 1}, {"C", 33}});
}

TEST_CASE("transposes of whole tiles and of rests") {
  for (auto [m, n] : {std::pair{16, 16}, {37, 53}, {8, 100}, {70, 7}, {1, 40}, {530, 18}, {0, 9}}) {
    check(turned<f32>.program, {{"M", m}, {"N", n}});
    check(turned<f64>.program, {{"M", m}, {"N", n}});
    check(turned<f16>.program, {{"M", m}, {"N", n}});
    check(turned<i32>.program, {{"M", m}, {"N", n}});
    check(turned<u8>.program, {{"M", m}, {"N", n}});
  }
  check(turned_planes.program, {{"A", 9}, {"B", 17}, {"C", 20}});
  check(turned_planes.program, {{"A", 33}, {"B", 2}, {"C", 8}});
}

TEST_CASE("windows at edges and in the middle") {
  for (auto [h, w] : {std::pair{5, 64}, {3, 9}, {1, 1}, {4, 2}, {7, 131}}) check(reaches.program, {{"H", h}, {"W", w}});
}

TEST_CASE("values made by the reduction that follows") {
  for (auto [m, n] : {std::pair{5, 64}, {3, 9}, {1, 1}, {4, 0}, {70, 131}})
    check(made_and_reduced.program, {{"M", m}, {"N", n}});
}

TEST_CASE("programs numbered by an index") {
  check(by_index.program, {{"B", 3}, {"M", 13}, {"K", 9}, {"N", 21}});
  check(by_index.program, {{"B", 1}, {"M", 1}, {"K", 4}, {"N", 8}});
}

TEST_CASE("operations within literal tiles") {
  for (std::int64_t n : {1, 16, 50, 200}) check(of_tiles.program, {{"N", n}});
}
