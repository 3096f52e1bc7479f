// Owns the expansion of tiles into machine vectors.
#include "jit/loop/expand.hpp"

#include <algorithm>
#include <functional>

#include "jit/loop/builder.hpp"
#include "jit/loop/layout.hpp"
#include "jit/loop/machine.hpp"
#include "jit/loop/text.hpp"

TESSERA_BEGIN
namespace loop {
namespace {

using Values = std::vector<Value>;

struct Refused {
  std::string why;
};

constexpr std::int64_t most_unrolled = 4096;

class Expander {
 public:
  Expander(const Program& from, Program& to) : from_(from), to_(to) {}

  void function(const Function& f) {
    f_ = &f;
    values_.assign(f.types.size(), {});
    Builder b(to_, f.name, f.kind);
    b_ = &b;
    for (Value v : f.body.params)
      for (const Type& t : machine(f.types[at(v)])) values_[at(v)].push_back(b.param(t));
    b.finish(body(f.body));
  }

 private:
  static std::size_t at(Value v) { return static_cast<std::size_t>(v); }
  const Type& type(Value v) const { return f_->types[at(v)]; }
  const Layout& layout(const Type& t) const { return from_.layouts[at(t.layout)]; }
  [[noreturn]] void refuse(const Inst& i, const std::string& why) const {
    throw Refused{f_->name + ": `" + print(from_, *f_, i) + "`: " + why};
  }

  // The machine types of a type: itself, or a vector for each register of its layout.
  std::vector<Type> machine(const Type& t) const {
    if (t.layout < 0) return {t};
    const Layout& l = layout(t);
    const Type vector{t.elem, static_cast<std::uint16_t>(extent(l, Place::lane)), -1};
    return std::vector<Type>(static_cast<std::size_t>(extent(l, Place::registers)), vector);
  }
  std::vector<Type> machine(const Values& vs) const {
    std::vector<Type> out;
    for (Value v : vs)
      for (const Type& t : machine(type(v))) out.push_back(t);
    return out;
  }
  Values use(const Values& vs, std::size_t first = 0) const {
    Values out;
    for (std::size_t i = first; i < vs.size(); ++i)
      out.insert(out.end(), values_[at(vs[i])].begin(), values_[at(vs[i])].end());
    return out;
  }
  Value one(Value v) const { return values_[at(v)][0]; }
  // Shares out machine values over the values they stand for.
  void bind(const Values& to, std::span<const Value> from) {
    std::size_t k = 0;
    for (Value v : to) {
      const std::size_t n = machine(type(v)).size();
      values_[at(v)].assign(from.begin() + static_cast<std::ptrdiff_t>(k),
                            from.begin() + static_cast<std::ptrdiff_t>(k + n));
      k += n;
    }
  }

  // Writes a region's instructions and gives what it yields.
  Values body(const Region& r) {
    for (const Inst& i : r.body) {
      if (i.op == Op::yield) return use(i.operands);
      instruction(i);
    }
    return {};
  }

  void instruction(const Inst& i) {
    switch (i.op) {
      case Op::for_loop:
        return for_loop(i);
      case Op::while_loop: {
        const Values init = use(i.operands);
        bind(i.results, b_->while_loop(
                            init,
                            [&](std::span<const Value> carried) {
                              bind(i.regions[0].params, carried);
                              Values out = body(i.regions[0]);
                              const Value condition = out[0];
                              out.erase(out.begin());
                              return std::pair{condition, out};
                            },
                            [&](std::span<const Value> carried) {
                              bind(i.regions[1].params, carried);
                              return body(i.regions[1]);
                            }));
        return;
      }
      case Op::if_else:
        bind(i.results,
             b_->if_else(one(i.operands[0]), [&] { return body(i.regions[0]); }, [&] { return body(i.regions[1]); }));
        return;
      case Op::tile_zero: {
        const Type t = machine(type(i.results[0]))[0];
        const std::size_t n = machine(type(i.results[0])).size();
        values_[at(i.results[0])].assign(n, b_->constant(t, 0));
        return;
      }
      case Op::tile_load:
      case Op::tile_store:
        return move(i);
      case Op::mma:
        return multiply(i);
      case Op::map_tile:
        return map(i);
      case Op::roles:
      case Op::acquire:
      case Op::commit:
      case Op::wait:
      case Op::release:
      case Op::copy_async:
      case Op::fence:
      case Op::barrier:
      case Op::wait_mma:
      case Op::wait_copy:
      case Op::shuffle_lane:
      case Op::place_id:
      case Op::send:
      case Op::recv:
        refuse(i, "a CPU has none");
      default:
        break;
    }
    if (i.results.size() == 1 && i.flags == 0 && is_pure(i.op)) {
      values_[at(i.results[0])] = {i.op == Op::constant ? b_->constant(type(i.results[0]), i.imm[0])
                                                        : b_->emit(i.op, type(i.results[0]), use(i.operands), i.imm)};
      return;
    }
    Inst copy = i;
    copy.operands = use(i.operands);
    bind(i.results, b_->append(std::move(copy), machine(i.results)));
  }

  void for_loop(const Inst& i) {
    const Value lo = one(i.operands[0]), hi = one(i.operands[1]), step = one(i.operands[2]);
    const Region& r = i.regions[0];
    const Values params(r.params.begin() + 1, r.params.end());
    Values carried = use(i.operands, 3);
    const auto l = b_->known(lo), h = b_->known(hi), s = b_->known(step);
    if ((i.flags & flag_unroll) && l && h && s && *s > 0 && (*h - *l) / *s <= most_unrolled) {
      for (std::int64_t k = *l; k < *h; k += *s) {
        values_[at(r.params[0])] = {b_->integer(k)};
        bind(params, carried);
        carried = body(r);
      }
      return bind(i.results, carried);
    }
    bind(i.results, b_->for_loop(lo, hi, step, carried, [&](Value iv, std::span<const Value> inner) {
      values_[at(r.params[0])] = {iv};
      bind(params, inner);
      return body(r);
    }));
  }

  // How far each lane is from lane 0 along dimension d, as i32; −1: all stand at one coordinate.
  Value lane_steps(const Layout& l, std::size_t d, DType t) {
    const auto lanes = static_cast<int>(extent(l, Place::lane));
    Value sum = -1;
    std::int64_t below = 1;
    for (const Factor& f : l.factors) {
      if (f.place != Place::lane) continue;
      if (f.dim == d && f.stride != 0 && f.size > 1) {
        const auto number = [&](std::int64_t v) { return b_->constant({t, static_cast<std::uint16_t>(lanes), -1}, v); };
        Value digit = b_->iota(t, lanes);
        if (below > 1) digit = b_->binary(Op::floor_div, digit, number(below));
        if (below * f.size < lanes) digit = b_->binary(Op::floor_rem, digit, number(f.size));
        if (f.stride > 1) digit = b_->mul(digit, number(f.stride));
        sum = sum < 0 ? digit : b_->add(sum, digit);
      }
      below *= f.size;
    }
    return sum;
  }

  // Whether the lanes of a register are consecutive elements along dimension d.
  static bool runs_along(const Layout& l, std::size_t d) {
    const std::int64_t lanes = extent(l, Place::lane);
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
      const Coordinate c = coordinate(l, {0, lane, 0, 0, 0});
      for (std::size_t k = 0; k < c.size(); ++k)
        if (c[k] != (k == d ? lane : 0)) return false;
    }
    return lanes > 1;
  }

  void move(const Inst& i) {
    const bool store = i.op == Op::tile_store, masked = (i.flags & flag_masked) != 0;
    const Type tile =
        type(store ? *std::find_if(i.operands.begin(), i.operands.end(), [&](Value v) { return type(v).layout >= 0; })
                   : i.results[0]);
    const Layout& l = layout(tile);
    const std::size_t rank = l.shape.size();
    const Type vector = machine(tile)[0];
    const auto operand = [&](std::size_t k) { return one(i.operands[k]); };
    const auto stride = [&](std::size_t d) { return operand(1 + d); };
    const auto limit = [&](std::size_t d) { return operand(1 + rank + (store ? 1 : 0) + d); };
    const auto number = [&](std::int64_t v) { return b_->integer(v); };

    std::vector<Value> steps(rank);
    std::size_t along = rank;
    bool spread = false;
    for (std::size_t d = 0; d < rank; ++d) {
      steps[d] = lane_steps(l, d, DType::i32);
      spread = spread || steps[d] >= 0;
      if (runs_along(l, d) && b_->is(stride(d), 1)) along = d;
    }
    Value indices = -1;
    if (spread && along == rank)
      for (std::size_t d = 0; d < rank; ++d)
        if (const Value s = lane_steps(l, d, DType::i64); s >= 0) {
          const Value part = b_->mul(s, b_->broadcast(stride(d), vector.lanes));
          indices = indices < 0 ? part : b_->add(indices, part);
        }
    Values out;
    for (std::int64_t r = 0; r < extent(l, Place::registers); ++r) {
      const Coordinate c = coordinate(l, {r, 0, 0, 0, 0});
      Value offset = operand(0), mask = -1;
      for (std::size_t d = 0; d < rank; ++d) {
        offset = b_->add(offset, b_->mul(number(c[d]), stride(d)));
        if (!masked) continue;
        Value inside;
        const Value left = b_->sub(limit(d), number(c[d]));
        if (steps[d] < 0) {
          inside = b_->compare(Op::gt, left, number(0));
        } else {
          const Value few = b_->cast(b_->max(b_->min(left, number(l.shape[d])), number(0)), DType::i32);
          inside = b_->compare(Op::lt, steps[d], b_->broadcast(few, vector.lanes));
        }
        mask = b_->logical_and(mask, inside);
      }
      if (store) {
        const Value v = values_[at(i.operands[1 + rank])][static_cast<std::size_t>(r)];
        if (indices >= 0)
          b_->scatter(i.buffer, offset, indices, v, mask);
        else
          b_->store(i.buffer, offset, v, mask, i.flags & flag_nontemporal);
      } else if (indices >= 0) {
        out.push_back(b_->gather(i.buffer, offset, indices, tile.elem, mask));
      } else if (spread || vector.lanes == 1) {
        out.push_back(b_->load(i.buffer, offset, vector, mask));
      } else {
        out.push_back(b_->broadcast(b_->load(i.buffer, offset, {tile.elem, 1, -1}, mask), vector.lanes));
      }
    }
    if (!store) values_[at(i.results[0])] = std::move(out);
  }

  // A vector whose lanes are what `wanted` says of a tile: its coordinates along dimension d.
  Value pick(Value tile, std::size_t d, const std::vector<std::int64_t>& wanted) {
    const Layout& l = layout(type(tile));
    const Values& held = values_[at(tile)];
    const std::int64_t lanes = extent(l, Place::lane);
    const auto n = static_cast<std::int64_t>(wanted.size());
    const auto coordinate_of = [&](std::int64_t r, std::int64_t lane) { return coordinate(l, {r, lane, 0, 0, 0})[d]; };
    if (lanes == n)
      for (std::int64_t r = 0; r < static_cast<std::int64_t>(held.size()); ++r) {
        bool same = true;
        for (std::int64_t lane = 0; lane < n && same; ++lane)
          same = coordinate_of(r, lane) == wanted[at(static_cast<Value>(lane))];
        if (same) return held[static_cast<std::size_t>(r)];
      }
    const auto element = [&](std::int64_t c) -> Value {
      for (std::int64_t r = 0; r < static_cast<std::int64_t>(held.size()); ++r)
        for (std::int64_t lane = 0; lane < lanes; ++lane)
          if (coordinate_of(r, lane) == c)
            return b_->extract(held[static_cast<std::size_t>(r)], static_cast<int>(lane));
      throw Refused{"a tile does not hold one of its coordinates"};
    };
    if (std::all_of(wanted.begin(), wanted.end(), [&](std::int64_t c) { return c == wanted[0]; }))
      return b_->broadcast(element(wanted[0]), static_cast<int>(n));
    const Type vector{type(tile).elem, static_cast<std::uint16_t>(n), -1};
    Value sum = b_->constant(vector, 0);
    for (std::int64_t lane = 0; lane < n; ++lane)
      sum = b_->emit(Op::insert, vector, {sum, element(wanted[static_cast<std::size_t>(lane)]), b_->integer(lane)});
    return sum;
  }

  void multiply(const Inst& i) {
    if (!i.imm.empty()) refuse(i, "its operands lie in memory");
    const Type ct = type(i.results[0]);
    const Layout& l = layout(ct);
    const std::int64_t lanes = extent(l, Place::lane);
    Values out;
    for (std::int64_t r = 0; r < extent(l, Place::registers); ++r) {
      std::vector<std::int64_t> rows, columns;
      for (std::int64_t lane = 0; lane < lanes; ++lane) {
        const Coordinate c = coordinate(l, {r, lane, 0, 0, 0});
        rows.push_back(c[0]), columns.push_back(c[1]);
      }
      const Value a = pick(i.operands[0], 0, rows), b = pick(i.operands[1], 1, columns);
      out.push_back(b_->fma(a, b, values_[at(i.operands[2])][static_cast<std::size_t>(r)]));
    }
    values_[at(i.results[0])] = std::move(out);
  }

  // On vectors where the region is arithmetic on elements; otherwise an element at a time.
  void map(const Inst& i) {
    const Region& r = i.regions[0];
    const Type vector = machine(type(i.results[0]))[0];
    const std::size_t registers = machine(type(i.results[0])).size();
    const bool wide = std::all_of(r.body.begin(), r.body.end(), [&](const Inst& k) {
      const bool elementwise = (k.op >= Op::neg && k.op <= Op::cast) || k.op == Op::constant || k.op == Op::yield;
      return elementwise && k.flags == 0 &&
             std::all_of(k.results.begin(), k.results.end(), [&](Value v) { return type(v).lanes == 1; });
    });
    Values out;
    for (std::size_t k = 0; k < registers; ++k) {
      if (wide) {
        for (std::size_t p = 0; p < r.params.size(); ++p) values_[at(r.params[p])] = {values_[at(i.operands[p])][k]};
        out.push_back(b_->broadcast(vectors(r, vector.lanes), vector.lanes));
        continue;
      }
      Value all = b_->constant(vector, 0);
      for (int lane = 0; lane < vector.lanes; ++lane) {
        for (std::size_t p = 0; p < r.params.size(); ++p)
          values_[at(r.params[p])] = {b_->extract(values_[at(i.operands[p])][k], lane)};
        const Value v = body(r)[0];
        all = vector.lanes == 1 ? v : b_->emit(Op::insert, vector, {all, v, b_->integer(lane)});
      }
      out.push_back(all);
    }
    values_[at(i.results[0])] = std::move(out);
  }

  // A region of elementwise instructions, on vectors; values from outside are spread where they meet one.
  Value vectors(const Region& r, int lanes) {
    for (const Inst& k : r.body) {
      Values operands = use(k.operands);
      if (k.op == Op::yield) return operands[0];
      const bool any = std::any_of(operands.begin(), operands.end(), [&](Value v) { return b_->lanes(v) > 1; });
      for (Value& v : operands)
        if (any) v = b_->broadcast(v, lanes);
      const Type t{type(k.results[0]).elem, static_cast<std::uint16_t>(any ? lanes : 1), -1};
      values_[at(k.results[0])] = {k.op == Op::constant ? b_->constant(t, k.imm[0])
                                                        : b_->emit(k.op, t, operands, k.imm)};
    }
    return -1;
  }

  const Program& from_;
  Program& to_;
  const Function* f_ = nullptr;
  Builder* b_ = nullptr;
  std::vector<Values> values_;  // of each value of the old function, the new ones
};

}  // namespace

Expanded expand(const Program& program) {
  Expanded out;
  if (machine_facts(program.machine).kind != MachineFacts::Kind::cpu) {
    out.error = program.name + ": only programs for a CPU are expanded, not for " + program.machine;
    return out;
  }
  out.program = program;
  out.program.layouts.clear();
  out.program.functions.clear();
  Expander e(program, out.program);
  try {
    for (const Function& f : program.functions) e.function(f);
  } catch (const Refused& refused) {
    out.error = refused.why;
  }
  return out;
}

}  // namespace loop
TESSERA_END
