// Owns the recorder: what a kernel's operations write their nodes, axes and messages into, in constant evaluation or
// not.
#pragma once

#include <cstdint>
#include <string_view>

#include "tessera/ir/program.hpp"
#include "tessera/language/list.hpp"
#include "tessera/language/messages.hpp"
#include "tessera/types/convert.hpp"

// The recorder keeps the first error, and from then on every operation gives the value −1 without looking at its
// operands: nothing below runs once `bad` is set. Thus the same code serves constant evaluation, where a throw would
// hide the message, and run time, where `record` throws the message at the end.

TESSERA_BEGIN
namespace detail {

using std::string_view;

/// What the recorder knows of a node beside the node.
struct NodeMeta {
  std::uint64_t grid = 0;   ///< the grid dimensions that the value depends on, by bits
  std::uint64_t reads = 0;  ///< arrays that a kernel may change, by bits, which it reads within the same expression
  std::uint32_t line = 0;
  std::int32_t region = 0;
  std::int32_t uses = 0;     ///< operands that name it
  std::int32_t atomic = -1;  ///< an atomic that the value comes from within the same expression
  bool uniform = false;      ///< known before the launch
  bool constant = false;     ///< made of literals and tunables
};

/// What makes two requests for an axis one axis, beside name and extent.
struct AxisMeta {
  std::int32_t cut = -1;               ///< the node of the cut, −1 for none
  std::int32_t root = -1;              ///< the axis whose positions it has: itself, or that of which it is another name
  std::int32_t key[3] = {-1, -1, -1};  ///< of a made axis: operation, and what it was made from
};

/// An open loop, branch or combining function.
struct Region {
  ir::Op kind = ir::Op::literal;
  std::int32_t id = 0;
  std::int32_t node = -1;  ///< the node that opened it
  std::uint32_t line = 0, column = 0;
  string_view function;         ///< where it stands
  std::uint64_t when_grid = 0;  ///< to restore at its end
  std::int32_t condition = -1;
};

constexpr bool is_name_char(char c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/// A plain store, to be checked against the whole grid.
struct PendingStore {
  std::int32_t arg;
  std::uint32_t line;
  std::uint64_t grid;
};

[[noreturn]] inline void an_operation_on_numbers_only_has_no_kernel_write_k_value_of_one_of_them() {
  __builtin_abort();
}

/// Records one program.
class Recorder {
 public:
  List<ir::Node> nodes;
  List<NodeMeta> meta;
  List<std::int32_t> operands;
  List<ir::Axis> axes;
  List<AxisMeta> axis_meta;
  List<ir::Arg> args;
  List<bool> written;  ///< of each argument
  List<bool> stored;   ///< of each argument: by =
  List<ir::Extent> extents;
  List<std::int32_t> arg_extents;
  List<ir::Tunable> tunables;
  List<ir::Name> names;
  List<char> text;
  string_view kernel;
  std::uint32_t kernel_line = 0;

  List<Region> open;
  List<bool> region_open;  ///< of each region id; 0 is the program itself
  List<PendingStore> stores;
  std::int32_t region = 0;
  int scalar_count = 0;
  int grid_count = 0;
  std::uint64_t when_grid = 0;
  int last_if = -1;             ///< the if_region whose `end` is the last node recorded, for otherwise
  std::uint32_t line = 0;       ///< of the last operation that knew its own
  std::uint32_t user_line = 0;  ///< within a composed operation: the line that its user wrote it on

  Text error;
  bool bad = false;

  unsigned generation = 0;    ///< at run time: which recording this is
  Recorder* outer = nullptr;  ///< at run time: the recording that this one interrupts

  constexpr Recorder() { region_open.push(true); }

  // Messages

  /// Starts the program's one message; later ones go nowhere. `at` 0: the nearest line known.
  constexpr Text& fail(std::uint32_t at) {
    if (bad) {
      lost_.clear();
      return lost_;
    }
    bad = true;
    if (user_line != 0) at = user_line;
    error << kernel << ", line " << (at != 0 ? at : line != 0 ? line : kernel_line) << ": ";
    return error;
  }
  /// The same for a fault of the whole kernel.
  constexpr Text& fail_kernel() {
    if (bad) {
      lost_.clear();
      return lost_;
    }
    bad = true;
    error << kernel << ", line " << kernel_line << ": ";
    return error;
  }

  // Names

  constexpr string_view str(int name) const {
    if (name < 0) return {};
    return {text.data() + names[name].first, static_cast<std::size_t>(names[name].size)};
  }
  constexpr int intern(string_view s) {
    for (int i = 0; i < names.size(); ++i)
      if (names[i].size == static_cast<int>(s.size()) && str(i) == s) return i;
    ir::Name n{text.size(), static_cast<std::int32_t>(s.size())};
    for (char c : s) text.push(c);
    return names.push(n);
  }
  constexpr string_view arg_name(int arg) const { return str(args[arg].name); }
  constexpr string_view axis_name(int axis) const { return str(axes[axis].name); }

  // Extents

  /// "K", "B+1" or "K/32" as an entry of `extents`; −1, with a message, where it is none of these.
  constexpr int extent(string_view s, std::uint32_t at) {
    std::size_t stop = 0;
    while (stop < s.size() && s[stop] != '+' && s[stop] != '/') ++stop;
    ir::Extent e;
    bool right = stop > 0 && !(s[0] >= '0' && s[0] <= '9');
    for (std::size_t i = 0; i < stop; ++i) right = right && is_name_char(s[i]);
    if (stop < s.size()) {
      std::int64_t number = 0;
      right = right && stop + 1 < s.size() && s.size() - stop < 11;
      for (std::size_t i = stop + 1; i < s.size(); ++i) {
        right = right && s[i] >= '0' && s[i] <= '9';
        number = number * 10 + (s[i] - '0');
      }
      right = right && number > 0 && number <= 0x7fffffff;
      if (right) (s[stop] == '+' ? e.plus : e.divide) = static_cast<std::int32_t>(number);
    }
    if (!right) {
      fail(at) << "\"" << s << "\" is no extent: write a name, \"N\", \"N+1\" or \"N/32\"";
      return -1;
    }
    e.base = intern(s.substr(0, stop));
    for (int i = 0; i < extents.size(); ++i)
      if (extents[i] == e) return i;
    return extents.push(e);
  }
  constexpr Text& write_extent(Text& t, int id) const {
    const ir::Extent& e = extents[id];
    t << str(e.base);
    if (e.plus != 0) t << "+" << e.plus;
    if (e.divide != 1) t << "/" << e.divide;
    return t;
  }
  /// The same for what a block runs over; its base must be bound by some argument.
  constexpr int known_extent(string_view s, std::uint32_t at) {
    const int id = extent(s, at);
    if (id < 0) return id;
    for (std::int32_t e : arg_extents)
      if (extents[e].base == extents[id].base) return id;
    Text& t = fail(at) << "no argument has an extent " << s << "; the extents are";
    bool first = true;
    for (int i = 0; i < arg_extents.size(); ++i) {
      bool seen = false;
      for (int j = 0; j < i; ++j) seen = seen || arg_extents[j] == arg_extents[i];
      if (seen) continue;
      t << (first ? " " : ", ");
      write_extent(t, arg_extents[i]);
      first = false;
    }
    return -1;
  }

  // Nodes

  constexpr const ir::Node& node(int id) const { return nodes[id]; }
  constexpr DType type(int id) const { return nodes[id].type; }
  constexpr int operand(int id, int k) const { return operands[nodes[id].first + k]; }
  constexpr std::uint32_t line_of(int id) const { return meta[id].line; }

  /// Adds a node; `n.axes` are set by the caller.
  constexpr int push(ir::Node n, std::uint32_t at, const std::int32_t* in = nullptr, int count = 0) {
    if (user_line != 0) at = user_line;
    if (at != 0) line = at;
    NodeMeta m;
    m.region = region;
    m.line = at != 0 ? at : line;
    bool uniform = true, constant = true;
    n.first = operands.size();
    n.count = static_cast<std::uint16_t>(count);
    for (int i = 0; i < count; ++i) {
      NodeMeta& from = meta[in[i]];
      ++from.uses;
      m.grid |= from.grid;
      uniform = uniform && from.uniform;
      constant = constant && from.constant;
      operands.push(in[i]);
    }
    switch (n.op) {
      case ir::Op::literal:
      case ir::Op::tunable:
        m.constant = m.uniform = true;
        break;
      case ir::Op::extent:
      case ir::Op::scalar:
        m.uniform = true;
        break;
      default:
        if (ir::info(n.op).op_class == ir::OpClass::elementwise && n.rank == 0) {
          m.uniform = uniform;
          m.constant = constant;
        }
    }
    if (m.uniform) n.flags |= ir::flag_uniform;
    last_if = -1;
    meta.push(m);
    return nodes.push(n);
  }

  /// A node without operands or axes.
  constexpr int leaf(ir::Op op, DType type, std::uint32_t at, std::int64_t imm = 0) {
    ir::Node n;
    n.op = op;
    n.type = type;
    n.imm = imm;
    return push(n, at);
  }
  /// A node over the union of its operands' axes.
  constexpr int join(ir::Op op, DType type, std::uint32_t at, const std::int32_t* in, int count, std::int64_t imm = 0) {
    ir::Node n;
    n.op = op;
    n.type = type;
    n.imm = imm;
    for (int i = 0; i < count; ++i) add_axes(n, in[i], at);
    return bad ? -1 : push(n, at, in, count);
  }

  constexpr bool has_axis(const ir::Node& n, int axis) const {
    for (int i = 0; i < n.rank; ++i)
      if (n.axes[i] == axis) return true;
    return false;
  }
  constexpr void add_axes(ir::Node& n, int from, std::uint32_t at) {
    const ir::Node& source = nodes[from];
    for (int i = 0; i < source.rank; ++i) add_axis(n, source.axes[i], at);
  }
  constexpr void add_axis(ir::Node& n, int axis, std::uint32_t at) {
    for (int i = 0; i < n.rank; ++i) {
      if (n.axes[i] == axis) return;
      if (axes[n.axes[i]].name == axes[axis].name) {
        conflict(n.axes[i], axis, at);
        return;
      }
    }
    if (n.rank == ir::max_rank) {
      fail(at) << "a tile has at most " << ir::max_rank << " axes: reduce or split the work";
      return;
    }
    n.axes[n.rank++] = static_cast<std::uint8_t>(axis);
  }
  static constexpr void drop_axis(ir::Node& n, int axis) {
    int to = 0;
    for (int i = 0; i < n.rank; ++i)
      if (n.axes[i] != axis) n.axes[to++] = n.axes[i];
    for (int i = to; i < n.rank; ++i) n.axes[i] = 0;
    n.rank = static_cast<std::uint8_t>(to);
  }
  /// The axis of that name, or −1 with a message.
  constexpr int find_axis(int id, string_view axis, string_view what, std::uint32_t at) {
    const ir::Node& n = nodes[id];
    for (int i = 0; i < n.rank; ++i)
      if (axis_name(n.axes[i]) == axis) return n.axes[i];
    Text& t = fail(at) << what << ": the tile has no axis " << axis;
    if (n.rank == 0)
      t << "; it has no axes";
    else if (n.rank == 1)
      t << "; its axis is ";
    else
      t << "; its axes are ";
    for (int i = 0; i < n.rank; ++i) t << (i != 0 ? ", " : "") << axis_name(n.axes[i]);
    return -1;
  }

  // Axes

  constexpr bool usable_region(int id) const { return region_open[meta[id].region]; }
  constexpr bool same_cut(int a, int b) const {
    if (a == b) return true;
    if (a < 0 || b < 0) return false;
    return meta[a].constant && meta[b].constant && nodes[a].op == nodes[b].op && nodes[a].imm == nodes[b].imm &&
           nodes[a].count == 0;
  }
  constexpr void conflict(int a, int b, std::uint32_t at) {
    string_view how = ", at different positions";
    if (axes[a].extent != axes[b].extent)
      how = ", over different extents";
    else if (!same_cut(axis_meta[a].cut, axis_meta[b].cut) || axis_meta[a].key[1] != axis_meta[b].key[1] ||
             axis_meta[a].key[2] != axis_meta[b].key[2])
      how = ", cut into different pieces";
    const int first = axes[a].node < axes[b].node ? a : b, second = first == a ? b : a;
    fail(at) << "two different axes are called " << axis_name(a) << how << " (lines " << line_of(axes[first].node)
             << " and " << line_of(axes[second].node) << "): rename one, as<\"J\">(block)";
  }
  constexpr int make_axis(ir::Axis a, AxisMeta m, std::uint32_t at) {
    if (axes.size() == 255) {
      fail(at) << "a kernel has at most 255 axes";
      return 0;
    }
    const int id = axes.push(a);
    if (m.root < 0) m.root = id;
    axis_meta.push(m);
    return id;
  }
  /// The axis with the positions of `root` that is called `name`, if it was made and can still be used; else −1.
  constexpr int renamed_axis(int root, int name) const {
    for (int i = 0; i < axes.size(); ++i)
      if (axis_meta[i].root == root && axes[i].name == name && usable_region(axes[i].node)) return i;
    return -1;
  }
  constexpr int made_axis(int name, int a, int b, int c) const {
    for (int i = 0; i < axes.size(); ++i) {
      const AxisMeta& m = axis_meta[i];
      if (axes[i].name == name && m.key[0] == a && m.key[1] == b && m.key[2] == c && usable_region(axes[i].node))
        return i;
    }
    return -1;
  }
  constexpr bool is_block(int id) const {
    return ir::info(nodes[id].op).op_class == ir::OpClass::block && nodes[id].rank == 1;
  }

  // Regions

  constexpr int enter(ir::Op kind, std::uint32_t at, const std::int32_t* in = nullptr, int count = 0,
                      std::uint32_t column = 0, string_view function = {}) {
    Region r;
    r.kind = kind;
    r.line = at;
    r.column = column;
    r.function = function;
    r.when_grid = when_grid;
    ir::Node n;
    n.op = kind;
    r.node = push(n, at, in, count);
    return enter_after(r);
  }
  /// Opens a region after a node that is there already.
  constexpr int enter_after(Region r) {
    r.id = region_open.push(true);
    region = r.id;
    open.push(r);
    return r.id;
  }
  /// Ends region `id`, with an `end` node unless the caller has added its own.
  constexpr void leave(int id, bool end_node = true) {
    if (bad) return;
    if (open.empty() || open.back().id != id) {
      left_early();
      return;
    }
    if (end_node) leaf(ir::Op::end, DType::i64, 0);
    const Region r = open.back();
    open.pop();
    region_open[id] = false;
    region = open.empty() ? 0 : open.back().id;
    when_grid = r.when_grid;
    last_if = r.kind == ir::Op::if_region ? r.node : -1;
  }
  /// A region is closed from outside it: by break, return or goto.
  constexpr void left_early() {
    if (bad || open.empty()) return;
    fail(open.back().line) << "a loop that starts here is left by break or return: use while (k.loop(condition))";
  }

 private:
  Text lost_;
};

/// While it lives, what is recorded stands on the user's line: for operations composed of others.
class OnLine {
 public:
  constexpr OnLine(Recorder* r, std::uint32_t line) : recorder_(r), before_(r->user_line) {
    if (before_ == 0) r->user_line = line;
  }
  constexpr ~OnLine() { recorder_->user_line = before_; }
  OnLine(const OnLine&) = delete;
  OnLine& operator=(const OnLine&) = delete;

 private:
  Recorder* recorder_;
  std::uint32_t before_;
};

}  // namespace detail
TESSERA_END
