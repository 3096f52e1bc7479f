// Owns the interpreter's accesses: bounds, writtenness, races, and the memory instructions.
#include <algorithm>
#include <cstring>

#include "jit/loop/evaluate.hpp"
#include "jit/loop/interpreter.hpp"
#include "tessera/ir/tile.hpp"

TESSERA_BEGIN
namespace loop::detail {

std::uint64_t Block::get(std::int64_t bit, int width) const {
  const unsigned char* at = data + bit / 8;
  std::uint64_t v = 0;
  if (width >= 8) {
    std::memcpy(&v, at, static_cast<std::size_t>(width) / 8);
    return v;
  }
  const int shift = static_cast<int>(bit % 8);
  v = at[0];
  if (shift + width > 8) v |= static_cast<std::uint64_t>(at[1]) << 8;
  return v >> shift & ((std::uint64_t{1} << width) - 1);
}

void Block::put(std::int64_t bit, int width, std::uint64_t value) {
  unsigned char* at = data + bit / 8;
  if (width >= 8) {
    std::memcpy(at, &value, static_cast<std::size_t>(width) / 8);
    return;
  }
  for (int i = 0; i < width; ++i) {
    unsigned char& byte = data[(bit + i) / 8];
    const auto one = static_cast<unsigned char>(1u << ((bit + i) % 8));
    byte = static_cast<unsigned char>(value >> i & 1 ? byte | one : byte & ~one);
  }
}

std::unique_ptr<Block> Interpreter::make_block(const Buffer& b, std::int64_t elements) const {
  auto block = std::make_unique<Block>();
  const int width = info(b.elem).bits;
  block->name = b.name;
  block->bits = elements * width;
  block->cell_bits = width;
  block->own.assign(static_cast<std::size_t>((block->bits + 7) / 8 + 8), 0xa5);  // nothing that a program could mean
  block->data = block->own.data();
  block->cells.resize(static_cast<std::size_t>(elements));
  block->shared = b.space == Space::shared && facts_.kind == MachineFacts::Kind::gpu;
  block->tracked = many_ && (block->shared || b.space == Space::global);
  return block;
}

// What lies at a buffer for this thread. Memory of known extents is made at its first use.
Block* Interpreter::place(Thread& t, std::int32_t buffer, const Inst* inst) {
  const auto i = static_cast<std::size_t>(buffer);
  if (t.places[i]) return t.places[i];
  if (globals_[i].block) return t.places[i] = globals_[i].block;
  const Buffer& b = p_.buffers[i];
  if (b.word >= 0 || b.shape.empty()) {
    found(b.word >= 0 ? Finding::out_of_bounds : Finding::misuse,
          b.word >= 0 ? "buffer " + b.name + " points to no memory of the call"
                      : "buffer " + b.name + " is used before its alloc",
          inst);
    throw Stop{};
  }
  std::int64_t elements = 1;
  for (std::int64_t n : b.shape) elements *= n;
  if (elements > std::int64_t{1} << 28) stop(Finding::limit, "buffer " + b.name + " is too large to interpret", inst);
  if (b.space == Space::shared) {
    auto& block = t.execution->blocks[i];
    if (!block) block = make_block(b, elements);
    return t.places[i] = block.get();
  }
  if (b.space == Space::global) {
    memory_.push_back(make_block(b, elements));
    globals_[i] = {memory_.back().get(), 0};
    return t.places[i] = globals_[i].block;
  }
  t.own.push_back(make_block(b, elements));
  return t.places[i] = t.own.back().get();
}

void Interpreter::allocate(Thread& t, const Inst& inst) {
  const auto i = static_cast<std::size_t>(inst.buffer);
  const Buffer& b = p_.buffers[i];
  const std::int64_t n = scalar(t, inst.operands[0]);
  if (n < 0) stop(Finding::out_of_bounds, "a negative number of elements is allocated", &inst);
  if (n > std::int64_t{1} << 28) stop(Finding::limit, "buffer " + b.name + " is too large to interpret", &inst);
  auto block = make_block(b, n);
  if (b.space == Space::global) {
    memory_.push_back(std::move(block));
    globals_[i] = {memory_.back().get(), 0};
    t.places[i] = globals_[i].block;
    return;
  }
  t.own.push_back(std::move(block));
  t.places[i] = t.own.back().get();
}

// Where an element lies, its swizzle applied: bits 4 to 6 of its byte address (as many as the swizzle has) are changed
// by bits 7 to 9. Of an element out of bounds there is a finding, and no block.
Interpreter::Spot Interpreter::spot(Thread& t, std::int32_t buffer, std::int64_t element, const Inst* inst) {
  Block* block = place(t, buffer, inst);
  const Buffer& b = p_.buffers[static_cast<std::size_t>(buffer)];
  const int width = info(b.elem).bits;
  const std::int64_t base = b.word >= 0 ? globals_[static_cast<std::size_t>(buffer)].bit : 0;
  constexpr std::int64_t far = std::int64_t{1} << 50;
  if (element < -far || element > far || base + element * width < 0 || base + (element + 1) * width > block->bits) {
    found(Finding::out_of_bounds,
          "element " + std::to_string(element) + " of " + b.name + ", which has " +
              std::to_string((block->bits - base) / width),
          inst);
    return {};
  }
  std::int64_t bit = base + element * width;
  if (b.swizzle) {
    const std::int64_t row = bit / 8 / 128 & (b.swizzle / 16 - 1);
    bit ^= row * 16 * 8;
  }
  return {block, bit};
}

void Interpreter::conflict(const Actor& who, const Access& before, const Block& block, bool wrote, bool writes,
                           const Inst* inst) {
  const bool copy = is_copy_agent(before.agent), mma = is_mma_agent(before.agent);
  const Finding::Kind kind =
      (copy || mma) && !(is_copy_agent(who.agent) && copy) ? Finding::missing_wait : Finding::race;
  if (!fresh(kind, inst, before.inst)) return;
  const std::string what = std::string(writes ? "writes " : "reads ") + block.name + " (" + describe(*who.thread) + ")";
  // What another side does with memory that this same thread's asynchronous work still uses is a wait left out as well.
  if (kind == Finding::missing_wait)
    return found(kind,
                 "`" + describe(inst) + "` " + what + " while `" + describe(before.inst) +
                     "`, which is not waited for, " + (wrote ? "writes it" : "reads it"),
                 inst, before.inst);
  found(kind,
        "`" + describe(inst) + "` " + what + ", and nothing orders it after `" + describe(before.inst) + "`, which " +
            (wrote ? "wrote it" : "read it"),
        inst, before.inst);
}

std::uint64_t Interpreter::read(const Actor& who, Spot at, int width, const Inst* inst, bool atomic) {
  if (!at.block) return 0;
  Block& b = *at.block;
  const std::int64_t first = at.bit / b.cell_bits, last = (at.bit + width - 1) / b.cell_bits;
  for (std::int64_t i = first; i <= last; ++i) {
    Cell& c = b.cells[static_cast<std::size_t>(i)];
    if (c.pending) {
      if (fresh(Finding::missing_wait, inst))
        found(Finding::missing_wait,
              "`" + describe(inst) + "` reads " + b.name + " before the copy that brings it has landed (" +
                  describe(*who.thread) + ")",
              inst);
      continue;
    }
    if (!c.written && !b.all_written) {
      if (fresh(Finding::unwritten, inst))
        found(Finding::unwritten,
              "`" + describe(inst) + "` reads " + b.name + "[" + std::to_string(i) + "], which nothing wrote (" +
                  describe(*who.thread) + ")",
              inst);
      continue;
    }
    if (!b.tracked) continue;
    if (!(atomic && c.atomic)) {
      if (!ordered(who, c.write))
        conflict(who, c.write, b, true, false, inst);
      else if (who.fenced && b.shared && c.write.time > who.fenced->at(c.write.agent) && !is_copy_agent(c.write.agent))
        found(Finding::missing_fence,
              "`" + describe(inst) + "` reads " + b.name + " past the caches of plain stores, and no fence follows `" +
                  describe(c.write.inst) + "`",
              inst, c.write.inst);
    }
    if (atomic) continue;  // the write that follows stands for both
    const Access now{who.time, who.agent, inst};
    if (c.readers >= 0) {
      auto& all = b.readers[static_cast<std::size_t>(c.readers)];
      const auto mine = std::find_if(all.begin(), all.end(), [&](const Access& a) { return a.agent == who.agent; });
      if (mine != all.end())
        *mine = now;
      else
        all.push_back(now);
    } else if (ordered(who, c.read)) {
      c.read = now;
    } else {
      c.readers = static_cast<std::int32_t>(b.readers.size());
      b.readers.push_back({c.read, now});
    }
  }
  return b.get(at.bit, width);
}

void Interpreter::write(const Actor& who, Spot at, int width, std::uint64_t value, const Inst* inst, bool atomic) {
  if (!at.block) return;
  Block& b = *at.block;
  if (!b.writable)
    return found(Finding::out_of_bounds, "`" + describe(inst) + "` writes " + b.name + ", which is read only", inst);
  const std::int64_t first = at.bit / b.cell_bits, last = (at.bit + width - 1) / b.cell_bits;
  for (std::int64_t i = first; i <= last; ++i) {
    Cell& c = b.cells[static_cast<std::size_t>(i)];
    c.written = true;
    if (!b.tracked) continue;
    if (!(atomic && c.atomic) && !ordered(who, c.write)) conflict(who, c.write, b, true, true, inst);
    if (c.readers >= 0) {
      for (const Access& a : b.readers[static_cast<std::size_t>(c.readers)])
        if (!ordered(who, a)) conflict(who, a, b, false, true, inst);
      b.readers[static_cast<std::size_t>(c.readers)].clear();
      c.read = {};
    } else if (!ordered(who, c.read)) {
      conflict(who, c.read, b, false, true, inst);
    }
    c.write = {who.time, who.agent, inst};
    c.atomic = atomic;
  }
  b.put(at.bit, width, value);
}

void Interpreter::memory(Thread& t, const Inst& inst) {
  const Buffer& buffer = p_.buffers[static_cast<std::size_t>(inst.buffer)];
  const int width = info(buffer.elem).bits;
  const std::int64_t offset = scalar(t, inst.operands[0]);
  const std::uint64_t* mask = inst.flags & flag_masked ? words(t, inst.operands.back()) : nullptr;
  const Actor who = actor(t);
  const auto get = [&](std::int64_t element) { return read(who, spot(t, inst.buffer, element, &inst), width, &inst); };
  const auto put = [&](std::int64_t element, std::uint64_t v) {
    write(who, spot(t, inst.buffer, element, &inst), width, v, &inst);
  };
  switch (inst.op) {
    case Op::load: {
      std::uint64_t* r = words(t, inst.results[0]);
      for (std::uint32_t i = 0; i < count(t, inst.results[0]); ++i) {
        r[i] = mask && !mask[i] ? 0 : get(offset + i);
        if (buffer.elem == DType::b8) r[i] = r[i] != 0;
      }
      return;
    }
    case Op::store: {
      const std::uint64_t* v = words(t, inst.operands[1]);
      for (std::uint32_t i = 0; i < count(t, inst.operands[1]); ++i)
        if (!mask || mask[i]) put(offset + i, v[i]);
      return;
    }
    case Op::gather:
    case Op::scatter: {
      const DType it = type(t, inst.operands[1]).elem;
      const std::uint64_t* index = words(t, inst.operands[1]);
      std::uint64_t* r = words(t, inst.op == Op::gather ? inst.results[0] : inst.operands[2]);
      for (std::uint32_t i = 0; i < count(t, inst.operands[1]); ++i) {
        const bool on = !mask || mask[i];
        if (inst.op == Op::scatter) {
          if (on) put(offset + as_integer(it, index[i]), r[i]);
        } else {
          r[i] = on ? get(offset + as_integer(it, index[i])) : 0;
        }
      }
      return;
    }
    case Op::fill: {
      const std::int64_t n = scalar(t, inst.operands[1]);
      const std::uint64_t v = words(t, inst.operands[2])[0];
      report_.steps += std::max<std::int64_t>(n, 0) / 16;
      for (std::int64_t i = 0; i < n && report_.findings.size() < options_.finding_limit; ++i) {
        const Spot s = spot(t, inst.buffer, offset + i, &inst);
        if (!s.block) return;
        write(who, s, width, v, &inst);
      }
      return;
    }
    default:
      return;  // a prefetch of any address does nothing
  }
}

// Relaxed: what orders other memory around it is a fence before, on the side that publishes, and one after, on the
// other.
void Interpreter::atomic(Thread& t, const Inst& inst) {
  const Buffer& buffer = p_.buffers[static_cast<std::size_t>(inst.buffer)];
  const int width = info(buffer.elem).bits;
  const Spot at = spot(t, inst.buffer, scalar(t, inst.operands[0]), &inst);
  if (!at.block) return;
  const Actor who = actor(t);
  const std::uint64_t old = read(who, at, width, &inst, true), v = words(t, inst.operands[1])[0];
  std::uint64_t next = v;
  if (inst.op == Op::compare_exchange) {
    next = old == v ? words(t, inst.operands[2])[0] : old;
  } else {
    static constexpr Op ops[] = {Op::min, Op::max, Op::add, Op::add, Op::bit_and, Op::bit_or, Op::bit_xor, Op::add};
    const auto kind = static_cast<ir::AtomicKind>(inst.imm[0]);
    if (kind != ir::AtomicKind::exchange) next = evaluate(ops[inst.imm[0]], buffer.elem, old, v);
  }
  write(who, at, width, next, &inst, true);
  if (!inst.results.empty()) words(t, inst.results[0])[0] = old;
  Clock& here = atomics_[{at.block, at.bit}];
  t.acquired.join(here);
  here.join(t.released);
  ++world_;
}

}  // namespace loop::detail
TESSERA_END
