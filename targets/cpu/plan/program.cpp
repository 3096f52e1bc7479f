// Owns the walk over a program: the grid, regions, and the jobs that effects and kept values are.
#include <algorithm>

#include "targets/cpu/plan/planner.hpp"
#include "tessera/call/errors.hpp"

TESSERA_BEGIN
namespace cpu {

Planner::Planner(const ir::Program& program, const Known& known, const Machine& machine)
    : program_(program), known_(known), layout_(call::frame_layout(program)), machine_(machine), analysis_(program) {
  axis_.resize(program.axes.size());
  slots_.resize(program.nodes.size());
  parts_.resize(program.nodes.size());
  masks_.resize(program.nodes.size());
  find_gaps();
  arg_buffers_.assign(program.args.size(), -1);
  top_.lane.resize(program.axes.size());
  plan_sharing();
}

loop::Program Planner::plan() {
  out_.name = std::string(program_.name);
  out_.machine = "cpu";
  plan_entry();
  plan_prologue();
  out_.attributes.push_back({"serial_grid", serial_});
  out_.attributes.push_back({"calls", calls_});
  return std::move(out_);
}

/// The number of programs along each dimension of the grid, in node order.
std::vector<Value> Planner::grid_sizes() {
  std::vector<Value> sizes;
  for (std::size_t i = 0; i < program_.nodes.size(); ++i) {
    const Node& n = program_.nodes[i];
    if (n.op == Op::grid_index) {
      sizes.push_back(b_->max(scalar(eval(program_.operand(n, 0), top_)), i64(0)));
    } else if (n.op == Op::grid_block) {
      const Value cut = bounded_cut(*b_, scalar(eval(program_.operand(n, 0), top_)));
      const Value length = n.count == 4
                               ? scalar(cast_value(eval(program_.operand(n, 3), top_),
                                                   program_.node(program_.operand(n, 3)).type, DType::i64, 0, top_))
                               : extent(program_.axes[n.axes[0]].extent);
      sizes.push_back(b_->max(b_->ceil_div(length, cut), i64(0)));
    }
  }
  return sizes;
}

/// Clears what += starts from and returns the number of grid programs.
void Planner::plan_prologue() {
  builder_.emplace(out_, "prologue", loop::FunctionKind::host);
  b_ = &*builder_;
  std::fill(arg_buffers_.begin(), arg_buffers_.end(), -1);
  scopes_.assign(1, {});
  for (std::size_t i = 0; i < program_.args.size(); ++i) {
    const ir::Arg& a = program_.args[i];
    if (!a.accumulated || a.effect != ir::Effect::out) continue;
    const int buffer = arg_buffer(static_cast<int>(i));
    const std::function<void(int, Value)> clear = [&](int d, Value offset) {
      if (d == a.rank) return b_->store(buffer, offset, b_->constant({a.type, 1, -1}, 0));
      const Value size = extent(program_.arg_extents[static_cast<std::size_t>(a.first_extent + d)]);
      const Value step = stride(static_cast<int>(i), d);
      if (d == a.rank - 1 && b_->is(step, 1)) return b_->fill(buffer, offset, size, b_->constant({a.type, 1, -1}, 0));
      b_->for_loop(i64(0), size, i64(1), [&](Value k) { clear(d + 1, b_->add(offset, b_->mul(k, step))); });
    };
    clear(0, i64(0));
  }
  Value count = i64(1);
  const std::vector<Value> sizes = grid_sizes();
  for (std::size_t d = 0; d < sizes.size(); ++d)
    if (parallel_dims_[d]) count = b_->mul(count, sizes[d]);
  if (std::find(parallel_dims_.begin(), parallel_dims_.end(), false) != parallel_dims_.end())
    out_.attributes.push_back({"programs", known_or(count, 64)});
  b_->finish({count});
}

void Planner::plan_entry() {
  builder_.emplace(out_, "entry", loop::FunctionKind::entry);
  b_ = &*builder_;
  const Value first = b_->param({}), end = b_->param({});
  scopes_.assign(1, {});
  const std::vector<Value> sizes = grid_sizes();
  for (int i = 0; i < static_cast<int>(program_.nodes.size()); ++i)
    if (program_.node(i).op == Op::stop_if && analysis_.region[static_cast<std::size_t>(i)] != 0 && !stop_)
      stop_ = new_slot({}, DType::b8, -1);
  // A launch counts the programs that may run at a time; those that must run in order are loops inside.
  const auto program = [&] {
    linear_ = i64(0);
    for (std::size_t d = 0; d < sizes.size(); ++d) linear_ = b_->add(b_->mul(linear_, sizes[d]), grid_numbers_[d]);
    next_grid_ = 0;
    fast_axis_ = -1;
    rereads_.assign(program_.args.size(), {});
    if (stop_) b_->store(stop_->buffer, i64(0), b_->boolean(false));
    scoped([&] { walk(0, static_cast<int>(program_.nodes.size())); });
  };
  const std::function<void(std::size_t)> in_order = [&](std::size_t d) {
    while (d < sizes.size() && parallel_dims_[d]) ++d;
    if (d == sizes.size()) return program();
    b_->for_loop(i64(0), sizes[d], i64(1), [&](Value number) {
      grid_numbers_[d] = number;
      in_order(d + 1);
    });
  };
  const auto group = [&](Value index) {
    Value rest = index;
    grid_numbers_.assign(sizes.size(), -1);
    const auto first_dim = std::find(parallel_dims_.begin(), parallel_dims_.end(), true) - parallel_dims_.begin();
    for (std::size_t d = sizes.size(); d-- > 0;) {
      if (!parallel_dims_[d]) continue;
      if (b_->is(sizes[d], 1)) {
        grid_numbers_[d] = i64(0);
      } else if (static_cast<std::ptrdiff_t>(d) == first_dim) {
        grid_numbers_[d] = rest;
      } else {
        grid_numbers_[d] = b_->binary(loop::Op::floor_rem, rest, sizes[d]);
        rest = b_->binary(loop::Op::floor_div, rest, sizes[d]);
      }
    }
    in_order(0);
  };
  start_copies();
  bool single = true;
  for (std::size_t d = 0; d < sizes.size(); ++d) single &= !parallel_dims_[d] || b_->is(sizes[d], 1);
  if (single) {
    b_->if_then(b_->compare(loop::Op::lt, first, end), [&] { group(i64(0)); });
  } else {
    b_->for_loop(first, end, i64(1), [&](Value index) { group(index); });
  }
  add_up_copies();
  if (streamed_any_)
    b_->effect({loop::Op::fence, -1, 0, {}, {}, {2}, {}, {}});  // stores past the caches are weakly ordered
  b_->finish();
}

int Planner::region_end(int opener) const {
  const int r = analysis_.region_of_opener[static_cast<std::size_t>(opener)];
  return analysis_.regions[static_cast<std::size_t>(r)].end;
}

void Planner::walk(int first, int last) {
  for (int i = first; i < last;) {
    const Node& n = program_.node(i);
    if (n.op == Op::stop_if) {
      const Value stop = scalar(eval(program_.operand(n, 0), top_));
      if (stop_) b_->if_then(stop, [&] { b_->store(stop_->buffer, i64(0), b_->boolean(true)); });
      b_->if_then(b_->logical_not(stop), [&] { scoped([&] { walk(i + 1, last); }); });
      return;
    }
    int next = i + 1;
    visit(i, next);
    if (next > i + 1 && stops_inside(i, next)) {
      b_->if_then(go_on(), [&] { scoped([&] { walk(next, last); }); });
      return;
    }
    i = next;
  }
}

bool Planner::stops_inside(int first, int last) const {
  if (!stop_) return false;
  for (int i = first; i < last; ++i)
    if (program_.node(i).op == Op::stop_if) return true;
  return false;
}

Value Planner::go_on() { return b_->logical_not(b_->load(stop_->buffer, i64(0), {DType::b8, 1, -1})); }

void Planner::visit(int id, int& next) {
  const Node& n = program_.node(id);
  const Form form = analysis_.form[static_cast<std::size_t>(id)];
  switch (n.op) {
    case Op::for_blocks:
      loop_over_blocks(id);
      next = region_end(id) + 1;
      return;
    case Op::for_range:
      if (!loop_in_registers(id)) loop_over_range(id);
      next = region_end(id) + 1;
      return;
    case Op::while_loop:
      if (!loop_in_registers(id)) while_region(id);
      next = region_end(id) + 1;
      return;
    case Op::if_region:
      branch(id, next);
      return;
    case Op::reduce:
    case Op::scan_by:
      if (form != Form::dead) custom_nest(id);
      next = region_end(id) + 1;
      return;
    default:
      break;
  }
  if (info(n.op).op_class == ir::OpClass::block) {
    define_axis(id);
    if (n.rank == 0)
      remember(id, top_,
               wrap(axis_.empty() && n.op != Op::grid_index ? i64(0)
                                                            : grid_numbers_[static_cast<std::size_t>(next_grid_++)]));
    return;
  }
  if (form == Form::dead) return;
  define_made_axis(id);
  switch (n.op) {
    case Op::var: {
      const std::vector<int> axes(n.axes, n.axes + n.rank);
      slots_[static_cast<std::size_t>(id)] = slot_for(id);
      Target t{&*slots_[static_cast<std::size_t>(id)], -1, axes, program_.operand(n, 0), n.type};
      elementwise_nest(t, axes.empty() ? -1 : choose_vector_axis(axes, {}, t));
      if (!gaps_[static_cast<std::size_t>(id)].empty()) {
        masks_[static_cast<std::size_t>(id)] = new_slot(axes, DType::b8, axes.back());
        keep_mask(program_.operand(n, 0), *masks_[static_cast<std::size_t>(id)]);
      }
      return;
    }
    case Op::set:
      return set_var(id);
    case Op::put:
      return put_node(id);
    case Op::store:
    case Op::accumulate:
      return store_node(id);
    case Op::print:
      return print_node(id);
    case Op::check: {
      const int c = program_.operand(n, 0);
      const Node& cn = program_.node(c);
      const std::vector<int> axes(cn.axes, cn.axes + cn.rank);
      scoped([&] {
        loops(top_, axes, -1, 1, 1, {c}, [&](std::span<Env> envs) {
          const Value bad = both(there(c, envs[0]), b_->logical_not(scalar(eval(c, envs[0]))));
          b_->effect(
              {loop::Op::fail, -1, 0, {}, {bad}, {}, std::string(program_.str(static_cast<std::int32_t>(n.imm))), {}});
        });
      });
      return;
    }
    case Op::expects:
    case Op::end:
    case Op::region_end:
      return;
    case Op::atomic:
      return atomic_node(id);
    default:
      break;
  }
  if (form == Form::scalar) {
    eval(id, top_);
  } else if (analysis_.filled[static_cast<std::size_t>(id)]) {
    slots_[static_cast<std::size_t>(id)].reset();  // the next job makes it
    keep_mask(id);
  } else if (form == Form::buffer) {
    materialise(id);
    keep_mask(id);
  }
}

void Planner::materialise(int id) {
  const Node& n = program_.node(id);
  switch (n.op) {
    case Op::sort:
      return sort_nest(id);
    case Op::topk:
      return topk_nest(id);
    case Op::argmax:
    case Op::argmin:
      return arg_nest(id);
    default:
      break;
  }
  const int fused = analysis_.core_of[static_cast<std::size_t>(id)];
  const bool is_core = info(n.op).op_class == ir::OpClass::reduction || n.op == Op::cumsum || n.op == Op::cumprod;
  const int core = fused >= 0 ? fused : is_core ? id : -1;
  Target t{nullptr, -1, std::vector<int>(n.axes, n.axes + n.rank), id, n.type};
  Slot slot;
  run_job(t, core, &slot);
  slots_[static_cast<std::size_t>(id)] = slot;
}

void Planner::store_node(int id) {
  const Node& n = program_.node(id);
  const int value = program_.operand(n, n.count - 1 - ((n.flags & ir::flag_masked) != 0));
  const ir::Arg& a = program_.args[static_cast<std::size_t>(n.imm & 0xffffffff)];
  const std::vector<int> axes(n.axes, n.axes + n.rank);
  Target t{nullptr, id, axes, value, a.type};
  if (n.op == Op::store && analysis_.var_read_elsewhere[static_cast<std::size_t>(id)]) {
    // The value reads the array at other places: make it whole first.
    const Node& vn = program_.node(value);
    Target whole{nullptr, -1, std::vector<int>(vn.axes, vn.axes + vn.rank), value, vn.type};
    Slot slot;
    run_job(whole, -1, &slot);
    slots_[static_cast<std::size_t>(value)] = slot;
    run_job(t, -1, nullptr);
    slots_[static_cast<std::size_t>(value)].reset();
    return;
  }
  const int core = analysis_.core_of[static_cast<std::size_t>(id)];
  if (n.op == Op::accumulate && core < 0 && !axes.empty() && all_lanes_collide(id) &&
      sharing_[static_cast<std::size_t>(n.imm & 0xffffffff)].kind != Sharing::Kind::atomics)
    return add_lanes(t);
  run_job(t, core, nullptr);
}

void Planner::loop_over_blocks(int opener) {
  const int block = opener + 1, last = region_end(opener);
  const Node& n = program_.node(block);
  const Value cut = bounded_cut(*b_, scalar(eval(program_.operand(n, 0), top_)));
  const auto bound = [&](int k) {
    const int o = program_.operand(n, k);
    return scalar(cast_value(eval(o, top_), program_.node(o).type, DType::i64, 0, top_));
  };
  const Value size = extent(program_.axes[n.axes[0]].extent);
  const bool ranged = n.count >= 3;
  const Value from = ranged ? bound(1) : i64(0), to = ranged ? b_->min(bound(2), size) : size;
  const Value trips = b_->max(b_->ceil_div(b_->sub(to, from), cut), i64(0));
  b_->for_loop(i64(0), trips, i64(1), [&](Value number) {
    scoped([&] {
      AxisState& a = axis_[n.axes[0]];
      a.number = number;
      const Value begin = b_->add(from, b_->mul(number, cut));
      bind_block(n.axes[0],
                 ranged ? affine(begin, 0, INT64_MIN, INT64_MAX)
                        : affine(begin, 0, 0, std::max<std::int64_t>(0, known_or(size, INT64_MAX) - 1)),
                 cut, ranged ? std::optional(PositionRange{from, to}) : std::nullopt);
      loops_.push_back({opener, b_->compare(loop::Op::eq, number, i64(0))});
      if (stops_inside(block, last))
        b_->if_then(go_on(), [&] { scoped([&] { walk(block + 1, last); }); });
      else
        walk(block + 1, last);
      loops_.pop_back();
    });
  });
}

/// From where to where the index of a counted loop runs.
std::pair<Value, Value> Planner::range_of(int index) {
  const auto bound = [&](int k) {
    const int o = program_.operand(program_.node(index), k);
    return scalar(cast_value(eval(o, top_), program_.node(o).type, DType::i64, 0, top_));
  };
  const Value lo = bound(0);
  return {lo, bound(1)};
}

Val Planner::index_between(Value iv, Value lo, Value hi) const {
  Val v = wrap(iv);
  v.lo = known_or(lo, INT64_MIN);
  if (auto k = b_->known(hi)) v.hi = *k - 1;
  return v;
}

void Planner::loop_over_range(int opener) {
  const int index = opener + 1, last = region_end(opener);
  const auto [lo, hi] = range_of(index);
  b_->for_loop(lo, hi, i64(1), [&, lo = lo, hi = hi](Value iv) {
    scoped([&] {
      remember(index, top_, index_between(iv, lo, hi));
      loops_.push_back({opener, b_->compare(loop::Op::eq, iv, lo)});
      if (stops_inside(index, last))
        b_->if_then(go_on(), [&] { scoped([&] { walk(index + 1, last); }); });
      else
        walk(index + 1, last);
      loops_.pop_back();
    });
  });
}

void Planner::while_region(int opener) {
  const int last = region_end(opener);
  int test = opener + 1;
  while (program_.node(test).op != Op::loop_condition) {
    if (const int r = analysis_.region_of_opener[static_cast<std::size_t>(test)]; r > 0)
      test = analysis_.regions[static_cast<std::size_t>(r)].end;
    ++test;
  }
  b_->while_loop(
      {},
      [&](std::span<const Value>) {
        return scoped([&] {
          walk(opener + 1, test);
          const Value more = scalar(eval(program_.operand(program_.node(test), 0), top_));
          return std::pair{stops_inside(opener, last) ? b_->logical_and(more, go_on()) : more, std::vector<Value>{}};
        });
      },
      [&](std::span<const Value>) {
        scoped([&] { walk(test + 1, last); });
        return std::vector<Value>{};
      });
}

void Planner::branch(int opener, int& next) {
  const int last = region_end(opener);
  const Value condition = scalar(eval(program_.operand(program_.node(opener), 0), top_));
  next = last + 1;
  int otherwise = -1;
  if (next < static_cast<int>(program_.nodes.size()) && program_.node(next).op == Op::else_region) {
    otherwise = next;
    next = region_end(otherwise) + 1;
  }
  b_->if_else(
      condition,
      [&] {
        scoped([&] { walk(opener + 1, last); });
        return std::vector<Value>{};
      },
      [&] {
        if (otherwise >= 0) scoped([&] { walk(otherwise + 1, region_end(otherwise)); });
        return std::vector<Value>{};
      });
}

void Planner::print_node(int id) {
  const Node& n = program_.node(id);
  std::vector<int> axes;
  for (std::int32_t o : program_.operands_of(n)) {
    const Node& on = program_.node(o);
    for (int i = 0; i < on.rank; ++i)
      if (std::find(axes.begin(), axes.end(), on.axes[i]) == axes.end()) axes.push_back(on.axes[i]);
  }
  std::vector<int> roots(program_.operands_of(n).begin(), program_.operands_of(n).end());
  scoped([&] {
    loops(top_, axes, -1, 1, 1, roots, [&](std::span<Env> envs) {
      std::vector<Value> values;
      Value shown = -1;
      for (int r : roots) {
        shown = both(shown, there(r, envs[0]));
        values.push_back(machine(eval(r, envs[0]), envs[0], false));
      }
      const auto show = [&] {
        b_->effect(
            {loop::Op::print, -1, 0, {}, values, {}, std::string(program_.str(static_cast<std::int32_t>(n.imm))), {}});
      };
      if (shown < 0)
        show();
      else
        b_->if_then(shown, show);
    });
  });
}

}  // namespace cpu
TESSERA_END
