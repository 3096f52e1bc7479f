// Owns the interpreter's concurrency: channels, barriers, fences, copies in flight, and the fabric of a mesh.
#include <algorithm>

#include "jit/loop/interpreter.hpp"

TESSERA_BEGIN
namespace loop::detail {

// What a thread does after it published its clock is not covered by what it published.
void Interpreter::tick(Thread& t) { t.clock.raise(t.id, ++t.time); }

Interpreter::Step Interpreter::synchronise(Thread& t, const Inst& inst) {
  switch (inst.op) {
    case Op::acquire:
    case Op::commit:
    case Op::wait:
    case Op::release:
      return slot(t, inst);
    case Op::barrier:
      return barrier(t, inst);
    case Op::send:
    case Op::recv:
      return transfer(t, inst);
    case Op::fence:
      fence(t);
      return went_on;
    case Op::copy_async:
      start_copy(t, inst);
      return went_on;
    case Op::wait_mma: {
      const auto issued = static_cast<std::int64_t>(t.mma_issued.size());
      const std::int64_t waited = std::max<std::int64_t>(issued - inst.imm[0], t.mma_waited);
      for (std::int64_t i = t.mma_waited; i < waited; ++i) {
        const auto& [agent, time] = t.mma_issued[static_cast<std::size_t>(i)];
        t.clock.raise(agent, time);
      }
      t.mma_waited = static_cast<std::uint32_t>(waited);
      return went_on;
    }
    default: {  // wait_copy
      const auto stay =
          static_cast<std::size_t>(std::min<std::int64_t>(inst.imm[0], static_cast<std::int64_t>(t.copies.size())));
      const std::size_t over = t.copies.size() - stay;
      for (std::size_t i = 0; i < over; ++i)
        if (!t.copies[i]->landed) return waits;
      for (std::size_t i = 0; i < over; ++i) t.clock.join(t.copies[i]->clock);
      t.copies.erase(t.copies.begin(), t.copies.begin() + static_cast<std::ptrdiff_t>(over));
      return went_on;
    }
  }
}

Interpreter::Step Interpreter::slot(Thread& t, const Inst& inst) {
  const Channel& c = p_.channels[static_cast<std::size_t>(inst.buffer)];
  Ring& ring = t.execution->rings[static_cast<std::size_t>(inst.buffer)];
  const std::int64_t n = scalar(t, inst.operands[0]);
  if (n < 0) stop(Finding::misuse, "a ring is used for the first time as number 0, not " + std::to_string(n), &inst);
  const auto depth = static_cast<std::int64_t>(ring.full.size());
  const std::int64_t phase = n / depth;
  Ring::Side &full = ring.full[static_cast<std::size_t>(n % depth)],
             &empty = ring.empty[static_cast<std::size_t>(n % depth)];
  const auto at = [&](const char* what, std::int64_t now) {
    if (fresh(Finding::misuse, &inst))
      found(Finding::misuse,
            "`" + describe(&inst) + "` " + what + " use " + std::to_string(n) + " of " + c.name +
                " while its slot is at use " + std::to_string(now * depth + n % depth) + " (" + describe(t) + ")",
            &inst);
  };
  switch (inst.op) {
    case Op::acquire:
      if (empty.phase < phase) return waits;
      t.clock.join(empty.done);
      t.fenced.join(empty.done_fenced);
      return went_on;
    case Op::commit:
      if (full.phase != phase) at("commits", full.phase);
      arrive(full, 1, 0, t.clock, t.fenced, c.producers, c.bytes);
      tick(t);
      return went_on;
    case Op::wait:
      if (full.phase < phase + 1) return waits;
      if (full.phase > phase + 1) {  // what is there is another use's: nothing orders it for this one
        at("waits for", full.phase - 1);
        return went_on;
      }
      t.clock.join(full.done);
      t.fenced.join(full.done_fenced);
      return went_on;
    default:  // release
      if (empty.phase != phase) at("releases", empty.phase);
      arrive(empty, 1, 0, t.clock, t.fenced, c.consumers, 0);
      tick(t);
      return went_on;
  }
}

void Interpreter::arrive(Ring::Side& side, std::int64_t arrivals, std::int64_t bytes, const Clock& clock,
                         const Clock& fenced, std::int64_t wanted_arrivals, std::int64_t wanted_bytes) {
  side.arrivals += arrivals;
  side.bytes += bytes;
  side.gathering.join(clock);
  side.gathering_fenced.join(fenced);
  if (side.arrivals < wanted_arrivals || side.bytes < wanted_bytes) return;
  side.arrivals -= wanted_arrivals;
  side.bytes -= wanted_bytes;
  ++side.phase;
  side.done = std::move(side.gathering);
  side.done_fenced = std::move(side.gathering_fenced);
  side.gathering.clear();
  side.gathering_fenced.clear();
  ++world_;
}

Interpreter::Step Interpreter::barrier(Thread& t, const Inst& inst) {
  Execution& e = *t.execution;
  const auto scope = static_cast<Scope>(inst.imm[0]);
  std::int64_t group = 0, size = e.threads;
  if (scope == Scope::warp) group = t.warp, size = facts_.kind == MachineFacts::Kind::gpu ? facts_.lanes : 1;
  if (scope == Scope::role && t.in_role)
    group = t.role_first, size = t.role_warps * (facts_.kind == MachineFacts::Kind::gpu ? facts_.lanes : 1);
  Meeting& m = e.barriers[{static_cast<int>(inst.imm[0]), static_cast<std::uint32_t>(group), inst.imm[1]}];
  if (t.met) {
    if (t.generation == m.generation) return waits;
    t.met = false;
    return went_on;
  }
  m.here.push_back(t.id - threads_[e.first_thread]->id + e.first_thread);
  if (static_cast<std::int64_t>(m.here.size()) < size) {
    t.met = true;
    t.generation = m.generation;
    return waits;
  }
  Clock clock, fenced;
  for (std::uint32_t i : m.here) clock.join(threads_[i]->clock), fenced.join(threads_[i]->fenced);
  for (std::uint32_t i : m.here) {
    threads_[i]->clock = clock;
    threads_[i]->fenced = fenced;
    tick(*threads_[i]);
  }
  m.here.clear();
  ++m.generation;
  ++world_;
  return went_on;
}

// Publishes what is before it to asynchronous units and, through atomics, to others; and takes in what atomics brought.
void Interpreter::fence(Thread& t) {
  t.clock.join(t.acquired);
  t.released = t.clock;
  t.fenced = t.clock;
  tick(t);
}

void Interpreter::start_copy(Thread& t, const Inst& inst) {
  const auto copy = std::make_shared<Copy>();
  const auto source = static_cast<std::int32_t>(inst.imm[0]);
  const Buffer &from = p_.buffers[static_cast<std::size_t>(source)],
               &to = p_.buffers[static_cast<std::size_t>(inst.buffer)];
  const std::size_t rank = inst.imm.size() - 2;
  const bool masked = (inst.flags & flag_masked) != 0;
  const bool strided_to = from.space != Space::global && to.space == Space::global;
  copy->inst = &inst;
  copy->thread = t.id;
  copy->width = info(to.elem).bits;
  copy->channel = static_cast<int>(inst.imm[1]);
  copy->from = place(t, source, &inst);
  copy->to = place(t, inst.buffer, &inst);
  if (t.copy_time == 0) t.copy_agent = new_agent('c');
  copy->agent = t.copy_agent;
  copy->time = ++t.copy_time;
  copy->clock = t.clock;
  copy->clock.raise(copy->agent, copy->time);
  copy->fenced = t.fenced;
  const std::int64_t offset[2] = {scalar(t, inst.operands[0]), scalar(t, inst.operands[1])};
  std::vector<std::int64_t> stride(rank, 1), limit(rank, INT64_MAX), at(rank, 0);
  std::int64_t elements = 1;
  for (std::size_t d = 0; d < rank; ++d) {
    if (d + 1 < rank) stride[d] = scalar(t, inst.operands[2 + d]);
    if (masked) limit[d] = scalar(t, inst.operands[1 + rank + d]);
    elements *= inst.imm[2 + d];
  }
  if (elements > 1 << 22) stop(Finding::limit, "the box is too large to interpret", &inst);
  for (std::int64_t i = 0; i < elements; ++i) {
    std::int64_t strided = 0;
    bool inside = true;
    for (std::size_t d = 0; d < rank; ++d) {
      strided += at[d] * stride[d];
      inside = inside && at[d] < limit[d];
    }
    Copy::Element e{-1, -1};
    if (inside || strided_to) {
      if (inside) e.from = spot(t, source, offset[0] + (strided_to ? i : strided), &inst).bit;
      if (inside && !copy->from) return;
    }
    if (inside || !strided_to) {
      const Spot s = spot(t, inst.buffer, offset[1] + (strided_to ? strided : i), &inst);
      if (!s.block) return;
      e.to = s.bit;
      for (std::int64_t c = s.bit / s.block->cell_bits; c <= (s.bit + copy->width - 1) / s.block->cell_bits; ++c)
        ++s.block->cells[static_cast<std::size_t>(c)].pending;
    }
    copy->elements.push_back(e);
    for (std::size_t d = rank; d-- > 0;) {
      if (++at[d] < inst.imm[2 + d]) break;
      at[d] = 0;
    }
  }
  if (copy->channel >= 0) {
    copy->slot = scalar(t, inst.operands.back());
    if (copy->slot < 0) stop(Finding::misuse, "a ring's uses are numbered from 0", &inst);
  } else {
    t.copies.push_back(copy);
  }
  in_flight_.push_back(copy);
  tick(t);
  ++world_;
}

void Interpreter::land(Copy& copy) {
  const Thread* thread = nullptr;
  for (const auto& t : threads_)
    if (t->id == copy.thread) thread = t.get();
  const Actor who{copy.agent, copy.time, &copy.clock, proxies_ ? &copy.fenced : nullptr, thread};
  std::int64_t bits = 0;
  for (const Copy::Element& e : copy.elements) {
    bits += copy.width;
    const std::uint64_t v = e.from >= 0 ? read(who, {copy.from, e.from}, copy.width, copy.inst) : 0;
    if (e.to < 0) continue;
    for (std::int64_t c = e.to / copy.to->cell_bits; c <= (e.to + copy.width - 1) / copy.to->cell_bits; ++c)
      --copy.to->cells[static_cast<std::size_t>(c)].pending;
    write(who, {copy.to, e.to}, copy.width, v, copy.inst);
  }
  copy.landed = true;
  ++world_;
  if (copy.channel < 0) return;
  const Channel& c = p_.channels[static_cast<std::size_t>(copy.channel)];
  Ring& ring = thread->execution->rings[static_cast<std::size_t>(copy.channel)];
  arrive(ring.full[static_cast<std::size_t>(copy.slot) % ring.full.size()], 0, bits / 8, copy.clock, copy.fenced,
         c.producers, c.bytes);
}

void Interpreter::land_some(bool all) {
  while (!in_flight_.empty()) {
    const std::size_t i = random(in_flight_.size());
    const auto copy = in_flight_[i];
    in_flight_.erase(in_flight_.begin() + static_cast<std::ptrdiff_t>(i));
    land(*copy);
    if (!all) return;
  }
}

Interpreter::Step Interpreter::transfer(Thread& t, const Inst& inst) {
  const Channel& c = p_.channels[static_cast<std::size_t>(inst.buffer)];
  Stream& s = streams_[static_cast<std::size_t>(inst.buffer)];
  const auto buffer = static_cast<std::int32_t>(inst.imm[0]);
  const int width = info(p_.buffers[static_cast<std::size_t>(buffer)].elem).bits;
  const std::int64_t offset = scalar(t, inst.operands[0]), n = scalar(t, inst.operands[1]);
  const bool send = inst.op == Op::send;
  const auto [mine, first] = t.colours.emplace(c.colour, inst.buffer);
  if (mine->second != inst.buffer)
    stop(Finding::misuse,
         describe(t) + " uses colour " + std::to_string(c.colour) + " for " +
             p_.channels[static_cast<std::size_t>(mine->second)].name + " too",
         &inst);
  if (send)
    s.senders.insert(t.id);
  else
    s.taken.try_emplace(t.id, 0);
  if (static_cast<std::int64_t>(s.senders.size()) > c.producers ||
      static_cast<std::int64_t>(s.taken.size()) > c.consumers)
    stop(Finding::misuse, "more " + std::string(send ? "senders" : "receivers") + " than " + c.name + " has", &inst);
  const Actor who = actor(t);
  std::shared_ptr<const Clock> clock;
  for (; t.transferred < n; ++t.transferred) {
    if (send) {
      if (static_cast<std::int64_t>(s.queue.size()) >= c.depth) break;
      if (!clock) clock = std::make_shared<Clock>(t.clock);
      s.queue.push_back({read(who, spot(t, buffer, offset + t.transferred, &inst), width, &inst), clock});
    } else {
      std::int64_t& taken = s.taken[t.id];
      if (taken - s.gone >= static_cast<std::int64_t>(s.queue.size())) break;
      const Stream::Element& e = s.queue[static_cast<std::size_t>(taken - s.gone)];
      t.clock.join(*e.clock);
      write(who, spot(t, buffer, offset + t.transferred, &inst), width, e.bits, &inst);
      ++taken;
      const auto behind = [&](const auto& r) { return r.second <= s.gone; };
      if (static_cast<std::int64_t>(s.taken.size()) == c.consumers &&
          std::none_of(s.taken.begin(), s.taken.end(), behind)) {
        s.queue.pop_front();
        ++s.gone;
      }
    }
    ++world_;
  }
  if (send && clock) tick(t);
  if (t.transferred < n) return waits;
  t.transferred = 0;
  return went_on;
}

}  // namespace loop::detail
TESSERA_END
