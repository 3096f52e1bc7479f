// Owns the interpreter's execution of one instruction: control flow, values and arithmetic.
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "jit/loop/evaluate.hpp"
#include "jit/loop/interpreter.hpp"

TESSERA_BEGIN
namespace loop::detail {

std::int64_t Interpreter::scalar(Thread& t, Value v) { return as_integer(type(t, v).elem, words(t, v)[0]); }

void Interpreter::enter(Thread& t, const Region& r, const Inst* owner) {
  Cursor c;
  c.region = &r;
  c.owner = owner;
  t.cursors.push_back(c);
}

// Moves values, and with them what is known of the mma that makes them.
void Interpreter::copy_values(Frame& from, const std::vector<Value>& source, std::size_t first, Frame& to,
                              const std::vector<Value>& target, std::size_t at) {
  const std::size_t n = source.size() - first;
  std::vector<std::uint64_t> held;
  std::vector<std::uint32_t> ready;
  for (std::size_t i = 0; i < n; ++i) {
    const auto s = static_cast<std::size_t>(source[first + i]);
    const std::uint64_t* w = from.words.data() + from.shape->offset[s];
    held.insert(held.end(), w, w + from.shape->count[s]);
    ready.push_back(from.ready[s]);
  }
  const std::uint64_t* w = held.data();
  for (std::size_t i = 0; i < n && at + i < target.size(); ++i) {
    const auto d = static_cast<std::size_t>(target[at + i]);
    std::copy(w, w + to.shape->count[d], to.words.begin() + to.shape->offset[d]);
    w += to.shape->count[d];
    to.ready[d] = ready[i];
  }
}

// Reading an accumulator that an asynchronous mma still writes. Handing it on (to the next mma, around a loop) is none.
void Interpreter::use(Thread& t, const Inst& inst) {
  const Frame& f = t.frames.back();
  for (std::size_t i = 0; i < inst.operands.size(); ++i) {
    const std::uint32_t made = f.ready[static_cast<std::size_t>(inst.operands[i])];
    if (made <= t.mma_waited || (inst.op == Op::mma && i == 2)) continue;
    found(Finding::missing_wait,
          "`" + describe(&inst) + "` uses %" + std::to_string(inst.operands[i]) +
              " while the mma that makes it is in flight (" + describe(t) + ")",
          &inst);
  }
}

Interpreter::Step Interpreter::step(Thread& t) {
  Cursor& cursor = t.cursors.back();
  const Inst& inst = cursor.region->body[cursor.at];
  const bool carries =
      inst.op == Op::for_loop || inst.op == Op::while_loop || inst.op == Op::yield || inst.op == Op::call;
  if (!carries && t.mma_issued.size() > t.mma_waited) use(t, inst);
  Frame& f = t.frames.back();
  switch (inst.op) {
    case Op::yield:
      yield(t, inst);
      return went_on;
    case Op::for_loop: {
      const std::int64_t lo = scalar(t, inst.operands[0]), hi = scalar(t, inst.operands[1]),
                         by = scalar(t, inst.operands[2]);
      if (by <= 0) stop(Finding::misuse, "its step is not positive", &inst);
      ++cursor.at;
      if (lo >= hi) {
        copy_values(f, inst.operands, 3, f, inst.results);
        return went_on;
      }
      const Region& body = inst.regions[0];
      enter(t, body, &inst);
      Cursor& c = t.cursors.back();
      c.iv = lo, c.hi = hi, c.step = by;
      copy_values(f, inst.operands, 3, f, body.params, 1);
      words(t, body.params[0])[0] = static_cast<std::uint64_t>(lo);
      return went_on;
    }
    case Op::while_loop:
      ++cursor.at;
      enter(t, inst.regions[0], &inst);
      copy_values(f, inst.operands, 0, f, inst.regions[0].params);
      return went_on;
    case Op::if_else: {
      const bool yes = words(t, inst.operands[0])[0] != 0;
      ++cursor.at;
      enter(t, inst.regions[yes ? 0 : 1], &inst);
      return went_on;
    }
    case Op::roles: {
      const std::int64_t unit = facts_.kind == MachineFacts::Kind::gpu ? t.warp
                                : t.execution                          ? t.id - threads_[t.execution->first_thread]->id
                                                                       : 0;
      std::int64_t first = 0;
      std::size_t role = 0;
      while (role + 1 < inst.imm.size() && unit >= first + inst.imm[role]) first += inst.imm[role++];
      ++cursor.at;
      enter(t, inst.regions[role], &inst);
      t.role_first = first, t.role_warps = inst.imm[role];
      t.in_role = true;
      return went_on;
    }
    case Op::map_tile: {
      ++cursor.at;
      enter(t, inst.regions[0], &inst);
      Cursor& c = t.cursors.back();
      c.iv = 0, c.hi = count(t, inst.operands[0]);
      for (std::size_t k = 0; k < inst.operands.size(); ++k)
        words(t, inst.regions[0].params[k])[0] = words(t, inst.operands[k])[0];
      return went_on;
    }
    case Op::call: {
      if (t.frames.size() > 64) stop(Finding::limit, "calls are nested too deep", &inst);
      ++cursor.at;
      call(t, inst);
      return went_on;
    }
    case Op::load:
    case Op::store:
    case Op::gather:
    case Op::scatter:
    case Op::prefetch:
    case Op::fill:
      memory(t, inst);
      break;
    case Op::atomic:
    case Op::compare_exchange:
      atomic(t, inst);
      break;
    case Op::alloc:
      allocate(t, inst);
      break;
    case Op::print:
      print(t, inst);
      break;
    case Op::fail:
      if (words(t, inst.operands[0])[0] &&
          std::find(report_.failures.begin(), report_.failures.end(), inst.text) == report_.failures.end())
        report_.failures.push_back(inst.text);
      break;
    case Op::tile_zero:
    case Op::tile_load:
    case Op::tile_store:
      tile(t, inst);
      break;
    case Op::mma:
    case Op::shuffle_lane:
      return collective(t, inst);
    case Op::acquire:
    case Op::commit:
    case Op::wait:
    case Op::release:
    case Op::copy_async:
    case Op::fence:
    case Op::barrier:
    case Op::wait_mma:
    case Op::wait_copy:
    case Op::send:
    case Op::recv:
      if (synchronise(t, inst) == waits) return waits;
      break;
    case Op::place_id: {
      const std::int64_t at[] = {0, t.lane, t.warp - t.role_first, t.x, t.y};
      words(t, inst.results[0])[0] = static_cast<std::uint64_t>(at[inst.imm[0]]);
      break;
    }
    default:
      compute(t, inst);
  }
  ++cursor.at;
  return went_on;
}

void Interpreter::call(Thread& t, const Inst& inst) {
  const Function& g = *functions_.at(inst.text);
  Frame frame;
  frame.function = &g;
  frame.shape = &shape_of(g);
  frame.words.resize(static_cast<std::size_t>(frame.shape->words));
  frame.ready.resize(g.types.size());
  copy_values(t.frames.back(), inst.operands, 0, frame, g.body.params);
  t.frames.push_back(std::move(frame));
  t.frame_base.push_back(t.cursors.size());
  enter(t, g.body, nullptr);
}

void Interpreter::yield(Thread& t, const Inst& inst) {
  Cursor& c = t.cursors.back();
  Frame& f = t.frames.back();
  if (!c.owner) {  // the function ends
    t.cursors.pop_back();
    t.frame_base.pop_back();
    if (t.frames.size() == 1) {
      if (!inst.operands.empty()) report_.programs = scalar(t, inst.operands[0]);
      return;
    }
    Frame done = std::move(t.frames.back());
    t.frames.pop_back();
    const Cursor& caller = t.cursors.back();
    const Inst& call = caller.region->body[caller.at - 1];
    copy_values(done, inst.operands, 0, t.frames.back(), call.results);
    return;
  }
  const Inst& owner = *c.owner;
  switch (owner.op) {
    case Op::for_loop:
      c.iv += c.step;
      if (c.iv < c.hi) {
        copy_values(f, inst.operands, 0, f, c.region->params, 1);
        words(t, c.region->params[0])[0] = static_cast<std::uint64_t>(c.iv);
        c.at = 0;
        return;
      }
      copy_values(f, inst.operands, 0, f, owner.results);
      break;
    case Op::while_loop:
      if (c.region == &owner.regions[0]) {
        if (words(t, inst.operands[0])[0]) {
          copy_values(f, inst.operands, 1, f, owner.regions[1].params);
          c.region = &owner.regions[1];
          c.at = 0;
          return;
        }
        copy_values(f, inst.operands, 1, f, owner.results);
        break;
      }
      copy_values(f, inst.operands, 0, f, owner.regions[0].params);
      c.region = &owner.regions[0];
      c.at = 0;
      return;
    case Op::map_tile:
      words(t, owner.results[0])[c.iv] = words(t, inst.operands[0])[0];
      if (++c.iv < c.hi) {
        for (std::size_t k = 0; k < owner.operands.size(); ++k)
          words(t, c.region->params[k])[0] = words(t, owner.operands[k])[c.iv];
        c.at = 0;
        return;
      }
      break;
    case Op::roles:
      t.role_first = 0, t.in_role = false;
      t.role_warps = facts_.kind == MachineFacts::Kind::mesh ? t.execution->threads : attribute("warps", 1);
      break;
    default:
      copy_values(f, inst.operands, 0, f, owner.results);  // if
  }
  t.cursors.pop_back();
}

void Interpreter::compute(Thread& t, const Inst& inst) {
  std::uint64_t* r = words(t, inst.results[0]);
  const Type rt = type(t, inst.results[0]);
  const std::uint32_t n = rt.lanes;
  const auto operand = [&](std::size_t k) { return words(t, inst.operands[k]); };
  switch (inst.op) {
    case Op::constant: {
      const int bits = info(rt.elem).bits;
      std::uint64_t v = static_cast<std::uint64_t>(inst.imm[0]);
      if (bits < 64) v &= (std::uint64_t{1} << bits) - 1;
      if (rt.elem == DType::b8) v = v != 0;
      std::fill_n(r, n, v);
      return;
    }
    case Op::word: {
      if (static_cast<std::size_t>(inst.imm[0]) >= frame_.size())
        stop(Finding::out_of_bounds, "the frame has " + std::to_string(frame_.size()) + " words", &inst);
      const int bits = info(rt.elem).bits;
      r[0] = frame_[static_cast<std::size_t>(inst.imm[0])];
      if (bits < 64) r[0] &= (std::uint64_t{1} << bits) - 1;
      if (rt.elem == DType::b8) r[0] = r[0] != 0;
      return;
    }
    case Op::iota:
      for (std::uint32_t i = 0; i < n; ++i) r[i] = bits_from_int64(rt.elem, i);
      return;
    case Op::fma:
      if (const Type narrow = type(t, inst.operands[0]); narrow.lanes > n) {  // groups of narrow lanes
        const DType other = type(t, inst.operands[1]).elem;
        const std::uint32_t size = narrow.lanes / n;
        for (std::uint32_t i = 0; i < n; ++i) {
          std::uint64_t sum = operand(2)[i];
          for (std::uint32_t u = i * size; u < (i + 1) * size; ++u)
            sum = evaluate_fma(rt.elem, convert_bits(narrow.elem, rt.elem, operand(0)[u]),
                               convert_bits(other, rt.elem, operand(1)[u]), sum);
          r[i] = sum;
        }
        return;
      }
      for (std::uint32_t i = 0; i < n; ++i) r[i] = evaluate_fma(rt.elem, operand(0)[i], operand(1)[i], operand(2)[i]);
      return;
    case Op::cast:
    case Op::bitcast:
      return convert(t, inst);
    default:
      break;
  }
  if (inst.op >= Op::select && inst.op <= Op::reduce_or) return rearrange(t, inst);
  const DType e = type(t, inst.operands[0]).elem;
  if (inst.operands.size() == 1) {
    for (std::uint32_t i = 0; i < n; ++i) r[i] = evaluate(inst.op, e, operand(0)[i]);
  } else {
    const std::uint64_t *a = operand(0), *b = operand(1);
    for (std::uint32_t i = 0; i < n; ++i) r[i] = evaluate(inst.op, e, a[i], b[i]);
  }
}

void Interpreter::convert(Thread& t, const Inst& inst) {
  std::uint64_t* r = words(t, inst.results[0]);
  const std::uint64_t* a = words(t, inst.operands[0]);
  const Type from = type(t, inst.operands[0]), to = type(t, inst.results[0]);
  if (inst.op == Op::cast) {
    const auto rounding = static_cast<Rounding>(inst.imm[0] & 0xff);
    const auto saturation = static_cast<Saturation>(inst.imm[0] >> 8);
    const std::uint64_t* random = inst.operands.size() > 1 ? words(t, inst.operands[1]) : nullptr;
    const int shift = random ? 64 - info(type(t, inst.operands[1]).elem).bits : 0;
    for (std::uint32_t i = 0; i < to.lanes; ++i)
      r[i] = convert_bits(from.elem, to.elem, a[i], rounding, saturation, random ? random[i] << shift : 0);
    return;
  }
  // All bits in a row, the first lane lowest, cut anew.
  const std::int64_t have = info(from.elem).bits, want = info(to.elem).bits;
  Block bits;
  bits.own.resize(static_cast<std::size_t>(have * from.lanes / 8 + 16));
  bits.data = bits.own.data();
  for (std::int64_t i = 0; i < from.lanes; ++i) bits.put(i * have, static_cast<int>(have), a[i]);
  for (std::int64_t i = 0; i < to.lanes; ++i) {
    r[i] = bits.get(i * want, static_cast<int>(want));
    if (to.elem == DType::b8) r[i] = r[i] != 0;
  }
}

void Interpreter::rearrange(Thread& t, const Inst& inst) {
  std::uint64_t* r = words(t, inst.results[0]);
  const std::uint64_t* a = words(t, inst.operands[0]);
  const std::uint32_t n = type(t, inst.results[0]).lanes, lanes = type(t, inst.operands[0]).lanes;
  const auto lane = [&](Value v) {
    const std::int64_t i = scalar(t, v);
    if (i < 0 || i >= lanes)
      stop(Finding::out_of_bounds, "lane " + std::to_string(i) + " of " + std::to_string(lanes), &inst);
    return i;
  };
  switch (inst.op) {
    case Op::select: {
      const std::uint64_t *x = words(t, inst.operands[1]), *y = words(t, inst.operands[2]);
      for (std::uint32_t i = 0; i < n; ++i) r[i] = a[lanes == 1 ? 0 : i] ? x[i] : y[i];
      return;
    }
    case Op::broadcast:
      std::fill_n(r, n, a[0]);
      return;
    case Op::extract:
      r[0] = a[lane(inst.operands[1])];
      return;
    case Op::insert: {
      const std::int64_t at = lane(inst.operands[2]);
      std::copy_n(a, n, r);
      r[at] = words(t, inst.operands[1])[0];
      return;
    }
    case Op::shuffle: {
      const std::uint64_t* b = words(t, inst.operands[1]);
      for (std::uint32_t i = 0; i < n; ++i) {
        const auto from = static_cast<std::uint64_t>(inst.imm[i]);
        r[i] = inst.imm[i] < 0 ? 0 : from < lanes ? a[from] : b[from - lanes];
      }
      return;
    }
    default:
      break;
  }
  static constexpr Op steps[] = {Op::add, Op::mul, Op::min, Op::max, Op::bit_and, Op::bit_or};
  const Op by = steps[static_cast<int>(inst.op) - static_cast<int>(Op::reduce_add)];
  const DType e = type(t, inst.operands[0]).elem;
  std::uint64_t sum = a[0];
  for (std::uint32_t i = 1; i < lanes; ++i) sum = evaluate(by, e, sum, a[i]);
  r[0] = sum;
}

// The format is the language's: {} stands for the next value.
void Interpreter::print(Thread& t, const Inst& inst) {
  std::string values;
  std::size_t next = 0;
  const auto text = [&](Value v) {
    std::string s;
    for (std::uint32_t i = 0; i < count(t, v); ++i) {
      char number[40];
      const DType e = type(t, v).elem;
      if (info(e).is_floating())
        std::snprintf(number, sizeof number, "%g", to_double(e, words(t, v)[i]));
      else
        std::snprintf(number, sizeof number, "%lld", static_cast<long long>(as_integer(e, words(t, v)[i])));
      s += (i ? " " : "") + std::string(number);
    }
    return s;
  };
  for (std::size_t i = 0; i < inst.text.size(); ++i) {
    if (inst.text.compare(i, 2, "{}") == 0 && next < inst.operands.size()) {
      values += text(inst.operands[next++]);
      ++i;
    } else {
      values += inst.text[i];
    }
  }
  while (next < inst.operands.size()) values += " " + text(inst.operands[next++]);
  report_.printed += values + "\n";
}

}  // namespace loop::detail
TESSERA_END
