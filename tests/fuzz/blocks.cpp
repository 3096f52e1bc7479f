// Owns extents, cuts and axes of random programs.
#include <algorithm>

#include "tests/fuzz/generator.hpp"

namespace fuzz {

void Generator::make_extents() {
  const auto count = random_.between(1, 4);
  constexpr const char* names[] = {"A", "B", "C", "D"};
  for (int i = 0; i < count; ++i) {
    std::int64_t value = 0;
    switch (random_.weighted({3, 7, 38, 36, 11, 4, 1})) {
      case 0:
        break;
      case 1:
        value = 1;
        break;
      case 2:
        value = random_.between(2, 9);
        break;
      case 3:
        value = random_.between(10, 40);
        break;
      case 4:
        value = random_.of({16, 32, 48, 64, 33, 65, 31, 24});
        break;
      case 5:
        value = random_.between(41, 300);
        break;
      default:
        value = random_.between(301, 2000);
    }
    const int name = b_.name(names[i]);
    bases_.push_back(b_.extent(name));
    sample_.extents.resize(b_.s.names.size(), 0);
    sample_.extents[static_cast<std::size_t>(name)] = value;
    sample_.program.extents = b_.s.extents;
  }
}

int Generator::derived(int base, int plus, int divide) {
  const int e = b_.extent(b_.s.extents[static_cast<std::size_t>(base)].base, plus, divide);
  sample_.program.extents = b_.s.extents;
  return e;
}

int Generator::extent_of_at_least(std::int64_t value) {
  std::vector<int> fit;
  for (int e : bases_)
    if (value_of(e) >= value) fit.push_back(e);
  return fit.empty() ? -1 : random_.of(fit);
}

int Generator::cut(std::int64_t& lanes) {
  lanes = random_.of({1, 2, 3, 4, 5, 6, 7, 8, 8, 9, 12, 15, 16, 16, 17, 20, 24, 32, 33, 64});
  if (random_.chance(50)) return b_.integer(lanes);
  std::int64_t i = static_cast<std::int64_t>(b_.s.tunables.size());
  if (i > 0 && random_.chance(40)) {
    i = random_.below(i);
    lanes = tunables_[static_cast<std::size_t>(i)];
  } else {
    b_.s.tunables.push_back({b_.name("T" + std::to_string(i))});
    tunables_.push_back(lanes);
  }
  return b_.add(Op::tunable, DType::i64, {}, {}, i, ir::flag_uniform);
}

std::int64_t Generator::lanes(const Axes& axes) const {
  std::int64_t n = 1;
  for (int a : axes) n *= std::max<std::int64_t>(facts(a).lanes, 1);
  return n;
}

int Generator::block_bound(int extent, bool end) {
  std::vector<int> blocks;
  for (int a : scope_)
    if (facts(a).block >= 0 && facts(a).extent == extent &&
        b_.s.axes[static_cast<std::size_t>(a)].kind != ir::AxisKind::grown)
      blocks.push_back(facts(a).block);
  return blocks.empty() ? -1 : b_.add(end ? Op::block_end : Op::block_begin, DType::i64, {random_.of(blocks)});
}

int Generator::make_block(Op op, ir::AxisKind kind, const std::vector<int>& in, const AxisFacts& f, int parent,
                          std::int64_t imm) {
  std::string text =
      f.extent >= 0 ? std::string(b_.s.view().str(b_.s.extents[static_cast<std::size_t>(f.extent)].base)) : "L";
  text += std::to_string(b_.s.axes.size());
  const int axis = b_.axis(b_.name(text), kind, f.extent, parent);
  facts_.push_back(f);
  facts_.back().block = static_cast<int>(b_.s.nodes.size());
  b_.add(op, DType::i64, in, {axis}, imm);
  scope_.push_back(axis);
  return axis;
}

int Generator::new_axis(std::int64_t most) {
  AxisFacts f;
  f.extent = any_extent();
  f.lanes = value_of(f.extent);
  const auto fits = [&] { return f.lanes <= most; };
  const int kind = static_cast<int>(random_.weighted({60, 18, 4, 10, 8}));
  if (kind == 0 && fits()) {  // one axis for each extent, as in the language
    for (int a : scope_)
      if (b_.s.axes[static_cast<std::size_t>(a)].kind == ir::AxisKind::all && facts(a).extent == f.extent) return -1;
    f.from_zero = true;
    return make_block(Op::all_block, ir::AxisKind::all, {}, f);
  }
  if (kind == 3 && fits()) {
    std::vector<int> from;
    for (int a : scope_)
      if (facts(a).block >= 0 && facts(a).lanes <= most &&
          b_.s.axes[static_cast<std::size_t>(a)].kind != ir::AxisKind::grown)
        from.push_back(a);
    if (!from.empty()) {
      const int root = random_.of(from);
      f = facts(root);
      return make_block(Op::alias, ir::AxisKind::alias, {f.block}, f, root);
    }
  }
  if (kind == 4 && fits()) {
    std::int64_t size = 0;
    const int n = cut(size);
    if (size <= most) {
      const std::int64_t from = random_.below(f.lanes + 1), to = random_.between(from, f.lanes);
      int first = b_.integer(from), last = b_.integer(to);
      if (random_.chance(25)) {  // up to where another block ends, or from where it begins
        const bool ends = random_.chance(50);
        const int bound = block_bound(f.extent, ends);
        if (bound >= 0) (ends ? last : first) = bound;
      }
      f.lanes = size;
      return make_block(Op::span_block, ir::AxisKind::span, {n, first, last}, f);
    }
  }
  const int n = cut(f.lanes);
  if (!fits()) return -1;
  f.extent = -1;
  f.from_zero = true;
  return kind == 2 ? make_block(Op::threads_block, ir::AxisKind::threads, {n}, f)
                   : make_block(Op::lanes_block, ir::AxisKind::lanes, {n}, f);
}

int Generator::another_axis(const Axes& taken, std::int64_t most) {
  std::vector<int> fit;
  for (int a : scope_)
    if (!has(taken, a) && facts(a).lanes <= most && facts(a).block >= 0) fit.push_back(a);
  if (!fit.empty() && random_.chance(70)) return random_.of(fit);
  const int made = new_axis(most);
  return made >= 0 || fit.empty() ? made : random_.of(fit);
}

Axes Generator::some_axes(int count, std::int64_t most, bool positions) {
  Axes axes;
  for (int tries = 0; tries < 2 * count && static_cast<int>(axes.size()) < count; ++tries) {
    if (scope_.empty()) break;
    const int a = random_.of(scope_);
    if (has(axes, a) || (positions && facts(a).block < 0)) continue;
    axes.push_back(a);
    if (lanes(axes) > most) axes.pop_back();
  }
  return axes;
}

void Generator::make_grid() {
  const auto count = random_.weighted({8, 45, 33, 14});
  std::int64_t programs = 1;
  for (std::size_t i = 0; i < count; ++i) {
    AxisFacts f;
    f.extent = any_extent();
    const std::int64_t extent = value_of(f.extent);
    f.grid = true;
    const auto kind = random_.weighted({70, 16, 14});
    const int index_extent = any_extent();
    if (kind == 1 && programs * std::max<std::int64_t>(value_of(index_extent), 1) <= 48) {
      const int n = b_.add(Op::extent, DType::i64, {}, {}, index_extent, ir::flag_uniform);
      grid_numbers_.emplace_back(b_.add(Op::grid_index, DType::i64, {n}), index_extent);
      numbers_.emplace_back(grid_numbers_.back().first, value_of(index_extent));
      programs *= std::max<std::int64_t>(value_of(index_extent), 1);
      continue;
    }
    std::int64_t size = 0;
    int n = cut(size);
    if (programs * (extent / size + 1) > 48) {
      size = std::max<std::int64_t>(extent / 2, 1);
      n = b_.integer(size);
    }
    if (programs * (extent / size + 1) > 64) continue;
    f.lanes = std::min<std::int64_t>(size, 64);
    if (kind == 2 && !grid_numbers_.empty()) {  // ragged: the ranges of a batch
      const auto [number, base] = random_.of(grid_numbers_);
      const int bound = derived(base, 1);
      Given given;
      given.content = Content::ascending;
      given.limit = extent;
      given.seed = random_.next();
      const DType type = random_.of({DType::i32, DType::i64});
      const int offsets = argument(ir::Effect::in, type, {bound}, given);
      const int from = b_.cast(b_.add(Op::load, type, {number}, {}, offsets), DType::i64);
      const int next = b_.each(Op::add, DType::i64, {number, b_.integer(1)});
      const int to = b_.cast(b_.add(Op::load, type, {next}, {}, offsets), DType::i64);
      const int longest = b_.add(Op::extent, DType::i64, {}, {}, f.extent, ir::flag_uniform);
      grid_blocks_.push_back(make_block(Op::grid_block, ir::AxisKind::grid, {n, from, to, longest}, f));
    } else {
      grid_blocks_.push_back(make_block(Op::grid_block, ir::AxisKind::grid, {n}, f));
    }
    programs *= std::max<std::int64_t>((extent + size - 1) / size, 1);
  }
  trips_ = programs;
}

}  // namespace fuzz
