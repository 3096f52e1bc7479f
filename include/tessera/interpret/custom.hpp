// Owns custom reductions and scans: a region of the program combines lanes, in ascending order.
#pragma once

#include <cmath>
#include <string>
#include <utility>

#include "tessera/interpret/control.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace interpreter {

/// A reduction in progress: k values a lane, combined by the region of node `id`.
struct Custom {
  std::int32_t id = 0, end = 0;
  std::size_t k = 0;
  Shape rest;                        ///< the result's axes without the one that goes
  std::vector<std::int32_t> params;  ///< the nodes of the left values, then the right ones; −1: not used
  std::vector<DType> types;
  std::vector<Folded> tiles;
  std::vector<Value> acc, right;

  /// Runs the region on left values and `right`; results have the shape `rest`.
  std::vector<Value> combine(Machine& m, const std::vector<Value>& left) const {
    for (std::size_t j = 0; j < 2 * k; ++j)
      if (params[j] >= 0) m.value(params[j]) = j < k ? left[j] : right[j - k];
    execute(m, id + 1, end);
    std::vector<Value> results(k);
    for (std::size_t j = 0; j < k; ++j) {
      results[j].reset(types[j], rest);
      const int uncertain = std::exchange(m.uncertain, 0);
      assign(m, results[j], m.operand(m.node(end), static_cast<int>(j)));
      m.uncertain = uncertain;
    }
    return results;
  }
  bool has(std::size_t o, std::size_t i, std::size_t inner) const {
    for (const Folded& f : tiles)
      if (!f.has(o * inner + i)) return false;
    return true;
  }
};

/// Reports an identity e with op(e, x) ≠ x, for finite x.
inline void check_identity(Machine& m, const Custom& c, const std::vector<Value>& identity, std::size_t i,
                           std::size_t inner) {
  const std::vector<Value> results = c.combine(m, identity);
  for (std::size_t o = 0; o < c.right[0].size(); ++o) {
    if (!c.has(o, i, inner)) continue;
    bool finite = true, same = true;
    for (std::size_t j = 0; j < c.k; ++j) {
      const double x = number(c.types[j], c.right[j].words[o]);
      finite = finite && std::isfinite(x);
      same = same && x == number(c.types[j], results[j].words[o]);
    }
    if (!finite || same) continue;
    m.found(FindingKind::identity, c.id,
            "reduce: the identity is none: op(identity, x) is not x" + m.place(c.rest, static_cast<std::int64_t>(o)));
    return;
  }
}

/// reduce and scan_by: from the first lane that exists on; of nothing, the identity.
inline void run_custom(Machine& m, std::int32_t id) {
  const ir::Node& n = m.node(id);
  const int axis = static_cast<int>(n.imm & 0xff);
  const bool scans = n.op == ir::Op::scan_by;
  Custom c;
  c.id = id;
  c.end = m.end_of[static_cast<std::size_t>(id)];
  c.k = n.count / 2u;
  c.params.assign(2 * c.k, -1);
  for (std::int32_t p = id + 1; p < c.end; ++p)
    if (m.node(p).op == ir::Op::param) c.params[static_cast<std::size_t>(m.node(p).imm)] = p;
  const Shape whole = m.shape_of(n, id);
  Shape along;
  for (int i = 0; i < whole.rank; ++i)
    if (whole.axes[i] != axis) c.rest.add(whole.axes[i], whole.lanes[i]);
  along.add(axis, m.axis(axis).lanes);
  c.tiles.resize(c.k);
  c.acc.resize(c.k);
  c.right.resize(c.k);
  std::vector<Folded> scanned(scans ? c.k : 0);
  for (std::size_t j = 0; j < c.k; ++j) {
    const std::int32_t p = c.params[j] >= 0 ? c.params[j] : c.params[c.k + j];
    c.types.push_back(p >= 0 ? m.node(p).type : m.operand(m.node(c.end), static_cast<int>(j)).type);
    c.tiles[j].lay_out(m, m.operand(n, static_cast<int>(j)), c.rest, along, c.types[j]);
    c.acc[j].reset(c.types[j], c.rest);
    assign(m, c.acc[j], m.operand(n, static_cast<int>(c.k + j)));
    if (scans) {
      scanned[j].shape = c.tiles[j].shape;
      scanned[j].words.resize(c.tiles[j].words.size());
      if (m.options.bounds) scanned[j].error.resize(c.tiles[j].words.size());
    }
  }
  const std::size_t outer = c.tiles[0].outer, inner = c.tiles[0].inner;
  std::vector<std::uint8_t> seen(outer, 0);
  const std::vector<Value> identity = c.acc;
  const bool slack = std::exchange(m.slack, true);
  bool checked = false;
  for (std::size_t i = 0; i < inner; ++i) {
    bool some = false, later = false;
    for (std::size_t o = 0; o < outer; ++o) {
      const bool has = c.has(o, i, inner);
      some |= has;
      later |= has && seen[o];
    }
    for (std::size_t j = 0; j < c.k && some; ++j) {
      c.right[j].reset(c.types[j], c.rest);
      if (!c.tiles[j].error.empty()) c.right[j].error.resize(outer);
      for (std::size_t o = 0; o < outer; ++o) {
        c.right[j].words[o] = c.tiles[j].words[o * inner + i];
        if (!c.right[j].error.empty()) c.right[j].error[o] = c.tiles[j].error[o * inner + i];
      }
    }
    if (some && !checked) {
      check_identity(m, c, identity, i, inner);
      checked = true;
    }
    const std::vector<Value> next = later ? c.combine(m, c.acc) : c.right;
    for (std::size_t j = 0; j < c.k; ++j) {
      Value& acc = c.acc[j];
      for (std::size_t o = 0; o < outer && some; ++o) {
        if (!c.has(o, i, inner)) continue;
        const Value& from = seen[o] ? next[j] : c.right[j];
        acc.words[o] = from.words[o];
        if (acc.error.empty() && from.error_at(o) == 0) continue;
        if (acc.error.empty()) acc.error.assign(outer, 0.0);
        acc.error[o] = from.error_at(o);
      }
      for (std::size_t o = 0; o < outer && scans; ++o) {
        scanned[j].words[o * inner + i] = acc.words[o];
        if (!scanned[j].error.empty()) scanned[j].error[o * inner + i] = acc.error_at(o);
      }
    }
    for (std::size_t o = 0; o < outer; ++o) seen[o] |= static_cast<std::uint8_t>(c.has(o, i, inner));
  }
  m.slack = slack;
  std::vector<Value>& parts = m.parts[static_cast<std::size_t>(id)];
  parts.resize(c.k);
  for (std::size_t j = 0; j < c.k; ++j) {
    if (!scans) {
      parts[j] = c.acc[j];
      continue;
    }
    parts[j].reset(c.types[j], whole);
    put_back(scanned[j], parts[j]);
  }
  m.value(id) = parts[0];
}

}  // namespace interpreter
TESSERA_END
