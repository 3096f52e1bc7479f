// Owns the interpreter's tiles: what a thread holds of them, their loads and stores, and matrix multiplication.
#include <algorithm>

#include "jit/loop/evaluate.hpp"
#include "jit/loop/interpreter.hpp"

TESSERA_BEGIN
namespace loop::detail {

// Where the n-th element that this thread holds of a tile stands.
Position Interpreter::position(const Thread& t, std::uint32_t element, const Layout& l) const {
  if (facts_.kind == MachineFacts::Kind::gpu) return {element, t.lane, t.warp - t.role_first, t.x, t.y};
  const std::int64_t lanes = extent(l, Place::lane);
  return {element / lanes, element % lanes, 0, t.x, t.y};
}

void Interpreter::tile(Thread& t, const Inst& inst) {
  const bool store = inst.op == Op::tile_store, masked = (inst.flags & flag_masked) != 0;
  if (inst.op == Op::tile_zero) {
    const DType e = type(t, inst.results[0]).elem;
    std::fill_n(words(t, inst.results[0]), count(t, inst.results[0]), bits_from_double(e, 0));
    return;
  }
  Type tt = store ? Type{} : type(t, inst.results[0]);
  if (store)
    for (Value v : inst.operands)
      if (type(t, v).layout >= 0) tt = type(t, v);
  const Layout& l = p_.layouts[static_cast<std::size_t>(tt.layout)];
  const std::size_t rank = l.shape.size();
  const Value tile = store ? inst.operands[1 + rank] : inst.results[0];
  const std::int64_t offset = scalar(t, inst.operands[0]);
  Coordinate stride{}, limit{};
  for (std::size_t d = 0; d < rank; ++d) {
    stride[d] = scalar(t, inst.operands[1 + d]);
    limit[d] = masked ? scalar(t, inst.operands[1 + rank + (store ? 1 : 0) + d]) : INT64_MAX;
  }
  const int width = info(tt.elem).bits;
  std::uint64_t* held = words(t, tile);
  const Actor who = actor(t);
  for (std::uint32_t i = 0; i < count(t, tile); ++i) {
    const Coordinate c = coordinate(l, position(t, i, l));
    std::int64_t at = offset;
    bool inside = true;
    for (std::size_t d = 0; d < rank; ++d) {
      at += c[d] * stride[d];
      inside = inside && c[d] < limit[d];
    }
    if (store) {
      if (inside) write(who, spot(t, inst.buffer, at, &inst), width, held[i], &inst);
    } else {
      held[i] = inside ? read(who, spot(t, inst.buffer, at, &inst), width, &inst) : bits_from_double(tt.elem, 0);
    }
  }
}

const Interpreter::Multiply& Interpreter::multiply(const Thread& t, const Inst& inst) {
  if (const auto it = mma_.find(&inst); it != mma_.end()) return it->second;
  Multiply& m = mma_[&inst];
  m.shape = *find_mma_shape(inst.text, p_.machine);
  const auto layout_of = [&](std::size_t k) -> const Layout* {
    const Type& ty = type(t, inst.operands[k]);
    return ty.layout >= 0 ? &p_.layouts[static_cast<std::size_t>(ty.layout)] : nullptr;
  };
  const Layout *a = layout_of(0), *b = layout_of(1), &c = *layout_of(2);
  m.plan = plan_mma(m.shape, a, b, c, a ? a->shape[1] : b ? b->shape[0] : m.shape.k);
  if (m.shape.warps == 0) {
    std::map<std::int64_t, std::uint32_t> row, column;
    for (std::uint32_t i = count(t, inst.operands[0]); i-- > 0;) row[coordinate(*a, position(t, i, *a))[0]] = i;
    for (std::uint32_t i = count(t, inst.operands[1]); i-- > 0;) column[coordinate(*b, position(t, i, *b))[1]] = i;
    for (std::uint32_t i = 0; i < count(t, inst.operands[2]); ++i) {
      const Coordinate at = coordinate(c, position(t, i, c));
      m.outer.emplace_back(row[at[0]], column[at[1]]);
    }
    return m;
  }
  const auto fill = [&](const Layout& l, std::vector<std::int32_t>& out) {
    if (l.shape.empty()) return;
    const std::int64_t held = extent(l, Place::registers);
    for (int w = 0; w < m.shape.warps; ++w)
      for (int lane = 0; lane < facts_.lanes; ++lane)
        for (std::int64_t r = 0; r < held; ++r) {
          const Coordinate at = coordinate(l, {r, lane, w, 0, 0});
          out.push_back(static_cast<std::int32_t>(at[0] * l.shape[1] + at[1]));
        }
  };
  fill(m.shape.a, m.a), fill(m.shape.b, m.b), fill(m.shape.c, m.c);
  return m;
}

void Interpreter::outer_product(Thread& t, const Inst& inst) {
  const Multiply& m = multiply(t, inst);
  const std::uint64_t *a = words(t, inst.operands[0]), *b = words(t, inst.operands[1]), *c = words(t, inst.operands[2]);
  std::uint64_t* r = words(t, inst.results[0]);
  const DType e = type(t, inst.results[0]).elem;
  for (std::uint32_t i = 0; i < count(t, inst.results[0]); ++i)
    r[i] = evaluate_fma(e, a[m.outer[i].first], b[m.outer[i].second], c[i]);
}

// What lanes do together happens when the last of them arrives; each then goes on behind it.
Interpreter::Step Interpreter::collective(Thread& t, const Inst& inst) {
  int warps = 1;
  if (inst.op == Op::mma) {
    const Multiply& m = multiply(t, inst);
    if (m.shape.warps == 0) {
      outer_product(t, inst);
      ++t.cursors.back().at;
      return went_on;
    }
    warps = m.shape.warps;
  }
  Execution& e = *t.execution;
  const std::int64_t first_warp = t.role_first + (t.warp - t.role_first) / warps * warps;
  if (first_warp + warps > t.role_first + t.role_warps)
    stop(Finding::misuse, "it takes " + std::to_string(warps) + " whole warps", &inst);
  const auto first = static_cast<std::uint32_t>(e.first_thread + first_warp * facts_.lanes);
  const auto size = static_cast<std::uint32_t>(warps * facts_.lanes);
  Meeting& meeting = e.collectives[{first, size}];
  if (t.met) return waits;  // whoever arrives last takes it on
  if (!meeting.here.empty() && meeting.inst != &inst)
    stop(Finding::misuse, "lanes that must do it together are at `" + describe(meeting.inst) + "` too", &inst);
  meeting.inst = &inst;
  t.met = true;
  meeting.here.push_back(t.id);
  if (meeting.here.size() < size) return waits;
  std::vector<std::uint32_t> group(size);
  for (std::uint32_t i = 0; i < size; ++i) group[i] = first + i;
  if (inst.op == Op::mma)
    mma(group, inst);
  else
    shuffle_lane(group, inst);
  for (std::uint32_t i : group) {
    threads_[i]->met = false;
    threads_[i]->status = Thread::running;
    ++threads_[i]->cursors.back().at;
  }
  meeting.here.clear();
  ++world_;
  return went_on;
}

void Interpreter::shuffle_lane(const std::vector<std::uint32_t>& group, const Inst& inst) {
  std::vector<std::vector<std::uint64_t>> values;
  for (std::uint32_t i : group) {
    Thread& from = *threads_[i];
    const std::uint64_t* w = words(from, inst.operands[0]);
    values.emplace_back(w, w + count(from, inst.operands[0]));
  }
  for (std::uint32_t i : group) {
    Thread& to = *threads_[i];
    const std::int64_t source = scalar(to, inst.operands[1]);
    if (source < 0 || source >= static_cast<std::int64_t>(group.size()))
      stop(Finding::out_of_bounds, "there is no lane " + std::to_string(source), &inst);
    const auto& v = values[static_cast<std::size_t>(source)];
    std::copy(v.begin(), v.end(), words(to, inst.results[0]));
  }
}

void Interpreter::mma(const std::vector<std::uint32_t>& group, const Inst& inst) {
  Thread& lead = *threads_[group[0]];
  const Multiply& m = multiply(lead, inst);
  const MmaShape& s = m.shape;
  const auto at = static_cast<std::size_t>((lead.warp - lead.role_first) / s.warps) % m.plan.groups.size();
  const DType ec = type(lead, inst.results[0]).elem;

  // An asynchronous unit reads memory on its own time, knowing what the threads that start it know.
  Actor who{};
  Clock clock, fenced;
  if (s.asynchronous) {
    auto& [agent, issued] = lead.execution->mma_agents[{group[0], static_cast<std::uint32_t>(group.size())}];
    if (issued == 0) agent = new_agent('m');
    ++issued;
    for (std::uint32_t i : group) {
      clock.join(threads_[i]->clock);
      fenced.join(threads_[i]->fenced);
      threads_[i]->mma_issued.emplace_back(agent, issued);
    }
    who = {agent, issued, &clock, proxies_ ? &fenced : nullptr, &lead};
  }

  struct Side {
    bool memory = false;
    std::int64_t offset = 0, pitch = 0;
    bool transposed = false;
    std::int32_t buffer = -1;
    DType elem = DType::f32;
    std::vector<double> values;
  } side[2];
  for (std::size_t k = 0; k < 2; ++k) {
    Side& x = side[k];
    x.memory = !inst.imm.empty() && (inst.imm[0] >> k & 1);
    x.values.resize(static_cast<std::size_t>(k == 0 ? s.m * s.k : s.k * s.n));
    if (!x.memory) {
      x.elem = type(lead, inst.operands[k]).elem;
      continue;
    }
    x.buffer = static_cast<std::int32_t>(inst.imm[k + 1]);
    const Buffer& b = p_.buffers[static_cast<std::size_t>(x.buffer)];
    x.elem = b.elem;
    x.pitch = b.shape.back();
    x.transposed = (inst.imm[3] >> k & 1) != 0;
    x.offset = scalar(lead, inst.operands[k]);
    for (std::uint32_t i : group)
      if (scalar(*threads_[i], inst.operands[k]) != x.offset)
        stop(Finding::misuse, "its lanes disagree about an operand's offset", &inst);
    if (b.swizzle && x.pitch * info(b.elem).bits / 8 != b.swizzle)
      stop(Finding::misuse, "rows of " + b.name + " are not as wide as its swizzle", &inst);
  }
  const auto fetch = [&](std::size_t k, const MmaStep& step) {
    Side& x = side[k];
    const int rows = k == 0 ? s.m : s.k, columns = k == 0 ? s.k : s.n;
    if (x.memory) {
      const std::int64_t row = k == 0 ? step.row : step.depth, column = k == 0 ? step.depth : step.column;
      for (int i = 0; i < rows; ++i)
        for (int j = 0; j < columns; ++j) {
          const std::int64_t element =
              x.offset + (x.transposed ? (column + j) * x.pitch + row + i : (row + i) * x.pitch + column + j);
          const std::uint64_t bits = read(who, spot(lead, x.buffer, element, &inst), info(x.elem).bits, &inst);
          x.values[static_cast<std::size_t>(i * columns + j)] = to_double(x.elem, bits);
        }
      return;
    }
    const Layout& l = k == 0 ? s.a : s.b;
    const auto& map = k == 0 ? m.a : m.b;
    const auto held = static_cast<std::size_t>(extent(l, Place::registers));
    const std::size_t from = static_cast<std::size_t>(k == 0 ? step.a : step.b) * held;
    for (std::size_t i = 0; i < group.size(); ++i) {
      const std::uint64_t* w = words(*threads_[group[i]], inst.operands[k]) + from;
      for (std::size_t r = 0; r < held; ++r)
        x.values[static_cast<std::size_t>(map[i * held + r])] = to_double(x.elem, w[r]);
    }
  };

  for (std::uint32_t i : group) {
    Thread& t = *threads_[i];
    std::copy_n(words(t, inst.operands[2]), count(t, inst.results[0]), words(t, inst.results[0]));
    t.frames.back().ready[static_cast<std::size_t>(inst.results[0])] =
        s.asynchronous ? static_cast<std::uint32_t>(t.mma_issued.size()) : 0;
  }
  const auto held = static_cast<std::size_t>(extent(s.c, Place::registers));
  for (const MmaStep& step : m.plan.groups[at]) {
    fetch(0, step), fetch(1, step);
    for (std::size_t i = 0; i < group.size(); ++i) {
      std::uint64_t* c = words(*threads_[group[i]], inst.results[0]) + static_cast<std::size_t>(step.c) * held;
      for (std::size_t r = 0; r < held; ++r) {
        const std::int32_t element = m.c[i * held + r], row = element / s.n, column = element % s.n;
        double sum = to_double(ec, c[r]);
        for (int k = 0; k < s.k; ++k)
          sum += side[0].values[static_cast<std::size_t>(row * s.k + k)] *
                 side[1].values[static_cast<std::size_t>(k * s.n + column)];
        c[r] = bits_from_double(ec, sum);
      }
    }
  }
}

}  // namespace loop::detail
TESSERA_END
