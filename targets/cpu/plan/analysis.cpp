// Owns the analysis of a Tile IR program for a CPU: what is fused, what is kept, in what order effects bind.
#include "targets/cpu/plan/analysis.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <set>
#include <string>

#include "tessera/ir/fields.hpp"
#include "tessera/types/convert.hpp"

TESSERA_BEGIN
namespace cpu {

using ir::Node;
using ir::Op;
using ir::OpClass;

namespace {

/// Whether the value must be computed as a whole before any lane of it is used.
bool comes_whole(Op op) {
  const OpClass c = info(op).op_class;
  return c == OpClass::reduction || c == OpClass::scan;
}

bool is_effect(Op op) {
  switch (op) {
    case Op::store:
    case Op::accumulate:
    case Op::atomic:
    case Op::var:
    case Op::set:
    case Op::put:
    case Op::stop_if:
    case Op::expects:
    case Op::check:
    case Op::print:
      return true;
    default:
      return info(op).op_class == OpClass::control;
  }
}

int own_cost(Op op) {
  switch (op) {
    case Op::exp:
    case Op::exp2:
    case Op::expm1:
    case Op::log:
    case Op::log2:
    case Op::log1p:
    case Op::sin:
    case Op::cos:
    case Op::tan:
    case Op::tanh:
    case Op::erf:
    case Op::sigmoid:
    case Op::pow:
    case Op::random:
      return 12;
    case Op::div:
    case Op::sqrt:
    case Op::rsqrt:
    case Op::mod:
    case Op::cdiv:
      return 4;
    case Op::literal:
    case Op::broadcast:
    case Op::rename:
    case Op::get:
    case Op::part:
    case Op::pad:
      return 0;
    default:
      return 1;
  }
}

}  // namespace

Analysis::Analysis(const ir::Program& p) : program(p) {
  const std::size_t n = p.nodes.size();
  users.resize(n);
  region.assign(n, 0);
  region_of_opener.assign(n, -1);
  form.assign(n, Form::point);
  core_of.assign(n, -1);
  filled_with.assign(n, -1);
  filled.assign(n, false);
  var_read_elsewhere.assign(n, false);
  cost_.assign(n, 0);
  live_.assign(n, false);
  find_regions();
  find_users();
  find_live();
  choose_forms();
  find_costs();
  keep_hazards();
  fuse_cores();
  find_filled();
  find_self_reads();
}

void Analysis::find_regions() {
  const int n = static_cast<int>(program.nodes.size());
  regions.push_back({-1, n, -1});
  int current = 0;
  for (int i = 0; i < n; ++i) {
    const Op op = program.node(i).op;
    if (ir::closes_region(op)) {
      regions[static_cast<std::size_t>(current)].end = i;
      region[static_cast<std::size_t>(i)] = current;
      current = regions[static_cast<std::size_t>(current)].parent;
      continue;
    }
    region[static_cast<std::size_t>(i)] = current;
    if (ir::opens_region(op)) {
      regions.push_back({i, -1, current});
      current = static_cast<int>(regions.size()) - 1;
      region_of_opener[static_cast<std::size_t>(i)] = current;
    }
  }
}

bool Analysis::in_region(int node, int region_index) const {
  const RegionSpan& r = regions[static_cast<std::size_t>(region_index)];
  return node > r.begin && node < r.end;
}

void Analysis::find_users() {
  for (int i = 0; i < static_cast<int>(program.nodes.size()); ++i)
    for (std::int32_t o : program.operands_of(program.node(i))) users[static_cast<std::size_t>(o)].push_back(i);
}

void Analysis::find_live() {
  std::vector<int> work;
  const auto mark = [&](int i) {
    if (i < 0 || live_[static_cast<std::size_t>(i)]) return;
    live_[static_cast<std::size_t>(i)] = true;
    work.push_back(i);
  };
  for (int i = 0; i < static_cast<int>(program.nodes.size()); ++i) {
    const Op op = program.node(i).op;
    if (is_effect(op) && op != Op::var && op != Op::region_end) mark(i);
    if (op == Op::grid_block || op == Op::grid_index || op == Op::loop_block || op == Op::loop_index) mark(i);
  }
  while (!work.empty()) {
    const int i = work.back();
    work.pop_back();
    const Node& n = program.node(i);
    for (std::int32_t o : program.operands_of(n)) mark(o);
    for (int a = 0; a < n.rank; ++a) mark(program.axes[n.axes[a]].node);
    if (const int r = region_of_opener[static_cast<std::size_t>(i)];
        r > 0 && (n.op == Op::reduce || n.op == Op::scan_by))
      for (int k = regions[static_cast<std::size_t>(r)].begin + 1; k <= regions[static_cast<std::size_t>(r)].end; ++k)
        mark(k);
  }
}

bool Analysis::same_axes(const Node& a, const Node& b) const {
  if (a.rank != b.rank) return false;
  for (int i = 0; i < a.rank; ++i)
    if (!program.has_axis(b, a.axes[i])) return false;
  return true;
}

void Analysis::choose_forms() {
  for (int i = 0; i < static_cast<int>(program.nodes.size()); ++i) {
    const Node& n = program.node(i);
    Form& f = form[static_cast<std::size_t>(i)];
    if (!live_[static_cast<std::size_t>(i)])
      f = Form::dead;
    else if (is_effect(n.op))
      f = Form::effect;
    else if (comes_whole(n.op))
      f = Form::buffer;
    else if (n.op == Op::part || n.op == Op::param)
      f = Form::point;
    else if (n.rank == 0 && n.op != Op::at)
      f = Form::scalar;
    else
      f = Form::point;
  }
  // Inside the region of a reduce or scan_by everything is computed at each point, where that can be.
  for (std::size_t r = 1; r < regions.size(); ++r) {
    const Op op = program.node(regions[r].begin).op;
    if ((op != Op::reduce && op != Op::scan_by) || combines_in_steps(regions[r].begin)) continue;
    for (int i = regions[r].begin + 1; i < regions[r].end; ++i)
      if (form[static_cast<std::size_t>(i)] == Form::scalar) form[static_cast<std::size_t>(i)] = Form::point;
  }
}

/// Whether the function of a reduce or scan_by must be walked as a part of the program is.
bool Analysis::combines_in_steps(int id) const {
  const RegionSpan& r = regions[static_cast<std::size_t>(region_of_opener[static_cast<std::size_t>(id)])];
  if (r.end - id > 512) return true;  // parts of a long one are kept
  for (int i = id + 1; i < r.end; ++i) {
    const Node& n = program.node(i);
    switch (info(n.op).op_class) {
      case OpClass::reduction:
      case OpClass::scan:
      case OpClass::block:
      case OpClass::control:
      case OpClass::effect:
        return true;
      default:
        break;
    }
    switch (n.op) {
      case Op::var:
      case Op::set:
      case Op::put:
      case Op::rename:
      case Op::split:
      case Op::merge:
      case Op::join:
        return true;
      case Op::at:  // of what the function itself makes, at other places
        if (program.operand(n, 0) > id) return true;
        break;
      default:
        break;
    }
  }
  return false;
}

void Analysis::find_costs() {
  // A value is evaluated by as many nested calls as fused values lie below it: the stack bears some thousands.
  constexpr int most_levels = 256;
  std::vector<int> levels(program.nodes.size());
  for (int i = 0; i < static_cast<int>(program.nodes.size()); ++i) {
    const Node& n = program.node(i);
    if (form[static_cast<std::size_t>(i)] == Form::dead) continue;
    int c = own_cost(n.op);
    int& level = levels[static_cast<std::size_t>(i)];
    for (std::int32_t o : program.operands_of(n))
      if (form[static_cast<std::size_t>(o)] == Form::point) {
        c += cost_[static_cast<std::size_t>(o)];
        level = std::max(level, levels[static_cast<std::size_t>(o)] + 1);
      }
    cost_[static_cast<std::size_t>(i)] = std::min(c, 10000);
    if (form[static_cast<std::size_t>(i)] != Form::point || info(n.op).op_class == OpClass::block) continue;
    const int in = region[static_cast<std::size_t>(i)];
    if (const int opener = regions[static_cast<std::size_t>(in)].begin; opener >= 0) {
      const Op op = program.node(opener).op;
      if ((op == Op::reduce || op == Op::scan_by) && !combines_in_steps(opener)) continue;
    }
    std::vector<int> distinct = users[static_cast<std::size_t>(i)];
    std::erase_if(distinct, [&](int u) { return form[static_cast<std::size_t>(u)] == Form::dead; });
    std::sort(distinct.begin(), distinct.end());
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    bool moved = false, deeper = false;
    for (int u : distinct) {
      moved |= program.node(u).op == Op::at && program.operand(program.node(u), 0) == i;
      deeper |= region[static_cast<std::size_t>(u)] != in;
    }
    const bool light = n.op == Op::load || n.op == Op::get || n.op == Op::broadcast || n.op == Op::rename ||
                       n.op == Op::part || n.op == Op::pad;
    const bool keep = (distinct.size() > 1 && c >= 8) || (deeper && c >= 6) ||
                      (moved && !light && (distinct.size() > 1 || c >= 8)) || level >= most_levels;
    if (keep && !light) form[static_cast<std::size_t>(i)] = Form::buffer;
  }
}

/// The last place where a fused node may be evaluated: the latest kept node or effect that reaches it.
int Analysis::last_evaluation(int node) const {
  int last = node;
  for (int u : users[static_cast<std::size_t>(node)]) {
    const Form f = form[static_cast<std::size_t>(u)];
    if (f == Form::dead) continue;
    int at = f == Form::point || f == Form::core ? last_evaluation(u) : u;
    // Used inside a loop that does not contain the node: it is evaluated until that loop ends.
    for (int r = region[static_cast<std::size_t>(at)]; r > 0; r = regions[static_cast<std::size_t>(r)].parent)
      if (!in_region(node, r)) at = std::max(at, regions[static_cast<std::size_t>(r)].end);
    last = std::max(last, at);
  }
  return last;
}

/// Whether what `node` (a get or a load) reads may be written by a node in (from, to).
bool Analysis::changed_between(int node, int from, int to) const {
  const Node& n = program.node(node);
  for (int i = from + 1; i < to; ++i) {
    const Node& w = program.node(i);
    if (n.op == Op::get) {
      if ((w.op == Op::set || w.op == Op::put) && program.operand(w, 0) == program.operand(n, 0)) return true;
    } else if (w.op == Op::store || w.op == Op::accumulate || w.op == Op::atomic) {
      if ((w.imm & 0xffffffff) == n.imm) return true;
    }
  }
  return false;
}

void Analysis::keep_hazards() {
  for (int i = 0; i < static_cast<int>(program.nodes.size()); ++i) {
    const Node& n = program.node(i);
    if (form[static_cast<std::size_t>(i)] != Form::point) continue;
    const bool reads_memory =
        n.op == Op::load && program.args[static_cast<std::size_t>(n.imm)].effect != ir::Effect::in;
    if (n.op != Op::get && !reads_memory) continue;
    if (changed_between(i, i, last_evaluation(i))) form[static_cast<std::size_t>(i)] = Form::buffer;
  }
}

/// A reduction, dot or cumulative sum whose value flows through elementwise users over the same axes into one node is
/// computed in the nest of that node.
void Analysis::fuse_cores() {
  std::vector<bool> chained(program.nodes.size());  // a node waits for one core only: another is kept
  for (int i = 0; i < static_cast<int>(program.nodes.size()); ++i) {
    const Node& n = program.node(i);
    const bool core = info(n.op).op_class == OpClass::reduction || n.op == Op::cumsum || n.op == Op::cumprod;
    if (form[static_cast<std::size_t>(i)] != Form::buffer || !core) continue;
    if (n.op == Op::reduce || n.op == Op::argmax || n.op == Op::argmin) continue;
    // The first node at which all ways from the reduction have met again, then the next, until one ends the chain.
    int cur = i;
    std::vector<int> chain, met;
    std::set<int> values{i},
        pending(users[static_cast<std::size_t>(i)].begin(), users[static_cast<std::size_t>(i)].end());
    while (!pending.empty()) {
      const int u = *pending.begin();
      pending.erase(pending.begin());
      const Node& un = program.node(u);
      const Form f = form[static_cast<std::size_t>(u)];
      if (f == Form::dead) continue;
      const bool writes = un.op == Op::store || un.op == Op::set;
      const bool passes = info(un.op).op_class == OpClass::elementwise && f != Form::scalar;
      if (region[static_cast<std::size_t>(u)] != region[static_cast<std::size_t>(i)] ||
          core_of[static_cast<std::size_t>(u)] >= 0 || chained[static_cast<std::size_t>(u)] || !(passes || writes) ||
          !same_axes(un.op == Op::set ? program.node(program.operand(un, 0)) : un, n))
        break;
      if (un.op == Op::store) {  // the value, not an index or a mask
        bool plain = (un.flags & ir::flag_masked) == 0;
        for (int k = 0; k + 1 < un.count; ++k) plain &= !values.contains(program.operand(un, k));
        if (!plain) break;
      }
      const bool ends = writes || f == Form::buffer;
      met.push_back(u);
      if (pending.empty()) cur = u, chain.insert(chain.end(), met.begin(), met.end()), met.clear();
      if (ends) break;
      values.insert(u);
      pending.insert(users[static_cast<std::size_t>(u)].begin(), users[static_cast<std::size_t>(u)].end());
    }
    if (cur == i) continue;
    // What the reduction reads must not change until the end of the chain.
    bool safe = true;
    std::vector<int> work{i};
    std::vector<bool> seen(program.nodes.size());
    while (!work.empty() && safe) {
      const int k = work.back();
      work.pop_back();
      if (seen[static_cast<std::size_t>(k)]) continue;
      seen[static_cast<std::size_t>(k)] = true;
      const Node& kn = program.node(k);
      const bool reads = kn.op == Op::get ||
                         (kn.op == Op::load && program.args[static_cast<std::size_t>(kn.imm)].effect != ir::Effect::in);
      if (reads && changed_between(k, k, cur)) safe = false;
      // A set in place must not overwrite what its own reduction still reads.
      if (kn.op == Op::get && program.node(cur).op == Op::set &&
          program.operand(program.node(cur), 0) == program.operand(kn, 0))
        safe = false;
      if (kn.op == Op::load && program.node(cur).op == Op::store && program.node(cur).imm == kn.imm) safe = false;
      for (std::int32_t o : program.operands_of(kn))
        if (form[static_cast<std::size_t>(o)] == Form::point) work.push_back(o);
    }
    if (!safe) continue;
    form[static_cast<std::size_t>(i)] = Form::core;
    if (form[static_cast<std::size_t>(cur)] == Form::point) form[static_cast<std::size_t>(cur)] = Form::buffer;
    core_of[static_cast<std::size_t>(cur)] = i;
    for (int u : chain) chained[static_cast<std::size_t>(u)] = true;
  }
}

/// A kept elementwise value whose next job is a reduction over it: one pass makes the value and reduces it.
void Analysis::find_filled() {
  for (int i = 0; i < static_cast<int>(program.nodes.size()); ++i) {
    if (form[static_cast<std::size_t>(i)] != Form::buffer || core_of[static_cast<std::size_t>(i)] >= 0 ||
        info(program.node(i).op).op_class != OpClass::elementwise)
      continue;
    const int core = filled_by_reduction(i);
    if (core < 0 || filled_with[static_cast<std::size_t>(core)] >= 0) continue;
    filled_with[static_cast<std::size_t>(core)] = i;
    filled[static_cast<std::size_t>(i)] = true;
  }
}

/// The reduction that the next job after `node` is or contains, if its nest visits each lane of `node` once; else −1.
int Analysis::filled_by_reduction(int node) const {
  int job = node + 1;
  for (;; ++job) {
    if (job >= static_cast<int>(program.nodes.size())) return -1;
    const Form f = form[static_cast<std::size_t>(job)];
    if (region_of_opener[static_cast<std::size_t>(job)] >= 0 || ir::closes_region(program.node(job).op)) return -1;
    if (f == Form::effect || (f == Form::buffer && reached_directly(job, node))) break;
  }
  const Node &kept = program.node(node), &j = program.node(job);
  const int core = core_of[static_cast<std::size_t>(job)] >= 0 ? core_of[static_cast<std::size_t>(job)] : job;
  switch (program.node(core).op) {
    case Op::sum:
    case Op::prod:
    case Op::reduce_max:
    case Op::reduce_min:
    case Op::any:
    case Op::all:
      break;
    default:
      return -1;
  }
  const Node& whole = program.node(program.operand(program.node(core), 0));
  if (!same_axes(whole, kept)) return -1;
  // The reduction must reach the value lane by lane; the rest of the job must not reach it at all, nor what the job
  // writes be read by the value, whose evaluation moves past what stood between.
  bool reached = false, plain = true;
  std::vector<std::pair<int, bool>> work{{job, false}};
  std::set<std::pair<int, bool>> seen;
  while (!work.empty() && plain) {
    const auto [k, inside] = work.back();
    work.pop_back();
    if (!seen.insert({k, inside}).second) continue;
    const Node& n = program.node(k);
    if (k == node) {
      reached |= inside;
      plain &= inside;
      continue;
    }
    const bool lanewise = info(n.op).op_class == OpClass::elementwise;
    const bool in = inside || k == core;
    if (k != job && form[static_cast<std::size_t>(k)] != Form::point && form[static_cast<std::size_t>(k)] != Form::core)
      continue;
    if (inside && !lanewise && reaches(k, node)) plain = false;
    for (std::int32_t o : program.operands_of(n)) work.push_back({o, in});
  }
  if (!reached || !plain) return -1;
  std::vector<int> reads{node};
  for (std::size_t at = 0; at < reads.size(); ++at) {
    const Node& n = program.node(reads[at]);
    if (n.op == Op::load && program.args[static_cast<std::size_t>(n.imm & 0xffffffff)].effect != ir::Effect::in)
      return -1;
    if (n.op == Op::get && j.op == Op::set && program.operand(n, 0) == program.operand(j, 0)) return -1;
    for (std::int32_t o : program.operands_of(n))
      if (form[static_cast<std::size_t>(o)] == Form::point) reads.push_back(o);
  }
  return core;
}

/// Whether `node` is among what the value of `from` is computed of, through fused values.
bool Analysis::reaches(int from, int node) const {
  if (from == node) return true;
  if (from < node) return false;  // operands stand before their users
  const Form f = form[static_cast<std::size_t>(from)];
  if (f != Form::point && f != Form::core) return false;
  const auto operands = program.operands_of(program.node(from));
  return std::any_of(operands.begin(), operands.end(), [&](std::int32_t o) { return reaches(o, node); });
}

bool Analysis::unchanged_in(int node, int region_index) const {
  const Node& n = program.node(node);
  const RegionSpan& r = regions[static_cast<std::size_t>(region_index)];
  for (int i = 0; i < n.rank; ++i)
    if (in_region(program.axes[n.axes[i]].node, region_index)) return false;
  if (in_region(node, region_index) && form[static_cast<std::size_t>(node)] == Form::buffer) return false;
  if ((n.op == Op::get || n.op == Op::load) && changed_between(node, r.begin, r.end)) return false;
  if (in_region(node, region_index) && (info(n.op).op_class == OpClass::block || n.op == Op::atomic)) return false;
  if (n.op == Op::load && program.args[static_cast<std::size_t>(n.imm & 0xffffffff)].effect != ir::Effect::in)
    return false;
  const auto operands = program.operands_of(n);
  return !in_region(node, region_index) ||
         std::all_of(operands.begin(), operands.end(), [&](std::int32_t o) { return unchanged_in(o, region_index); });
}

bool Analysis::at_most(int a, int b) const {
  if (a == b) return true;
  const Node& n = program.node(b);
  const auto in = [&](int k) { return program.operand(n, k); };
  switch (n.op) {
    case Op::reduce_max:
    case Op::broadcast:
      return program.node(in(0)).type == n.type && at_most(a, in(0));
    case Op::max:
      return at_most(a, in(0)) || at_most(a, in(1));
    case Op::where: {
      if (!at_most(a, in(2))) return false;
      // where(y == −∞, c, y): where y is −∞, so is a.
      const Node &condition = program.node(in(0)), &other = program.node(in(1));
      if (condition.op == Op::eq && other.op == Op::literal)
        for (int k : {0, 1})
          if (program.operand(condition, k) == in(2) && is_minus_infinity(program.operand(condition, 1 - k)))
            return true;
      return at_most(a, in(1));
    }
    default:
      return false;
  }
}

/// Whether the job of `from` reads `node`.
bool Analysis::reached_directly(int from, int node) const {
  const auto operands = program.operands_of(program.node(from));
  return std::any_of(operands.begin(), operands.end(), [&](std::int32_t o) { return reaches(o, node); });
}

bool Analysis::nonpositive(int node) const {
  const Node& n = program.node(node);
  return n.op == Op::sub && info(n.type).is_floating() && at_most(program.operand(n, 0), program.operand(n, 1));
}

bool Analysis::is_minus_infinity(int node) const {
  const Node& n = program.node(node);
  if (n.op == Op::broadcast || n.op == Op::cast) return is_minus_infinity(program.operand(n, 0));
  if (n.op != Op::literal || !info(n.type).is_floating()) return false;
  return convert_bits(n.type, DType::f64, static_cast<std::uint64_t>(n.imm)) ==
         std::bit_cast<std::uint64_t>(-std::numeric_limits<double>::infinity());
}

/// Finds the sets (and stores) whose value reads their own target at coordinates other than those written.
void Analysis::find_self_reads() {
  for (int i = 0; i < static_cast<int>(program.nodes.size()); ++i) {
    const Node& n = program.node(i);
    if ((n.op != Op::set && n.op != Op::store) || form[static_cast<std::size_t>(i)] == Form::dead) continue;
    std::vector<std::pair<int, bool>> work;
    for (std::int32_t o : program.operands_of(n)) work.push_back({o, false});
    while (!work.empty()) {
      const auto [k, moved] = work.back();
      work.pop_back();
      if (form[static_cast<std::size_t>(k)] != Form::point && form[static_cast<std::size_t>(k)] != Form::core) continue;
      const Node& kn = program.node(k);
      if (n.op == Op::set && kn.op == Op::get && program.operand(kn, 0) == program.operand(n, 0) &&
          (moved || kn.rank != program.node(program.operand(n, 0)).rank))
        var_read_elsewhere[static_cast<std::size_t>(i)] = true;
      if (n.op == Op::store && kn.op == Op::load && kn.imm == n.imm) {
        // The same place only when every index is the same node.
        bool same = true;
        const int rank = program.args[static_cast<std::size_t>(n.imm)].rank;
        for (int d = 0; d < rank; ++d) same &= program.operand(kn, d) == program.operand(n, d);
        if (moved || !same) var_read_elsewhere[static_cast<std::size_t>(i)] = true;
      }
      const bool moves = kn.op == Op::at || kn.op == Op::rename || kn.op == Op::split || kn.op == Op::merge ||
                         kn.op == Op::join || comes_whole(kn.op);
      for (std::int32_t o : program.operands_of(kn)) work.push_back({o, moved || moves});
    }
  }
}

}  // namespace cpu
TESSERA_END
