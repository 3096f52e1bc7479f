// Tests what variants take as known, and how they become more general.
#include "jit/specialisation.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include <tessera/tessera.hpp>

using namespace tessera;

namespace {
TESSERA_KERNEL(special_scale)(Kernel k, In<f32, "M", "N"> x, Scalar<f32> s, Out<f32, "M", "N"> y) {
  auto m = k.block<"M">(8), n = k.block<"N">(8);
  y(m, n) = x(m, n) * s;
};

std::vector<std::uint64_t> frame_of(std::int64_t m, std::int64_t n) {
  const call::FrameLayout layout = call::frame_layout(special_scale.program);
  std::vector<std::uint64_t> frame(layout.words(), 64);
  frame[layout.extent_word(0)] = static_cast<std::uint64_t>(m);
  frame[layout.extent_word(1)] = static_cast<std::uint64_t>(n);
  for (std::size_t i = 0; i < layout.strides; ++i)
    frame[layout.stride_word(i)] = i % 2 == 0 ? static_cast<std::uint64_t>(n) : 1;
  return frame;
}
}  // namespace

TEST_CASE("the first variant knows every extent and stride, and no address or scalar") {
  jit::SpecialisationPolicy policy;
  const auto& program = special_scale.program;
  const auto frame = frame_of(5, 7);
  const jit::Specialisation s = policy.next(program, frame.data(), 0);
  CHECK(s.describe(program) == "M=5 N=7 stride(x,0)=7 stride(x,1)=1 stride(y,0)=7 stride(y,1)=1");
  for (std::size_t w = 0; w < call::frame_layout(program).args; ++w) CHECK(!s.words[w]);
  const auto guards = s.guards();
  CHECK(guards.size() == 6);
  for (const auto& g : guards) CHECK(g.holds(frame.data()));
  auto other = frame_of(5, 8);
  CHECK(!std::all_of(guards.begin(), guards.end(), [&](const auto& g) { return g.holds(other.data()); }));
}

TEST_CASE("what keeps changing is left open; the last variants know little and nothing") {
  jit::SpecialisationPolicy policy;
  const auto& program = special_scale.program;
  policy.next(program, frame_of(5, 7).data(), 0);
  policy.next(program, frame_of(6, 7).data(), 1);
  CHECK(policy.next(program, frame_of(9, 7).data(), 2).describe(program) ==
        "N=7 stride(x,0)=7 stride(x,1)=1 stride(y,0)=7 stride(y,1)=1");
  CHECK(policy.next(program, frame_of(9, 7).data(), 6).describe(program) == "stride(x,1)=1 stride(y,1)=1");
  const jit::Specialisation last = policy.next(program, frame_of(9, 7).data(), 7);
  CHECK(last.describe(program) == "generic");
  CHECK(last.guards().empty());
  CHECK(last.alignment.size() == program.args.size());
}
