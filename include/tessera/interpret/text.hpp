// Owns how print writes values.
#pragma once

#include <charconv>
#include <cmath>
#include <string>

#include "tessera/interpret/machine.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace interpreter {

inline std::string word_text(DType type, Word w) {
  const DTypeInfo& t = info(type);
  if (t.is_boolean()) return w ? "true" : "false";
  char buffer[40];
  const auto text = [&](auto x) { return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, x).ptr); };
  if (!t.is_floating()) return t.is_signed_integer() ? text(static_cast<std::int64_t>(w)) : text(w);
  const double x = number(type, w);
  if (std::isnan(x)) return "nan";
  return type == DType::f64 ? text(x) : text(static_cast<float>(x));
}

/// A number, or nested lists "[[1, 2], [3, 4]]" of the lanes that exist.
inline std::string value_text(const Machine& m, const Value& v) {
  if (v.shape.rank == 0) return word_text(v.type, v.words[0]);
  std::size_t lane = 0;
  std::string text;
  const auto list = [&](const auto& self, int d) -> void {
    text += '[';
    bool first = true;
    std::size_t below = 1;
    for (int k = d + 1; k < v.shape.rank; ++k) below *= static_cast<std::size_t>(v.shape.lanes[k]);
    for (std::int64_t l = 0; l < v.shape.lanes[d]; ++l) {
      const bool last = d == v.shape.rank - 1;
      if (!m.axis(v.shape.axes[d]).has(l) || (last && !v.gone.empty() && v.gone[lane])) {
        lane += below;
        continue;
      }
      if (!first) text += ", ";
      first = false;
      if (last)
        text += word_text(v.type, v.words[lane++]);
      else
        self(self, d + 1);
    }
    text += ']';
  };
  list(list, 0);
  return text;
}

/// print: each "{}" of the text becomes the next value; values beyond the last follow after a blank. One line.
inline void run_print(Machine& m, std::int32_t id) {
  const ir::Node& n = m.node(id);
  const std::string_view format = m.program.str(static_cast<std::int32_t>(n.imm));
  std::string& out = m.report.output;
  int next = 0;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format.substr(i, 2) == "{}" && next < n.count) {
      out += value_text(m, m.operand(n, next++));
      ++i;
    } else {
      out += format[i];
    }
  }
  while (next < n.count) out += ' ' + value_text(m, m.operand(n, next++));
  out += '\n';
}

}  // namespace interpreter
TESSERA_END
