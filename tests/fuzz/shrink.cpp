// Owns the shrinker: rewritings that make a sample smaller, tried again and again while one of them still fails.
#include "tests/fuzz/shrink.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <set>

#include "tessera/call/frame.hpp"
#include "tessera/ir/canonical.hpp"
#include "tessera/ir/fields.hpp"
#include "tessera/ir/rewrite.hpp"
#include "tessera/ir/verify.hpp"
#include "tessera/types/convert.hpp"
#include "tests/fuzz/workers.hpp"

namespace fuzz {
namespace {

using ir::Op;
using tessera::DType;

double now() {
  using namespace std::chrono;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

// How a sample fails, without the values and numbers that change as it shrinks.
std::string kind_of(const Outcome& o) {
  if (o.verdict != Verdict::mismatch && o.verdict != Verdict::broken) return {};
  if (o.verdict == Verdict::mismatch)
    return o.text.rfind("it ", 0) == 0                       ? o.text
           : o.text.find(" is written") != std::string::npos ? "written"
           : o.text.find("nan") != std::string::npos         ? "nan"
                                                             : "mismatch";
  std::string kind;  // words, without numbers and names in code quotes
  bool quoted = false;
  const std::size_t start = o.text.find(": ");
  for (char c : o.text.substr(start == std::string::npos ? 0 : start)) {
    if (c == '`') quoted = !quoted;
    if (!quoted && (c == ' ' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) kind += c;
  }
  return kind;
}

class Shrinker {
 public:
  Shrinker(const Sample& s, const CheckOptions& options, int seconds)
      : best_(s), options_(options), end_(now() + seconds) {}

  Sample run() {
    kind_ = kind_of(check_apart(best_, options_, 20));
    if (kind_.empty()) return best_;
    for (bool better = true; better && now() < end_;) {
      better = ways() | anchors() | nodes() | axes() | arguments() | extents() | types();
    }
    return best_;
  }

 private:
  ir::Program program() const { return best_.program.view(); }

  /// Takes the candidate where it fails in the same manner.
  bool take(Sample candidate) {
    if (now() >= end_) return false;
    if (ir::verify(candidate.program.view())) return false;
    candidate.program = ir::tidy(candidate.program.view());
    prune(candidate);
    if (ir::verify(candidate.program.view())) return false;
    if (kind_of(check_apart(candidate, options_, 20)) != kind_) return false;
    best_ = std::move(candidate);
    return true;
  }
  bool take(ir::Storage changed) {
    Sample candidate = best_;
    candidate.program = std::move(changed);
    return take(std::move(candidate));
  }
  bool take_if(const std::function<void(Sample&)>& change) {
    Sample candidate = best_;
    change(candidate);
    return take(std::move(candidate));
  }

  // Tables without the arguments and tunables that nothing uses.
  static void prune(Sample& s) {
    ir::Storage& p = s.program;
    std::set<std::int64_t> args, tunables;
    for (const ir::Node& n : p.nodes)
      for (const ir::ImmField& f : ir::imm_fields(n.op)) {
        if (f.kind == ir::FieldKind::arg) args.insert(static_cast<std::int64_t>(f.get(n.imm)));
        if (f.kind == ir::FieldKind::tunable) tunables.insert(static_cast<std::int64_t>(f.get(n.imm)));
      }
    std::vector<std::int64_t> arg_to(p.args.size(), -1), tunable_to(p.tunables.size(), -1);
    std::vector<ir::Arg> new_args;
    std::vector<Given> given;
    std::vector<std::int32_t> extents;
    for (std::size_t i = 0; i < p.args.size(); ++i) {
      if (!args.contains(static_cast<std::int64_t>(i))) continue;
      arg_to[i] = static_cast<std::int64_t>(new_args.size());
      ir::Arg a = p.args[i];
      const auto first = p.arg_extents.begin() + a.first_extent;
      a.first_extent = static_cast<std::int32_t>(extents.size());
      extents.insert(extents.end(), first, first + a.rank);
      new_args.push_back(a);
      if (i < s.given.size()) given.push_back(s.given[i]);
    }
    for (Given& g : given)
      g.same_as = g.same_as < 0 ? -1 : static_cast<int>(arg_to[static_cast<std::size_t>(g.same_as)]);
    std::vector<ir::Tunable> new_tunables;
    for (std::size_t i = 0; i < p.tunables.size(); ++i)
      if (tunables.contains(static_cast<std::int64_t>(i))) {
        tunable_to[i] = static_cast<std::int64_t>(new_tunables.size());
        new_tunables.push_back(p.tunables[i]);
      }
    for (Way& w : s.ways) {
      std::vector<std::int64_t> values;
      for (std::size_t i = 0; i < w.tunables.size(); ++i)
        if (tunable_to[i] >= 0) values.push_back(w.tunables[i]);
      w.tunables = values;
    }
    for (ir::Node& n : p.nodes)
      for (const ir::ImmField& f : ir::imm_fields(n.op)) {
        const auto at = static_cast<std::size_t>(f.get(n.imm));
        if (f.kind == ir::FieldKind::arg) n.imm = f.set(n.imm, static_cast<std::uint64_t>(arg_to[at]));
        if (f.kind == ir::FieldKind::tunable) n.imm = f.set(n.imm, static_cast<std::uint64_t>(tunable_to[at]));
      }
    p.args = new_args;
    p.arg_extents = extents;
    p.tunables = new_tunables;
    s.given = given;
  }

  bool ways() {
    bool better = false;
    for (std::size_t i = 0; best_.ways.size() > 1 && i < best_.ways.size(); ++i)
      if (take_if([&](Sample& s) { s.ways = {best_.ways[i]}; })) better = true;
    for (std::size_t i = 0; i < best_.ways.size(); ++i) {
      const auto w = [&]() -> const Way& { return best_.ways[i]; };  // of the best now
      if (w().small_caches) better |= take_if([&](Sample& s) { s.ways[i].small_caches = false; });
      if (w().typical) better |= take_if([&](Sample& s) { s.ways[i].typical = false; });
      if (w().deterministic) better |= take_if([&](Sample& s) { s.ways[i].deterministic = false; });
      if (w().numerics != tessera::Numerics::standard)
        better |= take_if([&](Sample& s) { s.ways[i].numerics = tessera::Numerics::standard; });
      if (w().features != "avx2") better |= take_if([&](Sample& s) { s.ways[i].features = "avx2"; });
      for (const auto& [name, field] : way_numbers)
        if (w().*field != Way{}.*field) better |= take_if([&, f = field](Sample& s) { s.ways[i].*f = Way{}.*f; });
      if (w().known != Known::exact) better |= take_if([&](Sample& s) { s.ways[i].known = Known::exact; });
      for (std::size_t t = 0; t < best_.ways[i].tunables.size(); ++t)
        for (std::int64_t v : {1, 2, 4, 8})
          if (v < best_.ways[i].tunables[t] && take_if([&](Sample& s) { s.ways[i].tunables[t] = v; })) {
            better = true;
            break;
          }
    }
    return better;
  }

  static ir::Storage without(const ir::Program& p, std::int32_t first, std::int32_t last) {
    ir::Rewriter r(p);
    for (std::int32_t i = 0; i < r.size(); ++i)
      if (i < first || i >= last) r.copy(i);
    return r.finish();
  }
  static ir::Storage opened(const ir::Program& p, std::int32_t opener, std::int32_t end) {
    ir::Rewriter r(p);
    for (std::int32_t i = 0; i < r.size(); ++i)
      if (i != opener && i != end) r.copy(i);
    return r.finish();
  }
  std::int32_t end_of(std::int32_t opener) const { return ir::Rewriter(program()).close_of(opener); }

  // Effects, writes and whole regions go, the last first; branches open.
  bool anchors() {
    bool better = false;
    for (auto i = static_cast<std::int32_t>(program().size()) - 1; i >= 0; --i) {
      if (i >= static_cast<std::int32_t>(program().size())) continue;
      const ir::Node n = program().node(i);
      if (ir::opens_control(n.op)) {
        const std::int32_t end = end_of(i);
        if (take(without(program(), i, end + 1)))
          better = true;
        else if ((n.op == Op::if_region || n.op == Op::else_region) && take(opened(program(), i, end)))
          better = true;
      } else if (ir::is_anchor(n.op) && !ir::closes_region(n.op) && n.op != Op::loop_block && n.op != Op::loop_index) {
        if (take(without(program(), i, i + 1))) better = true;
      }
    }
    return better;
  }

  // Node i takes the value of `in`, spread over the axes that it lacks.
  static ir::Storage replaced(const ir::Program& p, std::int32_t i,
                              const std::function<std::int32_t(ir::Rewriter&)>& by) {
    ir::Rewriter r(p);
    for (std::int32_t k = 0; k < r.size(); ++k) {
      if (k != i) {
        r.copy(k);
        continue;
      }
      std::int32_t v = by(r);
      const ir::Node &n = p.node(i), &now = r.node(v);
      if (now.rank != n.rank) {
        ir::Node spread = n;
        spread.op = Op::broadcast;
        spread.flags = 0;
        spread.imm = 0;
        v = r.add(spread, {v});
      }
      r.replace(i, v);
      if (ir::opens_combine(p.node(i).op)) k = r.close_of(i);
    }
    return r.finish();
  }

  // Functions of custom reductions stay as they are: another one may not be associative.
  bool in_combine(std::int32_t node) const {
    const ir::Rewriter r(program());
    for (std::int32_t i = 0; i < node; ++i)
      if (ir::opens_combine(program().node(i).op) && r.close_of(i) > node) return true;
    return false;
  }

  bool nodes() {
    bool better = false;
    for (auto i = static_cast<std::int32_t>(program().size()) - 1; i >= 0; --i) {
      if (i >= static_cast<std::int32_t>(program().size())) continue;
      const ir::Node n = program().node(i);
      if (in_combine(i) || !ir::has_value(n.op) || n.op == Op::var || n.op == Op::literal || n.op == Op::broadcast ||
          n.op == Op::param || ir::info(n.op).op_class == ir::OpClass::block || ir::writes_array(n.op))
        continue;
      bool shrunk = false;
      for (int k = 0; k < n.count && !shrunk; ++k) {
        const std::int32_t in = program().operand(n, k);
        const ir::Node& o = program().node(in);
        if (o.type != n.type || o.op == Op::var) continue;
        bool inside = true;
        for (int a = 0; a < o.rank; ++a) inside = inside && program().has_axis(n, o.axes[a]);
        if (inside) shrunk = take(replaced(program(), i, [&](ir::Rewriter& r) { return r.value(in); }));
      }
      for (double v : {1.0, 0.0})
        if (!shrunk && n.op != Op::load && n.op != Op::scalar)
          shrunk = take(replaced(program(), i, [&](ir::Rewriter& r) { return constant(r, n.type, v); }));
      if (!shrunk && (n.op == Op::load || n.op == Op::scalar))
        shrunk = take(replaced(program(), i, [&](ir::Rewriter& r) { return constant(r, n.type, 1.0); }));
      if (!shrunk && n.op == Op::load && n.flags != 0) shrunk = take(plain_load(i));
      better |= shrunk;
    }
    return better;
  }
  static std::int32_t constant(ir::Rewriter& r, DType type, double value) {
    const std::uint64_t bits = tessera::bits_from_double(type, value);
    return r.literal(type, static_cast<std::int64_t>(bits));
  }
  ir::Storage plain_load(std::int32_t i) const {
    ir::Rewriter r(program());
    for (std::int32_t k = 0; k < r.size(); ++k) {
      if (k != i) {
        r.copy(k);
        continue;
      }
      ir::Node n = program().node(k);
      n.flags = 0;
      n.rank = 0;
      std::vector<std::int32_t> in;
      for (int d = 0; d < program().args[static_cast<std::size_t>(n.imm)].rank; ++d) {
        in.push_back(r.operand(k, d));
        const ir::Node& index = r.node(in.back());
        for (int a = 0; a < index.rank; ++a) {
          bool there = false;
          for (int b = 0; b < n.rank; ++b) there |= n.axes[b] == index.axes[a];
          if (!there) n.axes[n.rank++] = index.axes[a];
        }
      }
      r.replace(k, r.add(n, in));
    }
    return r.finish();
  }

  // An axis of an array goes, with its index.
  bool axes() {
    bool better = false;
    for (std::size_t arg = 0; arg < program().args.size(); ++arg)
      for (int d = 0; d < program().args[arg].rank; ++d) {
        Sample s = best_;
        ir::Storage& p = s.program;
        ir::Arg& a = p.args[arg];
        p.arg_extents.erase(p.arg_extents.begin() + a.first_extent + d);
        --a.rank;
        for (std::size_t k = 0; k < p.args.size(); ++k)
          if (p.args[k].first_extent > a.first_extent) --p.args[k].first_extent;
        bool fits = true;
        for (ir::Node& n : p.nodes) {
          if (ir::info(n.op).op_class != ir::OpClass::memory || static_cast<std::size_t>(n.imm & 0xffffffff) != arg)
            continue;
          std::vector<std::int32_t> in(p.operands.begin() + n.first, p.operands.begin() + n.first + n.count);
          in.erase(in.begin() + d);
          n.first = static_cast<std::int32_t>(p.operands.size());
          n.count = static_cast<std::uint16_t>(in.size());
          p.operands.insert(p.operands.end(), in.begin(), in.end());
          n.rank = 0;
          for (std::int32_t o : in)
            for (int x = 0; x < p.nodes[static_cast<std::size_t>(o)].rank; ++x) {
              const std::uint8_t axis = p.nodes[static_cast<std::size_t>(o)].axes[x];
              bool there = false;
              for (int b = 0; b < n.rank; ++b) there |= n.axes[b] == axis;
              if (!there && n.rank < ir::max_rank) n.axes[n.rank++] = axis;
            }
          fits = fits && n.rank < ir::max_rank;
        }
        if (fits && take(std::move(s))) better = true, --d;
        if (arg >= program().args.size()) break;
      }
    return better;
  }

  bool arguments() {
    bool better = false;
    for (std::size_t i = 0; i < best_.given.size(); ++i) {
      const Given g = best_.given[i];
      if (program().args[i].effect == ir::Effect::scalar) {
        const std::uint64_t one = tessera::bits_from_double(program().args[i].type, 1);
        if (g.scalar != one) better |= take_if([&](Sample& s) { s.given[i].scalar = one; });
        continue;
      }
      if (g.same_as >= 0) better |= take_if([&](Sample& s) { s.given[i].same_as = -1; });
      if (g.layout != Layout::rows) better |= take_if([&](Sample& s) { s.given[i].layout = Layout::rows; });
      if (g.at_start) better |= take_if([&](Sample& s) { s.given[i].at_start = false; });
      if (g.content != Content::whole && g.content < Content::index)
        better |= take_if([&](Sample& s) { s.given[i].content = Content::whole; });
      if (g.seed > 9) better |= take_if([&](Sample& s) { s.given[i].seed = 1 + i % 9; });
    }
    return better;
  }

  bool extents() {
    bool better = false;
    for (std::size_t i = 0; i < best_.extents.size(); ++i)
      for (std::int64_t v : {std::int64_t{0}, std::int64_t{1}, std::int64_t{2}, std::int64_t{4}, std::int64_t{8},
                             best_.extents[i] / 2, best_.extents[i] - 1})
        if (v >= 0 && v < best_.extents[i] && take_if([&](Sample& s) {
              s.extents[i] = v;
              for (Given& g : s.given)
                if (g.limit == best_.extents[i]) g.limit = v;
            })) {
          better = true;
          break;
        }
    return better;
  }

  // Every value of one type takes another.
  bool types() {
    bool better = false;
    std::set<DType> used;
    for (const ir::Node& n : program().nodes) used.insert(n.type);
    for (DType from : used) {
      const auto& t = tessera::info(from);
      if (t.is_boolean() || from == DType::i64 || from == DType::f32 || from == DType::i32) continue;
      const DType to = t.is_floating() ? DType::f32 : DType::i32;
      better |= take_if([&](Sample& s) {
        for (ir::Node& n : s.program.nodes)
          if (n.type == from && ir::has_value(n.op)) {
            n.type = to;
            if (n.op == Op::literal)
              n.imm = static_cast<std::int64_t>(tessera::convert_bits(from, to, static_cast<std::uint64_t>(n.imm)));
          } else if (n.type == from) {
            n.type = to;
          }
        for (std::size_t i = 0; i < s.program.args.size(); ++i)
          if (s.program.args[i].type == from) {
            s.program.args[i].type = to;
            if (i < s.given.size()) s.given[i].scalar = tessera::convert_bits(from, to, s.given[i].scalar);
          }
      });
    }
    return better;
  }

  Sample best_;
  CheckOptions options_;
  double end_;
  std::string kind_;
};

}  // namespace

Sample shrink(const Sample& sample, const CheckOptions& options, int seconds) {
  return Shrinker(sample, options, seconds).run();
}

}  // namespace fuzz
