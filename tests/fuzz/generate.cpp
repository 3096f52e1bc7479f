// Owns the outline of a random program: extents, grid, statements, and the ways to compile it.
#include "tests/fuzz/generate.hpp"

#include <algorithm>

#include "tessera/call/frame.hpp"
#include "tessera/ir/fields.hpp"
#include "tests/fuzz/data.hpp"
#include "tests/fuzz/generator.hpp"

namespace fuzz {

int Generator::add(Op op, DType type, const std::vector<int>& in, const Axes& axes, std::int64_t imm, int flags) {
  work_ += trips_ * lanes(axes);
  return b_.add(op, type, in, axes, imm, flags);
}

int Generator::each(Op op, DType type, const std::vector<int>& in, std::int64_t imm) {
  const int node = b_.each(op, type, in, imm);
  work_ += trips_ * lanes(b_.axes_of(node));
  return node;
}

Generator::Scope Generator::open() {
  return {scope_.size(), pool_.size(), vars_.size(), written_.size(), numbers_.size(), trips_};
}

void Generator::close(const Scope& scope) {
  scope_.resize(scope.axes);
  pool_.resize(scope.pool);
  vars_.resize(scope.vars);
  written_.resize(scope.written);
  numbers_.resize(scope.numbers);
  trips_ = scope.trips;
}

// Parameters come before private arrays.
void Generator::order_arguments() {
  ir::Storage& s = b_.s;
  std::vector<std::size_t> order(s.args.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_partition(order.begin(), order.end(),
                        [&](std::size_t i) { return tessera::call::is_parameter(s.args[i]); });
  std::vector<std::int64_t> to(order.size());
  std::vector<ir::Arg> args;
  std::vector<std::int32_t> extents;
  std::vector<Given> given;
  for (std::size_t i : order) {
    to[i] = static_cast<std::int64_t>(args.size());
    ir::Arg a = s.args[i];
    const auto first = s.arg_extents.begin() + a.first_extent;
    a.first_extent = static_cast<std::int32_t>(extents.size());
    extents.insert(extents.end(), first, first + a.rank);
    args.push_back(a);
    if (tessera::call::is_parameter(a)) given.push_back(sample_.given[i]);
  }
  s.args = args;
  s.arg_extents = extents;
  sample_.given = given;
  for (ir::Node& n : s.nodes)
    for (const ir::ImmField& f : ir::imm_fields(n.op))
      if (f.kind == ir::FieldKind::arg)
        n.imm = f.set(n.imm, static_cast<std::uint64_t>(to[static_cast<std::size_t>(f.get(n.imm))]));
  // In arrays of one type may share memory: the later of two takes the earlier one's.
  for (std::size_t i = 1; i < given.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (s.args[i].effect == ir::Effect::in && s.args[j].effect == ir::Effect::in &&
          s.args[i].type == s.args[j].type && given[i].content == given[j].content &&
          given[i].content < Content::index && random_.chance(10))
        sample_.given[i].same_as = static_cast<std::int32_t>(j);
}

Way Generator::choose_way() {
  Way way;
  way.known = static_cast<Known>(random_.weighted({45, 25, 30}));
  way.features = random_.chance(12) ? "avx512" : random_.chance(70) ? "avx2" : "sse2";
  way.small_caches = random_.chance(40);
  way.typical = random_.chance(40);
  way.deterministic = random_.chance(10);
  way.numerics = static_cast<tessera::Numerics>(random_.weighted({80, 10, 10}));
  if (random_.chance(25)) way.threads = random_.of({2, 3, 8, 16});
  if (random_.chance(30)) way.adding = random_.between(1, 3);
  if (random_.chance(15)) way.kc = random_.of({1, 3, 8, 16, 128});
  if (random_.chance(15)) way.mc = random_.of({1, 5, 8, 72});
  if (random_.chance(15)) {  // a register block that fits
    way.vectors = random_.between(1, 3);
    way.rows = random_.between(1, ((way.features == "avx512" ? 32 : 16) - 1 - way.vectors) / way.vectors);
  }
  if (!random_.chance(15)) way.tunables = tunables_;
  return way;
}

void Generator::choose_ways() {
  sample_.ways = {choose_way()};
  Way& first = sample_.ways.front();
  const bool twin = first.ordered() && random_.chance(60);
  if (!twin && !random_.chance(20)) return;
  Way second = choose_way();
  if (twin) {  // other code that promises the same bits
    second.deterministic = first.deterministic;
    second.numerics = first.numerics;
    first.tunables = second.tunables = tunables_;
    if (first.numerics != tessera::Numerics::strict) second.features = first.features;
  }
  sample_.ways.push_back(second);
}

Sample Generator::run() {
  const std::string_view name = "fuzz";
  b_.s.kernel_name.assign(name.begin(), name.end());
  make_extents();
  make_grid();
  most_nodes_ = static_cast<std::size_t>(random_.of({16, 22, 30, 40, 60}));
  statements(1 + static_cast<int>(random_.weighted({45, 30, 15, 10})), 0);
  if (effects_ == 0) store(0);
  order_arguments();
  choose_ways();
  b_.s.lines.clear();
  sample_.program = b_.s;
  sample_.extents.resize(b_.s.names.size(), 0);
  return std::move(sample_);
}

Sample generate(std::uint64_t seed) { return Generator(seed).run(); }

}  // namespace fuzz
