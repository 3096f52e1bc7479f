// Owns the order of planning for a CPU: cuts, simplification, code.
#include "targets/cpu/plan/plan.hpp"

#include <algorithm>

#include "targets/cpu/plan/cuts.hpp"
#include "targets/cpu/plan/planner.hpp"
#include "tessera/call/frame.hpp"

TESSERA_BEGIN
namespace cpu {
namespace {

/// What the cost model takes for an extent that may be anything, if the first call with it had no larger one.
constexpr std::int64_t typical_extent = 1024;

std::vector<std::int64_t> extents_of(const ir::Program& p, const jit::Specialisation& known) {
  const call::FrameLayout layout = call::frame_layout(p);
  std::vector<std::int64_t> extents;
  for (std::size_t i = 0; i < p.extents.size(); ++i) {
    const std::size_t word = layout.extent_word(i);
    extents.push_back(known.words[word].value_or(
        word < known.typical.size() ? std::max(known.typical[word], typical_extent) : typical_extent));
  }
  return extents;
}

}  // namespace

std::vector<std::int64_t> choose_tunables(const ir::Program& program, const jit::Specialisation& known,
                                          const std::vector<std::optional<std::int64_t>>& given,
                                          const Machine& machine) {
  const ir::Storage contracted = jit::sums_to_dots(program);  // tiles are chosen for what will be computed
  return choose_cuts(contracted.view(), extents_of(program, known), given, machine).tunables;
}

loop::Program plan(const ir::Program& program, const jit::Specialisation& known,
                   const std::vector<std::int64_t>& tunables, const Machine& machine,
                   const jit::PassObserver& observe) {
  const ir::Storage contracted = jit::sums_to_dots(program);
  const Cuts cuts =
      choose_cuts(contracted.view(), extents_of(program, known), {tunables.begin(), tunables.end()}, machine);
  const call::FrameLayout layout = call::frame_layout(program);
  const jit::KnownExtent extent = [&](int i) {
    return i < 0 ? std::nullopt : known.words[layout.extent_word(static_cast<std::size_t>(i))];
  };
  const ir::Storage simple = jit::simplify(jit::set_cuts(contracted.view(), cuts.tunables, cuts.literal_blocks), extent,
                                           observe, machine.ordered());
  const Known facts{known.words, known.alignment, cuts.tunables};
  const ir::Program p = simple.view();
  return Planner(p, facts, machine).plan();
}

}  // namespace cpu
TESSERA_END
