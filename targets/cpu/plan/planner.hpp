// Owns the planner's state: how one specialised Tile IR program becomes Loop IR for a CPU.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "jit/loop/builder.hpp"
#include "targets/cpu/plan/analysis.hpp"
#include "targets/cpu/plan/machine.hpp"
#include "tessera/call/frame.hpp"
#include "tessera/ir/tile.hpp"

TESSERA_BEGIN
namespace cpu {

using loop::Value;

/// What is known of a call when its code is planned.
struct Known {
  std::vector<std::optional<std::int64_t>> words;  ///< per Frame word: its value where specialised
  std::vector<std::int64_t> alignment;             ///< per argument: proven bytes of its address
  std::vector<std::int64_t> cuts;                  ///< value of each tunable
};

/// A value at a point: a scalar (the same in all lanes), a vector, or lanes base + scale × lane not made yet.
struct Val {
  Value v = -1;
  Value base = -1;         ///< affine: an i64 scalar
  std::int64_t scale = 0;  ///< affine: the step from lane to lane
  bool affine = false;
  std::int64_t lo = INT64_MIN, hi = INT64_MAX;  ///< what an integer is known to lie in, all lanes

  bool uniform_affine() const { return affine && scale == 0; }
};

/// What an axis is at the place where code is being written.
struct AxisState {
  Value begin = -1;                    ///< position of lane 0
  Value lanes = -1;                    ///< how many, those included that do not exist
  Value lo = -1, hi = -1;              ///< the lanes that exist: [lo, hi)
  int holes = -1;                      ///< a buffer that says of each lane of those whether it exists; −1: all do
  Value low = -1, high = -1;           ///< the positions that may exist: [low, high); −1: no such bound
  bool ranged = false;                 ///< that bound is not only the extent
  Value end = -1;                      ///< position after the last that exists, clipped
  Value number = -1;                   ///< of the block
  Value max_lanes = -1;                ///< never more lanes than this; known at entry
  std::int64_t max_known = INT64_MAX;  ///< the same, where known now
  std::int64_t begin_lo = INT64_MIN, begin_hi = INT64_MAX;
  std::int64_t extent_hi = INT64_MAX;  ///< largest position + 1 of a lane that exists
  bool full_lo = false;                ///< lo is 0
};

/// Positions [from, to) within which a block lies.
struct PositionRange {
  Value from, to;
};

/// A value kept in a buffer: element (lane_0, …) at Σ lane_i × stride_i.
struct Slot {
  int buffer = -1;
  DType elem = DType::f32;
  std::vector<int> axes;
  std::vector<Value> strides;
};

/// Where the axes stand while a point is evaluated.
struct Env {
  std::vector<Val> lane;     ///< per axis of the program; .v and .base −1 where unbound
  int width = 1;             ///< lanes of a vector here
  Value tail = -1;           ///< vector mask of lanes that are there; −1: all
  Value guard = -1;          ///< scalar or vector mask under which memory may be touched; −1: always
  bool mask_tail = true;     ///< a rest of a vector is done under a mask; otherwise lane by lane
  int interior = -1;         ///< an axis: indices that step with it by 1 are inside their arrays and tiles here
  bool past_caches = false;  ///< whole vectors here start at a multiple of a vector: they are stored past the caches
};

/// Transposes n rows of n lanes.
void turn(loop::Builder& b, std::vector<Value>& rows);

/// Bounds of a sum and of a difference, from those of its terms: INT64_MIN and INT64_MAX say that none is known.
std::int64_t sum_of_bounds(std::int64_t a, std::int64_t b);
std::int64_t negated_bound(std::int64_t a);

/// The axes with `last` (−1: none) after all others.
std::vector<int> with_last(const std::vector<int>& axes, int last);

/// The value that every other of a type beats or equals, where the largest (`high`) or the smallest wins.
std::int64_t worst_bits(DType t, bool high);

Value bounded_cut(loop::Builder& b, Value cut);

class Planner {
 public:
  Planner(const ir::Program& program, const Known& known, const Machine& machine);

  /// The whole program; functions "entry" and "prologue" (which clears what += starts from and returns the number of
  /// grid programs). Throws InternalError where the program has what this planner cannot write.
  loop::Program plan();

 private:
  using Node = ir::Node;
  using Op = ir::Op;
  friend struct Contraction;

  // ---- program.cpp: the grid, regions, effects ----
  void plan_prologue();
  void plan_entry();
  std::vector<Value> grid_sizes();
  void walk(int first, int last);
  void visit(int id, int& next);
  void loop_over_blocks(int opener);
  void loop_over_range(int opener);
  void while_region(int opener);
  std::pair<Value, Value> range_of(int index);
  Val index_between(Value iv, Value lo, Value hi) const;
  void branch(int opener, int& next);
  void print_node(int id);
  void atomic_node(int id);

  // ---- axes: axes.cpp ----
  void define_axis(int id);
  void define_made_axis(int id);
  void bind_block(int axis, Val begin, Value cut, std::optional<PositionRange> range);
  bool of_block(int axis) const;
  Value has(int axis, const Val& lane, Env& env);

  // ---- loops whose Vars stay in registers: state.cpp ----
  struct PointLoop;
  std::optional<PointLoop> point_loop(int opener) const;
  bool loop_in_registers(int opener);
  std::vector<Value> point_turns(const PointLoop& p, std::span<Env> envs);
  void run_turn(const PointLoop& p, int from, int to, int needed, std::span<Env> envs, std::vector<Value>& state);
  std::vector<Env> few_points(const std::vector<int>& axes, int vector_axis, int width);
  std::vector<Value> read_state(const PointLoop& p, std::span<Env> envs);
  void write_state(const PointLoop& p, std::span<Env> envs, std::span<const Value> state, bool tiles, bool singles);
  Value carried(Value v);
  Value from_carried(Value v, DType type);

  // ---- which lanes exist: existence.cpp ----
  void find_gaps();
  std::optional<std::int64_t> known_integer(int id) const;
  std::int64_t known_lanes(int axis) const;
  bool surely_whole(int axis) const;
  std::int64_t split_by(int id) const;
  int mask_operand(const Node& n) const;
  Value present(int id, Env& env);
  Value present_new(int id, Env& env);
  Value there(int id, Env& env);
  bool has_all(int id) const;
  void keep_mask(int id);
  void keep_mask(int id, const Slot& slot);
  Val lane_before_split(const Node& n, Env& env);
  std::pair<Val, Val> lanes_before_merge(const Node& n, Env& env);
  void join_sides(const Node& n, Env& env, Env& first, Env& second, Value& in_a);

  // ---- adding into memory: atomic.cpp ----
  /// How programs add into an array.
  struct Sharing {
    enum class Kind : std::uint8_t { plain, copies, atomics };
    Kind kind = Kind::plain;
    int buffer = -1;  ///< copies: dense, one after the other; the last element of each is for what is dropped
    std::vector<Value> strides;  ///< of a copy
    Value size = -1;             ///< elements of the array
    std::int64_t copies = 1, pitch = 0;
  };
  void plan_sharing();
  bool separates(int node, int grid_node) const;
  std::optional<std::int64_t> known_elements(int arg) const;
  bool all_lanes_collide(int store);
  void start_copies();
  void add_up_copies();
  Value place_in_copy(const Node& n, Env& env, Value& inside);
  Value atomic_in_order(ir::AtomicKind kind, int buffer, DType type, Value offset, Value x, Value expected);
  void add_atomically(int arg, const Val& offset, Value value, Value mask, Env& env);
  /// Whether a stop_if stands among these nodes of a region: what follows the region, and its next turn, asks `go_on`.
  bool stops_inside(int first, int last) const;
  Value go_on();
  int region_end(int opener) const;

  // ---- jobs: nest.cpp, reduction.cpp, contraction.cpp, scan.cpp, extreme.cpp, sort.cpp, topk.cpp ----
  /// Where the points of a job go: a buffer, or an array by a store.
  struct Target {
    const Slot* slot = nullptr;
    int store = -1;           ///< a store, accumulate or atomic node
    std::vector<int> axes;    ///< the domain
    int root = -1;            ///< the node whose value is written
    DType type = DType::f32;  ///< of the elements written
  };
  void add_lanes(const Target& target);
  void materialise(int id);
  void set_var(int id);
  void store_node(int id);
  void put_node(int id);
  void run_job(Target target, int core, Slot* slot);
  void elementwise_nest(const Target& target, int vector_axis);
  int crossing_axis(const Target& target, int vector_axis, std::vector<int>& crossing);
  void turned_nest(const Target& target, Env env, int vector_axis, int cross_axis, const std::vector<int>& crossing);
  void reduction_nest(const Target& target, int core, int vector_axis);
  struct Reduction;
  void reduce_row_by_row(const Target& target, int core, const Reduction& r, std::vector<int> kept,
                         std::vector<int> reduced, int vector_axis, int width);
  bool far_apart(int root, int axis, int depth);
  /// Where sums have one order, and all that uses a job's sum or dot is its addition to another value: that addition,
  /// and the other value, from which the sum starts. A long sum cut into `acc += …` is then the sum that was not cut.
  struct GoesOn {
    int sum = -1, from = -1;
  };
  GoesOn goes_on_from(const Target& target, int core) const;
  /// Whether this is a += of floats whose lanes are added in the order of their axes.
  bool adds_in_order(int store) const {
    const Node& n = program_.node(store);
    return n.op == Op::accumulate && machine_.ordered() &&
           info(program_.args[static_cast<std::size_t>(n.imm & 0xffffffff)].type).is_floating();
  }
  bool one_order(int node) const { return machine_.ordered() && info(program_.node(node).type).is_floating(); }
  int filling_ = -1;  ///< the kept value that the reduction being written makes as it goes
  bool contraction_nest(const Target& target, int core);
  void scan_nest(Target target, int core, Slot* slot);
  void custom_nest(int id);
  void combine_in_steps(int id);
  void sort_nest(int id);
  void topk_nest(int id);
  using ReadPoint = std::function<Value(Env&)>;
  using WriteBest = std::function<void(Env&, Value k, Value value, Value position)>;
  void topk_by_lane(int along, int row_axis, int k, int width, const Target& read, const std::vector<int>& kept,
                    Value lowest, const ReadPoint& evaluate, const WriteBest& write);
  void topk_by_filter(int along, int out_axis, const Target& read, const std::vector<int>& kept, Value lowest,
                      const ReadPoint& evaluate, const WriteBest& write);
  void arg_nest(int id);
  void copy_slot(const Slot& from, const Slot& to, const std::vector<int>& axes);
  void write_point(const Target& target, Env& env);
  void write_value(const Target& target, Env& env, const Val& v, DType type);
  /// Loops over `axes`, outermost first; `vector_axis` by vectors of `width` lanes, `chunks` of them at a time. Inside,
  /// `body` gets one Env a chunk. `roots` are what the body evaluates: what does not change is read outside.
  using Body = std::function<void(std::span<Env>)>;
  void loops(Env env, std::span<const int> axes, int vector_axis, int width, int chunks, const std::vector<int>& roots,
             const Body& body);
  void vector_loop(const Env& env, int axis, Value lo, Value hi, int width, int chunks, const Body& body,
                   const std::vector<int>& roots = {});
  std::pair<Value, Value> interior_of(const Env& env, int axis, const std::vector<int>& roots);
  bool steps_with(int index, int axis) const;
  const Target* streamed_ = nullptr;  ///< the job whose stores go past the caches, while its loops are written
  bool streamed_any_ = false;
  std::vector<Value> reduce_loops(
      const Env& env, std::span<const int> axes, int vector_axis, int width, int unroll, const std::vector<int>& roots,
      std::vector<Value> accs, const std::function<std::vector<Value>(std::span<Env>, std::span<const Value>)>& step);
  using OrderedStep = std::function<std::vector<Value>(Env&, std::span<const Value>)>;
  void ordered_loop(const Env& env, int axis, int width, std::vector<Value> carried, const OrderedStep& step);
  using Join = std::function<std::vector<Value>(std::span<const Value>, std::span<const Value>)>;
  std::vector<Value> prefix_in_vector(std::vector<Value> x, std::span<const Value> first, int width, const Join& join);
  std::vector<int> roots_of(const Target& target) const;
  int choose_vector_axis(const std::vector<int>& domain, const std::vector<int>& reduced, const Target& target);
  int vector_width(const Target& target);
  bool masks_rests(const Target& target);
  bool narrow_elements(const Target& target);
  bool streams(const Target& target, int vector_axis);
  Value lanes_to_alignment(const Target& target, const Env& env, int axis);
  void for_each_fused(int id, const std::function<void(int)>& f);
  void hoist(Env& env, int root);
  /// By how much an integer node steps when the lanes step by `steps` (per axis); nothing where that is not fixed.
  std::optional<std::int64_t> step_of(int id, const std::vector<std::int64_t>& steps) const;
  /// How well `id`, evaluated in a nest of `depth` axes, reads and writes where the lanes step by `steps`.
  void score_accesses(int id, std::vector<std::int64_t> steps, int depth, int& score, std::vector<int>& seen);
  std::optional<std::int64_t> access_step(int id, const std::vector<std::int64_t>& steps);
  bool collides_along(int store, int axis);
  bool runs_along(int root, int axis);
  Env bind(const Env& env, int axis, Value lane, int step = 0) const;
  /// The `width` lanes of an axis from `lane` on; of the second, only the first `count` are there.
  Env bind_vector(const Env& env, int axis, Value lane, int width) const;
  Env bind_part(const Env& env, int axis, Value lane, int width, Value count);

  // ---- evaluation: eval.cpp, arith.cpp, memory.cpp ----
  Val eval(int id, Env& env);
  Val eval_new(int id, Env& env);
  Val eval_at(const Node& n, Env& env);
  Val eval_load(int id, Env& env);
  void prefetch_next_program(int load, const Val& offset, Env& env);
  Val eval_block_value(int id, Env& env);
  Val offset_in(const Slot& slot, Env& env);
  Val read_slot(const Slot& slot, Env& env);
  Val arith(const Node& n, std::span<const Val> in, Env& env);
  Val integer_arith(const Node& n, const Val& a, const Val& b, Env& env);
  Val compare(const Node& n, DType t, const Val& a, const Val& b, Env& env);
  Val cast_value(const Val& a, DType from, DType to, std::int64_t mode, Env& env);
  Val random_word(const Val& seed, const Val& counter, int word, Env& env);
  Value math(Op op, Value x, Value y = -1);
  Value exp_nonpositive(Value x);
  /// x y + z, where one rounding more or less does no harm; in strict mode always two.
  Value mul_add(Value x, Value y, Value z) { return fuses() ? b_->fma(x, y, z) : b_->add(b_->mul(x, y), z); }
  bool fuses() const { return machine_.has_fma && !machine_.strict(); }
  Value fast_trigonometry(Op op, Value x);
  Value float_mod(Value x, Value y);
  Value round_to(Value v, DType t);
  Value narrow_fma(Value x, Value y, Value z, DType t);
  Value wrap_to(Value v, DType t);
  Value narrow(Value v, DType t);
  /// The machine value, as a vector of env.width if `vector`.
  Value machine(const Val& v, Env& env, bool vector);
  Value scalar(const Val& v);
  Val wrap(Value v) const;
  Val affine(Value base, std::int64_t scale, std::int64_t lo, std::int64_t hi) const;
  Val add(const Val& a, const Val& b, Env& env);
  Val scaled(const Val& a, Value factor, Env& env);
  bool is_vector(const Val& v) const;
  /// index of an array (dims index nodes from operand `first`) as an element offset; `inside` gets the bounds mask.
  Val offset_of(const Node& n, Env& env, Value& inside);
  Val read_memory(int buffer, DType elem, const Val& offset, Value mask, Env& env);
  void write_memory(int buffer, DType elem, const Val& offset, Val value, Value mask, Env& env, bool add,
                    std::uint32_t flags = 0);
  Value both(Value a, Value b);
  Value in_range(const Val& v, Value lo, Value hi, bool check_lo, bool check_hi, Env& env);

  // ---- facts ----
  static DType repr(DType t);
  Value word(int index, DType t = DType::i64);
  Value extent(int index);
  Value stride(int arg, int dim);
  /// A buffer, placed at the start of the function: `count` must exist there.
  int scratch(DType elem, Value count);
  Slot new_slot(const std::vector<int>& axes, DType type, int inner_axis);
  Slot slot_for(int id);
  int arg_buffer(int arg);
  Value cut_of(int node, int operand);
  bool bare_over(const Node& index, int arg, int dim) const;
  [[noreturn]] void refuse(int id, const std::string& why) const;
  Value i64(std::int64_t v) { return b_->integer(v); }
  std::int64_t known_or(Value v, std::int64_t other) const;

  // ---- memo: values of nodes at coordinates, by open scope ----
  struct MemoKey {
    int node;
    std::vector<std::int64_t> at;
    bool operator==(const MemoKey&) const = default;
  };
  struct MemoHash {
    std::size_t operator()(const MemoKey& k) const;
  };
  using Scope = std::unordered_map<MemoKey, Val, MemoHash>;
  MemoKey key_of(int id, const Env& env) const;
  void remember(int id, const Env& env, const Val& v) { scopes_.back()[key_of(id, env)] = v; }
  template <class F>
  auto scoped(F&& f) {
    scopes_.emplace_back();
    struct Pop {
      std::vector<Scope>& s;
      ~Pop() { s.pop_back(); }
    } pop{scopes_};
    return f();
  }

  const ir::Program& program_;
  const Known& known_;
  const call::FrameLayout layout_;
  const Machine& machine_;
  Analysis analysis_;
  loop::Program out_;
  std::optional<loop::Builder> builder_;
  loop::Builder* b_ = nullptr;
  std::vector<AxisState> axis_;
  std::vector<std::optional<Slot>> slots_;  ///< per node: kept values, Vars, parts
  std::vector<std::vector<Slot>> parts_;    ///< per node with several results
  std::vector<std::vector<int>> gaps_;      ///< per node: the axes on which depends which of its lanes exist
  std::vector<std::optional<Slot>> masks_;  ///< per Var or kept value with gaps: which of its lanes exist
  std::vector<int> arg_buffers_;
  std::vector<Scope> scopes_;
  Env top_;                          ///< no axis bound
  std::vector<Value> grid_numbers_;  ///< number along each grid dimension, in node order
  Value linear_ = -1;
  int next_grid_ = 0;
  /// The loops of the program around what is being written, and whether each is in its first turn.
  struct OpenLoop {
    int opener;
    Value first;
  };
  std::vector<OpenLoop> loops_;
  int fast_axis_ = -1;  ///< of the grid block that runs fastest from program to program
  /// An array that jobs read: the first one of a program that does, and the second, which fetches for the next program.
  struct Reread {
    int first = -1, second = -1;
  };
  std::vector<Reread> rereads_;      ///< per argument
  int job_ = 0;                      ///< number of the nest being written; −1 in one that fetches nothing
  std::vector<Sharing> sharing_;     ///< per argument
  std::vector<bool> parallel_dims_;  ///< of the grid: programs that differ in another one only run in order
  bool serial_ = false;              ///< all programs run in order, on one thread
  bool calls_ = false;               ///< the code calls functions of its Context
  std::optional<Slot> stop_;         ///< set where the program has stopped inside a loop or branch
};

}  // namespace cpu
TESSERA_END
