// Owns the tables of the report, from results of runs.
#include "tests/conformance/report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>
#include <sstream>

#include "targets/cpu/features.hpp"

namespace conformance {

using namespace tessera;

namespace {

constexpr DType float_columns[] = {DType::f64,  DType::f32,  DType::f16,  DType::bf16, DType::e4m3,
                                   DType::e5m2, DType::e2m3, DType::e3m2, DType::e2m1, DType::e8m0};
constexpr DType integer_columns[] = {DType::i64, DType::u64, DType::i32, DType::u32, DType::i16, DType::u16,
                                     DType::i8,  DType::u8,  DType::i4,  DType::u4,  DType::b8};

bool is_scalar(const Width& w) { return w.bits == 0 || w.in_vectors + w.one_by_one < 0.5; }

std::string cell(const Result& r) {
  if (!r.recorded) return "—";
  if (!r.wrong.empty()) return "**gap**";
  const Width& w = r.ways.front().width;
  std::string text = is_scalar(w) ? "scalar" : std::to_string(w.bits) + (w.one_by_one > 0.3 ? "*" : "");
  if (r.rate >= 0) {
    char number[32];
    std::snprintf(number, sizeof number, " %.2f%c", r.rate, static_cast<char>(r.against));
    text += number;
  }
  return text;
}

void table(std::ostringstream& out, const std::vector<Row>& rows, const char* first, const DType* columns,
           std::size_t count) {
  out << "| " << first << " |";
  for (std::size_t i = 0; i < count; ++i) out << ' ' << dtype_name(columns[i]) << " |";
  out << "\n|---|";
  for (std::size_t i = 0; i < count; ++i) out << "---|";
  out << '\n';
  for (const Row& row : rows) {
    const auto at = [&](std::size_t i) -> const Result& { return row.results[static_cast<std::size_t>(columns[i])]; };
    bool any = false;
    for (std::size_t i = 0; i < count; ++i) any = any || at(i).recorded;
    if (!any) continue;
    out << "| " << label(*row.recipe) << " |";
    for (std::size_t i = 0; i < count; ++i) out << ' ' << cell(at(i)) << " |";
    out << '\n';
  }
}

// "f32 f16", or the kinds that they are.
std::string names(Types types, Types among) {
  if (types == among) return "all";
  std::string text;
  for (int t = dtype_count - 1; t >= 0; --t)
    if (has(types, static_cast<DType>(t))) text += (text.empty() ? "" : " ") + std::string(dtype_table[t].name);
  return text;
}

// The widths of a row on a feature set: "256", or each width with the types that have it.
std::string widths(const Row& row, std::size_t way) {
  std::map<std::string, Types> by_width;
  Types all = 0;
  for (const Result& r : row.results) {
    if (!r.recorded || way >= r.ways.size()) continue;
    const Width& w = r.ways[way].width;
    const std::string text = is_scalar(w) ? "scalar" : std::to_string(w.bits);
    by_width[text] |= one(r.type);
    all |= one(r.type);
  }
  std::string text;
  std::size_t left = by_width.size();
  std::vector<std::pair<std::string, Types>> order(by_width.begin(), by_width.end());
  std::sort(order.begin(), order.end(),
            [](const auto& a, const auto& b) { return __builtin_popcount(a.second) > __builtin_popcount(b.second); });
  for (const auto& [width, types] : order) {
    if (left == order.size())
      text = width;
    else
      text += "; " + width + ": " + names(types, all);
    --left;
  }
  return text;
}

std::string range(double low, double high) {
  char text[64];
  if (high - low < 0.01)
    std::snprintf(text, sizeof text, "%.2f", low);
  else
    std::snprintf(text, sizeof text, "%.2f – %.2f", low, high);
  return text;
}

void slow_rows(std::ostringstream& out, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    Types slow = 0, all = 0;
    double low = 1e9, high = 0;
    for (const Result& r : row.results) {
      if (!r.recorded) continue;
      all |= one(r.type);
      if (r.rate < 0 || r.rate >= 0.3) continue;
      slow |= one(r.type);
      low = std::min(low, r.rate), high = std::max(high, r.rate);
    }
    if (slow != 0)
      out << "| " << label(*row.recipe) << " | " << names(slow, all) << " | " << range(low, high) << " |\n";
  }
}

std::string trimmed(std::string text) {
  const auto from = text.find_first_not_of(' '), to = text.find_last_not_of(' ');
  return from == std::string::npos ? "" : text.substr(from, to - from + 1);
}

}  // namespace

std::string label(const Recipe& recipe) {
  const std::string op = "`" + std::string(ir::info(recipe.op).text) + "`";
  return recipe.how.empty() ? op : op + " " + recipe.how;
}

std::string no_vector_form(const Recipe& recipe, const std::string& features) {
  if (recipe.op == Op::atomic) return "no processor has atomics of vectors";
  if (recipe.op == Op::accumulate && recipe.bound == Bound::lanes)
    return "lanes may meet in one bin, so each is added by itself";
  if (recipe.op == Op::store && recipe.bound == Bound::lanes && features != "avx512")
    return "before AVX-512 there is no scatter";
  return "";
}

std::string gap(const Recipe& recipe, const Result& result) {
  const std::string where = label(recipe) + " " + std::string(dtype_name(result.type)) + ": ";
  if (has(recipe.types, result.type) != result.recorded)
    return where + (result.recorded ? "the language takes it, the recipe says no" : "refused: " + result.refusal);
  if (!result.recorded) return "";
  if (!result.wrong.empty()) return where + result.wrong;
  if (!result.interpreted) return where + "not interpreted";
  for (const Way& way : result.ways) {
    if (!way.compiled) return where + way.features + ": not compiled";
    if (!way.executed && cpu::runs(way.features)) return where + way.features + ": not executed";
    if (result.thorough && is_scalar(way.width) && no_vector_form(recipe, way.features).empty())
      return where + way.features + ": scalar, and a vector form exists";
  }
  return "";
}

std::string page(const std::vector<Row>& rows, const std::vector<Row>& casts) {
  std::ostringstream out;
  int pairs = 0, executed = 0, gaps = 0;
  std::map<std::string, int> compiled;
  std::set<Op> ops;
  for (const auto* list : {&rows, &casts})
    for (const Row& row : *list)
      for (const Result& r : row.results) {
        if (!r.recorded) continue;
        ops.insert(row.recipe->op);
        ++pairs;
        gaps += gap(*row.recipe, r).empty() ? 0 : 1;
        bool ran = r.interpreted;
        for (const Way& way : r.ways) {
          compiled[way.features] += way.compiled ? 1 : 0;
          ran = ran && (way.executed || !cpu::runs(way.features));
        }
        executed += ran ? 1 : 0;
      }
  out << "# Conformance\n\n"
         "Written by `./dev conformance` (tests/conformance): every operation of Tile IR with every element type that "
         "it\n"
         "takes, as one or more small kernels. Each is interpreted, compiled, executed, and compared with the "
         "interpreter\n"
         "within its bounds, on ragged small data and on data in the second-level cache. `./dev test` does that for "
         "some\n"
         "types of every operation, and fails where an operation of the table has no row here, or a row other "
         "types.\n\n"
         "Targets: the CPU (x86-64). CUDA, AMD and CSL are **not there yet**.\n\n"
      << "**" << ops.size() << " of " << ir::op_count << " operations, " << pairs << " kernels: " << executed
      << " interpreted, executed and equal;\n";
  for (const auto& [features, count] : compiled) out << count << " compiled for " << features << ", ";
  out << gaps << " gaps.**\n" << cpu::host().model << "; ";
  std::string here;
  for (const char* features : {"avx512", "avx2", "sse2"})
    if (!cpu::runs(features)) here += std::string(here.empty() ? "" : " ") + features;
  out << (here.empty() ? "it runs all three feature sets" : "it does not run " + here + ", for which code is made only")
      << ".\n\n"
         "A cell: the bits of the vectors that the hottest loops of the planned program work with, then the rate as a "
         "part\n"
         "of a bound, the median of five interleaved ratios, one thread, data in the second-level cache. `—`: the\n"
         "language does not have it. `*`: elements are moved one at a time. The bounds:\n\n"
         "- `m`: memcpy of as many bytes as the arguments have.\n"
         "- `f`: the vector operations of the formula ([math.md](math.md) has their numbers), two a cycle; a division "
         "or\n"
         "  root counts as ten, one of 64-bit integers as ten cycles. For `dot`: two vectors of fused f32 products a "
         "cycle.\n"
         "- `c`: our own conversions of the operands to f32 and of the result from it, whose rates are in the second\n"
         "  table of casts.\n"
         "- `l`: a cycle for each element that is read or written at an index of its own, two where it is one of a "
         "computed\n"
         "  tile or is added to, 20 for an atomic.\n"
         "- `p`: as `m`, once for each doubling of the elements that are put in order.\n\n"
         "Ratios above 1 are kernels that read more than they write, which memcpy does not, or that convert less than "
         "`c` "
         "counts: it takes\nevery element of the largest array for converted, where constants, maxima of rows and mere "
         "moves convert few or none.\n\n"
         "## Operations on floats\n\n";
  table(out, rows, "operation", float_columns, std::size(float_columns));
  out << "\n## Operations on integers and conditions\n\nPositions, extents and block numbers are i64.\n\n";
  table(out, rows, "operation", integer_columns, std::size(integer_columns));
  out << "\n## Casts\n\nA row is the type that a cast gives, a column what it takes; against `m`.\n\n";
  table(out, casts, "to", float_columns, std::size(float_columns));
  out << '\n';
  table(out, casts, "to", integer_columns, std::size(integer_columns));
  out << "\n## Vector widths by feature set\n\nBits, as above; where types differ, the others are named.\n\n| "
         "operation |";
  const auto& ways = rows.front().results[static_cast<std::size_t>(DType::i64)].ways;
  for (const Way& way : ways) out << ' ' << way.features << " |";
  out << "\n|---|";
  for (std::size_t i = 0; i < ways.size(); ++i) out << "---|";
  out << '\n';
  for (const Row& row : rows) {
    out << "| " << label(*row.recipe) << " |";
    for (std::size_t i = 0; i < ways.size(); ++i) out << ' ' << widths(row, i) << " |";
    out << '\n';
  }
  out << "\n## One at a time\n\n| operation | why |\n|---|---|\n";
  for (const Row& row : rows)
    if (const std::string why = no_vector_form(*row.recipe, "avx2"); !why.empty())
      out << "| " << label(*row.recipe) << " | " << why << " |\n";
  out << "\n## Below 0.3 of the bound\n\n| operation | types | rate |\n|---|---|---|\n";
  slow_rows(out, rows);
  return out.str();
}

std::string stale(const std::string& text, const std::vector<Row>& rows) {
  // Cells by label and column, of the tables whose first column is "operation" and whose others are types.
  std::map<std::string, std::map<std::string, std::string>> cells;
  std::istringstream lines(text);
  std::vector<std::string> header;
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("| ", 0) != 0) {
      if (line.rfind("|---", 0) != 0) header.clear();
      continue;
    }
    std::vector<std::string> parts;
    std::istringstream row(line.substr(1));
    for (std::string part; std::getline(row, part, '|');) parts.push_back(trimmed(part));
    if (header.empty()) {
      header = parts;
      continue;
    }
    if (header.front() != "operation") continue;
    for (std::size_t i = 1; i < std::min(header.size(), parts.size()); ++i) cells[parts[0]][header[i]] = parts[i];
  }
  std::string wrong;
  std::set<std::string> known;
  for (const Row& row : rows) {
    const std::string name = label(*row.recipe);
    known.insert(name);
    const auto it = cells.find(name);
    if (it == cells.end()) {
      wrong += name + " has no row\n";
      continue;
    }
    for (int t = 0; t < dtype_count; ++t) {
      const auto c = it->second.find(std::string(dtype_table[t].name));
      const bool there = c != it->second.end() && c->second != "—";
      if (there != has(row.recipe->types, static_cast<DType>(t)))
        wrong += name + ": " + std::string(dtype_table[t].name) + (there ? " is not a type of it\n" : " is missing\n");
      if (there && c->second.find("gap") != std::string::npos)
        wrong += name + ": " + std::string(dtype_table[t].name) + " is a gap\n";
    }
  }
  for (const auto& [name, row] : cells)
    if (!known.count(name)) wrong += name + " is a row of no recipe\n";
  return wrong;
}

}  // namespace conformance
