// Tests how views are made of what C++ programs hold their arrays in, and cut.
#include "tessera/call/view.hpp"

#include <doctest/doctest.h>

#include <array>
#include <numeric>
#include <span>
#include <vector>

#include "tessera/call/bind_call.hpp"
#include "tests/call/made.hpp"

using namespace tessera;

namespace {

/// What std::mdspan looks like, with any strides.
template <class T, bool ByExtents>
struct Mdspan {
  T* data = nullptr;
  std::array<std::size_t, 2> sizes{}, steps{};

  struct Extents {
    std::array<std::size_t, 2> sizes;
    constexpr std::size_t extent(std::size_t i) const { return sizes[i]; }
  };
  static constexpr std::size_t rank() { return 2; }
  T* data_handle() const { return data; }
  std::size_t stride(std::size_t i) const { return steps[i]; }
  std::size_t extent(std::size_t i) const
    requires(!ByExtents)
  {
    return sizes[i];
  }
  Extents extents() const { return {sizes}; }
};

template <class V>
float element(const V& v, std::int64_t i, std::int64_t j) {
  return v.data()[i * v.stride(0) + j * v.stride(1)];
}

}  // namespace

TEST_CASE("views of containers, pointers and C arrays") {
  std::vector<float> x(12);
  std::iota(x.begin(), x.end(), 0.0f);
  const std::size_t rows = 3;
  const auto v = view(x, {rows, 4});
  static_assert(std::is_same_v<decltype(v), const View<float, 2>>);
  CHECK(v.extent(0) == 3);
  CHECK(v.stride(0) == 4);
  CHECK(element(v, 2, 3) == 11);
  const std::vector<float>& fixed = x;
  static_assert(std::is_same_v<decltype(view(fixed, {3, 4})), View<const float, 2>>);
  static_assert(std::is_same_v<decltype(view(std::span<const float>(x))), View<const float, 1>>);
  static_assert(std::is_same_v<decltype(view(x.data(), {1, 2, 3})), View<float, 3>>);
  const View<const float, 2> narrowed = v;
  CHECK(narrowed.data() == x.data());
  float table[2][3] = {{1, 2, 3}, {4, 5, 6}};
  const auto t = view(table);
  static_assert(std::is_same_v<decltype(t), const View<float, 2>>);
  CHECK(element(t, 1, 2) == 6);
  CHECK(view(x).extent(0) == 12);
  CHECK(view(x.data(), {2, 2}, {6, 3}).stride(0) == 6);
  const int one = 1;
  static_assert(std::is_same_v<decltype(view(&one, {1})), View<const int, 1>>);
}

TEST_CASE("strided and transposed views") {
  std::vector<float> x(60);
  std::iota(x.begin(), x.end(), 0.0f);
  const auto v = view(x, {6, 10});
  const auto t = v.transpose();
  CHECK(t.extent(0) == 10);
  CHECK(element(t, 7, 2) == element(v, 2, 7));
  CHECK(element(v.transpose(0, 1), 7, 2) == element(v, 2, 7));
  const auto s = v.slice(0, 1, 6, 2).slice(1, 9, 2, -3);  // rows 1 3 5, columns 9 6 3
  CHECK(s.extent(0) == 3);
  CHECK(s.extent(1) == 3);
  CHECK(element(s, 1, 1) == element(v, 3, 6));
  CHECK(element(s, 2, 2) == element(v, 5, 3));
  CHECK(v.slice(1, 9, -1, -1).extent(1) == 10);
  CHECK(v.slice(1, 4, 4).extent(1) == 0);
  const auto row = v.pick(0, 4), column = v.pick(1, 4);
  static_assert(decltype(row)::static_rank == 1);
  CHECK(row.data()[3 * row.stride(0)] == element(v, 4, 3));
  CHECK(column.data()[3 * column.stride(0)] == element(v, 3, 4));
  CHECK(column.extent(0) == 6);
  const auto cube = view(x, {3, 4, 5});
  CHECK(cube.transpose(0, 2).extent(0) == 5);
  CHECK(cube.transpose().stride(0) == 1);
  CHECK(cube.pick(1, 2).stride(0) == 20);
  CHECK(v.strides({1, 6}).stride(1) == 6);
}

TEST_CASE("faults wait for the call") {
  std::vector<float> x(60);
  const auto v = view(x, {6, 10});
  CHECK(v.fault() == nullptr);
  CHECK(v.slice(0, 0, 6).fault() == nullptr);
  CHECK(std::string_view(v.slice(0, 0, 7).fault()) == "slice() reaches outside the array");
  CHECK(std::string_view(v.slice(0, 4, 2).fault()) == "slice() reaches outside the array");
  CHECK(std::string_view(v.slice(0, 6, 0, -1).fault()) == "slice() reaches outside the array");
  CHECK(std::string_view(v.slice(2, 0, 1).fault()) == "slice() names an axis that it lacks");
  CHECK(std::string_view(v.slice(0, 0, 6, 0).fault()) == "slice() has a step of 0");
  CHECK(std::string_view(v.pick(0, 6).fault()) == "pick() names a position that it lacks");
  CHECK(std::string_view(v.transpose(0, -1).fault()) == "transpose() names an axis that it lacks");
  CHECK(std::string_view(v.slice(0, 0, 7).transpose().fault()) == "slice() reaches outside the array");
  const std::int64_t huge = std::int64_t{1} << 40;
  CHECK(std::string_view(view(x.data(), {2, huge, huge}).fault()) == "its extents multiply to more than 63 bits hold");
}

TEST_CASE("packed elements") {
  PackedVector<e2m1> x(32);
  const auto v = view(x, {4, 8});
  static_assert(std::is_same_v<decltype(v), const View<e2m1, 2>>);
  static_assert(std::is_same_v<decltype(v.data()), std::byte*>);
  CHECK(v.stride(0) == 8);
  CHECK(v.slice(1, 4, 8).data() == x.data() + 2);
  CHECK(v.pick(0, 3).data() == x.data() + 12);
  CHECK(v.bounds().end - v.bounds().begin == 16);
  const PackedVector<e3m2> six(8);
  static_assert(std::is_same_v<decltype(view(six)), View<const e3m2, 1>>);
  CHECK(view(six, {2, 4}).pick(0, 1).data() == six.data() + 3);
  std::byte bytes[16] = {};
  static_assert(std::is_same_v<decltype(view<u4>(bytes, {4, 8})), View<u4, 2>>);
  static_assert(std::is_same_v<decltype(view<u4>(static_cast<const std::byte*>(bytes), {4, 8})), View<const u4, 2>>);
  static_assert(std::is_same_v<decltype(view(PackedSpan<const i4>(bytes, 8))), View<const i4, 1>>);
}

TEST_CASE("mdspan-like types are arguments by themselves") {
  std::vector<std::int16_t> x(60), y(60);
  const Mdspan<const std::int16_t, false> in{x.data(), {6, 5}, {10, 2}};
  const Mdspan<std::int16_t, true> out{y.data(), {6, 5}, {5, 1}};
  call::Frame<made::Move> frame{};
  CHECK(call::bind_call<made::Move>(frame, in, out).ok());
  const call::FrameView words{frame.data(), call::frame_layout(made::Move::program)};
  CHECK(words.pointer(0) == x.data());
  CHECK(words.extent(0) == 6);
  CHECK(words.extent(1) == 5);
  CHECK(words.stride(0) == 10);
  CHECK(words.stride(1) == 2);
  CHECK(words.stride(2) == 5);
}

TEST_CASE("const is for what is read") {
  using F = std::vector<float>;
  static_assert(!call::TypeFaults<made::Copy, const F, F>::found.wrong);
  static_assert(call::TypeFaults<made::Copy, F, const F>::message() ==
                "copy: argument y is written, but what is given is const");
  static_assert(call::TypeFaults<made::Copy, F>::message() == "copy takes 2 arguments, but 1 are given");
  static_assert(call::TypeFaults<made::Copy, F, std::vector<double>>::message() ==
                "copy: argument y has elements of f32, but those given are f64");
  static_assert(
      call::TypeFaults<made::Copy, F, View<float, 2>>::message() ==
      "copy: argument y has rank 1, but the array given has rank 2: view(data, {extents}) gives one extent an axis");
  static_assert(call::TypeFaults<made::Copy, F, std::vector<bool>>::message() ==
                "copy: argument y is an array of f32: pass a view, a container or an mdspan of such elements");
  static_assert(call::TypeFaults<made::Scalars, int, F, int, bool, int, float>::message() ==
                "scalars: argument scale is a scalar of f32: pass a number");
}
