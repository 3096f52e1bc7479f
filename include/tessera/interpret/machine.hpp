// Owns the state of one run: values of nodes, axes, arrays, the place in the grid, and how findings are made.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "tessera/call/frame.hpp"
#include "tessera/interpret/report.hpp"
#include "tessera/interpret/value.hpp"
#include "tessera/ir/tile.hpp"
#include "tessera/types/packed.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace interpreter {

/// Ends a run: a limit was reached, or a cut is not positive. The finding has been made.
struct Stopped {};

/// What is known of a sum besides its value.
struct SumFacts {
  double magnitude = 0;  ///< the sum of the finite terms' magnitudes
  double errors = 0;     ///< the sum of their bounds
  double own = 0;        ///< how far the interpreter's value is from the exact sum
  bool special = false;  ///< a term is infinite or NaN

  void add(double term) {
    if (std::isfinite(term))
      magnitude += std::fabs(term);
    else
      special = true;
  }
};

/// How far the partial products of some factors may go, in any order: exponents of two.
struct ProductFacts {
  double up = 0, down = 0;

  void multiply(double factor) {
    if (factor == 0 || !std::isfinite(factor)) return;
    const double exponent = std::log2(std::fabs(factor));
    (exponent > 0 ? up : down) += exponent;
  }
  /// Whether some order leaves the normal numbers of the type, where products no longer keep their precision.
  bool leaves(DType type) const {
    const DTypeInfo& t = info(type);
    return up >= t.max_exponent || down <= t.min_exponent + t.mantissa_bits;
  }
};

/// A kernel's argument as the interpreter sees it, with what is known of each element.
struct Array {
  DType type = DType::f32;
  ir::Effect effect = ir::Effect::in;
  bool accumulated = false;
  int rank = 0;
  void* data = nullptr;
  Word scalar = 0;
  std::int64_t extent[ir::max_rank] = {};
  std::int64_t stride[ir::max_rank] = {};
  std::int64_t elements = 0;

  /// What was added to an element so far, for its bound.
  struct Sum {
    SumFacts facts;
    long double exact = 0;
    double terms = 0;
  };
  // By element, row-major over the extents; empty until needed.
  std::vector<double> error;
  std::vector<Sum> sums;
  std::vector<std::int64_t> writer;  ///< the program that wrote by =; −1 none
  std::vector<std::int64_t> adder;   ///< the program that wrote by += or an atomic; −1 none, −2 several
  std::vector<std::int64_t> reader;  ///< the program that read; −1 none, −2 several
  std::vector<std::uint32_t> stamp;  ///< the last store that wrote it: two of its lanes may not

  struct Private {
    Word word = 0;
    double error = 0;
  };
  std::unordered_map<std::int64_t, Private> memory;  ///< of arrays private to a program: what it wrote
};

/// One axis of the grid.
struct GridAxis {
  std::int32_t node = -1;
  std::int64_t size = 0, number = 0;
};

struct Machine {
  const ir::Program& program;
  const Options& options;
  Report& report;
  Configuration tunables;
  std::vector<std::int64_t> extents;
  std::vector<Array> arrays;
  std::vector<Value> values;  ///< by node
  std::vector<AxisState> axes;
  std::vector<std::int32_t> end_of;       ///< by node that opens a region: where it closes; −1 of others
  std::vector<std::uint8_t> ready;        ///< by node: its value is known before the launch
  std::vector<std::vector<Value>> parts;  ///< by node with several results
  std::vector<GridAxis> grid;
  std::int64_t number = -1;  ///< of the present program, −1 before the launch
  std::uint32_t stores = 0;  ///< stores so far
  int uncertain = 0;         ///< depth of regions that may not have been entered
  bool slack = false;        ///< inside a custom reduction, whose order is free: every rounding counts
  bool stopped = false;      ///< by stop_if

  Machine(const ir::Program& p, const Options& o, Report& r) : program(p), options(o), report(r) {}

  const ir::Node& node(std::int32_t id) const { return program.node(id); }
  Value& value(std::int32_t id) { return values[static_cast<std::size_t>(id)]; }
  Value& operand(const ir::Node& n, int k) { return value(program.operand(n, k)); }
  AxisState& axis(int a) { return axes[static_cast<std::size_t>(a)]; }
  const AxisState& axis(int a) const { return axes[static_cast<std::size_t>(a)]; }

  std::string axis_name(int a) const {
    return std::string(program.str(program.axes[static_cast<std::size_t>(a)].name));
  }
  std::string argument_name(int a) const {
    return std::string(program.str(program.args[static_cast<std::size_t>(a)].name));
  }

  /// Adds a finding; `text` follows "kernel, line 6: ". The rest of its facts may be filled in.
  Finding& found(FindingKind kind, std::int32_t node_id, const std::string& text) {
    static thread_local Finding dropped;
    ++report.finding_count;
    Finding f;
    f.kind = kind;
    f.node = node_id;
    f.line = node_id >= 0 && static_cast<std::size_t>(node_id) < program.lines.size()
                 ? program.lines[static_cast<std::size_t>(node_id)]
                 : 0;
    f.program = number;
    f.text = std::string(program.name);
    if (f.line) f.text += ", line " + std::to_string(f.line);
    f.text += ": " + text;
    if (number >= 0 && report.programs > 1) f.text += " (program " + std::to_string(number) + ")";
    std::vector<Finding>& all = report.findings;
    return all.size() < options.most_findings ? all.emplace_back(std::move(f)) : dropped = std::move(f);
  }

  /// The axes of a node, with their present lanes.
  Shape shape_of(const ir::Node& n, std::int32_t id) {
    Shape s;
    std::int64_t count = 1;
    for (int i = 0; i < n.rank; ++i) {
      const std::int64_t lanes = axis(n.axes[i]).lanes;
      s.add(n.axes[i], lanes);
      if (lanes > 0 && count > options.most_lanes / lanes)
        limit(id, "a tile of too many lanes: see Options::most_lanes");
      count *= lanes;
    }
    return s;
  }
  [[noreturn]] void limit(std::int32_t id, const std::string& text) {
    found(FindingKind::limit, id, text);
    throw Stopped{};
  }

  /// Which lanes of a shape exist; empty: all of them.
  std::vector<std::uint8_t> existing(const Shape& s, const std::vector<std::uint8_t>* gone = nullptr) const {
    std::vector<std::uint8_t> mask;
    for (int i = 0; i < s.rank; ++i) {
      const AxisState& a = axis(s.axes[i]);
      if (a.all) continue;
      if (mask.empty()) mask.assign(static_cast<std::size_t>(s.count()), 1);
      std::int64_t inner = 1, outer = 1;
      for (int k = 0; k < i; ++k) outer *= s.lanes[k];
      for (int k = i + 1; k < s.rank; ++k) inner *= s.lanes[k];
      std::uint8_t* p = mask.data();
      for (std::int64_t o = 0; o < outer; ++o)
        for (std::int64_t l = 0; l < s.lanes[i]; ++l, p += inner)
          if (!a.has(l)) std::fill(p, p + inner, std::uint8_t{0});
    }
    if (gone && !gone->empty()) {
      if (mask.empty()) mask.assign(gone->size(), 1);
      for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = static_cast<std::uint8_t>(mask[i] & ((*gone)[i] == 0));
    }
    return mask;
  }
  bool lane_exists(const Shape& s, std::int64_t lane, const std::vector<std::uint8_t>& gone) const {
    if (!gone.empty() && gone[static_cast<std::size_t>(lane)]) return false;
    for (int i = s.rank - 1; i >= 0; --i) {
      if (!axis(s.axes[i]).has(lane % s.lanes[i])) return false;
      lane /= s.lanes[i];
    }
    return true;
  }
  /// "at M = 3, N = 7", for messages; nothing for rank 0.
  std::string place(const Shape& s, std::int64_t lane) const {
    std::string text;
    for (int i = s.rank - 1; i >= 0; --i) {
      const AxisState& a = axis(s.axes[i]);
      text = axis_name(s.axes[i]) + " = " + std::to_string(a.begin + lane % s.lanes[i]) + (text.empty() ? "" : ", ") +
             text;
      lane /= s.lanes[i];
    }
    return text.empty() ? text : " at " + text;
  }

  std::int64_t integer(std::int32_t id) { return static_cast<std::int64_t>(value(id).words[0]); }
  /// Makes a node's value a single integer.
  void set_integer(std::int32_t id, std::int64_t x, double error = 0) {
    Value& v = value(id);
    v.reset(node(id).type, Shape{});
    v.words[0] = canonical(v.type, static_cast<Word>(x));
    if (error > 0) v.error.assign(1, error);
  }
  /// A positive number of lanes from a node's value.
  std::int64_t cut(std::int32_t id, std::int32_t user) {
    const std::int64_t n = integer(id);
    if (n > 0) return n;
    found(FindingKind::configuration, user, "a block of " + std::to_string(n) + " lanes: tile sizes are 1 or more")
        .index = n;
    throw Stopped{};
  }
};

}  // namespace interpreter
TESSERA_END
