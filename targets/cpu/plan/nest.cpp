// Owns loop nests: the loops over a job's axes, whole vectors and their rests, and the choice of the vector axis.
#include <algorithm>

#include "targets/cpu/plan/planner.hpp"
#include "tessera/call/errors.hpp"

TESSERA_BEGIN
namespace cpu {

std::vector<int> with_last(const std::vector<int>& axes, int last) {
  std::vector<int> order;
  for (int a : axes)
    if (a != last) order.push_back(a);
  if (last >= 0) order.push_back(last);
  return order;
}

Env Planner::bind(const Env& env, int axis, Value lane, int step) const {
  Env e = env;
  const AxisState& a = axis_[static_cast<std::size_t>(axis)];
  e.lane[static_cast<std::size_t>(axis)] =
      affine(lane, step, 0, a.max_known == INT64_MAX ? INT64_MAX : a.max_known - 1);
  return e;
}

Env Planner::bind_vector(const Env& env, int axis, Value lane, int width) const {
  Env e = bind(env, axis, lane, width > 1 ? 1 : 0);
  e.width = width;
  return e;
}

Env Planner::bind_part(const Env& env, int axis, Value lane, int width, Value count) {
  Env e = bind_vector(env, axis, lane, width);
  const Value lanes = b_->broadcast(b_->cast(count, DType::i32), width);
  e.tail = b_->compare(loop::Op::lt, b_->iota(DType::i32, width), lanes);
  return e;
}

void Planner::for_each_fused(int id, const std::function<void(int)>& f) {
  std::vector<bool> seen(program_.nodes.size());
  std::vector<int> work{id};
  while (!work.empty()) {
    const int k = work.back();
    work.pop_back();
    if (k < 0 || seen[static_cast<std::size_t>(k)]) continue;
    seen[static_cast<std::size_t>(k)] = true;
    f(k);
    const Form form = analysis_.form[static_cast<std::size_t>(k)];
    const bool root = k == id;
    if (!root && form != Form::point && form != Form::core) continue;
    if (slots_[static_cast<std::size_t>(k)] && k != filling_) continue;  // it is read, as eval() does
    for (std::int32_t o : program_.operands_of(program_.node(k))) work.push_back(o);
  }
}

/// Reads outside a loop what the loop does not change: every largest fused value all of whose axes are bound.
void Planner::hoist(Env& env, int root) {
  std::vector<bool> seen(program_.nodes.size());
  const auto bound = [&](int axis) {
    return env.lane[static_cast<std::size_t>(axis)].base >= 0 || env.lane[static_cast<std::size_t>(axis)].v >= 0;
  };
  const std::function<void(int)> visit = [&](int id) {
    if (seen[static_cast<std::size_t>(id)]) return;
    seen[static_cast<std::size_t>(id)] = true;
    const Node& n = program_.node(id);
    const Form form = analysis_.form[static_cast<std::size_t>(id)];
    if (form == Form::scalar || form == Form::dead || form == Form::effect) return;
    bool all = true;
    for (int i = 0; i < n.rank; ++i) all &= bound(n.axes[i]);
    const bool kept = slots_[static_cast<std::size_t>(id)].has_value();
    bool waits = false;  // for a reduction that is computed inside this nest
    for_each_fused(id, [&](int k) {
      waits |= analysis_.form[static_cast<std::size_t>(k)] == Form::core || program_.node(k).op == Op::param;
    });
    if (all && !waits) {
      if (kept || n.op == Op::load || n.op == Op::get || (form == Form::point && analysis_.cost(id) > 0)) eval(id, env);
      return;
    }
    if (kept || n.op == Op::at || n.op == Op::rename || n.op == Op::split || n.op == Op::merge || n.op == Op::join)
      return;
    for (std::int32_t o : program_.operands_of(n)) visit(o);
  };
  const Node& n = program_.node(root);
  if (slots_[static_cast<std::size_t>(root)] && n.op != Op::var) return;
  if (analysis_.form[static_cast<std::size_t>(root)] == Form::point) return visit(root);
  for (std::int32_t o : program_.operands_of(n)) visit(o);
}

void Planner::loops(Env env, std::span<const int> axes, int vector_axis, int width, int chunks,
                    const std::vector<int>& roots, const Body& body) {
  for (int r : roots) hoist(env, r);
  if (axes.empty()) return body({&env, 1});
  const int axis = axes.front();
  if (axis == vector_axis && width > 1) {
    const AxisState& a = axis_[static_cast<std::size_t>(axis)];
    return vector_loop(
        env, axis, a.lo, a.hi, width, chunks,
        [&](std::span<Env> envs) {
          if (axes.size() > 1) throw InternalError("planning: the vector axis is the innermost of its loops");
          body(envs);
        },
        roots);
  }
  const AxisState& a = axis_[static_cast<std::size_t>(axis)];
  b_->for_loop(a.lo, a.hi, i64(1), [&](Value lane) {
    scoped([&] { loops(bind(env, axis, lane), axes.subspan(1), vector_axis, width, chunks, roots, body); });
  });
}

/// Lanes [lo, hi) of an axis, by `chunks` vectors at a time, then one by one, then the rest.
void Planner::vector_loop(const Env& env, int axis, Value lo, Value hi, int width, int chunks, const Body& body,
                          const std::vector<int>& roots) {
  Value from = lo;
  if (streamed_) {
    const Value lead = b_->min(lanes_to_alignment(*streamed_, env, axis), b_->max(b_->sub(hi, lo), i64(0)));
    b_->if_then(b_->compare(loop::Op::gt, lead, i64(0)), [&] {
      scoped([&] {
        Env e = bind_part(env, axis, from, width, lead);
        body({&e, 1});
      });
    });
    from = b_->add(from, lead);
  }
  const Value start = from, count = b_->max(b_->sub(hi, start), i64(0));
  const auto whole = [&](Value n, std::int64_t step) { return b_->round_down(b_->max(n, i64(0)), step); };
  const auto run = [&](Value to, int group, int interior) {
    b_->for_loop(from, to, i64(static_cast<std::int64_t>(group) * width), [&](Value lane) {
      scoped([&] {
        std::vector<Env> envs;
        for (int g = 0; g < group; ++g) {
          envs.push_back(bind_vector(env, axis, b_->add(lane, i64(static_cast<std::int64_t>(g) * width)), width));
          envs.back().past_caches = streamed_ != nullptr;
          envs.back().interior = interior;
        }
        body(envs);
      });
    });
    from = to;
  };
  if (const auto [first, end] = interior_of(env, axis, roots); first >= 0) {
    // Vectors at which some index may be outside, those in the middle, which need no checks, and again some to check.
    const Value all = b_->add(start, whole(count, width));
    run(b_->min(all, b_->add(start, whole(b_->add(b_->sub(first, start), i64(width - 1)), width))), 1, -1);
    run(b_->add(from, whole(b_->sub(b_->min(end, all), from), width)), 1, axis);
    run(all, 1, -1);
  } else {
    for (int group : {chunks, 1}) {
      run(b_->add(start, whole(count, static_cast<std::int64_t>(group) * width)), group, -1);
      if (chunks == 1) break;
    }
  }
  if (b_->known(from) && b_->known(hi) && *b_->known(from) >= *b_->known(hi)) return;
  if (!env.mask_tail) {
    b_->for_loop(from, hi, i64(1), [&](Value lane) {
      scoped([&] {
        Env e = bind_vector(env, axis, lane, 1);
        body({&e, 1});
      });
    });
    return;
  }
  b_->if_then(b_->compare(loop::Op::lt, from, hi), [&] {
    scoped([&] {
      Env e = bind_part(env, axis, from, width, b_->sub(hi, from));
      body({&e, 1});
    });
  });
}

/// Whether a node is an index that steps by 1 with an axis, and by no other lane.
bool Planner::steps_with(int index, int axis) const {
  std::vector<std::int64_t> steps(program_.axes.size(), 0);
  steps[static_cast<std::size_t>(axis)] = 1;
  return program_.has_axis(program_.node(index), axis) && step_of(index, steps) == 1;
}

/// The lanes of an axis at which every index of the roots' loads and `at`s that steps with it, and that may leave its
/// array or tile, is inside; {−1, −1} where there is no such index.
std::pair<Value, Value> Planner::interior_of(const Env& env, int axis, const std::vector<int>& roots) {
  Value first = -1, end = -1;
  bool sure = true;  // that every such index is looked at
  const auto keep_within = [&](int index, Value low, Value high) {
    Env e = bind(env, axis, i64(0));
    const Node& n = program_.node(index);
    for (int i = 0; i < n.rank; ++i) {
      const Val& lane = e.lane[n.axes[i]];
      if (lane.base < 0 && lane.v < 0) return void(sure = false);  // an axis that is bound later, inside
    }
    e.width = 1;
    const Value at_0 = scalar(cast_value(eval(index, e), n.type, DType::i64, 0, e));
    low = b_->sub(low, at_0), high = b_->sub(high, at_0);
    first = first < 0 ? low : b_->max(first, low);
    end = end < 0 ? high : b_->min(end, high);
  };
  for (int root : roots)
    for_each_fused(root, [&](int id) {
      const Node& n = program_.node(id);
      if (slots_[static_cast<std::size_t>(id)]) return;
      if (n.op == Op::at) {
        const AxisState& a = axis_[static_cast<std::size_t>(n.imm)];
        const int index = program_.operand(n, 1);
        if (a.holes < 0 && steps_with(index, axis)) {
          if (a.begin < 0) return void(sure = false);
          keep_within(index, b_->add(a.begin, a.lo), b_->add(a.begin, a.hi));
        }
      }
      if (n.op != Op::load) return;
      const int arg = static_cast<int>(n.imm & 0xffffffff);
      const ir::Arg& a = program_.args[static_cast<std::size_t>(arg)];
      for (int d = 0; d < a.rank; ++d) {
        const int index = program_.operand(n, d);
        if (bare_over(program_.node(index), arg, d) || !steps_with(index, axis)) continue;
        const Value size = extent(program_.arg_extents[static_cast<std::size_t>(a.first_extent + d)]);
        keep_within(index, i64(0), size);
      }
    });
  return sure ? std::pair(first, end) : std::pair<Value, Value>(-1, -1);
}

/// Whether a store is of a whole large array that nothing reads back: past the caches it costs no read of its lines.
bool Planner::streams(const Target& target, int vector_axis) {
  if (target.store < 0 || !machine_.has_masks || vector_axis < 0) return false;
  const Node& n = program_.node(target.store);
  const ir::Arg& a = program_.args[static_cast<std::size_t>(n.imm & 0xffffffff)];
  if (n.op != Op::store || (n.flags & ir::flag_masked) || !has_all(target.store) || a.effect != ir::Effect::out ||
      info(a.type).bits < 32)
    return false;
  std::vector<std::int64_t> steps(program_.axes.size(), 0);
  steps[static_cast<std::size_t>(vector_axis)] = 1;
  if (access_step(target.store, steps) != 1) return false;
  std::int64_t elements = 1;
  for (int d = 0; d < a.rank; ++d) {
    if (!bare_over(program_.node(program_.operand(n, d)), static_cast<int>(n.imm & 0xffffffff), d)) return false;
    elements *= std::clamp<std::int64_t>(
        known_or(extent(program_.arg_extents[static_cast<std::size_t>(a.first_extent + d)]), 1), 1, 1 << 30);
    if (elements > (std::int64_t{1} << 40)) break;
  }
  return elements * info(a.type).bits / 8 > machine_.l3_bytes;
}

/// Lanes from the start of an axis to the first whose place is a multiple of a vector.
Value Planner::lanes_to_alignment(const Target& target, const Env& env, int axis) {
  const Node& n = program_.node(target.store);
  const int arg = static_cast<int>(n.imm & 0xffffffff);
  const std::int64_t bytes = info(program_.args[static_cast<std::size_t>(arg)].type).bits / 8;
  Env e = bind(env, axis, axis_[static_cast<std::size_t>(axis)].lo);
  Value inside;
  const Val offset = offset_of(n, e, inside);
  const Value address = b_->add(b_->word(arg), b_->mul(scalar(offset), i64(bytes)));
  const Value past = b_->binary(loop::Op::bit_and, b_->sub(i64(0), address), i64(machine_.vector_bytes - 1));
  return b_->binary(loop::Op::shr, past, i64(__builtin_ctzll(static_cast<std::uint64_t>(bytes))));
}

std::vector<int> Planner::roots_of(const Target& target) const {
  std::vector<int> roots{target.root};
  if (target.store >= 0)
    for (std::int32_t o : program_.operands_of(program_.node(target.store)))
      if (o != target.root) roots.push_back(o);
  return roots;
}

std::optional<std::int64_t> Planner::step_of(int id, const std::vector<std::int64_t>& steps) const {
  const Node& n = program_.node(id);
  bool moves = false;
  for (int i = 0; i < n.rank; ++i) {
    if (steps[n.axes[i]] == INT64_MAX) return {};
    moves |= steps[n.axes[i]] != 0;
  }
  if (!moves) return 0;
  if (slots_[static_cast<std::size_t>(id)]) return {};
  if (info(n.op).op_class == ir::OpClass::block) return steps[n.axes[0]];
  const auto in = [&](int k) { return step_of(program_.operand(n, k), steps); };
  const auto literal = [&](int k) -> std::optional<std::int64_t> {
    const Node& o = program_.node(program_.operand(n, k));
    if (o.op == Op::literal) return o.imm;
    if (o.op == Op::tunable) return known_.cuts[static_cast<std::size_t>(o.imm)];
    if (o.op == Op::extent) return known_.words[layout_.extent_word(static_cast<std::size_t>(o.imm))];
    return {};
  };
  switch (n.op) {
    case Op::cast:
    case Op::broadcast:
      return in(0);
    case Op::add: {
      const auto a = in(0), b = in(1);
      if (a && b) return *a + *b;
      return {};
    }
    case Op::sub: {
      const auto a = in(0), b = in(1);
      if (a && b) return *a - *b;
      return {};
    }
    case Op::mul: {
      const auto a = in(0), b = in(1);
      if (a && literal(1)) return *a * *literal(1);
      if (b && literal(0)) return *b * *literal(0);
      return {};
    }
    default:
      return {};
  }
}

/// By how many elements the address of a load, store or kept value steps.
std::optional<std::int64_t> Planner::access_step(int id, const std::vector<std::int64_t>& steps) {
  const Node& n = program_.node(id);
  const Slot* slot = slots_[static_cast<std::size_t>(id)] ? &*slots_[static_cast<std::size_t>(id)] : nullptr;
  if (n.op == Op::get && slots_[static_cast<std::size_t>(program_.operand(n, 0))])
    slot = &*slots_[static_cast<std::size_t>(program_.operand(n, 0))];
  if (n.op == Op::part &&
      static_cast<std::size_t>(n.imm) < parts_[static_cast<std::size_t>(program_.operand(n, 0))].size())
    slot = &parts_[static_cast<std::size_t>(program_.operand(n, 0))][static_cast<std::size_t>(n.imm)];
  std::int64_t total = 0;
  if (slot) {
    for (std::size_t i = 0; i < slot->axes.size(); ++i) {
      const std::int64_t s = steps[static_cast<std::size_t>(slot->axes[i])];
      if (s == 0) continue;
      if (s == INT64_MAX) return {};
      total += s * known_or(slot->strides[i], 4096);
    }
    return total;
  }
  const int arg = static_cast<int>(n.imm & 0xffffffff);
  const ir::Arg& a = program_.args[static_cast<std::size_t>(arg)];
  for (int d = 0; d < a.rank; ++d) {
    const auto s = step_of(program_.operand(n, d), steps);
    if (!s) return {};
    if (*s != 0) total += *s * known_or(stride(arg, d), 4096);
  }
  return total;
}

void Planner::score_accesses(int id, std::vector<std::int64_t> steps, int depth, int& score, std::vector<int>& seen) {
  if (std::find(seen.begin(), seen.end(), id) != seen.end()) return;
  seen.push_back(id);
  const Node& n = program_.node(id);
  const auto judge = [&](std::optional<std::int64_t> s, int weight) {
    if (n.rank >= depth) weight *= 4;  // at every point of the nest, not once a row
    if (!s)
      score -= 6 * weight;
    else if (*s == 1)
      score += 4 * weight;
    else if (*s == 0)
      score += weight;
    else
      score -= 4 * weight;
  };
  const bool kept = slots_[static_cast<std::size_t>(id)].has_value() || n.op == Op::get || n.op == Op::part;
  if (kept || n.op == Op::load) {
    bool moves = false;
    for (int i = 0; i < n.rank; ++i) moves |= steps[n.axes[i]] != 0;
    if (n.rank > 0) judge(moves ? access_step(id, steps) : 0, 2);
    if (kept) return;
  }
  if (n.op == Op::store || n.op == Op::accumulate || n.op == Op::atomic) judge(access_step(id, steps), 3);
  if (n.op == Op::rename)
    steps[static_cast<std::size_t>(n.imm & 0xffffffff)] = steps[static_cast<std::size_t>(n.imm >> 32)];
  if (n.op == Op::at) {
    const auto s = step_of(program_.operand(n, 1), steps);
    steps[static_cast<std::size_t>(n.imm)] = s ? *s : INT64_MAX;
  }
  const auto step = [&](std::int64_t axis) -> std::int64_t& { return steps[static_cast<std::size_t>(axis)]; };
  const std::int64_t first = n.imm & 0xfffff, second = n.imm >> 20 & 0xfffff, third = n.imm >> 40;
  if (n.op == Op::split) {
    const std::int64_t by = split_by(id);
    step(first) = step(second) == 0 ? step(third) : by > 0 && step(second) != INT64_MAX ? step(second) * by : INT64_MAX;
  }
  if (n.op == Op::merge) step(second) = step(third), step(first) = 0;
  if (n.op == Op::join) step(first) = step(second) = step(third);
  if (analysis_.form[static_cast<std::size_t>(id)] == Form::scalar) return;
  for (std::int32_t o : program_.operands_of(n)) score_accesses(o, steps, depth, score, seen);
}

bool Planner::collides_along(int store, int axis) {
  std::vector<std::int64_t> steps(program_.axes.size(), 0);
  steps[static_cast<std::size_t>(axis)] = 1;
  const auto s = access_step(store, steps);
  return !s || *s == 0;
}

int Planner::choose_vector_axis(const std::vector<int>& domain, const std::vector<int>& reduced, const Target& target) {
  int best = -1, best_score = INT32_MIN;
  const int width = vector_width(target), depth = static_cast<int>(domain.size() + reduced.size());
  const auto consider = [&](int axis, int bonus) {
    if (target.store >= 0 && program_.node(target.store).op != Op::store && collides_along(target.store, axis) &&
        bonus == 0)
      return;
    if (target.store >= 0 && adds_in_order(target.store) && axis != target.axes.back()) return;
    std::vector<std::int64_t> steps(program_.axes.size(), 0);
    steps[static_cast<std::size_t>(axis)] = 1;
    int score = bonus;
    std::vector<int> seen;
    score_accesses(target.store >= 0 ? target.store : target.root, steps, depth, score, seen);
    const std::int64_t lanes = axis_[static_cast<std::size_t>(axis)].max_known;
    if (lanes < width) score -= static_cast<int>(32 * (width - lanes) / width) + (lanes <= 1 ? 160 : 0);
    if (score > best_score || (score == best_score && bonus == 0)) best = axis, best_score = score;
  };
  for (int a : domain) consider(a, 0);
  for (int a : reduced) consider(a, -1);
  return best;
}

/// Lanes of a vector in a job: by the widest element it computes with, positions and masks aside.
int Planner::vector_width(const Target& target) {
  int bytes = 0;
  bool places = false;  // positions are computed with
  const auto count = [&](DType t, bool index) {
    const DType r = repr(t);
    places = places || (index && (r == DType::i64 || r == DType::u64));
    if (r == DType::b8 || (index && (r == DType::i64 || r == DType::u64))) return;
    bytes = std::max(bytes, std::max(1, info(r).bits / 8));
  };
  count(target.type, false);
  for (int root : roots_of(target))
    for_each_fused(root, [&](int id) {
      const Node& n = program_.node(id);
      if (n.rank == 0 && analysis_.form[static_cast<std::size_t>(id)] == Form::scalar) return;
      const bool data = n.op == Op::load || slots_[static_cast<std::size_t>(id)].has_value() ||
                        info(n.type).is_floating() || n.op == Op::cast ||
                        info(n.op).op_class == ir::OpClass::elementwise;
      if (data) count(n.type, !(n.op == Op::load));
    });
  if (bytes == 0) bytes = target.type == DType::b8 && places ? 4 : std::max(1, info(repr(target.type)).bits / 8);
  return std::max(1, machine_.vector_bytes / bytes);
}

/// Whether rests of vectors are done under masks: not where they cost a branch a lane, for elements below 32 bits.
bool Planner::masks_rests(const Target& target) {
  return machine_.has_masks && (machine_.has_narrow_masks || !narrow_elements(target));
}

/// Whether a job touches elements of fewer than 32 bits.
bool Planner::narrow_elements(const Target& target) {
  bool narrow = target.slot ? info(target.slot->elem).bits < 32 : info(target.type).bits < 32;
  for (int root : roots_of(target))
    for_each_fused(root, [&](int id) {
      const Node& n = program_.node(id);
      if (n.op == Op::load && n.rank > 0)
        narrow |= info(program_.args[static_cast<std::size_t>(n.imm & 0xffffffff)].type).bits < 32;
      if (slots_[static_cast<std::size_t>(id)] && n.op != Op::var)
        narrow |= info(slots_[static_cast<std::size_t>(id)]->elem).bits < 32;
    });
  return narrow;
}

void Planner::write_value(const Target& target, Env& env, const Val& v, DType type) {
  const Val value = cast_value(v, type, target.type, 0, env);
  if (target.slot) {
    write_memory(target.slot->buffer, target.slot->elem, offset_in(*target.slot, env), value, -1, env, false);
    return;
  }
  const Node& n = program_.node(target.store);
  const int arg = static_cast<int>(n.imm & 0xffffffff);
  Value mask;
  const Val offset = offset_of(n, env, mask);
  mask = both(both(env.guard, mask), there(target.store, env));
  if (n.flags & ir::flag_masked) mask = both(mask, machine(eval(program_.operand(n, n.count - 1), env), env, false));
  const Sharing& shared = sharing_[static_cast<std::size_t>(arg)];
  if (n.op == Op::accumulate && shared.kind == Sharing::Kind::atomics)
    return add_atomically(arg, offset, machine(value, env, env.width > 1), mask, env);
  const bool copied = n.op == Op::accumulate && shared.kind == Sharing::Kind::copies;
  write_memory(copied ? shared.buffer : arg_buffer(arg), program_.args[static_cast<std::size_t>(arg)].type, offset,
               value, mask, env, n.op == Op::accumulate,
               env.past_caches && target.store == streamed_->store ? loop::flag_nontemporal : loop::InstFlags{});
}

void Planner::write_point(const Target& target, Env& env) {
  write_value(target, env, eval(target.root, env), program_.node(target.root).type);
}

void Planner::elementwise_nest(const Target& target, int vector_axis) {
  int width = vector_axis >= 0 ? vector_width(target) : 1;
  if (target.store >= 0 && vector_axis >= 0) {
    const Op op = program_.node(target.store).op;
    if (op != Op::store) {
      if (collides_along(target.store, vector_axis)) width = 1;
    } else if (collides_along(target.store, vector_axis)) {
      // Lanes may write one place: the last one wins, in order.
      std::vector<std::int64_t> steps(program_.axes.size(), 0);
      steps[static_cast<std::size_t>(vector_axis)] = 1;
      if (access_step(target.store, steps) == 0) width = 1;
    }
  }
  const std::vector<int> order = with_last(target.axes, vector_axis);
  Env env = top_;
  env.mask_tail = masks_rests(target);
  if (width > 1) {  // an axis shorter than a vector: shorter vectors, unless a mask over a part of one does better
    const std::int64_t lanes = axis_[static_cast<std::size_t>(vector_axis)].max_known;
    const bool power = lanes > 0 && (lanes & (lanes - 1)) == 0;
    if (lanes < width && (power || !env.mask_tail))
      while (width > lanes && width > 1) width /= 2;
  }
  env.width = width;
  if (std::vector<int> crossing; width >= 4 && width <= 16 && (target.store < 0 || has_all(target.store))) {
    if (const int cross = crossing_axis(target, vector_axis, crossing); cross >= 0)
      return scoped([&] { turned_nest(target, env, vector_axis, cross, crossing); });
  }
  const bool past = width > 1 && env.mask_tail && width * info(target.type).bits / 8 == machine_.vector_bytes &&
                    streams(target, vector_axis);
  if (past) streamed_ = &target, streamed_any_ = true;
  scoped([&] {
    loops(env, order, width > 1 ? vector_axis : -1, width, 1, roots_of(target), [&](std::span<Env> envs) {
      for (Env& e : envs) write_point(target, e);
    });
  });
  streamed_ = nullptr;
}

/// Computes and writes a job. A buffer is laid out along the vector axis that the job prefers: `slot` is then filled.
void Planner::run_job(Target target, int core, Slot* slot) {
  if (core >= 0 && info(program_.node(core).op).op_class == ir::OpClass::scan) return scan_nest(target, core, slot);
  std::vector<int> reduced;
  if (core >= 0) {
    const Node& c = program_.node(core);
    for (std::int32_t o : program_.operands_of(c)) {
      const Node& on = program_.node(o);
      for (int i = 0; i < on.rank; ++i)
        if (!program_.has_axis(c, on.axes[i]) && std::find(reduced.begin(), reduced.end(), on.axes[i]) == reduced.end())
          reduced.push_back(on.axes[i]);
    }
  }
  const int fill = core >= 0 ? analysis_.filled_with[static_cast<std::size_t>(core)] : -1;
  if (fill >= 0) analysis_.form[static_cast<std::size_t>(fill)] = Form::point;  // as everything sees it inside
  if (core >= 0 && one_order(core)) reduced.clear();                            // vectors run along axes that stay
  const int vector_axis = choose_vector_axis(target.axes, reduced, target);
  const bool kept_axis = std::find(target.axes.begin(), target.axes.end(), vector_axis) != target.axes.end();
  if (slot) {
    int inner = kept_axis ? vector_axis : target.axes.empty() ? -1 : target.axes.back();
    if (core >= 0 && program_.node(core).op == Op::dot && !target.axes.empty()) inner = target.axes.back();
    *slot = new_slot(target.axes, target.type, inner);
    target.slot = slot;
  }
  ++job_;
  if (core < 0) return elementwise_nest(target, vector_axis);
  if (program_.node(core).op == Op::dot && contraction_nest(target, core)) return;
  if (fill >= 0) {
    const Node& f = program_.node(fill);
    slots_[static_cast<std::size_t>(fill)] =
        new_slot(std::vector<int>(f.axes, f.axes + f.rank), f.type,
                 vector_axis >= 0 && program_.has_axis(f, vector_axis) ? vector_axis : f.axes[f.rank - 1]);
    filling_ = fill;
  }
  reduction_nest(target, core, vector_axis);
  if (fill >= 0) analysis_.form[static_cast<std::size_t>(fill)] = Form::buffer;
  filling_ = -1;
}

}  // namespace cpu
TESSERA_END
