// Owns the walk behind count_work: loops are counted by evaluating their bounds, memory by the ranges that accesses
// sweep. A loop whose inner bounds change with it is walked for its first and its last turn.
#include "jit/loop/work.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "tessera/types/dtype.hpp"

TESSERA_BEGIN
namespace loop {
namespace {

constexpr std::size_t most_depth = 16;        // loops inside one another that are told apart
constexpr std::size_t most_caches = 4;        // levels
constexpr std::int64_t most_visits = 400000;  // instructions looked at, before loops are walked once only
constexpr double line = 64;

using Steps = std::array<std::int64_t, most_depth>;
using Bytes = std::array<double, most_caches>;

/// What is known of a scalar: its value now, and how it changes with each loop around.
struct Known {
  std::int64_t value = 0;
  bool is = false;
  std::uint32_t loops = 0;  ///< those it depends on, one bit each
  Steps step{};             ///< by how much it grows a turn, where it is affine
};

/// The bytes that accesses of one buffer sweep: `parts` ranges of `length`.
struct Range {
  int buffer = -1;
  Steps step{};  ///< bytes a turn of each loop around
  std::uint32_t loops = 0;
  double low = 0, length = 0, parts = 1;
  double weight = 1;  ///< a store that reads its line first counts twice
  Bytes traffic{};

  double bytes() const { return parts * (parts > 1 ? std::ceil(length / line) * line : length); }
};

struct Count {
  double cycles = 0, operations = 0;
  std::vector<Range> ranges;
};

class Counter {
 public:
  Counter(const Program& program, std::span<const std::int64_t> frame, const Rates& rates,
          std::span<const double> caches, std::span<const double> arguments, double guess, Work& work)
      : program_(program), frame_(frame), rates_(rates), caches_(caches), guess_(guess), work_(work) {
    for (const Buffer& buffer : program.buffers) {
      const bool argument = buffer.word >= 0 && static_cast<std::size_t>(buffer.word) < arguments.size();
      sizes_.push_back(argument ? arguments[static_cast<std::size_t>(buffer.word)] : 1e18);
    }
  }

  Count function(const Function& f, std::span<const std::int64_t> parameters) {
    function_ = &f;
    values_.assign(f.types.size(), {});
    chain_.assign(f.types.size(), -1);
    for (std::size_t i = 0; i < f.body.params.size() && i < parameters.size(); ++i)
      at(f.body.params[i]) = {parameters[i], true, 0, {}};
    return region(f.body);
  }
  /// The first value that the function's body yielded, where it is known.
  const Known& result(const Function& f) { return at(f.body.body.back().operands.front()); }

 private:
  Known& at(Value v) { return values_[static_cast<std::size_t>(v)]; }
  const Type& type(Value v) const { return function_->types[static_cast<std::size_t>(v)]; }
  static double width(DType t) { return info(t).bits / 8.0; }
  static std::uint32_t bit(std::size_t depth) {
    return depth < most_depth ? std::uint32_t{1} << depth : std::uint32_t{1} << (most_depth - 1);
  }

  // ---- values ----
  void evaluate(const Inst& inst) {
    if (inst.results.empty()) return;
    Known k;
    for (const Value o : inst.operands) k.loops |= at(o).loops;
    const Type& t = type(inst.results[0]);
    const bool integer = !info(t.elem).is_floating() && t.lanes == 1;
    const auto in = [&](std::size_t i) -> const Known& { return at(inst.operands[i]); };
    if (integer && inst.op == Op::constant) {
      k.value = inst.imm[0], k.is = true;
    } else if (integer && inst.op == Op::word) {
      const auto w = static_cast<std::size_t>(inst.imm[0]);
      k.is = w < frame_.size();
      if (k.is) k.value = frame_[w];
    } else if (integer && inst.op == Op::select) {
      if (in(0).is)
        k.value = in(in(0).value ? 1 : 2).value, k.is = in(in(0).value ? 1 : 2).is,
        k.step = in(in(0).value ? 1 : 2).step;
    } else if (integer && inst.operands.size() == 1 && (inst.op == Op::cast || inst.op == Op::broadcast)) {
      k.value = in(0).value, k.is = in(0).is, k.step = in(0).step;
    } else if (integer && inst.op == Op::logical_not) {
      k.value = !in(0).value, k.is = in(0).is;
    } else if (integer && inst.operands.size() == 2) {
      binary(inst.op, in(0), in(1), k);
    }
    at(inst.results[0]) = k;
    for (std::size_t i = 1; i < inst.results.size(); ++i) at(inst.results[i]) = Known{0, false, k.loops, {}};
  }

  static void binary(Op op, const Known& a, const Known& b, Known& k) {
    const std::int64_t x = a.value, y = b.value;
    k.is = a.is && b.is;
    const auto wide = [](std::int64_t p, std::int64_t q, auto f) {  // wraps: values come from any Frame
      return static_cast<std::int64_t>(f(static_cast<std::uint64_t>(p), static_cast<std::uint64_t>(q)));
    };
    switch (op) {
      case Op::add:
      case Op::sub:
        k.value = op == Op::add ? wide(x, y, std::plus<>()) : wide(x, y, std::minus<>());
        for (std::size_t d = 0; d < most_depth; ++d)
          k.step[d] = op == Op::add ? a.step[d] + b.step[d] : a.step[d] - b.step[d];
        return;
      case Op::mul:
        k.value = wide(x, y, std::multiplies<>());
        for (std::size_t d = 0; d < most_depth; ++d) k.step[d] = b.is ? wide(a.step[d], y, std::multiplies<>()) : 0;
        if (a.is)
          for (std::size_t d = 0; d < most_depth; ++d) k.step[d] += wide(b.step[d], x, std::multiplies<>());
        return;
      case Op::min:
      case Op::max:
        k.value = op == Op::min ? std::min(x, y) : std::max(x, y);
        k.step = k.value == x ? a.step : b.step;
        return;
      case Op::div:
      case Op::floor_div:
        k.is = k.is && y > 0;
        if (k.is) {
          k.value = x >= 0 ? x / y : op == Op::div ? -(-x / y) : -((y - 1 - x) / y);
          for (std::size_t d = 0; d < most_depth; ++d) k.step[d] = a.step[d] / y;
        }
        return;
      case Op::rem:
      case Op::floor_rem:
        k.is = k.is && y > 0;
        if (k.is) {
          k.value = (x % y + (op == Op::floor_rem && x < 0 && x % y != 0 ? y : 0));
          for (std::size_t d = 0; d < most_depth; ++d) k.step[d] = a.step[d] % y;
        }
        return;
      case Op::shl:
        if (k.is && y >= 0 && y < 62) k.value = wide(x, std::int64_t{1} << y, std::multiplies<>());
        return;
      case Op::shr:
        if (k.is && y >= 0 && y < 63) k.value = x >> y;
        return;
      case Op::eq:
        k.value = x == y;
        return;
      case Op::ne:
        k.value = x != y;
        return;
      case Op::lt:
        k.value = x < y;
        return;
      case Op::le:
        k.value = x <= y;
        return;
      case Op::gt:
        k.value = x > y;
        return;
      case Op::ge:
        k.value = x >= y;
        return;
      case Op::bit_and:
        k.value = x & y;
        return;
      case Op::bit_or:
        k.value = x | y;
        return;
      default:
        k.is = false;
    }
  }

  // ---- instructions ----
  static bool computes(Op op) {
    switch (op) {
      case Op::neg:
      case Op::abs:
      case Op::add:
      case Op::sub:
      case Op::mul:
      case Op::min:
      case Op::max:
      case Op::min_number:
      case Op::max_number:
      case Op::fast_min:
      case Op::fast_max:
        return true;
      default:
        return false;
    }
  }

  struct Straight {  // a run of instructions without loops
    double arithmetic = 0, loads = 0, stores = 0, issue = 0, extra = 0;
    double cycles(const Rates& r) const {
      return std::max({arithmetic / r.arithmetic, loads / r.loads, stores / r.stores, issue / r.issue}) + extra;
    }
  };

  void simple(const Inst& inst, Straight& s, Count& count) {
    const Type t = inst.results.empty() ? Type{} : type(inst.results[0]);
    const bool memory = inst.op == Op::store || inst.op == Op::scatter;
    const Type moved = memory ? type(inst.operands[inst.op == Op::store ? 1 : 2]) : t;
    const double vectors = std::max(1.0, moved.lanes * width(moved.elem) / rates_.vector_bytes);
    const bool floating = !inst.results.empty() && info(t.elem).is_floating();
    switch (inst.op) {
      case Op::constant:
      case Op::word:
      case Op::yield:
      case Op::alloc:
      case Op::prefetch:
      case Op::fence:
        return;
      case Op::load:
        s.loads += vectors;
        touch(inst, moved, 1, count);
        break;
      case Op::store:
        s.stores += vectors;
        touch(inst, moved, inst.flags & flag_nontemporal ? 1 : 2, count);
        break;
      case Op::gather:
      case Op::scatter:
      case Op::atomic:
      case Op::compare_exchange:
        s.extra += rates_.lane * (inst.op == Op::atomic || inst.op == Op::compare_exchange ? 4 : moved.lanes);
        touch(inst, {moved.elem, moved.lanes, -1}, inst.op == Op::gather ? 1 : 2, count);
        break;
      case Op::fill: {
        const Known n = at(inst.operands[1]);
        const Buffer& b = program_.buffers[static_cast<std::size_t>(inst.buffer)];
        const double bytes = static_cast<double>(n.is ? n.value : 0) * width(b.elem);
        s.extra += bytes / rates_.vector_bytes / rates_.stores;
        add_range(inst.buffer, at(inst.operands[0]), bytes, 2, count);
        break;
      }
      case Op::div:
      case Op::sqrt:
      case Op::rem:
      case Op::floor_div:
      case Op::floor_rem:
        s.extra += floating ? rates_.divide * vectors : rates_.divide * 4 * t.lanes;
        count.operations += floating ? t.lanes : 0;
        break;
      case Op::fma:
        s.arithmetic += vectors, count.operations += 2.0 * t.lanes;
        break;
      case Op::reduce_add:
      case Op::reduce_mul:
      case Op::reduce_min:
      case Op::reduce_max:
        s.extra += rates_.latency * 2;
        break;
      case Op::print:
      case Op::fail:
      case Op::call:
        s.extra += 20;
        break;
      default:
        if (t.lanes > 1 || floating) s.arithmetic += vectors;
        if (floating && computes(inst.op)) count.operations += t.lanes;
    }
    s.issue += std::max(1.0, vectors);
    follow(inst, floating && inst.op != Op::load);
  }

  /// How long a float result waits for the values that a loop carries.
  void follow(const Inst& inst, bool works) {
    double longest = -1;
    for (const Value o : inst.operands) longest = std::max(longest, chain_[static_cast<std::size_t>(o)]);
    if (longest >= 0 && works) longest += rates_.latency;
    for (const Value r : inst.results) chain_[static_cast<std::size_t>(r)] = longest;
  }

  void touch(const Inst& inst, const Type& moved, double weight, Count& count) {
    add_range(inst.buffer, at(inst.operands[0]), moved.lanes * width(moved.elem), weight, count);
  }

  void add_range(int buffer, const Known& offset, double bytes, double weight, Count& count) {
    Range r;
    r.buffer = buffer;
    r.loops = offset.loops;
    r.length = bytes;
    r.weight = weight;
    const double unit = width(program_.buffers[static_cast<std::size_t>(buffer)].elem);
    r.low = static_cast<double>(offset.value) * unit;
    for (std::size_t d = 0; d < most_depth; ++d)
      r.step[d] = static_cast<std::int64_t>(static_cast<double>(offset.step[d]) * unit);
    r.traffic.fill(bytes * weight);
    for (Range& other : count.ranges)
      if (joins(other, r)) return;
    count.ranges.push_back(r);
  }

  /// Makes one of two ranges that move together and touch, or nearly.
  static bool joins(Range& a, const Range& b) {
    if (a.buffer != b.buffer || a.step != b.step || a.parts != b.parts) return false;
    const double low = std::min(a.low, b.low), high = std::max(a.low + a.length, b.low + b.length);
    if (high - low > a.length + b.length + line) return false;
    a.low = low, a.length = high - low;
    a.loops |= b.loops;
    a.weight = std::max(a.weight, b.weight);
    for (std::size_t c = 0; c < most_caches; ++c) a.traffic[c] += b.traffic[c];
    return true;
  }

  double size(const Range& r) const { return std::min(r.bytes(), sizes_[static_cast<std::size_t>(r.buffer)]); }
  double footprint(const Count& c) const {
    double all = 0;
    for (const Range& r : c.ranges) all += size(r);
    return all;
  }

  // ---- regions ----
  Count region(const Region& body) {
    Count count;
    Straight s;
    for (const Inst& inst : body.body) {
      ++visits_;
      switch (inst.op) {
        case Op::for_loop:
          add(count, for_loop(inst));
          continue;
        case Op::while_loop: {
          work_.known = false;
          for (const Value v : inst.regions[0].params) at(v) = {};
          for (const Value v : inst.regions[1].params) at(v) = {};
          Count turn = region(inst.regions[0]);
          add(turn, region(inst.regions[1]));
          add(count, repeat(std::move(turn), guess_, 0));
          break;
        }
        case Op::if_else:
          add(count, branch(inst));
          break;
        default:
          evaluate(inst);
          if (inst.op == Op::alloc && at(inst.operands[0]).is) {
            const auto b = static_cast<std::size_t>(inst.buffer);
            sizes_[b] = static_cast<double>(at(inst.operands[0]).value) * width(program_.buffers[b].elem);
            work_.scratch += sizes_[b];
          }
          simple(inst, s, count);
          continue;
      }
      for (const Value r : inst.results) at(r) = {};
      follow(inst, false);
    }
    count.cycles += s.cycles(rates_);
    settle(count);
    return count;
  }

  void add(Count& to, const Count& from) {
    to.cycles += from.cycles;
    to.operations += from.operations;
    for (const Range& r : from.ranges) {
      bool joined = false;
      for (Range& other : to.ranges) joined = joined || joins(other, r);
      if (!joined) to.ranges.push_back(r);
    }
  }

  /// What a region touches twice comes into a cache once, where the region's data fit.
  void settle(Count& count) {
    const double all = footprint(count);
    for (std::size_t c = 0; c < caches_.size(); ++c)
      if (all <= caches_[c])
        for (Range& r : count.ranges) r.traffic[c] = std::min(r.traffic[c], size(r) * r.weight);
  }

  Count branch(const Inst& inst) {
    const Known condition = at(inst.operands[0]);
    bounds_ |= condition.loops;
    if (condition.is)
      return inst.regions.size() > (condition.value ? 0u : 1u) ? region(inst.regions[condition.value ? 0 : 1])
                                                               : Count{};
    Count both;
    for (const Region& r : inst.regions) {
      Count one = region(r);
      one.cycles /= static_cast<double>(inst.regions.size());
      one.operations /= static_cast<double>(inst.regions.size());
      add(both, one);
    }
    return both;
  }

  Count for_loop(const Inst& inst) {
    const Known lo = at(inst.operands[0]), hi = at(inst.operands[1]), step = at(inst.operands[2]);
    bounds_ |= lo.loops | hi.loops;
    double turns = guess_;
    if (lo.is && hi.is && step.is && step.value > 0)
      turns = hi.value > lo.value
                  ? std::ceil(static_cast<double>(hi.value - lo.value) / static_cast<double>(step.value))
                  : 0;
    else
      work_.known = false;
    const Region& body = inst.regions[0];
    Count all;
    if (turns > 0) {
      const std::uint32_t outside = bounds_;
      const std::vector<double> chain = chain_;
      bounds_ = 0;
      const auto walk = [&](double turn) {
        Known iv = lo;
        const std::int64_t by = step.is ? step.value : 1;
        iv.value += static_cast<std::int64_t>(turn) * by;
        iv.loops |= bit(depth_);
        if (depth_ < most_depth) iv.step[depth_] = by;
        at(body.params[0]) = iv;
        std::fill(chain_.begin(), chain_.end(), -1.0);
        for (std::size_t i = 1; i < body.params.size(); ++i) {
          at(body.params[i]) = {0, false, bit(depth_), {}};
          chain_[static_cast<std::size_t>(body.params[i])] = 0;
        }
        ++depth_;
        Count one = region(body);
        --depth_;
        double longest = 0;
        for (const Value v : body.body.back().operands)
          longest = std::max(longest, chain_[static_cast<std::size_t>(v)]);
        one.cycles = std::max({one.cycles, longest, rates_.turn});
        return one;
      };
      Count first = walk(0);
      const bool changes = (bounds_ & bit(depth_)) != 0;
      if (changes && turns > 1 && visits_ < most_visits) {
        const Count last = walk(turns - 1);
        const double cycles = first.cycles * (turns - 1) + last.cycles;
        const double operations = first.operations * (turns - 1) + last.operations;
        all = repeat(std::move(first), turns, depth_);
        all.cycles = cycles, all.operations = operations;
      } else {
        all = repeat(std::move(first), turns, depth_);
      }
      bounds_ = outside | (bounds_ & ~bit(depth_));
      chain_ = chain;
    }
    double waits = -1;
    for (const Value o : inst.operands) waits = std::max(waits, chain_[static_cast<std::size_t>(o)]);
    for (const Value r : inst.results) {
      at(r) = {};
      chain_[static_cast<std::size_t>(r)] = waits < 0 ? waits : waits + all.cycles;
    }
    return all;
  }

  /// `turns` turns of a loop at `depth`.
  Count repeat(Count turn, double turns, std::size_t depth) {
    const double one = footprint(turn);
    for (Range& r : turn.ranges) {
      const double step = depth < most_depth ? std::abs(static_cast<double>(r.step[depth])) : 0;
      const bool moves = step > 0 || (r.loops & bit(depth)) != 0;
      if (moves) {
        if (step > 0 && r.parts == 1 && step <= r.length + line / 2)
          r.length += (turns - 1) * step;
        else
          r.parts *= turns;
      }
      if (depth < most_depth) r.step[depth] = 0;
      r.loops &= ~bit(depth);
      const double unique = size(r) * r.weight;
      for (std::size_t c = 0; c < caches_.size(); ++c)
        r.traffic[c] = one <= caches_[c] ? std::min(turns * r.traffic[c], unique) : turns * r.traffic[c];
    }
    turn.cycles *= turns;
    turn.operations *= turns;
    std::vector<Range> ranges = std::move(turn.ranges);
    turn.ranges.clear();
    for (const Range& r : ranges) {
      bool joined = false;
      for (Range& other : turn.ranges) joined = joined || joins(other, r);
      if (!joined) turn.ranges.push_back(r);
    }
    return turn;
  }

  const Program& program_;
  std::span<const std::int64_t> frame_;
  const Rates& rates_;
  std::span<const double> caches_;
  double guess_;
  Work& work_;
  const Function* function_ = nullptr;
  std::vector<Known> values_;
  std::vector<double> chain_, sizes_;
  std::uint32_t bounds_ = 0;  ///< loops on which bounds and conditions depend that were met
  std::size_t depth_ = 0;
  std::int64_t visits_ = 0;
};

}  // namespace

Work count_work(const Program& program, std::span<const std::int64_t> frame, const Rates& rates,
                std::span<const double> caches, std::span<const double> arguments, double guess) {
  Work work;
  caches = caches.first(std::min(caches.size(), most_caches));
  work.traffic.assign(caches.size(), 0);
  Counter counter(program, frame, rates, caches, arguments, guess, work);
  const auto take = [&](const Count& count) {
    work.cycles += count.cycles;
    work.operations += count.operations;
    for (const Range& r : count.ranges) {
      if (program.buffers[static_cast<std::size_t>(r.buffer)].space == Space::global) work.bytes += r.bytes();
      for (std::size_t c = 0; c < caches.size(); ++c) work.traffic[c] += r.traffic[c];
    }
  };
  for (const Function& f : program.functions)
    if (f.kind == FunctionKind::host) {
      take(counter.function(f, {}));
      if (!f.body.body.empty() && !f.body.body.back().operands.empty() && counter.result(f).is)
        work.programs = std::max<std::int64_t>(0, counter.result(f).value);
      else
        work.known = false;
    }
  const std::int64_t range[] = {0, work.programs};
  for (const Function& f : program.functions)
    if (f.kind == FunctionKind::entry) take(counter.function(f, range));
  return work;
}

namespace {

struct Mixer {
  std::uint64_t hash = 0xcbf29ce484222325u;
  void number(std::uint64_t v) {
    hash = (hash ^ v) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 29;
  }
  void region(const Region& r) {
    for (const Value v : r.params) number(static_cast<std::uint64_t>(v));
    for (const Inst& inst : r.body) {
      number(static_cast<std::uint64_t>(inst.op) << 32 | inst.flags);
      number(static_cast<std::uint64_t>(inst.buffer) << 8 | inst.regions.size());
      for (const Value v : inst.results) number(static_cast<std::uint64_t>(v));
      for (const Value v : inst.operands) number(static_cast<std::uint64_t>(v));
      for (const std::int64_t v : inst.imm) number(static_cast<std::uint64_t>(v));
      for (const char c : inst.text) number(static_cast<unsigned char>(c));
      for (const Region& inner : inst.regions) region(inner);
    }
    number(0x5ca1ab1e);
  }
};

}  // namespace

std::uint64_t fingerprint(const Program& program) {
  Mixer m;
  for (const Buffer& b : program.buffers) {
    m.number(static_cast<std::uint64_t>(b.elem) << 32 | static_cast<std::uint64_t>(b.space) << 16 | b.read_only);
    m.number(static_cast<std::uint64_t>(b.word) << 32 | static_cast<std::uint64_t>(b.align));
    for (const std::int64_t s : b.shape) m.number(static_cast<std::uint64_t>(s));
  }
  for (const auto& [name, value] : program.attributes) {
    for (const char c : name) m.number(static_cast<unsigned char>(c));
    m.number(static_cast<std::uint64_t>(value));
  }
  for (const Function& f : program.functions) {
    m.number(static_cast<std::uint64_t>(f.kind));
    for (const Type& t : f.types)
      m.number(static_cast<std::uint64_t>(t.elem) << 32 | static_cast<std::uint64_t>(t.lanes) << 16 |
               static_cast<std::uint16_t>(t.layout));
    m.region(f.body);
  }
  return m.hash;
}

}  // namespace loop
TESSERA_END
