// Owns Generator, the state of one program in the making; its members stand in generate, blocks, loads, values,
// combine, shapes, mixed and effects.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/fuzz/builder.hpp"
#include "tests/fuzz/random.hpp"
#include "tests/fuzz/sample.hpp"

namespace fuzz {

/// Writes one random program: a grid, then statements over values. What it writes keeps the rules of the language, as
/// far as they can be kept without running the program; the interpreter finds the rest.
class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) { sample_.seed = seed; }
  Sample run();

 private:
  /// What is known of an axis.
  struct AxisFacts {
    int block = -1;   ///< the node of its positions, −1 for an axis that an operation made
    int extent = -1;  ///< that it runs over, −1 for lanes
    std::int64_t lanes = 1;
    bool grid = false;
    bool from_zero = false;  ///< its first lane stands at position 0
    bool store = true;       ///< positions of different lanes and programs differ, so that it may place a store
  };
  struct VarFacts {
    int node;
    DType type;
    Axes axes;
    bool counter = false;  ///< of a while: not to be set by others
  };
  /// An index of an access, with the extent of the array's axis that it fits.
  struct Index {
    int node = -1;
    int extent = -1;
    bool outside = false;  ///< it may lie outside
  };
  /// A store done: where the same program may read or store again.
  struct Written {
    int arg;
    std::vector<int> index;
    Axes axes;
  };
  /// What a region hides again at its end.
  struct Scope {
    std::size_t axes, pool, vars, written, numbers;
    std::int64_t trips;
  };

  // blocks.cpp: extents, cuts, axes
  void make_extents();
  void make_grid();
  std::int64_t value_of(int extent) const { return extent_value(sample_, extent); }
  /// base + plus, or base / divide rounded up.
  int derived(int base, int plus, int divide = 1);
  int any_extent() { return random_.of(bases_); }
  /// A base extent of at least that value, or −1.
  int extent_of_at_least(std::int64_t value);
  /// A number of lanes as a node: a literal or a tunable; `lanes` is its value.
  int cut(std::int64_t& lanes);
  /// Where a block in scope over that extent begins or ends; −1 where there is none.
  int block_bound(int extent, bool end);
  int make_block(Op op, ir::AxisKind kind, const std::vector<int>& in, const AxisFacts& facts, int parent = -1,
                 std::int64_t imm = 0);
  /// An axis of at most `most` lanes that is not in `taken`: one of the scope, or a new one; −1 where there is none.
  int another_axis(const Axes& taken, std::int64_t most);
  int new_axis(std::int64_t most);
  std::int64_t lanes(const Axes& axes) const;
  const AxisFacts& facts(int axis) const { return facts_[static_cast<std::size_t>(axis)]; }
  /// Some axes of the scope of at most `most` lanes together, those of `all` that have positions.
  Axes some_axes(int count, std::int64_t most, bool positions = true);

  // loads.cpp: arrays and indices
  int argument(ir::Effect effect, DType type, const std::vector<int>& extents, const Given& given);
  Given any_given(DType type, bool written);
  /// An index along `axis` for a load; for a store only injective ones.
  Index index_along(int axis, bool store);
  Index index_anywhere();
  Index gathered(int axis);
  /// A load over these axes (those without positions are left out).
  int load(DType type, Axes axes);
  int scalar(DType type);
  int literal(DType type);

  // values.cpp: elementwise operations, and the choice among all kinds of values
  DType any_type();
  DType number_type();
  DType float_type();
  DType integer_type();
  /// A value of that type whose axes are among `axes`.
  int value(DType type, const Axes& axes, int depth);
  /// A value that has all of these axes.
  int full(DType type, const Axes& axes, int depth);
  int leaf(DType type, const Axes& axes);
  int elementwise(DType type, const Axes& axes, int depth);
  int condition(const Axes& axes, int depth);
  int position(DType type, const Axes& axes);
  int block_number(DType type);
  int random_bits(DType type, const Axes& axes);
  int spread(int value, const Axes& axes);
  /// The value reduced, or indexed, along the axes that are not among `axes`.
  int collapse(int value, const Axes& axes);

  // combine.cpp: reductions, dots, scans, orders
  DType summand(DType type);
  int reduction(DType type, const Axes& axes, int depth);
  int dot(DType type, const Axes& axes, int depth);
  int scan(DType type, const Axes& axes, int depth);
  int sorted(DType type, const Axes& axes, int depth);
  int top_k(DType type, const Axes& axes, int depth);
  int custom(DType type, const Axes& axes, int depth);

  // shapes.cpp: slices, halos, split, merge, join
  int at(DType type, const Axes& axes, int depth);
  int halo(DType type, const Axes& axes);
  int split_merge(DType type, const Axes& axes, int depth);
  int join(DType type, const Axes& axes, int depth);
  int renamed(DType type, const Axes& axes, int depth);

  // mixed.cpp: block scales, windows, printing
  int plain(DType type, const Axes& axes, int divided = -1, int by = 1);
  int scaled(const Axes& axes);
  int window(DType type, const Axes& axes);
  void print_numbers();

  // effects.cpp: statements
  void statements(int count, int depth);
  void statement(int depth);
  void store(int depth);
  void accumulate(int depth);
  void atomic(int depth);
  void private_array(int depth);
  void declare_var(int depth);
  void set_var(int depth);
  void put_var(int depth);
  void loop_blocks(int depth);
  void loop_range(int depth);
  void while_loop(int depth);
  void branch(int depth);
  void checks(int depth);
  bool place(std::vector<Index>& index, Axes& axes, bool whole_grid, const Axes& wanted = {});
  void store_var(const VarFacts& var);

  // generate.cpp
  Scope open();
  void close(const Scope& scope);
  int add(Op op, DType type, const std::vector<int>& in, const Axes& axes = {}, std::int64_t imm = 0, int flags = 0);
  int each(Op op, DType type, const std::vector<int>& in, std::int64_t imm = 0);
  int control(Op op, const std::vector<int>& in = {}, std::int64_t imm = 0) { return add(op, DType::i64, in, {}, imm); }
  int keep(int node) {
    if (!b_.s.nodes.empty() && b_.node(node).rank <= 4) pool_.push_back(node);
    return node;
  }
  bool tired() const { return work_ > most_work_ || b_.s.nodes.size() > most_nodes_; }
  void order_arguments();
  Way choose_way();
  void choose_ways();

  Random random_;
  Builder b_;
  Sample sample_;
  std::vector<int> bases_;              ///< extents that are a name each
  std::vector<std::int64_t> tunables_;  ///< their values
  std::vector<AxisFacts> facts_;        ///< of each axis
  Axes scope_;                          ///< axes that may be used
  std::vector<int> pool_;               ///< values that may be used again
  std::vector<VarFacts> vars_;
  std::vector<Written> written_;
  std::vector<int> grid_blocks_;                       ///< axes
  std::vector<std::pair<int, int>> grid_numbers_;      ///< grid_index nodes with the extent that they run over
  std::vector<std::pair<int, std::int64_t>> numbers_;  ///< integers of rank 0 below a bound
  bool tame_ = false;                                  ///< arrays made now hold ordinary numbers only
  int effects_ = 0;
  std::int64_t trips_ = 1, work_ = 0, most_work_ = 40000, most_tile_ = 2048;
  std::size_t most_nodes_ = 60;
};

}  // namespace fuzz
