// Tests that calls are refused for what is wrong in them, in these words, and accepted otherwise, by both binders.
#include "tessera/call/bind.hpp"

#include <doctest/doctest.h>

#include <random>
#include <span>
#include <string>
#include <vector>

#include "tessera/call/bind_call.hpp"
#include "tests/call/made.hpp"

using namespace tessera;

namespace {

/// The text and hint of a call that is refused, or "". Checks that the quick binder accepts no more than the full one.
template <class Captured, class... Args>
std::string refusal(Args&&... args) {
  call::Frame<Captured> quick{}, full{};
  const bool accepted = call::fast_bind<Captured>(quick.data(), args...);
  const auto raw = call::raw_arguments<Captured>(args...);
  const Status status = call::bind(Captured::program, raw, full.data());
  if (accepted) {
    CHECK(status.ok());
    CHECK(quick == full);
  }
  call::Frame<Captured> frame{};
  CHECK(call::bind_call<Captured>(frame, args...).ok() == status.ok());
  if (!status.ok()) CHECK(status.kind() == ErrorKind::user);
  return std::string(status.message());
}

template <class Captured, class... Args>
std::string text(Args&&... args) {
  const std::string message = refusal<Captured>(args...);
  return message.substr(0, message.find("\n  hint: "));
}

template <class Captured, class... Args>
bool quick(Args&&... args) {
  call::Frame<Captured> frame{};
  return call::fast_bind<Captured>(frame.data(), args...) && refusal<Captured>(args...).empty();
}

struct Matrices {
  std::vector<float> a = std::vector<float>(512 * 300), b = std::vector<float>(300 * 1000),
                     bias = std::vector<float>(1000), c = std::vector<float>(512 * 1000);
};

}  // namespace

TEST_CASE("LANGUAGE.md's call is right, and its Frame holds addresses, extents and strides") {
  Matrices m;
  call::Frame<made::Gemm> frame{};
  CHECK(call::bind_call<made::Gemm>(frame, view(m.a, {512, 300}), view(m.b, {300, 1000}), view(m.bias, {1000}),
                                    view(m.c, {512, 1000}))
            .ok());
  const call::FrameView words{frame.data(), call::frame_layout(made::Gemm::program)};
  CHECK(words.pointer(0) == m.a.data());
  CHECK(words.pointer(3) == m.c.data());
  CHECK(words.extent(0) == 512);  // M, K, N in order of appearance
  CHECK(words.extent(1) == 300);
  CHECK(words.extent(2) == 1000);
  CHECK(words.stride(0) == 300);
  CHECK(words.stride(1) == 1);
  CHECK(words.stride(4) == 1);
  CHECK(words.stride(5) == 1000);
  CHECK(frame.size() == 4 + 3 + 7);
  CHECK(quick<made::Gemm>(view(m.a, {512, 300}), view(m.b, {300, 1000}), m.bias, view(m.c, {512, 1000})));
}

TEST_CASE("extents agree") {
  Matrices m;
  const auto a = view(m.a, {512, 300});
  const auto c = view(m.c, {512, 1000});
  CHECK(refusal<made::Gemm>(a, view(m.b, {200, 1000}), m.bias, c) ==
        "gemm: argument b: extent K is 200, but a has K = 300\n"
        "  hint: K is one number in a call: arrays that name it agree");
  CHECK(text<made::Gemm>(a, view(m.b, {300, 999}), m.bias, c) ==
        "gemm: argument bias: extent N is 1000, but b has N = 999");
  CHECK(text<made::Gemm>(a, view(m.b, {300, 1000}), m.bias, view(m.c, {511, 1000})) ==
        "gemm: argument c: extent M is 511, but a has M = 512");
  CHECK(text<made::Gemm>(view(m.a, {-1, 300}), view(m.b, {300, 1000}), m.bias, c) ==
        "gemm: argument a: extent M is -1");
  CHECK(text<made::Gemm>(view(m.a, {512, 300}), view(m.b.data(), {std::size_t(-300), std::size_t(1000)}), m.bias, c) ==
        "gemm: argument b: extent K is -300");
}

TEST_CASE("an array that names an extent twice") {
  struct MakeGram {
    static constexpr made::Maker make() {
      made::Maker m("gram");
      return m.arg("g", DType::f32, ir::Effect::out, "N", "N");
    }
  };
  std::vector<float> g(20);
  CHECK(text<made::Captured<MakeGram>>(view(g, {4, 5})) ==
        "gram: argument g: extent N is 5, but its own axis 1 has N = 4");
  CHECK(quick<made::Captured<MakeGram>>(view(g, {4, 4})));
}

TEST_CASE("derived extents") {
  std::vector<std::int32_t> at(5), count(5);
  std::vector<float> x(4 * 300);
  std::vector<std::uint8_t> s(10);
  CHECK(quick<made::Derived>(at, count, view(x, {4, 300}), s));
  call::Frame<made::Derived> frame{};
  CHECK(call::bind_call<made::Derived>(frame, at, count, view(x, {4, 300}), s).ok());
  const call::FrameView words{frame.data(), call::frame_layout(made::Derived::program)};
  CHECK(words.extent(0) == 5);    // B+1
  CHECK(words.extent(1) == 4);    // B
  CHECK(words.extent(2) == 300);  // K
  CHECK(words.extent(3) == 10);   // K/32, rounded up
  CHECK(words.extent(4) == 6);    // B+2
  CHECK(refusal<made::Derived>(at, count, view(x, {4, 300}), std::span(s).first(9)) ==
        "derived: argument s: extent K/32 is 9, but x has K = 300, so K/32 = 10\n  hint: K/32 is rounded up");
  CHECK(text<made::Derived>(std::span(at).first(4), count, view(x, {4, 300}), s) ==
        "derived: argument at: extent B+1 is 4, but x has B = 4, so B+1 = 5");
  CHECK(refusal<made::Derived>(at, count, view(x, {4, 0}), std::span(s).first(0)).empty());
  CHECK(text<made::Derived>(at, count, view(x, {4, 0}), s) ==
        "derived: argument s: extent K/32 is 10, but x has K = 0, so K/32 = 0");
}

TEST_CASE("an extent that occurs only as B+1 is found from it") {
  std::vector<std::int32_t> at(5), end(5);
  call::Frame<made::Offsets> frame{};
  CHECK(call::bind_call<made::Offsets>(frame, at, end).ok());
  CHECK(call::FrameView{frame.data(), call::frame_layout(made::Offsets::program)}.extent(1) == 4);
  CHECK(text<made::Offsets>(at, std::span(end).first(3)) ==
        "offsets: argument end: extent B+1 is 3, but at has B+1 = 5");
  CHECK(refusal<made::Offsets>(std::span(at).first(1), std::span(end).first(1)).empty());
  CHECK(text<made::Offsets>(std::span(at).first(0), std::span(end).first(0)) ==
        "offsets: argument at: extent B+1 is 0, so that B would be -1");
}

TEST_CASE("an extent that occurs only as K/32 is refused") {
  made::Maker m("scales");
  m.arg("s", DType::u8, ir::Effect::in, "K/32");
  std::vector<std::uint8_t> s(4);
  const call::RawArg raw[] = {call::raw_argument(s, false)};
  std::uint64_t frame[8] = {};
  CHECK(call::bind(m.storage().view(), raw, frame).text() == "scales: extent K/32 cannot be found from the arguments");
}

TEST_CASE("what a program made at run time is given") {
  made::Maker m("made");
  m.arg("x", DType::f32, ir::Effect::in, "N").arg("y", DType::f32, ir::Effect::out, "N");
  m.arg("s", DType::i8, ir::Effect::scalar);
  const ir::Program program = m.storage().view();
  std::vector<float> x(4), y(4);
  std::vector<double> wide(4);
  const std::vector<float> fixed(4);
  int number = 3;
  std::uint64_t frame[8] = {};
  const auto message = [&](auto... raw) {
    const std::vector<call::RawArg> list{raw...};
    return std::string(call::bind(program, list, frame).text());
  };
  const auto rx = call::raw_argument(x, false), ry = call::raw_argument(y, false),
             rs = call::raw_argument(number, true);
  CHECK(message(rx, ry, rs).empty());
  CHECK(message(rx, ry) == "made takes 3 arguments, but 2 were given");
  CHECK(message(rx, rs, rs) == "made: argument y is an array, but a number was given");
  CHECK(message(rx, ry, rx) == "made: argument s is a scalar of i8, but an array was given");
  CHECK(message(call::raw_argument(wide, false), ry, rs) ==
        "made: argument x has elements of f32, but those given are f64");
  CHECK(message(rx, call::raw_argument(fixed, false), rs) == "made: argument y is Out, but what is given is const");
  auto table = view(y, {2, 2});
  CHECK(message(rx, call::raw_argument(table, false), rs) ==
        "made: argument y has rank 1, but the array given has rank 2");
}

TEST_CASE("rank at run time") {
  std::vector<float> x(6), y(6);
  const std::vector<int> one{6}, two{2, 3}, nine(9, 1);
  CHECK(quick<made::Copy>(view(x.data(), one), view(y.data(), one)));
  CHECK(refusal<made::Copy>(view(x.data(), two), y) ==
        "copy: argument x has rank 1, but the array given has rank 2\n"
        "  hint: view(data, {extents\u2026}) gives one extent an axis");
  CHECK(text<made::Copy>(view(x.data(), nine), y) == "copy: argument x: the view cannot be: it has more than 8 axes");
}

TEST_CASE("data is there and aligned") {
  std::vector<float> x(8), y(8);
  const auto null = view(static_cast<float*>(nullptr), {8});
  CHECK(refusal<made::Copy>(null, y) ==
        "copy: argument x: null data for 8 elements\n  hint: only an empty array may have none");
  CHECK(text<made::Copy>(view(static_cast<float*>(nullptr), {1}), view(y, {1})) ==
        "copy: argument x: null data for 1 element");
  CHECK(refusal<made::Copy>(view(static_cast<float*>(nullptr), {0}), view(static_cast<float*>(nullptr), {0})).empty());
  CHECK(refusal<made::Copy>(std::vector<float>{}, std::span<float>{}).empty());
  alignas(8) std::byte memory[64];
  const auto odd = view(reinterpret_cast<float*>(memory + 2), {8});  // never read
  const std::string message = text<made::Copy>(odd, y);
  CHECK(message.starts_with("copy: argument x: data at 0x"));
  CHECK(message.ends_with(" is not aligned to the 4 bytes of f32"));
}

TEST_CASE("views stay inside their containers") {
  std::vector<float> x(8), y(9);
  CHECK(text<made::Copy>(view(x, {9}), y) == "copy: argument x: 9 elements need 9, but its container holds 8");
  CHECK(text<made::Copy>(view(x, {4}).strides({3}), view(y, {4})) ==
        "copy: argument x: 4 elements with strides (3) need 10, but its container holds 8");
  CHECK(
      text<made::Copy>(view(x, {4}).strides({-1}), view(y, {4})) ==
      "copy: argument x: 4 elements with strides (-1) begin 3 before its container's first, but its container holds 8");
  CHECK(text<made::Copy>(view(x, {8}).slice(0, 2, 9), view(y, {7})) ==
        "copy: argument x: the view cannot be: slice() reaches outside the array");
  CHECK(quick<made::Copy>(view(x, {8}).slice(0, 2, 8), view(y, {6})));
  CHECK(refusal<made::Copy>(view(x, {8}).slice(0, 7, -1, -1), view(y, {8})).empty());  // backwards
}

TEST_CASE("what is written overlaps nothing") {
  std::vector<float> x(100);
  const std::string message = refusal<made::Copy>(view(x, {60}), view(x.data() + 59, {60}));
  CHECK(message.starts_with("copy: argument y is Out and overlaps argument x in memory (0x"));
  CHECK(message.ends_with(
      ")\n  hint: what is written shares no memory with other arguments; to update in place, a kernel has one InOut"));
  CHECK(quick<made::Copy>(view(x.data(), {50}), view(x.data() + 50, {50})));
  CHECK(quick<made::Copy>(view(x.data() + 50, {50}), view(x.data(), {50})));
  // Even and odd elements are apart, though their intervals are not.
  CHECK(refusal<made::Copy>(view(x.data(), {50}, {2}), view(x.data() + 1, {50}, {2})).empty());
  CHECK(text<made::Copy>(view(x.data(), {50}, {2}), view(x.data() + 1, {33}, {3}).slice(0, 0, 33))
            .starts_with("copy: argument y: extent N is 33"));
  CHECK(text<made::Copy>(view(x.data(), {33}, {2}), view(x.data() + 1, {33}, {3}))
            .starts_with("copy: argument y is Out and overlaps argument x"));
  // Left and right columns of one matrix; one column too many.
  std::vector<std::int16_t> m(10 * 20);
  const auto whole = view(m, {10, 20});
  CHECK(refusal<made::Move>(whole.slice(1, 0, 10), whole.slice(1, 10, 20)).empty());
  CHECK(text<made::Move>(whole.slice(1, 0, 10), whole.slice(1, 9, 19))
            .starts_with("move: argument y is InOut and overlaps argument x"));
  CHECK(text<made::Move>(view(m, {10, 10}).transpose(), view(m, {10, 10}))
            .starts_with("move: argument y is InOut and overlaps argument x"));
}

TEST_CASE("an array that is written has an address for every element") {
  std::vector<std::int16_t> x(400), y(400);
  const auto in = view(x, {20, 20});
  CHECK(quick<made::Move>(in.transpose(), view(y, {20, 20})));
  CHECK(refusal<made::Move>(in, view(y, {20, 20}).transpose()).empty());
  CHECK(quick<made::Move>(view(x, {4, 5}).strides({0, 1}), view(y, {4, 5})));  // reading one row often is fine
  CHECK(refusal<made::Move>(view(x, {4, 5}), view(y, {4, 5}).strides({0, 1})) ==
        "move: argument y: strides (0, 1) put several of its 4 x 5 elements at one address\n"
        "  hint: it is InOut: every element needs a place of its own");
  CHECK(text<made::Move>(view(x, {4, 5}), view(y, {4, 5}).strides({3, 1})) ==
        "move: argument y: strides (3, 1) put several of its 4 x 5 elements at one address");
  CHECK(refusal<made::Move>(view(x, {4, 5}), view(y, {4, 5}).strides({5, 7})).empty());
  CHECK(refusal<made::Move>(view(x, {4, 5}), view(y.data() + 50, {4, 5}, {-5, -1})).empty());
  CHECK(refusal<made::Move>(view(x, {1, 5}), view(y, {1, 5}).strides({0, 1})).empty());  // one row: no matter
}

TEST_CASE("offsets do not overflow") {
  std::vector<float> x(8), y(8);
  const std::int64_t huge = std::int64_t{1} << 61;
  CHECK(text<made::Copy>(view(x.data(), {8}, {huge}), y) ==
        "copy: argument x: 8 elements with strides (2305843009213693952) reach beyond the address space");
  CHECK(text<made::Copy>(view(x.data(), {huge}), view(y.data(), {huge})) ==
        "copy: argument x: 2305843009213693952 elements with strides (1) reach beyond the address space");
  CHECK(text<made::Copy>(view(x.data(), {8}, {-huge}), y) ==
        "copy: argument x: 8 elements with strides (-2305843009213693952) reach beyond the address space");
  std::vector<std::int16_t> m(4);
  CHECK(text<made::Move>(view(m.data(), {2, huge}), view(m.data(), {2, huge})) ==
        "move: argument x: 2 x 2305843009213693952 elements with strides (2305843009213693952, 1) reach beyond the "
        "address space");
  CHECK(text<made::Move>(view(m.data(), {2, 2}).slice(0, 0, 2).transpose(0, 5), view(m.data(), {2, 2})) ==
        "move: argument x: the view cannot be: transpose() names an axis that it lacks");
}

TEST_CASE("scalars are values of their type") {
  float total = 0;
  CHECK(quick<made::Scalars>(-3, 0.1, 7u, true, f16(1.5f), total));
  CHECK(quick<made::Scalars>(-128, 16777216, 18446744073709551615u, 0, 1, &total));
  CHECK(refusal<made::Scalars>(128, 1, 1, true, 1, total) ==
        "scalars: argument zero: 128 is no value of i8\n  hint: i8 holds the integers -128 to 127");
  CHECK(text<made::Scalars>(2.5, 1, 1, true, 1, total) == "scalars: argument zero: 2.5 is no value of i8");
  CHECK(quick<made::Scalars>(3.0, 1, 1, true, 1, total));
  CHECK(refusal<made::Scalars>(0, 16777217, 1, true, 1, total) ==
        "scalars: argument scale: 16777217 is no value of f32\n"
        "  hint: f32 holds numbers up to \u00b13.4028235e+38; integers only if they need no rounding");
  CHECK(text<made::Scalars>(0, 1e39, 1, true, 1, total) == "scalars: argument scale: 1e+39 is no value of f32");
  CHECK(text<made::Scalars>(0, 0, -1, true, 1, total) == "scalars: argument seed: -1 is no value of u64");
  CHECK(text<made::Scalars>(0, 0, 1e20, true, 1, total) == "scalars: argument seed: 1e+20 is no value of u64");
  CHECK(refusal<made::Scalars>(0, 0, 1, 2, 1, total) ==
        "scalars: argument on: 2 is no value of b8\n  hint: b8 holds false and true");
  CHECK(text<made::Scalars>(0, 0, 1, true, 1e6, total) == "scalars: argument half: 1000000 is no value of f16");
  CHECK(quick<made::Scalars>(0, __builtin_inf(), 1, true, __builtin_nan(""), total));
  call::Frame<made::Scalars> frame{};
  CHECK(call::bind_call<made::Scalars>(frame, -1, 0.5, 3, true, 1.5, total).ok());
  CHECK(frame[0] == ~std::uint64_t{0});
  CHECK(frame[1] == 0x3f000000);
  CHECK(frame[2] == 3);
  CHECK(frame[3] == 1);
  CHECK(frame[4] == 0x3e00);
  CHECK(frame[5] == reinterpret_cast<std::uintptr_t>(&total));
}

TEST_CASE("expects") {
  std::vector<float> x(7), w(3), y(5);
  CHECK(quick<made::Window>(x, w, 1, 0, y));
  CHECK(refusal<made::Window>(x, w, 2, 0, y) ==
        "window: expects: OH fits H, KH, stride and pad, but OH = 5, H = 7, pad = 0, KH = 3, stride = 2");
  CHECK(text<made::Window>(x, w, 0, 0, y) == "window: expects: stride is positive, but stride = 0");
  CHECK(text<made::Window>(x, w, -1, 0, y) == "window: expects: stride is positive, but stride = -1");
  std::vector<float> q(8), k(4);
  CHECK(quick<made::Divides>(q, k));
  CHECK(text<made::Divides>(q, std::span(k).first(3)) ==
        "divides: expects: HQ is a multiple of HK, but HQ = 8, HK = 3");
  CHECK(text<made::Divides>(q, std::span(k).first(0)) ==
        "divides: expects: HQ is a multiple of HK, but HQ = 8, HK = 0, which divides by zero");
}

TEST_CASE("packed elements") {
  PackedVector<e2m1> x(4 * 8), y(4 * 8);
  CHECK(quick<made::Packed>(view(x, {4, 8}), view(y, {4, 8})));
  CHECK(refusal<made::Packed>(view(x, {4, 7}), view(y, {4, 8}).slice(1, 0, 7)).empty());
  CHECK(refusal<made::Packed>(view(x, {4, 7}), view(y, {4, 7})) ==
        "packed: argument y is Out, but its stride 7 along axis 1 starts inside a byte\n"
        "  hint: rows of packed elements that are written start with a byte: give them a wider stride");
  CHECK(text<made::Packed>(view(x, {8, 4}).transpose(), view(y, {4, 8})) ==
        "packed: argument x: packed elements of e2m1 have stride 4 along the last axis");
  CHECK(text<made::Packed>(view(x, {5, 8}), view(y, {5, 8})) ==
        "packed: argument x: 5 x 8 elements need 40, but its container holds 32");
  CHECK(text<made::Packed>(view(x, {4, 8}).slice(1, 1, 8), view(y, {4, 8}).slice(1, 0, 7)) ==
        "packed: argument x: the view cannot be: it starts inside a byte of packed elements");
  // Left and right halves of one matrix, by the nibble.
  const auto whole = view(x, {4, 8});
  CHECK(refusal<made::Packed>(whole.slice(1, 0, 4), whole.slice(1, 4, 8)).empty());
  CHECK(text<made::Packed>(whole.slice(1, 0, 5), whole.slice(1, 4, 8).slice(1, 0, 4))
            .starts_with("packed: argument y: extent K is 4"));
  CHECK(text<made::Packed>(whole.slice(1, 0, 4), whole.slice(1, 2, 6))
            .starts_with("packed: argument y is Out and overlaps argument x"));
}

TEST_CASE("both binders agree on random views, and overlap is found exactly") {
  std::mt19937 random(7);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  std::vector<std::int16_t> memory(200);
  int right = 0, quickly = 0, overlaps = 0, repeats = 0;
  for (int round = 0; round < 20000; ++round) {
    const std::int64_t rows = below(5), columns = below(5);
    const auto make = [&] {
      return view(memory.data() + 60 + below(60), {rows, columns},
                  {below(25) - (below(4) == 0 ? 10 : 0), below(8) - 1});
    };
    const auto x = make(), y = make();
    const auto places = [&](const View<std::int16_t, 2>& v) {
      std::vector<std::int16_t*> list;
      for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t j = 0; j < columns; ++j) list.push_back(v.data() + i * v.stride(0) + j * v.stride(1));
      return list;
    };
    bool shared = false, repeated = false;
    const auto px = places(x), py = places(y);
    for (std::size_t i = 0; i < py.size(); ++i) {
      for (std::int16_t* p : px) shared |= p == py[i];
      for (std::size_t j = 0; j < i; ++j) repeated |= py[i] == py[j];
    }
    call::Frame<made::Move> frame{};
    const bool quick = call::fast_bind<made::Move>(frame.data(), x, y);
    const std::string message = refusal<made::Move>(x, y);
    CHECK(message.empty() == !(shared || repeated));
    if (repeated)
      CHECK(message.find(" at one address") != std::string::npos);
    else if (shared)
      CHECK(message.find(" overlaps argument x") != std::string::npos);
    right += message.empty(), quickly += quick, overlaps += shared, repeats += repeated;
  }
  CHECK(right > 3000);
  CHECK(quickly > 500);
  CHECK(overlaps > 3000);
  CHECK(repeats > 2000);
}
