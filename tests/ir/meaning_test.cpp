// What canonical form, tidying, rewriting and text must keep: the interpreter computes the same from each of them.
#include <doctest/doctest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "language.hpp"
#include "make.hpp"
#include "tessera/interpret.hpp"
#include "tessera/ir/hash.hpp"
#include "tessera/ir/parse.hpp"
#include "tessera/ir/rewrite.hpp"

namespace {

// All extents of one name are `size`; numbers look random; integers are small, so that many index something.
struct Run {
  std::vector<std::vector<std::uint64_t>> memory;
  bool wrote = false;
  std::string report;

  explicit Run(const ir::Program& p, std::int64_t size) {
    std::mt19937_64 random(11);
    const call::FrameLayout layout = call::frame_layout(p);
    std::vector<std::uint64_t> frame(layout.words());
    const auto value = [&](const ir::Extent& e) { return (size + e.divide - 1) / e.divide + e.plus; };
    for (std::size_t i = 0; i < layout.extents; ++i)
      frame[layout.extent_word(i)] = static_cast<std::uint64_t>(value(p.extents[i]));
    memory.resize(layout.args);
    for (std::size_t i = 0; i < layout.args; ++i) {
      const ir::Arg& a = p.args[i];
      const auto element = [&] {
        const auto number = static_cast<double>(random() % 7);
        return bits_from_double(a.type, info(a.type).is_floating() ? number / 2 - 1 : number);
      };
      if (a.effect == ir::Effect::scalar) {
        frame[i] = info(a.type).is_integer() ? 1 + random() % 4 : element();
        continue;
      }
      std::int64_t count = 1;
      for (int k = a.rank - 1; k >= 0; --k) {
        const auto at = static_cast<std::size_t>(a.first_extent + k);
        frame[layout.stride_word(at)] = static_cast<std::uint64_t>(count);
        count *= value(p.extents[static_cast<std::size_t>(p.arg_extents[at])]);
      }
      memory[i].resize(static_cast<std::size_t>(count) + 1);
      auto* data = reinterpret_cast<std::byte*>(memory[i].data());
      for (std::int64_t e = 0; e < count; ++e) store_packed(a.type, data, static_cast<std::size_t>(e), element());
      frame[i] = reinterpret_cast<std::uintptr_t>(memory[i].data());
    }
    interpreter::Options options;
    options.bounds = false;
    const auto before = memory;
    const interpreter::Report r = interpret(p, frame, interpreter::Configuration(p.tunables.size(), 4), options);
    wrote = memory != before;
    report = std::to_string(r.programs) + " programs, " + std::to_string(r.finding_count) + " findings\n" + r.output;
  }
};

ir::Storage copied(const ir::Program& p) {
  ir::Rewriter r(p);
  for (std::int32_t i = 0; i < r.size(); ++i) r.copy(i);
  return r.finish();
}

int differences(const Run& run, const Run& other) {
  int different = 0;
  for (std::size_t i = 0; i < run.memory.size(); ++i) different += run.memory[i] != other.memory[i];
  return different;
}

void check_same(const ir::Program& p, std::int64_t size) {
  const Run first(p, size);
  const auto same = [&](const ir::Storage& s, const char* how) {
    const Run other(s.view(), size);
    INFO(how);
    CHECK(differences(first, other) == 0);
    CHECK(first.report == other.report);
  };
  same(ir::canonical(p), "canonical");
  same(ir::tidy(p), "tidy");
  same(copied(p), "copied");
  same(ir::parse(ir::to_text(p)).program, "text");
}

const ir::Program* const programs[] = {&softmax.program,
                                       &layer_norm.program,
                                       &layer_norm_backward.program,
                                       &attention<f16>.program,
                                       &attention<bf16>.program,
                                       &attention_backward<f16>.program,
                                       &bmm.program,
                                       &gram.program,
                                       &conv2d.program,
                                       &gemm_i8.program,
                                       &gemm_i4.program,
                                       &gemm_mx.program,
                                       &quantize_groups.program,
                                       &embed.program,
                                       &embed_backward.program,
                                       &histogram.program,
                                       &scan_part.program,
                                       &scan_rest.program,
                                       &scan.program,
                                       &radix_scatter.program,
                                       &top_k.program,
                                       &heat_steps<4>.program,
                                       &welford.program,
                                       &five_point.program,
                                       &moe.program,
                                       &dropout.program,
                                       &gemm_split.program,
                                       &mandelbrot.program,
                                       &bsr.program,
                                       &cholesky.program,
                                       &nested_while.program,
                                       &every_function.program,
                                       &every_reduction.program,
                                       &every_shape.program,
                                       &every_memory.program,
                                       &every_place.program};

TEST_CASE("captured kernels mean the same in every form") {
  int wrote = 0;
  for (const ir::Program* p : programs) {
    INFO(p->name);
    for (const std::int64_t size : {1, 6, 9}) check_same(*p, size);
    wrote += Run(*p, 9).wrote;
  }
  CHECK(wrote >= 32);  // what the others expect of their extents does not hold here
}

TEST_CASE("hand-built programs, too, and in whatever order they were recorded") {
  using namespace ir_test;
  for (const auto& [a, b] :
       {std::pair{gemm(), gemm({}, true)}, std::pair{exchange(), exchange(true)}, std::pair{medley(), medley(true)}}) {
    check_same(a.view(), 9);
    check_same(b.view(), 9);
    const Run one(a.view(), 9), two(b.view(), 9);
    CHECK(differences(one, two) == 0);
  }
}

}  // namespace
