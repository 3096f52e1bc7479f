// Owns the verifier's rules of single instructions, as the table in ops.hpp states them.
#include <algorithm>

#include "jit/loop/mma_shapes.hpp"
#include "jit/loop/verifier.hpp"
#include "tessera/types/convert.hpp"

TESSERA_BEGIN
namespace loop::detail {

bool Verifier::shape(const Inst& inst, std::size_t results, std::size_t operands) {
  if (inst.results.size() == results && inst.operands.size() == operands) return true;
  wrong(inst, "it has " + std::to_string(operands) + " operands and " + std::to_string(results) + " results");
  return false;
}

bool Verifier::arithmetic_float(DType t) const {
  return t == DType::f32 || t == DType::f64 ||
         (facts_.kind != MachineFacts::Kind::cpu && (t == DType::f16 || t == DType::bf16));
}

const Buffer* Verifier::buffer(const Inst& inst, std::int64_t index) {
  if (index >= 0 && index < static_cast<std::int64_t>(p_.buffers.size()))
    return &p_.buffers[static_cast<std::size_t>(index)];
  wrong(inst, "there is no such buffer");
  return nullptr;
}

void Verifier::instruction(const Inst& inst) {
  for (Value v : inst.results)
    if (std::count(inst.results.begin(), inst.results.end(), v) > 1) return;  // reported as defined twice
  // Only these take and give tiles.
  const bool carries =
      inst.op == Op::for_loop || inst.op == Op::while_loop || inst.op == Op::if_else || inst.op == Op::call;
  const bool tiled = inst.op == Op::tile_zero || inst.op == Op::tile_load || inst.op == Op::tile_store ||
                     inst.op == Op::mma || inst.op == Op::map_tile;
  if (!carries && !tiled)
    for (const auto* list : {&inst.operands, &inst.results})
      for (Value v : *list)
        if (type(v).layout >= 0) return wrong(inst, "it takes no tiles");

  switch (inst.op) {
    case Op::constant:
    case Op::word:
      if (!shape(inst, 1, 0)) return;
      if (inst.imm.size() != 1) return wrong(inst, "it has one number");
      if (inst.op == Op::word && (inst.imm[0] < 0 || inst.imm[0] > 4096 || type(inst.results[0]).lanes != 1))
        wrong(inst, "a frame word is a scalar with a number below 4096");
      return;
    case Op::iota:
      if (shape(inst, 1, 0) && info(type(inst.results[0]).elem).is_boolean()) wrong(inst, "it counts in numbers");
      return;
    case Op::neg:
    case Op::abs:
    case Op::sqrt:
    case Op::floor:
    case Op::ceil:
    case Op::trunc:
    case Op::round:
    case Op::logical_not:
    case Op::add:
    case Op::sub:
    case Op::mul:
    case Op::div:
    case Op::rem:
    case Op::floor_div:
    case Op::floor_rem:
    case Op::min:
    case Op::max:
    case Op::min_number:
    case Op::max_number:
    case Op::fast_min:
    case Op::fast_max:
    case Op::bit_and:
    case Op::bit_or:
    case Op::bit_xor:
    case Op::shl:
    case Op::shr:
    case Op::eq:
    case Op::ne:
    case Op::lt:
    case Op::le:
    case Op::gt:
    case Op::ge:
    case Op::fma:
      return arithmetic(inst);
    case Op::select:
    case Op::cast:
    case Op::bitcast:
    case Op::broadcast:
    case Op::extract:
    case Op::insert:
    case Op::shuffle:
    case Op::reduce_add:
    case Op::reduce_mul:
    case Op::reduce_min:
    case Op::reduce_max:
    case Op::reduce_and:
    case Op::reduce_or:
      return vectors(inst);
    case Op::load:
    case Op::store:
    case Op::gather:
    case Op::scatter:
    case Op::atomic:
    case Op::compare_exchange:
    case Op::prefetch:
    case Op::alloc:
    case Op::fill:
      return memory(inst);
    case Op::for_loop:
      if (inst.operands.size() < 3 || !is_offset(inst.operands[0]) || !is_offset(inst.operands[1]) ||
          !is_offset(inst.operands[2]))
        return wrong(inst, "its bounds and step are i64");
      if (types_of({inst.operands.begin() + 3, inst.operands.end()}) != types_of(inst.results))
        wrong(inst, "its results are not of the types it carries");
      return;
    case Op::while_loop:
      if (types_of(inst.operands) != types_of(inst.results)) wrong(inst, "its results are not of the types it carries");
      return;
    case Op::if_else:
      if (inst.operands.size() != 1 || type(inst.operands[0]) != Type{DType::b8, 1, -1})
        wrong(inst, "its condition is one b8");
      return;
    case Op::call:
    case Op::print:
    case Op::fail:
      return calls(inst);
    case Op::tile_zero:
    case Op::tile_load:
    case Op::tile_store:
    case Op::map_tile:
      return tiles(inst);
    case Op::mma:
      return mma(inst);
    case Op::copy_async:
      return copy(inst);
    case Op::roles:
    case Op::acquire:
    case Op::commit:
    case Op::wait:
    case Op::release:
    case Op::fence:
    case Op::barrier:
    case Op::wait_mma:
    case Op::wait_copy:
    case Op::shuffle_lane:
    case Op::place_id:
    case Op::send:
    case Op::recv:
      return concurrency(inst);
    case Op::yield:
      return;
  }
}

void Verifier::arithmetic(const Inst& inst) {
  const bool unary = inst.op >= Op::neg && inst.op <= Op::logical_not;
  const std::size_t operands = unary ? 1 : inst.op == Op::fma ? 3 : 2;
  if (!shape(inst, 1, operands)) return;
  const Type t = type(inst.operands[0]), r = type(inst.results[0]);
  if (inst.op == Op::fma && t.lanes != type(inst.operands[2]).lanes) {
    // Groups: each 32-bit lane and the narrow lanes of both factors that lie over it.
    const Type u = type(inst.operands[1]), c = type(inst.operands[2]);
    const auto is_byte = [](DType e) { return e == DType::i8 || e == DType::u8; };
    const bool pairs = t.elem == u.elem && ((t.elem == DType::i16 && c.elem == DType::i32) ||
                                            (t.elem == DType::bf16 && c.elem == DType::f32));
    const bool known = pairs || (is_byte(t.elem) && is_byte(u.elem) && c.elem == DType::i32);
    if (!known || r != c || t.lanes != u.lanes || t.lanes * info(t.elem).bits != c.lanes * 32)
      wrong(inst, "fma of groups takes i16, i8 or u8 into i32, or bf16 into f32, as many bits of each");
    return;
  }
  for (Value v : inst.operands)
    if (type(v) != t) return wrong(inst, "its operands differ in type");
  const DTypeInfo& e = info(t.elem);
  const bool number = e.is_integer() || arithmetic_float(t.elem);
  const auto refuse = [&] { wrong(inst, "there is no " + std::string(name(inst.op)) + " of " + print(p_, t)); };
  switch (inst.op) {
    case Op::eq:
    case Op::ne:
    case Op::lt:
    case Op::le:
    case Op::gt:
    case Op::ge:
      if (r != Type{DType::b8, t.lanes, -1}) wrong(inst, "a comparison gives b8 of as many lanes");
      return;
    case Op::logical_not:
    case Op::bit_and:
    case Op::bit_or:
    case Op::bit_xor:
      if (!e.is_integer() && !e.is_boolean()) refuse();
      break;
    case Op::rem:
      if (!number) refuse();
      break;
    case Op::shl:
    case Op::shr:
    case Op::floor_div:
    case Op::floor_rem:
      if (!e.is_integer()) refuse();
      break;
    case Op::sqrt:
      if (!arithmetic_float(t.elem)) refuse();
      break;
    case Op::min:
    case Op::max:
    case Op::min_number:
    case Op::max_number:
    case Op::fast_min:
    case Op::fast_max:
      if (!number && !e.is_boolean()) refuse();
      break;
    default:
      if (!number) refuse();
  }
  if (r != t) wrong(inst, "its result is not of its operands' type");
}

void Verifier::vectors(const Inst& inst) {
  const auto refuse = [&](const char* why) { wrong(inst, why); };
  if (inst.results.size() != 1 || inst.operands.empty()) return refuse("it has operands and one result");
  const Type r = type(inst.results[0]), a = type(inst.operands[0]);
  const std::size_t n = inst.operands.size();
  const auto is_lane = [&](Value v) { return type(v).lanes == 1 && info(type(v).elem).is_integer(); };
  switch (inst.op) {
    case Op::select:
      if (n != 3 || a.elem != DType::b8 || (a.lanes != 1 && a.lanes != r.lanes))
        return refuse("its mask is b8, of one lane or of the result's");
      if (type(inst.operands[1]) != r || type(inst.operands[2]) != r) refuse("both choices have the result's type");
      return;
    case Op::cast: {
      const std::int64_t mode = inst.imm.size() == 1 ? inst.imm[0] : -1, rounding = mode & 0xff, saturation = mode >> 8;
      if (mode < 0 || rounding > 3 || saturation > 2) return refuse("its imm names no rounding");
      const bool random = rounding == static_cast<int>(Rounding::stochastic);
      if (n != (random ? 2u : 1u)) return refuse("random bits are an operand of stochastic rounding only");
      if (a.lanes != r.lanes ||
          (random && (type(inst.operands[1]).lanes != r.lanes || !info(type(inst.operands[1]).elem).is_integer())))
        refuse("its lanes differ");
      return;
    }
    case Op::bitcast:
      if (n != 1 || info(a.elem).bits * a.lanes != info(r.elem).bits * r.lanes)
        refuse("both sides have equally many bits");
      return;
    case Op::broadcast:
      if (n != 1 || a.lanes != 1 || a.elem != r.elem) refuse("it spreads a scalar of the result's element type");
      return;
    case Op::extract:
      if (n != 2 || !is_lane(inst.operands[1]) || r != Type{a.elem, 1, -1})
        refuse("it takes a vector and a lane and gives an element");
      return;
    case Op::insert:
      if (n != 3 || r != a || type(inst.operands[1]) != Type{a.elem, 1, -1} || !is_lane(inst.operands[2]))
        refuse("it takes a vector, an element and a lane and gives the vector");
      return;
    case Op::shuffle: {
      if (n != 2 || type(inst.operands[1]).elem != a.elem || r.elem != a.elem || inst.imm.size() != r.lanes)
        return refuse("it takes two vectors and a lane number for each lane of its result");
      const int lanes = a.lanes + type(inst.operands[1]).lanes;
      for (std::int64_t i : inst.imm)
        if (i < -1 || i >= lanes) return refuse("a lane number is outside both vectors");
      return;
    }
    default: {  // reductions
      const bool bits = inst.op == Op::reduce_and || inst.op == Op::reduce_or;
      const DTypeInfo& e = info(a.elem);
      if (n != 1 || r != Type{a.elem, 1, -1}) return refuse("it makes one element of a vector");
      if (bits ? e.is_floating()
               : !e.is_integer() && !arithmetic_float(a.elem) &&
                     !(e.is_boolean() && (inst.op == Op::reduce_min || inst.op == Op::reduce_max)))
        refuse("there is no such reduction of this type");
    }
  }
}

void Verifier::memory(const Inst& inst) {
  const Buffer* b = buffer(inst, inst.buffer);
  if (!b) return;
  const bool masked = (inst.flags & flag_masked) != 0;
  const auto refuse = [&](const std::string& why) { wrong(inst, why); };
  std::vector<Value> ops = inst.operands;
  Value mask = -1;
  if (masked) {
    if (ops.empty()) return refuse("its mask is missing");
    mask = ops.back();
    ops.pop_back();
  }
  const auto needs = [&](std::size_t operands, std::size_t results) {
    if (ops.size() == operands && inst.results.size() == results) return true;
    refuse("it has " + std::to_string(operands + (masked ? 1 : 0)) + " operands and " + std::to_string(results) +
           " results");
    return false;
  };
  const auto mask_of = [&](int lanes) {
    if (masked && (type(mask).elem != DType::b8 || type(mask).lanes != lanes))
      refuse("its mask is b8 of " + std::to_string(lanes) + " lanes");
  };
  const auto element = [&](const Type& t) {
    if (t.elem != b->elem) refuse("buffer " + b->name + " holds " + std::string(dtype_name(b->elem)));
  };
  const bool writes = inst.op == Op::store || inst.op == Op::scatter || inst.op == Op::atomic ||
                      inst.op == Op::compare_exchange || inst.op == Op::fill;
  if (writes && b->read_only) refuse("buffer " + b->name + " is read only");
  if (masked && inst.op != Op::load && inst.op != Op::store && inst.op != Op::gather && inst.op != Op::scatter)
    return refuse("it takes no mask");
  if (ops.empty() || !is_offset(ops[0]))
    return refuse(inst.op == Op::alloc ? "its count is one i64" : "its offset is one i64");
  const auto indices = [&](const Type& of) {
    const Type& i = type(ops[1]);
    if ((i.elem != DType::i32 && i.elem != DType::i64) || i.lanes != of.lanes)
      refuse("its indices are i32 or i64 of as many lanes");
  };
  switch (inst.op) {
    case Op::load:
      if (!needs(1, 1)) return;
      element(type(inst.results[0]));
      return mask_of(type(inst.results[0]).lanes);
    case Op::store:
      if (!needs(2, 0)) return;
      element(type(ops[1]));
      return mask_of(type(ops[1]).lanes);
    case Op::gather:
      if (!needs(2, 1)) return;
      element(type(inst.results[0]));
      indices(type(inst.results[0]));
      return mask_of(type(inst.results[0]).lanes);
    case Op::scatter:
      if (!needs(3, 0)) return;
      element(type(ops[2]));
      indices(type(ops[2]));
      return mask_of(type(ops[2]).lanes);
    case Op::atomic:
      if (!needs(2, inst.results.empty() ? 0 : 1)) return;
      element(type(ops[1]));
      if (type(ops[1]).lanes != 1 || (!inst.results.empty() && type(inst.results[0]) != type(ops[1])))
        refuse("it takes and gives one element");
      if (inst.imm.size() != 2 || inst.imm[0] < 0 || inst.imm[0] > 7 || inst.imm[0] == 3 || inst.imm[1] < 0 ||
          inst.imm[1] > 2)
        refuse("its imm names no operation and scope");
      return;
    case Op::compare_exchange:
      if (!needs(3, inst.results.empty() ? 0 : 1)) return;
      element(type(ops[1]));
      if (type(ops[1]).lanes != 1 || type(ops[2]) != type(ops[1]) ||
          (!inst.results.empty() && type(inst.results[0]) != type(ops[1])))
        refuse("it takes and gives one element");
      return;
    case Op::prefetch:
      needs(1, 0);
      return;
    case Op::alloc:
      if (needs(1, 0) && b->word >= 0) refuse("buffer " + b->name + " lies in a frame word");
      return;
    default:  // fill
      if (!needs(3, 0)) return;
      element(type(ops[2]));
      if (!is_offset(ops[1]) || type(ops[2]).lanes != 1) refuse("it takes an offset, a count and one element");
  }
}

void Verifier::calls(const Inst& inst) {
  if (inst.op == Op::call) {
    const auto f =
        std::find_if(p_.functions.begin(), p_.functions.end(), [&](const Function& g) { return g.name == inst.text; });
    if (f == p_.functions.end() || f->kind != FunctionKind::helper)
      return wrong(inst, "there is no helper " + inst.text);
    std::vector<Type> params;
    for (Value v : f->body.params)
      params.push_back(v >= 0 && static_cast<std::size_t>(v) < f->types.size() ? f->types[static_cast<std::size_t>(v)]
                                                                               : Type{});
    if (types_of(inst.operands) != params) wrong(inst, inst.text + " takes " + types(params));
    if (types_of(inst.results) != f->result_types) wrong(inst, inst.text + " returns " + types(f->result_types));
    return;
  }
  if (!inst.results.empty()) return wrong(inst, "it has no results");
  if (inst.op == Op::fail && (inst.operands.size() != 1 || type(inst.operands[0]) != Type{DType::b8, 1, -1}))
    wrong(inst, "its condition is one b8");
}

void Verifier::tiles(const Inst& inst) {
  const auto refuse = [&](const std::string& why) { wrong(inst, why); };
  const bool store = inst.op == Op::tile_store;
  if (inst.results.size() != (store ? 0u : 1u)) return refuse(store ? "it has no result" : "it has one result");
  if (inst.op == Op::map_tile) {
    const Layout* l = layout(type(inst.results[0]));
    if (inst.operands.empty() || !l) return refuse("it makes a tile of tiles");
    for (Value v : inst.operands)
      if (type(v).layout != type(inst.results[0]).layout) return refuse("its tiles differ in layout");
    return;
  }
  Type t = store ? Type{} : type(inst.results[0]);
  const bool masked = (inst.flags & flag_masked) != 0;
  if (store) {
    for (Value v : inst.operands)
      if (type(v).layout >= 0) t = type(v);
  }
  const Layout* l = layout(t);
  if (!l) return refuse("it moves a tile");
  if (extent(*l, Place::warp) > warps_) return refuse("layout " + l->name + " takes more warps than the role has");
  if (inst.op == Op::tile_zero) {
    shape(inst, 1, 0);
    return;
  }
  const Buffer* b = buffer(inst, inst.buffer);
  if (!b) return;
  if (b->elem != t.elem) return refuse("buffer " + b->name + " holds " + std::string(dtype_name(b->elem)));
  const std::size_t rank = l->shape.size(), tile = store ? 1 + rank : SIZE_MAX;
  if (inst.operands.size() != 1 + rank + (store ? 1 : 0) + (masked ? rank : 0))
    return refuse("it takes an offset, a stride for each dimension" + std::string(store ? ", the tile" : "") +
                  " and, masked, an extent for each dimension");
  for (std::size_t i = 0; i < inst.operands.size(); ++i)
    if (i == tile ? type(inst.operands[i]).layout < 0 : !is_offset(inst.operands[i]))
      return refuse("offsets, strides and extents are i64");
  if (store && replicates(*l))
    return refuse("layout " + l->name + " holds elements more than once: who stores them is not said");
  if (store && b->read_only) refuse("buffer " + b->name + " is read only");
}

void Verifier::mma(const Inst& inst) {
  const auto refuse = [&](const std::string& why) { wrong(inst, why); };
  if (!shape(inst, 1, 3)) return;
  const auto s = find_mma_shape(inst.text, p_.machine);
  if (!s) return refuse("there is no shape " + inst.text + " on " + p_.machine);
  const Type c = type(inst.operands[2]);
  const Layout* lc = layout(c);
  if (!lc || c != type(inst.results[0])) return refuse("c is a tile of the result's type");
  if (!inst.imm.empty() &&
      (inst.imm.size() != 4 || inst.imm[0] < 1 || inst.imm[0] > 3 || inst.imm[3] < 0 || inst.imm[3] > 3))
    return refuse("its imm says neither tiles nor buffers");
  const Layout* part[2] = {};
  DType elem[2] = {};
  for (std::size_t k = 0; k < 2; ++k) {
    const Type t = type(inst.operands[k]);
    if (!inst.imm.empty() && (inst.imm[0] >> k & 1)) {
      if (!(k == 0 ? s->a_in_memory : s->b_in_memory)) return refuse("this shape takes no operand from memory there");
      const Buffer* b = buffer(inst, inst.imm[k + 1]);
      if (!b) return;
      if (!is_offset(inst.operands[k])) return refuse("an operand in memory is given by its offset");
      if (b->space != Space::shared || b->shape.empty())
        return refuse("an operand in memory lies in a shared buffer with known extents");
      elem[k] = b->elem;
    } else {
      if (k == 1 && s->b_in_memory) return refuse("this shape takes b from memory");
      part[k] = layout(t);
      if (!part[k]) return refuse("a and b are tiles, or lie in buffers");
      elem[k] = t.elem;
    }
  }
  if (!mma_takes(*s, elem[0], elem[1], c.elem)) return refuse("it does not multiply these element types");
  const int depth = part[0] ? (part[0]->shape.size() == 2 ? part[0]->shape[1] : 0) : part[1] ? part[1]->shape[0] : s->k;
  if (const MmaPlan plan = plan_mma(*s, part[0], part[1], *lc, depth); !plan.error.empty()) refuse(plan.error);
}

void Verifier::copy(const Inst& inst) {
  const auto refuse = [&](const std::string& why) { wrong(inst, why); };
  if (!inst.results.empty() || inst.imm.size() < 3 || inst.imm.size() > 7)
    return refuse("it has no result and a box of one to five extents");
  const Buffer *to = buffer(inst, inst.buffer), *from = buffer(inst, inst.imm[0]);
  if (!to || !from) return;
  if (to->elem != from->elem) return refuse("its buffers hold different types");
  if (to->read_only) return refuse("buffer " + to->name + " is read only");
  const std::size_t rank = inst.imm.size() - 2;
  const bool masked = (inst.flags & flag_masked) != 0, on = inst.imm[1] >= 0;
  if (inst.imm[1] < -1 || inst.imm[1] >= static_cast<std::int64_t>(p_.channels.size()))
    return refuse("there is no such channel");
  if (inst.operands.size() != 1 + rank + (masked ? rank : 0) + (on ? 1 : 0))
    return refuse("it takes two offsets, strides, masked extents and, on a channel, the slot");
  for (Value v : inst.operands)
    if (!is_offset(v)) return refuse("its operands are i64");
  std::int64_t elements = 1;
  for (std::size_t k = 2; k < inst.imm.size(); ++k) {
    if (inst.imm[k] < 1 || inst.imm[k] > 1 << 20) return refuse("a box's extents are positive");
    elements = std::min<std::int64_t>(elements * inst.imm[k], std::int64_t{1} << 40);
  }
  if (on && p_.channels[static_cast<std::size_t>(inst.imm[1])].bytes == 0) refuse("its channel expects no bytes");
  if (on && elements * info(to->elem).bits / 8 > p_.channels[static_cast<std::size_t>(inst.imm[1])].bytes)
    refuse("it brings more bytes than its channel expects");
}

void Verifier::concurrency(const Inst& inst) {
  const auto refuse = [&](const std::string& why) { wrong(inst, why); };
  const auto channel = [&]() -> const Channel* {
    if (inst.buffer < 0 || static_cast<std::size_t>(inst.buffer) >= p_.channels.size())
      return refuse("there is no such channel"), nullptr;
    channel_ops_[static_cast<std::size_t>(inst.buffer)].insert(inst.op);
    return &p_.channels[static_cast<std::size_t>(inst.buffer)];
  };
  switch (inst.op) {
    case Op::roles:
      shape(inst, 0, 0);
      return;
    case Op::acquire:
    case Op::commit:
    case Op::wait:
    case Op::release:
      if (!shape(inst, 0, 1)) return;
      if (!is_offset(inst.operands[0])) refuse("its slot is one i64");
      if (const Channel* c = channel(); c && c->colour >= 0) refuse("a colour has no slots");
      return;
    case Op::send:
    case Op::recv: {
      if (!shape(inst, 0, 2)) return;
      if (!is_offset(inst.operands[0]) || !is_offset(inst.operands[1])) refuse("its offset and count are i64");
      if (const Channel* c = channel(); c && c->colour < 0) refuse("its channel has no colour");
      if (inst.imm.size() != 1) return refuse("it names one buffer");
      const Buffer* b = buffer(inst, inst.imm[0]);
      if (b && b->read_only && inst.op == Op::recv) refuse("buffer " + b->name + " is read only");
      return;
    }
    case Op::fence:
      if (shape(inst, 0, 0) && (inst.imm.size() != 1 || inst.imm[0] < 0 || inst.imm[0] > 4)) refuse("it has a scope");
      return;
    case Op::barrier: {
      if (!shape(inst, 0, 0)) return;
      if (inst.imm.size() != 2 || inst.imm[1] < 0 || inst.imm[1] > 15)
        return refuse("it has a scope and a number below 16");
      const auto scope = static_cast<Scope>(inst.imm[0]);
      if (scope != Scope::warp && scope != Scope::role && scope != Scope::program)
        refuse("its scope is warp, role or program");
      if (scope == Scope::role && !in_role_) refuse("there is no role here");
      return;
    }
    case Op::wait_mma:
    case Op::wait_copy:
      if (shape(inst, 0, 0) && (inst.imm.size() != 1 || inst.imm[0] < 0)) refuse("it says how many may stay in flight");
      return;
    case Op::shuffle_lane:
      if (!shape(inst, 1, 2)) return;
      if (facts_.kind != MachineFacts::Kind::gpu) refuse("there are no lanes of a warp on " + p_.machine);
      if (type(inst.results[0]) != type(inst.operands[0]) || type(inst.operands[1]).lanes != 1 ||
          !info(type(inst.operands[1]).elem).is_integer())
        refuse("it takes a value and a lane and gives the value");
      return;
    default:  // place_id
      if (!shape(inst, 1, 0)) return;
      if (!is_offset(inst.results[0]) || inst.imm.size() != 1 || inst.imm[0] < 1 || inst.imm[0] >= place_count)
        refuse("it gives a lane, a warp or a coordinate of an element as i64");
  }
}

}  // namespace loop::detail
TESSERA_END
