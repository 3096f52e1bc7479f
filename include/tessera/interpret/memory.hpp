// Owns reading and writing arrays: load, store, accumulate, atomic.
#pragma once

#include <string>

#include "tessera/interpret/places.hpp"
#include "tessera/interpret/reduce.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace interpreter {

inline void run_load(Machine& m, std::int32_t id) {
  const ir::Node& n = m.node(id);
  const int array = static_cast<int>(n.imm);
  Array& a = m.arrays[static_cast<std::size_t>(array)];
  const bool padded = (n.flags & ir::flag_padded) != 0, masked = (n.flags & ir::flag_masked) != 0;
  const int mask = masked ? a.rank + padded : -1;
  Places p;
  find_places(m, id, n, a, array, mask, padded, p);
  Value& v = m.value(id);
  v.reset(n.type, p.shape);
  Lanes pad, other;
  const auto bind = [&](Lanes& lanes, int operand) {
    lanes.bind(m.operand(n, operand), v.shape);
    lanes.convert(m.operand(n, operand).type, v.type, v.size());
  };
  if (padded) bind(pad, a.rank);
  if (masked) bind(other, mask + 1);
  const bool private_memory = is_private(a);
  if (m.options.bounds && (!p.doubt.empty() || !a.error.empty() || private_memory || pad.error || other.error))
    v.error.assign(v.size(), 0.0);
  if (a.effect == ir::Effect::out)
    m.found(FindingKind::unwritten, id, m.argument_name(array) + " is Out, and is read").argument = array;
  const bool convert = a.type != v.type;
  if (p.exists.empty() && p.outside.empty() && a.effect == ir::Effect::in && v.error.empty() && !convert) {
    for (std::size_t i = 0; i < v.size(); ++i) v.words[i] = read_element(a, p.offset[i]);
    v.gone.swap(p.gone);
    return;
  }
  for (std::size_t i = 0; i < v.size(); ++i) {
    double e = 0;
    Word w = 0;
    if (!p.has(i)) {
      if (other.words) w = other.word(i), e = other.error_at(i);
    } else if (p.element[i] < 0) {
      if (padded) w = pad.word(i), e = pad.error_at(i);
    } else if (private_memory) {
      const auto cell = a.memory.find(p.element[i]);
      if (cell != a.memory.end()) {
        w = cell->second.word;
        e = cell->second.error;
      } else {
        m.found(
             FindingKind::unwritten, id,
             m.argument_name(array) + " is read before it is written" + m.place(v.shape, static_cast<std::int64_t>(i)))
            .argument = array;
      }
    } else {
      note_read(m, id, a, array, p.element[i]);
      w = read_element(a, p.offset[i]);
      if (convert) w = canonical(v.type, convert_bits(a.type, v.type, w));
      if (!a.error.empty()) e = a.error[static_cast<std::size_t>(p.element[i])];
    }
    v.words[i] = w;
    if (!v.error.empty()) v.error[i] = p.doubtful(i) ? unbounded : e;
  }
  v.gone.swap(p.gone);
}

/// Adds `x` to an element as += does: the order of the terms is free.
inline void add_to_element(Machine& m, std::int32_t id, Array& a, int array, std::int64_t element, std::int64_t offset,
                           Word x, double e) {
  const DTypeInfo& t = info(a.type);
  const Word old = read_element(a, offset);
  if (!t.is_floating()) {
    Wrong wrong = Wrong::none;
    write_element(a, offset, integer_op(ir::Op::add, t, a.type, old, x, wrong));
    if (wrong != Wrong::none)
      m.found(FindingKind::overflow, id, m.argument_name(array) + ": += in " + std::string(t.name) + " overflows")
          .argument = array;
    const double before = a.error.empty() ? 0.0 : a.error[static_cast<std::size_t>(element)];
    set_error(m, a, element, before + e);
    return;
  }
  Word sum = 0;
  with_arithmetic(a.type, [&](auto arithmetic) { sum = arithmetic.put(arithmetic.get(old) + arithmetic.get(x)); });
  write_element(a, offset, sum);
  if (!m.options.bounds) return;
  if (a.sums.empty()) a.sums.resize(static_cast<std::size_t>(a.elements));
  Array::Sum& s = a.sums[static_cast<std::size_t>(element)];
  const double term = number(a.type, x), before = number(a.type, old), after = number(a.type, sum);
  if (s.terms == 0) {
    s.facts = {};
    s.facts.add(before);
    s.facts.errors = a.error.empty() ? 0.0 : a.error[static_cast<std::size_t>(element)];
    s.exact = before;
  }
  s.terms += 1;
  s.exact += term;
  s.facts.add(term);
  s.facts.errors += e;
  s.facts.own = static_cast<double>(std::fabs(s.exact - static_cast<long double>(after)));
  // One term on a zero is exact in every order.
  const bool exact = s.terms == 1 && before == 0;
  set_error(m, a, element, exact ? s.facts.errors : sum_error(a.type, Ulp(a.type), s.terms, s.facts, after));
}

/// store and accumulate: operands are the indices, the value, and a mask.
inline void run_store(Machine& m, std::int32_t id) {
  const ir::Node& n = m.node(id);
  const int array = static_cast<int>(n.imm);
  Array& a = m.arrays[static_cast<std::size_t>(array)];
  const bool masked = (n.flags & ir::flag_masked) != 0, adds = n.op == ir::Op::accumulate;
  Places p;
  find_places(m, id, n, a, array, masked ? a.rank + 1 : -1, false, p);
  Lanes value;
  value.bind(m.operand(n, a.rank), p.shape);
  const auto size = static_cast<std::size_t>(p.shape.count());
  value.convert(m.operand(n, a.rank).type, a.type, size);
  if (p.index_doubt) lose_bounds(m, a);
  const std::uint32_t stamp = ++m.stores;
  const bool watch = m.options.races && !adds && !is_private(a);
  if (watch && a.stamp.empty()) a.stamp.assign(static_cast<std::size_t>(a.elements), 0);
  for (std::size_t i = 0; i < size; ++i) {
    const std::int64_t element = p.element[i];
    if (element < 0) continue;
    const bool doubt = p.doubtful(i) || m.uncertain > 0;
    if (!p.has(i) || value.gone_at(i)) {
      if (doubt && !is_private(a) && masked) set_error(m, a, element, unbounded);
      continue;
    }
    const Word w = value.word(i);
    const double e = doubt || p.index_doubt ? unbounded : value.error_at(i);
    if (is_private(a)) {
      Array::Private& cell = a.memory[element];
      Wrong wrong = Wrong::none;
      if (!adds)
        cell.word = w;
      else if (info(a.type).is_floating())
        with_arithmetic(a.type, [&](auto t) { cell.word = t.put(t.get(cell.word) + t.get(w)); });
      else
        cell.word = integer_op(ir::Op::add, info(a.type), a.type, cell.word, w, wrong);
      cell.error = adds ? rounded_error(cell.error + e, number(a.type, cell.word), Ulp(a.type), false, true) : e;
      if (wrong != Wrong::none)
        m.found(FindingKind::overflow, id, m.argument_name(array) + ": += overflows").argument = array;
      continue;
    }
    if (adds) {
      note_add(m, id, a, array, element);
      add_to_element(m, id, a, array, element, p.offset[i], w, e);
      continue;
    }
    note_write(m, id, a, array, element);
    if (watch) {
      std::uint32_t& last = a.stamp[static_cast<std::size_t>(element)];
      if (last == stamp && read_element(a, p.offset[i]) != w)
        found_race(m, id, array, element, -1, "written with different values by two lanes of one store");
      last = stamp;
    }
    write_element(a, p.offset[i], w);
    if (!a.sums.empty()) a.sums[static_cast<std::size_t>(element)] = {};
    set_error(m, a, element, e);
  }
}

/// atomic: unordered read-modify-write; its value is what the element was, in the order of lanes and programs here.
inline void run_atomic(Machine& m, std::int32_t id) {
  using ir::AtomicKind;
  const ir::Node& n = m.node(id);
  const int array = static_cast<int>(n.imm & 0xffffffff);
  const auto kind = static_cast<AtomicKind>(n.imm >> 32);
  Array& a = m.arrays[static_cast<std::size_t>(array)];
  const int compared = kind == AtomicKind::compare_exchange ? 1 : 0;
  Places p;
  find_places(m, id, n, a, array, (n.flags & ir::flag_masked) != 0 ? a.rank + 1 + compared : -1, false, p);
  Value& v = m.value(id);
  v.reset(n.type, p.shape);
  const std::size_t size = v.size();
  Lanes value, expected;
  value.bind(m.operand(n, a.rank), p.shape);
  value.convert(m.operand(n, a.rank).type, a.type, size);
  if (compared) {
    expected.bind(m.operand(n, a.rank + 1), p.shape);
    expected.convert(m.operand(n, a.rank + 1).type, a.type, size);
  }
  if (p.index_doubt) lose_bounds(m, a);
  if (m.options.bounds) v.error.assign(size, unbounded);  // which program came first is nobody's promise
  const DTypeInfo& t = info(a.type);
  for (std::size_t i = 0; i < size; ++i) {
    v.words[i] = 0;
    const std::int64_t element = p.element[i];
    if (!p.has(i) || element < 0 || value.gone_at(i) || expected.gone_at(i)) continue;
    const Word x = value.word(i);
    Array::Private* cell = is_private(a) ? &a.memory[element] : nullptr;
    const Word old = cell ? cell->word : read_element(a, p.offset[i]);
    v.words[i] = canonical(v.type, convert_bits(a.type, v.type, old));
    if (!cell) note_add(m, id, a, array, element);
    if (!cell && kind == AtomicKind::add) {
      add_to_element(m, id, a, array, element, p.offset[i], x, value.error_at(i));
      continue;
    }
    Word w = old;
    double e = std::max(value.error_at(i), a.error.empty() || cell ? 0.0 : a.error[static_cast<std::size_t>(element)]);
    Wrong wrong = Wrong::none;
    switch (kind) {
      case AtomicKind::min:
      case AtomicKind::max: {
        const bool is_max = kind == AtomicKind::max;
        if (t.is_floating())
          with_arithmetic(
              a.type, [&](auto f) { w = f.put(is_max ? max_of(f.get(old), f.get(x)) : min_of(f.get(old), f.get(x))); });
        else
          w = integer_op(is_max ? ir::Op::max : ir::Op::min, t, a.type, old, x, wrong);
        break;
      }
      case AtomicKind::exchange:
        w = x;
        e = unbounded;
        break;
      case AtomicKind::compare_exchange:
        w = old == expected.word(i) ? x : old;
        e = unbounded;
        break;
      case AtomicKind::bit_and:
        w = old & x;
        break;
      case AtomicKind::bit_or:
        w = old | x;
        break;
      case AtomicKind::bit_xor:
        w = old ^ x;
        break;
      case AtomicKind::add:
        if (t.is_floating())
          with_arithmetic(a.type, [&](auto f) { w = f.put(f.get(old) + f.get(x)); });
        else
          w = integer_op(ir::Op::add, t, a.type, old, x, wrong);
        break;
    }
    if (wrong != Wrong::none)
      m.found(FindingKind::overflow, id, m.argument_name(array) + ": atomic add overflows").argument = array;
    if (p.doubtful(i) || m.uncertain > 0) e = unbounded;
    if (cell) {
      cell->word = w;
      cell->error = e;
    } else {
      write_element(a, p.offset[i], w);
      set_error(m, a, element, e);
    }
  }
  v.gone.swap(p.gone);
}

}  // namespace interpreter
TESSERA_END
