// Owns the figures of what random programs covered.
#include "tests/fuzz/coverage.hpp"

#include <algorithm>
#include <sstream>

#include "tessera/ir/fields.hpp"

namespace fuzz {

using ir::Op;

namespace {

constexpr std::string_view single_kinds[] = {
    "extent 0",      "extent 1",      "extent over 300",    "derived by addition", "derived by division",
    "ragged grid",   "padded load",   "masked load",        "masked store",        "masked +=",
    "masked atomic", "gathered load", "index of two axes",  "index backwards",     "index divided",
    "shared memory", "small caches",  "blocks by planning", "typical extents",     "deterministic",
    "threads",       "bounded loop",  "index scaled",       "descending sort",     "stride 0",
    "stop_if",       "shifted at",    "dot of blocks"};

std::string kind(std::string_view group, std::string_view one) { return std::string(group) + " " + std::string(one); }

// What computes an index, as far as it says how memory is walked.
void add_index(const ir::Program& p, std::int32_t index, std::set<std::string>& all) {
  const ir::Node& n = p.node(index);
  if (n.rank > 1) all.insert("index of two axes");
  if (n.op == Op::load && n.rank > 0) all.insert("gathered load");
  if (n.op == Op::cast && p.node(p.operand(n, 0)).op == Op::load) all.insert("gathered load");
  if (n.op == Op::div) all.insert("index divided");
  if (n.op == Op::sub && p.node(p.operand(n, 1)).rank > 0) all.insert("index backwards");
  for (std::int32_t o : p.operands_of(n))
    if (p.node(o).op == Op::mul && p.node(o).rank > 0) all.insert("index scaled");
}

void add_node(const ir::Program& p, const ir::Node& n, std::set<std::string>& all) {
  const bool masked = (n.flags & ir::flag_masked) != 0;
  if (ir::info(n.op).op_class == ir::OpClass::memory)
    for (int d = 0; d < p.args[static_cast<std::size_t>(n.imm & 0xffffffff)].rank; ++d)
      add_index(p, p.operand(n, d), all);
  for (const ir::ImmField& f : ir::imm_fields(n.op)) {
    const auto value = static_cast<std::size_t>(f.get(n.imm));
    if (f.kind == ir::FieldKind::rounding) all.insert(kind("rounding", ir::rounding_names[value]));
    if (f.kind == ir::FieldKind::saturation) all.insert(kind("saturation", ir::saturation_names[value]));
    if (f.kind == ir::FieldKind::atomic) all.insert(kind("atomic", ir::atomic_names[value]));
  }
  switch (n.op) {
    case Op::load:
      if ((n.flags & ir::flag_padded) != 0) all.insert("padded load");
      if (masked) all.insert("masked load");
      return;
    case Op::store:
      if (masked) all.insert("masked store");
      return;
    case Op::accumulate:
      if (masked) all.insert("masked +=");
      return;
    case Op::atomic:
      if (masked) all.insert("masked atomic");
      return;
    case Op::grid_block:
      if (n.count > 1) all.insert("ragged grid");
      return;
    case Op::loop_block:
      if (n.count > 1 && p.node(p.operand(n, 2)).op == Op::block_end) all.insert("bounded loop");
      return;
    case Op::at:
      if (p.node(p.operand(n, 0)).op == Op::pad) all.insert("shifted at");
      return;
    case Op::dot:
      if (p.node(p.operand(n, 0)).rank > 1 && p.node(p.operand(n, 1)).rank > 1) all.insert("dot of blocks");
      return;
    case Op::sort:
      if ((n.imm >> 32 & 1) != 0) all.insert("descending sort");
      return;
    default:
      return;
  }
}

}  // namespace

const std::vector<std::string>& kind_names() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> names(std::begin(single_kinds), std::end(single_kinds));
    const auto group = [&](std::string_view text, const auto& of) {
      for (const std::string_view one : of) names.push_back(kind(text, one));
    };
    constexpr std::string_view roundings[] = {"standard", "nearest_even", "toward_zero"};  // a cast has no random bits
    constexpr std::string_view features[] = {"avx512", "avx2", "sse2"}, addings[] = {"in_order", "copies", "atomics"};
    group("layout", layout_names);
    group("content", content_names);
    group("known", known_names);
    group("argument", ir::effect_names);
    group("axis", ir::axis_kind_names);
    group("rounding", roundings);
    group("saturation", ir::saturation_names);
    group("atomic", ir::atomic_names);
    group("numerics", numerics_names);
    group("features", features);
    group("adding", addings);
    for (const char* choice : {"kc", "mc", "rows", "vectors"}) names.push_back(kind("choice", choice));
    return names;
  }();
  return all;
}

std::set<std::string> kinds_of(const Sample& sample) {
  const ir::Program p = sample.program.view();
  std::set<std::string> all;
  for (const ir::Node& n : p.nodes) {
    add_node(p, n, all);
    if (n.op == Op::stop_if) all.insert("stop_if");
  }
  for (const ir::Axis& a : p.axes) all.insert(kind("axis", ir::axis_kind_names[static_cast<std::size_t>(a.kind)]));
  for (std::size_t i = 0; i < p.extents.size(); ++i) {
    const std::int64_t value = extent_value(sample, static_cast<std::int32_t>(i));
    if (value <= 1) all.insert(value == 0 ? "extent 0" : "extent 1");
    if (value > 300) all.insert("extent over 300");
    if (p.extents[i].plus != 0) all.insert("derived by addition");
    if (p.extents[i].divide != 1) all.insert("derived by division");
  }
  for (std::size_t i = 0; i < p.args.size(); ++i) {
    all.insert(kind("argument", ir::effect_names[static_cast<std::size_t>(p.args[i].effect)]));
    if (i >= sample.given.size() || p.args[i].effect == ir::Effect::scalar) continue;
    const Given& g = sample.given[i];
    all.insert(kind("layout", layout_names[static_cast<std::size_t>(g.layout)]));
    all.insert(kind("content", content_names[static_cast<std::size_t>(g.content)]));
    if (g.same_as >= 0) all.insert("shared memory");
    if (g.layout == Layout::spread || g.layout == Layout::single) all.insert("stride 0");
  }
  for (const Way& w : sample.ways) {
    all.insert(kind("known", known_names[static_cast<std::size_t>(w.known)]));
    all.insert(kind("features", w.features));
    if (w.small_caches) all.insert("small caches");
    if (w.tunables.empty()) all.insert("blocks by planning");
    if (w.typical) all.insert("typical extents");
    all.insert(kind("numerics", numerics_names[static_cast<std::size_t>(w.numerics)]));
    if (w.deterministic) all.insert("deterministic");
    if (w.threads > 1) all.insert("threads");
    if (w.adding > 0) all.insert(kind("adding", w.adding == 1 ? "in_order" : w.adding == 2 ? "copies" : "atomics"));
    for (const auto& [name, field] : way_numbers)
      if (name != "threads" && name != "adding" && w.*field != 0) all.insert(kind("choice", name));
  }
  return all;
}

void Coverage::add(const Sample& sample) {
  const ir::Program program = sample.program.view();
  for (const ir::Node& n : program.nodes) {
    const bool compares = n.op >= Op::lt && n.op <= Op::ne;
    const bool takes = compares || n.op == Op::argmax || n.op == Op::argmin;
    const tessera::DType type = takes ? program.node(program.operand(n, 0)).type : n.type;
    count[static_cast<int>(n.op)][static_cast<int>(type)].fetch_add(1, std::memory_order_relaxed);
  }
  const auto& names = kind_names();
  for (const std::string& k : kinds_of(sample))
    if (const auto it = std::find(names.begin(), names.end(), k); it != names.end())
      kind[it - names.begin()].fetch_add(1, std::memory_order_relaxed);
}

std::vector<std::string> Coverage::never() const {
  std::vector<std::string> all;
  for (int op = 0; op < ir::op_count; ++op)
    if (std::all_of(count[op], count[op] + tessera::dtype_count, [](const auto& n) { return n == 0; }))
      all.emplace_back(ir::info(static_cast<Op>(op)).text);
  for (std::size_t k = 0; k < kind_names().size(); ++k)
    if (kind[k] == 0) all.push_back("\"" + kind_names()[k] + "\"");
  return all;
}

std::string Coverage::summary() const {
  int ops = 0, pairs = 0;
  for (const auto& types : count) {
    const auto here =
        static_cast<int>(std::count_if(types, types + tessera::dtype_count, [](const auto& n) { return n != 0; }));
    pairs += here;
    ops += here != 0 ? 1 : 0;
  }
  const auto& names = kind_names();
  const auto kinds = std::count_if(kind, kind + names.size(), [](const auto& n) { return n != 0; });
  std::string text = "ops " + std::to_string(ops) + " of " + std::to_string(ir::op_count) + ", op x type " +
                     std::to_string(pairs) + ", kinds " + std::to_string(kinds) + " of " + std::to_string(names.size());
  const auto missing = never();
  for (const std::string& name : missing) text += (&name == &missing.front() ? ", never: " : ", ") + name;
  return text;
}

std::string Coverage::table() const {
  std::ostringstream out;
  for (int op = 0; op < ir::op_count; ++op) {
    out << ir::info(static_cast<Op>(op)).text << ':';
    for (int t = 0; t < tessera::dtype_count; ++t)
      if (const auto n = count[op][t].load())
        out << ' ' << tessera::dtype_name(static_cast<tessera::DType>(t)) << ' ' << n;
    out << '\n';
  }
  for (std::size_t k = 0; k < kind_names().size(); ++k) out << kind_names()[k] << ": " << kind[k].load() << '\n';
  return out.str();
}

}  // namespace fuzz
