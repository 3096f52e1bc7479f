// Owns Kernel, the handle by which a kernel asks for blocks, loops, branches, extents, values and effects.
#pragma once

#include <initializer_list>

#include "tessera/language/finish.hpp"
#include "tessera/language/loop.hpp"
#include "tessera/language/memory.hpp"
#include "tessera/language/random.hpp"
#include "tessera/language/shape.hpp"

TESSERA_BEGIN

using ir::Placement;
namespace detail {

/// A text with the line where it was written: print's format.
struct Format {
  template <class S>
    requires std::is_convertible_v<const S&, std::string_view>
  constexpr Format(const S& s, Here l = Here::current()) : text(s), line(l.line()) {}
  std::string_view text;
  std::uint32_t line;
};

}  // namespace detail

/// The program being recorded. Plain to copy.
class [[maybe_unused]] Kernel {
 public:
  constexpr explicit Kernel(detail::Recorder* r) : recorder_(r), generation_(r->generation) {}

  // The grid, at top level only

  /// A piece of `cut` lanes of the axis E, one a program.
  template <name E>
  constexpr Block block(Operand cut) const {
    return block(E.view(), cut);
  }
  /// The same over the range from … to, of at most `longest` lanes, which is known before the launch.
  template <name E>
  constexpr Block block(Operand cut, Operand from, Operand to, Operand longest) const {
    return block(E.view(), cut, from, to, longest);
  }
  constexpr Block block(std::string_view e, Operand cut) const { return grid_block(e, cut, nullptr, nullptr, nullptr); }
  constexpr Block block(std::string_view e, Operand cut, Operand from, Operand to, Operand longest) const {
    return grid_block(e, cut, &from, &to, &longest);
  }
  /// One position of the axis E a program (i64, no axes).
  template <name E>
  constexpr Tile index(detail::Here l = detail::Here::current()) const {
    return index(E.view(), l);
  }
  constexpr Tile index(std::string_view e, detail::Here l = detail::Here::current()) const {
    detail::Recorder* r = live();
    if (r->bad) return dead();
    const int extent = r->known_extent(e, l.line());
    if (extent < 0) return dead();
    return grid_index(r->leaf(ir::Op::extent, DType::i64, l.line(), extent), l.line());
  }
  /// One of the numbers 0 … count − 1 a program; `count` is known before the launch.
  constexpr Tile index(Operand count) const {
    detail::Recorder* r = live();
    const int n = detail::node_i64(r, count, "index");
    return n < 0 ? dead() : grid_index(n, count.line);
  }

  // Blocks that are not grid

  /// The whole axis, positions from 0.
  template <name E>
  constexpr Block all(detail::Here l = detail::Here::current()) const {
    return all(E.view(), l);
  }
  constexpr Block all(std::string_view e, detail::Here l = detail::Here::current()) const {
    detail::Recorder* r = live();
    if (r->bad) return dead_block();
    const int extent = r->known_extent(e, l.line());
    if (extent < 0) return dead_block();
    for (int i = 0; i < r->axes.size(); ++i)
      if (r->axes[i].kind == ir::AxisKind::all && r->axes[i].extent == extent && r->usable_region(r->axes[i].node) &&
          r->node(r->axes[i].node).op == ir::Op::all_block)
        return {r, r->axes[i].node};
    return define(ir::Op::all_block, ir::AxisKind::all, r->intern(e), extent, nullptr, 0, l.line());
  }
  /// Positions from … min(from + cut, to) − 1 of the axis E.
  template <name E>
  constexpr Block span(Operand cut, Operand from, Operand to) const {
    return span(E.view(), cut, from, to);
  }
  constexpr Block span(std::string_view e, Operand cut, Operand from, Operand to) const {
    detail::Recorder* r = live();
    if (r->bad) return dead_block();
    const int extent = r->known_extent(e, cut.line);
    const int in[] = {cut_node(cut, "span"), detail::node_i64(r, from, "span"), detail::node_i64(r, to, "span")};
    if (r->bad) return dead_block();
    return define(ir::Op::span_block, ir::AxisKind::span, r->intern(e), extent, in, 3, cut.line);
  }
  /// `count` lanes of no extent, at positions from 0; all exist.
  template <name E>
  constexpr Block lanes(Operand count) const {
    return lanes(E.view(), count);
  }
  constexpr Block lanes(std::string_view e, Operand count) const {
    return lane_block(ir::Op::lanes_block, ir::AxisKind::lanes, e, count, "lanes");
  }
  /// The same, laid over the program's hardware lanes; on a CPU, vector lanes.
  template <name E>
  constexpr Block threads(Operand count) const {
    return threads(E.view(), count);
  }
  constexpr Block threads(std::string_view e, Operand count) const {
    return lane_block(ir::Op::threads_block, ir::AxisKind::threads, e, count, "threads");
  }

  // Loops and branches

  /// In a `for`: pieces of `cut` lanes of the axis E.
  template <name E>
  constexpr detail::Loop<Block> blocks(Operand cut, detail::Here l = detail::Here::current()) const {
    return loop_blocks(E.view(), cut, nullptr, nullptr, l);
  }
  /// The same over the range from … to.
  template <name E>
  constexpr detail::Loop<Block> blocks(Operand cut, Operand from, Operand to,
                                       detail::Here l = detail::Here::current()) const {
    return loop_blocks(E.view(), cut, &from, &to, l);
  }
  constexpr detail::Loop<Block> blocks(std::string_view e, Operand cut,
                                       detail::Here l = detail::Here::current()) const {
    return loop_blocks(e, cut, nullptr, nullptr, l);
  }
  constexpr detail::Loop<Block> blocks(std::string_view e, Operand cut, Operand from, Operand to,
                                       detail::Here l = detail::Here::current()) const {
    return loop_blocks(e, cut, &from, &to, l);
  }
  /// In a `for`: the numbers from … to − 1.
  constexpr detail::Loop<Tile> range(Operand from, Operand to, detail::Here l = detail::Here::current()) const {
    detail::Recorder* r = live();
    const int in[] = {detail::node_i64(r, from, "range"), r->bad ? -1 : detail::node_i64(r, to, "range")};
    for (int i = 0; i < 2 && !r->bad; ++i)
      if (r->node(in[i]).rank != 0)
        r->fail(l.line()) << "range: it goes from one number to another; this one has axis "
                          << r->axis_name(r->node(in[i]).axes[0]);
    if (r->bad) return {r, -1, dead()};
    const int region = r->enter(ir::Op::for_range, l.line(), nullptr, 0, l.column());
    ir::Node n;
    n.op = ir::Op::loop_index;
    n.type = DType::i64;
    return {r, region, Tile(r, r->push(n, l.line(), in, 2))};
  }
  /// In a `while`: turns as long as the condition, computed anew for each turn, holds.
  constexpr bool loop(Operand condition, detail::Here l = detail::Here::current()) const;
  /// In an `if`: effects where the condition, one value, holds.
  constexpr detail::Branch when(Operand condition) const {
    detail::Recorder* r = live();
    const int c = condition_node(condition, "when", "any() or all() of it, or where() for values");
    if (c < 0) return {r, -1};
    const std::uint64_t grid = r->meta[c].grid;
    const int region = r->enter(ir::Op::if_region, condition.line, &c, 1);
    r->open.back().condition = c;
    r->when_grid |= grid;
    return {r, region};
  }
  /// In an `if` directly after that of a `when`: effects where its condition does not hold.
  constexpr detail::Branch otherwise(detail::Here l = detail::Here::current()) const {
    detail::Recorder* r = live();
    if (r->bad) return {r, -1};
    const int branch = r->last_if;
    if (branch < 0) {
      r->fail(l.line()) << "otherwise: it follows directly after if (auto t = k.when(c)) { ... }";
      return {r, -1};
    }
    const int c = r->operand(branch, 0);
    return {r, r->enter(ir::Op::else_region, l.line(), &c, 1)};
  }
  /// Ends the program where the condition, one value, holds.
  constexpr void stop_if(Operand condition) const {
    const int c = condition_node(condition, "stop_if", "any() or all() of it");
    if (c >= 0) effect(ir::Op::stop_if, condition.line, &c, 1, 0);
  }

  // Values

  /// An extent, "K" or "K/32" (i64).
  template <name E>
  constexpr Tile extent(detail::Here l = detail::Here::current()) const {
    return extent(E.view(), l);
  }
  constexpr Tile extent(std::string_view e, detail::Here l = detail::Here::current()) const {
    detail::Recorder* r = live();
    if (r->bad) return dead();
    const int id = r->known_extent(e, l.line());
    return id < 0 ? dead() : Tile(r, r->leaf(ir::Op::extent, DType::i64, l.line(), id));
  }
  /// `value` over the axes of the blocks.
  template <ElementType T, class... B>
  constexpr Tile full(Operand value, const B&... blocks) const {
    const Operand over[] = {Operand(blocks, detail::Here{})..., Operand(0, detail::Here{})};
    return full(dtype_of<T>, value, over, sizeof...(B));
  }
  /// Zeros over the axes of the blocks.
  template <ElementType T, class... B>
  constexpr Tile zeros(const B&... blocks) const {
    const Operand over[] = {Operand(blocks, detail::Here{})..., Operand(0, detail::Here{})};
    return full(dtype_of<T>, std::is_same_v<T, bool> ? Operand(false, detail::Here{}) : Operand(0, detail::Here{}),
                over, sizeof...(B));
  }
  constexpr Tile full(DType type, Operand value, const Operand* blocks, int count) const {
    detail::Recorder* r = live();
    int x = detail::node_as(r, value, type, "full");
    if (x < 0) return dead();
    ir::Node n;
    n.op = ir::Op::broadcast;
    n.type = type;
    r->add_axes(n, x, value.line);
    for (int i = 0; i < count; ++i) {
      const int b = detail::node_of(r, blocks[i], "full");
      if (b < 0) return dead();
      r->add_axes(n, b, value.line);
    }
    if (n.rank != r->node(x).rank && !r->bad) x = r->push(n, value.line, &x, 1);
    return detail::result(r, x);
  }
  /// A number, a Dim or a scalar as a value: k.value(BM) * 2.
  constexpr Tile value(Operand v) const {
    detail::Recorder* r = live();
    return detail::result(r, detail::node_of(r, v));
  }
  /// The number of this program in the grid, row by row; of its group where the configuration groups programs.
  constexpr Tile linear_id(detail::Here l = detail::Here::current()) const {
    return id_of(ir::Op::linear_id, l.line());
  }
  constexpr Tile group_id(detail::Here l = detail::Here::current()) const { return id_of(ir::Op::group_id, l.line()); }
  /// The number of this program's piece along the grid block of axis E.
  template <name E>
  constexpr Tile block_id(detail::Here l = detail::Here::current()) const {
    return block_id(E.view(), l);
  }
  constexpr Tile block_id(std::string_view e, detail::Here l = detail::Here::current()) const {
    detail::Recorder* r = live();
    if (r->bad) return dead();
    for (int i = 0; i < r->axes.size(); ++i)
      if (r->axes[i].kind == ir::AxisKind::grid && r->axis_name(i) == e) {
        const int node = r->axes[i].node;
        ir::Node n;
        n.op = ir::Op::block_id;
        n.type = DType::i64;
        return {r, r->push(n, l.line(), &node, 1)};
      }
    r->fail(l.line()) << "block_id: no grid block runs over " << e;
    return dead();
  }

  // Arrays private to a program

  /// Scratch over the axes of the blocks, addressed by their positions, shared by the program's lanes.
  template <ElementType T, class... B>
  constexpr Array shared(const B&... blocks) const {
    return shared<T>(Placement{}, blocks...);
  }
  /// The same, aligned and swizzled: `k.shared<f16>({.alignment = 128, .swizzle = 64}, m, i)`.
  template <ElementType T, class... B>
  constexpr Array shared(Placement place, const B&... blocks) const {
    const Operand over[] = {Operand(blocks, detail::Here{})..., Operand(0, detail::Here{})};
    return scratch(ir::Effect::shared, dtype_of<T>, place, over, sizeof...(B));
  }
  /// Scratch in registers.
  template <ElementType T, class... B>
  constexpr Array registers(const B&... blocks) const {
    return registers<T>(Placement{}, blocks...);
  }
  template <ElementType T, class... B>
  constexpr Array registers(Placement place, const B&... blocks) const {
    const Operand over[] = {Operand(blocks, detail::Here{})..., Operand(0, detail::Here{})};
    return scratch(ir::Effect::registers, dtype_of<T>, place, over, sizeof...(B));
  }

  // Parameters of programs that are made by programs: before anything else is recorded

  /// An array parameter; its extents as in a signature, "M", "B+1", "K/32".
  constexpr Array argument(ir::Effect effect, DType type, std::string_view name,
                           std::initializer_list<std::string_view> extents) const {
    return argument(effect, type, name, extents.begin(), static_cast<int>(extents.size()));
  }
  constexpr Array argument(ir::Effect effect, DType type, std::string_view name, const std::string_view* extents,
                           int rank) const {
    detail::Recorder* r = live();
    if (!r->bad && r->nodes.size() != r->scalar_count)
      r->fail(0) << "argument " << name << ": parameters are declared before anything is recorded";
    if (!r->bad && effect != ir::Effect::in && effect != ir::Effect::out && effect != ir::Effect::inout)
      r->fail(0) << "argument " << name << ": its effect is in, out or inout";
    const int arg = r->bad ? -1 : detail::add_argument(*r, name, type, effect, {extents, rank});
    return Array({r, arg, generation_});
  }
  /// A scalar parameter.
  constexpr Tile scalar(DType type, std::string_view name) const {
    detail::Recorder* r = live();
    if (!r->bad && r->nodes.size() != r->scalar_count)
      r->fail(0) << "argument " << name << ": parameters are declared before anything is recorded";
    if (r->bad) return dead();
    ++r->scalar_count;
    const int arg = detail::add_argument(*r, name, type, ir::Effect::scalar, {nullptr, 0});
    return {r, r->leaf(ir::Op::scalar, type, r->kernel_line, arg)};
  }

  // Checks and print

  /// Refuses a call (or, over Dims, a configuration) where the condition does not hold.
  constexpr void expects(Operand condition, std::string_view why) const {
    const int c = condition_node(condition, "expects", "any() or all() of it");
    detail::Recorder* r = recorder_;
    if (c < 0) return;
    if (!r->meta[c].uniform) {
      r->fail(condition.line) << "expects: the condition must be known before the launch (extents, scalars and Dims "
                                 "only): for values use k.check";
      return;
    }
    effect(ir::Op::expects, condition.line, &c, 1, r->intern(why));
  }
  /// In checked mode and in the interpreter: an error where the condition does not hold in some lane.
  constexpr void check(Operand condition, std::string_view why) const {
    detail::Recorder* r = live();
    const int c = detail::node_of(r, condition, "check");
    if (c < 0 || !detail::check_kind(r, r->type(c), detail::Wants::boolean, "check", condition.line)) return;
    effect(ir::Op::check, condition.line, &c, 1, r->intern(why));
  }
  /// Prints the values in the format's braces, for each program that comes here.
  template <class... V>
  constexpr void print(detail::Format format, const V&... values) const {
    const Operand list[] = {Operand(values, detail::Here{})..., Operand(0, detail::Here{})};
    print(format, list, static_cast<int>(sizeof...(V)));
  }

  constexpr detail::Recorder* recorder() const { return recorder_; }

 private:
  constexpr detail::Recorder* live() const {
    detail::check_live(recorder_, generation_);
    return recorder_;
  }
  constexpr Tile dead() const { return {recorder_, -1}; }
  constexpr Block dead_block() const { return {recorder_, -1}; }

  constexpr int cut_node(const Operand& cut, std::string_view what) const {
    detail::Recorder* r = recorder_;
    if (r->bad) return -1;
    if (cut.kind == detail::LiteralKind::integer && (cut.negative || cut.bits == 0)) {
      r->fail(cut.line) << what << ": a tile size of " << static_cast<std::int64_t>(cut.bits) << ": it is 1 or more";
      return -1;
    }
    const int id = detail::node_i64(r, cut, what);
    if (id >= 0 && !r->meta[id].constant) {
      r->fail(cut.line) << what << ": a tile size is a number or a Dim (or made of them)";
      return -1;
    }
    return id;
  }
  constexpr int condition_node(const Operand& condition, std::string_view what, std::string_view mend) const {
    detail::Recorder* r = live();
    const int c = detail::node_of(r, condition, what);
    if (c < 0 || !detail::check_kind(r, r->type(c), detail::Wants::boolean, what, condition.line)) return -1;
    if (r->node(c).rank != 0) {
      detail::Text& t = r->fail(condition.line) << what << ": the condition has axes";
      for (int i = 0; i < r->node(c).rank; ++i) t << (i != 0 ? ", " : " ") << r->axis_name(r->node(c).axes[i]);
      t << ": " << mend;
      return -1;
    }
    return c;
  }
  constexpr void effect(ir::Op op, std::uint32_t line, const int* in, int count, std::int64_t imm) const {
    ir::Node n;
    n.op = op;
    n.imm = imm;
    recorder_->push(n, line, in, count);
  }
  /// A block node with an axis of its own.
  constexpr Block define(ir::Op op, ir::AxisKind kind, int name, int extent, const int* in, int count,
                         std::uint32_t line) const {
    detail::Recorder* r = recorder_;
    ir::Axis a;
    a.name = name;
    a.extent = extent;
    a.kind = kind;
    a.node = r->nodes.size();
    detail::AxisMeta m;
    m.cut = count > 0 ? in[0] : -1;
    ir::Node n;
    n.op = op;
    n.type = DType::i64;
    n.rank = 1;
    n.axes[0] = static_cast<std::uint8_t>(r->make_axis(a, m, line));
    return r->bad ? dead_block() : Block(r, r->push(n, line, in, count));
  }
  constexpr bool grid_allowed(std::uint32_t line) const {
    detail::Recorder* r = recorder_;
    if (r->bad) return false;
    if (!r->open.empty())
      r->fail(line)
          << "the grid is spanned at the top level, not inside a loop or branch: use k.blocks, k.range or k.span";
    else if (r->grid_count == 64)
      r->fail(line) << "a grid has at most 64 axes";
    return !r->bad;
  }
  constexpr void join_grid(int id) const { recorder_->meta[id].grid |= std::uint64_t{1} << recorder_->grid_count++; }
  constexpr Tile grid_index(int count, std::uint32_t line) const {
    detail::Recorder* r = recorder_;
    if (!grid_allowed(line)) return dead();
    if (!r->meta[count].uniform) {
      r->fail(line) << "index: the grid must be known before the launch (extents and scalars only)";
      return dead();
    }
    ir::Node n;
    n.op = ir::Op::grid_index;
    n.type = DType::i64;
    const int id = r->push(n, line, &count, 1);
    join_grid(id);
    return {r, id};
  }
  constexpr Block grid_block(std::string_view e, const Operand& cut, const Operand* from, const Operand* to,
                             const Operand* longest) const {
    detail::Recorder* r = live();
    if (!grid_allowed(cut.line)) return dead_block();
    const int extent = r->known_extent(e, cut.line);
    if (extent < 0) return dead_block();
    int in[4] = {cut_node(cut, "block")};
    int count = 1;
    if (from != nullptr) {
      in[count++] = detail::node_i64(r, *from, "block");
      in[count++] = detail::node_i64(r, *to, "block");
      in[count++] = detail::node_i64(r, *longest, "block");
    }
    if (r->bad) return dead_block();
    for (int i = 1; i < 3 && count == 4; ++i)
      if (r->node(in[i]).rank != 0)
        r->fail(cut.line) << "block: the range is from one number to another; this one has axis "
                          << r->axis_name(r->node(in[i]).axes[0]);
    if (count == 4 && !r->bad && !r->meta[in[3]].uniform)
      r->fail(cut.line) << "block: the longest range must be known before the launch (extents and scalars only)";
    if (r->bad) return dead_block();
    const Block b = define(ir::Op::grid_block, ir::AxisKind::grid, r->intern(e), extent, in, count, cut.line);
    if (!r->bad) join_grid(b.id());
    return b;
  }
  constexpr Block lane_block(ir::Op op, ir::AxisKind kind, std::string_view e, const Operand& count,
                             std::string_view what) const {
    detail::Recorder* r = live();
    const int cut = cut_node(count, what);
    if (cut < 0) return dead_block();
    const int name = r->intern(e);
    for (int i = 0; i < r->axes.size(); ++i)
      if (r->axes[i].kind == kind && r->axes[i].name == name && r->node(r->axes[i].node).op == op &&
          r->same_cut(r->axis_meta[i].cut, cut) && r->usable_region(r->axes[i].node))
        return {r, r->axes[i].node};
    return define(op, kind, name, -1, &cut, 1, count.line);
  }
  constexpr detail::Loop<Block> loop_blocks(std::string_view e, const Operand& cut, const Operand* from,
                                            const Operand* to, detail::Here l) const {
    detail::Recorder* r = live();
    if (r->bad) return {r, -1, dead_block()};
    const int extent = r->known_extent(e, l.line());
    if (extent < 0) return {r, -1, dead_block()};
    int in[3] = {cut_node(cut, "blocks")};
    int count = 1;
    if (from != nullptr) {
      in[count++] = detail::node_i64(r, *from, "blocks");
      in[count++] = detail::node_i64(r, *to, "blocks");
    }
    for (int i = 1; i < count && !r->bad; ++i)
      if (r->node(in[i]).rank != 0)
        r->fail(l.line()) << "blocks: the range is from one number to another; this one has axis "
                          << r->axis_name(r->node(in[i]).axes[0]);
    if (r->bad) return {r, -1, dead_block()};
    const int region = r->enter(ir::Op::for_blocks, l.line(), nullptr, 0, l.column());
    return {r, region, define(ir::Op::loop_block, ir::AxisKind::loop, r->intern(e), extent, in, count, l.line())};
  }
  constexpr Tile id_of(ir::Op op, std::uint32_t line) const {
    detail::Recorder* r = live();
    if (r->bad) return dead();
    const int id = r->leaf(op, DType::i64, line);
    r->meta[id].grid = op == ir::Op::linear_id ? ~std::uint64_t{0} : 0;
    return {r, id};
  }
  constexpr Array scratch(ir::Effect effect, DType type, Placement place, const Operand* blocks, int count) const {
    detail::Recorder* r = live();
    const std::string_view what = effect == ir::Effect::shared ? "shared" : "registers";
    ir::Arg a;
    a.name = r->intern(what);
    a.type = type;
    a.effect = effect;
    a.rank = static_cast<std::uint8_t>(count);
    a.first_extent = r->arg_extents.size();
    a.place = place;
    if (count > ir::max_rank) r->fail(0) << what << ": at most " << ir::max_rank << " axes";
    if (!place.valid_alignment())
      r->fail(0) << what << ": an alignment is a power of two up to 4096 bytes, not " << place.alignment;
    if (!place.valid_swizzle()) r->fail(0) << what << ": a swizzle is 0, 32, 64 or 128 bytes, not " << place.swizzle;
    for (int i = 0; i < count && !r->bad; ++i) {
      const int b = detail::node_of(r, blocks[i], what);
      if (b < 0) break;
      if (!r->is_block(b) || r->axes[r->node(b).axes[0]].extent < 0) {
        r->fail(0) << what << ": its axes are given by blocks that run over extents, not by lanes or values";
        break;
      }
      r->arg_extents.push(r->axes[r->node(b).axes[0]].extent);
    }
    r->written.push(true);
    r->stored.push(false);
    return Array({r, r->args.push(a), generation_});
  }
  constexpr void print(const detail::Format& format, const Operand* values, int count) const {
    detail::Recorder* r = live();
    if (r->bad) return;
    int braces = 0;
    for (std::size_t i = 0; i + 1 < format.text.size(); ++i)
      if (format.text[i] == '{' && format.text[i + 1] == '}') ++braces;
    if (braces != count) {
      r->fail(format.line) << "print: the format has " << braces << " {} for " << count
                           << (count == 1 ? " value" : " values");
      return;
    }
    if (count > 16) {
      r->fail(format.line) << "print: at most 16 values";
      return;
    }
    int in[16] = {};
    for (int i = 0; i < count; ++i) {
      Operand v = values[i];
      if (v.line == 0) v.line = format.line;
      in[i] = detail::node_of(r, v, "print");
    }
    if (!r->bad) effect(ir::Op::print, format.line, in, count, r->intern(format.text));
  }

  detail::Recorder* recorder_;
  unsigned generation_;
};

constexpr bool Kernel::loop(Operand condition, detail::Here l) const {
  detail::Recorder* r = live();
  const int c = condition_node(condition, "loop", "any() or all() of it");
  if (c < 0) return false;
  // C++ evaluates the condition before the first turn and again after the body. The second time is the first time that
  // the condition stands inside the loop, and ends its recording.
  if (!r->open.empty()) {
    const detail::Region& top = r->open.back();
    if (top.kind == ir::Op::while_loop && top.line == l.line() && top.column == l.column() &&
        top.function == l.function_name()) {
      const int id = top.id;
      detail::place_condition(r, top.node, top.condition, c, l.line());
      r->leave(id);
      return false;
    }
  }
  r->enter(ir::Op::while_loop, l.line(), nullptr, 0, l.column(), l.function_name());
  r->open.back().condition = c;
  return !r->bad;
}

TESSERA_END
