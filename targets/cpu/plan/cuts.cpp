// Owns the cost model behind tile sizes: what a program keeps at a time must fit the caches, and every thread gets
// work.
#include "targets/cpu/plan/cuts.hpp"

#include <algorithm>
#include <cmath>

#include "targets/cpu/plan/analysis.hpp"

TESSERA_BEGIN
namespace cpu {

using ir::Node;
using ir::Op;

namespace {

/// What the program does with one axis that a cut divides.
struct AxisUse {
  int node = -1;
  bool grid = false, ranged = false;
  bool dot_own = false;     ///< an axis of a dot's result
  bool dot_summed = false;  ///< contracted by a dot
  bool kept = false;        ///< a kept tile has it, besides Vars
  bool with_loop = false;   ///< a kept tile has it together with a loop's axis
  bool reduced = false;     ///< reduced by something else than a dot
  bool observed = false;    ///< its number, begin, end or count is used, or what a tile holds depends on its lanes
};

class Model {
 public:
  Model(const ir::Program& p, const std::vector<std::int64_t>& extents, const Machine& m)
      : p_(p), extents_(extents), machine_(m), analysis_(p), uses_(p.axes.size()) {
    for (std::size_t i = 0; i < p.nodes.size(); ++i) look(static_cast<int>(i));
  }

  Cuts choose(const std::vector<std::optional<std::int64_t>>& given) {
    Cuts cuts;
    cuts.tunables.assign(p_.tunables.size(), 0);
    for (std::size_t i = 0; i < p_.tunables.size(); ++i)
      if (i < given.size() && given[i]) cuts.tunables[i] = *given[i];
    const auto fixed = [&](std::size_t t) { return t < given.size() && given[t].has_value(); };
    find_inner(fixed);
    for (const bool first : {true, false})  // the inner axis first: the others take what it leaves
      for (std::size_t t = 0; t < p_.tunables.size(); ++t)
        if (!fixed(t) &&
            first == (inner_ >= 0 && tunable_of(uses_[static_cast<std::size_t>(inner_)].node) == static_cast<int>(t)))
          cuts.tunables[t] = tunable_cut(static_cast<int>(t));
    for (std::size_t a = 0; a < uses_.size(); ++a) {
      const AxisUse& u = uses_[a];
      if (u.ranged || u.observed || u.node < 0) continue;
      if (!u.grid && !only_adds_products(u.node)) continue;
      const Node& cut = p_.node(p_.operand(p_.node(u.node), 0));
      if (cut.op == Op::literal) cuts.literal_blocks.push_back({u.node, axis_cut(static_cast<int>(a))});
    }
    spread(cuts, fixed);
    return cuts;
  }

 private:
  std::int64_t length(int axis) const {
    const ir::Axis& a = p_.axes[static_cast<std::size_t>(axis)];
    if (a.extent >= 0) return std::max<std::int64_t>(1, extents_[static_cast<std::size_t>(a.extent)]);
    const Node& n = p_.node(a.node);
    if (n.count > 0 && p_.node(p_.operand(n, 0)).op == Op::literal) return p_.node(p_.operand(n, 0)).imm;
    return 64;
  }

  int root_axis(int axis) const {
    for (int guard = 0; guard < 64; ++guard) {
      const ir::Axis& a = p_.axes[static_cast<std::size_t>(axis)];
      const Node& n = p_.node(a.node);
      if ((n.op == Op::alias || n.op == Op::grow) && n.count > 0) {
        axis = p_.node(p_.operand(n, 0)).axes[0];
      } else if (n.op == Op::rename) {
        axis = static_cast<int>(n.imm & 0xffffffff);
      } else {
        break;
      }
    }
    return axis;
  }

  void look(int id) {
    const Node& n = p_.node(id);
    if (n.op == Op::grid_block || n.op == Op::loop_block || n.op == Op::span_block) {
      AxisUse& u = uses_[n.axes[0]];
      u.node = id;
      u.grid = n.op != Op::loop_block;  // a span is the piece of an axis that a program has chosen by its number
      u.ranged = n.count > 1;
    }
    if (n.op == Op::block_begin || n.op == Op::block_end || n.op == Op::block_count || n.op == Op::block_number ||
        n.op == Op::block_id)
      uses_[static_cast<std::size_t>(root_axis(p_.node(p_.operand(n, 0)).axes[0]))].observed = true;
    // What looks at neighbouring lanes sees where a tile ends.
    if (n.op == Op::at || n.op == Op::put || n.op == Op::sort || n.op == Op::topk ||
        info(n.op).op_class == ir::OpClass::scan)
      uses_[static_cast<std::size_t>(root_axis(static_cast<int>(n.imm & 0xffffffff)))].observed = true;
    if (n.op == Op::split || n.op == Op::merge || n.op == Op::join)
      for (std::int32_t o : p_.operands_of(n))
        for (int i = 0; i < p_.node(o).rank; ++i)
          uses_[static_cast<std::size_t>(root_axis(p_.node(o).axes[i]))].observed = true;
    // A block against itself: pairs of lanes of one tile only.
    for (int i = 0; i < n.rank; ++i)
      for (int k = 0; k < i; ++k)
        if (root_axis(n.axes[i]) == root_axis(n.axes[k]))
          uses_[static_cast<std::size_t>(root_axis(n.axes[i]))].observed = true;
    // The number of programs shows: each prints once.
    if (n.op == Op::linear_id || n.op == Op::group_id || n.op == Op::print)
      for (AxisUse& u : uses_) u.observed = true;
    if (n.op == Op::accumulate || n.op == Op::atomic)  // each program adds once, whatever it has of an axis
      for (std::size_t a = 0; a < uses_.size(); ++a) {
        bool has = false;
        for (int i = 0; i < n.rank; ++i) has |= root_axis(n.axes[i]) == static_cast<int>(a);
        if (!has) uses_[a].observed = true;
      }
    if (n.op == Op::dot || info(n.op).op_class == ir::OpClass::reduction) {
      for (std::int32_t o : p_.operands_of(n)) {
        const Node& on = p_.node(o);
        for (int i = 0; i < on.rank; ++i) {
          if (p_.has_axis(n, on.axes[i])) continue;
          AxisUse& u = uses_[static_cast<std::size_t>(root_axis(on.axes[i]))];
          (n.op == Op::dot ? u.dot_summed : u.reduced) = true;
          if (p_.node(p_.axes[static_cast<std::size_t>(root_axis(on.axes[i]))].node).op == Op::grid_block)
            u.observed = true;  // each program has its own result
        }
      }
      if (n.op == Op::dot)
        for (int i = 0; i < n.rank; ++i) uses_[static_cast<std::size_t>(root_axis(n.axes[i]))].dot_own = true;
    }
    const Form f = analysis_.form[static_cast<std::size_t>(id)];
    const bool scanned = info(n.op).op_class == ir::OpClass::scan;
    if (f == Form::buffer && n.rank > 0) {
      bool has_loop = false;
      for (int i = 0; i < n.rank; ++i)
        has_loop |= p_.node(p_.axes[static_cast<std::size_t>(root_axis(n.axes[i]))].node).op == Op::loop_block;
      for (int i = 0; i < n.rank; ++i) {
        AxisUse& u = uses_[static_cast<std::size_t>(root_axis(n.axes[i]))];
        u.kept |= n.rank > 1 || scanned;
        u.with_loop |= has_loop;
      }
    }
  }

  int tunable_of(int node) const {
    const Node& cut = p_.node(p_.operand(p_.node(node), 0));
    return cut.op == Op::tunable ? static_cast<int>(cut.imm) : -1;
  }

  /// Whether all that a loop over blocks does is to add products summed over its axis: their slices show in no other
  /// way than the order of additions.
  bool only_adds_products(int block) const {
    const int opener = block - 1, region = analysis_.region_of_opener[static_cast<std::size_t>(opener)];
    if (region < 0) return false;
    const int axis = p_.node(block).axes[0];
    for (int i = block + 1; i < analysis_.regions[static_cast<std::size_t>(region)].end; ++i) {
      const Node& n = p_.node(i);
      const Form f = analysis_.form[static_cast<std::size_t>(i)];
      if (f == Form::dead || (f != Form::effect && n.op != Op::get)) continue;
      if (n.op == Op::get) {  // only to be added to
        const auto& users = analysis_.users[static_cast<std::size_t>(i)];
        if (users.size() != 1 || p_.node(users[0]).op != Op::add) return false;
        continue;
      }
      if (n.op != Op::set) return false;
      const Node& sum = p_.node(p_.operand(n, 1));
      if (sum.op != Op::add) return false;
      const auto is_own = [&](int id) {
        return p_.node(id).op == Op::get && p_.operand(p_.node(id), 0) == p_.operand(n, 0);
      };
      const auto is_product = [&](int id) {
        const Node& dot = p_.node(id);
        return dot.op == Op::dot && !p_.has_axis(dot, axis) && p_.has_axis(p_.node(p_.operand(dot, 0)), axis);
      };
      const int x = p_.operand(sum, 0), y = p_.operand(sum, 1);
      if (!(is_own(x) && is_product(y)) && !(is_own(y) && is_product(x))) return false;
    }
    return true;
  }

  /// The cut that one axis would like.
  std::int64_t axis_cut(int axis) const {
    const AxisUse& u = uses_[static_cast<std::size_t>(axis)];
    const std::int64_t n = length(axis), whole = n;
    if (!u.grid) {
      if (u.ranged) return u.kept ? 256 : std::min<std::int64_t>(whole, 4096);
      if (!u.kept && !u.reduced) return whole;       // a plain contraction: planning cuts K by the caches
      if (!u.kept) return n <= 8192 ? whole : 4096;  // read several times over: rows stay near
      return has_op(Op::dot) ? std::min<std::int64_t>(whole, 256) : std::min<std::int64_t>(whole, 4096);
    }
    if (u.ranged) return std::min<std::int64_t>(whole, u.with_loop ? 96 : 240);
    if (u.dot_own) return u.with_loop ? std::min<std::int64_t>(whole, 192) : whole;
    return -1;
  }

  std::int64_t tunable_cut(int t) {
    std::int64_t best = -1;
    for (std::size_t a = 0; a < uses_.size(); ++a) {
      const AxisUse& u = uses_[a];
      if (u.node < 0 || tunable_of(u.node) != t) continue;
      std::int64_t c = axis_cut(static_cast<int>(a));
      if (c < 0) c = row_cut(static_cast<int>(a));
      best = best < 0 ? c : u.grid || uses_[a].kept ? std::min(best, c) : std::max(best, c);
    }
    return best < 0 ? 16 : best;
  }

  /// Bytes that a program moves and keeps for one position of `axis`: together, and of the largest tile; and how often
  /// it goes over them. `others` is how many positions it has of the other grid axes.
  struct Footprint {
    std::int64_t bytes = 0, largest = 0, passes = 0;
  };
  template <class Others>
  Footprint footprint(int axis, const Others& others) const {
    Footprint f;
    for (std::size_t i = 0; i < p_.nodes.size(); ++i) {
      const Node& node = p_.nodes[i];
      const bool memory = node.op == Op::load || node.op == Op::store || node.op == Op::accumulate;
      if (!memory && analysis_.form[i] != Form::buffer) continue;
      bool has = false;
      std::int64_t size = std::max(1, info(node.type).bits / 8);
      for (int k = 0; k < node.rank; ++k) {
        const int root = root_axis(node.axes[k]);
        has |= root == axis;
        if (root != axis) size *= uses_[static_cast<std::size_t>(root)].grid ? others(root) : length(root);
      }
      if (!has) continue;
      f.bytes += size;
      f.largest = std::max(f.largest, size);
      f.passes += info(node.op).op_class == ir::OpClass::reduction || analysis_.form[i] == Form::buffer;
    }
    return f;
  }

  bool has_op(Op op) const {
    return std::any_of(p_.nodes.begin(), p_.nodes.end(), [op](const Node& n) { return n.op == op; });
  }

  /// Nothing of this axis is gone over twice: everything in one go.
  bool streams(int axis, std::int64_t passes) const {
    const AxisUse& u = uses_[static_cast<std::size_t>(axis)];
    if (passes != 0 || u.kept || u.reduced) return false;
    return std::none_of(p_.nodes.begin(), p_.nodes.end(),
                        [](const Node& n) { return info(n.op).op_class == ir::OpClass::reduction; });
  }

  /// Where a program keeps tiles of several grid axes, they share one budget. The axis along which it stores comes
  /// first: long rows make whole vectors and few edges. That axis, if a cost model is to choose its cut.
  template <class Fixed>
  void find_inner(const Fixed& fixed) {
    std::vector<int> open;
    for (std::size_t a = 0; a < uses_.size(); ++a) {
      const AxisUse& u = uses_[a];
      if (!u.grid || u.node < 0 || tunable_of(u.node) < 0 || fixed(static_cast<std::size_t>(tunable_of(u.node))))
        continue;
      const int axis = static_cast<int>(a);
      const auto f = footprint(axis, [&](int other) { return std::min<std::int64_t>(length(other), 256); });
      if (axis_cut(axis) < 0 && !streams(axis, f.passes)) open.push_back(axis);
    }
    if (open.size() < 2) return;
    for (const Node& n : p_.nodes) {
      if (n.op != Op::store && n.op != Op::accumulate) continue;
      const int rank = static_cast<int>(p_.args[static_cast<std::size_t>(n.imm & 0xffffffff)].rank);
      if (rank == 0) continue;
      const Node& index = p_.node(p_.operand(n, rank - 1));
      for (int i = 0; i < index.rank; ++i)
        if (std::find(open.begin(), open.end(), root_axis(index.axes[i])) != open.end())
          inner_ = root_axis(index.axes[i]);
    }
  }

  /// Rows a program takes: what they read stays in half the first cache when it is read more than once, tiles of
  /// several grid axes in half the second.
  std::int64_t row_cut(int axis) {
    const std::int64_t n = length(axis);
    // All lanes of a loop run until the last one is done: as few as keep the machine busy.
    if (uses_[static_cast<std::size_t>(axis)].reduced && has_op(Op::while_loop))
      return std::min<std::int64_t>(n, inner_ < 0 || inner_ == axis ? 2 * machine_.lanes(4) : 1);
    const auto others = [&](int other) {
      if (other == inner_ && inner_cut_ > 0) return inner_cut_;
      return std::min<std::int64_t>(length(other), axis == inner_ ? 8 : 256);
    };
    const auto [bytes, largest, passes] = footprint(axis, others);
    if (streams(axis, passes)) return n;
    const auto rows = [n](std::int64_t budget, std::int64_t row) {
      return std::clamp<std::int64_t>(budget / std::max<std::int64_t>(1, row), 1, n);
    };
    if (inner_ < 0) {
      const std::int64_t near = rows(machine_.l1_bytes / 2, bytes);
      return runs_along(axis) ? std::min<std::int64_t>(n, std::max<std::int64_t>(near, passes > 1 ? 64 : 4096)) : near;
    }
    const std::int64_t cut = rows(machine_.l2_bytes / 2, 2 * largest);  // a tile is made from one that was made before
    if (axis == inner_) inner_cut_ = cut;
    return cut;
  }

  /// Whether elements along the axis lie side by side in an array: whole lines are then wanted of each row.
  bool runs_along(int axis) const {
    return std::any_of(p_.nodes.begin(), p_.nodes.end(), [&](const Node& n) {
      if (n.op != Op::load && n.op != Op::store && n.op != Op::accumulate) return false;
      const ir::Arg& a = p_.args[static_cast<std::size_t>(n.imm & 0xffffffff)];
      if (a.rank == 0) return false;
      const Node& last = p_.node(p_.operand(n, a.rank - 1));
      return a.rank > 1 && std::any_of(last.axes, last.axes + last.rank, [&](int x) { return root_axis(x) == axis; });
    });
  }

  /// Threads to find work for. Where programs add sums of their tiles into floats, sizes of tiles show in the result: a
  /// fixed number, if that is to be the same whatever the threads.
  int threads() const {
    constexpr int fixed = 16;
    const bool shows = machine_.ordered() && std::any_of(p_.nodes.begin(), p_.nodes.end(), [this](const Node& n) {
                         return n.op == Op::accumulate &&
                                info(p_.args[static_cast<std::size_t>(n.imm & 0xffffffff)].type).is_floating();
                       });
    return shows ? fixed : machine_.threads;
  }

  /// Cuts the longest grid axes until every thread has work.
  template <class Fixed>
  void spread(Cuts& cuts, const Fixed& fixed) const {
    if (threads() <= 1) return;
    std::int64_t programs = 1, work = 1;
    int best = -1;
    std::int64_t best_length = 1;
    for (std::size_t a = 0; a < uses_.size(); ++a) {
      const AxisUse& u = uses_[a];
      if (!u.grid || u.node < 0) continue;
      const int t = tunable_of(u.node);
      std::int64_t cut = t >= 0 ? cuts.tunables[static_cast<std::size_t>(t)] : 0;
      for (const auto& [node, c] : cuts.literal_blocks)
        if (node == u.node) cut = c;
      if (cut <= 0) cut = p_.node(p_.operand(p_.node(u.node), 0)).imm;
      const std::int64_t n = length(static_cast<int>(a));
      cut = std::max<std::int64_t>(1, cut);
      constexpr std::int64_t many = std::int64_t{1} << 30;  // more make no difference, and products must not overflow
      programs = std::min(many, programs) * std::min(many, n / cut + (n % cut != 0));
      work = std::min(many, work) * std::min(many, n);
      const bool free = (t >= 0 && !fixed(static_cast<std::size_t>(t))) ||
                        std::any_of(cuts.literal_blocks.begin(), cuts.literal_blocks.end(),
                                    [&](const auto& c) { return c.first == u.node; });
      if (free && std::min(n, cut) > best_length) best = static_cast<int>(a), best_length = std::min(n, cut);
    }
    for (std::size_t i = 0; i < p_.nodes.size(); ++i)
      if (p_.nodes[i].op == Op::grid_index) programs *= 2;  // there is a grid besides the blocks
    if (best < 0 || work < (1 << 15)) return;
    const std::int64_t wanted = threads();
    if (programs >= wanted) return;
    const std::int64_t parts = (wanted + programs - 1) / programs;
    std::int64_t cut = (best_length + parts - 1) / parts;
    const std::int64_t unit = uses_[static_cast<std::size_t>(best)].dot_own ? 48 : 16;
    cut = (cut + unit - 1) / unit * unit;
    const AxisUse& u = uses_[static_cast<std::size_t>(best)];
    const int t = tunable_of(u.node);
    if (t >= 0) {
      cuts.tunables[static_cast<std::size_t>(t)] = std::min(cuts.tunables[static_cast<std::size_t>(t)], cut);
    } else {
      for (auto& [node, c] : cuts.literal_blocks)
        if (node == u.node) c = std::min(c, cut);
    }
  }

  const ir::Program& p_;
  const std::vector<std::int64_t>& extents_;
  const Machine& machine_;
  Analysis analysis_;
  std::vector<AxisUse> uses_;
  int inner_ = -1;  ///< the grid axis that is cut first, if any
  std::int64_t inner_cut_ = 0;
};

}  // namespace

Cuts choose_cuts(const ir::Program& p, const std::vector<std::int64_t>& extents,
                 const std::vector<std::optional<std::int64_t>>& given, const Machine& machine) {
  Cuts cuts = Model(p, extents, machine).choose(given);
  std::erase_if(cuts.literal_blocks, [](const auto& c) { return c.second < 1; });
  return cuts;
}

}  // namespace cpu
TESSERA_END
