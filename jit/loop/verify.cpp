// Owns the verifier: declarations, dominance and regions; the rules of single instructions lie in verify_ops.cpp.
#include "jit/loop/verify.hpp"

#include "jit/loop/verifier.hpp"

TESSERA_BEGIN
namespace loop {

std::vector<std::string> verify(const Program& program, std::size_t limit) {
  return detail::Verifier(program, limit).run();
}

namespace detail {

void Verifier::problem(std::string text) {
  if (problems_.size() < limit_) problems_.push_back(std::move(text));
}

void Verifier::wrong(const Inst& inst, const std::string& why) {
  problem(f_->name + ": `" + print(p_, *f_, inst) + "`: " + why);
}

std::int64_t Verifier::attribute(std::string_view name, std::int64_t otherwise) const {
  for (const auto& [n, v] : p_.attributes)
    if (n == name) return v;
  return otherwise;
}

std::vector<std::string> Verifier::run() {
  declarations();
  for (const Function& f : p_.functions) function(f);
  for (std::size_t c = 0; c < p_.channels.size(); ++c) {
    const auto used = [&](Op op) { return channel_ops_[c].contains(op); };
    const std::string self = "channel " + p_.channels[c].name + ": ";
    if (used(Op::commit) != used(Op::wait))
      problem(self + (used(Op::wait) ? "nothing commits it" : "nothing waits for it"));
    if (used(Op::release) && !used(Op::wait)) problem(self + "it is released but never waited for");
    if (used(Op::acquire) && !used(Op::release)) problem(self + "it is acquired but never released");
    if (used(Op::send) != used(Op::recv))
      problem(self + (used(Op::send) ? "nothing receives from it" : "nothing sends on it"));
  }
  return std::move(problems_);
}

void Verifier::declarations() {
  std::set<std::string> names;
  for (const Function& f : p_.functions)
    if (!names.insert(f.name).second) problem("function " + f.name + " is defined twice");
  if (p_.layouts.size() > INT16_MAX) problem("there are too many layouts");
  for (const Layout& l : p_.layouts) {
    if (std::string why = check_layout(l); !why.empty()) problem("layout " + l.name + ": " + why);
    if (facts_.kind == MachineFacts::Kind::gpu && extent(l, Place::lane) > facts_.lanes)
      problem("layout " + l.name + ": a warp has " + std::to_string(facts_.lanes) + " lanes");
  }
  std::int64_t shared = 0, local = 0;
  for (const Buffer& b : p_.buffers) {
    const std::string self = "buffer " + b.name + ": ";
    if (static_cast<int>(b.elem) >= dtype_count || static_cast<int>(b.space) > 4) {
      problem(self + "its type or space is none");
      continue;
    }
    std::int64_t elements = 1;
    for (std::int64_t n : b.shape) {
      if (n < 1 || n > std::int64_t{1} << 40 || elements > (std::int64_t{1} << 40) / n) {
        problem(self + "its extents are not positive, or too large");
        elements = 0;
        break;
      }
      elements *= n;
    }
    const std::int64_t bytes = (elements * info(b.elem).bits + 7) / 8;
    const bool placed = b.space == Space::shared || b.space == Space::registers || b.space == Space::local;
    if (placed && b.shape.empty() && facts_.kind != MachineFacts::Kind::cpu)
      problem(self + "its extents must be known");
    if (b.space == Space::shared) shared += bytes;
    if (b.space == Space::local) local += bytes;
    if (b.word >= 0 && b.space != Space::global) problem(self + "only a global buffer lies in a frame word");
    if (b.align < 1 || (b.align & (b.align - 1)) != 0) problem(self + "its alignment is no power of two");
    if (b.swizzle != 0 && b.swizzle != 32 && b.swizzle != 64 && b.swizzle != 128)
      problem(self + "a swizzle is 0, 32, 64 or 128 bytes");
    if (b.swizzle != 0 && (bytes % (8 * b.swizzle) != 0 || b.align % (8 * b.swizzle) != 0))
      problem(self + "a swizzle of " + std::to_string(b.swizzle) +
              " bytes needs a size and an alignment that are multiples of 8 × that");
  }
  if (facts_.shared_bytes > 0 && shared > facts_.shared_bytes)
    problem("shared buffers take " + std::to_string(shared) + " bytes, " + p_.machine + " has " +
            std::to_string(facts_.shared_bytes));
  if (facts_.local_bytes > 0 && local > facts_.local_bytes)
    problem("local buffers take " + std::to_string(local) + " bytes, an element of " + p_.machine + " has " +
            std::to_string(facts_.local_bytes));
  for (const Channel& c : p_.channels) {
    const std::string self = "channel " + c.name + ": ";
    if (c.depth < 1 || c.producers < 1 || c.consumers < 1 || c.bytes < 0)
      problem(self + "its depth and its arrivals are positive");
    if (c.colour < -1 || (facts_.colours > 0 && c.colour >= facts_.colours)) problem(self + "it has no such colour");
  }
  units_ = facts_.kind == MachineFacts::Kind::gpu    ? attribute("warps", 1)
           : facts_.kind == MachineFacts::Kind::mesh ? attribute("mesh_x", 1) * attribute("mesh_y", 1)
                                                     : 1;
  if (units_ < 1 || units_ > 4096) problem("the program has no plausible number of warps or processing elements");
}

void Verifier::function(const Function& f) {
  f_ = &f;
  warps_ = units_;
  in_role_ = false;
  state_.assign(f.types.size(), Unseen);
  for (std::size_t i = 0; i < f.types.size(); ++i) {
    const Type& t = f.types[i];
    if (static_cast<int>(t.elem) >= dtype_count || t.lanes < 1 || t.layout < -1 ||
        (t.layout >= 0 && (static_cast<std::size_t>(t.layout) >= p_.layouts.size() || t.lanes != 1)))
      return problem(f.name + ": the type of %" + std::to_string(i) + " is none");
  }
  const auto params = types_of(f.body.params);
  const Type i64{DType::i64, 1, -1};
  if (f.kind == FunctionKind::entry && (params != std::vector<Type>{i64, i64} || !f.result_types.empty()))
    problem(f.name + ": an entry takes (first: i64, end: i64) and returns nothing");
  if (f.kind == FunctionKind::host &&
      (!params.empty() || (!f.result_types.empty() && f.result_types != std::vector<Type>{i64})))
    problem(f.name + ": a host function takes nothing and returns nothing, or an i64: the number of programs");
  region(f.body, f.result_types, nullptr, 0);
}

std::vector<Type> Verifier::types_of(const std::vector<Value>& values) const {
  std::vector<Type> out;
  for (Value v : values) out.push_back(type(v));
  return out;
}

void Verifier::define(Value v, const Inst* inst) {
  const auto complain = [&](const std::string& why) { inst ? wrong(*inst, why) : problem(f_->name + ": " + why); };
  if (v < 0 || static_cast<std::size_t>(v) >= state_.size()) return complain("it defines a value without a type");
  auto& s = state_[static_cast<std::size_t>(v)];
  if (s != Unseen) return complain("%" + std::to_string(v) + " is defined twice");
  s = Visible;
  live_.push_back(v);
}

void Verifier::region(const Region& r, const std::vector<Type>& yields, const Inst* owner, int depth) {
  const std::size_t mark = live_.size();
  const auto complain = [&](const std::string& why) { owner ? wrong(*owner, why) : problem(f_->name + ": " + why); };
  for (Value v : r.params) define(v, owner);
  if (depth > 80) {
    complain("regions are nested too deep");
  } else if (r.body.empty() || r.body.back().op != Op::yield) {
    complain("a region does not end with a yield");
  } else {
    for (std::size_t i = 0; i < r.body.size(); ++i) {
      const Inst& inst = r.body[i];
      if (static_cast<int>(inst.op) >= op_count) {
        complain("it holds an instruction that is none");
        continue;
      }
      bool sound = true;
      for (Value v : inst.operands) {
        const bool exists = v >= 0 && static_cast<std::size_t>(v) < state_.size();
        if (exists && state_[static_cast<std::size_t>(v)] == Visible) continue;
        wrong(inst, !exists ? "an operand is no value"
                    : state_[static_cast<std::size_t>(v)] == Unseen
                        ? "%" + std::to_string(v) + " is used before its definition"
                        : "%" + std::to_string(v) + " is used outside the region that defines it");
        sound = false;
      }
      for (Value v : inst.results)
        if (v < 0 || static_cast<std::size_t>(v) >= state_.size()) sound = false;
      if (inst.op == Op::yield) {
        if (i + 1 != r.body.size()) wrong(inst, "instructions follow it");
        if (sound && types_of(inst.operands) != yields) wrong(inst, "it yields other values than " + types(yields));
        if (!inst.results.empty() || !inst.regions.empty()) wrong(inst, "it has no results or regions");
      } else if (sound) {
        instruction(inst);
        regions(inst, depth);
      } else {
        for (const Region& inner : inst.regions) forget(inner);
      }
      for (Value v : inst.results) define(v, &inst);
    }
  }
  while (live_.size() > mark) {
    state_[static_cast<std::size_t>(live_.back())] = Left;
    live_.pop_back();
  }
}

// What an unsound instruction's regions define counts as defined, so that one mistake gives one message.
void Verifier::forget(const Region& r) {
  const auto leave = [&](Value v) {
    if (v >= 0 && static_cast<std::size_t>(v) < state_.size()) state_[static_cast<std::size_t>(v)] = Left;
  };
  for (Value v : r.params) leave(v);
  for (const Inst& i : r.body) {
    for (Value v : i.results) leave(v);
    for (const Region& inner : i.regions) forget(inner);
  }
}

std::string Verifier::types(const std::vector<Type>& ts) const {
  std::string s = "(";
  for (std::size_t i = 0; i < ts.size(); ++i) s += (i ? ", " : "") + print(p_, ts[i]);
  return s + ")";
}

void Verifier::regions(const Inst& inst, int depth) {
  const auto expect_params = [&](const Region& r, const std::vector<Type>& wanted) {
    for (Value v : r.params)
      if (v < 0 || static_cast<std::size_t>(v) >= state_.size())
        return wrong(inst, "a parameter of its region is no value");
    if (types_of(r.params) != wanted)
      wrong(inst, "its region takes " + types(types_of(r.params)) + " instead of " + types(wanted));
  };
  const auto count = [&](std::size_t n) {
    if (inst.regions.size() == n) return true;
    wrong(inst, "it has " + std::to_string(n) + (n == 1 ? " region" : " regions"));
    for (const Region& r : inst.regions) forget(r);
    return false;
  };
  const std::vector<Type> results = types_of(inst.results), operands = types_of(inst.operands);
  switch (inst.op) {
    case Op::for_loop: {
      if (!count(1)) return;
      std::vector<Type> params{{DType::i64, 1, -1}};
      params.insert(params.end(), results.begin(), results.end());
      expect_params(inst.regions[0], params);
      return region(inst.regions[0], results, &inst, depth + 1);
    }
    case Op::while_loop: {
      if (!count(2)) return;
      std::vector<Type> tested{{DType::b8, 1, -1}};
      tested.insert(tested.end(), results.begin(), results.end());
      for (const Region& r : inst.regions) expect_params(r, results);
      region(inst.regions[0], tested, &inst, depth + 1);
      return region(inst.regions[1], results, &inst, depth + 1);
    }
    case Op::if_else:
      if (!count(2)) return;
      for (const Region& r : inst.regions) {
        expect_params(r, {});
        region(r, results, &inst, depth + 1);
      }
      return;
    case Op::roles: {
      std::int64_t total = 0;
      for (std::int64_t n : inst.imm) total = n < 1 || n > 4096 ? INT32_MIN : total + n;
      if (inst.imm.size() != inst.regions.size() || total != units_)
        wrong(inst, "its roles do not share out the " + std::to_string(units_) +
                        " warps or processing elements of the program");
      if (in_role_) wrong(inst, "it lies within a role");
      in_role_ = true;
      for (std::size_t i = 0; i < inst.regions.size(); ++i) {
        warps_ = i < inst.imm.size() ? inst.imm[i] : 1;
        expect_params(inst.regions[i], {});
        region(inst.regions[i], {}, &inst, depth + 1);
      }
      warps_ = units_;
      in_role_ = false;
      return;
    }
    case Op::map_tile: {
      if (!count(1)) return;
      std::vector<Type> params;
      for (const Type& t : operands) params.push_back({t.elem, 1, -1});
      expect_params(inst.regions[0], params);
      return region(inst.regions[0], {{results.empty() ? DType::i64 : results[0].elem, 1, -1}}, &inst, depth + 1);
    }
    default:
      count(0);
  }
}

}  // namespace detail
}  // namespace loop
TESSERA_END
