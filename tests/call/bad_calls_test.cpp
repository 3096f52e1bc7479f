// Tests that bad calls are refused in these words, each with a name: docs/error_cases.md lists them from this file.
#include <doctest/doctest.h>

#include <span>
#include <string>
#include <vector>

#include "tessera/call/bind_call.hpp"
#include "tessera/call/invoke.hpp"
#include "tests/call/made.hpp"

using namespace tessera;

namespace {

template <class Captured, class... Args>
std::string refusal(Args&&... args) {
  call::Frame<Captured> frame{};
  const Status status = call::bind_call<Captured>(frame, args...);
  if (!status.ok()) CHECK(status.kind() == ErrorKind::user);
  return std::string(status.text());
}

std::string refusal_of(const ir::Program& program, const Config& config) {
  return std::string(call::check_config(program, config).text());
}

}  // namespace

/// One bad call: its name, what the call says, the call.
#define BAD_CALL(name, text, ...) \
  do {                            \
    INFO(name);                   \
    CHECK((__VA_ARGS__) == text); \
  } while (false)

TEST_CASE("bad calls: extents") {
  std::vector<float> a(512 * 300), b(300 * 1000), bias(1000), c(512 * 1000);
  const auto va = view(a, {512, 300}), vb = view(b, {300, 1000});
  const auto vc = view(c, {512, 1000});
  const auto gemm = [](auto&&... args) { return refusal<made::Gemm>(args...); };
  BAD_CALL("extent_of_second_argument", "gemm: argument b: extent K is 200, but a has K = 300",
           gemm(va, view(b, {200, 1000}), bias, vc));
  BAD_CALL("extent_of_vector", "gemm: argument bias: extent N is 1000, but b has N = 999",
           gemm(va, view(b, {300, 999}), bias, vc));
  BAD_CALL("extent_of_result", "gemm: argument c: extent M is 511, but a has M = 512",
           gemm(va, vb, bias, view(c, {511, 1000})));
  BAD_CALL("extent_beyond", "gemm: argument bias: extent N is 1001, but b has N = 1000",
           gemm(va, vb, view(bias.data(), {1001}), vc));
  BAD_CALL("extent_zero_meets_one", "gemm: argument c: extent M is 1, but a has M = 0",
           gemm(view(a, {0, 300}), vb, bias, view(c, {1, 1000})));
  BAD_CALL("extent_negative", "gemm: argument a: extent M is -1", gemm(view(a, {-1, 300}), vb, bias, vc));
  BAD_CALL("extent_of_wrapped_size", "gemm: argument b: extent K is -300",
           gemm(va, view(b.data(), {std::size_t(-300), std::size_t(1000)}), bias, vc));
  BAD_CALL("transposed_by_mistake", "gemm: argument b: extent K is 1000, but a has K = 300",
           gemm(va, vb.transpose(), bias, vc));

  std::vector<std::int32_t> at(5), count(5);
  std::vector<float> x(4 * 300);
  std::vector<std::uint8_t> s(10);
  const auto vx = view(x, {4, 300});
  const auto derived = [](auto&&... args) { return refusal<made::Derived>(args...); };
  BAD_CALL("derived_rounded_up", "derived: argument s: extent K/32 is 9, but x has K = 300, so K/32 = 10",
           derived(at, count, vx, std::span(s).first(9)));
  BAD_CALL("derived_of_nothing", "derived: argument s: extent K/32 is 10, but x has K = 0, so K/32 = 0",
           derived(at, count, view(x, {4, 0}), s));
  BAD_CALL("derived_plus_one", "derived: argument at: extent B+1 is 4, but x has B = 4, so B+1 = 5",
           derived(std::span(at).first(4), count, vx, s));
  BAD_CALL("derived_second", "derived: argument count: extent B+1 is 3, but x has B = 4, so B+1 = 5",
           derived(at, std::span(count).first(3), vx, s));
  std::vector<std::int32_t> end(5);
  BAD_CALL("derived_of_derived", "offsets: argument end: extent B+1 is 3, but at has B+1 = 5",
           refusal<made::Offsets>(at, std::span(end).first(3)));
  BAD_CALL("derived_below_zero", "offsets: argument at: extent B+1 is 0, so that B would be -1",
           refusal<made::Offsets>(std::span(at).first(0), std::span(end).first(0)));
}

TEST_CASE("bad calls: memory") {
  std::vector<float> x(8), y(8);
  const auto copy = [](auto&&... args) { return refusal<made::Copy>(args...); };
  BAD_CALL("null_data", "copy: argument x: null data for 8 elements", copy(view(static_cast<float*>(nullptr), {8}), y));
  BAD_CALL("null_result", "copy: argument y: null data for 1 element",
           copy(view(x, {1}), view(static_cast<float*>(nullptr), {1})));
  BAD_CALL("container_too_small", "copy: argument x: 9 elements need 9, but its container holds 8",
           copy(view(x, {9}), view(y.data(), {9})));
  BAD_CALL("container_too_small_by_stride",
           "copy: argument x: 4 elements with strides (3) need 10, but its container holds 8",
           copy(view(x, {4}).strides({3}), view(y, {4})));
  BAD_CALL("before_the_container",
           "copy: argument x: 4 elements with strides (-1) begin 3 before its container's first, but its container "
           "holds 8",
           copy(view(x, {4}).strides({-1}), view(y, {4})));
  BAD_CALL("slice_outside", "copy: argument x: the view cannot be: slice() reaches outside the array",
           copy(view(x, {8}).slice(0, 2, 9), view(y, {7})));
  BAD_CALL("transpose_of_no_axis", "copy: argument x: the view cannot be: transpose() names an axis that it lacks",
           copy(view(x, {8}).transpose(0, 5), y));
  const std::vector<int> two{2, 4}, nine(9, 1);
  BAD_CALL("rank_at_run_time", "copy: argument x has rank 1, but the array given has rank 2",
           copy(view(x.data(), two), y));
  BAD_CALL("rank_nine", "copy: argument x: the view cannot be: it has more than 8 axes", copy(view(x.data(), nine), y));
  const std::int64_t huge = std::int64_t{1} << 61;
  BAD_CALL("stride_overflows",
           "copy: argument x: 8 elements with strides (2305843009213693952) reach beyond the address space",
           copy(view(x.data(), {8}, {huge}), y));
  BAD_CALL("extent_overflows",
           "copy: argument x: 2305843009213693952 elements with strides (1) reach beyond the address space",
           copy(view(x.data(), {huge}), view(y.data(), {huge})));

  std::vector<std::int16_t> m(400);
  const auto move = [](auto&&... args) { return refusal<made::Move>(args...); };
  BAD_CALL("one_row_for_all", "move: argument y: strides (0, 1) put several of its 4 x 5 elements at one address",
           move(view(m, {4, 5}), view(m.data() + 200, {4, 5}, {0, 1})));
  BAD_CALL("rows_too_close", "move: argument y: strides (3, 1) put several of its 4 x 5 elements at one address",
           move(view(m, {4, 5}), view(m.data() + 200, {4, 5}, {3, 1})));

  const auto begins = [](const std::string& text, std::string_view start) {
    return std::string(text.substr(0, start.size()));
  };
  // What follows are addresses.
  BAD_CALL("unaligned", "copy: argument x: data at 0x",
           begins(copy(view(reinterpret_cast<float*>(reinterpret_cast<char*>(x.data()) + 2), {4}), view(y, {4})),
                  "copy: argument x: data at 0x"));
  BAD_CALL("overlap_by_one", "copy: argument y is Out and overlaps argument x in memory (",
           begins(copy(view(x.data(), {4}), view(x.data() + 3, {4})),
                  "copy: argument y is Out and overlaps argument x in memory ("));
  BAD_CALL("overlap_in_place", "move: argument y is InOut and overlaps argument x in memory (",
           begins(move(view(m, {10, 10}).transpose(), view(m, {10, 10})),
                  "move: argument y is InOut and overlaps argument x in memory ("));
  BAD_CALL("overlap_of_columns", "move: argument y is InOut and overlaps argument x in memory (",
           begins(move(view(m, {10, 20}).slice(1, 0, 10), view(m, {10, 20}).slice(1, 9, 19)),
                  "move: argument y is InOut and overlaps argument x in memory ("));

  PackedVector<e2m1> p(4 * 8), q(4 * 8);
  const auto packed = [](auto&&... args) { return refusal<made::Packed>(args...); };
  BAD_CALL("packed_rows", "packed: argument y is Out, but its stride 7 along axis 1 starts inside a byte",
           packed(view(p, {4, 7}), view(q, {4, 7})));
  BAD_CALL("packed_transposed", "packed: argument x: packed elements of e2m1 have stride 4 along the last axis",
           packed(view(p, {8, 4}).transpose(), view(q, {4, 8})));
  BAD_CALL("packed_too_small", "packed: argument x: 5 x 8 elements need 40, but its container holds 32",
           packed(view(p, {5, 8}), view(q, {5, 8})));
  BAD_CALL("packed_inside_a_byte", "packed: argument x: the view cannot be: it starts inside a byte of packed elements",
           packed(view(p, {4, 8}).slice(1, 1, 8), view(q, {4, 8}).slice(1, 0, 7)));
}

TEST_CASE("bad calls: scalars and expectations") {
  float total = 0;
  const auto scalars = [&](auto... args) { return refusal<made::Scalars>(args..., total); };
  BAD_CALL("scalar_too_large", "scalars: argument zero: 128 is no value of i8", scalars(128, 1, 1, true, 1));
  BAD_CALL("scalar_too_small", "scalars: argument zero: -129 is no value of i8", scalars(-129, 1, 1, true, 1));
  BAD_CALL("scalar_broken", "scalars: argument zero: 2.5 is no value of i8", scalars(2.5, 1, 1, true, 1));
  BAD_CALL("scalar_not_a_number", "scalars: argument zero: nan is no value of i8",
           scalars(__builtin_nan(""), 1, 1, true, 1));
  BAD_CALL("scalar_would_round", "scalars: argument scale: 16777217 is no value of f32",
           scalars(0, 16777217, 1, true, 1));
  BAD_CALL("scalar_would_be_infinite", "scalars: argument scale: 1e+39 is no value of f32",
           scalars(0, 1e39, 1, true, 1));
  BAD_CALL("scalar_negative", "scalars: argument seed: -1 is no value of u64", scalars(0, 0, -1, true, 1));
  BAD_CALL("scalar_beyond_64_bits", "scalars: argument seed: 1e+20 is no value of u64", scalars(0, 0, 1e20, true, 1));
  BAD_CALL("scalar_no_condition", "scalars: argument on: 2 is no value of b8", scalars(0, 0, 1, 2, 1));
  BAD_CALL("scalar_beyond_half", "scalars: argument half: 1000000 is no value of f16", scalars(0, 0, 1, true, 1e6));

  std::vector<float> x(7), w(3), y(5), q(8), k(4);
  const auto window = [](auto&&... args) { return refusal<made::Window>(args...); };
  BAD_CALL("expects_fit",
           "window: expects: OH fits H, KH, stride and pad, but OH = 5, H = 7, pad = 0, KH = 3, stride = 2",
           window(x, w, 2, 0, y));
  BAD_CALL("expects_positive", "window: expects: stride is positive, but stride = 0", window(x, w, 0, 0, y));
  BAD_CALL("expects_positive_too", "window: expects: stride is positive, but stride = -1", window(x, w, -1, 0, y));
  BAD_CALL("expects_multiple", "divides: expects: HQ is a multiple of HK, but HQ = 8, HK = 3",
           refusal<made::Divides>(q, std::span(k).first(3)));
  BAD_CALL("expects_of_nothing", "divides: expects: HQ is a multiple of HK, but HQ = 8, HK = 0, which divides by zero",
           refusal<made::Divides>(q, std::span(k).first(0)));
}

TEST_CASE("bad calls: configurations") {
  const ir::Program& gemm = made::Gemm::program;
  BAD_CALL("tunable_unknown", "gemm: configuration: there is no tunable BQ",
           refusal_of(gemm, {.tunables = {{"BQ", 8}}}));
  BAD_CALL("tunable_of_none", "copy: configuration: there is no tunable BM",
           refusal_of(made::Copy::program, {.tunables = {{"BM", 8}}}));
  BAD_CALL("tunable_zero", "gemm: configuration: tunable BM is 0", refusal_of(gemm, {.tunables = {{"BM", 0}}}));
  BAD_CALL("tunable_negative", "gemm: configuration: tunable BN is -8", refusal_of(gemm, {.tunables = {{"BN", -8}}}));
  BAD_CALL("tunable_twice", "gemm: configuration: tunable BM is given twice, 8 and 16",
           refusal_of(gemm, {.tunables = {{"BM", 8}, {"BM", 16}}}));
  BAD_CALL("threads_below_zero", "gemm: configuration: threads is -1", refusal_of(gemm, {.threads = -1}));
}

TEST_CASE("bad calls: programs made at run time") {
  made::Maker m("made");
  m.arg("x", DType::f32, ir::Effect::in, "N").arg("y", DType::f32, ir::Effect::out, "N");
  m.arg("s", DType::i8, ir::Effect::scalar);
  std::vector<float> x(4), y(4);
  const std::vector<float> fixed(4);
  std::vector<double> wide(4);
  int number = 3;
  const auto made = [&](auto... raw) {
    const std::vector<call::RawArg> list{raw...};
    std::uint64_t frame[8] = {};
    return std::string(call::bind(m.storage().view(), list, frame).text());
  };
  const auto rx = call::raw_argument(x, false), ry = call::raw_argument(y, false);
  const auto rs = call::raw_argument(number, true);
  auto table = view(y, {2, 2});
  BAD_CALL("made_count", "made takes 3 arguments, but 2 were given", made(rx, ry));
  BAD_CALL("made_number_for_array", "made: argument y is an array, but a number was given", made(rx, rs, rs));
  BAD_CALL("made_array_for_number", "made: argument s is a scalar of i8, but an array was given", made(rx, ry, rx));
  BAD_CALL("made_elements", "made: argument x has elements of f32, but those given are f64",
           made(call::raw_argument(wide, false), ry, rs));
  BAD_CALL("made_const", "made: argument y is Out, but what is given is const",
           made(rx, call::raw_argument(fixed, false), rs));
  BAD_CALL("made_rank", "made: argument y has rank 1, but the array given has rank 2",
           made(rx, call::raw_argument(table, false), rs));
  made::Maker scales("scales");
  scales.arg("s", DType::u8, ir::Effect::in, "K/32");
  std::vector<std::uint8_t> s(4);
  const call::RawArg raw[] = {call::raw_argument(s, false)};
  std::uint64_t frame[8] = {};
  BAD_CALL("made_extent_not_found", "scales: extent K/32 cannot be found from the arguments",
           std::string(call::bind(scales.storage().view(), raw, frame).text()));
}
