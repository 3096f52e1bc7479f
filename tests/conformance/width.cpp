// Owns the walk over a planned program that weighs each instruction by how often its loops turn.
#include "tests/conformance/width.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace conformance {

using namespace tessera;
using loop::Op;

namespace {

constexpr double turns_unknown = 8;  // of a loop whose bounds the plan leaves open

class Walk {
 public:
  explicit Walk(const loop::Program& program, int vector_bits) : program_(program), vector_bits_(vector_bits) {}

  void function(const loop::Function& f) {
    function_ = &f;
    constants_.clear();
    spread_.clear();
    find_spread(f.body);
    region(f.body, 1);
  }

  Width result() const {
    Width w;
    double most = 0;
    for (const auto& [bits, weight] : vectors_) most = std::max(most, weight);
    for (const auto& [bits, weight] : vectors_)
      if (weight >= most / 10) w.bits = bits;
    const double all = wide_ + narrow_ + single_;
    if (all > 0) w.in_vectors = wide_ / all, w.one_by_one = single_ / all;
    w.decodes = decodes_, w.encodes = encodes_;
    return w;
  }

 private:
  const loop::Type& type(loop::Value v) const { return function_->types[static_cast<std::size_t>(v)]; }

  double turns(const loop::Inst& inst) const {
    std::int64_t bound[3] = {};
    for (std::size_t i = 0; i < 3; ++i) {
      const auto it = constants_.find(inst.operands[i]);
      if (it == constants_.end()) return turns_unknown;
      bound[i] = it->second;
    }
    return bound[2] <= 0 ? 1 : static_cast<double>(std::max<std::int64_t>(0, (bound[1] - bound[0]) / bound[2]));
  }

  static bool is_narrow(DType t) { return info(t).is_floating() && info(t).bits < 32; }

  // One element that all lanes take is loaded once for them.
  void find_spread(const loop::Region& r) {
    for (const loop::Inst& inst : r.body) {
      if (inst.op == Op::broadcast) spread_.insert(inst.operands[0]);
      for (const loop::Region& inner : inst.regions) find_spread(inner);
    }
  }

  void moved(const loop::Type& t, bool by_lane, double weight) {
    const double elements = weight * t.lanes;
    if (t.lanes > 1) vectors_[t.lanes * info(t.elem).bits] += weight;
    (by_lane ? single_ : t.lanes > 1 ? wide_ : narrow_) += elements;
  }

  void simple(const loop::Inst& inst, double weight) {
    switch (inst.op) {
      case Op::constant:
        if (type(inst.results[0]).lanes == 1) constants_[inst.results[0]] = inst.imm[0];
        return;
      case Op::load:
        if (spread_.count(inst.results[0]) == 0) moved(type(inst.results[0]), false, weight);
        break;
      case Op::fill: {
        const int bits = info(program_.buffers[static_cast<std::size_t>(inst.buffer)].elem).bits;
        const auto count = constants_.find(inst.operands[1]);
        wide_ += weight * (count == constants_.end() ? turns_unknown : static_cast<double>(count->second));
        vectors_[bits < 8 ? 32 * bits : vector_bits_] += weight;
        break;
      }
      case Op::store:
        moved(type(inst.operands[1]), false, weight);
        break;
      case Op::gather:
      case Op::atomic:
      case Op::compare_exchange:
        moved(type(inst.results[0]), true, weight);
        break;
      case Op::scatter:
        moved(type(inst.operands[2]), true, weight);
        break;
      case Op::cast:
        decodes_ = decodes_ || is_narrow(type(inst.operands[0]).elem);
        encodes_ = encodes_ || is_narrow(type(inst.results[0]).elem);
        break;
      default:
        break;
    }
    for (const loop::Value r : inst.results)
      if (type(r).lanes > 1 && type(r).elem != DType::b8) vectors_[type(r).lanes * info(type(r).elem).bits] += weight;
  }

  void region(const loop::Region& r, double weight) {
    for (const loop::Inst& inst : r.body) {
      simple(inst, weight);
      const double inside = inst.op == Op::for_loop ? turns(inst) : inst.op == Op::while_loop ? turns_unknown : 1;
      for (const loop::Region& inner : inst.regions) region(inner, weight * inside);
    }
  }

  const loop::Program& program_;
  int vector_bits_;
  const loop::Function* function_ = nullptr;
  std::set<loop::Value> spread_;  // scalars that become vectors of one value
  std::map<loop::Value, std::int64_t> constants_;
  std::map<int, double> vectors_;  // by bits
  double wide_ = 0, narrow_ = 0, single_ = 0;
  bool decodes_ = false, encodes_ = false;
};

}  // namespace

Width width_of(const loop::Program& program, int vector_bits) {
  Walk walk(program, vector_bits);
  for (const loop::Function& f : program.functions)
    if (f.kind != loop::FunctionKind::host) walk.function(f);
  return walk.result();
}

}  // namespace conformance
