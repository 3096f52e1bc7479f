// Owns adding into memory where programs of the grid may meet: which of them run in order, copies of small arrays that
// threads add into, atomic additions; and named atomics, one operation a lane.
#include <algorithm>

#include "targets/cpu/plan/planner.hpp"
#include "tessera/call/errors.hpp"

TESSERA_BEGIN
namespace cpu {

namespace {

constexpr std::int64_t copied_bytes = 256 << 10;  ///< an array up to this size may have copies
constexpr std::int64_t spread_bytes = 64 << 10;   ///< all copies of one thread, where neighbours take turns
constexpr std::int64_t copies_in_turn = 4;        ///< so many additions to one element may be under way at a time
constexpr int threads_for_atomics = 8;            ///< fewer gain less by running together than atomics cost

}  // namespace

/// Whether programs that differ along a dimension of the grid touch different elements with this node: an index is the
/// dimension's own block or number.
bool Planner::separates(int node, int grid_node) const {
  const Node &n = program_.node(node), &g = program_.node(grid_node);
  if (g.op == Op::grid_block && g.count == 4) return false;  // ragged blocks of different rows may meet
  const ir::Arg& a = program_.args[static_cast<std::size_t>(n.imm & 0xffffffff)];
  for (int d = 0; d < a.rank; ++d)
    if (program_.operand(n, d) == grid_node) return true;
  return false;
}

/// How many elements an array has, where its extents are known.
std::optional<std::int64_t> Planner::known_elements(int arg) const {
  const ir::Arg& a = program_.args[static_cast<std::size_t>(arg)];
  std::int64_t elements = 1;
  for (int d = 0; d < a.rank; ++d) {
    const auto size = known_.words[layout_.extent_word(
        static_cast<std::size_t>(program_.arg_extents[static_cast<std::size_t>(a.first_extent + d)]))];
    if (!size || __builtin_mul_overflow(elements, *size, &elements)) return {};
  }
  return elements;
}

/// Chooses how programs that add into one array, or do atomics, get along.
void Planner::plan_sharing() {
  sharing_.assign(program_.args.size(), {});
  std::vector<int> grid, adds;
  bool atomics = false;
  for (int i = 0; i < static_cast<int>(program_.nodes.size()); ++i) {
    const Op op = program_.node(i).op;
    if (op == Op::grid_block || op == Op::grid_index) grid.push_back(i);
    if (op == Op::accumulate || op == Op::atomic) adds.push_back(i);
    atomics |= op == Op::atomic;
  }
  parallel_dims_.assign(grid.size(), true);
  const auto arg_of = [&](int node) { return static_cast<std::size_t>(program_.node(node).imm & 0xffffffff); };
  std::vector<bool> apart(grid.size(), true), meets(program_.args.size(), false);
  for (int node : adds)
    for (std::size_t d = 0; d < grid.size(); ++d)
      if (!separates(node, grid[d])) apart[d] = false, meets[arg_of(node)] = true;
  const bool meet = std::find(apart.begin(), apart.end(), false) != apart.end();

  // Arrays that may have copies: nothing but += touches them, and they are small beside the work.
  std::int64_t work = 1;
  for (std::size_t i = 0; i < program_.args.size(); ++i)
    if (call::is_parameter(program_.args[i]) && call::is_array(program_.args[i]))
      work = std::max(work, known_elements(static_cast<int>(i)).value_or(0));
  const auto may_copy = [&](std::size_t arg) {
    const ir::Arg& a = program_.args[arg];
    const auto elements = known_elements(static_cast<int>(arg));
    if (!elements || *elements == 0 || info(a.type).bits < 8) return false;
    if (a.type == DType::e8m0) return false;  // it has no zero for a copy to begin with
    if (*elements * info(a.type).bits / 8 > copied_bytes || *elements * 4 > work) return false;
    for (const Node& n : program_.nodes)
      if ((n.op == Op::load || n.op == Op::atomic || n.op == Op::store) &&
          static_cast<std::size_t>(n.imm & 0xffffffff) == arg)
        return false;
    return true;
  };
  const auto copy = [&](std::size_t arg) {
    Sharing& s = sharing_[arg];
    s.kind = Sharing::Kind::copies;
    const std::int64_t elements = *known_elements(static_cast<int>(arg)),
                       bytes = info(program_.args[arg].type).bits / 8;
    s.pitch = (elements + 1 + 15) / 16 * 16;
    s.copies = s.pitch * bytes * copies_in_turn <= spread_bytes ? copies_in_turn : 1;
  };
  bool some = false, all_copied = true, floats = false, whole = true;
  for (std::size_t i = 0; i < program_.args.size(); ++i) {
    if (!meets[i]) continue;
    some = true;
    all_copied &= may_copy(i);
    floats |= info(program_.args[i].type).is_floating();
    whole &= info(program_.args[i].type).bits >= 8;
  }
  if (!meet) return;

  // Dimensions along which programs never meet: those run on threads, and the others in order within them.
  std::int64_t groups = 1;
  bool any_apart = false;
  for (std::size_t d = 0; d < grid.size(); ++d) {
    if (!apart[d]) continue;
    any_apart = true;
    const Node& g = program_.node(grid[d]);
    const int size = program_.operand(g, 0);
    std::int64_t count = 64;
    if (g.op == Op::grid_block) {
      const auto extent = known_.words[layout_.extent_word(static_cast<std::size_t>(program_.axes[g.axes[0]].extent))];
      const Node& cut = program_.node(size);
      const std::int64_t by = cut.op == Op::tunable   ? known_.cuts[static_cast<std::size_t>(cut.imm)]
                              : cut.op == Op::literal ? cut.imm
                                                      : 1;
      if (extent && by > 0) count = *extent / by + (*extent % by != 0);
    }
    groups = std::min<std::int64_t>(groups, 1 << 20) * std::clamp<std::int64_t>(count, 1, 1 << 20);
  }
  const auto in_order = [&] {
    if (any_apart && machine_.threads > 1)
      parallel_dims_ = apart;
    else
      serial_ = true;
  };
  const bool free_order = !(machine_.ordered() && (floats || atomics));
  // Copies also serve one thread: additions to one element need not wait for each other.
  const auto with_copies = [&] {
    for (std::size_t i = 0; i < program_.args.size(); ++i)
      if (meets[i]) copy(i);
    serial_ = machine_.threads == 1;
  };
  const auto with_atomics = [&] {
    for (std::size_t i = 0; i < program_.args.size(); ++i)
      if (meets[i]) sharing_[i].kind = Sharing::Kind::atomics;
    serial_ = machine_.threads == 1;
  };
  switch (machine_.adding) {
    case Adding::in_order:
      return in_order();
    case Adding::copies:
      return all_copied && free_order && some ? with_copies() : in_order();
    case Adding::atomics:
      return whole && free_order ? with_atomics() : in_order();
    default:
      break;
  }
  if (!free_order || (any_apart && groups >= 2 * machine_.threads && machine_.threads > 1)) return in_order();
  if (some && all_copied) return with_copies();
  if (whole && machine_.threads >= threads_for_atomics) return with_atomics();
  in_order();
}

/// Whether no axis of a += surely takes its lanes to different elements.
bool Planner::all_lanes_collide(int store) {
  const Node& n = program_.node(store);
  for (int i = 0; i < n.rank; ++i)
    if (axis_[n.axes[i]].max_known > 1 && !collides_along(store, n.axes[i])) return false;
  return true;
}

void Planner::start_copies() {
  for (std::size_t i = 0; i < program_.args.size(); ++i) {
    Sharing& s = sharing_[i];
    if (s.kind != Sharing::Kind::copies) continue;
    const ir::Arg& a = program_.args[i];
    s.strides.assign(static_cast<std::size_t>(a.rank), -1);
    s.size = i64(1);
    for (int d = a.rank; d-- > 0;) {
      s.strides[static_cast<std::size_t>(d)] = s.size;
      s.size = b_->mul(s.size, extent(program_.arg_extents[static_cast<std::size_t>(a.first_extent + d)]));
    }
    s.buffer = scratch(a.type, i64(s.copies * s.pitch));
    b_->fill(s.buffer, i64(0), i64(s.copies * s.pitch), b_->constant({a.type, 1, -1}, 0));
  }
}

/// Adds the sum of the copies to the array; elements to which nothing was added are left alone.
void Planner::add_up_copies() {
  for (std::size_t i = 0; i < program_.args.size(); ++i) {
    const Sharing& s = sharing_[i];
    if (s.kind != Sharing::Kind::copies) continue;
    const ir::Arg& a = program_.args[i];
    const int arg = static_cast<int>(i), buffer = arg_buffer(arg);
    const DType r = repr(a.type);
    const auto scope = static_cast<int>(serial_ ? loop::Scope::thread : loop::Scope::device);
    const std::function<void(int, Value, Value)> add_up = [&](int d, Value from, Value to) {
      if (d < a.rank) {
        const Value size = extent(program_.arg_extents[static_cast<std::size_t>(a.first_extent + d)]);
        b_->for_loop(i64(0), size, i64(1), [&](Value k) {
          add_up(d + 1, b_->add(from, b_->mul(k, s.strides[static_cast<std::size_t>(d)])),
                 b_->add(to, b_->mul(k, stride(arg, d))));
        });
        return;
      }
      Value sum = -1;
      for (std::int64_t c = 0; c < s.copies; ++c) {
        const Value x = b_->cast(b_->load(s.buffer, b_->add(from, i64(c * s.pitch)), {a.type, 1, -1}), r);
        sum = sum < 0 ? x : round_to(b_->add(sum, x), a.type);
      }
      b_->if_then(b_->compare(loop::Op::ne, sum, b_->constant({r, 1, -1}, 0)),
                  [&] { b_->atomic(buffer, to, narrow(sum, a.type), static_cast<int>(ir::AtomicKind::add), scope); });
    };
    add_up(0, i64(0), i64(0));
  }
}

/// Where the element of a += stands in a copy, in i32, and whether it exists (`inside`, −1: always).
Value Planner::place_in_copy(const Node& n, Env& env, Value& inside) {
  const int arg = static_cast<int>(n.imm & 0xffffffff);
  const ir::Arg& a = program_.args[static_cast<std::size_t>(arg)];
  const Sharing& s = sharing_[static_cast<std::size_t>(arg)];
  Value place = b_->constant({DType::i32, static_cast<std::uint16_t>(env.width), -1}, 0);
  inside = -1;
  for (int d = 0; d < a.rank; ++d) {
    const int id = program_.operand(n, d);
    const Node& in = program_.node(id);
    const Value size = extent(program_.arg_extents[static_cast<std::size_t>(a.first_extent + d)]);
    const bool narrow = info(in.type).bits <= 32;
    const Val index = cast_value(eval(id, env), in.type, DType::i64, 0, env);
    const bool checked = !bare_over(in, arg, d) && (index.lo < 0 || index.hi >= known_or(size, 0));
    if (checked && !narrow) inside = both(inside, in_range(index, i64(0), size, true, true, env));
    // What a 32-bit index is in i32 is below the size, compared without a sign, exactly where the index is inside: a
    // copy is far smaller than 2^31.
    const Val short_index = narrow ? cast_value(eval(id, env), in.type, DType::i32, 0, env)
                                   : cast_value(index, DType::i64, DType::i32, 0, env);
    const Value v = b_->broadcast(machine(short_index, env, is_vector(short_index)), env.width);
    if (checked && narrow)
      inside = both(inside, b_->compare(loop::Op::lt, b_->cast(v, DType::u32),
                                        b_->broadcast(b_->cast(size, DType::u32), env.width)));
    const Value by = b_->cast(s.strides[static_cast<std::size_t>(d)], DType::i32);
    place = b_->add(place, b_->mul(v, b_->broadcast(by, env.width)));
  }
  return place;
}

/// x(i(n)) += v(n): indices and values are made as vectors, and added one by one, into several copies in turn where
/// there are some. What has no place in the array goes to the copy's last element.
void Planner::add_lanes(const Target& target) {
  const Node& n = program_.node(target.store);
  const int arg = static_cast<int>(n.imm & 0xffffffff);
  const ir::Arg& a = program_.args[static_cast<std::size_t>(arg)];
  const Sharing& s = sharing_[static_cast<std::size_t>(arg)];
  const bool copied = s.kind == Sharing::Kind::copies;
  const int buffer = copied ? s.buffer : arg_buffer(arg), value = target.root;
  const DType r = repr(a.type);
  int index = program_.operand(n, 0);
  for (int d = 0; d < a.rank; ++d)
    if (program_.node(program_.operand(n, d)).rank > program_.node(index).rank) index = program_.operand(n, d);
  const Target probe{nullptr, -1, target.axes, index, program_.node(index).type};
  const bool in_order = adds_in_order(target.store);
  const int axis = choose_vector_axis(in_order ? std::vector{target.axes.back()} : target.axes, {}, probe);
  const int width = axis < 0 ? 1 : std::clamp(vector_width(probe), 1, machine_.lanes(4));
  const DType place_type = copied ? DType::i32 : DType::i64;
  const int places = width > 1 ? scratch(place_type, i64(width)) : -1, values = width > 1 ? scratch(r, i64(width)) : -1;
  const std::vector<int> order = with_last(target.axes, width > 1 ? axis : -1);
  Env env = top_;
  env.width = width;
  env.mask_tail = masks_rests(probe);
  scoped([&] {
    loops(env, order, width > 1 ? axis : -1, width, 1, roots_of(target), [&](std::span<Env> envs) {
      Env& e = envs[0];
      Value mask;
      Value place = copied ? place_in_copy(n, e, mask) : machine(offset_of(n, e, mask), e, e.width > 1);
      mask = both(both(e.guard, mask), there(target.store, e));
      if (n.flags & ir::flag_masked) mask = both(mask, machine(eval(program_.operand(n, n.count - 1), e), e, false));
      if (e.width > 1) mask = both(mask, e.tail);
      const Val x = cast_value(eval(value, e), program_.node(value).type, a.type, 0, e);
      if (copied && mask >= 0) place = b_->select(mask, place, b_->broadcast(b_->cast(s.size, DType::i32), e.width));
      if (e.width > 1) b_->store(places, i64(0), place);
      const bool many = e.width > 1 && is_vector(x);
      if (many) b_->store(values, i64(0), machine(x, e, true));
      for (int l = 0; l < e.width; ++l) {
        Value to = place, term = many ? b_->load(values, i64(l), {r, 1, -1}) : machine(x, e, false);
        if (e.width > 1) to = b_->load(places, i64(l), {place_type, 1, -1});
        to = b_->cast(to, DType::i64);
        if (copied) to = b_->add(to, i64(l % s.copies * s.pitch));
        const auto add_one = [&] {
          const Value old = b_->cast(b_->load(buffer, to, {a.type, 1, -1}), r);
          b_->store(buffer, to, narrow(round_to(wrap_to(b_->add(old, term), a.type), a.type), a.type));
        };
        if (copied || mask < 0)
          add_one();
        else
          b_->if_then(b_->lanes(mask) > 1 ? b_->extract(mask, l) : mask, add_one);
      }
    });
  });
}

/// One atomic addition a lane.
void Planner::add_atomically(int arg, const Val& offset, Value value, Value mask, Env& env) {
  const ir::Arg& a = program_.args[static_cast<std::size_t>(arg)];
  const int buffer = arg_buffer(arg);
  const Value to = machine(offset, env, env.width > 1);
  if (env.width > 1) mask = both(mask, env.tail);
  for (int l = 0; l < env.width; ++l) {
    const auto pick = [&](Value v) { return b_->lanes(v) > 1 ? b_->extract(v, l) : v; };
    const auto add_one = [&] {
      b_->atomic(buffer, pick(to), narrow(pick(value), a.type), static_cast<int>(ir::AtomicKind::add),
                 static_cast<int>(serial_ ? loop::Scope::thread : loop::Scope::device));
    };
    if (mask < 0)
      add_one();
    else
      b_->if_then(pick(mask), add_one);
  }
}

/// What an atomic does to an element of fewer than 8 bits, and what that was. Programs that may touch the same ones run
/// in order (plan_sharing), so it is not atomic.
Value Planner::atomic_in_order(ir::AtomicKind kind, int buffer, DType type, Value offset, Value x, Value expected) {
  using L = loop::Op;
  using Kind = ir::AtomicKind;
  const DType r = repr(type);
  const Value stored = b_->load(buffer, offset, {type, 1, -1});
  const Value old = b_->cast(stored, r), with = b_->cast(x, r);
  Value next = with;
  switch (kind) {
    case Kind::add:
      next = round_to(wrap_to(b_->add(old, with), type), type);
      break;
    case Kind::min:
      next = b_->min(old, with);
      break;
    case Kind::max:
      next = b_->max(old, with);
      break;
    case Kind::bit_and:
      next = b_->binary(L::bit_and, old, with);
      break;
    case Kind::bit_or:
      next = b_->binary(L::bit_or, old, with);
      break;
    case Kind::bit_xor:
      next = b_->binary(L::bit_xor, old, with);
      break;
    case Kind::compare_exchange: {  // by bits: zeros of both signs differ
      const auto bits = [&](Value v) { return info(r).is_floating() ? b_->bitcast(v, DType::i32) : v; };
      next = b_->select(b_->compare(L::eq, bits(old), bits(b_->cast(expected, r))), with, old);
      break;
    }
    case Kind::exchange:
      break;
  }
  b_->store(buffer, offset, narrow(next, type));
  return stored;
}

void Planner::atomic_node(int id) {
  const Node& n = program_.node(id);
  const int arg = static_cast<int>(n.imm & 0xffffffff);
  const auto kind = static_cast<ir::AtomicKind>(n.imm >> 32);
  const ir::Arg& a = program_.args[static_cast<std::size_t>(arg)];
  const bool exchange = kind == ir::AtomicKind::compare_exchange, masked = (n.flags & ir::flag_masked) != 0;
  const int value = program_.operand(n, a.rank), expected = exchange ? program_.operand(n, a.rank + 1) : -1;
  const std::vector<int> axes(n.axes, n.axes + n.rank);
  bool used = false;
  for (int u : analysis_.users[static_cast<std::size_t>(id)])
    used |= analysis_.form[static_cast<std::size_t>(u)] != Form::dead;
  std::optional<Slot> old_values;
  if (used) old_values = slot_for(id);
  const std::vector<int> roots(program_.operands_of(n).begin(), program_.operands_of(n).end());
  const int buffer = arg_buffer(arg);
  const loop::Type type{a.type, 1, -1};
  scoped([&] {
    loops(top_, axes, -1, 1, 1, roots, [&](std::span<Env> envs) {
      Env& e = envs[0];
      Value mask;
      const Value offset = scalar(offset_of(n, e, mask));
      mask = both(mask, there(id, e));
      for (int k = a.rank; k < n.count; ++k) mask = both(mask, present(program_.operand(n, k), e));
      if (masked) mask = both(mask, machine(eval(program_.operand(n, n.count - 1), e), e, false));
      const auto element = [&](int node) {
        const Val v = cast_value(eval(node, e), program_.node(node).type, a.type, 0, e);
        return b_->cast(machine(v, e, false), a.type);
      };
      const Value x = element(value), y = exchange ? element(expected) : -1;
      const auto act = [&] {
        const int scope = static_cast<int>(serial_ ? loop::Scope::thread : loop::Scope::device);
        if (info(a.type).bits < 8) return std::vector<Value>{atomic_in_order(kind, buffer, a.type, offset, x, y)};
        if (!exchange) return std::vector<Value>{b_->atomic(buffer, offset, x, static_cast<int>(kind), scope)};
        return b_->append({loop::Op::compare_exchange, buffer, 0, {}, {offset, y, x}, {}, {}, {}}, {type});
      };
      const auto nothing = [&] { return std::vector<Value>{b_->constant(type, 0)}; };
      const Value old = mask < 0 ? act()[0] : b_->if_else(mask, act, nothing)[0];
      if (!old_values) return;
      const Target target{&*old_values, -1, axes, -1, a.type};
      write_value(target, e, wrap(repr(a.type) == a.type ? old : b_->cast(old, repr(a.type))), a.type);
    });
  });
  if (old_values) slots_[static_cast<std::size_t>(id)] = old_values;
}

}  // namespace cpu
TESSERA_END
