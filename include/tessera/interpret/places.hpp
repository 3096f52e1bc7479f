// Owns where in an array an access goes, lane by lane, and the elements themselves.
#pragma once

#include <string>

#include "tessera/interpret/machine.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace interpreter {

/// What an access of an array touches: for each lane of its shape an element, or that it does not.
struct Places {
  Shape shape;
  std::vector<std::int64_t> element;  ///< row-major over the extents; −1: outside
  std::vector<std::int64_t> offset;   ///< by the strides, in elements
  std::vector<std::int8_t> outside;   ///< the first array axis whose index is outside, −1 none; empty: none at all
  std::vector<std::uint8_t> exists;   ///< of lanes that exist and are not masked off; empty: all
  std::vector<std::uint8_t> gone;     ///< as in Value
  std::vector<std::uint8_t> doubt;    ///< the index, or the mask, may be otherwise; empty: none
  bool index_doubt = false;           ///< some index may be otherwise

  bool has(std::size_t i) const { return exists.empty() || exists[i] != 0; }
  bool doubtful(std::size_t i) const { return !doubt.empty() && doubt[i] != 0; }
};

/// "N", or "B+1": the extent of an array's axis.
inline std::string array_axis(const Machine& m, int array, int k) {
  const ir::Arg& arg = m.program.args[static_cast<std::size_t>(array)];
  const ir::Extent& e =
      m.program
          .extents[static_cast<std::size_t>(m.program.arg_extents[static_cast<std::size_t>(arg.first_extent + k)])];
  return std::string(m.program.str(e.base)) + (e.plus ? "+" + std::to_string(e.plus) : "") +
         (e.divide > 1 ? "/" + std::to_string(e.divide) : "");
}

/// Computes the places of a load, store, accumulate or atomic of array `a`; `mask` is the mask's operand number or −1.
/// Reports indices outside, unless `padded`.
inline void find_places(Machine& m, std::int32_t id, const ir::Node& n, const Array& a, int array, int mask,
                        bool padded, Places& p) {
  p.shape = m.shape_of(n, id);
  const auto size = static_cast<std::size_t>(p.shape.count());
  p.element.assign(size, 0);
  p.offset.assign(size, 0);
  std::vector<Lanes> index(static_cast<std::size_t>(a.rank));
  const auto note = [&](const Lanes& l) {
    if (l.gone) {
      if (p.gone.empty()) p.gone.assign(size, 0);
      for (std::size_t i = 0; i < size; ++i) p.gone[i] |= l.gone[i * l.step];
    }
    if (!l.error) return;
    if (p.doubt.empty()) p.doubt.assign(size, 0);
    for (std::size_t i = 0; i < size; ++i) p.doubt[i] |= static_cast<std::uint8_t>(l.error_at(i) > 0);
  };
  for (int k = 0; k < a.rank; ++k) {
    Lanes& l = index[static_cast<std::size_t>(k)];
    l.bind(m.operand(n, k), p.shape);
    note(l);
    p.index_doubt |= l.error != nullptr;
    const std::int64_t extent = a.extent[k], stride = a.stride[k];
    bool within = true;
    const auto add = [&](std::size_t i, Word x) {  // wraps where the index is far outside
      p.element[i] = static_cast<std::int64_t>(static_cast<Word>(p.element[i]) * static_cast<Word>(extent) + x);
      p.offset[i] = static_cast<std::int64_t>(static_cast<Word>(p.offset[i]) + x * static_cast<Word>(stride));
    };
    if (l.step == 0 && size > 0) {
      within = l.words[0] < static_cast<Word>(extent);
      for (std::size_t i = 0; i < size; ++i) add(i, l.words[0]);
    } else {
      for (std::size_t i = 0; i < size; ++i) {
        within = within & (l.words[i] < static_cast<Word>(extent));
        add(i, l.words[i]);
      }
    }
    if (within) continue;
    if (p.outside.empty()) p.outside.assign(size, -1);
    for (std::size_t i = 0; i < size; ++i) {
      const auto x = static_cast<std::int64_t>(l.word(i));
      if ((x < 0 || x >= extent) && p.outside[i] < 0) p.outside[i] = static_cast<std::int8_t>(k);
    }
  }
  p.exists = m.existing(p.shape, &p.gone);
  if (mask >= 0) {
    Lanes l;
    l.bind(m.operand(n, mask), p.shape);
    note(l);
    if (p.exists.empty()) p.exists.assign(size, 1);
    for (std::size_t i = 0; i < size; ++i) p.exists[i] &= static_cast<std::uint8_t>(l.word(i) != 0);
  }
  if (p.outside.empty()) return;
  for (std::size_t i = 0; i < size; ++i) {
    if (p.outside[i] < 0) continue;
    p.element[i] = -1;
    if (padded || !p.has(i)) continue;
    const int k = p.outside[i];
    const auto x = static_cast<std::int64_t>(index[static_cast<std::size_t>(k)].word(i));
    Finding& f = m.found(FindingKind::outside, id,
                         m.argument_name(array) + ": index " + std::to_string(x) + " of axis " +
                             array_axis(m, array, k) + " is outside 0 … " + std::to_string(a.extent[k] - 1) +
                             m.place(p.shape, static_cast<std::int64_t>(i)));
    f.argument = array;
    f.axis = k;
    f.index = x;
    f.extent = a.extent[k];
  }
}

inline bool is_private(const Array& a) { return a.effect == ir::Effect::shared || a.effect == ir::Effect::registers; }

inline Word read_element(const Array& a, std::int64_t offset) {
  return canonical(a.type, load_packed(a.type, a.data, static_cast<std::size_t>(offset)));
}
inline void write_element(Array& a, std::int64_t offset, Word word) {
  store_packed(a.type, a.data, static_cast<std::size_t>(offset), word);
}

/// Sets an element's bound; the array keeps bounds once one is not 0.
inline void set_error(const Machine& m, Array& a, std::int64_t element, double e) {
  if (!m.options.bounds) return;
  if (a.error.empty()) {
    if (e == 0) return;
    a.error.assign(static_cast<std::size_t>(a.elements), 0.0);
  }
  a.error[static_cast<std::size_t>(element)] = e;
}
/// Nothing is known of the whole array any more.
inline void lose_bounds(Machine& m, Array& a) {
  m.report.uncertain_control = true;
  if (!m.options.bounds) return;
  if (!is_private(a)) a.error.assign(static_cast<std::size_t>(a.elements), unbounded);
  for (auto& [place, cell] : a.memory) cell.error = unbounded;
}

// ---- races between programs of the grid
// ------------------------------------------------------------------------------

inline void found_race(Machine& m, std::int32_t id, int array, std::int64_t element, std::int64_t other,
                       const std::string& what) {
  std::string place;
  const Array& a = m.arrays[static_cast<std::size_t>(array)];
  for (int k = a.rank - 1; k >= 0; --k) {
    place = std::to_string(element % a.extent[k]) + (place.empty() ? "" : ", ") + place;
    element /= a.extent[k];
  }
  Finding& f = m.found(FindingKind::race, id,
                       m.argument_name(array) + "(" + place + ") is " + what +
                           (other >= 0    ? " program " + std::to_string(other)
                            : other == -2 ? " several programs"
                                          : ""));
  f.argument = array;
  f.other = other;
}

inline std::int64_t& track(const Array& a, std::vector<std::int64_t>& v, std::int64_t element) {
  if (v.empty()) v.assign(static_cast<std::size_t>(a.elements), -1);
  return v[static_cast<std::size_t>(element)];
}
/// Whether a mark is of another program than this one.
inline bool foreign(const Machine& m, const std::vector<std::int64_t>& v, std::int64_t element) {
  if (v.empty()) return false;
  const std::int64_t p = v[static_cast<std::size_t>(element)];
  return p != -1 && p != m.number;
}
inline void mark(const Machine& m, std::int64_t& place) { place = place == -1 || place == m.number ? m.number : -2; }

inline void note_read(Machine& m, std::int32_t id, Array& a, int array, std::int64_t element) {
  if (!m.options.races || a.effect != ir::Effect::inout) return;
  const auto e = static_cast<std::size_t>(element);
  if (foreign(m, a.writer, element)) found_race(m, id, array, element, a.writer[e], "read here, and written by");
  if (foreign(m, a.adder, element)) found_race(m, id, array, element, a.adder[e], "read here, and added to by");
  mark(m, track(a, a.reader, element));
}
inline void note_write(Machine& m, std::int32_t id, Array& a, int array, std::int64_t element) {
  if (!m.options.races) return;
  const auto e = static_cast<std::size_t>(element);
  if (foreign(m, a.writer, element)) found_race(m, id, array, element, a.writer[e], "written here, and by");
  if (foreign(m, a.adder, element)) found_race(m, id, array, element, a.adder[e], "written here, and added to by");
  if (foreign(m, a.reader, element)) found_race(m, id, array, element, a.reader[e], "written here, and read by");
  track(a, a.writer, element) = m.number;
}
inline void note_add(Machine& m, std::int32_t id, Array& a, int array, std::int64_t element) {
  if (!m.options.races) return;
  const auto e = static_cast<std::size_t>(element);
  if (foreign(m, a.writer, element)) found_race(m, id, array, element, a.writer[e], "added to here, and written by");
  if (foreign(m, a.reader, element)) found_race(m, id, array, element, a.reader[e], "added to here, and read by");
  mark(m, track(a, a.adder, element));
}

}  // namespace interpreter
TESSERA_END
